/* The vocabularies of folders as the hub has them: vocab.txt of BERT, vocab.json and merges.txt of
 * GPT-2, or a tokenizer.json that has what is in these. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_HUB_VOCABULARY_H
#define LIMN_MODELS_CONVERT_PUBLISHED_HUB_VOCABULARY_H

#include "models/convert/published/published.h"

typedef struct wordpiece_file {
    const char *text; /* [size] of a vocab.txt */
    size_t size;
    const char *const *added; /* [n_added] behind its tokens */
    size_t n_added;
    bool lower_case;
} wordpiece_file;

/* `p->vocab` of the bytes of a vocab.txt at `path`, which with those that are added must have
 * `p->n_tokens` tokens. */
limn_status hub_make_wordpiece(published *p, const char *path, const wordpiece_file *f,
                               limn_error *err);
/* The same of the folder, whose tokenizer_config.json says what it does to captions. */
limn_status hub_read_wordpiece(published *p, const limn_json_node *tokenizer,
                               const char *const *added, size_t n_added, limn_error *err);
/* `p->vocab` of GPT-2's files in the folder. */
limn_status hub_read_byte_bpe(published *p, const limn_json_node *tokenizer, limn_error *err);

#endif
