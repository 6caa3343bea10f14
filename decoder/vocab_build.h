/* A vocabulary from captions: the tokens with enough uses, and how many uses that leaves out.
 *
 *     limn_vocab_builder_create(&b, LIMN_TOKENS_WORDS, err);
 *     for each caption: limn_vocab_builder_add(b, caption, size, 5, err);
 *     for each text:    limn_vocab_builder_add(b, text, size, 12, err);
 *     limn_vocab_builder_build(&vocab, b, NULL, err);
 *
 * Captions added with the same minimum form one source and are counted together; sources are in the
 * order of their first captions. A source contributes its tokens with at least that many uses in
 * it, the most frequent first, equally frequent ones in the order of their bytes, without those
 * that are there already. One thread at a time. */
#ifndef LIMN_DECODER_VOCAB_BUILD_H
#define LIMN_DECODER_VOCAB_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/text/caption_tokens.h"
#include "common/text/word_counts.h"
#include "decoder/vocab.h"

typedef struct limn_vocab_builder limn_vocab_builder;

/* What a source holds; complete after limn_vocab_builder_build. */
typedef struct limn_vocab_source {
    uint64_t min_count;
    size_t n_captions;
    uint64_t n_uses;         /* of all its tokens */
    limn_word_count *tokens; /* [n_tokens] different ones that can be in a vocabulary, sorted */
    size_t n_tokens;
    size_t n_unfit; /* different ones that can't: white space in them, too long */
    size_t n_added; /* to the vocabulary */
} limn_vocab_source;

/* LIMN_E_NOMEM. */
limn_status limn_vocab_builder_create(limn_vocab_builder **out, limn_token_kind kind,
                                      limn_error *err);
void limn_vocab_builder_destroy(limn_vocab_builder **b); /* accepts NULL and *b == NULL; nulls it */

/* Counts the tokens of a caption [size bytes] for the source of that minimum, 1 or more.
 * LIMN_E_FORMAT for invalid UTF-8, LIMN_E_NOMEM. */
limn_status limn_vocab_builder_add(limn_vocab_builder *b, const char *caption, size_t size,
                                   uint64_t min_count, limn_error *err);

/* The four special tokens (among characters the space too) and what the sources give; with `old`,
 * all its tokens with their ids, then what the sources give that it lacks. May be called once,
 * after the last addition. LIMN_E_LIMIT for more than LIMN_VOCAB_MAX_TOKENS (the text says how
 * many, and what would help); LIMN_E_ARG when `old` is of the other kind; LIMN_E_NOMEM. */
limn_status limn_vocab_builder_build(limn_vocab **out, limn_vocab_builder *b, const limn_vocab *old,
                                     limn_error *err);

size_t limn_vocab_builder_n_sources(const limn_vocab_builder *b);
/* Belongs to the builder. index < n_sources */
const limn_vocab_source *limn_vocab_builder_source(const limn_vocab_builder *b, size_t index);

/* How many of a source's tokens have at least min_count uses. */
size_t limn_vocab_source_n_frequent(const limn_vocab_source *s, uint64_t min_count);
/* The share of a source's uses that are in the vocabulary, 0 … 1; 1 when it has none. */
double limn_vocab_source_coverage(const limn_vocab_source *s, const limn_vocab *vocab);

#endif
