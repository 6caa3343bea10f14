/* Tokenizers by name. */
#ifndef LIMN_MODELS_EVAL_EVAL_TOKENIZER_H
#define LIMN_MODELS_EVAL_EVAL_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/text/mteval.h"
#include "common/text/ptb_tokenizer.h"

/* Scratch memory of one thread. Zero-initialise; limn_eval_tokenizer_finish frees. */
typedef struct limn_eval_tokenizer {
    const struct limn_eval_tokenizer_kind *kind;
    bool is_lower_case; /* asked for; ptb is always */
    limn_ptb ptb;
    limn_mteval mteval;
} limn_eval_tokenizer;

typedef struct limn_eval_tokenizer_kind {
    const char *name;
    bool is_lower_case;
    /* *tokens belongs to `t` and is valid until its next use: tokens with one space between them.
     */
    limn_status (*run)(const char **tokens, limn_eval_tokenizer *t, const char *caption,
                       size_t size, limn_error *err);
} limn_eval_tokenizer_kind;

/* NULL for an unknown name. */
const limn_eval_tokenizer_kind *limn_eval_find_tokenizer(const char *name);
/* Their names, NULL after the last. */
extern const char *const limn_eval_tokenizer_names[];

void limn_eval_tokenizer_finish(limn_eval_tokenizer *t);

#endif
