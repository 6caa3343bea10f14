#include "tools/limn/caption_pages.h"

#include <stdio.h>

#include "common/text/file_name.h"

static limn_status captioned(void *ctx, const limn_annotated *image, limn_error *err)
{
    const caption_pages *p = ctx;
    const limn_dirwalk_entry input = { .path = image->path,
                                       .relative = image->relative,
                                       .is_named = image->is_named };
    if (limn_explain_is_wanted(&p->explain))
        LIMN_TRY(limn_explain_write(&p->explain, &input, image->found, p->model, &p->options,
                                    image->thumbnail, err));
    if (!p->sheet || !image->written->n_items) return LIMN_OK;
    return contact_sheet_add(p->sheet, image->name, &image->written->items[0], image->thumbnail,
                             err);
}

static limn_status failed(void *ctx, const char *name, const limn_error *failure, limn_error *err)
{
    const caption_pages *p = ctx;
    return p->sheet ? contact_sheet_add_failure(p->sheet, name, failure, err) : LIMN_OK;
}

/* The name, escaped as in the text format; whether it could be written is looked at in the end. */
static void to_do(void *ctx, const char *path)
{
    caption_pages *p = ctx;
    limn_buffer_clear(&p->line);
    limn_file_name_append_line(&p->line, path);
    limn_buffer_append_text(&p->line, "\n");
    fwrite(p->line.bytes, 1, p->line.size, stdout);
}

void caption_pages_follow(caption_pages *p, limn_annotate_settings *s)
{
    const bool is_explained = limn_explain_is_wanted(&p->explain);
    p->options = is_explained ? limn_explain_options(&p->explain, s->options) : *s->options;
    s->options = &p->options;
    s->thumbnail_side = is_explained ? LIMN_EXPLAIN_PHOTO_SIDE
                        : p->sheet   ? SHEET_THUMBNAIL_SIDE
                                     : 0;
    s->captioned = captioned;
    s->failed = failed;
    s->to_do = to_do;
}

limn_status caption_pages_write(caption_pages *p, const limn_account *account, limn_status status,
                                limn_error *err)
{
    size_t n_before = account->n_there;
    limn_error failure = { 0 };
    if (!p->sheet) return status;
    for (int s = 0; s < LIMN_N_STATUSES; s++) n_before += account->counts_before[s];
    if (contact_sheet_write(p->sheet, n_before, &failure) == LIMN_OK) return status;
    return status == LIMN_OK ? limn_fail(err, failure.code, "%s", failure.text) : status;
}

void caption_pages_finish(caption_pages *p)
{
    contact_sheet_destroy(&p->sheet);
    limn_buffer_finish(&p->line);
}
