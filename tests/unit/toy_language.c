#include "tests/unit/toy_language.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"

void toy_next(const void *ctx, const uint32_t *words, size_t n_words, float *log_probs)
{
    const toy *lm = ctx;
    limn_rng rng = limn_rng_stream(lm->seed, words, n_words * sizeof *words);
    double weights[MAX_TOKENS], sum = 0;
    for (size_t t = 0; t < lm->n_tokens; t++) {
        double x = 2 * limn_rng_normal(&rng);
        if (lm->n_levels > 0) x = round(x * lm->n_levels) / lm->n_levels;
        weights[t] = t == START ? 0 : exp(x);
        sum += weights[t];
    }
    for (size_t t = 0; t < lm->n_tokens; t++)
        log_probs[t] = t == START ? -INFINITY : (float)log(weights[t] / sum);
}

toy_tracker toy_tracker_of(toy_next_fn *next, const void *lm, size_t n_tokens)
{
    return (toy_tracker){ .next = next,
                          .lm = lm,
                          .n_tokens = n_tokens,
                          .words = calloc(MAX_ROWS, MAX_STEPS * sizeof(uint32_t)),
                          .before = calloc(MAX_ROWS, MAX_STEPS * sizeof(uint32_t)) };
}

void toy_tracker_finish(toy_tracker *t)
{
    free(t->words);
    free(t->before);
}

void toy_track(void *ctx, size_t n_rows, const uint32_t *parents, const uint32_t *tokens,
               float *log_probs)
{
    toy_tracker *t = ctx;
    uint32_t(*swap)[MAX_STEPS] = t->before;
    t->before = t->words;
    t->words = swap;
    assert_true(n_rows >= 1 && n_rows <= MAX_ROWS);
    if (t->n_calls == 0) {
        assert_int_equal(n_rows, 1);
        assert_int_equal(tokens[0], START);
    }
    for (size_t r = 0; r < n_rows; r++) {
        if (t->n_calls > 0) {
            assert_true(parents[r] < t->n_rows);
            memcpy(t->words[r], t->before[parents[r]], sizeof *t->words);
            t->words[r][t->n_calls - 1] = tokens[r];
        }
        t->next(t->lm, t->words[r], t->n_calls, log_probs + r * t->n_tokens);
    }
    if (t->history) memcpy(t->history[t->n_calls], t->words, n_rows * sizeof *t->words);
    t->n_rows = n_rows;
    t->most_rows = n_rows > t->most_rows ? n_rows : t->most_rows;
    t->n_calls++;
}

double toy_score(double logprob, size_t length, float length_penalty)
{
    return logprob / pow((double)length, (double)length_penalty);
}

toy_caption toy_extend(const toy_caption *c, uint32_t token, float log_prob)
{
    toy_caption child = *c;
    child.tokens[child.n_tokens++] = token;
    child.logprob = c->logprob + (double)log_prob;
    return child;
}

void toy_enumerate(toy_caption *out, size_t *n_out, const toy_caption *c, const toy *lm,
                   size_t max_steps, float length_penalty)
{
    float log_probs[MAX_TOKENS];
    toy_next(lm, c->tokens, c->n_tokens, log_probs);
    for (uint32_t t = 0; t < lm->n_tokens; t++) {
        toy_caption child = toy_extend(c, t, log_probs[t]);
        child.score = toy_score(child.logprob, child.n_tokens, length_penalty);
        child.is_finished = t == END;
        if (t == START) continue;
        if (t == END || child.n_tokens == max_steps)
            out[(*n_out)++] = child;
        else
            toy_enumerate(out, n_out, &child, lm, max_steps, length_penalty);
    }
}

int toy_by_logprob(const void *a, const void *b)
{
    const double x = ((const toy_caption *)a)->logprob, y = ((const toy_caption *)b)->logprob;
    return (x < y) - (x > y);
}

int toy_by_score(const void *a, const void *b)
{
    const double x = ((const toy_caption *)a)->score, y = ((const toy_caption *)b)->score;
    return (x < y) - (x > y);
}

void toy_sort(toy_caption *items, size_t n, int (*compare)(const void *, const void *))
{
    for (size_t i = 1; i < n; i++) {
        const toy_caption item = items[i];
        size_t at = i;
        for (; at > 0 && compare(&item, &items[at - 1]) < 0; at--) items[at] = items[at - 1];
        items[at] = item;
    }
}

void toy_check_same(const limn_hypothesis *h, const toy_caption *expected)
{
    double sum = 0;
    assert_int_equal(h->n_tokens, expected->n_tokens);
    assert_memory_equal(h->tokens, expected->tokens, h->n_tokens * sizeof *h->tokens);
    assert_true(h->logprob == expected->logprob && h->score == expected->score);
    assert_int_equal(h->is_finished, expected->is_finished);
    for (size_t i = 0; i < h->n_tokens; i++) sum += (double)h->token_logprobs[i];
    assert_true(sum == h->logprob);
}

bool toy_same_tokens(const limn_hypothesis *h, const toy_caption *c)
{
    return h->n_tokens == c->n_tokens &&
           memcmp(h->tokens, c->tokens, h->n_tokens * sizeof *h->tokens) == 0;
}

bool toy_says(const uint32_t *words, size_t n_words, const uint32_t *phrase, size_t n_phrase)
{
    for (size_t i = 0; i + n_phrase <= n_words; i++)
        if (memcmp(words + i, phrase, n_phrase * sizeof *phrase) == 0) return true;
    return false;
}

limn_phrase_trie *toy_tokens(const uint32_t *tokens, size_t n)
{
    limn_phrase phrases[16];
    limn_phrase_trie *trie;
    assert_true(n <= 16);
    for (size_t i = 0; i < n; i++) phrases[i] = (limn_phrase){ tokens + i, 1 };
    assert_int_equal(limn_phrase_trie_create(&trie, phrases, n, NULL), LIMN_OK);
    return trie;
}
