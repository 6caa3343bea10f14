#include <jansson.h>
#include <stdlib.h>

#include "common/text/base64.h"
#include "common/base/mem.h"
#include "tools/explain/explain_page.h"
#include "common/image/jpeg_write.h"
#include "tools/page/page.h"

enum { N_DIGITS = 7, MAX_WHOLE_TREE = 256 };

/* jansson passes short memory on as NULL; `is_whole` tells at the end. */
typedef struct data {
    const limn_explanation *e;
    limn_model_info info;
    bool *is_told; /* [n_steps, max_rows] of which hypotheses all is told */
    size_t max_rows;
    limn_buffer maps; /* u16, little-endian */
    size_t n_maps;
    bool is_whole;
} data;

static void set(data *d, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value)) d->is_whole = false;
}

static void add(data *d, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value)) d->is_whole = false;
}

/* [token, logprob] */
static json_t *pair(data *d, uint32_t token, float logprob)
{
    json_t *array = json_array();
    add(d, array, json_string(limn_model_token(d->e->model, token)));
    add(d, array, json_real((double)logprob));
    return array;
}

/* ---- search --------------------------------------------------------------------------------- */

/* All hypotheses of a small tree; of a large one, those that captions came from. */
static limn_status choose_told(data *d, limn_error *err)
{
    const limn_captions *c = d->e->captions;
    size_t n_rows = 0;
    for (size_t i = 0; i < c->search->n_steps; i++) {
        n_rows += c->search->steps[i].n_rows;
        if (c->search->steps[i].n_rows > d->max_rows) d->max_rows = c->search->steps[i].n_rows;
    }
    d->is_told = limn_calloc(c->search->n_steps, d->max_rows * sizeof *d->is_told);
    if (!d->is_told) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a page");
    for (size_t i = 0; i < c->search->n_steps * d->max_rows; i++)
        d->is_told[i] = n_rows <= MAX_WHOLE_TREE;
    for (size_t i = 0; i < c->n_items; i++)
        for (size_t t = 0; t < c->items[i].n_tokens; t++)
            d->is_told[t * d->max_rows +
                       (size_t)(c->items[i].predictions[t] - c->search->steps[t].rows)] = true;
    return LIMN_OK;
}

static void append_map(data *d, const float *attention)
{
    const size_t n =
        (size_t)d->info.n_layers * d->info.n_heads * d->info.grid_width * d->info.grid_height;
    for (size_t i = 0; i < n; i++) {
        const unsigned value = (unsigned)(attention[i] * 65535.0f + 0.5f);
        const unsigned char bytes[2] = { value & 255, value >> 8 & 255 };
        limn_buffer_append(&d->maps, bytes, sizeof bytes);
    }
    d->n_maps++;
}

static json_t *row_object(data *d, size_t step, size_t row)
{
    const limn_prediction *p = &d->e->captions->search->steps[step].rows[row];
    json_t *object = json_object(), *alternatives;
    set(d, object, "p", json_integer((json_int_t)p->parent));
    set(d, object, "t", json_string(limn_model_token(d->e->model, p->token)));
    set(d, object, "l", json_real((double)p->token_logprob));
    if (!d->is_told[step * d->max_rows + row]) return object;
    alternatives = json_array();
    for (size_t i = 0; i < p->n_alternatives; i++)
        add(d, alternatives, pair(d, p->alternatives[i].token, p->alternatives[i].logprob));
    set(d, object, "e", json_real((double)p->entropy));
    set(d, object, "a", alternatives);
    set(d, object, "m", json_integer((json_int_t)d->n_maps));
    append_map(d, p->attention);
    return object;
}

static json_t *steps_of(data *d)
{
    const limn_search *search = d->e->captions->search;
    json_t *steps = json_array();
    for (size_t i = 0; i < search->n_steps; i++) {
        json_t *rows = json_array();
        for (size_t r = 0; r < search->steps[i].n_rows; r++) add(d, rows, row_object(d, i, r));
        add(d, steps, rows);
    }
    return steps;
}

/* ---- captions ------------------------------------------------------------------------------- */

static json_t *caption_object(data *d, const limn_caption *c)
{
    const limn_search_step *steps = d->e->captions->search->steps;
    const char *last = limn_model_token(d->e->model, c->tokens[c->n_tokens - 1]);
    json_t *object = json_object(), *rows = json_array(), *tokens = json_array();
    for (size_t i = 0; i < c->n_tokens; i++) {
        add(d, rows, json_integer((json_int_t)(c->predictions[i] - steps[i].rows)));
        add(d, tokens, pair(d, c->tokens[i], c->token_logprobs[i]));
    }
    set(d, object, "text", json_string(c->text));
    set(d, object, "logprob", json_real(c->logprob));
    set(d, object, "score", json_real(c->score));
    set(d, object, "rows", rows);
    set(d, object, "tokens", tokens);
    set(d, object, "ended", json_boolean(last[0] == '<' && last[1] == '/'));
    return object;
}

static json_t *maps_of(data *d)
{
    limn_buffer text = { 0 };
    limn_base64_append(&text, d->maps.bytes, d->maps.size);
    json_t *maps = json_stringn(text.bytes ? text.bytes : "", text.size);
    d->is_whole = d->is_whole && !text.has_failed && !d->maps.has_failed;
    limn_buffer_finish(&text);
    return maps;
}

static json_t *page_object(data *d)
{
    json_t *page = json_object(), *grid = json_array(), *captions = json_array();
    add(d, grid, json_integer((json_int_t)d->info.grid_width));
    add(d, grid, json_integer((json_int_t)d->info.grid_height));
    set(d, page, "grid", grid);
    set(d, page, "layers", json_integer((json_int_t)d->info.n_layers));
    set(d, page, "heads", json_integer((json_int_t)d->info.n_heads));
    set(d, page, "sampled", json_boolean(d->e->is_sampled));
    set(d, page, "steps", steps_of(d));
    for (size_t i = 0; i < d->e->captions->n_items; i++)
        add(d, captions, caption_object(d, &d->e->captions->items[i]));
    set(d, page, "captions", captions);
    set(d, page, "maps", maps_of(d));
    return page;
}

limn_status limn_explain_data_append(limn_buffer *out, const limn_explanation *e, limn_error *err)
{
    data d = { .e = e, .is_whole = true };
    limn_model_get_info(e->model, &d.info);
    LIMN_TRY(choose_told(&d, err));
    json_t *page = page_object(&d);
    char *text = json_dumps(page, JSON_COMPACT | JSON_REAL_PRECISION(N_DIGITS));
    if (text) limn_page_append_json(out, text);
    json_decref(page);
    free(text);
    limn_free(d.is_told);
    limn_buffer_finish(&d.maps);
    return text && d.is_whole ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory for a page");
}
