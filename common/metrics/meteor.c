#include "common/metrics/meteor.h"

#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/metrics/meteor_align.h"
#include "common/metrics/meteor_normalize.h"
#include "common/metrics/meteor_resource.h"

struct limn_meteor_data {
    limn_string_table function_words;
    limn_meteor_prefixes prefixes;
    limn_meteor_synonyms synonyms;
    limn_meteor_paraphrases paraphrases;
};

struct limn_meteor {
    const limn_meteor_data *data;
    limn_meteor_words words;
    limn_meteor_normalizer normalizer;
    limn_meteor_matches matches;
    limn_meteor_aligner *aligner;
    limn_text text;
    uint32_t hyp[LIMN_METEOR_MAX_WORDS], ref[LIMN_METEOR_MAX_WORDS];
    const limn_meteor_match *chosen[LIMN_METEOR_MAX_WORDS];
};

/* ---- data ----------------------------------------------------------------------------------- */

static limn_status read_function_words(limn_string_table *out, const limn_meteor_resource *r,
                                       limn_error *err)
{
    const char *text = r->bytes, *end = r->bytes + r->size, *line;
    size_t size;
    uint32_t number;
    while ((line = limn_meteor_next_line(&size, &text, end)))
        LIMN_TRY(limn_string_table_add(&number, out, line, size, err));
    return LIMN_OK;
}

static limn_status read_word_lists(limn_meteor_data *d, const limn_meteor_resources *r,
                                   limn_error *err)
{
    LIMN_TRY(read_function_words(&d->function_words, &r->function_words, err));
    LIMN_TRY(limn_meteor_prefixes_parse(&d->prefixes, r->prefixes.bytes, r->prefixes.size, err));
    LIMN_TRY(
        limn_meteor_synonyms_read_synsets(&d->synonyms, r->synsets.bytes, r->synsets.size, err));
    return limn_meteor_synonyms_read_exceptions(&d->synonyms, r->exceptions.bytes,
                                                r->exceptions.size, err);
}

static limn_status read_paraphrases(limn_meteor_data *d, const char *folder, const char *cache,
                                    limn_error *err)
{
    char *table = limn_meteor_path(folder, "data/paraphrase-en.gz");
    limn_status s = LIMN_OK;
    if (!table) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (access(table, F_OK) == 0)
        s = limn_meteor_paraphrases_open(&d->paraphrases, table, cache, err);
    limn_free(table);
    return s;
}

limn_status limn_meteor_data_open(limn_meteor_data **out, const char *folder, const char *cache,
                                  limn_error *err)
{
    limn_meteor_resources resources = { 0 };
    limn_meteor_data *d = limn_calloc(1, sizeof *d);
    limn_status s;
    *out = d;
    if (!d) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    s = limn_meteor_resources_read(&resources, folder, err);
    if (s == LIMN_OK && (s = read_word_lists(d, &resources, err)) != LIMN_OK)
        limn_error_prefix(err, "%s", folder);
    if (s == LIMN_OK) s = read_paraphrases(d, folder, cache, err);
    limn_meteor_resources_finish(&resources);
    if (s != LIMN_OK) limn_meteor_data_close(out);
    return s;
}

void limn_meteor_data_close(limn_meteor_data **data)
{
    limn_meteor_data *d = data ? *data : NULL;
    if (!d) return;
    limn_string_table_finish(&d->function_words);
    limn_meteor_prefixes_finish(&d->prefixes);
    limn_meteor_synonyms_finish(&d->synonyms);
    limn_meteor_paraphrases_finish(&d->paraphrases);
    limn_free(d);
    *data = NULL;
}

bool limn_meteor_data_has_paraphrases(const limn_meteor_data *data)
{
    return data->paraphrases.n_slots > 0;
}

/* ---- scoring -------------------------------------------------------------------------------- */

limn_status limn_meteor_create(limn_meteor **out, const limn_meteor_data *data, limn_error *err)
{
    limn_meteor *m = limn_calloc(1, sizeof *m);
    limn_status s;
    *out = m;
    if (!m) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    m->data = data;
    s = limn_meteor_words_init(&m->words, &data->function_words, &data->synonyms,
                               &data->paraphrases, err);
    if (s == LIMN_OK) s = limn_meteor_aligner_create(&m->aligner, err);
    if (s != LIMN_OK) limn_meteor_destroy(out);
    return s;
}

