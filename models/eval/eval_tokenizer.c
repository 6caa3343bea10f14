#include "models/eval/eval_tokenizer.h"

#include <string.h>

static limn_status run_ptb(const char **tokens, limn_eval_tokenizer *t, const char *caption,
                           size_t size, limn_error *err)
{
    return limn_ptb_tokenize(tokens, &t->ptb, caption, size, LIMN_PTB_DROP_PUNCTUATION, err);
}

static limn_status run_13a(const char **tokens, limn_eval_tokenizer *t, const char *caption,
                           size_t size, limn_error *err)
{
    return limn_mteval_tokenize(tokens, &t->mteval, LIMN_MTEVAL_13A, t->is_lower_case, caption,
                                size, err);
}

static limn_status run_intl(const char **tokens, limn_eval_tokenizer *t, const char *caption,
                            size_t size, limn_error *err)
{
    return limn_mteval_tokenize(tokens, &t->mteval, LIMN_MTEVAL_INTL, t->is_lower_case, caption,
                                size, err);
}

static limn_status run_char(const char **tokens, limn_eval_tokenizer *t, const char *caption,
                            size_t size, limn_error *err)
{
    return limn_mteval_tokenize(tokens, &t->mteval, LIMN_MTEVAL_CHAR, t->is_lower_case, caption,
                                size, err);
}

static limn_status run_none(const char **tokens, limn_eval_tokenizer *t, const char *caption,
                            size_t size, limn_error *err)
{
    return limn_mteval_tokenize(tokens, &t->mteval, LIMN_MTEVAL_NONE, t->is_lower_case, caption,
                                size, err);
}

static const limn_eval_tokenizer_kind kinds[] = {
    { .name = "ptb", .is_lower_case = true, .run = run_ptb },
    { .name = "13a", .run = run_13a },
    { .name = "intl", .run = run_intl },
    { .name = "char", .run = run_char },
    { .name = "none", .run = run_none },
};

const char *const limn_eval_tokenizer_names[] = { "ptb", "13a", "intl", "char", "none", NULL };

const limn_eval_tokenizer_kind *limn_eval_find_tokenizer(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    return NULL;
}

void limn_eval_tokenizer_finish(limn_eval_tokenizer *t)
{
    limn_ptb_finish(&t->ptb);
    limn_mteval_finish(&t->mteval);
    *t = (limn_eval_tokenizer){ 0 };
}
