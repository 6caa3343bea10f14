/* limn: captions for images. The public header of the library.
 *
 *     limn_model *model = NULL;          // immutable; shared by all threads
 *     limn_state *state = NULL;          // one per thread: all scratch memory
 *     limn_error err = { 0 };
 *     limn_options options = limn_options_default();
 *     const limn_captions *captions;
 *
 *     if (limn_model_open(&model, "model.safetensors", NULL, &err) ||
 *         limn_state_create(&state, model, &options, 1, &err) ||
 *         limn_state_caption_file(state, "photo.jpg", &captions, &err))
 *         fprintf(stderr, "%s\n", err.text);
 *     else
 *         printf("%s\n", captions->items[0].text);
 *     limn_state_destroy(&state);
 *     limn_model_close(&model);
 *
 * Rules for all functions. A pointer may be NULL only where this is stated; otherwise the result is
 * LIMN_E_ARG, or of a function without a status nothing, zeros or false. The caller must pass
 * buffers as large as stated, and no model or state that was closed or destroyed (which nulls the
 * caller's pointer). Every fallible function returns a limn_status and writes one
 * line to `err` (may be NULL; zero-initialise it). Nothing prints, exits, reads the environment or
 * changes global state. The same image, model and options give the same bytes, whatever
 * the threads, the order of calls or the CPU level, and whatever rounding, flushing of denormals or
 * traps the caller has set, which are back as they were on return. After the first image of a
 * size nothing is allocated but by the image libraries. */
#ifndef LIMN_MODELS_CAPTIONER_H
#define LIMN_MODELS_CAPTIONER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct limn_model limn_model;
typedef struct limn_state limn_state;

/* ---- model ---------------------------------------------------------------------------- */

/* Opens a model file and packs its weights. `cpu_level` is "c", "avx2", "avx512", or NULL for
 * the best one here. LIMN_E_IO, LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_LIMIT, LIMN_E_UNSUPPORTED,
 * LIMN_E_NOMEM; LIMN_E_ARG for an unknown CPU level or an encoder-only file. */
LIMN_API limn_status limn_model_open(limn_model **out, const char *path, const char *cpu_level,
                                     limn_error *err);
/* The same of a model file that is in memory already; the bytes may be freed
 * afterwards. The errors of limn_model_open, except LIMN_E_IO. */
LIMN_API limn_status limn_model_open_memory(limn_model **out, const void *bytes, size_t size,
                                            const char *cpu_level, limn_error *err);
/* Several models as one: at each step the probabilities that they give are averaged. They must have
 * the same vocabulary; what else a model says (length penalty, limits, document frequencies,
 * attention) is that of the first, whose captions are as long as all can make them. Errors as those
 * of limn_model_open; LIMN_E_ARG also when vocabularies differ. */
LIMN_API limn_status limn_model_open_ensemble(limn_model **out, const char *const *paths,
                                              size_t n_paths, const char *cpu_level,
                                              limn_error *err);
/* After every state of it is gone. Accepts NULL and *model == NULL; nulls it. */
LIMN_API void limn_model_close(limn_model **model);

typedef struct limn_model_info {
    uint32_t input_width, input_height; /* pixels that images are squashed or cropped to */
    size_t input_bytes;         /* of what limn_state_load writes: input_width * input_height * 3,
                                 * more for an ensemble whose models see images differently */
    uint32_t n_models;          /* 1, more for an ensemble */
    uint32_t n_tokens;          /* vocabulary size */
    uint32_t max_words;         /* longest caption the default search allows */
    float length_penalty;       /* default exponent of the length in a score */
    uint32_t n_layers, n_heads; /* of the decoder's attention */
    uint32_t n_prefix;          /* rows of the features before the grid's that have no location */
    uint32_t grid_width, grid_height; /* the others: cells that divide the input evenly */
    const char *encoder;              /* family, e.g. "efficientnet-lite0"; owned by the model */
    const char *cpu_level;            /* kernels in use; static storage */
    uint32_t n_reference_images;      /* images whose captions the document frequencies were
                                       * counted from; 0: the file has none */
    uint32_t n_tags;                  /* concepts that it knows beside words; 0: none */
    bool has_confidence;              /* the file has a calibrated confidence */
    size_t n_features;                /* floats that limn_state_encode writes: [n_positions,
                                       * feature_dim], of each model of an ensemble in turn */
    uint32_t feature_dim;             /* of the (first) model */
    uint32_t shorter_side;            /* images are cropped: their shorter side becomes this many
                                       * pixels, and the centre is the input; 0: squashed whole */
} limn_model_info;

