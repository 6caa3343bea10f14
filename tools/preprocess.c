/* limn-preprocess: the cache that training reads, pixels or features of many images. */
#include <stdint.h>

#include "common/image/image.h"
#include "common/base/mem.h"
#include "models/model_file.h"
#include "tools/cli.h"
#include "tools/environment.h"
#include "tools/interrupt.h"
#include "tools/message.h"
#include "tools/pipeline_report.h"
#include "tools/progress.h"
#include "tools/shared_options.h"
#include "tools/tool_hooks.h"
#include "tools/preprocess/feature_job.h"
#include "tools/standard_streams.h"

typedef struct settings {
    const char *model, *cpu, *output;
    uint64_t max_pixels;
    uint32_t n_threads;
    unsigned sandbox; /* a limn_sandbox_use */
    unsigned dtype;   /* index into dtype_names; DTYPE_NOT_GIVEN */
    bool is_recursive, is_nul_separated, has_features, is_quiet, is_verbose;
} settings;

enum { DTYPE_F16, DTYPE_F32, DTYPE_NOT_GIVEN };
static const char *const dtype_names[] = { "f16", "f32", NULL };

#define FIELD(name) .offset = offsetof(settings, name)

static const limn_option options[] = {
    LIMN_ROW_RECURSIVE(FIELD(is_recursive), .group = "Input"),
    LIMN_ROW_NULL(FIELD(is_nul_separated), .group = "Input"),
    LIMN_ROW_MAX_PIXELS(FIELD(max_pixels), .group = "Input"),
    { "model", 0, "FILE", "model or encoder file (default: limn-default)", .group = "Output",
      .detail = "It determines the size of the input and how images are resized; --features runs "
                "its encoder.",
      .type = LIMN_OPT_TEXT, FIELD(model) },
    { "features", 0, NULL, "write the encoder's features, not pixels", .group = "Output",
      .detail = "As f16 [n, positions, dim] instead of u8 [n, height, width, 3].",
      .type = LIMN_OPT_FLAG, FIELD(has_features) },
    { "dtype", 0, "TYPE", "with --features: f16 (default) or f32", .group = "Output",
      .detail = "Training reads f16; f32 is for comparing features with those of another program.",
      .type = LIMN_OPT_CHOICE, FIELD(dtype), .choices = dtype_names },
    { "output", 'o', "OUT", "write OUT.npy and OUT.txt, which must not exist", .group = "Output",
      .type = LIMN_OPT_TEXT, FIELD(output) },
    LIMN_ROW_QUIET(FIELD(is_quiet), .group = "Running"),
    { "verbose", 'v', NULL, "print what was left out", .group = "Running", .type = LIMN_OPT_FLAG,
      FIELD(is_verbose) },
    LIMN_ROW_THREADS(FIELD(n_threads), .group = "Running"),
    LIMN_ROW_SANDBOX(FIELD(sandbox), .group = "Running", .detail = "As in limn(1)."),
    LIMN_ROW_CPU(FIELD(cpu), .group = "Running"),
};

static const limn_cli_example examples[] = {
    { "limn-preprocess -o pixels photos", "pixels.npy and pixels.txt from a folder of photos." },
    { "limn-preprocess --model encoder.safetensors --features -o features photos",
      "The features of each photo." },
};

static const limn_cli_tool tool = {
    .name = "limn-preprocess",
    .summary = "caches pixels or features for training",
    .operands = "PATH...",
    .description =
        "Writes the input of a model's encoder, or its features, as a NumPy array with one row per "
        "image, and a list of the names, one per line, in the order of the rows. PATH and the "
        "order of images are as in limn(1); an image that fails is reported and has no row. Both "
        "files appear once everything is done; an interrupted run leaves neither.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
};

/* The cache's files with rows of pixels or features. */
static limn_status open_cache(limn_feature_job *job, const char *path, limn_error *err)
{
    const limn_input_spec *spec = &job->loader.load.plan.inputs[0].spec;
    limn_cache_shape shape = { LIMN_NPY_U8, 3, { spec->height, spec->width, 3 } };
    if (job->encoder)
        shape = (limn_cache_shape){ job->keeps_floats ? LIMN_NPY_F32 : LIMN_NPY_F16,
                                    2,
                                    { limn_encoder_n_positions(job->encoder),
                                      limn_encoder_dim(job->encoder) } };
    return limn_cache_writer_open(&job->cache, path, &shape, false, err);
}

