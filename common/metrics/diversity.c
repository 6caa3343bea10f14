#include "common/metrics/diversity.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"

limn_status limn_div_n(double out[2], const limn_sentence *sentences, size_t n_sentences,
                       limn_error *err)
{
    double n_words = 0;
    limn_status status = LIMN_OK;
    out[0] = out[1] = 0;
    for (size_t s = 0; s < n_sentences; s++) n_words += (double)sentences[s].n_words;
    for (size_t order = 1; order <= 2 && n_words > 0; order++) {
        limn_ngram_table table = { 0 };
        for (size_t s = 0; s < n_sentences; s++) {
            for (size_t i = 0; i + order <= sentences[s].n_words && status == LIMN_OK; i++) {
                const uint32_t *words = sentences[s].words + i;
                const limn_ngram ngram = { { words[0], order > 1 ? words[1] : LIMN_NO_WORD,
                                             LIMN_NO_WORD, LIMN_NO_WORD } };
                limn_ngram_entry *entry;
                status = limn_ngram_table_add(&entry, &table, &ngram, err);
            }
        }
        out[order - 1] = (double)table.n_ngrams / n_words;
        limn_ngram_table_finish(&table);
    }
    return status;
}

/* ---- self-CIDEr --------------------------------------------------------------------------- */

/* Rotates rows and columns p and q of the symmetric a [n, n] so that a[p, q] becomes 0. */
static void rotate(double *a, size_t n, size_t p, size_t q)
{
    const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    const double sign = theta < 0 ? -1 : 1;
    const double t = sign / (fabs(theta) + sqrt(theta * theta + 1));
    const double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t i = 0; i < n; i++) {
        const double ip = a[i * n + p], iq = a[i * n + q];
        a[i * n + p] = c * ip - s * iq;
        a[i * n + q] = s * ip + c * iq;
    }
    for (size_t i = 0; i < n; i++) {
        const double pi = a[p * n + i], qi = a[q * n + i];
        a[p * n + i] = c * pi - s * qi;
        a[q * n + i] = s * pi + c * qi;
    }
}

/* Jacobi's method: the diagonal of the symmetric a [n, n] becomes its eigenvalues. */
static void diagonalise(double *a, size_t n)
{
    enum { MAX_SWEEPS = 60 };
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        bool is_done = true;
        for (size_t p = 0; p < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                if (fabs(a[p * n + q]) < 1e-14) continue;
                is_done = false;
                rotate(a, n, p, q);
            }
        }
        if (is_done) return;
    }
}

/* -log_n(largest root / sum of roots) of the eigenvalues on the diagonal of a [n, n]. */
static double spread(const double *a, size_t n)
{
    double sum = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        const double root = a[i * n + i] > 0 ? sqrt(a[i * n + i]) : 0;
        sum += root;
        largest = root > largest ? root : largest;
    }
    if (largest <= 0) return 0;
    const double value = -log(largest / sum) / log((double)n);
    return value > 0 ? value : 0;
}

limn_status limn_self_cider(double *out, const limn_cider_df *df,
                            const limn_ngram_counts *sentences, size_t n_sentences, limn_error *err)
{
    limn_cider_vector vectors[LIMN_SELF_CIDER_MAX] = { 0 };
    double *matrix = NULL; /* [n_sentences, n_sentences] */
    limn_status status = LIMN_OK;
    if (n_sentences < 2 || n_sentences > LIMN_SELF_CIDER_MAX)
        return limn_fail(err, LIMN_E_ARG, "self-CIDEr of %zu captions, expected 2 … %d",
                         n_sentences, LIMN_SELF_CIDER_MAX);
    matrix = limn_calloc(n_sentences * n_sentences, sizeof *matrix);
    if (!matrix)
        status = limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu captions", n_sentences);
    for (size_t i = 0; status == LIMN_OK && i < n_sentences; i++)
        status = limn_cider_vector_fill(&vectors[i], &sentences[i], df, err);
    if (status == LIMN_OK) {
        for (size_t i = 0; i < n_sentences; i++)
            for (size_t j = 0; j <= i; j++)
                matrix[i * n_sentences + j] = matrix[j * n_sentences + i] =
                    limn_cider_similarity(&sentences[i], &vectors[i], &sentences[j], &vectors[j],
                                          LIMN_CIDER_PLAIN) /
                    10;
        diagonalise(matrix, n_sentences);
        *out = spread(matrix, n_sentences);
    }
    for (size_t i = 0; i < n_sentences; i++) limn_cider_vector_finish(&vectors[i]);
    limn_free(matrix);
    return status;
}

const char *const limn_bad_endings[] = {
    "a",    "an",   "the",    "of",      "with",    "in",    "on",    "at",   "to",
    "from", "by",   "for",    "and",     "or",      "but",   "as",    "into", "onto",
    "near", "over", "under",  "next",    "while",   "that",  "which", "is",   "are",
    "was",  "were", "be",     "his",     "her",     "their", "its",   "my",   "your",
    "very", "some", "behind", "between", "through", NULL,
};

bool limn_is_bad_ending(const char *word, size_t size)
{
    for (size_t i = 0; limn_bad_endings[i]; i++)
        if (strlen(limn_bad_endings[i]) == size && memcmp(limn_bad_endings[i], word, size) == 0)
            return true;
    return false;
}
