#include "tools/limn/sheet/contact_sheet.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "tools/limn/sheet/sheet_selection.h"
#include "common/image/jpeg_write.h"
#include "tools/page/page.h"
#include "tools/page/page_link.h"
#include "common/text/file_name.h"

enum { QUALITY = 76 };

/* sheet.html, sheet.css and sheet.js, made into arrays at build */
extern const char limn_sheet_html[], limn_sheet_css[], limn_sheet_js[];

struct contact_sheet {
    const char *path;
    pthread_mutex_t mutex; /* guards the selection and n_images */
    sheet_selection selection;
    size_t n_images, n_failures, n_before;
    json_t *failures; /* the first SHEET_FAILURES of them */
};

/* ---- gathering ----------------------------------------------------------------------------- */

/* What stands at the path already: nothing, or a page of ours. */
static limn_status check_path(const char *path, limn_error *err)
{
    static const char mark[] = "<meta name=\"generator\" content=\"limn\">";
    char head[512] = "";
    limn_file_writer *probe = NULL;
    FILE *f = fopen(path, "rb");
    if (f) {
        const size_t n = fread(head, 1, sizeof head - 1, f);
        fclose(f);
        if (n && !strstr(head, mark))
            return limn_fail(
                err, LIMN_E_ARG,
                "%s: exists and is not a contact sheet; remove it or choose another name", path);
    }
    LIMN_TRY(limn_file_writer_open_given(&probe, path, err));
    limn_file_writer_discard(&probe);
    return LIMN_OK;
}

