#include "tools/explain/explanation_files.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/text/path.h"
#include "tools/explain/attention_files.h"
#include "tools/explain/explain_page.h"
#include "tools/explain/result_files.h"
#include "tools/explain/seen_part.h"

enum { N_ALTERNATIVES = 8 }; /* at least, to each word of a page */

bool limn_explain_is_wanted(const limn_explain_settings *s)
{
    return s->page_dir || s->attention_dir;
}

/* The hypotheses of a beam that may finish. */
static uint32_t n_finishing(const limn_options *o)
{
    const double n = floor((double)o->beam_size * (double)o->patience + 0.5);
    return n < 1 ? 1 : n > 64 ? 64 : (uint32_t)n;
}

limn_options limn_explain_options(const limn_explain_settings *s, const limn_options *options)
{
    limn_options o = *options;
    o.keeps_attention = true;
    if (!s->page_dir) return o;
    if (o.n_alternatives < N_ALTERNATIVES) o.n_alternatives = N_ALTERNATIVES;
    if (o.method == LIMN_METHOD_BEAM && o.rerank == LIMN_RERANK_NONE && o.n_candidates == 0 &&
        o.n_best < n_finishing(&o))
        o.n_best = n_finishing(&o);
    return o;
}

/* ---- page ----------------------------------------------------------------------------------- */

static void append_search(limn_buffer *out, const limn_options *o)
{
    if (o->method != LIMN_METHOD_BEAM)
        limn_buffer_printf(out, "samples of temperature %g", (double)o->temperature);
    else if (o->beam_size == 1)
        limn_buffer_append_text(out, "greedy search");
    else
        limn_buffer_printf(out, "beam search with %u hypotheses", (unsigned)o->beam_size);
}

static limn_status write_page(const limn_explain_settings *s, const limn_dirwalk_entry *input,
                              limn_explanation *e, const limn_options *options, limn_error *err)
{
    limn_buffer path = { 0 }, page = { 0 }, search = { 0 };
    limn_result_path_append(&path, s->page_dir, input);
    limn_buffer_append_text(&path, ".html");
    append_search(&search, options);
    limn_status status = LIMN_OK;
    if (path.has_failed || search.has_failed)
        status = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    e->settings = search.bytes;
    if (status == LIMN_OK) status = limn_explain_page_append(&page, e, err);
    if (status == LIMN_OK)
        status = limn_result_file_write(path.bytes, strlen(s->page_dir), &page, err);
    limn_buffer_finish(&path);
    limn_buffer_finish(&page);
    limn_buffer_finish(&search);
    return status;
}

/* ---- attention ------------------------------------------------------------------------------ */

static limn_status write_attention(const limn_explain_settings *s, const limn_dirwalk_entry *input,
                                   const limn_explanation *e, size_t number, limn_error *err)
{
    limn_buffer folder = { 0 };
    limn_result_path_append(&folder, s->attention_dir, input);
    if (s->n_best > 1) limn_buffer_printf(&folder, "/%zu", number + 1);
    const limn_status status =
        folder.has_failed
            ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
            : limn_attention_files_write(folder.bytes, strlen(s->attention_dir),
                                         &e->captions->items[number], e->model, e->image, err);
    limn_buffer_finish(&folder);
    return status;
}

static limn_status write_files(const limn_explain_settings *s, const limn_dirwalk_entry *input,
                               limn_explanation *e, const limn_options *options, limn_error *err)
{
    for (size_t i = 0; s->attention_dir && i < e->captions->n_items && i < s->n_best; i++)
        LIMN_TRY(write_attention(s, input, e, i, err));
    return s->page_dir ? write_page(s, input, e, options, err) : LIMN_OK;
}

limn_status limn_explain_write(const limn_explain_settings *s, const limn_dirwalk_entry *input,
                               const limn_captions *captions, const limn_model *model,
                               const limn_options *options, const limn_thumbnail *image,
                               limn_error *err)
{
    limn_model_info info;
    limn_thumbnail *part;
    limn_model_get_info(model, &info);
    LIMN_TRY(limn_seen_part(&part, image, &info, err));
    limn_explanation e = { .name = input->path,
                           .image = part ? part : image,
                           .captions = captions,
                           .model = model,
                           .model_name = limn_path_last(s->model_path),
                           .is_sampled = options->method != LIMN_METHOD_BEAM };
    const limn_status status = write_files(s, input, &e, options, err);
    limn_free(part);
    return status;
}
