#include <string.h>

#include "common/base/mem.h"
#include "common/metrics/meteor_normalize.h"
#include "common/metrics/meteor_resource.h"

/* "word", "word #NUMERIC_ONLY#" or "# a comment" */
static limn_status parse_line(limn_meteor_prefixes *p, const char *line, const char *end,
                              limn_error *err)
{
    static const char NUMERIC[] = "#NUMERIC_ONLY#";
    size_t size, mark_size;
    uint32_t number;
    const char *word = limn_meteor_next_word(&size, &line, end);
    if (!word || *word == '#') return LIMN_OK;
    LIMN_TRY(limn_string_table_add(&number, &p->words, word, size, err));
    if (!limn_grow((void **)&p->is_numeric_only, &p->capacity, p->words.n_strings, sizeof(bool)))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    const char *mark = limn_meteor_next_word(&mark_size, &line, end);
    p->is_numeric_only[number] =
        mark && mark_size == strlen(NUMERIC) && memcmp(mark, NUMERIC, mark_size) == 0;
    return LIMN_OK;
}

limn_status limn_meteor_prefixes_parse(limn_meteor_prefixes *out, const char *text, size_t size,
                                       limn_error *err)
{
    const char *end = text + size, *line;
    size_t line_size;
    while ((line = limn_meteor_next_line(&line_size, &text, end)))
        LIMN_TRY(parse_line(out, line, line + line_size, err));
    return LIMN_OK;
}

void limn_meteor_prefixes_finish(limn_meteor_prefixes *p)
{
    limn_string_table_finish(&p->words);
    limn_free(p->is_numeric_only);
    *p = (limn_meteor_prefixes){ 0 };
}
