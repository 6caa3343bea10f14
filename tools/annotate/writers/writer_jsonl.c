#include <jansson.h>

#include "models/confidence.h"
#include "common/text/file_name.h"
#include "tools/annotate/writers/json_line.h"
#include "tools/annotate/writers/writer.h"

static void set_scores(json_t *object, const limn_caption *caption, const limn_record *record,
                       bool *is_whole)
{
    limn_json_line_set(object, "caption", json_string(caption->text), is_whole);
    limn_json_line_set(object, "logprob", json_real(caption->logprob), is_whole);
    limn_json_line_set(object, "score", json_real(caption->score), is_whole);
    if (record->has_confidence)
        limn_json_line_set(object, "confidence", json_real(caption->confidence), is_whole);
}

/* What stands for captions none of which is sure enough: of the best, why. */
static void set_left_out(json_t *object, const limn_record *record, bool *is_whole)
{
    limn_json_line_set(object, "caption", json_null(), is_whole);
    limn_json_line_set(object, "why", json_string("low confidence"), is_whole);
    limn_json_line_set(object, "confidence", json_real(record->best->confidence), is_whole);
}

static json_t *signals_of(const limn_caption *caption, bool *is_whole)
{
    json_t *all = json_object();
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
        limn_json_line_set(all, limn_signal_names[i], json_real((double)caption->signals[i]),
                           is_whole);
    return all;
}

static json_t *token_object(const limn_model *model, uint32_t token, float logprob, bool *is_whole)
{
    json_t *object = json_object();
    limn_json_line_set(object, "token", json_string(limn_model_token(model, token)), is_whole);
    limn_json_line_set(object, "logprob", json_real((double)logprob), is_whole);
    return object;
}

/* What could have come instead, where the user asked for it. */
static void set_alternatives(json_t *token, const limn_prediction *p, const limn_record *record,
                             bool *is_whole)
{
    json_t *all = json_array();
    for (size_t i = 0; i < p->n_alternatives && i < record->n_alternatives; i++) {
        const limn_alternative *a = &p->alternatives[i];
        if (json_array_append_new(all, token_object(record->model, a->token, a->logprob, is_whole)))
            *is_whole = false;
    }
    limn_json_line_set(token, "entropy", json_real((double)p->entropy), is_whole);
    limn_json_line_set(token, "alternatives", all, is_whole);
}

static json_t *tokens_of(const limn_caption *caption, const limn_record *record, bool *is_whole)
{
    json_t *tokens = json_array();
    for (size_t i = 0; i < caption->n_tokens; i++) {
        json_t *token =
            token_object(record->model, caption->tokens[i], caption->token_logprobs[i], is_whole);
        if (record->n_alternatives > 0)
            set_alternatives(token, caption->predictions[i], record, is_whole);
        if (json_array_append_new(tokens, token)) *is_whole = false;
    }
    return tokens;
}

static json_t *tags_of(const limn_captions *captions, bool *is_whole)
{
    json_t *all = json_array();
    for (size_t i = 0; i < captions->n_tags; i++) {
        json_t *one = json_object();
        limn_json_line_set(one, "tag", json_string(captions->tags[i].name), is_whole);
        limn_json_line_set(one, "probability", json_real((double)captions->tags[i].probability),
                           is_whole);
        limn_json_line_set(one, "set", json_string(captions->tags[i].set), is_whole);
        if (json_array_append_new(all, one)) *is_whole = false;
    }
    return all;
}

static json_t *captions_of(const limn_captions *captions, const limn_record *record, bool *is_whole)
{
    json_t *all = json_array();
    for (size_t i = 0; i < captions->n_items; i++) {
        json_t *one = json_object();
        set_scores(one, &captions->items[i], record, is_whole);
        if (captions->items[i].n_drawn > 1)
            limn_json_line_set(one, "drawn", json_integer(captions->items[i].n_drawn), is_whole);
        if (json_array_append_new(all, one)) *is_whole = false;
    }
    return all;
}

static json_t *error_of(const limn_error *error, bool *is_whole)
{
    json_t *object = json_object();
    limn_buffer detail = { 0 };
    limn_file_name_append_utf8(&detail, error->text); /* it may quote bytes of a file */
    limn_json_line_set(object, "kind", json_string(limn_status_name(error->code)), is_whole);
    limn_json_line_set(object, "detail",
                       json_stringn(detail.bytes ? detail.bytes : "", detail.size), is_whole);
    limn_buffer_finish(&detail);
    return object;
}

static void set_captions(json_t *object, const limn_record *record, bool *is_whole)
{
    if (limn_record_is_left_out(record)) {
        set_left_out(object, record, is_whole);
    } else {
        const limn_caption *best = &record->captions->items[0];
        set_scores(object, best, record, is_whole);
        limn_json_line_set(object, "tokens", tokens_of(best, record, is_whole), is_whole);
    }
    if (record->has_n_best)
        limn_json_line_set(object, "captions", captions_of(record->captions, record, is_whole),
                           is_whole);
    if (record->has_signals)
        limn_json_line_set(object, "signals", signals_of(record->best, is_whole), is_whole);
    if (record->captions->n_tags > 0)
        limn_json_line_set(object, "tags", tags_of(record->captions, is_whole), is_whole);
}

/* One object a line, keys in this order; errors too. */
static void render_jsonl(limn_buffer *out, const limn_record *record)
{
    json_t *object = json_object();
    bool is_whole = true;
    limn_json_line_set_name(object, "file", record->path, &is_whole);
    if (record->error)
        limn_json_line_set(object, "error", error_of(record->error, &is_whole), &is_whole);
    else
        set_captions(object, record, &is_whole);
    limn_json_line_append(out, object, is_whole);
    limn_buffer_append(out, "\n", 1);
}

static limn_status parse_jsonl(limn_buffer *name, size_t *record_size, const char *text,
                               size_t size, limn_error *err)
{
    return limn_json_line_parse_record(name, record_size, text, size, "file", err);
}

const limn_writer limn_writer_jsonl = {
    .name = "jsonl",
    .extension = ".jsonl",
    .render = render_jsonl,
    .parse = parse_jsonl,
};
