#include "models/eval/eval_diversity.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/metrics/diversity.h"
#include "models/eval/eval_df.h"

/* The caption that most images have. */
static limn_status measure_most(limn_eval_diversity *out, const limn_eval_data *data,
                                const limn_string_table *captions, limn_error *err)
{
    size_t *counts = limn_calloc(captions->n_strings, sizeof *counts);
    if (!counts) return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    for (size_t pass = 0; pass < 2; pass++) /* count, then find the first with the maximum */
        for (size_t i = 0; i < data->n_images; i++) {
            const char *text = limn_eval_hyp(data, i, 0)->text;
            uint32_t number = 0;
            limn_string_table_find(&number, captions, text, strlen(text));
            if (pass == 0) {
                counts[number]++;
            } else if (counts[number] > out->n_most) {
                out->n_most = counts[number];
                out->most = text;
            }
        }
    limn_free(counts);
    return LIMN_OK;
}

/* Different captions, bad endings, lengths. */
static limn_status measure_best(limn_eval_diversity *out, const limn_eval_data *data,
                                limn_string_table *captions, limn_error *err)
{
    double n_words = 0, n_bad = 0;
    for (size_t i = 0; i < data->n_images; i++) {
        const limn_eval_caption *hyp = limn_eval_hyp(data, i, 0);
        uint32_t number;
        LIMN_TRY(limn_string_table_add(&number, captions, hyp->text, strlen(hyp->text), err));
        n_words += (double)hyp->words.n_words;
        if (hyp->words.n_words > 0) {
            const uint32_t last = hyp->words.words[hyp->words.n_words - 1];
            const char *word = limn_string_table_get(&data->strings, last);
            n_bad += limn_is_bad_ending(word, strlen(word));
        }
    }
    out->n_distinct = captions->n_strings;
    out->mean_length = n_words / (double)data->n_images;
    out->bad_endings = n_bad / (double)data->n_images;
    return LIMN_OK;
}

static limn_status measure_div(limn_eval_diversity *out, const limn_eval_data *data,
                               limn_error *err)
{
    limn_sentence *best = limn_alloc(data->n_images, sizeof *best);
    double div[2], n_words = 0;
    limn_status status;
    if (!best)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu captions", data->n_images);
    for (size_t i = 0; i < data->n_images; i++) {
        best[i] = limn_eval_hyp(data, i, 0)->words;
        n_words += (double)best[i].n_words;
    }
    status = limn_div_n(div, best, data->n_images, err);
    out->div_1 = div[0];
    out->div_2 = div[1];
    out->n_vocabulary = (size_t)(div[0] * n_words + 0.5);
    limn_free(best);
    return status;
}

/* The share of best captions that are among the training captions. */
static limn_status measure_seen(limn_eval_diversity *out, const limn_eval_data *data,
                                const limn_string_table *captions,
                                const limn_caption_file *training, limn_error *err)
{
    limn_eval_tokenizer tokenizer = { .kind = data->tokenizer };
    bool *is_seen = limn_calloc(captions->n_strings, sizeof *is_seen);
    limn_status status = LIMN_OK;
    size_t n_seen = 0;
    if (!is_seen) return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    for (size_t i = 0; status == LIMN_OK && i < training->n_records; i++) {
        const char *caption = training->records[i].caption, *text;
        uint32_t number;
        if (!caption) continue;
        status = tokenizer.kind->run(&text, &tokenizer, caption, strlen(caption), err);
        if (status == LIMN_OK && limn_string_table_find(&number, captions, text, strlen(text)))
            is_seen[number] = true;
    }
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++) {
        const char *text = limn_eval_hyp(data, i, 0)->text;
        uint32_t number;
        n_seen += limn_string_table_find(&number, captions, text, strlen(text)) && is_seen[number];
    }
    out->seen = (double)n_seen / (double)data->n_images;
    limn_eval_tokenizer_finish(&tokenizer);
    limn_free(is_seen);
    return status;
}

/* Adds one image's n-best list to the sums. */
static limn_status add_list(limn_eval_diversity *out, limn_ngram_counts_list *counts,
                            const limn_eval_data *data, const limn_eval_image *image,
                            const limn_cider_df *df, limn_error *err)
{
    limn_sentence sentences[LIMN_SELF_CIDER_MAX];
    const size_t n = image->n_hyps < LIMN_SELF_CIDER_MAX ? image->n_hyps : LIMN_SELF_CIDER_MAX;
    double div[2], self_cider;
    for (size_t i = 0; i < n; i++) sentences[i] = data->hyps[image->first_hyp + i].words;
    LIMN_TRY(limn_div_n(div, sentences, n, err));
    LIMN_TRY(limn_ngram_counts_list_fill(counts, sentences, n, err));
    LIMN_TRY(limn_self_cider(&self_cider, df, counts->items, n, err));
    out->list_div_1 += div[0];
    out->list_div_2 += div[1];
    out->self_cider += self_cider;
    out->n_lists++;
    return LIMN_OK;
}

static limn_status measure_lists(limn_eval_diversity *out, const limn_eval_data *data,
                                 const limn_eval_settings *settings, limn_error *err)
{
    limn_cider_df *df;
    limn_ngram_counts_list counts = { 0 };
    limn_status status = LIMN_OK;
    LIMN_TRY(limn_eval_df_create(&df, data, settings, err));
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++)
        if (data->images[i].n_hyps > 1)
            status = add_list(out, &counts, data, &data->images[i], df, err);
    if (out->n_lists > 0) {
        out->list_div_1 /= (double)out->n_lists;
        out->list_div_2 /= (double)out->n_lists;
        out->self_cider /= (double)out->n_lists;
    }
    limn_ngram_counts_list_finish(&counts);
    limn_cider_df_destroy(&df);
    return status;
}

limn_status limn_eval_diversity_measure(limn_eval_diversity *out, const limn_eval_data *data,
                                        const limn_caption_file *training,
                                        const limn_eval_settings *settings, limn_error *err)
{
    limn_string_table captions = { 0 };
    limn_status status;
    *out = (limn_eval_diversity){ .seen = -1 };
    status = measure_best(out, data, &captions, err);
    if (status == LIMN_OK) status = measure_most(out, data, &captions, err);
    if (status == LIMN_OK) status = measure_div(out, data, err);
    if (status == LIMN_OK && training) status = measure_seen(out, data, &captions, training, err);
    if (status == LIMN_OK && data->n_hyps > data->n_images)
        status = measure_lists(out, data, settings, err);
    limn_string_table_finish(&captions);
    return status;
}
