#include "common/text/numbered_words.h"

#include <string.h>

#include "common/base/mem.h"

limn_status limn_numbered_words_fill(limn_numbered_words *out, limn_string_table *table,
                                     const char *text, limn_error *err)
{
    out->n_words = 0;
    while (*text) {
        const size_t size = strcspn(text, " ");
        if (!limn_grow((void **)&out->words, &out->capacity, out->n_words + 1, sizeof *out->words))
            return limn_fail(err, LIMN_E_NOMEM, "no memory for the words of a caption");
        if (size > 0)
            LIMN_TRY(limn_string_table_add(&out->words[out->n_words++], table, text, size, err));
        text += size + (text[size] == ' ');
    }
    return LIMN_OK;
}

void limn_numbered_words_finish(limn_numbered_words *w)
{
    limn_free(w->words);
    *w = (limn_numbered_words){ .n_words = 0 };
}
