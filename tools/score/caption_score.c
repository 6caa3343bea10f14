#include "tools/score/caption_score.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "common/text/file_name.h"

enum { N_DIGITS = 9 }; /* of numbers in JSON: a float's own */

size_t limn_caption_score_n_tokens(const limn_caption_score *s)
{
    return s->n_words + 1 - s->n_unknown;
}

double limn_perplexity(double logprob, size_t n_tokens)
{
    return exp(-logprob / (double)n_tokens);
}

double limn_caption_score_pmi(const limn_caption_score *s)
{
    return (s->logprob - s->logprob_without) / (double)limn_caption_score_n_tokens(s);
}

/* ---- text ----------------------------------------------------------------------------------- */

/* FILE, PMI a token, LOGPROB, PERPLEXITY, unknown words, CAPTION, tabs between. */
static void text_score(limn_buffer *out, const limn_caption_score *s)
{
    limn_file_name_append_line(out, s->record->id);
    limn_buffer_printf(out, "\t%.4f\t%.4f\t%.2f\t%zu\t", limn_caption_score_pmi(s), s->logprob,
                       limn_perplexity(s->logprob, limn_caption_score_n_tokens(s)), s->n_unknown);
    limn_file_name_append_line(out, s->record->caption);
    limn_buffer_append_text(out, "\n");
}

static void text_failure(limn_buffer *out, const limn_caption_record *record, bool has_caption,
                         const limn_error *error)
{
    (void)out, (void)record, (void)has_caption, (void)error;
}

static const limn_score_format text = { "text", text_score, text_failure };

/* ---- JSON lines ----------------------------------------------------------------------------- */

/* jansson passes short memory on as NULL; `is_whole` tells at the end. */
static void set(json_t *object, const char *key, json_t *value, bool *is_whole)
{
    if (json_object_set_new(object, key, value)) *is_whole = false;
}

/* null for what is unknown. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *tokens_of(const limn_caption_score *s, bool *is_whole)
{
    json_t *tokens = json_array();
    const char *word = s->tokens;
    for (size_t i = 0; i <= s->n_words; i++) {
        const size_t size = strcspn(word, " ");
        json_t *token = json_object();
        set(token, "token", i < s->n_words ? json_stringn(word, size) : json_string("</s>"),
            is_whole);
        set(token, "logprob", number((double)s->with[i]), is_whole);
        set(token, "logprob_without", number((double)s->without[i]), is_whole);
        set(token, "pmi", number((double)s->with[i] - (double)s->without[i]), is_whole);
        if (json_array_append_new(tokens, token)) *is_whole = false;
        word += size + (word[size] == ' ');
    }
    return tokens;
}

static int append(const char *bytes, size_t size, void *out)
{
    limn_buffer_append(out, bytes, size);
    return 0;
}

static void put_line(limn_buffer *out, json_t *object, bool is_whole)
{
    if (!is_whole ||
        json_dump_callback(object, append, out, JSON_COMPACT | JSON_REAL_PRECISION(N_DIGITS)))
        out->has_failed = true;
    limn_buffer_append(out, "\n", 1);
    json_decref(object);
}

static void json_score(limn_buffer *out, const limn_caption_score *s)
{
    const size_t n = limn_caption_score_n_tokens(s);
    json_t *object = json_object();
    bool is_whole = true;
    set(object, "file", json_string(s->record->id), &is_whole);
    set(object, "caption", json_string(s->record->caption), &is_whole);
    set(object, "pmi", number(limn_caption_score_pmi(s)), &is_whole);
    set(object, "logprob", number(s->logprob), &is_whole);
    set(object, "logprob_without", number(s->logprob_without), &is_whole);
    set(object, "perplexity", number(limn_perplexity(s->logprob, n)), &is_whole);
    set(object, "perplexity_without", number(limn_perplexity(s->logprob_without, n)), &is_whole);
    set(object, "unknown", json_integer((json_int_t)s->n_unknown), &is_whole);
    set(object, "tokens", tokens_of(s, &is_whole), &is_whole);
    put_line(out, object, is_whole);
}

static void json_failure(limn_buffer *out, const limn_caption_record *record, bool has_caption,
                         const limn_error *error)
{
    json_t *object = json_object(), *reason = json_object();
    limn_buffer detail = { 0 };
    bool is_whole = true;
    limn_file_name_append_utf8(&detail, error->text);
    set(object, "file", json_string(record->id), &is_whole);
    if (has_caption) set(object, "caption", json_string(record->caption), &is_whole);
    set(reason, "kind", json_string(limn_status_name(error->code)), &is_whole);
    set(reason, "detail", json_stringn(detail.bytes ? detail.bytes : "", detail.size), &is_whole);
    set(object, "error", reason, &is_whole);
    limn_buffer_finish(&detail);
    put_line(out, object, is_whole);
}

static const limn_score_format jsonl = { "jsonl", json_score, json_failure };

const limn_score_format *const limn_score_formats[] = { &text, &jsonl, NULL };
const char *const limn_score_format_names[] = { "text", "jsonl", NULL };
