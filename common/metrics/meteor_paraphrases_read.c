/* The gzip table: three lines a pair, of which the first (a probability) plays no part in METEOR;
 * then the source phrase and its paraphrase. */
#include <string.h>
#include <zlib.h>

#include "common/base/mem.h"
#include "common/metrics/meteor_paraphrases.h"
#include "common/metrics/meteor_resource.h"

enum { MAX_PHRASE_WORDS = 64, CHUNK = 1 << 18 };

/* ---- lines of a gzip file ------------------------------------------------------------------- */

typedef struct gzip_lines {
    gzFile file;
    char *bytes;       /* [CHUNK] */
    size_t begin, end; /* unread bytes */
    bool is_ended;
} gzip_lines;

static limn_status refill(gzip_lines *g, limn_error *err)
{
    memmove(g->bytes, g->bytes + g->begin, g->end - g->begin);
    g->end -= g->begin;
    g->begin = 0;
    if (g->end == CHUNK)
        return limn_fail(err, LIMN_E_LIMIT, "a line has more than %d bytes", CHUNK);
    const int n = gzread(g->file, g->bytes + g->end, (unsigned)(CHUNK - g->end));
    int code;
    const char *text = gzerror(g->file, &code);
    if (n < 0 || (n == 0 && code != Z_OK && code != Z_STREAM_END))
        return limn_fail(err, code == Z_ERRNO ? LIMN_E_IO : LIMN_E_FORMAT, "%s",
                         text && *text ? text : "can't read");
    g->end += (size_t)n;
    g->is_ended = n == 0;
    return LIMN_OK;
}

/* *line is NULL at the end, and valid until the next call. */
static limn_status next_line(const char **line, size_t *size, gzip_lines *g, limn_error *err)
{
    for (;;) {
        const char *text = g->bytes + g->begin;
        const char *newline = memchr(text, '\n', g->end - g->begin);
        if (newline || (g->is_ended && g->begin < g->end)) {
            *line = text;
            *size = newline ? (size_t)(newline - text) : g->end - g->begin;
            g->begin += *size + (newline != NULL);
            return LIMN_OK;
        }
        *line = NULL;
        if (g->is_ended) return LIMN_OK;
        LIMN_TRY(refill(g, err));
    }
}

/* ---- what is collected ---------------------------------------------------------------------- */

typedef struct phrase_pool {
    uint16_t *items; /* [n_items]: of each phrase its number of words, its words */
    size_t n_items, capacity;
} phrase_pool;

typedef struct number_array {
    uint32_t *items;
    size_t n_items, capacity;
} number_array;

typedef struct builder {
    limn_string_table words;
    phrase_pool sources, targets;
    number_array source_begins; /* [n_sources] in `sources` */
    number_array target_sizes;  /* [n_sources] room that the paraphrases of a source take */
    number_array n_targets;     /* [n_sources] */
    number_array pairs;         /* [n_pairs] the source of each target */
    uint32_t *slots;            /* [n_slots] source number + 1, or 0; at most half in use */
    size_t n_slots;
    size_t max_source_words;
} builder;

static void builder_finish(builder *b)
{
    limn_string_table_finish(&b->words);
    limn_free(b->sources.items);
    limn_free(b->targets.items);
    limn_free(b->source_begins.items);
    limn_free(b->target_sizes.items);
    limn_free(b->n_targets.items);
    limn_free(b->pairs.items);
    limn_free(b->slots);
}

static limn_status push(number_array *a, uint32_t number, limn_error *err)
{
    if (!limn_grow((void **)&a->items, &a->capacity, a->n_items + 1, sizeof number))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    a->items[a->n_items++] = number;
    return LIMN_OK;
}

