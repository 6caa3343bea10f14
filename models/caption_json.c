#include "models/caption_json.h"

#include <math.h>
#include <string.h>

#include "common/base/float_env.h"
#include "common/base/status.h"
#include "common/io/json_line.h"
#include "common/text/file_name.h"
#include "models/confidence.h"
#include "models/options.h"

static void set_scores(json_t *object, const limn_caption *caption, const limn_json_captions *from,
                       bool *is_whole)
{
    limn_json_line_set(object, "caption", json_string(caption->text), is_whole);
    limn_json_line_set(object, "logprob", json_real(caption->logprob), is_whole);
    limn_json_line_set(object, "score", json_real(caption->score), is_whole);
    if (from->has_confidence)
        limn_json_line_set(object, "confidence", json_real(caption->confidence), is_whole);
}

/* What is written when no caption is sure enough: the best one's confidence, as the reason. */
static void set_left_out(json_t *object, const limn_json_captions *from, bool *is_whole)
{
    limn_json_line_set(object, "caption", json_null(), is_whole);
    limn_json_line_set(object, "why", json_string("low confidence"), is_whole);
    limn_json_line_set(object, "confidence", json_real(from->best->confidence), is_whole);
}

static json_t *signals_of(const limn_caption *caption, bool *is_whole)
{
    json_t *all = json_object();
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
        limn_json_line_set(all, limn_signal_names[i], json_real((double)caption->signals[i]),
                           is_whole);
    return all;
}

static void set_token(json_t *object, const limn_model *model, uint32_t token, float logprob,
                      bool *is_whole)
{
    limn_json_line_set(object, "token", json_string(limn_model_token(model, token)), is_whole);
    limn_json_line_set(object, "logprob", json_real((double)logprob), is_whole);
}

/* The alternatives to a token, if requested. */
static void set_alternatives(json_t *token, const limn_prediction *p,
                             const limn_json_captions *from, bool *is_whole)
{
    json_t *all = json_array();
    for (size_t i = 0; i < p->n_alternatives && i < from->n_alternatives; i++) {
        const limn_alternative *a = &p->alternatives[i];
        json_t *one = json_object();
        set_token(one, from->model, a->token, a->logprob, is_whole);
        if (json_array_append_new(all, one)) *is_whole = false;
    }
    limn_json_line_set(token, "entropy", json_real((double)p->entropy), is_whole);
    limn_json_line_set(token, "alternatives", all, is_whole);
}

