/* Converts the tokenizers library's tokenizer.json, which newer folders have instead of each kind's
 * own files, to the bytes of those files. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_TOKENIZER_JSON_H
#define LIMN_MODELS_CONVERT_PUBLISHED_TOKENIZER_JSON_H

#include "common/base/buffer.h"
#include "common/io/json.h"

/* A vocab.txt: the tokens of model.vocab, of type WordPiece, in the order of their ids. */
limn_status tokenizer_json_vocab_txt(limn_buffer *out, const limn_json_node *root, limn_error *err);
/* A vocab.json and a merges.txt, of a model of type BPE. */
limn_status tokenizer_json_byte_bpe(limn_buffer *vocab, limn_buffer *merges,
                                    const limn_json_node *root, limn_error *err);

#endif
