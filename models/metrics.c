#include "models/metrics.h"

#include <string.h>

#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "common/base/status.h"
#include "common/metrics/bleu.h"
#include "common/metrics/bootstrap.h"
#include "common/metrics/corpus_scores.h"
#include "common/metrics/meteor.h"
#include "common/metrics/rouge.h"
#include "common/metrics/sacrebleu.h"
#include "common/text/mteval.h"
#include "common/text/ptb_tokenizer.h"
#include "common/text/string_table.h"
#include "common/text/utf8.h"
#include "models/metrics_choice.h"

enum {
    MAX_TRIALS = 1000000,
    ALL_BLEU = 1 << LIMN_METRIC_BLEU_1 | 1 << LIMN_METRIC_BLEU_2 | 1 << LIMN_METRIC_BLEU_3 |
               1 << LIMN_METRIC_BLEU_4
};

/* A caption or reference as numbers of words, in limn_metrics.numbers. */
typedef struct numbered {
    size_t first, n;
} numbered;

/* What is known of an image: statistics that add up, and the sentences that BLEU and CIDEr-D will
 * count once all references are there. */
typedef struct image_stats {
    limn_bleu_stats sacrebleu;
    limn_meteor_stats meteor;
    double rouge;
    size_t first_sentence, n_refs; /* in `sentences`: the caption, then its references */
} image_stats;

struct limn_metrics {
    limn_meteor_data *meteor_data; /* this and the next: NULL without METEOR */
    limn_meteor *meteor;
    limn_ptb ptb;
    limn_mteval mteval;
    limn_string_table strings;
    limn_rouge rouge;
    limn_ngram_counts hyp; /* this and the next: of one image, for sacreBLEU */
    limn_ngram_counts_list refs;
    limn_metric_set set; /* the metrics that can be asked for */
    image_stats *images; /* [n_images] */
    size_t n_images, images_capacity;
    limn_bleu_stats *bleu; /* this and the next: [n_scored], 0 until a score is asked for; NULL */
    double *cider;         /* if it is not in the set */
    size_t n_scored;
    numbered *sentences; /* [n_sentences] words split at white space, of all images */
    size_t n_sentences, sentences_capacity;
    uint32_t *numbers; /* [n_numbers] what sentences are made of */
    size_t n_numbers, numbers_capacity;
    limn_sentence *views; /* [views_capacity] of one image's sentences */
    size_t views_capacity;
    char **texts; /* [texts_capacity] tokens of one image's sentences, for METEOR */
    size_t texts_capacity;
};

static bool has(const limn_metrics *m, limn_metric metric)
{
    return m->set >> metric & 1;
}

static limn_status no_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory for metrics");
}

static void forget_scores(limn_metrics *m)
{
    limn_free(m->bleu);
    limn_free(m->cider);
    m->bleu = NULL;
    m->cider = NULL;
    m->n_scored = 0;
}

/* ---- creating ----------------------------------------------------------------------------- */

limn_status limn_metrics_create(limn_metrics **out, const char *meteor_folder, limn_error *err)
{
    const limn_metric_set set = LIMN_ALL_METRICS & ~(meteor_folder ? 0 : 1u << LIMN_METRIC_METEOR);
    return limn_metrics_create_for(out, set, meteor_folder, err);
}

static limn_status open_meteor(limn_metrics *m, const char *folder, limn_error *err)
{
    if (!folder) return limn_fail(err, LIMN_E_ARG, "METEOR: no folder with its data");
    LIMN_TRY(limn_meteor_data_open(&m->meteor_data, folder, NULL, err));
    return limn_meteor_create(&m->meteor, m->meteor_data, err);
}

limn_status limn_metrics_create_for(limn_metrics **out, limn_metric_set set,
                                    const char *meteor_folder, limn_error *err)
{
    limn_status s = LIMN_OK;
    if (!out) return limn_fail(err, LIMN_E_ARG, "out: NULL");
    *out = NULL;
    if (set & ~(limn_metric_set)LIMN_ALL_METRICS)
        return limn_fail(err, LIMN_E_ARG, "metrics: the set 0x%x has unknown bits", (unsigned)set);
    limn_metrics *m = limn_calloc(1, sizeof *m);
    if (!m) return no_memory(err);
    m->set = set;
    if (has(m, LIMN_METRIC_METEOR)) s = open_meteor(m, meteor_folder, err);
    if (s != LIMN_OK) limn_metrics_destroy(&m);
    *out = m;
    return s;
}

