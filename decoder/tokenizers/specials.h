/* The special tokens of a model: data that comes with its vocabulary. */
#ifndef LIMN_DECODER_TOKENIZERS_SPECIALS_H
#define LIMN_DECODER_TOKENIZERS_SPECIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMN_NO_TOKEN UINT32_MAX

typedef struct limn_specials {
    uint32_t start, end;   /* before the first token, and after the last */
    uint32_t pad, unknown; /* fills rows; stands for what the vocabulary lacks. LIMN_NO_TOKEN where
                            * there is none */
    const uint32_t *never_written; /* [n_never_written] the decoder gives them no probability;
                                    * borrowed; the end is not among them */
    size_t n_never_written;
} limn_specials;

/* Those of limn's own vocabularies: <pad> <s> </s> <unk> are the tokens 0 … 3, of which only </s>
 * is ever written. For initialisers. */
enum { LIMN_N_SPECIAL = 4 };
extern const char *const limn_special_tokens[LIMN_N_SPECIAL];
extern const uint32_t limn_special_never_written[3];
#define LIMN_SPECIALS_OWN                                                                          \
    {                                                                                              \
        .start = 1, .end = 2, .pad = 0, .unknown = 3, .never_written = limn_special_never_written, \
        .n_never_written = 3                                                                       \
    }

/* Whether a decoder may write a token. */
bool limn_specials_is_written(const limn_specials *s, uint32_t token);
/* Whether a token has no text in a caption: the end, and what is never written. */
bool limn_specials_is_silent(const limn_specials *s, uint32_t token);

bool limn_specials_equal(const limn_specials *a, const limn_specials *b);

/* Masks the logits of tokens that are never written: they become `nothing`, which a softmax turns
 * into 0: -INFINITY, or -1e30f where logits are summed and must stay numbers. */
static inline void limn_specials_forbid(const limn_specials *s, float *logits, float nothing)
{
    for (size_t i = 0; i < s->n_never_written; i++) logits[s->never_written[i]] = nothing;
}

#endif
