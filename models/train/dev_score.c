#include "models/train/dev_score.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/metrics/bleu.h"
#include "common/metrics/cider.h"
#include "common/metrics/diversity.h"
#include "common/text/numbered_words.h"

struct limn_dev_set {
    limn_dev_images images;
    limn_string_table strings;
    limn_numbered_words *references; /* [n_references] */
    limn_ngram_counts *counts;       /* [n_references] */
    size_t n_references;
    limn_cider_df *df;
    char **captions; /* [n_images] */
    limn_caption_tokenizer tokenizer;
};

static limn_sentence sentence_of(const limn_numbered_words *w)
{
    return (limn_sentence){ w->words, w->n_words };
}

/* ---- the set ------------------------------------------------------------------------------- */

static limn_status add_image(limn_dev_set *set, size_t image, limn_error *err)
{
    const limn_dev_images *p = &set->images;
    const size_t first = p->first_references[image], end = p->first_references[image + 1];
    if (first == end)
        return limn_fail(err, LIMN_E_ARG, "development image %zu has no caption", image);
    for (size_t r = first; r < end; r++) {
        LIMN_TRY(
            limn_numbered_words_fill(&set->references[r], &set->strings, p->references[r], err));
        LIMN_TRY(limn_ngram_counts_fill(&set->counts[r], sentence_of(&set->references[r]), err));
    }
    return limn_cider_df_add(set->df, set->counts + first, end - first, err);
}

static limn_status fill(limn_dev_set *set, limn_error *err)
{
    const limn_dev_images *p = &set->images;
    set->n_references = p->n_images ? p->first_references[p->n_images] : 0;
    set->references = limn_calloc(set->n_references, sizeof *set->references);
    set->counts = limn_calloc(set->n_references, sizeof *set->counts);
    set->captions = limn_calloc(p->n_images, sizeof *set->captions);
    if (!set->references || !set->counts || !set->captions)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu references", set->n_references);
    LIMN_TRY(limn_cider_df_create(&set->df, err));
    for (size_t i = 0; i < p->n_images; i++) LIMN_TRY(add_image(set, i, err));
    return LIMN_OK;
}

limn_status limn_dev_set_create(limn_dev_set **out, const limn_dev_images *images, limn_error *err)
{
    limn_dev_set *set = limn_calloc(1, sizeof *set);
    *out = NULL;
    if (!set) return limn_fail(err, LIMN_E_NOMEM, "no memory for development images");
    set->images = *images;
    set->tokenizer.kind = images->kind;
    const limn_status status = fill(set, err);
    if (status != LIMN_OK) limn_dev_set_destroy(&set);
    *out = set;
    return status;
}

void limn_dev_set_destroy(limn_dev_set **p)
{
    limn_dev_set *set = p ? *p : NULL;
    if (!set) return;
    for (size_t i = 0; set->references && i < set->n_references; i++)
        limn_numbered_words_finish(&set->references[i]);
    for (size_t i = 0; set->counts && i < set->n_references; i++)
        limn_ngram_counts_finish(&set->counts[i]);
    for (size_t i = 0; set->captions && i < set->images.n_images; i++) limn_free(set->captions[i]);
    limn_free(set->references);
    limn_free(set->counts);
    limn_free(set->captions);
    limn_cider_df_destroy(&set->df);
    limn_string_table_finish(&set->strings);
    limn_caption_tokenizer_finish(&set->tokenizer);
    limn_free(set);
    *p = NULL;
}

const char *limn_dev_caption(const limn_dev_set *set, size_t image)
{
    return set->captions[image];
}

/* ---- captions ------------------------------------------------------------------------------ */

struct caption_job {
    limn_dev_set *set;
    limn_state **states; /* [n_threads] */
    uint8_t **inputs;    /* [n_threads] of [input_size, input_size, 3] */
    limn_error *errors;  /* [n_threads] */
};

static void caption_image(void *ctx, size_t image, size_t worker)
{
    struct caption_job *j = ctx;
    const limn_image_source *source = &j->set->images.pixels;
    const limn_captions *captions;
    limn_error *err = &j->errors[worker];
    uint8_t *input = j->inputs[worker];
    char **text = &j->set->captions[image];
    limn_free(*text);
    *text = NULL;
    if (err->code != LIMN_OK || (err->code = source->read(source->ctx, image, input, err)) ||
        (err->code = limn_state_caption_input(j->states[worker], "", input, &captions, err)))
        return;
    *text = limn_strdup(captions->items[0].text);
    if (!*text) err->code = limn_fail(err, LIMN_E_NOMEM, "no memory for a caption");
}

