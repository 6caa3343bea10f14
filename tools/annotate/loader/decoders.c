#include "models/captioner_model.h"
#include "tools/annotate/decoders/decoder_modules.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/image_load.h"
#include "tools/annotate/loader/image_work.h"
#include "tools/annotate/pipeline.h"

enum {
    MAX_OUT_SIZE = 64 << 20,
    CPU_SECONDS = 120,    /* a progressive JPEG of maximum size takes much of that */
    CLOCK_SECONDS = 600,  /* five times that, for an overloaded machine */
    BYTES_PER_PIXEL = 20, /* that decoders hold at once: rows, coefficients, the upright copy */
    FIXED_MEMORY = 256 << 20,
};

const char *const limn_sandbox_uses[] = { "auto", "on", "off", NULL };

_Static_assert(sizeof(limn_image_load) <= LIMN_SANDBOX_MAX_SETTINGS, "settings of a request");

limn_status limn_image_load_for(limn_image_load *l, const limn_model *model, uint64_t max_pixels,
                                limn_error *err)
{
    *l = (limn_image_load){ 0 };
    return limn_model_input_plan(&l->plan, model, max_pixels, err);
}

static limn_sandbox_settings sandbox_settings(size_t n_decoders, uint64_t max_pixels,
                                              const char *program)
{
    if (!max_pixels) max_pixels = limn_image_settings_default().max_pixels;
    return (limn_sandbox_settings){
        .work = limn_image_work,
        .prepare = limn_modules_prepare,
        .n_children = n_decoders,
        .max_size = LIMN_PIPELINE_MAX_FILE_SIZE,
        .max_out_size = MAX_OUT_SIZE,
        .max_memory = FIXED_MEMORY + (size_t)max_pixels * BYTES_PER_PIXEL,
        .max_cpu_seconds = CPU_SECONDS,
        .max_seconds = CLOCK_SECONDS,
        .program = program,
    };
}

limn_status limn_decoders_start(limn_decoders **out, limn_sandbox_use use, size_t n_decoders,
                                uint64_t max_pixels, const limn_annotate_hooks *hooks,
                                limn_error *err)
{
    const limn_sandbox_settings settings = sandbox_settings(n_decoders, max_pixels, NULL);
    limn_error reason = { 0 };
    limn_status s;
    *out = NULL;
    if (use == LIMN_SANDBOX_OFF) return LIMN_OK;
    s = limn_sandbox_start(out, &settings, &reason);
    if (s != LIMN_OK && use == LIMN_SANDBOX_ON)
        return limn_fail(err, s, "no sandbox for decoding: %s", reason.text);
    if (s != LIMN_OK)
        limn_hooks_message(hooks,
                           limn_sandbox_is_watched() ? LIMN_ANNOTATE_NOTE : LIMN_ANNOTATE_WARNING,
                           "images are decoded without a sandbox: %s", reason.text);
    else if (reason.text[0])
        limn_hooks_message(hooks, LIMN_ANNOTATE_WARNING, "%s", reason.text);
    return LIMN_OK;
}

limn_status limn_decoders_start_program(limn_decoders **out, const char *program, size_t n_decoders,
                                        uint64_t max_pixels, limn_error *err)
{
    const limn_sandbox_settings settings = sandbox_settings(n_decoders, max_pixels, program);
    limn_error reason = { 0 };
    const limn_status s = limn_sandbox_start(out, &settings, &reason);
    if (s != LIMN_OK) return limn_fail(err, s, "no sandbox for decoding: %s", reason.text);
    if (reason.text[0]) limn_note(err, "%s", reason.text);
    return LIMN_OK;
}

void limn_decoders_stop(limn_decoders **decoders)
{
    limn_sandbox_stop(decoders);
}

limn_status limn_decoders_load(limn_decoders *decoders, const limn_model *model,
                               uint64_t max_pixels, const void *bytes, size_t size, uint8_t *input,
                               const atomic_bool *is_stopping, limn_error *err)
{
    limn_image_load load;
    if (!decoders || !model || !bytes || !input)
        return limn_fail(err, LIMN_E_ARG, "an argument is NULL");
    if (!max_pixels) max_pixels = limn_image_settings_default().max_pixels;
    LIMN_TRY(limn_image_load_for(&load, model, max_pixels, err));
    return limn_sandbox_run(decoders, input, limn_image_load_size(&load), bytes, size, &load,
                            sizeof load, is_stopping, err);
}

/* ---- for the workers of a pipeline --------------------------------------------------------- */

void limn_image_worker_finish(limn_image_worker *w)
{
    limn_resize_scratch_finish(&w->scratch);
}

limn_status limn_image_worker_load(void *worker, const void *bytes, size_t size, uint8_t *loaded,
                                   limn_error *err)
{
    limn_image_worker *w = worker;
    const limn_image_loader *loader = w->loader;
    const limn_image_load *l = &loader->load;
    if (!loader->sandbox) return limn_image_load_run(loaded, bytes, size, l, &w->scratch, err);
    return limn_sandbox_run(loader->sandbox, loaded, limn_image_load_size(l), bytes, size, l,
                            sizeof *l, &loader->is_stopping, err);
}