/* Writes as much of it as a struct of `size` bytes has; zeros without a model. */
LIMN_API void limn_model_read_info(const limn_model *model, limn_model_info *info, size_t size);
static inline void limn_model_get_info(const limn_model *model, limn_model_info *info)
{
    limn_model_read_info(model, info, sizeof *info);
}
/* Whether all words of a text are in the vocabulary, split as options split it; options with
 * other words are LIMN_E_ARG. */
LIMN_API bool limn_model_knows(const limn_model *model, const char *text);
/* Text of a token; NULL when id >= n_tokens. Owned by the model. */
LIMN_API const char *limn_model_token(const limn_model *model, uint32_t id);

#define LIMN_UNKNOWN_TOKEN \
    UINT32_MAX /* stands for every word that the vocabulary lacks; never written */
/* The token of a word; LIMN_UNKNOWN_TOKEN when there is none. */
LIMN_API uint32_t limn_model_find(const limn_model *model, const char *word);

/* ---- options ---------------------------------------------------------------------------- */

typedef enum limn_style {
    LIMN_STYLE_RAW = 0,  /* tokens in lower case with spaces between, as scores need them */
    LIMN_STYLE_SENTENCE, /* "A man's dog." */
} limn_style;

/* How captions are found. */
typedef enum limn_method {
    LIMN_METHOD_BEAM = 0,            /* the most probable ones, by beam search */
    LIMN_METHOD_SAMPLE = 1,          /* drawn from the model's distribution, each by itself */
    LIMN_METHOD_SAMPLE_DISTINCT = 3, /* drawn such that all differ, by stochastic beam search */
} limn_method;

/* Which of the captions found are the best. */
typedef enum limn_rerank {
    LIMN_RERANK_NONE = 0,  /* those of the best score */
    LIMN_RERANK_CONSENSUS, /* those most like the others (minimum Bayes risk under CIDEr-D, by the
                            * document frequencies in the model file) */
} limn_rerank;

/* By whose rules beam search goes. */
typedef enum limn_search_rules {
    LIMN_SEARCH_LIMN = 0,     /* limn's own, for all options */
    LIMN_SEARCH_TRANSFORMERS, /* those of transformers' generate: beam_size, n_best, length_penalty,
                               * repetition_penalty and the lengths below, as it has them */
    LIMN_SEARCH_VIRTEX,       /* VirTex's own: beam_size, n_best */
} limn_search_rules;

/* May change values [n_tokens] before a search chooses what follows words [n_words]: log-
 * probabilities, indexed by token (limn_model_token). -INFINITY forbids; what is above 0 counts as
 * 0. What limn_captions report are the model's log-probabilities all the same. It may be called by
 * the thread of any state that has these options. */
typedef void limn_filter_fn(void *ctx, const uint32_t *words, size_t n_words, float *values,
                            size_t n_tokens);

/* Called before the image is encoded (step 0) and before each step of the search (1 … max_steps at
 * most), by the thread that called the state; false ends that call with LIMN_E_INTERRUPTED. */
typedef bool limn_progress_fn(void *ctx, uint32_t step, uint32_t max_steps);

/* How captions are made. Start from limn_options_default, then set fields, or options by their
 * names (limn_options_set). A field's comment begins with the name of its option.
 * models/option.h tells ranges, defaults and help of each. Texts and lists that a program puts into
 * fields are borrowed during the call that gets these options. A word that is not in the
 * vocabulary is LIMN_E_ARG, which offers near ones. */
