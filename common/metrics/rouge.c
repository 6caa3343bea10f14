#include "common/metrics/rouge.h"

#include "common/base/mem.h"

/* The length of the longest common subsequence; row [b.n_words + 1]. */
static size_t common_length(size_t *row, limn_sentence a, limn_sentence b)
{
    for (size_t j = 0; j <= b.n_words; j++) row[j] = 0;
    for (size_t i = 0; i < a.n_words; i++) {
        size_t diagonal = 0; /* row[j] before word i */
        for (size_t j = 0; j < b.n_words; j++) {
            const size_t above = row[j + 1];
            if (a.words[i] == b.words[j])
                row[j + 1] = diagonal + 1;
            else if (row[j] > above)
                row[j + 1] = row[j];
            diagonal = above;
        }
    }
    return row[b.n_words];
}

limn_status limn_rouge_l(double *score, limn_rouge *scratch, limn_sentence hyp,
                         const limn_sentence *refs, size_t n_refs, limn_error *err)
{
    const double beta = 1.2;
    double precision = 0, recall = 0;
    for (size_t i = 0; i < n_refs; i++) {
        if (!limn_grow((void **)&scratch->row, &scratch->capacity, refs[i].n_words + 1,
                       sizeof *scratch->row))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu words", refs[i].n_words);
        const double common = (double)common_length(scratch->row, hyp, refs[i]);
        const double p = common / (double)hyp.n_words, r = common / (double)refs[i].n_words;
        precision = p > precision ? p : precision;
        recall = r > recall ? r : recall;
    }
    *score = 0;
    if (precision > 0 && recall > 0)
        *score = (1 + beta * beta) * precision * recall / (recall + beta * beta * precision);
    return LIMN_OK;
}

void limn_rouge_finish(limn_rouge *scratch)
{
    limn_free(scratch->row);
    *scratch = (limn_rouge){ 0 };
}
