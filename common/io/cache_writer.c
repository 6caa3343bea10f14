#include "common/io/cache_writer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"

struct limn_cache_writer {
    limn_npy_writer *rows;
    limn_file_writer *names;
};

/* "path.extension", which must not exist yet unless it is replaced. The caller frees it. */
static limn_status new_path(char **out, const char *path, const char *extension, bool replaces,
                            limn_error *err)
{
    const size_t size = strlen(path) + strlen(extension) + 1;
    *out = limn_alloc(size, 1);
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    snprintf(*out, size, "%s%s", path, extension);
    if (!replaces && !access(*out, F_OK))
        return limn_fail(err, LIMN_E_ARG, "%s: already exists; remove it or choose another name",
                         *out);
    return LIMN_OK;
}

limn_status limn_cache_writer_open(limn_cache_writer **out, const char *path,
                                   const limn_cache_shape *shape, bool replaces, limn_error *err)
{
    limn_cache_writer *w = limn_calloc(1, sizeof *w);
    char *npy = NULL, *txt = NULL;
    limn_status s = w ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    *out = w;
    if (s == LIMN_OK) s = new_path(&npy, path, ".npy", replaces, err);
    if (s == LIMN_OK) s = new_path(&txt, path, ".txt", replaces, err);
    if (s == LIMN_OK)
        s = limn_npy_writer_open(&w->rows, npy, shape->dtype, shape->n_dims, shape->row_shape, err);
    if (s == LIMN_OK) s = limn_file_writer_open(&w->names, txt, err);
    limn_free(npy);
    limn_free(txt);
    if (s != LIMN_OK) limn_cache_writer_discard(out);
    return s;
}

limn_status limn_cache_writer_check_name(const char *name, limn_error *err)
{
    if (strpbrk(name, "\n\r"))
        return limn_fail(err, LIMN_E_ARG, "its name has a line break, which the list can't hold");
    return LIMN_OK;
}

limn_status limn_cache_writer_add(limn_cache_writer *w, const char *name, const void *row,
                                  limn_error *err)
{
    LIMN_TRY(limn_npy_writer_add(w->rows, row, err));
    LIMN_TRY(limn_file_writer_write(w->names, name, strlen(name), err));
    return limn_file_writer_write(w->names, "\n", 1, err);
}

limn_status limn_cache_writer_commit(limn_cache_writer **w, limn_error *err)
{
    limn_status s = limn_file_writer_commit(&(*w)->names, err);
    if (s == LIMN_OK) s = limn_npy_writer_commit(&(*w)->rows, err);
    limn_cache_writer_discard(w);
    return s;
}

void limn_cache_writer_discard(limn_cache_writer **w)
{
    if (!w || !*w) return;
    limn_npy_writer_discard(&(*w)->rows);
    limn_file_writer_discard(&(*w)->names);
    limn_free(*w);
    *w = NULL;
}
