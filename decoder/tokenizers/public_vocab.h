/* Vocabularies from the files that public models ship beside their weights. These files do not name
 * the special tokens; the caller supplies them, and they are copied. All of these: LIMN_E_FORMAT
 * says what is wrong in the file (without its name), LIMN_E_LIMIT, LIMN_E_NOMEM. */
#ifndef LIMN_DECODER_TOKENIZERS_PUBLIC_VOCAB_H
#define LIMN_DECODER_TOKENIZERS_PUBLIC_VOCAB_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "decoder/vocab.h"

/* BERT's: vocab.txt [size bytes], a token a line, and after them tokens [n_added] that it does not
 * have. lower_case: captions are in lower case and without accents (do_lower_case). */
limn_status limn_vocab_from_wordpiece(limn_vocab **out, const char *text, size_t size,
                                      const char *const *added, size_t n_added, bool lower_case,
                                      const limn_specials *specials, limn_error *err);
/* GPT-2's: vocab.json, an object with the id of each token, and merges.txt. Errors begin with the
 * name of the file at fault. */
limn_status limn_vocab_from_byte_bpe(limn_vocab **out, const char *vocab, size_t vocab_size,
                                     const char *merges, size_t merges_size,
                                     const limn_specials *specials, limn_error *err);
/* A SentencePiece .model. LIMN_E_UNSUPPORTED for kinds of model that limn does not run. */
limn_status limn_vocab_from_sentencepiece(limn_vocab **out, const unsigned char *model, size_t size,
                                          const limn_specials *specials, limn_error *err);

#endif