void limn_metrics_destroy(limn_metrics **metrics)
{
    limn_metrics *m = metrics ? *metrics : NULL;
    if (!m) return;
    for (size_t i = 0; i < m->texts_capacity; i++) limn_free(m->texts[i]);
    limn_free(m->texts);
    limn_free(m->views);
    limn_free(m->numbers);
    limn_free(m->sentences);
    limn_free(m->images);
    forget_scores(m);
    limn_ngram_counts_list_finish(&m->refs);
    limn_ngram_counts_finish(&m->hyp);
    limn_rouge_finish(&m->rouge);
    limn_string_table_finish(&m->strings);
    limn_mteval_finish(&m->mteval);
    limn_ptb_finish(&m->ptb);
    limn_meteor_destroy(&m->meteor);
    limn_meteor_data_close(&m->meteor_data);
    limn_free(m);
    *metrics = NULL;
}

/* ---- words -------------------------------------------------------------------------------- */

static limn_status add_number(limn_metrics *m, const char *word, size_t size, limn_error *err)
{
    uint32_t number;
    LIMN_TRY(limn_string_table_add(&number, &m->strings, word, size, err));
    if (!limn_grow((void **)&m->numbers, &m->numbers_capacity, m->n_numbers + 1,
                   sizeof *m->numbers))
        return no_memory(err);
    m->numbers[m->n_numbers++] = number;
    return LIMN_OK;
}

/* How a text is split into words. */
typedef enum split { AT_WHITE_SPACE, AT_SINGLE_SPACES } split;

/* Whether both give the same words: printable ASCII with single spaces between. */
static bool is_plain(const char *text)
{
    if (!*text || *text == ' ') return false;
    for (; *text; text++)
        if (*text < ' ' || *text > '~' || (*text == ' ' && (text[1] == ' ' || !text[1])))
            return false;
    return true;
}

static limn_status add_words(limn_metrics *m, const char *text, split how, limn_error *err)
{
    size_t left = strlen(text), size;
    const char *word;
    if (how == AT_WHITE_SPACE && !is_plain(text)) {
        while ((word = limn_utf8_next_word(&size, &text, &left)))
            LIMN_TRY(add_number(m, word, size, err));
        return LIMN_OK;
    }
    for (word = text; word; word = word[size] ? word + size + 1 : NULL) {
        size = strcspn(word, " ");
        LIMN_TRY(add_number(m, word, size, err));
    }
    return LIMN_OK;
}

static limn_status add_sentence(limn_metrics *m, const char *text, split how, limn_error *err)
{
    const size_t first = m->n_numbers;
    if (!limn_grow((void **)&m->sentences, &m->sentences_capacity, m->n_sentences + 1,
                   sizeof *m->sentences))
        return no_memory(err);
    LIMN_TRY(add_words(m, text, how, err));
    m->sentences[m->n_sentences++] = (numbered){ first, m->n_numbers - first };
    return LIMN_OK;
}

/* Sentences from `first` on, as the metrics take them; valid until words are added. */
static limn_status view(limn_metrics *m, size_t first, size_t n, limn_error *err)
{
    if (!limn_grow((void **)&m->views, &m->views_capacity, n, sizeof *m->views))
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        const numbered *s = &m->sentences[first + i];
        m->views[i] = (limn_sentence){ m->numbers + s->first, s->n };
    }
    return LIMN_OK;
}

/* Counts n-grams of a caption and of its n_refs references, which follow it, for sacreBLEU. */
static limn_status count(limn_metrics *m, size_t first, size_t n_refs, limn_error *err)
{
    LIMN_TRY(view(m, first, 1 + n_refs, err));
    LIMN_TRY(limn_ngram_counts_fill(&m->hyp, m->views[0], err));
    return limn_ngram_counts_list_fill(&m->refs, m->views + 1, n_refs, err);
}

/* Drops temporary sentences. */
static void forget(limn_metrics *m, size_t n_sentences, size_t n_numbers)
{
    m->n_sentences = n_sentences;
    m->n_numbers = n_numbers;
}

/* ---- adding ------------------------------------------------------------------------------- */

static limn_status keep_text(limn_metrics *m, size_t i, const char *text, limn_error *err)
{
    limn_free(m->texts[i]);
    m->texts[i] = limn_strdup(text);
    return m->texts[i] ? LIMN_OK : no_memory(err);
}

