/* limn-convert: makes a model file of the reference captioner, of EfficientNet-Lite weights, or of
 * another model file. */
#include <stdio.h>
#include <sys/stat.h>

#include "tools/cli.h"
#include "tools/convert/convert_tensors.h"
#include "tools/message.h"

typedef struct settings {
    const char *output;
    unsigned dtype; /* index into dtype_names */
    bool is_encoder_only, is_forced, is_quiet, is_verbose;
} settings;

static const char *const dtype_names[] = { "f32", "f16", NULL };
static const limn_tensor_dtype dtypes[] = { LIMN_TENSOR_F32, LIMN_TENSOR_F16 };

static const limn_cli_option options[] = {
    { "output", 'o', "FILE", "the model file to write", .type = LIMN_CLI_TEXT,
      .offset = offsetof(settings, output), .group = "Output" },
    { "dtype", 0, "TYPE", "f32 or f16, of weights (default f32)",
      "Biases, norms and positions stay f32 in every file.", .type = LIMN_CLI_CHOICE,
      .offset = offsetof(settings, dtype), .choices = dtype_names, .group = "Output" },
    { "encoder-only", 0, NULL, "leave out the decoder", .type = LIMN_CLI_FLAG,
      .offset = offsetof(settings, is_encoder_only), .group = "Output" },
    { "force", 0, NULL, "replace an existing output", .type = LIMN_CLI_FLAG,
      .offset = offsetof(settings, is_forced), .group = "Output" },
    { "quiet", 'q', NULL, "errors only", .type = LIMN_CLI_FLAG,
      .offset = offsetof(settings, is_quiet), .group = "Messages" },
    { "verbose", 'v', NULL, "list the tensors that were written", .type = LIMN_CLI_FLAG,
      .offset = offsetof(settings, is_verbose), .group = "Messages" },
};

static const limn_cli_example examples[] = {
    { "limn-convert captioner.safetensors -o model.safetensors --dtype f16",
      "the reference captioner as a model file of half the size" },
    { "limn-convert efficientnet-lite0.pth --encoder-only -o lite0.safetensors",
      "an encoder to train a decoder for" },
};

static const limn_cli_tool tool = {
    .name = "limn-convert",
    .summary = "makes a model file from other weights",
    .operands = "IN.safetensors|IN.pth",
    .description =
        "Reads one of three kinds of file, told apart by content: the reference captioner "
        "(.safetensors), EfficientNet-Lite0 to Lite4 weights as published for PyTorch (.pth, "
        "with --encoder-only), or a model file of limn, to change its type.\n\n"
        "Batch norm is folded into the convolutions in double precision. A tensor that is "
        "missing, has another shape or belongs to nothing is an error. Pickles in .pth files are "
        "never executed.",
    .examples = examples, .n_examples = sizeof examples / sizeof *examples,
    .options = options, .n_options = sizeof options / sizeof *options,
    .min_operands = 1, .max_operands = 1,
};

static void print_tensors(const convert_result *r)
{
    char text[160];
    for (size_t i = 0; i < r->n_tensors; i++) {
        const limn_tensor *t = &r->tensors[i];
        limn_tensor_describe(text, sizeof text, t->dtype, t->n_dims, t->shape);
        printf("%-56s %s\n", t->name, text);
    }
}

static limn_status convert(const settings *s, const char *input, limn_error *err)
{
    const convert_settings wanted = { s->is_encoder_only, dtypes[s->dtype] };
    convert_source source;
    convert_result result;
    LIMN_TRY(convert_source_open(&source, input, err));
    limn_status status = convert_tensors(&result, &source, &wanted, err);
    if (status != LIMN_OK)
        limn_error_prefix(err, "%s (%s)", input, convert_kind_name(source.kind));
    else
        status = convert_result_write(s->output, &result, &source, err);
    if (status == LIMN_OK && limn_message_verbosity() == LIMN_VERBOSE)
        print_tensors(&result);
    if (status == LIMN_OK && limn_message_verbosity() >= LIMN_NORMAL)
        printf("%s: %s from %s, %zu tensors, %.1f MB\n", s->output, result.config.encoder.family,
               convert_kind_name(source.kind), result.n_tensors, (double)result.n_bytes / 1e6);
    convert_result_finish(&result);
    convert_source_close(&source);
    return status;
}

static int run(const settings *s, const char *input)
{
    struct stat st;
    limn_error err = { 0 };
    limn_message_init(tool.name, limn_verbosity_of(s->is_quiet, s->is_verbose));
    if (!s->output) {
        limn_message_error("no output: name it with -o FILE");
        return LIMN_EXIT_USAGE;
    }
    if (!s->is_forced && lstat(s->output, &st) == 0) {
        limn_message_error("%s: is there already; --force replaces it", s->output);
        return LIMN_EXIT_USAGE;
    }
    const limn_status status = convert(s, input, &err);
    if (status == LIMN_OK)
        return LIMN_EXIT_OK;
    limn_message_error("%s", err.text);
    return status == LIMN_E_ARG ? LIMN_EXIT_USAGE : LIMN_EXIT_NOTHING;
}

int main(int argc, char **argv)
{
    settings s = { .output = NULL };
    limn_cli_operands inputs;
    int code;
    if (!limn_cli_parse(&inputs, &s, &tool, argc, argv, &code))
        return code;
    code = run(&s, inputs.items[0]);
    limn_cli_finish(&s, &tool);
    return code;
}
