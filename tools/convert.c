/* limn-convert: makes a model file of the reference captioner, of published weights of an encoder,
 * or of other model files. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/caption_input.h"
#include "common/text/plural.h"
#include "tools/cli.h"
#include "models/convert/average.h"
#include "models/model_file.h"
#include "models/convert/calibrate.h"
#include "tools/convert/calibration_images.h"
#include "tools/convert/convert_confidence.h"
#include "tools/environment.h"
#include "tools/interrupt.h"
#include "models/convert/convert_objects.h"
#include "models/convert/convert_tags.h"
#include "models/convert/fold_channels.h"
#include "tools/convert/convert_published.h"
#include "models/convert/reference_frequencies.h"
#include "tools/message.h"
#include "tools/shared_options.h"
#include "tools/standard_streams.h"

typedef struct settings {
    const char *output, *vocab, *tags, *objects, *features, *only, *split, *confidence;
    const char *calibrate, *cpu;
    limn_option_list references;
    float length_penalty;     /* NAN when it was not given */
    uint32_t no_repeat_ngram; /* NO_REPEAT_OF_INPUT when it was not given */
    float guidance;           /* NAN when it was not given */
    unsigned dtype;           /* index into dtype_names; DTYPE_OF_INPUT when it was not given */
    uint32_t n_threads;
    size_t n_failed; /* images of --calibrate */
    bool is_average, is_encoder_only, is_forced, keep_rejected, is_quiet, is_verbose;
} settings;

#define NO_REPEAT_OF_INPUT UINT32_MAX

enum { DTYPE_F32, DTYPE_F16, DTYPE_INT8, DTYPE_OF_INPUT };
static const char *const dtype_names[] = { "f32", "f16", "int8", NULL };