/* Whether captions are raw text or already tokenized. */
typedef enum text_kind { AS_WRITTEN, TOKENS } text_kind;

/* *tokens of a text, valid until the next. */
static limn_status tokens_of(limn_metrics *m, const char *text, text_kind kind, const char **tokens,
                             limn_error *err)
{
    const size_t size = strlen(text);
    if (kind == AS_WRITTEN)
        return limn_ptb_tokenize(tokens, &m->ptb, text, size, LIMN_PTB_DROP_PUNCTUATION, err);
    const size_t valid = limn_utf8_valid_size(text, size);
    if (valid < size) return limn_fail(err, LIMN_E_FORMAT, "byte %zu is not UTF-8", valid + 1);
    *tokens = text;
    return LIMN_OK;
}

/* Tokens of the caption and its references into m->texts [1 + n_refs]. */
static limn_status tokenize_all(limn_metrics *m, const char *caption, const char *const *refs,
                                size_t n_refs, text_kind kind, limn_error *err)
{
    const size_t before = m->texts_capacity;
    if (!limn_grow((void **)&m->texts, &m->texts_capacity, 1 + n_refs, sizeof *m->texts))
        return no_memory(err);
    memset(m->texts + before, 0, (m->texts_capacity - before) * sizeof *m->texts);
    for (size_t i = 0; i < 1 + n_refs; i++) {
        const char *text = i ? refs[i - 1] : caption, *tokens;
        if (!text) return limn_fail(err, LIMN_E_ARG, "reference %zu: NULL", i - 1);
        LIMN_TRY(tokens_of(m, text, kind, &tokens, err));
        LIMN_TRY(keep_text(m, i, tokens, err));
    }
    return LIMN_OK;
}

static limn_status add_all(limn_metrics *m, size_t n, split how, limn_error *err)
{
    for (size_t i = 0; i < n; i++) LIMN_TRY(add_sentence(m, m->texts[i], how, err));
    return LIMN_OK;
}

/* ROUGE-L of sentences from `first` on: the caption and its references. */
static limn_status rouge_of(limn_metrics *m, image_stats *out, size_t first, limn_error *err)
{
    LIMN_TRY(view(m, first, 1 + out->n_refs, err));
    return limn_rouge_l(&out->rouge, &m->rouge, m->views[0], m->views + 1, out->n_refs, err);
}

static limn_status measure_rouge(limn_metrics *m, image_stats *out, limn_error *err)
{
    const size_t first = m->n_sentences, n_numbers = m->n_numbers, n = 1 + out->n_refs;
    bool are_plain = true;
    for (size_t i = 0; i < n; i++) are_plain = are_plain && is_plain(m->texts[i]);
    if (are_plain) return rouge_of(m, out, out->first_sentence, err);
    limn_status s = add_all(m, n, AT_SINGLE_SPACES, err);
    if (s == LIMN_OK) s = rouge_of(m, out, first, err);
    forget(m, first, n_numbers);
    return s;
}

static limn_status add_mteval(limn_metrics *m, const char *text, limn_error *err)
{
    const char *tokens;
    LIMN_TRY(
        limn_mteval_tokenize(&tokens, &m->mteval, LIMN_MTEVAL_13A, false, text, strlen(text), err));
    return add_sentence(m, tokens, AT_WHITE_SPACE, err);
}

static limn_status measure_sacrebleu(limn_metrics *m, image_stats *out, const char *caption,
                                     const char *const *refs, limn_error *err)
{
    const size_t first = m->n_sentences, n_numbers = m->n_numbers;
    limn_status s = add_mteval(m, caption, err);
    for (size_t i = 0; s == LIMN_OK && i < out->n_refs; i++) s = add_mteval(m, refs[i], err);
    if (s == LIMN_OK) s = count(m, first, out->n_refs, err);
    if (s == LIMN_OK) out->sacrebleu = limn_bleu_count(&m->hyp, m->refs.items, out->n_refs);
    forget(m, first, n_numbers);
    return s;
}