void limn_meteor_destroy(limn_meteor **meteor)
{
    limn_meteor *m = meteor ? *meteor : NULL;
    if (!m) return;
    limn_meteor_words_finish(&m->words);
    limn_meteor_normalizer_finish(&m->normalizer);
    limn_meteor_matches_finish(&m->matches);
    limn_meteor_aligner_destroy(&m->aligner);
    limn_text_finish(&m->text);
    limn_free(m);
    *meteor = NULL;
}

static limn_status read_sentence(limn_meteor_sentence *out, uint32_t words[LIMN_METEOR_MAX_WORDS],
                                 limn_meteor *m, const char *caption, limn_error *err)
{
    *out = (limn_meteor_sentence){ words, 0 };
    limn_text_clear(&m->text);
    LIMN_TRY(limn_meteor_normalize(&m->text, &m->normalizer, &m->data->prefixes, caption,
                                   strlen(caption), err));
    const char *text = m->text.bytes, *end = text + m->text.size, *word;
    size_t size;
    while ((word = limn_meteor_next_word(&size, &text, end))) {
        if (out->n_words == LIMN_METEOR_MAX_WORDS)
            return limn_fail(err, LIMN_E_LIMIT, "caption: has more than %d words",
                             LIMN_METEOR_MAX_WORDS);
        LIMN_TRY(limn_meteor_words_add(&words[out->n_words++], &m->words, word, size, err));
    }
    return LIMN_OK;
}

static void count_words(limn_meteor_side *side, const limn_meteor_words *w, limn_meteor_sentence s)
{
    side->n_words = (double)s.n_words;
    for (size_t i = 0; i < s.n_words; i++)
        side->n_function_words += w->words[s.words[i]].is_function;
}

static void count_matched(limn_meteor_side *side, const limn_meteor_words *w,
                          limn_meteor_sentence s, size_t start, size_t length,
                          limn_meteor_module module)
{
    for (size_t i = start; i < start + length; i++)
        if (w->words[s.words[i]].is_function)
            side->function[module]++;
        else
            side->content[module]++;
}

/* A chunk is a run of matches that follow each other on both sides. */
static void count_matches(limn_meteor_stats *out, const limn_meteor *m, limn_meteor_sentence hyp,
                          limn_meteor_sentence ref)
{
    size_t ref_end = SIZE_MAX, hyp_end = SIZE_MAX;
    for (size_t i = 0; i < ref.n_words; i++) {
        const limn_meteor_match *match = m->chosen[i];
        if (!match) continue;
        count_matched(&out->hyp, &m->words, hyp, match->hyp_start, match->hyp_length,
                      match->module);
        count_matched(&out->ref, &m->words, ref, match->start, match->length, match->module);
        out->n_chunks += match->start != ref_end || match->hyp_start != hyp_end;
        ref_end = (size_t)match->start + match->length;
        hyp_end = (size_t)match->hyp_start + match->hyp_length;
    }
}

static limn_status score_reference(limn_meteor_stats *out, limn_meteor *m, limn_meteor_sentence hyp,
                                   const char *reference, limn_error *err)
{
    limn_meteor_sentence ref;
    *out = (limn_meteor_stats){ 0 };
    LIMN_TRY(read_sentence(&ref, m->ref, m, reference, err));
    LIMN_TRY(limn_meteor_match_words(&m->matches, &m->words, hyp, ref, err));
    LIMN_TRY(limn_meteor_align(m->chosen, m->aligner, &m->matches, hyp.n_words, ref.n_words, err));
    count_words(&out->hyp, &m->words, hyp);
    count_words(&out->ref, &m->words, ref);
    count_matches(out, m, hyp, ref);
    return LIMN_OK;
}

limn_status limn_meteor_score(limn_meteor_stats *best, limn_meteor *m, const char *hyp_text,
                              const char *const *refs, size_t n_refs, limn_error *err)
{
    limn_meteor_sentence hyp;
    double best_score = -1.0;
    if (n_refs == 0) return limn_fail(err, LIMN_E_ARG, "METEOR: no reference");
    LIMN_TRY(read_sentence(&hyp, m->hyp, m, hyp_text, err));
    for (size_t i = 0; i < n_refs; i++) {
        limn_meteor_stats stats;
        LIMN_TRY(score_reference(&stats, m, hyp, refs[i], err));
        const double score = limn_meteor_stats_score(&stats);
        if (score > best_score) {
            best_score = score;
            *best = stats;
        }
    }
    return LIMN_OK;
}
