#include "tools/eval/eval_tokenizer.h"

#include <string.h>

#include "common/text/utf8.h"

static limn_status run_ptb(const char **tokens, limn_eval_tokenizer *t, const char *caption,
                           size_t size, limn_error *err)
{
    return limn_ptb_tokenize(tokens, &t->ptb, caption, size, LIMN_PTB_DROP_PUNCTUATION, err);
}

/* The words as they are, between single spaces. */
static limn_status run_none(const char **tokens, limn_eval_tokenizer *t, const char *caption,
                            size_t size, limn_error *err)
{
    const char *word;
    size_t word_size;
    limn_buffer_clear(&t->out);
    limn_buffer_append_text(&t->out, "");
    while ((word = limn_utf8_next_word(&word_size, &caption, &size))) {
        if (t->out.size > 0) limn_buffer_append_text(&t->out, " ");
        limn_buffer_append(&t->out, word, word_size);
    }
    if (t->out.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a caption");
    *tokens = t->out.bytes;
    return LIMN_OK;
}

static const limn_eval_tokenizer_kind kinds[] = {
    { .name = "ptb", .is_lower_case = true, .run = run_ptb },
    { .name = "none", .is_lower_case = false, .run = run_none },
};

const char *const limn_eval_tokenizer_names[] = { "ptb", "none", NULL };

const limn_eval_tokenizer_kind *limn_eval_find_tokenizer(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    return NULL;
}

void limn_eval_tokenizer_finish(limn_eval_tokenizer *t)
{
    limn_ptb_finish(&t->ptb);
    limn_buffer_finish(&t->out);
    *t = (limn_eval_tokenizer){ 0 };
}