static limn_status measure(limn_metrics *m, image_stats *out, const char *caption,
                           const char *const *refs, text_kind kind, limn_error *err)
{
    const size_t n = out->n_refs;
    LIMN_TRY(tokenize_all(m, caption, refs, n, kind, err));
    LIMN_TRY(add_all(m, 1 + n, AT_WHITE_SPACE, err)); /* these stay */
    if (has(m, LIMN_METRIC_ROUGE_L)) LIMN_TRY(measure_rouge(m, out, err));
    if (has(m, LIMN_METRIC_SACREBLEU)) LIMN_TRY(measure_sacrebleu(m, out, caption, refs, err));
    if (m->meteor)
        LIMN_TRY(limn_meteor_score(&out->meteor, m->meteor, m->texts[0],
                                   (const char *const *)m->texts + 1, n, err));
    return LIMN_OK;
}

static limn_status add_image(limn_metrics *m, const char *caption, const char *const *references,
                             size_t n_references, text_kind kind, limn_error *err)
{
    if (!m || !caption || !references)
        return limn_fail(err, LIMN_E_ARG, "%s: NULL",
                         !m         ? "metrics"
                         : !caption ? "caption"
                                    : "references");
    if (n_references < 1) return limn_fail(err, LIMN_E_ARG, "a caption without references");
    if (!limn_grow((void **)&m->images, &m->images_capacity, m->n_images + 1, sizeof *m->images))
        return no_memory(err);
    const size_t n_sentences = m->n_sentences, n_numbers = m->n_numbers;
    image_stats stats = { .first_sentence = n_sentences, .n_refs = n_references };
    const limn_float_env env = limn_float_env_enter();
    const limn_status s = measure(m, &stats, caption, references, kind, err);
    limn_float_env_leave(&env);
    if (s == LIMN_OK)
        m->images[m->n_images++] = stats;
    else
        forget(m, n_sentences, n_numbers);
    forget_scores(m);
    return s;
}

limn_status limn_metrics_add(limn_metrics *m, const char *caption, const char *const *references,
                             size_t n_references, limn_error *err)
{
    return add_image(m, caption, references, n_references, AS_WRITTEN, err);
}

limn_status limn_metrics_add_tokens(limn_metrics *m, const char *caption,
                                    const char *const *references, size_t n_references,
                                    limn_error *err)
{
    return add_image(m, caption, references, n_references, TOKENS, err);
}

limn_status limn_metrics_tokenize(limn_metrics *m, const char *caption, const char **tokens,
                                  limn_error *err)
{
    if (!m || !caption || !tokens) return limn_fail(err, LIMN_E_ARG, "an argument is NULL");
    return limn_ptb_tokenize(tokens, &m->ptb, caption, strlen(caption), LIMN_PTB_DROP_PUNCTUATION,
                             err);
}

size_t limn_metrics_n_images(const limn_metrics *m)
{
    return m ? m->n_images : 0;
}

/* ---- scores ------------------------------------------------------------------------------- */

enum { N_METEOR = sizeof(limn_meteor_stats) / sizeof(double) };

static size_t n_stats_of(limn_metric metric)
{
    if (metric == LIMN_METRIC_METEOR) return N_METEOR;
    const bool is_bleu = metric <= LIMN_METRIC_BLEU_4 || metric == LIMN_METRIC_SACREBLEU;
    return is_bleu ? LIMN_BLEU_N_STATS : 1;
}

/* The score of a sum of rows; `context` is the limn_metric. */
static void score_sum(const void *context, double *out, const double *sum, size_t n_images)
{
    const limn_metric metric = *(const limn_metric *)context;
    const limn_sacrebleu_settings sacrebleu = { .value = -1, .tokenizer = "13a" };
    limn_bleu_stats bleu;
    limn_meteor_stats meteor;
    double scores[LIMN_NGRAM_MAX_ORDER];
    if (metric == LIMN_METRIC_METEOR) {
        memcpy(&meteor, sum, sizeof meteor);
        *out = limn_meteor_stats_score(&meteor);
    } else if (n_stats_of(metric) == 1) {
        *out = sum[0] / (double)n_images;
    } else {
        memcpy(&bleu, sum, sizeof bleu);
        limn_bleu_score(scores, &bleu);
        *out = metric == LIMN_METRIC_SACREBLEU ? limn_sacrebleu_score(&bleu, &sacrebleu).score
                                               : scores[metric];
    }
}

static limn_status count_corpus(limn_corpus_ngrams *ngrams, const limn_metrics *m, limn_error *err)
{
    for (size_t i = 0; i < m->n_sentences; i++) {
        const numbered *s = &m->sentences[i];
        LIMN_TRY(
            limn_corpus_ngrams_add(ngrams, (limn_sentence){ m->numbers + s->first, s->n }, err));
    }
    return LIMN_OK;
}

