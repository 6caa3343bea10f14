/* The vocabularies of folders from the hub: BERT's vocab.txt, GPT-2's vocab.json and merges.txt, or
 * a tokenizer.json with the same content. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_HUB_VOCABULARY_H
#define LIMN_MODELS_CONVERT_PUBLISHED_HUB_VOCABULARY_H

#include "models/convert/published/published.h"

typedef struct wordpiece_file {
    const char *text; /* [size] of a vocab.txt */
    size_t size;
    const char *const *added; /* [n_added] after its tokens */
    size_t n_added;
    bool lower_case;
} wordpiece_file;

/* `p->vocab` of the bytes of a vocab.txt at `path`, which with those that are added must have
 * `p->n_tokens` tokens. */
limn_status hub_make_wordpiece(published *p, const char *path, const wordpiece_file *f,
                               limn_error *err);
/* The same from the folder's files; tokenizer_config.json says how captions are normalised. */
limn_status hub_read_wordpiece(published *p, const limn_json_node *tokenizer,
                               const char *const *added, size_t n_added, limn_error *err);
/* `p->vocab` of GPT-2's files in the folder. */
limn_status hub_read_byte_bpe(published *p, const limn_json_node *tokenizer, limn_error *err);

#endif
