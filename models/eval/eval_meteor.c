/* METEOR among the metrics: one name in --metrics, two in the output, as it is a different metric
 * without the paraphrase table. */
#include <string.h>

#include "common/base/mem.h"
#include "models/eval/eval.h"

/* As in a row of statistics: the doubles of limn_meteor_stats in their order. */
enum { N_STATS = sizeof(limn_meteor_stats) / sizeof(double) };

typedef struct texts {
    const char **items;
    size_t capacity;
} texts;

static limn_status score_image(double *row, limn_meteor *meteor, texts *refs,
                               const limn_eval_data *data, size_t image, size_t rank,
                               limn_error *err)
{
    const limn_eval_image *m = &data->images[image];
    limn_meteor_stats stats, sum = { 0 };
    if (!limn_grow((void **)&refs->items, &refs->capacity, m->n_refs, sizeof *refs->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu references", m->n_refs);
    for (size_t i = 0; i < m->n_refs; i++) refs->items[i] = data->refs[m->first_ref + i].text;
    LIMN_TRY(limn_meteor_score(&stats, meteor, limn_eval_hyp(data, image, rank)->text, refs->items,
                               m->n_refs, err));
    limn_meteor_stats_add(&sum, &stats); /* what an image adds to a corpus */
    memcpy(row, &sum, sizeof sum);
    return LIMN_OK;
}

static limn_status measure(double *stats, const limn_eval_data *data, size_t rank,
                           const limn_eval_settings *settings, limn_error *err)
{
    limn_meteor *meteor;
    texts refs = { 0 };
    limn_status status;
    LIMN_TRY(limn_meteor_create(&meteor, settings->meteor, err));
    status = LIMN_OK;
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++) {
        status = score_image(stats + i * N_STATS, meteor, &refs, data, i, rank, err);
        if (status != LIMN_OK) limn_error_prefix(err, "%s", data->images[i].id);
    }
    limn_free(refs.items);
    limn_meteor_destroy(&meteor);
    return status;
}

static void score(double *out, const double *stats, size_t n_images,
                  const limn_eval_settings *settings)
{
    limn_meteor_stats s;
    (void)n_images;
    (void)settings;
    memcpy(&s, stats, sizeof s);
    out[0] = limn_meteor_stats_score(&s);
}

static void sign(limn_buffer *out, const limn_eval_settings *settings)
{
    (void)settings;
    limn_buffer_append_text(out, "meteor:1.5,rank,exact,stem,synonym,paraphrase");
}

static void sign_without_paraphrases(limn_buffer *out, const limn_eval_settings *settings)
{
    (void)settings;
    limn_buffer_append_text(out, "meteor:1.5,rank,exact,stem,synonym");
}

const limn_eval_metric limn_eval_meteor = {
    .name = "meteor",
    .keys = { "METEOR" },
    .n_keys = 1,
    .n_stats = N_STATS,
    .measure = measure,
    .score = score,
    .sign = sign,
};

const limn_eval_metric limn_eval_meteor_without_paraphrases = {
    .name = "meteor",
    .keys = { "METEOR (exact,stem,synonym)" },
    .n_keys = 1,
    .n_stats = N_STATS,
    .measure = measure,
    .score = score,
    .sign = sign_without_paraphrases,
};