/* Makes those of m->bleu and m->cider that are in the set, of all images, unless they are there. */
static limn_status score_corpus(limn_metrics *m, limn_error *err)
{
    const bool has_bleu = m->set & ALL_BLEU, has_cider = has(m, LIMN_METRIC_CIDER_D);
    limn_corpus_ngrams ngrams = { 0 };
    limn_status s = LIMN_OK;
    if (m->n_scored == m->n_images) return LIMN_OK;
    size_t *n_refs = limn_calloc(m->n_images, sizeof *n_refs);
    if (has_bleu) m->bleu = limn_calloc(m->n_images, sizeof *m->bleu);
    if (has_cider) m->cider = limn_calloc(m->n_images, sizeof *m->cider);
    if (!n_refs || (has_bleu && !m->bleu) || (has_cider && !m->cider)) s = no_memory(err);
    for (size_t i = 0; s == LIMN_OK && i < m->n_images; i++) n_refs[i] = m->images[i].n_refs;
    if (s == LIMN_OK) s = count_corpus(&ngrams, m, err);
    if (s == LIMN_OK) s = limn_corpus_scores(m->bleu, m->cider, &ngrams, n_refs, m->n_images, err);
    limn_corpus_ngrams_finish(&ngrams);
    limn_free(n_refs);
    if (s == LIMN_OK)
        m->n_scored = m->n_images;
    else
        forget_scores(m);
    return s;
}

/* Whether it is made of m->bleu and m->cider. */
static bool is_of_corpus(limn_metric metric)
{
    return metric <= LIMN_METRIC_BLEU_4 || metric == LIMN_METRIC_CIDER_D;
}

static void fill_row(double *row, const limn_metrics *m, size_t i, limn_metric metric)
{
    const image_stats *image = &m->images[i];
    limn_meteor_stats sum = { 0 };
    if (metric == LIMN_METRIC_METEOR) {
        limn_meteor_stats_add(&sum, &image->meteor); /* what an image adds to a corpus */
        memcpy(row, &sum, sizeof sum);
    } else if (metric == LIMN_METRIC_ROUGE_L) {
        *row = image->rouge;
    } else if (metric == LIMN_METRIC_CIDER_D) {
        *row = m->cider[i];
    } else {
        memcpy(row, metric == LIMN_METRIC_SACREBLEU ? &image->sacrebleu : &m->bleu[i],
               sizeof m->bleu[i]);
    }
}

/* Statistics of all images, [n_images, n_stats]; the caller frees. */
static limn_status make_rows(double **out, limn_metrics *m, limn_metric metric, limn_error *err)
{
    const size_t n_stats = n_stats_of(metric);
    *out = NULL;
    if (is_of_corpus(metric)) LIMN_TRY(score_corpus(m, err));
    double *rows = limn_calloc(m->n_images, n_stats * sizeof *rows);
    if (!rows) return no_memory(err);
    for (size_t i = 0; i < m->n_images; i++) fill_row(rows + i * n_stats, m, i, metric);
    *out = rows;
    return LIMN_OK;
}

static limn_status check(const limn_metrics *m, limn_metric metric, const void *out,
                         limn_error *err)
{
    if (!m || !out) return limn_fail(err, LIMN_E_ARG, "%s: NULL", m ? "out" : "metrics");
    if ((unsigned)metric >= LIMN_N_METRICS)
        return limn_fail(err, LIMN_E_ARG, "metric: %u is unknown", (unsigned)metric);
    if (!m->n_images) return limn_fail(err, LIMN_E_ARG, "no image was added");
    if (metric == LIMN_METRIC_METEOR && !m->meteor)
        return limn_fail(err, LIMN_E_ARG,
                         "METEOR was left out at creation: no folder with its data");
    if (!has(m, metric))
        return limn_fail(err, LIMN_E_ARG, "metric: %u was left out at creation", (unsigned)metric);
    return LIMN_OK;
}