limn_status contact_sheet_create(contact_sheet **out, const char *path, limn_error *err)
{
    contact_sheet *s;
    *out = NULL;
    LIMN_TRY(check_path(path, err));
    s = limn_calloc(1, sizeof *s);
    if (!s) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    s->path = path;
    pthread_mutex_init(&s->mutex, NULL);
    s->failures = json_array();
    *out = s;
    if (s->failures && sheet_selection_init(&s->selection, SHEET_LOWEST, SHEET_SAMPLE))
        return LIMN_OK;
    contact_sheet_destroy(out);
    return limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

void contact_sheet_destroy(contact_sheet **sheet)
{
    contact_sheet *s = sheet ? *sheet : NULL;
    if (!s) return;
    sheet_selection_finish(&s->selection);
    json_decref(s->failures);
    pthread_mutex_destroy(&s->mutex);
    limn_free(s);
    *sheet = NULL;
}

/* A name as text. */
static char *shown_name(const char *name)
{
    limn_buffer text = { 0 };
    limn_file_name_append_utf8(&text, name);
    limn_buffer_append(&text, "", 0);
    if (!text.has_failed) return text.bytes;
    limn_buffer_finish(&text);
    return NULL;
}

/* Counts the image; whether it is worth a JPEG. */
static bool is_wanted(contact_sheet *s, double rank, uint64_t hash)
{
    bool is;
    pthread_mutex_lock(&s->mutex);
    s->n_images++;
    is = sheet_selection_wants(&s->selection, rank, hash);
    pthread_mutex_unlock(&s->mutex);
    return is;
}

limn_status contact_sheet_add(contact_sheet *s, const char *name, const limn_caption *caption,
                              const limn_thumbnail *t, limn_error *err)
{
    const bool is_sure = !isnan(caption->confidence);
    sheet_image p = { .score = caption->score,
                      .confidence = caption->confidence,
                      .rank = is_sure ? caption->confidence : caption->score,
                      .hash = limn_fnv1a64(LIMN_FNV1A64_INIT, name, strlen(name)) };
    if (!is_wanted(s, p.rank, p.hash)) return LIMN_OK;
    p.name = limn_strdup(name);
    p.caption = limn_strdup(caption->text);
    if (!p.name || !p.caption ||
        limn_jpeg_append_uri(&p.thumbnail, t->pixels, t->width, t->height, QUALITY, err) ||
        p.thumbnail.has_failed) {
        sheet_image_finish(&p);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for a contact sheet");
    }
    pthread_mutex_lock(&s->mutex);
    sheet_selection_add(&s->selection, p);
    pthread_mutex_unlock(&s->mutex);
    return LIMN_OK;
}

limn_status contact_sheet_add_failure(contact_sheet *s, const char *name, const limn_error *failure,
                                      limn_error *err)
{
    char *text, *detail;
    json_t *object;
    if (s->n_failures++ >= SHEET_FAILURES) return LIMN_OK;
    text = shown_name(name);
    detail = shown_name(failure->text);
    object = text && detail ? json_pack("{s:s, s:s, s:s}", "name", text, "kind",
                                        limn_status_name(failure->code), "detail", detail)
                            : NULL;
    limn_free(text);
    limn_free(detail);
    if (!object || json_array_append_new(s->failures, object))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for a contact sheet");
    return LIMN_OK;
}

/* ---- the page ------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const sheet_image *)a)->name, ((const sheet_image *)b)->name);
}

/* A link only where the name is that of a file: members of archives have none. */
static bool set_link(json_t *object, const char *page, const char *name)
{
    limn_buffer link = { 0 };
    const bool is_there = limn_page_append_link(&link, page, name);
    const bool is_set =
        !link.has_failed &&
        (!is_there || !json_object_set_new(object, "link", json_string(link.bytes)));
    limn_buffer_finish(&link);
    return is_set;
}

static json_t *image_object(const sheet_image *p, const char *page)
{
    char *name = shown_name(p->name);
    json_t *object = name ? json_pack("{s:s, s:s, s:f, s:s}", "name", name, "caption", p->caption,
                                      "score", p->score, "thumbnail", p->thumbnail.bytes)
                          : NULL;
    limn_free(name);
    if (object && ((!isnan(p->confidence) &&
                    json_object_set_new(object, "confidence", json_real(p->confidence))) ||
                   !set_link(object, page, p->name))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* By name: a heap's own order depends on that of the images. It is no heap afterwards. */
static bool append_images(json_t *array, sheet_heap *h, const char *page)
{
    qsort(h->items, h->n_items, sizeof *h->items, compare_names);
    for (size_t i = 0; i < h->n_items; i++) {
        json_t *object = image_object(&h->items[i], page);
        if (!object || json_array_append_new(array, object)) return false;
    }
    return true;
}

static json_t *page_object(contact_sheet *s)
{
    json_t *images = json_array();
    if (!images || !append_images(images, &s->selection.lowest, s->path) ||
        !append_images(images, &s->selection.sample, s->path)) {
        json_decref(images);
        return NULL;
    }
    return json_pack("{s:O, s:o}", "failures", s->failures, "images", images);
}

static limn_status append_data(limn_buffer *out, void *ctx, limn_error *err)
{
    json_t *page = page_object(ctx);
    char *text = page ? json_dumps(page, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(page);
    if (!text) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a contact sheet");
    limn_page_append_json(out, text);
    limn_free(text);
    return LIMN_OK;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static limn_status append_lead(limn_buffer *out, void *ctx, limn_error *err)
{
    const contact_sheet *s = ctx;
    (void)err;
    limn_buffer_printf(out, "%zu image%s with a caption, %zu failed.", s->n_images,
                       plural(s->n_images), s->n_failures);
    if (s->n_before)
        limn_buffer_printf(out, " %zu from earlier runs %s not shown here.", s->n_before,
                           s->n_before == 1 ? "is" : "are");
    return LIMN_OK;
}

/* What is left out, if anything is. */
static limn_status append_bounds(limn_buffer *out, void *ctx, limn_error *err)
{
    const contact_sheet *s = ctx;
    const size_t n_shown = s->selection.lowest.n_items + s->selection.sample.n_items;
    (void)err;
    if (s->n_failures > SHEET_FAILURES)
        limn_buffer_printf(
            out, "<p>Of the failures, the first %d are shown; --errors lists all of them.</p>\n",
            SHEET_FAILURES);
    if (s->n_images > n_shown)
        limn_buffer_printf(out,
                           "<p>Of the captions, %zu are shown: the %zu least certain ones, and a "
                           "sample of %zu others.</p>\n",
                           n_shown, s->selection.lowest.n_items, s->selection.sample.n_items);
    return LIMN_OK;
}

limn_status contact_sheet_write(contact_sheet *s, size_t n_before, limn_error *err)
{
    const limn_page_part parts[] = {
        { "lead", NULL, append_lead }, { "bounds", NULL, append_bounds },
        { "data", NULL, append_data }, { "css", limn_sheet_css, NULL },
        { "js", limn_sheet_js, NULL },
    };
    s->n_before = n_before;
    return limn_page_write(s->path, true, limn_sheet_html, parts, sizeof parts / sizeof *parts, s,
                           err);
}