static const limn_option options[] = {
    { "vocab", 0, "FILE", "vocabulary of a BLIP or VirTex checkpoint",
      "For BLIP, BERT's vocab.txt; for VirTex, the SentencePiece model it was trained with.",
      .type = LIMN_OPT_TEXT, .offset = offsetof(settings, vocab), .group = "Input" },
    { "output", 'o', "FILE", "the model file to write", .type = LIMN_OPT_TEXT,
      .offset = offsetof(settings, output), .group = "Output" },
    { "dtype", 0, "TYPE", "f32, f16 or int8 (default: a model file's, else f32)",
      "The type of the weights. Biases, norms and position embeddings are always f32.",
      .type = LIMN_OPT_CHOICE, .offset = offsetof(settings, dtype), .choices = dtype_names,
      .group = "Output" },
    { "average", 0, NULL, "average the weights of the given models",
      "They must have the same architecture and vocabulary; everything else is taken from the "
      "first.",
      .type = LIMN_OPT_FLAG, .offset = offsetof(settings, is_average), .group = "Output" },
    { "encoder-only", 0, NULL, "leave out the decoder", .type = LIMN_OPT_FLAG,
      .offset = offsetof(settings, is_encoder_only), .group = "Output" },
    { "tags", 0, "FILE", "take the tags of FILE, a model with this encoder",
      "For limn --tags. Published weights come with the ImageNet classes; this adds them to a "
      "captioner.",
      .type = LIMN_OPT_TEXT, .offset = offsetof(settings, tags), .group = "Output" },
    { "length-penalty", 0, "A", "set the model's default: score = logprob / length^A",
      "The default of limn --length-penalty. Larger values favour longer captions.",
      .type = LIMN_OPT_REAL, .offset = offsetof(settings, length_penalty),
      .min = -LIMN_MAX_LENGTH_PENALTY, .max = LIMN_MAX_LENGTH_PENALTY, .group = "Output" },
    { "no-repeat-ngram", 0, "N", "set the model's default: no n-gram of N words twice",
      "The default of limn --no-repeat-ngram; 0 allows repetition.", .type = LIMN_OPT_COUNT,
      .offset = offsetof(settings, no_repeat_ngram), .min = 0, .max = LIMN_MAX_NO_REPEAT_NGRAM,
      .group = "Output" },
    { "guidance", 0, "G", "set the model's default guidance; 1 = off",
      "The default of limn --guidance: above 1, rely more on the image. It needs a model of "
      "limn's own layout, trained with limn-train --picture-dropout: others have never seen a "
      "caption without its image.",
      .type = LIMN_OPT_REAL, .offset = offsetof(settings, guidance), .min = 1,
      .max = LIMN_MAX_GUIDANCE, .group = "Output" },
    { "force", 0, NULL, "replace an existing file", .type = LIMN_OPT_FLAG,
      .offset = offsetof(settings, is_forced), .group = "Output" },
    { "confidence", 0, "FILE", "add the confidence model that limn-eval --fit wrote",
      "For limn --confidence. It must have been fitted to captions of this model. A model keeps "
      "the one it has when only the data type changes or document frequencies are added.",
      .type = LIMN_OPT_TEXT, .offset = offsetof(settings, confidence), .group = "Output" },
    { "calibrate", 0, "DIR", "with --dtype int8: round to suit the images in DIR",
      "The encoder's weights are rounded so that their errors compensate for each other on the "
      "images in and below DIR: the first 512, in the order of limn(1), or fewer if the model's "
      "input is so large that their pixels would take more than 256 MB. Use a hundred or more of "
      "the kind that will be captioned, but none from a test set. It takes minutes. An image that "
      "can't be read is reported and left out, and the exit code is 3.",
      .type = LIMN_OPT_TEXT, .offset = offsetof(settings, calibrate), .group = "Calibration" },
    LIMN_ROW_THREADS(.offset = offsetof(settings, n_threads), .group = "Calibration",
                     .is_more = true),
    LIMN_ROW_CPU(.offset = offsetof(settings, cpu), .group = "Calibration", .is_more = true,
                 .detail = "It changes nothing but the time."),
    { "objects", 0, "FILE", "learn to recognise objects from these labels",
      "Lines \"name<TAB>class:score ...\" from an object detector with COCO's 80 classes. The "
      "model gets the tag set \"objects\", a small network trained on the features of --features; "
      "this takes about a minute.",
      .type = LIMN_OPT_TEXT, .offset = offsetof(settings, objects), .group = "Objects",
      .is_more = true },
    { "features", 0, "CACHE", "features of the labelled images",
      "CACHE.npy and CACHE.txt, made by limn-preprocess --features with this model.",
      .type = LIMN_OPT_TEXT, .offset = offsetof(settings, features), .group = "Objects",
      .is_more = true },
    { "references", 0, "FILE", "count document frequencies in FILE",
      "The number of images whose captions contain each n-gram is stored in the model file, for "
      "limn --rerank consensus. " LIMN_CAPTION_FORMATS,
      .type = LIMN_OPT_LIST, .offset = offsetof(settings, references),
      .group = "Document frequencies" },
    { "only", 0, "LIST", "only captions of the images in LIST, one per line",
      "Only the last components of the paths are compared.", .type = LIMN_OPT_TEXT,
      .offset = offsetof(settings, only), .group = "Document frequencies", .is_more = true },
    { "split", 0, "LIST", LIMN_SPLIT_HELP, LIMN_SPLIT_DETAIL, .type = LIMN_OPT_TEXT,
      .offset = offsetof(settings, split), .group = "Document frequencies", .is_more = true },
    { "keep-rejected", 0, NULL, LIMN_KEEP_REJECTED_HELP, LIMN_KEEP_REJECTED_DETAIL,
      .type = LIMN_OPT_FLAG, .offset = offsetof(settings, keep_rejected),
      .group = "Document frequencies", .is_more = true },
    LIMN_ROW_QUIET(.offset = offsetof(settings, is_quiet), .group = "Messages"),
    { "verbose", 'v', NULL, "list the tensors that were written", .type = LIMN_OPT_FLAG,
      .offset = offsetof(settings, is_verbose), .group = "Messages" },
};

static const limn_cli_example examples[] = {
    { "limn-convert captioner.safetensors -o model.safetensors --dtype f16",
      "The reference captioner, as a model file of half the size." },
    { "limn-convert blip-image-captioning-base -o blip.safetensors --dtype f16",
      "A folder from the Hugging Face Hub: BLIP, GIT, or ViT with GPT-2." },
    { "limn-convert virtex.pth --vocab coco_10k.model -o virtex.safetensors",
      "A VirTex checkpoint." },
    { "limn-convert efficientnet-lite0.pth --encoder-only -o lite0.safetensors",
      "An encoder to train a decoder for." },
    { "limn-convert --average a.safetensors b.safetensors c.safetensors -o mean.safetensors",
      "The average of three checkpoints." },
    { "limn-convert model.safetensors -o small.safetensors --dtype int8 --calibrate photos",
      "A model of half the size that runs faster." },
    { "limn-convert model.safetensors --references captions.txt -o with.safetensors",
      "A model with the document frequencies of its training captions." },
};

