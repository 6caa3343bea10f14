#include "models/train/image_names.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/path.h"

#define MAX_LIST_SIZE ((size_t)1 << 30) /* bytes */

void limn_image_names_finish(limn_image_names *n)
{
    limn_string_table_finish(&n->names);
    limn_string_table_finish(&n->lasts);
    limn_free(n->newest);
    limn_free(n->older);
    *n = (limn_image_names){ 0 };
}

/* Notes that `index`, the newest name, has this last part. */
static limn_status add_last(limn_image_names *n, const char *last, uint32_t index, limn_error *err)
{
    const size_t n_before = n->lasts.n_strings;
    uint32_t number;
    if (!limn_grow((void **)&n->newest, &n->newest_capacity, n_before + 1, sizeof *n->newest) ||
        !limn_grow((void **)&n->older, &n->older_capacity, index + (size_t)1, sizeof *n->older))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    LIMN_TRY(limn_string_table_add(&number, &n->lasts, last, strlen(last), err));
    n->older[index] = n->lasts.n_strings > n_before ? LIMN_NO_IMAGE : n->newest[number];
    n->newest[number] = index;
    return LIMN_OK;
}

limn_status limn_image_names_add(limn_image_names *n, const char *name, limn_error *err)
{
    const size_t n_before = n->names.n_strings;
    uint32_t index;
    LIMN_TRY(limn_string_table_add(&index, &n->names, name, strlen(name), err));
    return n->names.n_strings > n_before ? add_last(n, limn_path_last(name), index, err) : LIMN_OK;
}

limn_status limn_image_names_add_all(limn_image_names *n, const limn_image_names *from,
                                     limn_error *err)
{
    for (size_t i = 0; i < limn_image_names_count(from); i++)
        LIMN_TRY(limn_image_names_add(n, limn_image_names_get(from, i), err));
    return LIMN_OK;
}

size_t limn_image_names_count(const limn_image_names *n)
{
    return n->names.n_strings;
}

const char *limn_image_names_get(const limn_image_names *n, size_t index)
{
    return limn_string_table_get(&n->names, (uint32_t)index);
}

/* ---- lists --------------------------------------------------------------------------------- */

static limn_status add_lines(limn_image_names *n, char *text, limn_error *err)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest))
        LIMN_TRY(limn_image_names_add(n, line, err));
    return LIMN_OK;
}

static limn_status add_text(limn_image_names *n, char *text, size_t size, limn_error *err)
{
    if (strlen(text) < size)
        return limn_fail(err, LIMN_E_FORMAT, "byte %zu is NUL; this is no list of names",
                         strlen(text) + 1);
    if (strspn(text, "\r\n") == size) return limn_fail(err, LIMN_E_FORMAT, "no name in it");
    return add_lines(n, text, err);
}

limn_status limn_image_names_read(limn_image_names *n, const char *path, limn_error *err)
{
    unsigned char *text = NULL;
    size_t size;
    limn_status s;
    LIMN_TRY(limn_file_read(&text, &size, path, MAX_LIST_SIZE, err));
    s = add_text(n, (char *)text, size, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_free(text);
    return s;
}

static bool has_extension(const char *name)
{
    const char *dot = strrchr(limn_path_last(name), '.');
    return dot && dot[1];
}

limn_status limn_image_names_add_captions(limn_image_names *n, const limn_caption_file *file,
                                          limn_error *err)
{
    for (size_t i = 0; i < file->n_records; i++) {
        const limn_caption_record *r = &file->records[i];
        const bool is_alias = r->alias && has_extension(r->alias) && !has_extension(r->id);
        LIMN_TRY(limn_image_names_add(n, is_alias ? r->alias : r->id, err));
    }
    return LIMN_OK;
}

/* ---- finding ------------------------------------------------------------------------------- */

/* Whether one of two paths is the end of the other: "a/b.jpg" of "x/a/b.jpg". */
static bool ends_alike(const char *a, const char *b)
{
    const size_t size_a = strlen(a), size_b = strlen(b);
    const char *longer = size_a > size_b ? a : b, *shorter = size_a > size_b ? b : a;
    const size_t more = size_a > size_b ? size_a - size_b : size_b - size_a;
    return strcmp(longer + more, shorter) == 0 && (more == 0 || longer[more - 1] == '/');
}

uint32_t limn_image_names_find(const limn_image_names *n, const char *name)
{
    const char *last = limn_path_last(name);
    uint32_t index, number, found = LIMN_NO_IMAGE;
    if (!n->names.n_strings) return LIMN_NO_IMAGE;
    if (limn_string_table_find(&index, &n->names, name, strlen(name))) return index;
    if (!limn_string_table_find(&number, &n->lasts, last, strlen(last))) return LIMN_NO_IMAGE;
    for (uint32_t i = n->newest[number]; i != LIMN_NO_IMAGE; i = n->older[i]) {
        if (!ends_alike(limn_image_names_get(n, i), name)) continue;
        if (found != LIMN_NO_IMAGE) return LIMN_NO_IMAGE;
        found = i;
    }
    return found;
}

uint32_t limn_image_names_find_record(const limn_image_names *n, const limn_caption_record *record)
{
    const uint32_t index = limn_image_names_find(n, record->id);
    return index == LIMN_NO_IMAGE && record->alias ? limn_image_names_find(n, record->alias)
                                                   : index;
}

/* ---- splitting and looking ----------------------------------------------------------------- */

limn_rng limn_image_rng(uint64_t seed, const char *name, const char *use, uint64_t number)
{
    const char *last = limn_path_last(name);
    const limn_rng image = limn_rng_stream(seed, last, strlen(last));
    char text[64];
    const int size = snprintf(text, sizeof text, "%.32s %llu", use, (unsigned long long)number);
    return limn_rng_stream(image.key, text, (size_t)size);
}

limn_status limn_image_names_split(limn_image_names *train, limn_image_names *dev,
                                   const limn_image_names *all, double dev_share, uint64_t seed,
                                   limn_error *err)
{
    for (size_t i = 0; i < limn_image_names_count(all); i++) {
        const char *name = limn_image_names_get(all, i);
        limn_rng rng = limn_image_rng(seed, name, "split", 0);
        const bool is_dev = limn_rng_uniform(&rng) < dev_share;
        LIMN_TRY(limn_image_names_add(is_dev ? dev : train, name, err));
    }
    return LIMN_OK;
}

limn_status limn_image_path(char **out, const char *folder, const char *name, limn_error *err)
{
    const size_t folder_size = name[0] == '/' ? 0 : strlen(folder);
    const bool needs_slash = folder_size > 0 && folder[folder_size - 1] != '/';
    const size_t size = folder_size + strlen(name) + 2;
    *out = limn_alloc(size, 1);
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a path");
    snprintf(*out, size, "%.*s%s%s", (int)folder_size, folder, needs_slash ? "/" : "", name);
    return LIMN_OK;
}

limn_status limn_image_names_present(limn_image_names *present, const limn_image_names *all,
                                     const char *folder, limn_error *err)
{
    for (size_t i = 0; i < limn_image_names_count(all); i++) {
        const char *name = limn_image_names_get(all, i);
        struct stat st;
        char *path;
        LIMN_TRY(limn_image_path(&path, folder, name, err));
        const bool is_there = stat(path, &st) == 0 && S_ISREG(st.st_mode);
        limn_free(path);
        if (is_there) LIMN_TRY(limn_image_names_add(present, name, err));
    }
    return LIMN_OK;
}
