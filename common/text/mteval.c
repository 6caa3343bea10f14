#include "common/text/mteval.h"

#include <string.h>
#include <utf8proc.h>

#include "common/text/utf8.h"

void limn_mteval_finish(limn_mteval *m)
{
    limn_code_points_finish(&m->in);
    limn_code_points_finish(&m->out);
    limn_text_finish(&m->text);
    limn_text_finish(&m->tokens);
}

static void swap(limn_mteval *m)
{
    const limn_code_points old_in = m->in;
    m->in = m->out;
    m->out = old_in;
    limn_code_points_clear(&m->out);
    m->out.has_failed = old_in.has_failed;
}

/* ---- classes of characters ---------------------------------------------------------------- */

static bool is_ascii_symbol(uint32_t c)
{
    return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

static bool is_ascii_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_no_ascii_digit(uint32_t c)
{
    return !is_ascii_digit(c);
}

static bool is_dot_or_comma(uint32_t c)
{
    return c == '.' || c == ',';
}

static bool is_dash(uint32_t c)
{
    return c == '-';
}

static utf8proc_category_t category(uint32_t c)
{
    return utf8proc_category((utf8proc_int32_t)c);
}

static bool is_no_number(uint32_t c)
{
    return category(c) < UTF8PROC_CATEGORY_ND || category(c) > UTF8PROC_CATEGORY_NO;
}

static bool is_punctuation(uint32_t c)
{
    return category(c) >= UTF8PROC_CATEGORY_PC && category(c) <= UTF8PROC_CATEGORY_PO;
}

static bool is_symbol(uint32_t c)
{
    return category(c) >= UTF8PROC_CATEGORY_SM && category(c) <= UTF8PROC_CATEGORY_SO;
}

/* ---- rules ---------------------------------------------------------------------------------- */

static void separate(limn_mteval *m, bool (*is_separate)(uint32_t))
{
    for (size_t i = 0; i < m->in.n_items; i++) {
        const uint32_t c = m->in.items[i];
        limn_code_points_put_ascii(&m->out, is_separate(c) ? " " : "");
        limn_code_points_put(&m->out, c);
        limn_code_points_put_ascii(&m->out, is_separate(c) ? " " : "");
    }
    swap(m);
}

/* first second  ->  before first between second after, for pairs that do not overlap, from the
 * left. */
typedef struct pair_rule {
    bool (*is_first)(uint32_t);
    bool (*is_second)(uint32_t);
    const char *before, *after;
} pair_rule;

static void separate_pairs(limn_mteval *m, const pair_rule *r)
{
    for (size_t i = 0; i < m->in.n_items; i++) {
        const uint32_t *c = m->in.items + i;
        const bool is_pair = i + 1 < m->in.n_items && r->is_first(c[0]) && r->is_second(c[1]);
        if (!is_pair) {
            limn_code_points_put(&m->out, c[0]);
            continue;
        }
        limn_code_points_put_ascii(&m->out, r->before);
        limn_code_points_put(&m->out, c[0]);
        limn_code_points_put(&m->out, ' ');
        limn_code_points_put(&m->out, c[1]);
        limn_code_points_put_ascii(&m->out, r->after);
        i++;
    }
    swap(m);
}

static void apply_13a(limn_mteval *m)
{
    static const pair_rule rules[] = {
        { is_no_ascii_digit, is_dot_or_comma, "", " " },
        { is_dot_or_comma, is_no_ascii_digit, " ", "" },
        { is_ascii_digit, is_dash, "", " " },
    };
    separate(m, is_ascii_symbol);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) separate_pairs(m, &rules[i]);
}

static void apply_intl(limn_mteval *m)
{
    static const pair_rule rules[] = {
        { is_no_number, is_punctuation, "", " " },
        { is_punctuation, is_no_number, " ", "" },
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) separate_pairs(m, &rules[i]);
    separate(m, is_symbol);
}

static bool is_any(uint32_t c)
{
    (void)c;
    return true;
}

