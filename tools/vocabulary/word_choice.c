#include "tools/vocabulary/word_choice.h"

#include "common/base/mem.h"
#include "decoder/vocab.h"

enum { N_SPECIAL = 4 };
static const char *const special_tokens[N_SPECIAL] = { "<pad>", "<s>", "</s>", "<unk>" };

/* By the vocabulary's own rules: a vocabulary of the special tokens and this word. */
static limn_status check_fits(bool *fits, const char *word, limn_error *err)
{
    const char *tokens[N_SPECIAL + 1];
    limn_vocab *vocab = NULL;
    limn_status s;
    for (size_t i = 0; i < N_SPECIAL; i++)
        tokens[i] = special_tokens[i];
    tokens[N_SPECIAL] = word;
    s = limn_vocab_create(&vocab, tokens, N_SPECIAL + 1, NULL);
    limn_vocab_destroy(&vocab);
    *fits = s == LIMN_OK;
    return s == LIMN_E_NOMEM ? limn_fail(err, s, "out of memory") : LIMN_OK;
}

/* How many words have at least min_count uses. */
static size_t n_frequent(const limn_word_choice *c, uint64_t min_count)
{
    size_t n = 0;
    while (n < c->n_words && c->words[n].count >= min_count)
        n++;
    return n;
}

/* Moves the words that fit to the front, in their order. */
static limn_status drop_unfit(limn_word_choice *c, limn_error *err)
{
    const size_t n = c->n_words;
    c->n_words = 0;
    for (size_t i = 0; i < n; i++) {
        bool fits;
        LIMN_TRY(check_fits(&fits, c->words[i].word, err));
        if (fits)
            c->words[c->n_words++] = c->words[i];
    }
    c->n_unfit = n - c->n_words;
    return LIMN_OK;
}

limn_status limn_word_choice_make(limn_word_choice *out, const limn_word_counts *counts,
                                  uint64_t min_count, limn_error *err)
{
    *out = (limn_word_choice){ .total = limn_word_counts_total(counts),
                               .n_words = limn_word_counts_n_different(counts) };
    LIMN_TRY(limn_word_counts_sorted(&out->words, counts, err));
    LIMN_TRY(drop_unfit(out, err));
    out->n_chosen = n_frequent(out, min_count);
    if (out->n_chosen > LIMN_VOCAB_MAX_TOKENS - N_SPECIAL)
        return limn_fail(err, LIMN_E_LIMIT,
                         "%zu words have at least %llu uses, more than the %d of a vocabulary; "
                         "raise --min-count", out->n_chosen, (unsigned long long)min_count,
                         LIMN_VOCAB_MAX_TOKENS - N_SPECIAL);
    return LIMN_OK;
}

void limn_word_choice_finish(limn_word_choice *c)
{
    limn_free(c->words);
    *c = (limn_word_choice){ 0 };
}

void limn_word_choice_append_file(limn_buffer *out, const limn_word_choice *c)
{
    for (size_t i = 0; i < N_SPECIAL; i++)
        limn_buffer_printf(out, "%s\n", special_tokens[i]);
    for (size_t i = 0; i < c->n_chosen; i++)
        limn_buffer_printf(out, "%s\n", c->words[i].word);
}

/* Uses of the first n words, as a share of all uses in percent. */
static double coverage(const limn_word_choice *c, size_t n)
{
    uint64_t uses = 0;
    for (size_t i = 0; i < n; i++)
        uses += c->words[i].count;
    return c->total ? 100.0 * (double)uses / (double)c->total : 100.0;
}

void limn_word_choice_print(FILE *out, const limn_word_choice *c, uint64_t min_count)
{
    static const uint64_t others[] = { 1, 2, 3, 5, 10, 20, 50 };
    fprintf(out, "words          %llu, %zu different\n", (unsigned long long)c->total,
            c->n_words + c->n_unfit);
    if (c->n_unfit)
        fprintf(out, "left out       %zu words that no token can be\n", c->n_unfit);
    fprintf(out, "vocabulary     %zu tokens: 4 special, %zu words with at least %llu uses\n",
            c->n_chosen + N_SPECIAL, c->n_chosen, (unsigned long long)min_count);
    fprintf(out, "coverage       %.2f %% of all uses; %.2f %% are <unk>\n\n",
            coverage(c, c->n_chosen), 100 - coverage(c, c->n_chosen));
    fputs("min-count    words   <unk> %\n", out);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const size_t n = n_frequent(c, others[i]);
        fprintf(out, "%9llu %8zu %9.2f\n", (unsigned long long)others[i], n, 100 - coverage(c, n));
    }
}
