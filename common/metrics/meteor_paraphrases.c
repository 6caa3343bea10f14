#include "common/metrics/meteor_paraphrases.h"

#include <string.h>
#include <zlib.h>

#include "common/base/mem.h"

static const size_t MAX_FILE = (size_t)2 << 30;

void limn_meteor_paraphrases_finish(limn_meteor_paraphrases *p)
{
    limn_string_table_finish(&p->words);
    limn_free(p->owned_slots);
    limn_free(p->owned_pool);
    limn_file_bytes_free(&p->cache);
    *p = (limn_meteor_paraphrases){ 0 };
}

/* ---- looking up ----------------------------------------------------------------------------- */

uint16_t limn_meteor_paraphrases_word(const limn_meteor_paraphrases *p, const char *word,
                                      size_t size)
{
    uint32_t number;
    return limn_string_table_find(&number, &p->words, word, size) ? (uint16_t)number
                                                                  : LIMN_METEOR_NO_WORD;
}

size_t limn_meteor_phrase_slot(const uint16_t *words, size_t n_words, size_t n_slots)
{
    return (size_t)limn_fnv1a64(LIMN_FNV1A64_INIT, words, n_words * sizeof *words) & (n_slots - 1);
}

/* Every read stays inside the pool, whatever a damaged cache says. */
limn_meteor_paraphrase_list limn_meteor_paraphrases_of(const limn_meteor_paraphrases *p,
                                                       const uint16_t *words, size_t n_words)
{
    const limn_meteor_paraphrase_list none = { 0 };
    if (p->n_slots == 0) return none;
    size_t i = limn_meteor_phrase_slot(words, n_words, p->n_slots);
    for (size_t n_tries = 0; n_tries < p->n_slots; n_tries++, i = (i + 1) & (p->n_slots - 1)) {
        const size_t begin = p->slots[i];
        if (begin == 0 || begin > p->pool_size || p->pool_size - begin < n_words + 1) return none;
        const uint16_t *record = p->pool + begin - 1;
        if (record[0] == n_words && memcmp(record + 1, words, n_words * sizeof *words) == 0)
            return (limn_meteor_paraphrase_list){ .next = record + n_words + 2,
                                                  .end = p->pool + p->pool_size,
                                                  .n_left = record[n_words + 1] };
    }
    return none;
}

bool limn_meteor_next_paraphrase(limn_meteor_paraphrase_list *l)
{
    if (l->n_left == 0 || l->next >= l->end || (size_t)(l->end - l->next) <= *l->next) return false;
    l->n_words = *l->next;
    l->words = l->next + 1;
    l->next += l->n_words + 1;
    l->n_left--;
    return true;
}

/* ---- the cache ------------------------------------------------------------------------------ */

/* Numbers are in the machine's byte order, which `mark` identifies. The words (each with a NUL,
 * filled up to four bytes), the slots and the pool follow. */
typedef struct header {
    char magic[8];
    uint32_t mark;
    uint32_t body_crc; /* CRC-32 of all that follows the header */
    uint64_t table_size;
    unsigned char table_end[8]; /* the gzip's own CRC-32 and length */
    uint64_t n_words, words_size, n_slots, pool_size, max_source_words;
} header;

static const char MAGIC[8] = "LIMNMPT1";
enum { MARK = 0x01020304 };

static limn_status describe_table(header *h, const char *table, limn_error *err)
{
    limn_file_bytes file = { 0 };
    LIMN_TRY(limn_file_bytes_read(&file, table, MAX_FILE, err));
    *h = (header){ .mark = MARK, .table_size = file.size };
    memcpy(h->magic, MAGIC, sizeof h->magic);
    if (file.size >= sizeof h->table_end)
        memcpy(h->table_end, file.bytes + file.size - sizeof h->table_end, sizeof h->table_end);
    limn_file_bytes_free(&file);
    return LIMN_OK;
}

static bool add(size_t *sum, uint64_t n_items, size_t item_size)
{
    size_t size;
    return n_items <= SIZE_MAX && limn_size_mul(&size, (size_t)n_items, item_size) &&
           limn_size_add(sum, *sum, size);
}