/* phrase[0] is its number of words. */
static limn_status push_phrase(phrase_pool *pool, const uint16_t *phrase, limn_error *err)
{
    const size_t size = (size_t)phrase[0] + 1;
    if (pool->n_items > UINT32_MAX - size - 1)
        return limn_fail(err, LIMN_E_LIMIT, "more words than 32-bit offsets reach");
    if (!limn_grow((void **)&pool->items, &pool->capacity, pool->n_items + size, sizeof *phrase))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    memcpy(pool->items + pool->n_items, phrase, size * sizeof *phrase);
    pool->n_items += size;
    return LIMN_OK;
}

static bool is_same_phrase(const uint16_t *a, const uint16_t *b)
{
    return a[0] == b[0] && memcmp(a + 1, b + 1, a[0] * sizeof *a) == 0;
}

static const uint16_t *source(const builder *b, uint32_t number)
{
    return b->sources.items + b->source_begins.items[number];
}

static uint32_t *find_slot(const builder *b, const uint16_t *phrase)
{
    size_t i = limn_meteor_phrase_slot(phrase + 1, phrase[0], b->n_slots);
    while (b->slots[i] && !is_same_phrase(source(b, b->slots[i] - 1), phrase))
        i = (i + 1) & (b->n_slots - 1);
    return &b->slots[i];
}

static limn_status grow_slots(builder *b, limn_error *err)
{
    const size_t n_slots = b->n_slots ? 2 * b->n_slots : 1024;
    uint32_t *slots = limn_calloc(n_slots, sizeof *slots);
    if (!slots) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_free(b->slots);
    b->slots = slots;
    b->n_slots = n_slots;
    for (uint32_t i = 0; i < b->source_begins.n_items; i++) *find_slot(b, source(b, i)) = i + 1;
    return LIMN_OK;
}

static limn_status add_source(uint32_t *number, builder *b, const uint16_t *phrase, limn_error *err)
{
    const size_t n_sources = b->source_begins.n_items;
    if (2 * (n_sources + 1) > b->n_slots) LIMN_TRY(grow_slots(b, err));
    uint32_t *slot = find_slot(b, phrase);
    if (!*slot) {
        LIMN_TRY(push(&b->source_begins, (uint32_t)b->sources.n_items, err));
        LIMN_TRY(push_phrase(&b->sources, phrase, err));
        LIMN_TRY(push(&b->target_sizes, 0, err));
        LIMN_TRY(push(&b->n_targets, 0, err));
        *slot = (uint32_t)n_sources + 1;
        if (phrase[0] > b->max_source_words) b->max_source_words = phrase[0];
    }
    *number = *slot - 1;
    return LIMN_OK;
}

static limn_status parse_phrase(uint16_t phrase[MAX_PHRASE_WORDS + 1], builder *b, const char *line,
                                size_t line_size, limn_error *err)
{
    const char *end = line + line_size, *word;
    size_t size;
    uint32_t number;
    phrase[0] = 0;
    while ((word = limn_meteor_next_word(&size, &line, end))) {
        LIMN_TRY(limn_string_table_add(&number, &b->words, word, size, err));
        if (number >= LIMN_METEOR_NO_WORD)
            return limn_fail(err, LIMN_E_LIMIT, "more than %d different words",
                             LIMN_METEOR_NO_WORD);
        if (phrase[0] == MAX_PHRASE_WORDS)
            return limn_fail(err, LIMN_E_LIMIT, "a phrase has more than %d words",
                             MAX_PHRASE_WORDS);
        phrase[++phrase[0]] = (uint16_t)number;
    }
    return phrase[0] ? LIMN_OK : limn_fail(err, LIMN_E_FORMAT, "a phrase is empty");
}

