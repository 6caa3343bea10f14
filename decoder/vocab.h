/* The vocabulary: token ids and their texts. Immutable after opening, shareable.
 *
 * Tokens are words, and captions put a space between two of them. A vocabulary whose first token
 * after the special ones is LIMN_SPACE_TOKEN is one of characters: captions are joined without
 * spaces, and that token stands for one (common/text/caption_tokens.h). */
#ifndef LIMN_DECODER_VOCAB_H
#define LIMN_DECODER_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/io/json.h"
#include "common/text/caption_tokens.h"

/* The special tokens, first in every vocabulary. */
enum { LIMN_TOKEN_PAD = 0, LIMN_TOKEN_START, LIMN_TOKEN_END, LIMN_TOKEN_UNKNOWN, LIMN_N_SPECIAL };
extern const char *const limn_special_tokens[LIMN_N_SPECIAL]; /* "<pad>" … */

/* Whether a decoder may write a token: any but <pad>, <s> and <unk>. */
static inline bool limn_vocab_is_written(uint32_t token)
{
    return token == LIMN_TOKEN_END || token >= LIMN_N_SPECIAL;
}

/* Takes from logits [n_tokens] the three that are never written: they become `nothing`, which a
 * softmax makes 0: -INFINITY, or -1e30f where logits are summed and must stay numbers. */
static inline void limn_vocab_forbid_special(float *logits, float nothing)
{
    logits[LIMN_TOKEN_PAD] = logits[LIMN_TOKEN_START] = logits[LIMN_TOKEN_UNKNOWN] = nothing;
}

#define LIMN_VOCAB_MAX_TOKENS 65536
#define LIMN_VOCAB_MAX_TOKEN_SIZE 256 /* bytes */

typedef struct limn_vocab limn_vocab;

/* From n texts (copied) in id order. The first four must be <pad> <s> </s> <unk>; each must be
 * valid UTF-8 without white space or control characters, 1 … LIMN_VOCAB_MAX_TOKEN_SIZE bytes, and
 * no two may be equal. LIMN_E_FORMAT names the id and what is wrong; LIMN_E_LIMIT; LIMN_E_NOMEM. */
limn_status limn_vocab_create(limn_vocab **out, const char *const *tokens, size_t n_tokens,
                              limn_error *err);
/* One token a line (vocab.txt), newlines alone, the last one optional. Errors name the token's id,
 * which is its line counted from 0, after the path. */
limn_status limn_vocab_from_text(limn_vocab **out, const char *text, size_t size, limn_error *err);
limn_status limn_vocab_read(limn_vocab **out, const char *path, limn_error *err);
/* From a JSON array of strings in id order. */
limn_status limn_vocab_from_json(limn_vocab **out, const limn_json_node *array, limn_error *err);
void limn_vocab_destroy(limn_vocab **v); /* accepts NULL and *v == NULL; nulls it */

size_t limn_vocab_n_tokens(const limn_vocab *v);
const char *limn_vocab_text(const limn_vocab *v, uint32_t id); /* id < n_tokens */
/* The id of a text of `size` bytes; LIMN_TOKEN_UNKNOWN when it is not there. */
uint32_t limn_vocab_find(const limn_vocab *v, const char *text, size_t size);

limn_token_kind limn_vocab_kind(const limn_vocab *v);

/* Whether a text of `size` bytes may stand in a vocabulary after the special tokens: their bounds
 * as above, and none of theirs. */
bool limn_vocab_accepts(const char *text, size_t size);

/* vocab.txt: one token a line. */
void limn_vocab_append_text(limn_buffer *out, const limn_vocab *v);

/* The ids of tokens that one space separates (common/text/caption_tokens.h) into ids [capacity];
 * what is no word of the vocabulary, special tokens included, is LIMN_TOKEN_UNKNOWN. Returns the
 * number that was needed. */
size_t limn_vocab_encode(uint32_t *ids, size_t capacity, const limn_vocab *v, const char *tokens);

/* The caption of ids [n]: their texts without those of the four special tokens, between words a
 * space. Into out [capacity], always NUL-terminated. Returns the length that was needed without
 * the NUL, as snprintf. */
size_t limn_vocab_join(char *out, size_t capacity, const limn_vocab *v, const uint32_t *ids,
                       size_t n);

#endif