static limn_status caption_all(struct caption_job *j, const limn_model *model, limn_pool *pool,
                               limn_error *err)
{
    limn_options options = limn_options_default();
    limn_model_info info;
    limn_model_get_info(model, &info);
    options.guidance = 1; /* scores of all models and stages are compared; and it is faster */
    for (size_t i = 0; i < limn_pool_n_threads(pool); i++) {
        LIMN_TRY(limn_state_create(&j->states[i], model, &options, 1, err));
        j->inputs[i] = limn_alloc_aligned(info.input_bytes, 1);
        if (!j->inputs[i]) return limn_fail(err, LIMN_E_NOMEM, "no memory for an image");
    }
    limn_pool_run(pool, j->set->images.n_images, caption_image, j);
    for (size_t i = 0; i < limn_pool_n_threads(pool); i++)
        if (j->errors[i].code != LIMN_OK)
            return limn_fail(err, j->errors[i].code, "%s", j->errors[i].text);
    return LIMN_OK;
}

static limn_status make_captions(limn_dev_set *set, const limn_model *model, limn_pool *pool,
                                 limn_error *err)
{
    const size_t n = limn_pool_n_threads(pool);
    struct caption_job job = { set, limn_calloc(n, sizeof *job.states),
                               limn_calloc(n, sizeof *job.inputs),
                               limn_calloc(n, sizeof *job.errors) };
    const limn_status status = job.states && job.inputs && job.errors
                                   ? caption_all(&job, model, pool, err)
                                   : limn_fail(err, LIMN_E_NOMEM, "no memory for %zu states", n);
    for (size_t i = 0; job.states && i < n; i++) limn_state_destroy(&job.states[i]);
    for (size_t i = 0; job.inputs && i < n; i++) limn_free(job.inputs[i]);
    limn_free(job.states);
    limn_free(job.inputs);
    limn_free(job.errors);
    return status;
}

/* ---- scores -------------------------------------------------------------------------------- */

/* What scoring adds up, and its scratch memory. */
struct sums {
    limn_bleu_stats bleu;
    double cider, n_bad;
    limn_string_table captions;
    limn_numbered_words words;
    limn_ngram_counts counts;
    limn_cider_scorer scorer;
};

static void add_ending(struct sums *s, const limn_string_table *strings)
{
    if (s->words.n_words > 0) {
        const char *last = limn_string_table_get(strings, s->words.words[s->words.n_words - 1]);
        s->n_bad += limn_is_bad_ending(last, strlen(last));
    }
}

static limn_status score_image(struct sums *s, limn_dev_set *set, size_t image, limn_error *err)
{
    const size_t first = set->images.first_references[image];
    const size_t n = set->images.first_references[image + 1] - first;
    const char *caption = set->captions[image], *tokens;
    uint32_t number;
    double score;
    LIMN_TRY(limn_caption_tokenize(&tokens, &set->tokenizer, caption, strlen(caption), err));
    LIMN_TRY(limn_string_table_add(&number, &s->captions, caption, strlen(caption), err));
    LIMN_TRY(limn_numbered_words_fill(&s->words, &set->strings, tokens, err));
    LIMN_TRY(limn_ngram_counts_fill(&s->counts, sentence_of(&s->words), err));
    const limn_bleu_stats bleu = limn_bleu_count(&s->counts, set->counts + first, n);
    limn_bleu_add(&s->bleu, &bleu);
    LIMN_TRY(limn_cider_score(&score, &s->scorer, set->df, LIMN_CIDER_D, &s->counts,
                              set->counts + first, n, err));
    s->cider += score;
    add_ending(s, &set->strings);
    return LIMN_OK;
}

static limn_status score_all(limn_dev_scores *out, struct sums *s, limn_dev_set *set,
                             limn_error *err)
{
    const double n = (double)set->images.n_images;
    double bleu[LIMN_NGRAM_MAX_ORDER];
    for (size_t i = 0; i < set->images.n_images; i++) LIMN_TRY(score_image(s, set, i, err));
    limn_bleu_score(bleu, &s->bleu);
    *out = (limn_dev_scores){ .bleu_4 = bleu[3],
                              .cider = s->cider / n,
                              .distinct = (double)s->captions.n_strings / n,
                              .bad_endings = s->n_bad / n };
    return LIMN_OK;
}

limn_status limn_dev_score(limn_dev_scores *out, limn_dev_set *set, const char *model_path,
                           limn_pool *pool, limn_error *err)
{
    limn_model *model = NULL;
    struct sums sums = { .n_bad = 0 };
    LIMN_TRY(limn_model_open(&model, model_path, NULL, err));
    limn_status status = make_captions(set, model, pool, err);
    if (status == LIMN_OK) status = score_all(out, &sums, set, err);
    limn_string_table_finish(&sums.captions);
    limn_numbered_words_finish(&sums.words);
    limn_ngram_counts_finish(&sums.counts);
    limn_cider_scorer_finish(&sums.scorer);
    limn_model_close(&model);
    return status;
}
