/* Captions next to their images: NAME.txt or NAME.json for NAME.jpg. */
#include "common/io/captions_parse.h"

#include <string.h>
#include <strings.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/dirwalk.h"
#include "common/io/fileio.h"
#include "common/text/image_name.h"
#include "common/text/string_table.h"
#include "common/text/utf8.h"

enum { NONE = -1 };
#define SIDECAR_MAX_SIZE ((size_t)1 << 20) /* bytes */

/* The files of a folder and those below, by name and by stem. */
typedef struct folder {
    char *path;              /* without slashes at its end, unless it is nothing else */
    const char *slash;       /* what separates it from a name */
    limn_string_table files; /* names below the folder, in the order of the walk */
    limn_string_table stems; /* of images: names without their endings */
    uint32_t *image, *rival; /* [n stems] an image of that stem, and another one */
    size_t capacity, rival_capacity;
} folder;

/* The bytes of a name before the dot of its ending; all where there is none. */
static size_t stem_size(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');
    return dot && (!slash || dot > slash + 1) && dot > name ? (size_t)(dot - name) : strlen(name);
}

static bool is_sidecar(const char *name)
{
    return strcasecmp(name + stem_size(name), ".txt") == 0;
}

/* img2dataset's: what it knows of an image, its caption among it. */
static bool is_json(const char *name)
{
    return strcasecmp(name + stem_size(name), ".json") == 0;
}

static limn_status add_image(folder *f, const char *name, uint32_t file, limn_error *err)
{
    const size_t n_before = f->stems.n_strings;
    uint32_t stem;
    LIMN_TRY(limn_string_table_add(&stem, &f->stems, name, stem_size(name), err));
    if (!limn_grow((void **)&f->image, &f->capacity, f->stems.n_strings, sizeof *f->image) ||
        !limn_grow((void **)&f->rival, &f->rival_capacity, f->stems.n_strings, sizeof *f->rival))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (f->stems.n_strings > n_before) f->image[stem] = file;
    f->rival[stem] = file;
    return LIMN_OK;
}

static limn_status add_file(folder *f, const char *path, limn_error *err)
{
    const char *name = path + strlen(f->path) + strlen(f->slash);
    uint32_t number;
    LIMN_TRY(limn_string_table_add(&number, &f->files, name, strlen(name), err));
    return limn_image_name_has_ending(name) ? add_image(f, name, number, err) : LIMN_OK;
}

static limn_status walk(folder *f, limn_error *err)
{
    const limn_dirwalk_settings settings = { .is_recursive = true, .list_fd = -1, .wake_fd = -1 };
    limn_dirwalk *w = NULL;
    limn_dirwalk_entry entry = { 0 };
    limn_status s = limn_dirwalk_create(&w, &f->path, 1, &settings, err);
    while (s == LIMN_OK && (s = limn_dirwalk_next(w, &entry, err)) == LIMN_OK && entry.path)
        s = add_file(f, entry.path, err);
    if (s != LIMN_OK && entry.path) limn_error_prefix(err, "%s", entry.path);
    limn_dirwalk_destroy(&w);
    return s;
}

static limn_status read_names(folder *f, const char *path, limn_error *err)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') size--;
    f->path = limn_strndup(path, size);
    if (!f->path) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    f->slash = f->path[size - 1] == '/' ? "" : "/";
    return walk(f, err);
}

static void finish(folder *f)
{
    limn_free(f->path);
    limn_string_table_finish(&f->files);
    limn_string_table_finish(&f->stems);
    limn_free(f->image);
    limn_free(f->rival);
}

/* The image of a sidecar: NAME.jpg.txt names it whole, NAME.txt by its stem. `*file` is NONE
 * when there is none. */