typedef struct limn_options {
    size_t size; /* of this struct where it was compiled: later versions have more fields */
    uint64_t set_by_name; /* this and the next belong to limn_options_set */
    struct limn_options_memory *memory;

    limn_method method;    /* sample, distinct */
    uint32_t n_best;       /* n-best: captions returned at most */
    uint32_t n_candidates; /* candidates: how many captions to choose from: samples drawn, or
                            * hypotheses that may finish. 0 (default): n_best samples;
                            * round(beam_size * patience) hypotheses */
    limn_rerank rerank;    /* rerank */

    /* beam search */
    uint32_t beam_size; /* beam; 1 = greedy */
    float patience;     /* patience: the search goes on until patience * beam_size hypotheses have
                         * finished */
    uint32_t n_groups;  /* groups of hypotheses that must differ; divides beam_size */
    float diversity;    /* diversity: what a word costs a group for each earlier group that has just
                         * chosen it */

    /* sampling, in this order */
    float temperature; /* temperature; 0 = the most probable token */
    uint32_t top_k;    /* top-k: only the k most probable tokens; 0 (default) = all */
    float top_p;   /* top-p: nucleus sampling: the fewest tokens whose probabilities sum to it */
    float min_p;   /* min-p: no token below this share of the largest probability */
    float typical; /* typical: the most typical tokens whose probabilities sum to it */
    uint64_t seed; /* seed: determines the random numbers, together with the image's name */

    /* what captions may be */
    uint32_t min_words;          /* min-words; below the model's limit */
    uint32_t max_words;          /* max-words; 0 (default) = the model's limit */
    uint32_t no_repeat_ngram;    /* no-repeat-ngram: no n-gram of that size twice in a caption */
    const char *const *required; /* must: [n_required], at most 16, all in each caption: a word or a
                                  * phrase, or several with '|' between them, one of which is
                                  * enough. Beam search only */
    size_t n_required;
    const char *const *banned_words; /* ban: [n_banned_words] words and phrases, never written */
    size_t n_banned_words;
    const char *start; /* start-with: the first words of each caption; NULL (default) = none */
    bool ends_well; /* no-bad-endings: no caption ends after an article, a preposition or the like
                     * (English) */

    /* scores: value / length^A + length_reward * length + coverage_penalty * coverage. The value is
     * the sum of the logprobs; that of a repeated word is multiplied by repetition_penalty */
    float length_penalty;     /* length-penalty: A; NAN (default): the model's */
    float guidance;           /* guidance: log-probabilities become without + G * (with - without)
                               * the image, normalised; above 1 the image counts more than habit.
                               * Each step costs twice as much; reported logprobs are the guided
                               * ones */
    float length_reward;      /* length-reward: of each token */
    float repetition_penalty; /* repetition-penalty; above 1: words are less likely to come again;
                               * in sampling it changes the distribution, not the score */
    float coverage_penalty;   /* coverage-penalty; the coverage is the sum over the image's cells
                               * of log(min(attention they got in all steps, 1)), of the first model
                               * of an ensemble, layers and heads averaged */
    limn_filter_fn *filter;   /* NULL (default) = none */
    void *filter_ctx;

    uint64_t max_pixels;        /* max-pixels: larger images are refused */
    limn_style style;           /* style: of limn_caption.text */
    bool keeps_search;          /* limn_captions.search and limn_caption.predictions; default false:
                                 * then they cost nothing. Captions are the same bits either way */
    bool keeps_attention;       /* implies keeps_search; limn_prediction.attention */
    uint32_t n_alternatives;    /* alternatives: of each prediction; above 0 implies keeps_search */
    uint32_t n_tags;            /* tags: limn_captions.tags; LIMN_E_ARG for a model that has none */
    bool has_confidence;        /* confidence: limn_caption.confidence and .signals. Implies
                                 * keeps_search, and costs a pass of the decoder for each caption;
                                 * captions are the same bits */
    limn_progress_fn *progress; /* NULL (default) = none */
    void *progress_ctx;

    const char *prompt;       /* prompt: a text that captions go on from, and begin with; it has no
                               * part in tokens, lengths and scores. NULL (default) = none */
    limn_search_rules search; /* search */
    /* of LIMN_SEARCH_TRANSFORMERS; 0 (default) = not given; without a maximum 20 new tokens */
    uint32_t max_length, min_length;         /* max-length, min-length: with start token and prompt;
                                              * the end counts too */
    uint32_t max_new_tokens, min_new_tokens; /* max-new-tokens, min-new-tokens: after the prompt */
} limn_options;

