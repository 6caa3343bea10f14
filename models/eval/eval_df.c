#include "models/eval/eval_df.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"

static const char magic[] = "#limn-df\t";
#define DF_FILE_MAX_SIZE ((size_t)4 << 30)

/* A whole number below 2^32 at *text, which moves past it and the byte `end` after it. */
static bool read_number(uint32_t *out, const char **text, char end)
{
    uint64_t value = 0;
    const char *at = *text;
    while (*at >= '0' && *at <= '9' && value <= UINT32_MAX)
        value = 10 * value + (uint64_t)(*at++ - '0');
    if (at == *text || *at != end || value > UINT32_MAX) return false;
    *out = (uint32_t)value;
    *text = at + 1;
    return true;
}

/* The n-gram of a line's words. *is_known: whether the data has all of them. */
static bool read_ngram(limn_ngram *out, bool *is_known, const char *words,
                       const limn_string_table *strings)
{
    size_t n_words = 0;
    *is_known = true;
    *out = (limn_ngram){ { LIMN_NO_WORD, LIMN_NO_WORD, LIMN_NO_WORD, LIMN_NO_WORD } };
    while (words) {
        const size_t size = strcspn(words, " ");
        if (size == 0 || n_words == LIMN_NGRAM_MAX_ORDER) return false;
        *is_known &= limn_string_table_find(&out->words[n_words++], strings, words, size);
        words = words[size] ? words + size + 1 : NULL;
    }
    return true;
}

static limn_status parse_header(limn_cider_df *df, const char *line, const limn_eval_data *data,
                                limn_error *err)
{
    const char *name = line + strlen(magic), *tab, *number;
    uint32_t n_images;
    if (strncmp(line, magic, strlen(magic)) != 0 || !(tab = strchr(name, '\t')))
        return limn_fail(err, LIMN_E_FORMAT,
                         "not document frequencies written by limn-eval --save-df");
    if (strncmp(name, data->tokenizer->name, (size_t)(tab - name)) != 0 ||
        strlen(data->tokenizer->name) != (size_t)(tab - name))
        return limn_fail(err, LIMN_E_ARG, "made with the tokenizer %.*s, not with %s",
                         (int)(tab - name), name, data->tokenizer->name);
    number = tab + 1;
    if (!read_number(&n_images, &number, '\0') || n_images == 0)
        return limn_fail(err, LIMN_E_FORMAT, "line 1: \"%.40s\" is not a number of images",
                         tab + 1);
    limn_cider_df_set_n_images(df, n_images);
    return LIMN_OK;
}

static limn_status parse_line(limn_cider_df *df, const char *line, size_t line_number,
                              const limn_eval_data *data, limn_error *err)
{
    uint32_t count;
    limn_ngram ngram;
    bool is_known;
    const char *at = line;
    if (!read_number(&count, &at, '\t') || !read_ngram(&ngram, &is_known, at, &data->strings))
        return limn_fail(err, LIMN_E_FORMAT,
                         "line %zu: \"%.40s\" is not a number, a tab and 1 … %d words", line_number,
                         line, LIMN_NGRAM_MAX_ORDER);
    if (count > limn_cider_df_n_images(df))
        return limn_fail(err, LIMN_E_FORMAT, "line %zu: %u images of %u", line_number, count,
                         limn_cider_df_n_images(df));
    return is_known ? limn_cider_df_set(df, &ngram, count, err) : LIMN_OK;
}

limn_status limn_eval_df_load(limn_cider_df *df, const char *path, const limn_eval_data *data,
                              limn_error *err)
{
    unsigned char *bytes;
    size_t size, line_number = 0;
    limn_status status = LIMN_OK;
    LIMN_TRY(limn_file_read(&bytes, &size, path, DF_FILE_MAX_SIZE, err));
    for (char *line = (char *)bytes, *next; status == LIMN_OK && line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        if (++line_number == 1)
            status = parse_header(df, line, data, err);
        else if (line[0])
            status = parse_line(df, line, line_number, data, err);
    }
    limn_free(bytes);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    return status;
}

limn_status limn_eval_df_save(const char *path, const limn_cider_df *df, const limn_eval_data *data,
                              limn_error *err)
{
    const limn_ngram_table *table = limn_cider_df_ngrams(df);
    limn_buffer out = { 0 };
    limn_status status;
    limn_buffer_printf(&out, "%s%s\t%u\n", magic, data->tokenizer->name,
                       limn_cider_df_n_images(df));
    for (size_t i = 0; i < table->n_ngrams; i++) {
        limn_buffer_printf(&out, "%u\t", table->entries[i].count);
        for (size_t w = 0; w < LIMN_NGRAM_MAX_ORDER; w++) {
            const uint32_t word = table->entries[i].ngram.words[w];
            if (word == LIMN_NO_WORD) break;
            limn_buffer_append_text(&out, w > 0 ? " " : "");
            limn_buffer_append_text(&out, limn_string_table_get(&data->strings, word));
        }
        limn_buffer_append_text(&out, "\n");
    }
    status = out.has_failed
                 ? limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams", table->n_ngrams)
                 : limn_file_replace_given(path, out.bytes, out.size, err);
    limn_buffer_finish(&out);
    return status;
}
