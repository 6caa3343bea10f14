#include "models/train/row_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static limn_status fail_shape(const limn_npy_array *m, const limn_cache_shape *shape,
                              limn_error *err)
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

static limn_status check_shape(const limn_npy_array *m, const limn_cache_shape *shape,
                               limn_error *err)
{
    bool is_same = m->dtype == shape->dtype && m->n_dims == shape->n_dims + 1;
    for (size_t i = 0; is_same && i < shape->n_dims; i++)
        is_same = m->shape[i + 1] == shape->row_shape[i];
    return is_same ? LIMN_OK : fail_shape(m, shape, err);
}

static limn_status add_names(limn_image_names *names, char *text, size_t size, size_t n_rows,
                             limn_error *err)
{
    size_t n = 0;
    for (char *line = text, *end; line < text + size; line = end + 1, n++) {
        end = memchr(line, '\n', (size_t)(text + size - line));
        if (!end) end = text + size; /* where limn_file_read put a NUL */
        *end = '\0';
        LIMN_TRY(limn_image_names_add(names, line, err));
        if (limn_image_names_count(names) == n)
            return limn_fail(err, LIMN_E_FORMAT, "line %zu: %s is listed twice", n + 1, line);
    }
    if (n != n_rows)
        return limn_fail(err, LIMN_E_FORMAT, "%zu names, but the array next to it has %zu rows", n,
                         n_rows);
    return LIMN_OK;
}

static limn_status read_names(limn_image_names *names, const char *path, size_t n_rows,
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

static limn_status fail_errno(limn_error *err, const char *path)
{
    return limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
}

/* Up to `size` bytes at `offset`: fewer at the end of the file; -1 with errno. */
static ssize_t read_at(int fd, void *out, size_t size, uint64_t offset)
{
    size_t n_read = 0;
    while (n_read < size) {
        const ssize_t n = pread(fd, (char *)out + n_read, size - n_read, (off_t)(offset + n_read));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        n_read += (size_t)n;
    }
    return (ssize_t)n_read;
}

static limn_status read_header(limn_row_cache *c, limn_error *err)
{
    static const size_t capacity = LIMN_NPY_MAX_HEADER;
    struct stat st;
    limn_status s;
    unsigned char *head = limn_alloc(capacity, 1);
    if (!head) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    const ssize_t n = fstat(c->fd, &st) ? -1 : read_at(c->fd, head, capacity, 0);
    if (n < 0)
        s = limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    else if (!S_ISREG(st.st_mode))
        s = limn_fail(err, LIMN_E_IO, "is not a regular file");
    else
        s = limn_npy_array_read_header(&c->array, head, (size_t)n, (uint64_t)st.st_size, err);
    limn_free(head);
    return s;
}

static limn_status open_array(limn_row_cache *c, const limn_cache_shape *shape, limn_error *err)
{
    c->fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (c->fd < 0) return fail_errno(err, c->path);
    limn_status s = read_header(c, err);
    if (s == LIMN_OK) s = check_shape(&c->array, shape, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", c->path);
    return s;
}

static limn_status open_files(limn_row_cache *c, const char *path, const limn_cache_shape *shape,
                              limn_error *err)
{
    char file[MAX_PATH_SIZE];
    if (snprintf(file, sizeof file, "%s.npy", path) >= (int)sizeof file)
        return limn_fail(err, LIMN_E_LIMIT, "%.200s…: the path is too long", path);
    c->path = limn_strdup(file);
    if (!c->path) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    LIMN_TRY(open_array(c, shape, err));
    c->n_rows = c->array.shape[0];
    c->row_size = c->n_rows ? c->array.size / c->n_rows : 0;
    snprintf(file, sizeof file, "%s.txt", path);
    return read_names(&c->names, file, c->n_rows, err);
}

limn_status limn_row_cache_open(limn_row_cache *out, const char *path,
                                const limn_cache_shape *shape, limn_error *err)
{
    *out = (limn_row_cache){ .fd = -1 };
    const limn_status s = open_files(out, path, shape, err);
    if (s != LIMN_OK) limn_row_cache_close(out);
    return s;
}

void limn_row_cache_close(limn_row_cache *c)
{
    if (c->path && c->fd >= 0) close(c->fd);
    limn_free(c->path);
    limn_free(c->checksums);
    limn_image_names_finish(&c->names);
    *c = (limn_row_cache){ 0 };
}

uint64_t limn_row_checksum(const void *row, size_t size)
{
    return limn_fnv1a64(LIMN_FNV1A64_INIT, row, size);
}

void limn_row_cache_set_checksums(limn_row_cache *c, uint64_t *checksums)
{
    limn_free(c->checksums);
    c->checksums = checksums;
}

static limn_status compute_checksums(uint64_t *checksums, const limn_row_cache *c, void *row,
                                     limn_error *err)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        LIMN_TRY(limn_row_cache_read(c, i, row, err));
        checksums[i] = limn_row_checksum(row, c->row_size);
    }
    return LIMN_OK;
}

limn_status limn_row_cache_compute_checksums(limn_row_cache *c, limn_error *err)
{
    uint64_t *checksums = limn_alloc(c->n_rows, sizeof *checksums);
    void *row = limn_alloc(c->row_size, 1);
    const limn_status s =
        checksums && row
            ? compute_checksums(checksums, c, row, err)
            : limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu checksums", c->n_rows);
    limn_free(row);
    if (s == LIMN_OK)
        limn_row_cache_set_checksums(c, checksums);
    else
        limn_free(checksums);
    return s;
}

limn_status limn_row_cache_read(const limn_row_cache *c, size_t row, void *out, limn_error *err)
{
    const ssize_t n =
        read_at(c->fd, out, c->row_size, c->array.data_offset + (uint64_t)row * c->row_size);
    if (n < 0) return fail_errno(err, c->path);
    if ((size_t)n < c->row_size)
        return limn_fail(err, LIMN_E_TRUNCATED, "%s: was truncated; row %zu of %zu is missing",
                         c->path, row, c->n_rows);
    if (c->checksums && limn_row_checksum(out, c->row_size) != c->checksums[row])
        return limn_fail(err, LIMN_E_FORMAT,
                         "%s: the row of %s was altered; remove the file to have it rebuilt, or "
                         "restore it if it is your own",
                         c->path, limn_image_names_get(&c->names, row));
    return LIMN_OK;
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
