#include "tools/train/train_options.h"

#include <stddef.h>

#include "decoder/decoder.h"
#include "models/option_value.h"
#include "tools/caption_input.h"
#include "tools/environment.h"
#include "tools/message.h"
#include "tools/shared_options.h"
#include "tools/train/train_defaults.h"

#define FIELD(name) .offset = offsetof(limn_train_options, name)

static const char *const stage_choices[] = {
    "all", "text", "features", "end-to-end", "reward", NULL
};
static const char *const vocab_modes[] = { "keep", "extend", "replace", NULL };
static const char *const tokenizers[] = { "words", "characters", NULL };

/* Their defaults are the library's: limn_train_help adds them. */
static const limn_option rows[] = {
    { "images", 0, "DIR", "folder of the images", .group = "Data", .type = LIMN_OPT_TEXT,
      FIELD(training.images.images) },
    { "captions", 0, "FILE", "their captions: a file or a folder", .group = "Data",
      .detail = LIMN_CAPTION_FORMATS, .type = LIMN_OPT_TEXT, FIELD(training.images.captions) },
    { "keep-rejected", 0, NULL, LIMN_KEEP_REJECTED_HELP, .group = "Data",
      .detail = LIMN_KEEP_REJECTED_DETAIL, .type = LIMN_OPT_FLAG,
      FIELD(training.images.keep_rejected), .is_more = true },
    { "train", 0, "LIST", "training images", .group = "Data",
      .detail = "One name per line. Without lists, the splits in the caption file are used if it "
                "has any (Karpathy's, or a field \"split\"): train and restval, and for --dev val, "
                "dev and validation; otherwise images are assigned by a hash of their names.",
      .type = LIMN_OPT_TEXT, FIELD(training.images.train_list) },
    { "dev", 0, "LIST", "development images, used to choose the model", .group = "Data",
      .type = LIMN_OPT_TEXT, FIELD(training.images.dev_list) },
    { "dev-share", 0, "S", "without lists: share of development images", .group = "Data",
      .type = LIMN_OPT_REAL, FIELD(training.images.dev_share), .min = 0, .max = 0.5,
      .is_more = true },
    { "features", 0, "CACHE", "features made by limn-preprocess", .group = "Data",
      .detail = "CACHE.npy and CACHE.txt, for the features stage; without it, features are "
                "computed and kept in the run's folder.",
      .type = LIMN_OPT_TEXT, FIELD(training.images.features), .is_more = true },
    { "unpaired-images", 0, "DIR", "more images, without captions", .group = "Unpaired data",
      .type = LIMN_OPT_TEXT, FIELD(training.unpaired.images), .is_more = true },
    { "objects", 0, "FILE", "objects detected in those images", .group = "Unpaired data",
      .detail = "Lines name<TAB>class:score class:score …, with COCO's classes.",
      .type = LIMN_OPT_TEXT, FIELD(training.unpaired.objects), .is_more = true },
    { "text", 0, "FILE", "captions without images", .group = "Unpaired data",
      .detail = "Matched to the unpaired images by the objects that both name; the text stage "
                "trains the decoder on these captions alone.",
      .type = LIMN_OPT_TEXT, FIELD(training.unpaired.text), .is_more = true },
    { "reward-text", 0, "FILE", "reward: more captions for document frequencies",
      .group = "Unpaired data",
      .detail = "The reward's document frequencies are counted in the training captions; each id "
                "in FILE adds one document. N-grams that are frequent in all of them earn little.",
      .type = LIMN_OPT_TEXT, FIELD(training.unpaired.reward_text), .is_more = true },
    { "unpaired-share", 0, "S", "share of unpaired images in each batch", .group = "Unpaired data",
      .type = LIMN_OPT_REAL, FIELD(training.unpaired.share), .min = 0, .max = 0.95,
      .is_more = true },
    { "self-training", 0, "N", "keep the N captions that the --init model prefers",
      .group = "Unpaired data",
      .detail = "Of the captions that name an image's objects, those that the image makes most "
                "probable under the --init model. This takes minutes.",
      .type = LIMN_OPT_COUNT, FIELD(training.unpaired.n_self_training), .min = 1, .max = 32,
      .is_more = true },
    { "encoder", 0, "FILE", "start from this encoder", .group = "Model",
      .detail = "A model file, or an encoder made by limn-convert --encoder-only. The decoder is "
                "initialised at random.",
      .type = LIMN_OPT_TEXT, FIELD(training.model.encoder) },
    { "init", 0, "MODEL", "start from this model", .group = "Model", .type = LIMN_OPT_TEXT,
      FIELD(training.model.init) },
    { "vocab", 0, "MODE", "with --init: keep, extend or replace", .group = "Model",
      .detail = "keep: new words become <unk>. extend: they are added after the old ones, which "
                "keep their ids. replace: only the words of these captions. Words that stay keep "
                "their embeddings.",
      .type = LIMN_OPT_CHOICE, FIELD(training.words.mode), .choices = vocab_modes },
    { "vocab-file", 0, "FILE", "a vocabulary made by limn-vocab", .group = "Model",
      .type = LIMN_OPT_TEXT, FIELD(training.words.file) },
    { "min-count", 0, "N", "add new words used at least N times", .group = "Model",
      .type = LIMN_OPT_COUNT, FIELD(training.words.min_count), .min = 1, .max = 1000000 },
    { "tokenizer", 0, "NAME", "words or characters", .group = "Model",
      .detail = "characters: for scripts without spaces between words.", .type = LIMN_OPT_CHOICE,
      FIELD(training.words.tokenizer), .choices = tokenizers, .is_more = true },
    { "max-words", 0, "N", "leave out captions of more than N words", .group = "Model",
      .type = LIMN_OPT_COUNT, FIELD(training.words.max_words), .min = 1, .max = 511,
      .is_more = true },
    { "layers", 0, "N", "layers of a new decoder", .group = "Model", .type = LIMN_OPT_COUNT,
      FIELD(training.model.n_layers), .min = 1, .max = 64, .is_more = true },
    { "dim", 0, "N", "width of a new decoder", .group = "Model", .type = LIMN_OPT_COUNT,
      FIELD(training.model.dim), .min = 16, .max = 4096, .is_more = true },
    { "heads", 0, "N", "attention heads of a new decoder", .group = "Model", .type = LIMN_OPT_COUNT,
      FIELD(training.model.n_heads), .min = 1, .max = 64, .is_more = true },
    { "feed-forward", 0, "N", "its feed-forward width (default: 4 x --dim)", .group = "Model",
      .type = LIMN_OPT_COUNT, FIELD(training.model.feed_forward), .min = 16, .max = 16384,
      .is_more = true },
    { "tag-slots", 0, "K", "show the decoder the K most probable objects", .group = "Model",
      .detail = "These are added to the features, and come from the tag set \"objects\" of the "
                "model or encoder (limn-convert --objects). A new decoder has none by default; the "
                "decoder of --init keeps those that it has.",
      .type = LIMN_OPT_COUNT, FIELD(training.model.n_tag_slots), .min = 1,
      .max = LIMN_MAX_TAG_SLOTS, .is_more = true },
    { "stage", 0, "NAME", "text, features, end-to-end, reward or all", .group = "Training",
      .detail = "features: the decoder, on features of the frozen encoder. end-to-end: the upper "
                "encoder too. reward: self-critical training on the CIDEr-D of sampled captions. "
                "text: the decoder alone, on --text. all: features, end-to-end, reward.",
      .type = LIMN_OPT_CHOICE, FIELD(training.stage), .choices = stage_choices },
    { "epochs", 0, "N", "number of epochs", .group = "Training", .type = LIMN_OPT_COUNT,
      FIELD(training.given.n_epochs), .min = 1, .max = 100000 },
    { "batch", 0, "N", "images per step", .group = "Training",
      .detail = "Captions per step in the text stage.", .type = LIMN_OPT_COUNT,
      FIELD(training.given.n_images), .min = 1, .max = 4096, .is_more = true },
    { "rate", 0, "R", "peak learning rate", .group = "Training",
      .detail = "Linear warm-up, then cosine decay.", .type = LIMN_OPT_REAL,
      FIELD(training.given.rate), .min = 1e-8, .max = 1 },
    { "encoder-rate", 0, "R", "learning rate of the encoder, relative to --rate",
      .group = "Training", .type = LIMN_OPT_REAL, FIELD(training.given.end_to_end.encoder_rate),
      .min = 0, .max = 10, .is_more = true },
    { "unfreeze", 0, "N", "parts of the encoder to train, from the top", .group = "Training",
      .detail = "The head, each block and the stem count as one part each. The output of the "
                "frozen parts is computed once per view and cached.",
      .type = LIMN_OPT_COUNT, FIELD(training.given.end_to_end.n_parts), .min = 1, .max = 64,
      .is_more = true },
    { "views", 0, "N", "views of each image", .group = "Training",
      .detail = "1: the whole image; 2: also mirrored; more: also random crops.",
      .type = LIMN_OPT_COUNT, FIELD(training.given.n_views), .min = 1, .max = 64, .is_more = true },
    { "samples", 0, "N", "reward: captions sampled per image", .group = "Training",
      .type = LIMN_OPT_COUNT, FIELD(training.given.reward.n_samples), .min = 2, .max = 64,
      .is_more = true },
    { "cross-entropy", 0, "S", "reward: weight of the cross-entropy", .group = "Training",
      .type = LIMN_OPT_REAL, FIELD(training.given.reward.cross_entropy_share), .min = 0, .max = 1,
      .is_more = true },
    { "object-cost", 0, "C", "reward: penalty for each false object", .group = "Training",
      .detail = "A false object is one that a caption names and no reference does. C is in units "
                "of CIDEr-D, where 1 is what papers report as 100. English only.",
      .type = LIMN_OPT_REAL, FIELD(training.given.reward.weights.object_cost), .min = 0, .max = 10,
      .is_more = true },
    { "object-f1", 0, "W", "reward: weight of the objects' F1 score", .group = "Training",
      .detail = "W times the F1 score of the objects, other than people, that a caption names, "
                "against those that its references name. English only.",
      .type = LIMN_OPT_REAL, FIELD(training.given.reward.weights.object_f1), .min = 0, .max = 10,
      .is_more = true },
    { "person-f1", 0, "W", "reward: weight of naming people correctly", .group = "Training",
      .detail = "W if caption and references both name people, or neither does. English only.",
      .type = LIMN_OPT_REAL, FIELD(training.given.reward.weights.person_f1), .min = 0, .max = 10,
      .is_more = true },
    { "retrieval", 0, "W", "reward: weight of a penalty for generic captions", .group = "Training",
      .detail = "W times the amount by which a caption misses a margin of 1 in CIDEr-D between the "
                "references of its own image and those of any other image of the batch.",
      .type = LIMN_OPT_REAL, FIELD(training.given.reward.weights.retrieval), .min = 0, .max = 10,
      .is_more = true },
    { "repeat-cost", 0, "C", "reward: penalty for each repeated word", .group = "Training",
      .detail =
          "C for each occurrence of a word after its first that is beyond the most that any one "
          "reference has.",
      .type = LIMN_OPT_REAL, FIELD(training.given.reward.weights.repeat_cost), .min = 0, .max = 10,
      .is_more = true },
    { "unsupported-cost", 0, "C", "reward: penalty for each word that no reference has",
      .group = "Training",
      .detail = "Articles, prepositions and the like cost nothing, and images with fewer than five "
                "references count for less.",
      .type = LIMN_OPT_REAL, FIELD(training.given.reward.weights.unsupported_cost), .min = 0,
      .max = 10, .is_more = true },
    { "dropout", 0, "P", "dropout in the decoder", .group = "Training", .type = LIMN_OPT_REAL,
      FIELD(training.given.regularization.dropout), .min = 0, .max = 0.9, .is_more = true },
    { "feature-dropout", 0, "P", "dropout of features", .group = "Training", .type = LIMN_OPT_REAL,
      FIELD(training.given.regularization.feature_dropout), .min = 0, .max = 0.9, .is_more = true },
    { "picture-dropout", 0, "P", "share of images to hide", .group = "Training",
      .detail = "Their captions are trained without the image, which makes the unconditional model "
                "that limn --guidance needs.",
      .type = LIMN_OPT_REAL, FIELD(training.given.regularization.image_dropout), .min = 0,
      .max = 0.9, .is_more = true },
    { "label-smoothing", 0, "P", "label smoothing", .group = "Training", .type = LIMN_OPT_REAL,
      FIELD(training.given.regularization.label_smoothing), .min = 0, .max = 0.9, .is_more = true },
    { "weight-decay", 0, "W", "weight decay of matrices", .group = "Training",
      .type = LIMN_OPT_REAL, FIELD(training.given.weight_decay), .min = 0, .max = 1,
      .is_more = true },
    { "seed", 0, "N", "random seed", .group = "Training", .type = LIMN_OPT_SIZE,
      FIELD(training.seed), .min = 0, .max = LIMN_MAX_SEED, .is_more = true },
    { "run", 0, "DIR", "folder for the run, which must not exist", .group = "Running",
      .detail = "It holds checkpoints, the log (log.jsonl), run.html and caches.",
      .type = LIMN_OPT_TEXT, FIELD(run) },
    { "resume", 0, "DIR", "resume the run in DIR", .group = "Running",
      .detail =
          "With the options it was started with; only --threads, -q and -v may be given again.",
      .type = LIMN_OPT_TEXT, FIELD(resume) },
    { "cache", 0, "DIR", "keep caches in DIR (default: in the run's folder)", .group = "Running",
      .detail = "Runs on the same images share them. Caches that don't match are rebuilt.",
      .type = LIMN_OPT_TEXT, FIELD(training.cache), .is_more = true },
    { "output", 'o', "FILE", "write the best model to FILE at the end", .group = "Running",
      .type = LIMN_OPT_TEXT, FIELD(output) },
    { "f32", 0, NULL, "write matrices as f32, not f16", .group = "Running", .type = LIMN_OPT_FLAG,
      FIELD(training.model.is_f32), .is_more = true },
    { "plan", 0, NULL, "print the stages, their time and memory, and stop", .group = "Running",
      .detail = "Checks that all images exist, opens a sample of them, and suggests similar names "
                "for missing ones.",
      .type = LIMN_OPT_FLAG, FIELD(is_plan) },
    { "eval-epochs", 0, "N", "score the model every N epochs", .group = "Running",
      .type = LIMN_OPT_COUNT, FIELD(training.n_eval_epochs), .min = 1, .max = 100000,
      .is_more = true },
    { "checkpoint-steps", 0, "N", "write a checkpoint every N steps", .group = "Running",
      .detail = "Default: every five minutes, and always at the end of an epoch.",
      .type = LIMN_OPT_SIZE, FIELD(training.checkpoint_steps), .min = 1, .max = 1e9,
      .is_more = true },
    LIMN_ROW_THREADS(FIELD(training.n_threads), .group = "Running"),
    LIMN_ROW_SANDBOX(FIELD(sandbox), .group = "Running", .detail = "As in limn(1).",
                     .is_more = true),
    LIMN_ROW_QUIET(FIELD(is_quiet), .group = "Running"),
    { "verbose", 'v', NULL, "print what is used and what was left out", .group = "Running",
      .type = LIMN_OPT_FLAG, FIELD(is_verbose) },
};

