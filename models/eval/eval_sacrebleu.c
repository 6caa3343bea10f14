/* sacreBLEU among the metrics: it has its own tokenizer and output format. */
#include <string.h>

#include "common/base/mem.h"
#include "models/eval/eval.h"

/* The captions in sacreBLEU's tokens, while an image is counted. */
typedef struct scratch {
    limn_eval_tokenizer tokenizer;
    limn_string_table strings;
    uint32_t *words; /* [capacity] of one caption */
    size_t capacity;
    limn_ngram_counts hyp;
    limn_ngram_counts *refs; /* [refs_capacity] */
    size_t refs_capacity;
} scratch;

static void finish(scratch *s)
{
    limn_eval_tokenizer_finish(&s->tokenizer);
    limn_string_table_finish(&s->strings);
    limn_ngram_counts_finish(&s->hyp);
    for (size_t i = 0; i < s->refs_capacity; i++) limn_ngram_counts_finish(&s->refs[i]);
    limn_free(s->refs);
    limn_free(s->words);
}

static limn_status make_room(scratch *s, size_t n_refs, limn_error *err)
{
    const size_t n_old = s->refs_capacity;
    if (!limn_grow((void **)&s->refs, &s->refs_capacity, n_refs, sizeof *s->refs))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu references", n_refs);
    memset(s->refs + n_old, 0, (s->refs_capacity - n_old) * sizeof *s->refs);
    return LIMN_OK;
}

static limn_status count(limn_ngram_counts *out, scratch *s, const char *caption, limn_error *err)
{
    const char *tokens;
    size_t n = 0;
    LIMN_TRY(s->tokenizer.kind->run(&tokens, &s->tokenizer, caption, strlen(caption), err));
    while (*tokens) {
        const size_t size = strcspn(tokens, " ");
        if (!limn_grow((void **)&s->words, &s->capacity, n + 1, sizeof *s->words))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for a caption");
        LIMN_TRY(limn_string_table_add(&s->words[n++], &s->strings, tokens, size, err));
        tokens += size + (tokens[size] == ' ');
    }
    return limn_ngram_counts_fill(out, (limn_sentence){ s->words, n }, err);
}

static limn_status count_image(double *row, scratch *s, const limn_eval_data *data, size_t image,
                               size_t rank, limn_error *err)
{
    const limn_eval_image *m = &data->images[image];
    LIMN_TRY(make_room(s, m->n_refs, err));
    LIMN_TRY(count(&s->hyp, s, limn_eval_hyp(data, image, rank)->raw, err));
    for (size_t i = 0; i < m->n_refs; i++)
        LIMN_TRY(count(&s->refs[i], s, data->refs[m->first_ref + i].raw, err));
    const limn_bleu_stats stats = limn_bleu_count(&s->hyp, s->refs, m->n_refs);
    memcpy(row, &stats, sizeof stats);
    return LIMN_OK;
}

static limn_status measure(double *stats, const limn_eval_data *data, size_t rank,
                           const limn_eval_settings *settings, limn_error *err)
{
    scratch s = { .tokenizer = { .kind = limn_eval_find_tokenizer(settings->sacrebleu.tokenizer),
                                 .is_lower_case = settings->sacrebleu.is_lower_case } };
    limn_status status = LIMN_OK;
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++)
        status = count_image(stats + i * LIMN_BLEU_N_STATS, &s, data, i, rank, err);
    finish(&s);
    return status;
}

static limn_sacrebleu score_stats(const double *stats, const limn_eval_settings *settings)
{
    limn_bleu_stats s;
    memcpy(&s, stats, sizeof s);
    return limn_sacrebleu_score(&s, &settings->sacrebleu);
}

static void score(double *out, const double *stats, size_t n_images,
                  const limn_eval_settings *settings)
{
    (void)n_images;
    out[0] = score_stats(stats, settings).score / 100.0;
}

static void sign(limn_buffer *out, const limn_eval_settings *settings)
{
    limn_buffer own = { 0 };
    limn_sacrebleu_sign(&own, &settings->sacrebleu, 0);
    limn_buffer_append_text(out, "sacrebleu:");
    for (const char *c = own.bytes ? strchr(own.bytes, '|') : NULL; c && *++c;)
        limn_buffer_append(out, *c == '|' ? "," : c, 1);
    limn_buffer_finish(&own);
}

/* How many references each image has; 0 when the numbers differ. */
static size_t n_refs_of_all(const limn_eval_data *data)
{
    for (size_t i = 1; i < data->n_images; i++)
        if (data->images[i].n_refs != data->images[0].n_refs) return 0;
    return data->images[0].n_refs;
}

static void print(limn_buffer *out, const double *stats, const limn_eval_data *data,
                  const limn_eval_settings *settings)
{
    const limn_sacrebleu s = score_stats(stats, settings);
    limn_sacrebleu_print(out, &s);
    limn_buffer_append_text(out, "\nsacreBLEU signature: ");
    limn_sacrebleu_sign(out, &settings->sacrebleu, n_refs_of_all(data));
    limn_buffer_append_text(out, "\n");
}

const limn_eval_metric limn_eval_sacrebleu = {
    .name = "sacrebleu",
    .keys = { "sacreBLEU" },
    .n_keys = 1,
    .n_stats = LIMN_BLEU_N_STATS,
    .measure = measure,
    .score = score,
    .sign = sign,
    .print = print,
};