/* The two phrases of a pair, or false at the end of the file. */
static limn_status read_pair(bool *is_read, builder *b, gzip_lines *g, limn_error *err)
{
    uint16_t phrases[2][MAX_PHRASE_WORDS + 1];
    const char *line;
    size_t size;
    uint32_t number;
    LIMN_TRY(next_line(&line, &size, g, err));
    *is_read = line != NULL;
    for (int i = 0; i < 2 && *is_read; i++) {
        LIMN_TRY(next_line(&line, &size, g, err));
        if (!line) return limn_fail(err, LIMN_E_TRUNCATED, "the last pair has no three lines");
        LIMN_TRY(parse_phrase(phrases[i], b, line, size, err));
    }
    if (!*is_read) return LIMN_OK;
    LIMN_TRY(add_source(&number, b, phrases[0], err));
    if (b->n_targets.items[number]++ == UINT16_MAX)
        return limn_fail(err, LIMN_E_LIMIT, "a phrase has more than %d paraphrases", UINT16_MAX);
    b->target_sizes.items[number] += phrases[1][0] + 1u;
    LIMN_TRY(push(&b->pairs, number, err));
    return push_phrase(&b->targets, phrases[1], err);
}

/* ---- the table as it is looked up ----------------------------------------------------------- */

/* Writes each record's source and count. Afterwards n_targets says where each record begins, and
 * target_sizes where its paraphrases go. */
static void lay_out(builder *b, uint16_t *pool)
{
    size_t end = 0;
    for (uint32_t i = 0; i < b->source_begins.n_items; i++) {
        const uint16_t *phrase = source(b, i);
        const uint32_t n_targets = b->n_targets.items[i], size = b->target_sizes.items[i];
        b->n_targets.items[i] = (uint32_t)end;
        memcpy(pool + end, phrase, (phrase[0] + 1u) * sizeof *pool);
        pool[end + phrase[0] + 1] = (uint16_t)n_targets;
        end += phrase[0] + 2u;
        b->target_sizes.items[i] = (uint32_t)end;
        end += size;
    }
}

static void fill_in(builder *b, uint16_t *pool)
{
    const uint16_t *target = b->targets.items;
    for (size_t i = 0; i < b->pairs.n_items; i++) {
        uint32_t *at = &b->target_sizes.items[b->pairs.items[i]];
        const size_t size = target[0] + 1u;
        memcpy(pool + *at, target, size * sizeof *pool);
        *at += (uint32_t)size;
        target += size;
    }
}

static void point_slots_at_records(builder *b)
{
    for (size_t i = 0; i < b->n_slots; i++)
        if (b->slots[i]) b->slots[i] = b->n_targets.items[b->slots[i] - 1] + 1;
}

static limn_status finish_table(limn_meteor_paraphrases *out, builder *b, limn_error *err)
{
    const size_t pool_size = b->sources.n_items + b->source_begins.n_items + b->targets.n_items;
    uint16_t *pool = limn_alloc(pool_size, sizeof *pool);
    if (!pool) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (pool_size >= UINT32_MAX) {
        limn_free(pool);
        return limn_fail(err, LIMN_E_LIMIT, "more words than 32-bit offsets reach");
    }
    lay_out(b, pool);
    fill_in(b, pool);
    point_slots_at_records(b);
    out->owned_pool = pool;
    out->pool = pool;
    out->pool_size = pool_size;
    out->owned_slots = b->slots;
    out->slots = b->slots;
    out->n_slots = b->n_slots;
    out->words = b->words;
    out->max_source_words = b->max_source_words;
    b->slots = NULL;
    b->words = (limn_string_table){ 0 };
    return LIMN_OK;
}

limn_status limn_meteor_paraphrases_read(limn_meteor_paraphrases *out, const char *table,
                                         limn_error *err)
{
    builder b = { 0 };
    gzip_lines g = { .file = gzopen(table, "rb"), .bytes = limn_alloc(CHUNK, 1) };
    bool is_read = true;
    limn_status s = LIMN_OK;
    if (!g.file)
        s = limn_fail(err, LIMN_E_IO, "can't open");
    else if (!g.bytes || gzbuffer(g.file, CHUNK) != 0)
        s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    while (s == LIMN_OK && is_read) s = read_pair(&is_read, &b, &g, err);
    if (s == LIMN_OK) s = finish_table(out, &b, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", table);
    if (g.file) gzclose(g.file);
    limn_free(g.bytes);
    builder_finish(&b);
    return s;
}