/* Whether the bytes are a whole cache of the table that `expected` describes. */
static bool is_current(const limn_file_bytes *file, const header *expected)
{
    header h;
    size_t size = sizeof h;
    if (file->size < sizeof h) return false;
    memcpy(&h, file->bytes, sizeof h);
    if (memcmp(h.magic, expected->magic, sizeof h.magic) != 0 || h.mark != expected->mark ||
        h.table_size != expected->table_size ||
        memcmp(h.table_end, expected->table_end, sizeof h.table_end) != 0)
        return false;
    if (!add(&size, h.words_size, 1) || !add(&size, h.n_slots, sizeof(uint32_t)) ||
        !add(&size, h.pool_size, sizeof(uint16_t)) || size != file->size)
        return false;
    return h.words_size % 4 == 0 && h.n_slots && (h.n_slots & (h.n_slots - 1)) == 0 &&
           h.body_crc == crc32_z(0, file->bytes + sizeof h, file->size - sizeof h);
}

static limn_status read_words(limn_string_table *words, const char *bytes, size_t size,
                              uint64_t n_words, limn_error *err)
{
    uint32_t number;
    for (uint64_t i = 0; i < n_words; i++) {
        const char *end = memchr(bytes, '\0', size);
        if (!end || words->n_strings != i)
            return limn_fail(err, LIMN_E_FORMAT, "the list of words is damaged");
        LIMN_TRY(limn_string_table_add(&number, words, bytes, (size_t)(end - bytes), err));
        size -= (size_t)(end + 1 - bytes);
        bytes = end + 1;
    }
    return LIMN_OK;
}

static limn_status use_cache(limn_meteor_paraphrases *p, limn_error *err)
{
    header h;
    const unsigned char *words = p->cache.bytes + sizeof h;
    memcpy(&h, p->cache.bytes, sizeof h);
    p->slots = (const uint32_t *)(words + h.words_size);
    p->n_slots = (size_t)h.n_slots;
    p->pool = (const uint16_t *)(p->slots + p->n_slots);
    p->pool_size = (size_t)h.pool_size;
    p->max_source_words = (size_t)h.max_source_words;
    return read_words(&p->words, (const char *)words, (size_t)h.words_size, h.n_words, err);
}

static uint32_t body_crc(const limn_meteor_paraphrases *p, const char *fill, size_t fill_size)
{
    uLong crc = crc32_z(0, (const Bytef *)p->words.bytes.bytes, p->words.bytes.size);
    crc = crc32_z(crc, (const Bytef *)fill, fill_size);
    crc = crc32_z(crc, (const Bytef *)p->slots, p->n_slots * sizeof *p->slots);
    return (uint32_t)crc32_z(crc, (const Bytef *)p->pool, p->pool_size * sizeof *p->pool);
}

static limn_status write_cache(const limn_meteor_paraphrases *p, header h, const char *path,
                               limn_error *err)
{
    static const char fill[4];
    const size_t fill_size = (4 - p->words.bytes.size % 4) % 4;
    limn_file_writer *w = NULL;
    limn_status s;
    h.n_words = p->words.n_strings;
    h.words_size = p->words.bytes.size + fill_size;
    h.n_slots = p->n_slots;
    h.pool_size = p->pool_size;
    h.max_source_words = p->max_source_words;
    h.body_crc = body_crc(p, fill, fill_size);
    const struct {
        const void *bytes;
        size_t size;
    } parts[] = { { &h, sizeof h },
                  { p->words.bytes.bytes, p->words.bytes.size },
                  { fill, fill_size },
                  { p->slots, p->n_slots * sizeof *p->slots },
                  { p->pool, p->pool_size * sizeof *p->pool } };
    LIMN_TRY(limn_file_writer_open_given(&w, path, err));
    s = LIMN_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && s == LIMN_OK; i++)
        s = limn_file_writer_write(w, parts[i].bytes, parts[i].size, err);
    if (s == LIMN_OK) return limn_file_writer_commit(&w, err);
    limn_file_writer_discard(&w);
    return s;
}

limn_status limn_meteor_paraphrases_open(limn_meteor_paraphrases *out, const char *table,
                                         const char *cache, limn_error *err)
{
    header expected;
    limn_status s;
    *out = (limn_meteor_paraphrases){ 0 };
    if (!cache) return limn_meteor_paraphrases_read(out, table, err);
    LIMN_TRY(describe_table(&expected, table, err));
    /* A cache that is missing or belongs to another table is rewritten: not an error. */
    if (limn_file_bytes_read(&out->cache, cache, MAX_FILE, NULL) == LIMN_OK) {
        if (is_current(&out->cache, &expected)) return use_cache(out, err);
        limn_file_bytes_free(&out->cache);
    }
    s = limn_meteor_paraphrases_read(out, table, err);
    return s == LIMN_OK ? write_cache(out, expected, cache, err) : s;
}