static json_t *tokens_of(const limn_caption *caption, const limn_json_captions *from,
                         bool *is_whole)
{
    json_t *tokens = json_array();
    for (size_t i = 0; i < caption->n_tokens; i++) {
        json_t *token = json_object();
        if (from->has_ids)
            limn_json_line_set(token, "id", json_integer(caption->tokens[i]), is_whole);
        set_token(token, from->model, caption->tokens[i], caption->token_logprobs[i], is_whole);
        if (from->n_alternatives > 0)
            set_alternatives(token, caption->predictions[i], from, is_whole);
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

static json_t *captions_of(const limn_captions *captions, const limn_json_captions *from,
                           bool *is_whole)
{
    json_t *all = json_array();
    for (size_t i = 0; i < captions->n_items; i++) {
        json_t *one = json_object();
        set_scores(one, &captions->items[i], from, is_whole);
        if (captions->items[i].n_drawn > 1)
            limn_json_line_set(one, "drawn", json_integer(captions->items[i].n_drawn), is_whole);
        if (json_array_append_new(all, one)) *is_whole = false;
    }
    return all;
}

void limn_json_captions_set(json_t *object, const limn_json_captions *from, bool *is_whole)
{
    if (from->captions->n_items == 0) {
        set_left_out(object, from, is_whole);
    } else {
        const limn_caption *best = &from->captions->items[0];
        set_scores(object, best, from, is_whole);
        limn_json_line_set(object, "tokens", tokens_of(best, from, is_whole), is_whole);
    }
    if (from->has_n_best)
        limn_json_line_set(object, "captions", captions_of(from->captions, from, is_whole),
                           is_whole);
    if (from->has_signals)
        limn_json_line_set(object, "signals", signals_of(from->best, is_whole), is_whole);
    if (from->captions->n_tags > 0)
        limn_json_line_set(object, "tags", tags_of(from->captions, is_whole), is_whole);
}

void limn_json_failure_set(json_t *object, const limn_error *failure, bool *is_whole)
{
    json_t *error = json_object();
    limn_buffer detail = { 0 };
    limn_file_name_append_utf8(&detail, failure->text); /* it may quote bytes of a file */
    limn_json_line_set(error, "kind", json_string(limn_status_name(failure->code)), is_whole);
    limn_json_line_set(error, "detail", json_stringn(detail.bytes ? detail.bytes : "", detail.size),
                       is_whole);
    limn_buffer_finish(&detail);
    limn_json_line_set(object, "error", error, is_whole);
}

json_t *limn_json_captions_texts(const limn_captions *captions, bool *is_whole)
{
    json_t *texts = json_array();
    for (size_t i = 0; i < captions->n_items; i++)
        if (json_array_append_new(texts, json_string(captions->items[i].text))) *is_whole = false;
    return texts;
}

/* ---- as text ------------------------------------------------------------------------------ */

/* The finished line with its NUL into out [size] if it fits; frees the line. */
static limn_status give_line(limn_buffer *line, char *out, size_t size, size_t *needed,
                             limn_error *err)
{
    const bool is_whole = !line->has_failed;
    if (is_whole) {
        *needed = line->size + 1;
        if (*needed <= size) memcpy(out, line->bytes, *needed);
    }
    limn_buffer_finish(line);
    return is_whole ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "no memory for a line of JSON");
}

/* Numbers are rounded to their digits under the library's own rounding. */
static void render_captions(limn_buffer *line, const limn_json_captions *from, const char *name)
{
    const limn_float_env env = limn_float_env_enter();
    json_t *object = json_object();
    bool is_whole = true;
    if (name) limn_json_line_set_name(object, "file", name, &is_whole);
    limn_json_captions_set(object, from, &is_whole);
    limn_json_line_append(line, object, is_whole);
    limn_float_env_leave(&env);
}

limn_status limn_captions_json(const limn_captions *captions, const limn_model *model,
                               const limn_options *options, const char *name, char *out,
                               size_t size, size_t *needed, limn_error *err)
{
    limn_buffer line = { 0 };
    limn_options all;
    if (!captions || !captions->n_items || !model || !needed || (size && !out))
        return limn_fail(err, LIMN_E_ARG, "an argument is NULL, or captions are empty");
    LIMN_TRY(limn_options_take(&all, options, err));
    const limn_json_captions from = { .captions = captions,
                                      .model = model,
                                      .best = &captions->items[0],
                                      .has_n_best = all.n_best > 1,
                                      .has_confidence = !isnan(captions->items[0].confidence),
                                      .has_ids = all.search != LIMN_SEARCH_LIMN,
                                      .n_alternatives = all.n_alternatives };
    render_captions(&line, &from, name);
    return give_line(&line, out, size, needed, err);
}

limn_status limn_failure_json(const limn_error *failure, const char *name, char *out, size_t size,
                              size_t *needed, limn_error *err)
{
    limn_buffer line = { 0 };
    bool is_whole = true;
    if (!failure || !name || !needed || (size && !out))
        return limn_fail(err, LIMN_E_ARG, "an argument is NULL");
    json_t *object = json_object();
    limn_json_line_set_name(object, "file", name, &is_whole);
    limn_json_failure_set(object, failure, &is_whole);
    limn_json_line_append(&line, object, is_whole);
    return give_line(&line, out, size, needed, err);
}