static const limn_cli_tool tool = {
    .name = "limn-convert",
    .summary = "makes a model file from weights",
    .operands = "IN...",
    .description =
        "Reads a folder from the Hugging Face Hub with BLIP, GIT, or ViT with GPT-2: config.json, "
        "the weights, the tokenizer's files and preprocessor_config.json (see doc/models.md); with "
        "--vocab, a checkpoint from BLIP's or VirTex's own code; or one of three kinds of file, "
        "detected from the content: the reference captioner "
        "(.safetensors), published PyTorch weights of EfficientNet-Lite0 to Lite4 or of "
        "torchvision's ResNet-18, -50 and -101 (.pth, with --encoder-only), or a model file of "
        "limn, to change its data type, to average several, or to add document "
        "frequencies.\n\nBatch norm is folded into the convolutions in double precision. A tensor "
        "that is missing, unknown or of the wrong shape is an error. Pickles in .pth files are "
        "never executed.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
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

static void report(const settings *s, const convert_result *r, const convert_source *source)
{
    size_t n_tags = 0;
    size_t n_bytes = 0;
    for (size_t i = 0; i < r->n_tensors; i++) n_bytes += r->tensors[i].size;
    printf("%s: %s from %s, %zu tensors, %.1f MB\n", s->output, r->config.encoder.family,
           convert_source_kind(source), r->n_tensors, (double)n_bytes / 1e6);
    for (size_t i = 0; i < r->tags.n_items; i++) n_tags += r->tags.items[i].n_tags;
    if (n_tags > 0) printf("%s: tags: %zu\n", s->output, n_tags);
    if (r->confidence) printf("%s: confidence\n", s->output);
    const size_t n_folded = r->folded.n_encoder + r->folded.n_decoder;
    if (n_folded > 0)
        printf("%s: %zu %s scaled for int8\n", s->output, n_folded,
               limn_plural(n_folded, "channel", "channels"));
    if (r->frequencies)
        printf("%s: document frequencies of %zu n-grams in the captions of %u images\n", s->output,
               limn_document_frequencies_n_ngrams(r->frequencies),
               (unsigned)limn_document_frequencies_n_images(r->frequencies));
}

static limn_status learn_objects(convert_result *r, const settings *s, limn_error *err)
{
    convert_objects learned;
    LIMN_TRY(convert_objects_train(&learned, r, s->objects, s->features, err));
    if (limn_verbosity_get() >= LIMN_NORMAL)
        printf("%s: objects learned from %zu images, loss %.4f\n", s->output, learned.n_images,
               learned.loss);
    return LIMN_OK;
}

/* A decoder with tag slots goes on with tags as many as it was trained with. */
static limn_status check_objects(const convert_result *r, limn_error *err)
{
    const limn_tag_head *head = limn_tag_heads_find(&r->tags, LIMN_OBJECTS_SET);
    const uint32_t n_tags = head ? head->n_tags : 0;
    if (r->config.has_decoder && r->config.decoder.n_tag_slots > 0 &&
        r->config.decoder.n_tags != n_tags)
        return limn_fail(err, LIMN_E_ARG,
                         "the decoder reads %u tags of the set \"" LIMN_OBJECTS_SET "\", which "
                         "would have %u",
                         r->config.decoder.n_tags, n_tags);
    return LIMN_OK;
}

/* An option about the model's default search, which was given; NULL without any. */
static const char *search_option(const settings *s)
{
    return !isnan(s->length_penalty)                  ? "--length-penalty"
           : s->no_repeat_ngram != NO_REPEAT_OF_INPUT ? "--no-repeat-ngram"
           : !isnan(s->guidance)                      ? "--guidance"
                                                      : NULL;
}

/* Guidance compares with captions without an image, which only our own training makes. */
static limn_status check_guidance(const limn_decoder_config *d, limn_error *err)
{
    const limn_decoder_layout own = LIMN_LAYOUT_LIMN;
    if (strcmp(d->layout.name, own.name) == 0) return LIMN_OK;
    return limn_fail(
        err, LIMN_E_ARG,
        "--guidance: a decoder with the layout \"%s\" was not trained to write captions "
        "without an image",
        d->layout.name);
}

static limn_status set_search(limn_model_config *c, const settings *s, limn_error *err)
{
    if (!isnan(s->length_penalty)) c->length_penalty = s->length_penalty;
    if (s->no_repeat_ngram != NO_REPEAT_OF_INPUT) c->no_repeat_ngram = s->no_repeat_ngram;
    if (isnan(s->guidance)) return LIMN_OK;
    c->guidance = s->guidance;
    return c->guidance == 1 ? LIMN_OK : check_guidance(&c->decoder, err);
}

static limn_status calibrate_with(convert_result *r, const settings *s,
                                  const limn_calibration_images *images, limn_cpu_level level,
                                  limn_error *err)
{
    const convert_calibration how = { .pixels = (const uint8_t *)images->pixels.bytes,
                                      .n_images = images->n_images,
                                      .n_threads = s->n_threads,
                                      .level = level,
                                      .is_stopping = limn_interrupt_flag() };
    if (images->n_images < LIMN_CALIBRATION_ENOUGH_IMAGES)
        limn_message_warning("--calibrate: %zu %s in %s; with fewer than %d, little is gained",
                             images->n_images, limn_plural(images->n_images, "image", "images"),
                             s->calibrate, LIMN_CALIBRATION_ENOUGH_IMAGES);
    LIMN_TRY(convert_calibrate(r, &how, err));
    if (limn_verbosity_get() >= LIMN_NORMAL)
        printf("%s: calibrated with %s\n", s->output, r->calibration);
    return LIMN_OK;
}

static limn_status calibrate(convert_result *r, settings *s, limn_error *err)
{
    limn_calibration_images images = { .n_images = 0 };
    limn_cpu_level level;
    if (!s->calibrate) return LIMN_OK;
    LIMN_TRY(limn_cpu_level_parse(&level, s->cpu, err));
    if (!limn_interrupt_start()) return limn_fail(err, LIMN_E_IO, "can't install signal handlers");
    limn_status status =
        limn_calibration_images_read(&images, s->calibrate, &r->config.encoder.input,
                                     LIMN_CALIBRATION_MAX_BYTES, s->n_threads, err);
    if (status == LIMN_OK) status = calibrate_with(r, s, &images, level, err);
    s->n_failed = images.n_failed;
    limn_calibration_images_finish(&images);
    return status;
}

static limn_status quantize(convert_result *r, settings *s, limn_error *err)
{
    LIMN_TRY(convert_fold_channels(r, err));
    LIMN_TRY(calibrate(r, s, err));
    return convert_result_quantize(r, err);
}

/* What the model gets beside the tensors of its source. */
static limn_status complete(convert_result *r, settings *s, const convert_source *source,
                            const limn_cli_operands *inputs, limn_error *err)
{
    const limn_reference_settings references = {
        .paths = s->references.items,
        .n_paths = s->references.n_items,
        .only = s->only,
        .how = { .split = s->split, .keep_rejected = s->keep_rejected },
        .read = limn_caption_input_read,
    };
    const limn_tensor_dtype dtype = convert_source_dtype(r, source);
    if (s->calibrate && dtype == LIMN_TENSOR_I8)
        return limn_fail(err, LIMN_E_ARG,
                         "--calibrate: %s is in int8 already; give the model that it was made from",
                         inputs->items[0]);
    if (s->is_average)
        LIMN_TRY(convert_average(r, inputs->items, inputs->n_items, s->is_encoder_only, err));
    LIMN_TRY(set_search(&r->config, s, err));
    if (s->tags) LIMN_TRY(convert_tags_merge(r, s->tags, err));
    if (s->objects) LIMN_TRY(learn_objects(r, s, err));
    LIMN_TRY(check_objects(r, err));
    if (s->references.n_items) {
        limn_document_frequencies_destroy(&r->frequencies);
        LIMN_TRY(limn_reference_frequencies_count(&r->frequencies, &references, err));
    }
    const bool has_same_captions = !s->is_average && !search_option(s);
    LIMN_TRY(convert_confidence(r, source, s->confidence,
                                has_same_captions && !s->tags && !s->objects, err));
    if (s->dtype == DTYPE_INT8 || (s->dtype == DTYPE_OF_INPUT && dtype == LIMN_TENSOR_I8))
        return quantize(r, s, err);
    if (s->dtype == DTYPE_F16 || (s->dtype == DTYPE_OF_INPUT && dtype == LIMN_TENSOR_F16))
        return convert_result_narrow(r, err);
    return LIMN_OK;
}

static limn_status convert_ours(settings *s, const limn_cli_operands *inputs, limn_error *err)
{
    convert_source source;
    convert_result result;
    LIMN_TRY(convert_source_open(&source, inputs->items[0], err));
    limn_status status = convert_tensors(&result, &source, s->is_encoder_only, err);
    if (status == LIMN_OK) status = convert_tags_take(&result, &source, err);
    if (status != LIMN_OK)
        limn_error_prefix(err, "%s (%s)", inputs->items[0], convert_source_kind(&source));
    else
        status = complete(&result, s, &source, inputs, err);
    if (status == LIMN_OK && limn_interrupt_is_set())
        status = limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    if (status == LIMN_OK) status = convert_result_write(s->output, &result, &source, err);
    if (status == LIMN_OK && limn_verbosity_get() == LIMN_VERBOSE) print_tensors(&result);
    if (status == LIMN_OK && limn_verbosity_get() >= LIMN_NORMAL) report(s, &result, &source);
    convert_result_finish(&result);
    convert_source_close(&source);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_published(const settings *s, const limn_cli_operands *inputs)
{
    return s->vocab || is_folder(inputs->items[0]);
}

static limn_status convert(settings *s, const limn_cli_operands *inputs, limn_error *err)
{
    if (!is_published(s, inputs)) return convert_ours(s, inputs, err);
    return convert_published(s->output, inputs->items[0], s->vocab,
                             s->dtype == DTYPE_F16 ? LIMN_TENSOR_F16 : LIMN_TENSOR_F32, err);
}

/* What is for model files alone; NULL without any. */
static const char *option_of_models(const settings *s)
{
    return s->is_average           ? "--average"
           : s->is_encoder_only    ? "--encoder-only"
           : s->tags               ? "--tags"
           : s->objects            ? "--objects"
           : s->confidence         ? "--confidence"
           : s->references.n_items ? "--references"
                                   : search_option(s);
}

/* Options that contradict each other. */
static bool check(const settings *s, const limn_cli_operands *inputs)
{
    struct stat st;
    if (!s->output)
        limn_message_error("no output file given; use -o FILE");
    else if (inputs->n_items > 1 && !s->is_average)
        limn_message_error("more than one model given ('%s'); --average combines several",
                           inputs->items[1]);
    else if (inputs->n_items < 2 && s->is_average)
        limn_message_error("--average: needs two or more models");
    else if ((s->only || s->split) && !s->references.n_items)
        limn_message_error("--only and --split: need --references FILE");
    else if (s->references.n_items && s->is_encoder_only)
        limn_message_error("--references: can't be combined with --encoder-only");
    else if (search_option(s) && s->is_encoder_only)
        limn_message_error("%s: can't be combined with --encoder-only", search_option(s));
    else if (s->confidence && s->is_encoder_only)
        limn_message_error("--confidence: can't be combined with --encoder-only");
    else if (!s->objects != !s->features)
        limn_message_error("--objects FILE and --features CACHE must be given together");
    else if (is_published(s, inputs) && option_of_models(s))
        limn_message_error(
            "%s: needs a model file; convert %s first, then run limn-convert on the result",
            option_of_models(s), inputs->items[0]);
    else if (is_published(s, inputs) && s->dtype == DTYPE_INT8)
        limn_message_error("--dtype int8: needs a model file; convert %s to f16 first, then run "
                           "limn-convert on the result",
                           inputs->items[0]);
    else if (s->calibrate && s->dtype != DTYPE_INT8)
        limn_message_error("--calibrate: needs --dtype int8");
    else if (s->vocab && is_folder(inputs->items[0]))
        limn_message_error("--vocab: is for checkpoint files; the folder %s has its own vocabulary",
                           inputs->items[0]);
    else if (!s->is_forced && lstat(s->output, &st) == 0)
        limn_message_error("%s: already exists; --force replaces it", s->output);
    else
        return true;
    return false;
}

static int run(settings *s, const limn_cli_operands *inputs)
{
    limn_error err = { 0 };
    limn_message_init(tool.name, limn_verbosity_of(s->is_quiet, s->is_verbose));
    if (!check(s, inputs)) return LIMN_EXIT_USAGE;
    limn_status status = convert(s, inputs, &err);
    if (status == LIMN_OK) status = limn_standard_output_flush(&err);
    if (status == LIMN_OK) return s->n_failed > 0 ? LIMN_EXIT_SOME_FAILED : LIMN_EXIT_OK;
    if (status == LIMN_E_INTERRUPTED) {
        limn_message_warning("interrupted; no model was written");
        return LIMN_EXIT_INTERRUPTED;
    }
    return limn_cli_failed(&err);
}

int main(int argc, char **argv)
{
    settings s = { .dtype = DTYPE_OF_INPUT,
                   .n_threads = limn_default_threads(),
                   .length_penalty = NAN,
                   .no_repeat_ngram = NO_REPEAT_OF_INPUT,
                   .guidance = NAN };
    limn_cli_operands inputs;
    int code;
    limn_standard_streams_secure();
    if (!limn_cli_parse(&inputs, &s, &tool, argc, argv, &code)) return code;
    code = run(&s, &inputs);
    limn_cli_finish(&s, &tool);
    return code;
}
