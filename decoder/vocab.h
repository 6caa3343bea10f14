/* The vocabulary: token ids, their texts, which of them are special, and how captions become tokens
 * (decoder/tokenizers). Immutable after opening, shareable. */
#ifndef LIMN_DECODER_VOCAB_H
#define LIMN_DECODER_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/io/json.h"
#include "common/text/caption_tokens.h"
#include "decoder/tokenizers/specials.h"
#include "decoder/tokenizers/tokenizer.h"

#define LIMN_VOCAB_MAX_TOKENS 65536
#define LIMN_VOCAB_MAX_TOKEN_SIZE 256 /* bytes */

/* A vocabulary of limn's own kind: of words, or of characters where the first token after the
 * special ones is LIMN_SPACE_TOKEN. From n texts (copied) in id order. The first four must be <pad>
 * <s> </s> <unk>; each must be valid UTF-8 without white space or control characters, 1 …
 * LIMN_VOCAB_MAX_TOKEN_SIZE bytes, and no two may be equal. LIMN_E_FORMAT names the id and what is
 * wrong; LIMN_E_LIMIT; LIMN_E_NOMEM. */
limn_status limn_vocab_create(limn_vocab **out, const char *const *tokens, size_t n_tokens,
                              limn_error *err);
/* Any other: with the tokenizer and the special tokens (copied) that are given, and the tokenizer's
 * own data in `settings`, an object of a model file (NULL where it knows nothing). LIMN_E_FORMAT
 * too for special tokens that are not below n_tokens, or an end that is never written. */
limn_status limn_vocab_create_with(limn_vocab **out, const char *const *tokens, size_t n_tokens,
                                   const limn_tokenizer *tokenizer, const limn_specials *specials,
                                   const limn_json_node *settings, limn_error *err);
/* One token a line (vocab.txt), newlines alone, the last one optional. Errors name the token's id,
 * which is its line counted from 0, after the path. */
limn_status limn_vocab_from_text(limn_vocab **out, const char *text, size_t size, limn_error *err);
limn_status limn_vocab_read(limn_vocab **out, const char *path, limn_error *err);
/* As a model file has it (models/FORMAT.md): a JSON array of strings in id order, or, for a
 * vocabulary not of limn's own kind, an object. LIMN_E_UNSUPPORTED for an unknown tokenizer. */
limn_status limn_vocab_from_json(limn_vocab **out, const limn_json_node *node, limn_error *err);
/* The same; the caller releases it. NULL when out of memory. */
json_t *limn_vocab_to_json(const limn_vocab *v);
/* Whether tokenizer and special tokens are those of limn_vocab_create, so that the texts alone
 * define the vocabulary. */
bool limn_vocab_is_own(const limn_vocab *v);
void limn_vocab_destroy(limn_vocab **v); /* accepts NULL and *v == NULL; nulls it */

size_t limn_vocab_n_tokens(const limn_vocab *v);
const char *limn_vocab_text(const limn_vocab *v, uint32_t id); /* id < n_tokens */
/* The id of a text of `size` bytes. When it is not there, limn_vocab_find returns specials.unknown,
 * limn_vocab_lookup LIMN_NO_TOKEN. */
uint32_t limn_vocab_find(const limn_vocab *v, const char *text, size_t size);
uint32_t limn_vocab_lookup(const limn_vocab *v, const char *text, size_t size);

const limn_specials *limn_vocab_specials(const limn_vocab *v); /* borrowed, as the next */
const limn_tokenizer *limn_vocab_tokenizer(const limn_vocab *v);
const void *limn_vocab_tokenizer_data(const limn_vocab *v); /* of its tokenizer alone */
/* limn_token_class of each token [n_tokens]; NULL where every token is a word. */
const unsigned char *limn_vocab_classes(const limn_vocab *v);

/* The token [n_tokens] that is the same word after a space, or at the beginning of a caption; the
 * token itself where it has no twin. NULL where no token has one. */
const uint32_t *limn_vocab_twins(const limn_vocab *v);

/* The kind of a vocabulary of limn's own. */
limn_token_kind limn_vocab_kind(const limn_vocab *v);

/* Whether a text of `size` bytes may be an ordinary token of a vocabulary: within the bounds above,
 * and not one of the special tokens. */
bool limn_vocab_accepts(const char *text, size_t size);

/* vocab.txt: one token a line. */
void limn_vocab_append_text(limn_buffer *out, const limn_vocab *v);

/* The tokens of a caption, as limn_tokenizer.encode gives them. */
limn_status limn_vocab_tokenize(const char **tokens, limn_caption_tokenizer *scratch,
                                const limn_vocab *v, const char *caption, size_t size,
                                limn_error *err);
/* The ids of tokens that one space separates (common/text/caption_tokens.h) into ids [capacity];
 * what the vocabulary lacks, special tokens included, is specials.unknown. Returns the
 * number that was needed. */
size_t limn_vocab_encode(uint32_t *ids, size_t capacity, const limn_vocab *v, const char *tokens);

/* Bytes that n tokens can take in a caption are at most n * (this + 1). */
size_t limn_vocab_longest(const limn_vocab *v);

/* The caption of ids [n], without special tokens: of words, their texts with spaces between. Into
 * out [capacity], always NUL-terminated. Returns the length that was needed without the NUL, as
 * snprintf. */
size_t limn_vocab_join(char *out, size_t capacity, const limn_vocab *v, const uint32_t *ids,
                       size_t n);

#endif
