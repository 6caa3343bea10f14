#include "models/train/row_cache.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"

#define MAX_LIST_SIZE ((size_t)4 << 30) /* bytes */
#define BLOCK_SIZE ((size_t)32 << 20)   /* bytes of rows at once */
enum { MAX_PATH_SIZE = 4096 };

/* ---- reading ------------------------------------------------------------------------------- */

static void describe(limn_buffer *out, limn_npy_dtype dtype, size_t n_dims, const size_t *shape)
{
    static const char *const names[] = {
        [LIMN_NPY_U8] = "u8", [LIMN_NPY_F16] = "f16", [LIMN_NPY_F32] = "f32"
    };
    limn_buffer_printf(out, "%s [n", names[dtype]);
    for (size_t i = 0; i < n_dims; i++) limn_buffer_printf(out, ", %zu", shape[i]);
    limn_buffer_append_text(out, "]");
}

static limn_status fail_shape(const limn_npy_map *m, const limn_cache_shape *shape, limn_error *err)
{
    limn_buffer text = { 0 };
    if (m->n_dims == 0) return limn_fail(err, LIMN_E_FORMAT, "is an array without dimensions");
    describe(&text, m->dtype, m->n_dims - 1, m->shape + 1);
    limn_buffer_append_text(&text, ", expected ");
    describe(&text, shape->dtype, shape->n_dims, shape->row_shape);
    limn_fail(err, LIMN_E_FORMAT, "is %s", text.has_failed ? "of another shape" : text.bytes);
    limn_buffer_finish(&text);
    return LIMN_E_FORMAT;
}

static limn_status check_shape(const limn_npy_map *m, const limn_cache_shape *shape,
                               limn_error *err)
{
    bool is_same = m->dtype == shape->dtype && m->n_dims == shape->n_dims + 1;
    for (size_t i = 0; is_same && i < shape->n_dims; i++)
        is_same = m->shape[i + 1] == shape->row_shape[i];
    return is_same ? LIMN_OK : fail_shape(m, shape, err);
}

static limn_status add_names(limn_picture_names *names, char *text, size_t size, size_t n_rows,
                             limn_error *err)
{
    size_t n = 0;
    for (char *line = text, *end; line < text + size; line = end + 1, n++) {
        end = memchr(line, '\n', (size_t)(text + size - line));
        if (!end) end = text + size; /* where limn_file_read put a NUL */
        *end = '\0';
        LIMN_TRY(limn_picture_names_add(names, line, err));
        if (limn_picture_names_count(names) == n)
            return limn_fail(err, LIMN_E_FORMAT, "line %zu: %s is there twice", n + 1, line);
    }
    if (n != n_rows)
        return limn_fail(err, LIMN_E_FORMAT, "%zu names, but the array beside it has %zu rows", n,
                         n_rows);
    return LIMN_OK;
}

static limn_status read_names(limn_picture_names *names, const char *path, size_t n_rows,
                              limn_error *err)
{
    unsigned char *text = NULL;
    size_t size;
    LIMN_TRY(limn_file_read(&text, &size, path, MAX_LIST_SIZE, err));
    const limn_status s = add_names(names, (char *)text, size, n_rows, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_free(text);
    return s;
}

static limn_status open_files(limn_row_cache *c, const char *path, const limn_cache_shape *shape,
                              limn_error *err)
{
    char file[MAX_PATH_SIZE];
    if (snprintf(file, sizeof file, "%s.npy", path) >= (int)sizeof file)
        return limn_fail(err, LIMN_E_LIMIT, "%.200s…: the path is too long", path);
    LIMN_TRY(limn_npy_map_open(&c->rows, file, err));
    const limn_status s = check_shape(&c->rows, shape, err);
    if (s != LIMN_OK) {
        limn_error_prefix(err, "%s", file);
        return s;
    }
    c->n_rows = c->rows.shape[0];
    c->row_size = c->n_rows ? c->rows.size / c->n_rows : 0;
    snprintf(file, sizeof file, "%s.txt", path);
    return read_names(&c->names, file, c->n_rows, err);
}

limn_status limn_row_cache_open(limn_row_cache *out, const char *path,
                                const limn_cache_shape *shape, limn_error *err)
{
    *out = (limn_row_cache){ 0 };
    const limn_status s = open_files(out, path, shape, err);
    if (s != LIMN_OK) limn_row_cache_close(out);
    return s;
}

void limn_row_cache_close(limn_row_cache *c)
{
    limn_npy_map_close(&c->rows);
    limn_picture_names_finish(&c->names);
    *c = (limn_row_cache){ 0 };
}

const void *limn_row_cache_row(const limn_row_cache *c, size_t row)
{
    return (const unsigned char *)c->rows.data + row * c->row_size;
}

void limn_row_cache_forget(const limn_row_cache *c, size_t row)
{
    limn_file_map_forget(limn_row_cache_row(c, row), c->row_size);
}

/* ---- making -------------------------------------------------------------------------------- */

typedef struct block {
    const limn_row_job *job;
    size_t first;        /* item */
    unsigned char *rows; /* [n, row_size] */
    limn_error *errors;  /* [n] */
} block;

static void compute_row(void *ctx, size_t index, size_t worker)
{
    const block *b = ctx;
    b->errors[index] = (limn_error){ 0 };
    b->job->compute(b->job->ctx, b->first + index, worker, b->rows + index * b->job->row_size,
                    &b->errors[index]);
}

static size_t rows_of_block(const limn_row_job *job)
{
    const size_t n_threads = limn_pool_n_threads(job->pool);
    const size_t n = BLOCK_SIZE / (job->row_size ? job->row_size : 1);
    const size_t some = n < n_threads ? n_threads : n > 64 ? 64 : n;
    return some < job->n_items ? some : job->n_items;
}

static limn_status tell(const limn_row_job *job, size_t n_done, limn_error *err)
{
    const limn_train_progress *p = &job->progress;
    if (p->report && !p->report(p->ctx, job->n_done_before + n_done, job->n_total))
        return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    return LIMN_OK;
}

static limn_status run_block(block *b, size_t n, limn_error *err)
{
    const limn_row_job *job = b->job;
    limn_pool_run(job->pool, n, compute_row, b);
    for (size_t i = 0; i < n; i++)
        LIMN_TRY(job->put(job->ctx, b->first + i, b->rows + i * job->row_size,
                          b->errors[i].code ? &b->errors[i] : NULL, err));
    b->first += n;
    return tell(job, b->first, err);
}

limn_status limn_row_job_run(const limn_row_job *job, limn_error *err)
{
    const size_t n_block = rows_of_block(job);
    block b = { .job = job };
    limn_status s = LIMN_OK;
    b.rows = limn_alloc_aligned(n_block, job->row_size);
    b.errors = limn_alloc(n_block, sizeof *b.errors);
    if (!b.rows || !b.errors)
        s = limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu rows", n_block);
    while (s == LIMN_OK && b.first < job->n_items) {
        const size_t rest = job->n_items - b.first;
        s = run_block(&b, rest < n_block ? rest : n_block, err);
    }
    limn_free(b.rows);
    limn_free(b.errors);
    return s;
}