/* Writes the defaults to a struct of `size` bytes. */
LIMN_API void limn_options_init(limn_options *options, size_t size);
/* The defaults, in a struct as large as this header's, whatever the library's age. */
static inline limn_options limn_options_default(void)
{
    limn_options options;
    limn_options_init(&options, sizeof options);
    return options;
}

/* Sets an option by its name, as on the command line: limn_options_set(&options, "beam", "5",
 * &err).
 * '_' in a name is '-'. A flag takes yes, no or NULL (yes); a list gets the value as one more item.
 * Values are copied; limn_options_finish frees the copies, and a copy of the struct shares them. An
 * option that is set by name may give others another default: "rerank" "consensus" makes the beam
 * 20. LIMN_E_ARG: an unknown name, of which near ones are offered, or a value that is
 * malformed or out of range, which is named with its bounds, in the words of the command line.
 * LIMN_E_NOMEM. */
LIMN_API limn_status limn_options_set(limn_options *options, const char *name, const char *value,
                                      limn_error *err);
/* Frees what limn_options_set has copied, and resets the struct to the defaults if any option was
 * set by name. Accepts NULL. */
LIMN_API void limn_options_finish(limn_options *options);

/* ---- state ---------------------------------------------------------------------------- */

/* All scratch memory of one worker; one call at a time. n_threads > 1 splits the work of each
 * image among that many threads (for one image at a time; for many, give each thread
 * its own state with n_threads = 1). Result bits do not depend on it. `model` must outlive
 * the state; `options` is copied; NULL stands for the defaults. LIMN_E_ARG names the option, its
 * value and its bounds. */
LIMN_API limn_status limn_state_create(limn_state **out, const limn_model *model,
                                       const limn_options *options, uint32_t n_threads,
                                       limn_error *err);
LIMN_API void limn_state_destroy(limn_state **state); /* accepts NULL and *state == NULL */

/* ---- captions ------------------------------------------------------------------------- */

typedef struct limn_alternative {
    uint32_t token;
    float logprob; /* as in limn_caption.token_logprobs */
} limn_alternative;

/* What the model predicted after a hypothesis, a row of a step of the search: its distribution
 * before the options forbid or favour anything. */
typedef struct limn_prediction {
    uint32_t parent; /* the row of the step before that the hypothesis continues; 0 at the first */
    uint32_t token;  /* the token that extends it; at the first step the start token, */
    float token_logprob;                  /* and its log-probability; 0 there */
    float entropy;                        /* nats: how open the prediction is */
    const limn_alternative *alternatives; /* [n_alternatives] the most probable, best first */
    size_t n_alternatives;                /* as in the options, or all that can be written */
    const float *attention; /* [n_layers, n_heads, grid_height, grid_width]: where it looked, cells
                             * row by row; each [grid_height, grid_width] sums to 1, or to less by
                             * what the model's class positions, its tag slots and, of a model that
                             * has the image before the words, the words got. NULL unless
                             * keeps_attention */
} limn_prediction;

typedef struct limn_search_step {
    const limn_prediction *rows; /* [n_rows] the hypotheses kept, best first */
    size_t n_rows;
} limn_search_step;

