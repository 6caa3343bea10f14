#include "common/metrics/meteor_normalize.h"

#include "common/text/java_lower.h"
#include "common/text/utf8.h"

/* A run of n dots, which stays one word, is the "code point" DOT_RUN + n while other rules work. */
enum { DOT_RUN = 0x200000 };

/* ---- classes of characters ---------------------------------------------------------------- */

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* METEOR's own list of western and Cyrillic letters, not Unicode's. */
static bool is_alpha(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        { 'A', 'Z' },       { 'a', 'z' },       { 0xC0, 0xD6 },
        { 0xD8, 0xF6 },     { 0xF8, 0x17E },    { 0x400, 0x527 },
        { 0xA640, 0xA66E }, { 0xA67E, 0xA697 }, { 0x1D00, 0x1D7F },
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    return false;
}

static bool is_alnum(uint32_t c)
{
    return is_digit(c) || is_alpha(c);
}

static bool is_alnum_or_dot(uint32_t c)
{
    return is_alnum(c) || c == '.';
}

static bool is_not_digit(uint32_t c)
{
    return !is_digit(c);
}

static bool is_not_alpha(uint32_t c)
{
    return !is_alpha(c);
}

static bool is_not_alnum(uint32_t c)
{
    return !is_alnum(c);
}

static bool is_letter_s(uint32_t c)
{
    return c == 's';
}