static const limn_cli_example examples[] = {
    { "limn-train --images photos --captions captions.tsv --encoder "
      "encoder.safetensors --run run "
      "-o model.safetensors",
      "A model from photos and captions." },
    { "limn-train --init model.safetensors --vocab extend --images mine "
      "--captions mine.tsv --stage "
      "features --epochs 6 --run mine-run -o mine.safetensors",
      "A model fine-tuned on your own images and words." },
    { "limn-train --resume run", "Resumes a run that was stopped." },
};

static const limn_cli_tool tool = {
    .name = "limn-train",
    .summary = "trains a captioner on images and captions",
    .operands = NULL,
    .description =
        "Trains a model in stages: the decoder on features of a frozen encoder, then decoder and "
        "upper encoder together, then on the CIDEr-D of its own captions. After each epoch the "
        "captions of the development images are scored; the model with the best CIDEr is "
        "kept.\n\nA run can be stopped at any moment, by a signal, a kill or a power cut; --resume "
        "continues from the last checkpoint to the same model, bit for bit, whatever the number of "
        "threads. run.html in the run's folder shows its progress.\n\nAn image that can't be read "
        "is named and left out; more than 1 % of such images is an error. Captions that are empty "
        "or too long are counted and left out. A loss that is not finite stops the run, and the "
        "last good checkpoint is kept.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .min_operands = 0,
    .max_operands = 0,
};

