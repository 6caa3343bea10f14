#include "common/text/detokenize.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "common/text/utf8.h"

/* What a token becomes and which neighbours it joins. */
typedef struct piece {
    const char *text;
    size_t size;
    bool joins_before, joins_after;
} piece;

typedef struct sentence {
    char *out;
    size_t capacity, size; /* `size` also counts what did not fit */
    size_t end;            /* the size without trailing marks that can't end a sentence */
    bool is_joined;        /* no space comes before the next token */
    bool is_quoted;        /* within " " */
    bool has_letter;       /* the first one was written */
    bool is_ended;         /* by . ! ? and closing marks at most */
} sentence;

static bool is_one_of(const char *token, size_t size, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == size && memcmp(*words, token, size) == 0) return true;
    return false;
}

static bool is(const char *token, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(word, token, size) == 0;
}

/* ---- tokens --------------------------------------------------------------------------------- */

static piece respell(const char *token, size_t size)
{
    static const char *const spellings[][2] = {
        { "-lrb-", "(" }, { "-rrb-", ")" }, { "-lsb-", "[" }, { "-rsb-", "]" },
        { "-lcb-", "{" }, { "-rcb-", "}" }, { "i", "I" },     { "`", "'" },
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (is(token, size, spellings[i][0])) return (piece){ .text = spellings[i][1], .size = 1 };
    return (piece){ .text = token, .size = size };
}

/* The second half of a word that the Penn Treebank splits: "can" "not". */
static bool is_second_half(const char *before, const char *token, size_t size)
{
    static const char *const halves[][2] = {
        { "can ", "not" }, { "gon ", "na" }, { "wan ", "na" },
        { "got ", "ta" },  { "gim ", "me" }, { "lem ", "me" }
    };
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        if (is(token, size, halves[i][1]) && before && memcmp(before, halves[i][0], 4) == 0)
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* `before`: the four bytes before the token when they are a word of three letters, else NULL. */
static piece piece_of(const sentence *s, const char *before, const char *token, size_t size)
{
    static const char *const to_before[] = {
        ".",     ",", "!", "?", ":",  ";",   "%",   "...", "'",  "''", "-rrb-", "-rsb-",
        "-rcb-", ")", "]", "}", "'s", "'re", "'ve", "'ll", "'d", "'m", "n't",   NULL,
    };
    static const char *const to_after[] = { "-lrb-", "-lsb-", "-lcb-", "(",  "[", "{",
                                            "``",    "`",     "y'",    "'t", NULL };
    piece p = respell(token, size);
    p.joins_before = is_one_of(token, size, to_before) || is_second_half(before, token, size);
    p.joins_after = is_one_of(token, size, to_after);
    if (is(token, size, "$") || is(token, size, "#"))
        p.joins_after = token[1] == ' ' && is_digit(token[2]);
    if (is(token, size, "``") || is(token, size, "''"))
        p = (piece){ "\"", 1, p.joins_before, p.joins_after };
    else if (is(token, size, "\""))
        p = (piece){ "\"", 1, s->is_quoted, !s->is_quoted };
    return p;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void put(sentence *s, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++, s->size++)
        if (s->size + 1 < s->capacity) s->out[s->size] = bytes[i];
}

static bool is_letter(uint32_t code_point)
{
    const utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)code_point);
    return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO;
}

/* Where in `p` the letter to be capitalised begins; p->size when a digit comes first, or no letter.
 * `*code_point` is the letter, `*letter_size` its bytes. */
static size_t find_letter(uint32_t *code_point, size_t *letter_size, const piece *p)
{
    for (size_t at = 0; at < p->size; at += *letter_size) {
        *letter_size = limn_utf8_decode(code_point, p->text + at, p->size - at);
        if (*letter_size == 0 || is_digit(p->text[at])) break;
        if (is_letter(*code_point)) return at;
    }
    return p->size;
}

static void put_first(sentence *s, const piece *p)
{
    uint32_t code_point;
    char upper[4];
    size_t size = 0;
    const size_t at = find_letter(&code_point, &size, p);
    put(s, p->text, at);
    s->has_letter = at < p->size || is_digit(p->text[0]);
    if (at == p->size) return;
    put(s, upper, limn_utf8_encode(upper, (uint32_t)utf8proc_toupper((int32_t)code_point)));
    put(s, p->text + at + size, p->size - at - size);
}

/* What a token does to the end of the sentence, should it be the last. */
static void note_end(sentence *s, const piece *p)
{
    static const char *const ends[] = { ".", "!", "?", "...", NULL };
    static const char *const closes[] = { "\"", "'", ")", "]", "}", NULL };
    static const char *const pauses[] = { ",", ":", ";", NULL };
    const bool is_pause = is_one_of(p->text, p->size, pauses);
    const char last = p->text[p->size - 1];
    if (is_one_of(p->text, p->size, ends))
        s->is_ended = true;
    else if (!is_pause && !(is_one_of(p->text, p->size, closes) && p->joins_before))
        s->is_ended = last == '.';
    if (!is_pause) s->end = s->size;
}

static void put_piece(sentence *s, const piece *p)
{
    if (s->size > 0 && !s->is_joined && !p->joins_before) put(s, " ", 1);
    if (s->has_letter)
        put(s, p->text, p->size);
    else
        put_first(s, p);
    if (is(p->text, p->size, "\"")) s->is_quoted = p->joins_after;
    s->is_joined = p->joins_after;
    note_end(s, p);
}

size_t limn_detokenize(char *out, size_t capacity, const char *text)
{
    sentence s = { .out = out, .capacity = capacity };
    const char *token = text;
    while (*token) {
        const size_t size = strcspn(token, " ");
        const bool has_three =
            token - text >= 4 && token[-1] == ' ' && (token - text == 4 || token[-5] == ' ');
        const piece p = piece_of(&s, has_three ? token - 4 : NULL, token, size);
        if (size > 0) put_piece(&s, &p);
        token += size + (token[size] == ' ');
    }
    s.size = s.end;
    if (s.size > 0 && !s.is_ended) put(&s, ".", 1);
    out[s.size < capacity ? s.size : capacity - 1] = '\0';
    return s.size;
}