/* Not VT: it stays part of a word. */
static bool is_word_break(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_kept_in_words(uint32_t c)
{
    return is_alnum(c) || is_word_break(c) || c == '\v' || c == '.' || c == '\'' || c == '`' ||
           c == ',' || c == '-' || c == 0x2018 || c == 0x2019;
}

static bool is_wide_space(uint32_t c)
{
    return c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* ---- passes: each reads `in` and writes `out` --------------------------------------------- */

static void separate_symbols(limn_code_points *out, const limn_code_points *in)
{
    for (size_t i = 0; i < in->n_items; i++) {
        const bool is_symbol = !is_kept_in_words(in->items[i]);
        if (is_symbol) limn_code_points_put(out, ' ');
        limn_code_points_put(out, in->items[i]);
        if (is_symbol) limn_code_points_put(out, ' ');
    }
}

static void join_dot_runs(limn_code_points *out, const limn_code_points *in)
{
    for (size_t i = 0; i < in->n_items;) {
        size_t n_dots = 0;
        while (i + n_dots < in->n_items && in->items[i + n_dots] == '.') n_dots++;
        if (n_dots < 2) {
            limn_code_points_put(out, in->items[i++]);
            continue;
        }
        limn_code_points_put(out, ' ');
        limn_code_points_put(out, DOT_RUN + (uint32_t)n_dots);
        limn_code_points_put(out, ' ');
        i += n_dots;
    }
}

/* All single quotes become ', doubled ones a separate ". */
static void join_quotes(limn_code_points *out, const limn_code_points *in)
{
    for (size_t i = 0; i < in->n_items; i++) {
        const uint32_t c = in->items[i];
        const bool is_single = c == '\'' || c == '`' || c == 0x2018 || c == 0x2019;
        const uint32_t next = i + 1 < in->n_items ? in->items[i + 1] : 0;
        const bool is_next_single = next == '\'' || next == '`' || next == 0x2018 || next == 0x2019;
        if ((is_single && is_next_single) || c == 0x201C || c == 0x201D) {
            limn_code_points_put_ascii(out, " \" ");
            i += is_single;
        } else {
            limn_code_points_put(out, is_single ? '\'' : c);
        }
    }
}

static uint32_t dash_of(uint32_t c)
{
    return c == 0x2013 ? '-' : c;
}

static void join_dashes(limn_code_points *out, const limn_code_points *in)
{
    for (size_t i = 0; i < in->n_items; i++) {
        const uint32_t c = dash_of(in->items[i]);
        limn_code_points_put(out, c);
        if (c == '-' && i + 1 < in->n_items && dash_of(in->items[i + 1]) == '-') i++;
    }
}

/* left middle right  ->  left between right, for triples that do not overlap: `right` of one is
 * never `left` of the next, as when a regular expression replaces all its matches. */
typedef struct rule {
    bool (*is_left)(uint32_t);
    uint32_t middle;
    bool (*is_right)(uint32_t);
    const char *between;
} rule;

static void apply_rule(limn_code_points *out, const limn_code_points *in, const rule *r)
{
    for (size_t i = 0; i < in->n_items; i++) {
        const uint32_t *c = in->items + i;
        limn_code_points_put(out, c[0]);
        if (i + 2 < in->n_items && c[1] == r->middle && r->is_left(c[0]) && r->is_right(c[2])) {
            limn_code_points_put_ascii(out, r->between);
            limn_code_points_put(out, c[2]);
            i += 2;
        }
    }
}

/* ---- the order of the passes -------------------------------------------------------------- */

static void swap(limn_meteor_normalizer *n)
{
    const limn_code_points old_in = n->in;
    n->in = n->out;
    n->out = old_in;
    n->out.n_items = 0;
}

static void apply_rules(limn_meteor_normalizer *n, const rule *rules, size_t n_rules)
{
    for (size_t i = 0; i < n_rules; i++) {
        apply_rule(&n->out, &n->in, &rules[i]);
        swap(n);
    }
}

static void separate_words(limn_meteor_normalizer *n)
{
    static const rule commas[] = {
        { is_not_digit, ',', is_not_digit, " , " },
        { is_digit, ',', is_not_digit, " , " },
        { is_not_digit, ',', is_digit, " , " },
    };
    static const rule dashes_and_apostrophes[] = {
        { is_alnum_or_dot, '-', is_alnum, " " }, { is_not_alpha, '\'', is_not_alpha, " ' " },
        { is_not_alnum, '\'', is_alpha, " ' " }, { is_alpha, '\'', is_not_alpha, " ' " },
        { is_alpha, '\'', is_alpha, " '" },      { is_digit, '\'', is_letter_s, " '" },
    };
    static void (*const passes[])(limn_code_points *, const limn_code_points *) = { join_quotes,
                                                                                    join_dashes };
    separate_symbols(&n->out, &n->in);
    swap(n);
    join_dot_runs(&n->out, &n->in);
    swap(n);
    apply_rules(n, commas, sizeof commas / sizeof *commas);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        passes[i](&n->out, &n->in);
        swap(n);
    }
    apply_rules(n, dashes_and_apostrophes,
                sizeof dashes_and_apostrophes / sizeof *dashes_and_apostrophes);
}

/* ---- final dots --------------------------------------------------------------------------- */

typedef struct span {
    const uint32_t *items; /* [n_items] */
    size_t n_items;
} span;

/* The word that begins at or after *i, which moves past it; empty at the end. */
static span next_word(const limn_code_points *in, size_t *i)
{
    while (*i < in->n_items && is_word_break(in->items[*i])) ++*i;
    const size_t begin = *i;
    while (*i < in->n_items && !is_word_break(in->items[*i])) ++*i;
    return (span){ in->items + begin, *i - begin };
}

static bool find_prefix(bool *is_numeric_only, const limn_meteor_prefixes *p, span word)
{
    char bytes[64];
    size_t size = 0;
    uint32_t number;
    for (size_t i = 0; i < word.n_items; i++) {
        if (size + 4 > sizeof bytes || word.items[i] >= DOT_RUN) return false;
        size += limn_utf8_encode(bytes + size, word.items[i]);
    }
    if (!limn_string_table_find(&number, &p->words, bytes, size)) return false;
    *is_numeric_only = p->is_numeric_only[number];
    return true;
}

/* "u.s" in "u.s.": letters with a dot among them */
static bool is_acronym(span stem)
{
    bool has_dot = false, has_letter = false;
    for (size_t i = 0; i < stem.n_items; i++) {
        has_dot |= stem.items[i] == '.';
        has_letter |= is_alpha(stem.items[i]);
    }
    return has_dot && has_letter;
}

/* Whether "stem." before a word that begins with `next` (0 at the end) keeps its dot. */
static bool keeps_dot(const limn_meteor_prefixes *p, span stem, uint32_t next)
{
    bool is_numeric_only = false;
    const bool is_prefix = find_prefix(&is_numeric_only, p, stem);
    return (is_prefix && !is_numeric_only) || (next >= 'a' && next <= 'z') ||
           (is_prefix && is_digit(next));
}

static void put_word(limn_code_points *out, const limn_meteor_prefixes *p, span word, uint32_t next)
{
    const bool has_dot = word.n_items > 1 && word.items[word.n_items - 1] == '.';
    const span stem = { word.items, word.n_items - has_dot };
    const bool drops_dots = has_dot && is_acronym(stem);
    for (size_t i = 0; i < stem.n_items; i++)
        if (!drops_dots || stem.items[i] != '.') limn_code_points_put(out, stem.items[i]);
    if (has_dot && !drops_dots)
        limn_code_points_put_ascii(out, keeps_dot(p, stem, next) ? "." : " .");
    limn_code_points_put(out, ' ');
}

static void split_final_dots(limn_meteor_normalizer *n, const limn_meteor_prefixes *prefixes)
{
    size_t i = 0;
    for (span word = next_word(&n->in, &i), next; word.n_items; word = next) {
        next = next_word(&n->in, &i);
        put_word(&n->out, prefixes, word, next.n_items ? next.items[0] : 0);
    }
    swap(n);
}

/* ---- in and out --------------------------------------------------------------------------- */

/* Without the control characters at both ends; wide spaces become spaces, dot runs dots again. */
static limn_status write_words(limn_text *text, const limn_code_points *in, limn_error *err)
{
    size_t begin = 0, end = in->n_items;
    char bytes[4];
    while (begin < end && in->items[begin] <= ' ') begin++;
    while (end > begin && in->items[end - 1] <= ' ') end--;
    for (; begin < end; begin++) {
        uint32_t c = in->items[begin];
        for (; c > DOT_RUN + 1; c--) LIMN_TRY(limn_text_append(text, ".", 1, err));
        c = c == DOT_RUN + 1 ? '.' : is_wide_space(c) ? ' ' : c;
        LIMN_TRY(limn_text_append(text, bytes, limn_utf8_encode(bytes, c), err));
    }
    return limn_text_append(text, " ", 1, err);
}

limn_status limn_meteor_normalize(limn_text *words, limn_meteor_normalizer *n,
                                  const limn_meteor_prefixes *prefixes, const char *caption,
                                  size_t size, limn_error *err)
{
    limn_code_points_clear(&n->in);
    limn_code_points_clear(&n->out);
    limn_code_points_put(&n->in, ' ');
    LIMN_TRY(limn_code_points_put_utf8(&n->in, caption, size, err));
    limn_code_points_put(&n->in, ' ');
    separate_words(n);
    split_final_dots(n, prefixes);
    if (n->in.has_failed || n->out.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_text_clear(&n->text);
    LIMN_TRY(write_words(&n->text, &n->in, err));
    return limn_java_append_lower(words, n->text.bytes, n->text.size, err);
}

void limn_meteor_normalizer_finish(limn_meteor_normalizer *n)
{
    limn_code_points_finish(&n->in);
    limn_code_points_finish(&n->out);
    limn_text_finish(&n->text);
    *n = (limn_meteor_normalizer){ 0 };
}