const limn_cli_tool *limn_train_tool(void)
{
    enum { N_ROWS = sizeof rows / sizeof *rows, HELP_SIZE = 160 };
    static char help[N_ROWS][HELP_SIZE];
    static limn_option options[N_ROWS];
    static limn_cli_tool complete;
    for (size_t i = 0; i < N_ROWS; i++) {
        limn_train_help(help[i], HELP_SIZE, &rows[i], offsetof(limn_train_options, training));
        options[i] = rows[i];
        options[i].help = help[i];
    }
    complete = tool;
    complete.options = options;
    complete.n_options = N_ROWS;
    return &complete;
}

limn_train_options limn_train_options_default(void)
{
    limn_train_options o = { .training = limn_training_settings_default() };
    o.training.n_threads = limn_default_threads();
    return o;
}

/* ---- contradictions ------------------------------------------------------------------------ */

static const char *complaint(const limn_train_options *o)
{
    const limn_training_settings *t = &o->training;
    const bool is_text = t->stage == LIMN_STAGE_TEXT + 1;
    if (!o->run && !o->is_plan)
        return "no folder for the run: give --run DIR, or --resume DIR to resume one";
    if (!t->images.images && !is_text) return "no images: give --images DIR";
    if (!t->images.captions && !is_text) return "no captions: give --captions FILE";
    if (is_text && !t->unpaired.text) return "no captions for the text stage: give --text FILE";
    if (!t->model.encoder == !t->model.init)
        return "nothing to start from: give either --encoder FILE or --init MODEL";
    if (t->words.mode && !t->model.init) return "--vocab: needs --init MODEL";
    if (t->words.file && t->model.init && !t->words.mode)
        return "--vocab-file: needs --vocab extend or replace, when --init is given";
    if (!t->images.train_list != !t->images.dev_list)
        return "--train and --dev: give both lists or neither";
    if (!t->unpaired.images != !t->unpaired.objects || (t->unpaired.images && !t->unpaired.text))
        return "--unpaired-images, --objects and --text must be given together";
    if (t->unpaired.reward_text && t->stage && t->stage != LIMN_STAGE_REWARD + 1)
        return "--reward-text: needs --stage reward or all";
    if (t->images.features && t->unpaired.images)
        return "--features: can't be combined with --unpaired-images, whose features it lacks";
    if (t->unpaired.n_self_training && (!t->model.init || !t->unpaired.images))
        return "--self-training: needs --init MODEL and --unpaired-images";
    if (!t->stage && limn_stage_settings_is_of_one_stage(&t->given))
        return "--epochs, --batch, --rate and other options that differ between stages need "
               "--stage NAME";
    return NULL;
}

bool limn_train_options_check(const limn_train_options *o)
{
    const char *text = complaint(o);
    if (text) limn_message_error("%s", text);
    return !text;
}