static limn_status score_all(limn_metrics *m, limn_metric metric, uint32_t n_trials, uint64_t seed,
                             limn_metric_score *out, limn_error *err)
{
    limn_interval interval;
    double *rows;
    LIMN_TRY(make_rows(&rows, m, metric, err));
    const limn_bootstrap b = { .stats = rows,
                               .n_images = m->n_images,
                               .n_stats = n_stats_of(metric),
                               .n_scores = 1,
                               .score = score_sum,
                               .context = &metric,
                               .n_trials = n_trials ? n_trials : 1,
                               .seed = seed };
    const limn_status s = limn_bootstrap_run(&interval, &b, err);
    limn_free(rows);
    if (s != LIMN_OK) return s;
    *out = (limn_metric_score){ interval.value, n_trials ? interval.low : interval.value,
                                n_trials ? interval.high : interval.value };
    return LIMN_OK;
}

limn_status limn_metrics_score(limn_metrics *m, limn_metric metric, uint32_t n_trials,
                               uint64_t seed, limn_metric_score *out, limn_error *err)
{
    LIMN_TRY(check(m, metric, out, err));
    if (n_trials > MAX_TRIALS)
        return limn_fail(err, LIMN_E_ARG, "n_trials: %u is not in 0 … %d", n_trials, MAX_TRIALS);
    const limn_float_env env = limn_float_env_enter();
    const limn_status s = score_all(m, metric, n_trials, seed, out, err);
    limn_float_env_leave(&env);
    return s;
}

limn_status limn_metrics_image_scores(limn_metrics *m, limn_metric metric, double *out,
                                      limn_error *err)
{
    double *rows;
    LIMN_TRY(check(m, metric, out, err));
    const limn_float_env env = limn_float_env_enter();
    const limn_status s = make_rows(&rows, m, metric, err);
    for (size_t i = 0; s == LIMN_OK && i < m->n_images; i++)
        score_sum(&metric, &out[i], rows + i * n_stats_of(metric), 1);
    limn_float_env_leave(&env);
    if (s == LIMN_OK) limn_free(rows);
    return s;
}

limn_status limn_metrics_image_score(limn_metrics *m, limn_metric metric, size_t image, double *out,
                                     limn_error *err)
{
    double *rows;
    LIMN_TRY(check(m, metric, out, err));
    if (image >= m->n_images)
        return limn_fail(err, LIMN_E_ARG, "image: %zu is not in 0 … %zu", image, m->n_images - 1);
    const limn_float_env env = limn_float_env_enter();
    const limn_status s = make_rows(&rows, m, metric, err);
    if (s == LIMN_OK) score_sum(&metric, out, rows + image * n_stats_of(metric), 1);
    limn_float_env_leave(&env);
    if (s == LIMN_OK) limn_free(rows);
    return s;
}

/* ---- two systems -------------------------------------------------------------------------- */

static limn_status compare_rows(const double *rows, const double *others, const limn_metrics *m,
                                limn_metric metric, uint32_t n_trials, uint64_t seed,
                                limn_metric_difference *out, limn_error *err)
{
    limn_interval d;
    const limn_bootstrap b = { .stats = rows,
                               .other = others,
                               .n_images = m->n_images,
                               .n_stats = n_stats_of(metric),
                               .n_scores = 1,
                               .score = score_sum,
                               .context = &metric,
                               .n_trials = n_trials,
                               .seed = seed };
    LIMN_TRY(limn_bootstrap_run(&d, &b, err));
    *out = (limn_metric_difference){ d.value, d.low, d.high, d.p };
    return LIMN_OK;
}

limn_status limn_metrics_compare(limn_metrics *m, limn_metrics *baseline, limn_metric metric,
                                 uint32_t n_trials, uint64_t seed, limn_metric_difference *out,
                                 limn_error *err)
{
    double *rows = NULL, *others = NULL;
    LIMN_TRY(check(m, metric, out, err));
    LIMN_TRY(check(baseline, metric, out, err));
    if (n_trials < 1 || n_trials > MAX_TRIALS)
        return limn_fail(err, LIMN_E_ARG, "n_trials: %u is not in 1 … %d", n_trials, MAX_TRIALS);
    if (baseline->n_images != m->n_images)
        return limn_fail(err, LIMN_E_ARG, "baseline: %zu images, not %zu", baseline->n_images,
                         m->n_images);
    const limn_float_env env = limn_float_env_enter();
    limn_status s = make_rows(&rows, m, metric, err);
    if (s == LIMN_OK) s = make_rows(&others, baseline, metric, err);
    if (s == LIMN_OK) s = compare_rows(rows, others, m, metric, n_trials, seed, out, err);
    limn_float_env_leave(&env);
    limn_free(others);
    limn_free(rows);
    return s;
}
