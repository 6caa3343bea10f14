#include "models/train/pool_captions.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/text/string_table.h"

/* How many captions have each word: all, and those that name each class. */
typedef struct word_table {
    limn_string_table words;
    uint32_t (*counts)[LIMN_N_OBJECTS]; /* [words.n_strings] */
    uint32_t *last;                     /* [words.n_strings] the last caption with it, + 1 */
    size_t counts_capacity, last_capacity;
    uint32_t n_captions[LIMN_N_OBJECTS];
} word_table;

static void finish_table(word_table *t)
{
    limn_string_table_finish(&t->words);
    limn_free(t->counts);
    limn_free(t->last);
}

/* The next word of *text, which moves past it; NULL at the end. */
static const char *next_word(size_t *size, const char **text)
{
    const char *word = *text + strspn(*text, " ");
    *size = strcspn(word, " ");
    *text = word + *size;
    return *size > 0 ? word : NULL;
}

static limn_status find_word(uint32_t *number, word_table *t, const char *word, size_t size,
                             limn_error *err)
{
    const size_t n_before = t->words.n_strings;
    LIMN_TRY(limn_string_table_add(number, &t->words, word, size, err));
    if (*number < n_before) return LIMN_OK;
    if (!limn_grow((void **)&t->counts, &t->counts_capacity, n_before + 1, sizeof *t->counts) ||
        !limn_grow((void **)&t->last, &t->last_capacity, n_before + 1, sizeof *t->last))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu words", n_before + 1);
    memset(t->counts[n_before], 0, sizeof *t->counts);
    t->last[n_before] = 0;
    return LIMN_OK;
}

static void add_to_classes(uint32_t counts[LIMN_N_OBJECTS], limn_object_set objects)
{
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++) counts[c] += limn_object_set_has(objects, c);
}

/* Counts the words of caption number `i`, each once. */
static limn_status count_words(word_table *t, const char *caption, limn_object_set objects,
                               uint32_t i, limn_error *err)
{
    size_t size;
    for (const char *word; (word = next_word(&size, &caption));) {
        uint32_t number;
        LIMN_TRY(find_word(&number, t, word, size, err));
        if (t->last[number] == i + 1) continue;
        t->last[number] = i + 1;
        add_to_classes(t->counts[number], objects);
    }
    add_to_classes(t->n_captions, objects);
    return LIMN_OK;
}

static float details_of(const word_table *t, const char *caption, limn_object_set objects,
                        float share)
{
    double sum = 0;
    size_t size;
    for (const char *word; (word = next_word(&size, &caption));) {
        uint32_t number = 0;
        double most = 0;
        limn_string_table_find(&number, &t->words, word, size);
        for (size_t c = 0; c < LIMN_N_OBJECTS; c++)
            if (limn_object_set_has(objects, c))
                most = fmax(most, (double)t->counts[number][c] / (double)t->n_captions[c]);
        if (most > 0 && most < (double)share) sum += log((double)share / most);
    }
    return (float)sum;
}

/* Whether `word` [size] is in `words`, each of which has a space at either side. */
static bool is_one_of(const char *words, const char *word, size_t size)
{
    for (const char *at = words; (at = strchr(at, ' ')) && *++at;)
        if (strncmp(at, word, size) == 0 && at[size] == ' ') return true;
    return false;
}

static uint8_t number_of(const char *caption)
{
    static const char many[] =
        " three four five six seven eight nine ten dozen dozens several many "
        "few multiple numerous group groups herd herds flock flocks crowd "
        "crowds ";
    uint8_t number = 1;
    size_t size;
    for (const char *word; (word = next_word(&size, &caption));) {
        if (is_one_of(many, word, size)) return 3;
        if (is_one_of(" two couple pair both ", word, size)) number = 2;
    }
    return number;
}

static limn_status read_captions(limn_pool_caption *out, word_table *t,
                                 const limn_object_lexicon *lexicon, const char *const *captions,
                                 size_t n, float share, limn_error *err)
{
    for (size_t i = 0; i < n; i++) {
        limn_object_mentions m;
        limn_objects_find(&m, lexicon, captions[i]);
        out[i] = (limn_pool_caption){ m.objects, m.names_person, number_of(captions[i]), 0 };
        LIMN_TRY(count_words(t, captions[i], m.objects, (uint32_t)i, err));
    }
    for (size_t i = 0; i < n; i++)
        out[i].details = details_of(t, captions[i], out[i].objects, share);
    return LIMN_OK;
}

limn_status limn_pool_captions_read(limn_pool_caption *out, const char *const *captions, size_t n,
                                    float share, limn_error *err)
{
    limn_object_lexicon *lexicon;
    word_table t = { .counts = NULL };
    limn_status status;
    if (n >= UINT32_MAX) return limn_fail(err, LIMN_E_LIMIT, "%zu captions are too many", n);
    LIMN_TRY(limn_object_lexicon_create(&lexicon, err));
    status = read_captions(out, &t, lexicon, captions, n, share, err);
    finish_table(&t);
    limn_object_lexicon_destroy(&lexicon);
    return status;
}
