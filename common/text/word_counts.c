#include "common/text/word_counts.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"

typedef struct entry {
    size_t offset;        /* of the word in `bytes` */
    uint64_t hash, count; /* count 0: free */
} entry;

/* Open addressing with linear probing, at most half full. */
struct limn_word_counts {
    entry *entries; /* [n_entries], a power of two */
    size_t n_entries, n_different;
    uint64_t total;
    limn_buffer bytes; /* the words, each with its NUL */
};

enum { FIRST_SIZE = 4096 };

limn_status limn_word_counts_create(limn_word_counts **out, limn_error *err)
{
    limn_word_counts *c = limn_calloc(1, sizeof *c);
    *out = c;
    if (c) c->entries = limn_calloc(FIRST_SIZE, sizeof *c->entries);
    if (!c || !c->entries) {
        limn_word_counts_destroy(out);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    c->n_entries = FIRST_SIZE;
    return LIMN_OK;
}

void limn_word_counts_destroy(limn_word_counts **c)
{
    if (!c || !*c) return;
    limn_free((*c)->entries);
    limn_buffer_finish(&(*c)->bytes);
    limn_free(*c);
    *c = NULL;
}

/* The entry of a word, or the free one where it belongs. */
static entry *find(const limn_word_counts *c, uint64_t hash, const char *word, size_t size)
{
    size_t i = (size_t)hash & (c->n_entries - 1);
    for (;; i = (i + 1) & (c->n_entries - 1)) {
        entry *e = &c->entries[i];
        const char *other = c->bytes.bytes + e->offset;
        if (!e->count || (e->hash == hash && !strncmp(other, word, size) && !other[size])) return e;
    }
}

static limn_status grow(limn_word_counts *c, limn_error *err)
{
    entry *old = c->entries, *larger = limn_calloc(c->n_entries, 2 * sizeof *larger);
    const size_t n_old = c->n_entries;
    if (!larger) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    c->entries = larger;
    c->n_entries = 2 * n_old;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].count) {
            const char *word = c->bytes.bytes + old[i].offset;
            *find(c, old[i].hash, word, strlen(word)) = old[i];
        }
    limn_free(old);
    return LIMN_OK;
}

limn_status limn_word_counts_add_word(limn_word_counts *c, const char *word, size_t size,
                                      limn_error *err)
{
    const uint64_t hash = limn_fnv1a64(LIMN_FNV1A64_INIT, word, size);
    entry *e;
    if (2 * (c->n_different + 1) > c->n_entries) LIMN_TRY(grow(c, err));
    e = find(c, hash, word, size);
    if (!e->count) {
        *e = (entry){ .offset = c->bytes.size, .hash = hash };
        limn_buffer_append(&c->bytes, word, size);
        limn_buffer_append(&c->bytes, "", 1);
        if (c->bytes.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        c->n_different++;
    }
    e->count++;
    c->total++;
    return LIMN_OK;
}

limn_status limn_word_counts_add(limn_word_counts *c, const char *text, limn_error *err)
{
    while (*text) {
        const size_t size = strcspn(text, " ");
        if (size) LIMN_TRY(limn_word_counts_add_word(c, text, size, err));
        text += size + (text[size] != '\0');
    }
    return LIMN_OK;
}

uint64_t limn_word_counts_of(const limn_word_counts *c, const char *word, size_t size)
{
    return find(c, limn_fnv1a64(LIMN_FNV1A64_INIT, word, size), word, size)->count;
}

uint64_t limn_word_counts_total(const limn_word_counts *c)
{
    return c->total;
}

size_t limn_word_counts_n_different(const limn_word_counts *c)
{
    return c->n_different;
}

static int compare(const void *a, const void *b)
{
    const limn_word_count *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return strcmp(x->word, y->word);
}

limn_status limn_word_counts_sorted(limn_word_count **out, const limn_word_counts *c,
                                    limn_error *err)
{
    limn_word_count *words = limn_alloc(c->n_different, sizeof *words);
    size_t n = 0;
    if (!words) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < c->n_entries; i++)
        if (c->entries[i].count)
            words[n++] =
                (limn_word_count){ c->bytes.bytes + c->entries[i].offset, c->entries[i].count };
    qsort(words, n, sizeof *words, compare);
    *out = words;
    return LIMN_OK;
}
