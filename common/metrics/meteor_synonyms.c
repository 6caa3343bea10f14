#include "common/metrics/meteor_synonyms.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/metrics/meteor_resource.h"

static limn_status push(limn_id_list *list, uint32_t id, limn_error *err)
{
    if (!limn_grow((void **)&list->items, &list->capacity, list->n_items + 1, sizeof id))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    list->items[list->n_items++] = id;
    return LIMN_OK;
}

/* ---- reading -------------------------------------------------------------------------------- */

static limn_status parse_id(uint32_t *id, const char *digits, size_t size, limn_error *err)
{
    *id = 0;
    for (size_t i = 0; i < size; i++) {
        if (digits[i] < '0' || digits[i] > '9' || *id > (UINT32_MAX - 9) / 10)
            return limn_fail(err, LIMN_E_FORMAT, "synsets: \"%.*s\" is not a synset number",
                             (int)(size < 40 ? size : 40), digits);
        *id = *id * 10 + (uint32_t)(digits[i] - '0');
    }
    return LIMN_OK;
}

static limn_status read_word(limn_meteor_synonyms *s, const char *word, size_t word_size,
                             const char *ids, const char *ids_end, limn_error *err)
{
    uint32_t number, id;
    size_t size;
    const char *digits;
    LIMN_TRY(limn_string_table_add(&number, &s->words, word, word_size, err));
    if (!limn_grow((void **)&s->ranges, &s->ranges_capacity, s->words.n_strings, sizeof *s->ranges))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    s->ranges[number].begin = s->synsets.n_items;
    while ((digits = limn_meteor_next_word(&size, &ids, ids_end))) {
        LIMN_TRY(parse_id(&id, digits, size, err));
        LIMN_TRY(push(&s->synsets, id, err));
    }
    s->ranges[number].end = s->synsets.n_items;
    return LIMN_OK;
}

limn_status limn_meteor_synonyms_read_synsets(limn_meteor_synonyms *s, const char *text,
                                              size_t size, limn_error *err)
{
    const char *end = text + size, *word, *ids;
    size_t word_size, ids_size;
    while ((word = limn_meteor_next_line(&word_size, &text, end))) {
        ids = limn_meteor_next_line(&ids_size, &text, end);
        if (!ids) return limn_fail(err, LIMN_E_FORMAT, "synsets: the last word has no second line");
        LIMN_TRY(read_word(s, word, word_size, ids, ids + ids_size, err));
    }
    return LIMN_OK;
}

static limn_status read_base(limn_meteor_synonyms *s, const char *base, size_t base_size,
                             const char *forms, const char *forms_end, limn_error *err)
{
    uint32_t base_number, form_number;
    const char *form;
    size_t size;
    LIMN_TRY(limn_string_table_add(&base_number, &s->bases, base, base_size, err));
    while ((form = limn_meteor_next_word(&size, &forms, forms_end))) {
        LIMN_TRY(limn_string_table_add(&form_number, &s->forms, form, size, err));
        LIMN_TRY(push(&s->form_of, form_number, err));
        LIMN_TRY(push(&s->base_of, base_number, err));
    }
    return LIMN_OK;
}

limn_status limn_meteor_synonyms_read_exceptions(limn_meteor_synonyms *s, const char *text,
                                                 size_t size, limn_error *err)
{
    const char *end = text + size, *base, *forms;
    size_t base_size, forms_size;
    while ((base = limn_meteor_next_line(&base_size, &text, end))) {
        forms = limn_meteor_next_line(&forms_size, &text, end);
        if (!forms)
            return limn_fail(err, LIMN_E_FORMAT, "exceptions: the last word has no second line");
        LIMN_TRY(read_base(s, base, base_size, forms, forms + forms_size, err));
    }
    return LIMN_OK;
}

void limn_meteor_synonyms_finish(limn_meteor_synonyms *s)
{
    limn_string_table_finish(&s->words);
    limn_string_table_finish(&s->forms);
    limn_string_table_finish(&s->bases);
    limn_free(s->ranges);
    limn_free(s->synsets.items);
    limn_free(s->form_of.items);
    limn_free(s->base_of.items);
    *s = (limn_meteor_synonyms){ 0 };
}

/* ---- looking up ----------------------------------------------------------------------------- */

static limn_status append_of_string(limn_id_list *out, const limn_meteor_synonyms *s,
                                    const char *word, size_t size, limn_error *err)
{
    uint32_t number;
    if (!limn_string_table_find(&number, &s->words, word, size)) return LIMN_OK;
    for (size_t i = s->ranges[number].begin; i < s->ranges[number].end; i++)
        LIMN_TRY(push(out, s->synsets.items[i], err));
    return LIMN_OK;
}

static bool ends_with(const char *word, size_t size, const char *ending)
{
    const size_t ending_size = strlen(ending);
    return size >= ending_size && memcmp(word + size - ending_size, ending, ending_size) == 0;
}

/* Endings are tried in this order; the first that leaves a word of WordNet counts. */
static limn_status append_without_ending(limn_id_list *out, const limn_meteor_synonyms *s,
                                         const char *word, size_t size, limn_error *err)
{
    static const char *const endings[][2] = {
        { "s", "" },      { "ses", "s" },   { "xes", "x" }, { "zes", "z" }, { "ches", "ch" },
        { "shes", "sh" }, { "men", "man" }, { "ies", "y" }, { "es", "e" },  { "es", "" },
        { "ed", "e" },    { "ed", "" },     { "ing", "e" }, { "ing", "" },  { "er", "" },
        { "est", "" },    { "er", "e" },    { "est", "e" },
    };
    char base[256];
    uint32_t number;
    if (size <= 2 || size >= sizeof base || ends_with(word, size, "ss")) return LIMN_OK;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (!ends_with(word, size, endings[i][0])) continue;
        const size_t stem_size = size - strlen(endings[i][0]), rest = strlen(endings[i][1]);
        memcpy(base, word, stem_size);
        memcpy(base + stem_size, endings[i][1], rest);
        if (limn_string_table_find(&number, &s->words, base, stem_size + rest))
            return append_of_string(out, s, base, stem_size + rest, err);
    }
    return LIMN_OK;
}

static limn_status append_of_bases(limn_id_list *out, const limn_meteor_synonyms *s, uint32_t form,
                                   limn_error *err)
{
    for (size_t i = 0; i < s->form_of.n_items; i++)
        if (s->form_of.items[i] == form) {
            const char *base = limn_string_table_get(&s->bases, s->base_of.items[i]);
            LIMN_TRY(append_of_string(out, s, base, strlen(base), err));
        }
    return LIMN_OK;
}

static int compare_ids(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sort_and_unite(limn_id_list *list, size_t begin)
{
    size_t kept = begin;
    if (list->n_items == begin) return;
    qsort(list->items + begin, list->n_items - begin, sizeof *list->items, compare_ids);
    for (size_t i = begin; i < list->n_items; i++)
        if (i == begin || list->items[i] != list->items[kept - 1])
            list->items[kept++] = list->items[i];
    list->n_items = kept;
}

limn_status limn_meteor_synonyms_append(limn_id_list *out, const limn_meteor_synonyms *s,
                                        const char *word, size_t size, limn_error *err)
{
    const size_t begin = out->n_items;
    uint32_t form;
    LIMN_TRY(append_of_string(out, s, word, size, err));
    if (limn_string_table_find(&form, &s->forms, word, size))
        LIMN_TRY(append_of_bases(out, s, form, err));
    else
        LIMN_TRY(append_without_ending(out, s, word, size, err));
    sort_and_unite(out, begin);
    return LIMN_OK;
}