/* All hypotheses that a search looked at: a tree by their parents. */
typedef struct limn_search {
    const limn_search_step *steps; /* [n_steps]; before the first step there are no words */
    size_t n_steps;
} limn_search;

/* What tells right captions from wrong ones. */
typedef enum limn_signal {
    LIMN_SIGNAL_LOGPROB = 0, /* mean logprob of its tokens */
    LIMN_SIGNAL_LEAST,       /* that of the least probable token */
    LIMN_SIGNAL_ENTROPY,     /* mean entropy of the predictions that its tokens were chosen from */
    LIMN_SIGNAL_LENGTH,      /* tokens, end token included */
    LIMN_SIGNAL_PICTURE,     /* LOGPROB minus its value without the image, by the (first) model */
    LIMN_SIGNAL_MARGIN,      /* LOGPROB minus the best of the search's other captions; 0 if none */
    LIMN_SIGNAL_AGREEMENT,   /* mean Jaccard similarity of its set of tokens with those of the
                              * other captions; 1 if there are none */
    LIMN_SIGNAL_OBJECTS,     /* of the 80 objects (tags "objects") that the caption names: the log
                              * of the least probability; 0 where it names none */
    LIMN_SIGNAL_PERSON,      /* log of a person's probability; 0 where the caption names nobody */
    LIMN_SIGNAL_PEOPLE,      /* 1 where it names somebody, 0 elsewhere */
    LIMN_SIGNAL_FAMILIAR,    /* log of the largest probability of the tags "imagenet": how like its
                              * classes the image is; 0 without them */
    LIMN_N_SIGNALS
} limn_signal;

typedef struct limn_caption {
    const char *text;            /* in the style of the options, UTF-8; with the prompt */
    const uint32_t *tokens;      /* [n_tokens], end token included if it came */
    const float *token_logprobs; /* [n_tokens], natural logarithm; <pad>, <s> and <unk>, which are
                                  * never written, have no share in the probabilities */
    size_t n_tokens;
    const limn_prediction *const *predictions; /* [n_tokens] what each token was chosen from; NULL
                                                * unless the search is kept */
    double logprob;                            /* sum over tokens, end token included */
    double score;         /* logprob / length^A, length counting the end token; more terms
                           * as the options say; with LIMN_RERANK_CONSENSUS the consensus,
                           * 0 … 10 */
    uint32_t n_drawn;     /* how often it was drawn; 1 unless sampled */
    double confidence;    /* probability that it is right, 0 … 1, calibrated for
                           * this model alone with the default options; NAN unless asked for,
                           * and for a model file without a calibration */
    const float *signals; /* [LIMN_N_SIGNALS] what that is made of; NULL unless asked for */
} limn_caption;

/* A concept that the image shows, by one of the model file's heads. Each knows its own list only:
 * "imagenet" one of 1000 classes, "objects" any of 80. */
typedef struct limn_tag {
    const char *name, *set; /* owned by the model */
    float probability;
} limn_tag;

typedef struct limn_captions {
    const limn_caption *items; /* [n_items], best score first */
    size_t n_items;            /* 1 … n_best */
    const limn_tag *tags;      /* [n_tags], the most probable first, of all sets together; of an
                                * ensemble the first model's */
    size_t n_tags;             /* as in the options, or all that the model has */
    const limn_search *search; /* NULL unless kept */
} limn_captions;

/* Captions of an image file, of its bytes, or of pixels [height, width, 3] RGB. `*out` belongs to
 * the state and stays valid until its next call. `name` (may be NULL) or `path`: what follows its
 * last '/' is the image's name, which with the seed determines the random numbers. LIMN_E_IO,
 * LIMN_E_UNSUPPORTED (the text names the format found), LIMN_E_TRUNCATED, LIMN_E_FORMAT,
 * LIMN_E_LIMIT, LIMN_E_NOMEM, LIMN_E_ARG (no caption can meet the options). */
LIMN_API limn_status limn_state_caption_file(limn_state *state, const char *path,
                                             const limn_captions **out, limn_error *err);