static limn_status find_image(int64_t *file, const folder *f, const char *sidecar, limn_error *err)
{
    const size_t size = stem_size(sidecar);
    uint32_t number;
    *file = NONE;
    if (limn_string_table_find(&number, &f->files, sidecar, size) &&
        !is_sidecar(limn_string_table_get(&f->files, number))) {
        *file = number;
    } else if (limn_string_table_find(&number, &f->stems, sidecar, size)) {
        const char *image = limn_string_table_get(&f->files, f->image[number]);
        *file = f->image[number];
        if (f->rival[number] != f->image[number])
            return limn_fail(err, LIMN_E_FORMAT,
                             "is next to both %s and %s; name it %s.txt if it belongs to the first",
                             image, limn_string_table_get(&f->files, f->rival[number]), image);
    }
    return LIMN_OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

static limn_status add_lines(limn_caption_file *out, const limn_caption_item *item,
                             limn_caption_text text, limn_error *err)
{
    limn_caption_text line;
    limn_status s;
    size_t n_lines = 0;
    while (limn_caption_next_line(&line, &text, &n_lines, &s, err)) {
        if (limn_caption_is_blank(line)) continue;
        limn_caption_begin_entry(out);
        s = limn_caption_add(out, item, line, err);
        if (s != LIMN_OK) {
            limn_error_prefix(err, "line %zu", n_lines);
            return s;
        }
    }
    return s;
}

/* The caption of a document; nothing where it has none: the document may be about something else.
 */
static limn_status add_json(limn_caption_file *out, const limn_caption_item *item,
                            limn_caption_text text, limn_error *err)
{
    json_t *document = NULL;
    limn_status s = limn_json_parse(&document, text.bytes, text.size, err);
    if (s == LIMN_OK && limn_caption_has_text(json_object_get(document, "caption"))) {
        const limn_json_node root = limn_json_root(document);
        limn_json_node caption;
        limn_caption_begin_entry(out);
        s = limn_json_get(&caption, &root, "caption", err);
        if (s == LIMN_OK) s = limn_caption_add_value(out, &caption, item, err);
    }
    json_decref(document);
    return s;
}

typedef limn_status add_text_fn(limn_caption_file *out, const limn_caption_item *item,
                                limn_caption_text text, limn_error *err);

static limn_status read_sidecar(limn_caption_file *out, const limn_caption_item *item,
                                const char *path, add_text_fn *add, limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size;
    if (limn_utf8_valid_size(item->id.bytes, item->id.size) < item->id.size)
        return limn_fail(err, LIMN_E_FORMAT, "%s: the image's name is not valid UTF-8", path);
    LIMN_TRY(limn_file_read(&bytes, &size, path, SIDECAR_MAX_SIZE, err));
    char *text = (char *)bytes;
    limn_status s = limn_caption_decode(&text, &size, err);
    if (s == LIMN_OK) s = add(out, item, (limn_caption_text){ text ? text : "", size }, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_free(text);
    return s;
}

/* The JSON beside an image, which counts where its text file is blank or missing. */
static limn_status read_json_beside(limn_caption_file *out, const folder *f,
                                    const limn_caption_item *item, limn_error *err)
{
    limn_buffer name = { 0 }, path = { 0 };
    limn_status s = LIMN_OK;
    uint32_t number;
    limn_buffer_append(&name, item->id.bytes, stem_size(item->id.bytes));
    limn_buffer_append_text(&name, ".json");
    limn_buffer_printf(&path, "%s%s%s", f->path, f->slash, name.bytes ? name.bytes : "");
    if (name.has_failed || path.has_failed)
        s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    else if (limn_string_table_find(&number, &f->files, name.bytes, name.size))
        s = read_sidecar(out, item, path.bytes, add_json, err);
    limn_buffer_finish(&name);
    limn_buffer_finish(&path);
    return s;
}

/* The captions of an image, which has a text file; an empty record where it is blank. */
static limn_status read_text(limn_caption_file *out, const folder *f, const char *image,
                             const char *path, limn_error *err)
{
    const limn_caption_item item = { .id = limn_caption_text_of(image) };
    const size_t n_before = out->n_records;
    LIMN_TRY(read_sidecar(out, &item, path, add_lines, err));
    if (out->n_records == n_before) LIMN_TRY(read_json_beside(out, f, &item, err));
    if (out->n_records > n_before) return LIMN_OK;
    limn_caption_begin_entry(out);
    return limn_caption_add(out, &item, (limn_caption_text){ 0 }, err);
}

static limn_status add_sidecar(limn_caption_file *out, const folder *f, const char *sidecar,
                               limn_error *err)
{
    limn_buffer path = { 0 };
    int64_t file;
    limn_status s;
    limn_buffer_printf(&path, "%s%s%s", f->path, f->slash, sidecar);
    if (path.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    s = find_image(&file, f, sidecar, err);
    if (s != LIMN_OK)
        limn_error_prefix(err, "%s", path.bytes);
    else if (file == NONE)
        s = limn_caption_note_orphan(out, path.bytes, err);
    else
        s = read_text(out, f, limn_string_table_get(&f->files, (uint32_t)file), path.bytes, err);
    limn_buffer_finish(&path);
    return s;
}

/* Whether a name's stem with this ending is among the files. */
static bool has_beside(const folder *f, const char *name, const char *ending)
{
    limn_buffer beside = { 0 };
    uint32_t number;
    limn_buffer_append(&beside, name, stem_size(name));
    limn_buffer_append_text(&beside, ending);
    const bool has =
        !beside.has_failed && limn_string_table_find(&number, &f->files, beside.bytes, beside.size);
    limn_buffer_finish(&beside);
    return has;
}

/* A JSON beside one image, without a text file between. */
static limn_status add_json_sidecar(limn_caption_file *out, const folder *f, const char *sidecar,
                                    limn_error *err)
{
    int64_t file;
    if (has_beside(f, sidecar, ".txt") || find_image(&file, f, sidecar, NULL) != LIMN_OK ||
        file == NONE)
        return LIMN_OK;
    const char *image = limn_string_table_get(&f->files, (uint32_t)file);
    if (strlen(image) < stem_size(sidecar) || stem_size(image) != stem_size(sidecar))
        return LIMN_OK; /* NAME.jpg.json is others' */
    return read_json_beside(out, f, &(limn_caption_item){ .id = limn_caption_text_of(image) }, err);
}

limn_status limn_caption_read_folder(limn_caption_file *file, const char *path, limn_error *err)
{
    folder f = { 0 };
    limn_status s = read_names(&f, path, err);
    file->format = "sidecar files";
    for (size_t i = 0; i < f.files.n_strings && s == LIMN_OK; i++) {
        const char *name = limn_string_table_get(&f.files, (uint32_t)i);
        if (is_sidecar(name))
            s = add_sidecar(file, &f, name, err);
        else if (is_json(name))
            s = add_json_sidecar(file, &f, name, err);
    }
    if (s == LIMN_OK && file->n_records == 0)
        s = limn_fail(err, LIMN_E_FORMAT,
                      "%s: no image in this folder has a text file next to it (NAME.txt or "
                      "NAME.json for NAME.jpg)",
                      path);
    finish(&f);
    return s;
}
