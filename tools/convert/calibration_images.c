#include "tools/convert/calibration_images.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "tools/annotate/image_load.h"
#include "tools/annotate/pipeline.h"
#include "tools/message.h"
#include "tools/progress.h"
#include "tools/tool_hooks.h"

/* The ctx of the pipeline. */
typedef struct calibration_job {
    limn_image_loader loader;
    limn_calibration_images *images;
    size_t max_images;
    atomic_bool is_full;
} calibration_job;

static void close_worker(void *worker)
{
    if (worker) limn_image_worker_finish(worker);
    limn_free(worker);
}

static limn_status open_worker(void **out, void *ctx, limn_error *err)
{
    calibration_job *job = ctx;
    limn_image_worker *worker = limn_calloc(1, sizeof *worker);
    if (!worker) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    worker->loader = &job->loader;
    *out = worker;
    return LIMN_OK;
}

static limn_status want(void *ctx, const limn_dirwalk_entry *input, bool *is_wanted,
                        limn_error *err)
{
    calibration_job *job = ctx;
    (void)input;
    (void)err;
    *is_wanted = !atomic_load(&job->is_full);
    return LIMN_OK;
}

static limn_status run(void *worker, const limn_dirwalk_entry *input, const uint8_t *pixels,
                       limn_pipeline_output *out, limn_error *err)
{
    const limn_image_worker *w = worker;
    (void)input;
    (void)err;
    limn_buffer_append(&out->bytes, pixels, limn_image_load_size(&w->loader->load));
    return LIMN_OK;
}

/* In input order, so that which images are the first doesn't depend on threads. */
static limn_status put(void *ctx, const limn_pipeline_result *result, limn_error *err)
{
    calibration_job *job = ctx;
    limn_calibration_images *images = job->images;
    if (images->n_images == job->max_images) return LIMN_OK;
    if (result->error) {
        images->n_failed++;
        limn_message_error("%s: %s", result->input->path, result->error->text);
        return LIMN_OK;
    }
    limn_buffer_append(&images->pixels, result->out->bytes, result->out->size);
    if (images->pixels.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (++images->n_images == job->max_images) atomic_store(&job->is_full, true);
    return LIMN_OK;
}

static const limn_pipeline_stages stages = {
    .open = open_worker,
    .close = close_worker,
    .want = want,
    .load = limn_image_worker_load,
    .run = run,
    .put = put,
};

static limn_status check_folder(const char *folder, limn_error *err)
{
    struct stat st;
    if (stat(folder, &st))
        return limn_fail(err, LIMN_E_IO, "--calibrate: %s: %s", folder, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return limn_fail(err, LIMN_E_ARG, "--calibrate: %s is not a folder", folder);
    return LIMN_OK;
}

static limn_status run_pipeline(calibration_job *job, char *folder, size_t n_threads,
                                const limn_annotate_hooks *hooks, limn_error *err)
{
    limn_pipeline_counts counts = { 0 };
    limn_inputs inputs = limn_inputs_default();
    inputs.names = &folder;
    inputs.n_names = 1;
    inputs.list_fd = -1;
    inputs.is_recursive = true;
    const limn_pipeline_settings settings = {
        .n_threads = n_threads,
        .input_size = limn_image_load_size(&job->loader.load),
        .inputs = &inputs,
        .hooks = hooks,
        .is_stopping = &job->loader.is_stopping,
    };
    const limn_status status = limn_pipeline_run(&counts, &stages, job, &settings, err);
    limn_progress_erase();
    if (status != LIMN_OK) return status;
    if (counts.left_out.n_lost > 0)
        return limn_fail(err, LIMN_E_IO, "--calibrate: not all of %s can be read", folder);
    if (job->images->n_images == 0)
        return limn_fail(err, LIMN_E_FORMAT, "--calibrate: %s has no image%s", folder,
                         job->images->n_failed > 0 ? " that can be read" : "");
    return LIMN_OK;
}

limn_status limn_calibration_images_read(limn_calibration_images *out, const char *folder,
                                         const limn_input_spec *spec, size_t max_bytes,
                                         size_t n_threads, limn_error *err)
{
    calibration_job job = { .images = out };
    const limn_annotate_hooks hooks = limn_tool_hooks(NULL, NULL);
    *out = (limn_calibration_images){ .n_images = 0 };
    LIMN_TRY(check_folder(folder, err));
    job.loader.load.plan.n_inputs = 1;
    job.loader.load.plan.inputs[0] =
        (limn_encoder_input_settings){ *spec, LIMN_DEFAULT_MAX_PIXELS };
    job.max_images =
        limn_calibration_most_images(limn_image_load_size(&job.loader.load), max_bytes);
    char *name = limn_strdup(folder);
    limn_status status = name ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (status == LIMN_OK)
        status =
            limn_decoders_start(&job.loader.sandbox, LIMN_SANDBOX_AUTO, n_threads, 0, &hooks, err);
    if (status == LIMN_OK) status = run_pipeline(&job, name, n_threads, &hooks, err);
    limn_decoders_stop(&job.loader.sandbox);
    limn_free(name);
    return status;
}

void limn_calibration_images_finish(limn_calibration_images *images)
{
    limn_buffer_finish(&images->pixels);
    *images = (limn_calibration_images){ .n_images = 0 };
}