LIMN_API limn_status limn_state_caption_bytes(limn_state *state, const char *name,
                                              const void *bytes, size_t size,
                                              const limn_captions **out, limn_error *err);
LIMN_API limn_status limn_state_caption_pixels(limn_state *state, const char *name,
                                               const uint8_t *pixels, uint32_t width,
                                               uint32_t height, const limn_captions **out,
                                               limn_error *err);

/* The two halves of limn_state_caption_bytes, for programs that load images ahead: loading
 * writes input [input_bytes], pixels [input_height, input_width, 3], and uses only loading scratch;
 * captioning reads it. `*width`, `*height` (may be NULL): the upright image's size. */
LIMN_API limn_status limn_state_load(limn_state *state, const void *bytes, size_t size,
                                     uint8_t *input, uint32_t *width, uint32_t *height,
                                     limn_error *err);
LIMN_API limn_status limn_state_caption_input(limn_state *state, const char *name,
                                              const uint8_t *input, const limn_captions **out,
                                              limn_error *err);

/* Pixels as programs have them: 8 bits a sample, rows from the top, upright. */
typedef enum limn_pixel_order { LIMN_PIXELS_RGB = 0, LIMN_PIXELS_BGR } limn_pixel_order;
typedef struct limn_pixels {
    const uint8_t *rows; /* [height] rows of [width, 3] */
    uint32_t width, height;
    size_t stride; /* bytes from a row to the next, at least 3 * width; 0: 3 * width */
    limn_pixel_order order;
} limn_pixels;

/* As limn_state_load of such pixels. LIMN_E_ARG (a side that is not in 1 … 65535, a stride too
 * small), LIMN_E_LIMIT, LIMN_E_NOMEM. */
LIMN_API limn_status limn_state_load_pixels(limn_state *state, const limn_pixels *pixels,
                                            uint8_t *input, limn_error *err);

/* The two halves of limn_state_caption_input: encoding writes features [n_features] of an image;
 * captioning reads them, in any state of the same model, so that an image that is captioned under
 * several options is encoded once. The captions are the same bits. */
LIMN_API limn_status limn_state_encode(limn_state *state, const uint8_t *input, float *features,
                                       limn_error *err);
LIMN_API limn_status limn_state_caption_features(limn_state *state, const char *name,
                                                 const float *features, const limn_captions **out,
                                                 limn_error *err);

/* Captions as one line of JSON without its end, as limn --format jsonl writes it: {"file": name,
 * "caption", "logprob", "score", "tokens": [{"token", "logprob"}], …}, with what `options` asked
 * for (NULL: the defaults), the confidence where there is one, and "file" unless name is NULL.
 * Writes it with its NUL to out [size] if it fits; *needed is the size that it takes. LIMN_E_ARG,
 * LIMN_E_NOMEM. */
LIMN_API limn_status limn_captions_json(const limn_captions *captions, const limn_model *model,
                                        const limn_options *options, const char *name, char *out,
                                        size_t size, size_t *needed, limn_error *err);
/* The same of an image that failed: {"file": name, "error": {"kind", "detail"}}. LIMN_E_ARG,
 * LIMN_E_NOMEM. */
LIMN_API limn_status limn_failure_json(const limn_error *failure, const char *name, char *out,
                                       size_t size, size_t *needed, limn_error *err);

/* ---- about ---------------------------------------------------------------------------- */

#define LIMN_VERSION_MAJOR 0
#define LIMN_VERSION_MINOR 1
#define LIMN_VERSION_PATCH 0
/* Grows by one when something is added that older libraries lack. */
#define LIMN_API_VERSION 3

/* Of the library as loaded: "0.1.0", and the LIMN_API_VERSION that it was built with. */
LIMN_API const char *limn_version(void);
LIMN_API uint32_t limn_api_version(void);
/* Names of the CPU levels usable here, best last, NULL after the last. */
LIMN_API const char *const *limn_cpu_levels(void);

#ifdef __cplusplus
}
#endif

#endif