/* ---- 13a before its rules ------------------------------------------------------------------- */

/* Replaces in place; `new_text` is never longer than `old`. */
static void replace_all(limn_text *text, const char *old, const char *new_text)
{
    const size_t old_size = strlen(old), new_size = strlen(new_text);
    size_t size = 0;
    for (size_t i = 0; i < text->size;) {
        if (text->size - i >= old_size && memcmp(text->bytes + i, old, old_size) == 0) {
            memcpy(text->bytes + size, new_text, new_size);
            size += new_size;
            i += old_size;
        } else {
            text->bytes[size++] = text->bytes[i++];
        }
    }
    text->size = size;
}

static void undo_markup(limn_text *text)
{
    static const char *const replacements[][2] = {
        { "<skipped>", "" }, { "-\n", "" },   { "\n", " " },   { "&quot;", "\"" },
        { "&amp;", "&" },    { "&lt;", "<" }, { "&gt;", ">" },
    };
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++)
        replace_all(text, replacements[i][0], replacements[i][1]);
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* Cuts the white space at the end of `text`, of which `c` are the code points. */
static void cut_final_spaces(limn_text *text, limn_code_points *c)
{
    char bytes[4];
    while (c->n_items > 0 && limn_utf8_is_space(c->items[c->n_items - 1]))
        text->size -= limn_utf8_encode(bytes, c->items[--c->n_items]);
}

/* Lower case first, then the white space at the end goes, then the markup: the order matters. */
static limn_status prepare(limn_mteval *m, limn_mteval_tokenizer tokenizer, bool is_lower_case,
                           const char *caption, size_t size, limn_error *err)
{
    limn_text_clear(&m->text);
    LIMN_TRY(is_lower_case ? limn_utf8_append_lower(&m->text, caption, size, err)
                           : limn_text_append(&m->text, caption, size, err));
    limn_code_points_clear(&m->in);
    limn_code_points_clear(&m->out);
    LIMN_TRY(limn_code_points_put_utf8(&m->in, m->text.bytes, m->text.size, err));
    if (m->in.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    cut_final_spaces(&m->text, &m->in);
    if (tokenizer != LIMN_MTEVAL_13A) return LIMN_OK;
    undo_markup(&m->text);
    limn_code_points_clear(&m->in);
    limn_code_points_put(&m->in, ' ');
    LIMN_TRY(limn_code_points_put_utf8(&m->in, m->text.bytes, m->text.size, err));
    limn_code_points_put(&m->in, ' ');
    return LIMN_OK;
}

static limn_status write_tokens(limn_text *out, const limn_code_points *in, limn_error *err)
{
    bool is_separated = true;
    char bytes[4];
    limn_text_clear(out);
    LIMN_TRY(limn_text_append(out, "", 0, err));
    for (size_t i = 0; i < in->n_items; i++) {
        if (limn_utf8_is_space(in->items[i])) {
            is_separated = true;
            continue;
        }
        if (is_separated && out->size > 0) LIMN_TRY(limn_text_append(out, " ", 1, err));
        is_separated = false;
        LIMN_TRY(limn_text_append(out, bytes, limn_utf8_encode(bytes, in->items[i]), err));
    }
    return LIMN_OK;
}

limn_status limn_mteval_tokenize(const char **tokens, limn_mteval *m,
                                 limn_mteval_tokenizer tokenizer, bool is_lower_case,
                                 const char *caption, size_t size, limn_error *err)
{
    LIMN_TRY(prepare(m, tokenizer, is_lower_case, caption, size, err));
    if (tokenizer == LIMN_MTEVAL_13A)
        apply_13a(m);
    else if (tokenizer == LIMN_MTEVAL_INTL)
        apply_intl(m);
    else if (tokenizer == LIMN_MTEVAL_CHAR)
        separate(m, is_any);
    if (m->in.has_failed || m->out.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    LIMN_TRY(write_tokens(&m->tokens, &m->in, err));
    *tokens = m->tokens.bytes;
    return LIMN_OK;
}