static int run_job(limn_feature_job *job, const settings *s, const limn_cli_operands *paths)
{
    limn_pipeline_counts counts = { 0 };
    limn_error err = { 0 };
    const limn_annotate_hooks hooks = limn_tool_hooks(s->output, NULL);
    limn_inputs inputs = limn_inputs_default();
    inputs.names = paths->items;
    inputs.n_names = paths->n_items;
    inputs.is_recursive = s->is_recursive;
    inputs.is_nul_separated = s->is_nul_separated;
    const limn_pipeline_settings pipeline = {
        .n_threads = s->n_threads,
        .input_size = limn_image_load_size(&job->loader.load),
        .inputs = &inputs,
        .hooks = &hooks,
        .is_stopping = &job->loader.is_stopping,
    };
    limn_status status = limn_pipeline_run(&counts, &limn_feature_stages, job, &pipeline, &err);
    limn_progress_erase();
    if (status == LIMN_OK && counts.n_done) status = limn_cache_writer_commit(&job->cache, &err);
    return limn_pipeline_report(&counts, status, &err, NULL);
}

/* `kernels` is the encoder's and outlives it. */
static limn_status open_encoder(limn_encoder **out, limn_kernels *kernels,
                                const limn_model_file *file, const settings *s, limn_error *err)
{
    limn_cpu_level level;
    LIMN_TRY(limn_cpu_level_parse(&level, s->cpu, err));
    limn_kernels_init(kernels, level);
    if (!s->has_features) return LIMN_OK;
    return limn_encoder_open(out, file->tensors, &file->config.encoder, kernels, err);
}

static int run(const settings *s, const char *model, const limn_cli_operands *paths)
{
    limn_model_file file = { 0 };
    limn_encoder *encoder = NULL;
    limn_kernels kernels;
    limn_feature_job job = { .cache = NULL };
    limn_error err = { 0 };
    const limn_annotate_hooks hooks = limn_tool_hooks(s->output, NULL);
    limn_status status = limn_decoders_start(&job.loader.sandbox, s->sandbox, s->n_threads,
                                             s->max_pixels, &hooks, &err);
    int code;
    if (status == LIMN_OK) status = limn_model_file_open(&file, model, &err);
    if (status == LIMN_OK) status = open_encoder(&encoder, &kernels, &file, s, &err);
    job.encoder = encoder;
    job.keeps_floats = s->dtype == DTYPE_F32;
    job.loader.load.plan.n_inputs = 1;
    job.loader.load.plan.inputs[0] =
        (limn_encoder_input_settings){ file.config.encoder.input, s->max_pixels };
    if (status == LIMN_OK) status = open_cache(&job, s->output, &err);
    code = status == LIMN_OK ? run_job(&job, s, paths) : limn_cli_failed(&err);
    limn_cache_writer_discard(&job.cache);
    limn_decoders_stop(&job.loader.sandbox);
    limn_encoder_close(&encoder);
    limn_model_file_close(&file);
    return code;
}

int main(int argc, char **argv)
{
    settings s = { .n_threads = limn_default_threads(), .dtype = DTYPE_NOT_GIVEN };
    limn_cli_operands paths;
    limn_error err = { 0 };
    char *default_model = NULL;
    int code;
    limn_standard_streams_secure();
    if (!limn_cli_parse(&paths, &s, &tool, argc, argv, &code)) return code;
    limn_message_init(tool.name, limn_verbosity_of(s.is_quiet, s.is_verbose));
    if (!s.output) {
        limn_message_error("no --output OUT given; see %s --help", tool.name);
        return LIMN_EXIT_USAGE;
    }
    if (s.dtype != DTYPE_NOT_GIVEN && !s.has_features) {
        limn_message_error("--dtype: needs --features; pixels are always bytes");
        return LIMN_EXIT_USAGE;
    }
    if (!limn_interrupt_start())
        limn_fail(&err, LIMN_E_IO, "can't install signal handlers");
    else if (s.model || !limn_default_model_path(&default_model, &err))
        code = run(&s, s.model ? s.model : default_model, &paths);
    if (err.code) code = limn_cli_failed(&err);
    limn_free(default_model);
    return code;
}
