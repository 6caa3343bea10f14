#include "tools/explain/explain_page.h"

#include <string.h>

#include "common/text/path.h"
#include "common/image/jpeg_write.h"
#include "tools/page/page.h"
#include "common/text/file_name.h"

enum { PHOTO_QUALITY = 85 };

/* explain.html, explain.css and explain.js, made into arrays at build */
extern const char limn_explain_html[], limn_explain_css[], limn_explain_js[];

static limn_status append_name(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_explanation *e = ctx;
    limn_buffer name = { 0 };
    limn_file_name_append_utf8(&name, limn_path_last(e->name));
    if (!name.has_failed) limn_page_escape(out, name.bytes);
    const bool has_failed = name.has_failed;
    limn_buffer_finish(&name);
    return has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory for a page") : LIMN_OK;
}

static limn_status append_caption(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_explanation *e = ctx;
    (void)err;
    limn_page_escape(out, e->captions->items[0].text);
    return LIMN_OK;
}

static limn_status append_photo(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_explanation *e = ctx;
    return limn_jpeg_append_uri(out, e->image->pixels, e->image->width, e->image->height,
                                PHOTO_QUALITY, err);
}

static limn_status append_size(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_explanation *e = ctx;
    (void)err;
    limn_buffer_printf(out, "width=\"%u\" height=\"%u\"", (unsigned)e->image->width,
                       (unsigned)e->image->height);
    return LIMN_OK;
}

static limn_status append_seen(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_explanation *e = ctx;
    limn_model_info info;
    (void)err;
    limn_model_get_info(e->model, &info);
    limn_buffer_append_text(out, info.shorter_side > 0
                                     ? "the middle of the photo, which is shown here"
                                     : "the whole photo squashed to a square");
    return LIMN_OK;
}

/* What is added to the shares of the cells, where these are not all. */
static limn_status append_shares(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_explanation *e = ctx;
    limn_model_info info;
    (void)err;
    limn_model_get_info(e->model, &info);
    if (info.n_prefix > 0)
        limn_buffer_append_text(out,
                                " with what it reads from the class position, and in some models "
                                "from the words before, which have no place in the photo and "
                                "are left out");
    return LIMN_OK;
}

static limn_status append_foot(limn_buffer *out, void *ctx, limn_error *err)
{
    const limn_explanation *e = ctx;
    (void)err;
    limn_buffer_printf(out, "limn %s, model ", limn_version());
    limn_page_escape(out, e->model_name);
    limn_buffer_append_text(out, ", ");
    limn_page_escape(out, e->settings);
    return LIMN_OK;
}

static limn_status append_data(limn_buffer *out, void *ctx, limn_error *err)
{
    return limn_explain_data_append(out, ctx, err);
}

limn_status limn_explain_page_append(limn_buffer *out, const limn_explanation *e, limn_error *err)
{
    const limn_page_part parts[] = {
        { "name", NULL, append_name },     { "caption", NULL, append_caption },
        { "photo", NULL, append_photo },   { "size", NULL, append_size },
        { "seen", NULL, append_seen },     { "shares", NULL, append_shares },
        { "foot", NULL, append_foot },     { "data", NULL, append_data },
        { "css", limn_explain_css, NULL }, { "js", limn_explain_js, NULL },
    };
    return limn_page_fill(out, limn_explain_html, parts, sizeof parts / sizeof *parts, (void *)e,
                          err);
}
