#include "tools/score/ids_job.h"

#include <stdio.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/io/json_line.h"
#include "common/io/npy.h"
#include "models/forcing.h"
#include "tools/message.h"

typedef struct ids_worker {
    limn_image_worker image;
    const limn_ids_job *job;
    limn_forcing *forcing;
    size_t n_tokens;
} ids_worker;

static void close_worker(void *worker)
{
    ids_worker *w = worker;
    if (!w) return;
    limn_image_worker_finish(&w->image);
    limn_forcing_destroy(&w->forcing);
    limn_free(w);
}

static limn_status open_worker(void **out, void *ctx, limn_error *err)
{
    const limn_ids_job *job = ctx;
    limn_model_info info;
    ids_worker *w = limn_calloc(1, sizeof *w);
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_model_get_info(job->model, &info);
    w->job = job;
    w->image.loader = &job->loader;
    w->n_tokens = info.n_tokens;
    const limn_status s = limn_forcing_create(&w->forcing, job->model, job->ids->longest,
                                              job->n_forcing_threads, err);
    if (s == LIMN_OK)
        *out = w;
    else
        close_worker(w);
    return s;
}

/* ---- a record ------------------------------------------------------------------------------ */

/* Opens FOLDER/LINE.npy, which must be new. */
static limn_status open_logits(limn_npy_writer **out, const ids_worker *w, const limn_ids_record *r,
                               limn_error *err)
{
    limn_buffer path = { 0 };
    struct stat st;
    limn_buffer_printf(&path, "%s/%zu.npy", w->job->logits, r->number);
    limn_status s = path.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                    : lstat(path.bytes, &st) == 0
                        ? limn_fail(err, LIMN_E_ARG, "%s: already exists", path.bytes)
                        : limn_npy_writer_open(out, path.bytes, LIMN_NPY_F32, 1, &w->n_tokens, err);
    limn_buffer_finish(&path);
    return s;
}

/* Reads the ids; logprobs [n_ids - 1] of all but the first. */
static limn_status force(ids_worker *w, const limn_ids_record *r, limn_npy_writer *logits,
                         json_t *logprobs, double *sum, limn_error *err)
{
    limn_forcing_rewind(w->forcing);
    for (size_t i = 0; i < r->n_ids; i++) {
        const float *row = limn_forcing_step(w->forcing, r->ids[i]);
        if (logits) LIMN_TRY(limn_npy_writer_add(logits, row, err));
        if (i + 1 == r->n_ids) break;
        const float logprob = limn_forcing_logprob(w->forcing, r->ids[i + 1]);
        json_array_append_new(logprobs, limn_json_float(logprob));
        *sum += (double)logprob;
    }
    return LIMN_OK;
}

static void append_line(limn_buffer *out, const limn_ids_record *r, json_t *logprobs, double sum,
                        bool has_logits)
{
    bool is_whole = json_array_size(logprobs) + 1 == r->n_ids;
    json_t *line = json_object(), *ids = json_array();
    for (size_t i = 0; i < r->n_ids; i++) json_array_append_new(ids, json_integer(r->ids[i]));
    limn_json_line_set_name(line, "file", r->name, &is_whole);
    limn_json_line_set(line, "ids", ids, &is_whole);
    limn_json_line_set(line, "logprobs", logprobs, &is_whole);
    limn_json_line_set(line, "logprob", json_real(sum), &is_whole);
    if (has_logits)
        limn_json_line_set(line, "logits", json_sprintf("%zu.npy", r->number), &is_whole);
    limn_json_line_append(out, line, is_whole);
    limn_buffer_append_text(out, "\n");
}

static limn_status run_record(ids_worker *w, const limn_ids_record *r, limn_buffer *out,
                              limn_error *err)
{
    limn_npy_writer *logits = NULL;
    double sum = 0;
    LIMN_TRY(limn_forcing_check(w->forcing, r->ids, r->n_ids, err));
    if (w->job->logits) LIMN_TRY(open_logits(&logits, w, r, err));
    json_t *logprobs = json_array();
    limn_status s = force(w, r, logits, logprobs, &sum, err);
    if (s == LIMN_OK && logits) s = limn_npy_writer_commit(&logits, err);
    if (s == LIMN_OK)
        append_line(out, r, logprobs, sum, w->job->logits != NULL);
    else
        json_decref(logprobs);
    limn_npy_writer_discard(&logits);
    return s;
}

static limn_status run(void *worker, const limn_dirwalk_entry *input, const uint8_t *pixels,
                       limn_pipeline_output *out, limn_error *err)
{
    ids_worker *w = worker;
    size_t n;
    const limn_ids_record *r = limn_ids_file_find(w->job->ids, input->path, &n);
    if (!r) return limn_fail(err, LIMN_E_ARG, "no line names it");
    limn_forcing_begin(w->forcing, pixels);
    for (size_t i = 0; i < n; i++) {
        const limn_status s = run_record(w, &r[i], &out->bytes, err);
        if (s == LIMN_OK) continue;
        limn_error_prefix(err, "line %zu", r[i].number);
        return s;
    }
    return LIMN_OK;
}

static limn_status put(void *ctx, const limn_pipeline_result *result, limn_error *err)
{
    limn_ids_job *job = ctx;
    if (result->note) limn_message_warning("%s: %s", result->input->path, result->note);
    if (!result->error)
        return limn_output_write(job->output, result->out->bytes, result->out->size, err);
    limn_message_error("%s: %s", result->input->path, result->error->text);
    return LIMN_OK;
}

const limn_pipeline_stages limn_ids_stages = {
    .open = open_worker,
    .close = close_worker,
    .load = limn_image_worker_load,
    .run = run,
    .put = put,
};
