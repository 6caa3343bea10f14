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
 * Rules for all functions. A pointer may be NULL only where stated; otherwise the call fails with
 * LIMN_E_ARG, or, if the function returns no status, does nothing or returns zeros or false.
 * Buffers must be as large as stated, and a model or state must not be used after it was closed or
 * destroyed (which sets the caller's pointer to NULL). Functions that can fail return a limn_status
 * and write one line to `err` (may be NULL; zero-initialise it). Nothing prints, exits, reads the
 * environment or changes global state. The same image, model and options give the same bytes,
 * regardless of threads, order of calls and CPU level. The caller's rounding mode, denormal
 * flushing and floating-point traps make no difference either, and are restored on return. After
 * the first image of a size, only the image libraries allocate memory. */
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

/* Opens a model file and packs its weights. `cpu_level` is one of limn_cpu_levels, or NULL for the
 * best one available. LIMN_E_IO, LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_LIMIT, LIMN_E_UNSUPPORTED,
 * LIMN_E_NOMEM; LIMN_E_ARG for an unknown CPU level or an encoder-only file. */
LIMN_API limn_status limn_model_open(limn_model **out, const char *path, const char *cpu_level,
                                     limn_error *err);
/* The same for a model file in memory; the bytes may be freed afterwards. Errors as
 * limn_model_open, except LIMN_E_IO. */
LIMN_API limn_status limn_model_open_memory(limn_model **out, const void *bytes, size_t size,
                                            const char *cpu_level, limn_error *err);
/* Several models as one: at each step their probabilities are averaged. They must have the same
 * vocabulary; everything else (the default search with its guidance, document frequencies,
 * attention) is taken from the first, and captions are limited to the length that all models allow.
 * Errors as limn_model_open; LIMN_E_ARG also if vocabularies differ. */
LIMN_API limn_status limn_model_open_ensemble(limn_model **out, const char *const *paths,
                                              size_t n_paths, const char *cpu_level,
                                              limn_error *err);
/* Destroy all states of the model first. Accepts NULL and *model == NULL; sets *model to NULL. */
LIMN_API void limn_model_close(limn_model **model);

typedef struct limn_model_info {
    uint32_t input_width, input_height; /* pixels that images are squashed or cropped to */
    size_t input_bytes;         /* written by limn_state_load: input_width * input_height * 3, more
                                 * for an ensemble whose models need different inputs */
    uint32_t n_models;          /* 1, more for an ensemble */
    uint32_t n_tokens;          /* vocabulary size */
    uint32_t max_words;         /* length of the longest caption */
    float length_penalty;       /* default exponent of the length in a score */
    uint32_t n_layers, n_heads; /* of the decoder's attention */
    uint32_t n_prefix;          /* rows of the features without a location (class tokens), before
                                 * those of the grid */
    uint32_t grid_width, grid_height; /* the other rows: equal cells of the input */
    const char *encoder;              /* family, e.g. "efficientnet-lite0"; owned by the model */
    const char *cpu_level;            /* kernels in use; static storage */
    uint32_t n_reference_images;      /* images whose captions the document frequencies were
                                       * counted in; 0: the file has none */
    uint32_t n_tags;                  /* concepts that it recognises besides its vocabulary; 0:
                                       * none */
    bool has_confidence;              /* the file has a calibrated confidence */
    size_t n_features;                /* floats written by limn_state_encode: [n_positions,
                                       * feature_dim] of each model of an ensemble in turn */
    uint32_t feature_dim;             /* of the (first) model */
    uint32_t shorter_side;            /* images are cropped: the shorter side is resized to this
                                       * many pixels, and the centre is the input; 0: the whole
                                       * image is squashed */
} limn_model_info;

/* Writes the first `size` bytes of the struct; zeros if `model` is NULL. */
LIMN_API void limn_model_read_info(const limn_model *model, limn_model_info *info, size_t size);
static inline void limn_model_get_info(const limn_model *model, limn_model_info *info)
{
    limn_model_read_info(model, info, sizeof *info);
}
/* Whether all words of a text, split like the words in options, are in the vocabulary; options with
 * other words are LIMN_E_ARG. */
LIMN_API bool limn_model_knows(const limn_model *model, const char *text);
/* Text of a token; NULL when id >= n_tokens. Owned by the model. */
LIMN_API const char *limn_model_token(const limn_model *model, uint32_t id);

#define LIMN_UNKNOWN_TOKEN \
    UINT32_MAX /* stands for every word that the vocabulary lacks; never written */
/* The token of a word; LIMN_UNKNOWN_TOKEN if there is none. */
LIMN_API uint32_t limn_model_find(const limn_model *model, const char *word);

/* ---- options ---------------------------------------------------------------------------- */

typedef enum limn_style {
    LIMN_STYLE_RAW = 0,  /* lower-case tokens with spaces between them, as metrics expect */
    LIMN_STYLE_SENTENCE, /* "A man's dog." */
} limn_style;

/* How captions are found. */
typedef enum limn_method {
    LIMN_METHOD_BEAM = 0,            /* the most probable ones, by beam search */
    LIMN_METHOD_SAMPLE = 1,          /* drawn from the model's distribution independently */
    LIMN_METHOD_SAMPLE_DISTINCT = 3, /* drawn without replacement, by stochastic beam search */
} limn_method;

/* How captions are ranked. */
typedef enum limn_rerank {
    LIMN_RERANK_NONE = 0,  /* by score */
    LIMN_RERANK_CONSENSUS, /* those most like the others first (minimum Bayes risk under CIDEr-D,
                            * with the document frequencies in the model file) */
} limn_rerank;

/* The search algorithm. */
typedef enum limn_search_rules {
    LIMN_SEARCH_LIMN = 0,     /* limn's own, with all options */
    LIMN_SEARCH_TRANSFORMERS, /* as transformers' generate(): beam_size, n_best, length_penalty,
                               * repetition_penalty and the lengths below */
    LIMN_SEARCH_VIRTEX,       /* as VirTex: beam_size, n_best */
} limn_search_rules;

/* May change values [n_tokens], the log-probabilities of the token that follows words [n_words],
 * indexed by token (limn_model_token). -INFINITY forbids a token; values above 0 count as 0.
 * limn_captions still reports the model's own log-probabilities. It may be called from the thread
 * of any state with these options. */
typedef void limn_filter_fn(void *ctx, const uint32_t *words, size_t n_words, float *values,
                            size_t n_tokens);

/* Called before the image is encoded (step 0) and before each step of the search (1 … max_steps),
 * by the thread that made the call; returning false ends that call with LIMN_E_INTERRUPTED. */
typedef bool limn_progress_fn(void *ctx, uint32_t step, uint32_t max_steps);

/* How captions are made. Start with limn_options_default, then set fields, or set options by name
 * (limn_options_set). A field's comment begins with the name of its option. models/option.h has the
 * range, default and help of each option. Strings and lists that the caller puts into fields are
 * only borrowed during the call that is given the options. A word that is not in the vocabulary is
 * LIMN_E_ARG, and the error suggests similar ones. */
typedef struct limn_options {
    size_t size;          /* of this struct at compile time: later versions have more fields */
    uint64_t set_by_name; /* this and the next belong to limn_options_set */
    struct limn_options_memory *memory;

    limn_method method;    /* sample, distinct */
    uint32_t n_best;       /* n-best: maximum number of captions returned */
    uint32_t n_candidates; /* candidates: number of captions to choose from: samples drawn, or
                            * hypotheses that may finish. 0 (default): n_best samples, or
                            * round(beam_size * patience) hypotheses */
    limn_rerank rerank;    /* rerank */

    /* beam search */
    uint32_t beam_size; /* beam; 1 = greedy */
    float patience;     /* patience: the search ends when patience * beam_size hypotheses have
                         * finished */
    uint32_t n_groups;  /* groups: number of groups of diverse beam search; divides beam_size */
    float diversity;    /* diversity: penalty for a word, for each earlier group that has just
                         * chosen it */

    /* sampling, applied in this order */
    float temperature; /* temperature; 0 = the most probable token */
    uint32_t top_k;    /* top-k: only the k most probable tokens; 0 (default) = all */
    float top_p;   /* top-p: nucleus sampling: the smallest set of tokens with this probability */
    float min_p;   /* min-p: no token below this share of the largest probability */
    float typical; /* typical: locally typical sampling with this probability mass */
    uint64_t seed; /* seed: with the image's name, determines the random numbers */

    /* constraints */
    uint32_t min_words;          /* min-words; must be below the model's limit */
    uint32_t max_words;          /* max-words; 0 (default) = the model's limit */
    uint32_t no_repeat_ngram;    /* no-repeat-ngram: no n-gram of that size twice in a caption; 0
                                  * (default): as the model file says, or off if limn_options_set
                                  * set it to 0 */
    const char *const *required; /* must: [n_required], at most 16, each a word, a phrase, or
                                  * alternatives separated by '|'; every caption contains all of
                                  * them. Beam search only */
    size_t n_required;
    const char *const *banned_words; /* ban: [n_banned_words] words and phrases, never written */
    size_t n_banned_words;
    const char *start; /* start-with: the first words of each caption; NULL (default) = none */
    bool ends_well;    /* no-bad-endings: no caption ends with an article, a preposition or the like
                        * (English) */

    /* score = logprob / length^A + length_reward * length + coverage_penalty * coverage, where the
     * log-probabilities of repeated words are multiplied by repetition_penalty */
    float length_penalty;     /* length-penalty: A; NAN (default): the model's */
    float guidance;           /* guidance: classifier-free guidance: log-probabilities become
                               * without + G * (with - without), with and without the image,
                               * normalised; above 1, captions rely more on the image, and 1 is
                               * off. Each step costs twice as much; reported logprobs are the
                               * guided ones. NAN (default): the model's, or 1 with another
                               * search than LIMN_SEARCH_LIMN */
    float length_reward;      /* length-reward: for each token */
    float repetition_penalty; /* repetition-penalty; above 1, words are less likely to be repeated;
                               * in sampling it changes the distribution, not the score */
    float coverage_penalty;   /* coverage-penalty; the coverage is the sum over the image's cells
                               * of log(min(a, 1)), where a is the attention the cell received in
                               * all steps, averaged over layers and heads, of the first model of an
                               * ensemble */
    limn_filter_fn *filter;   /* NULL (default) = none */
    void *filter_ctx;

    uint64_t max_pixels;        /* max-pixels: larger images are rejected */
    limn_style style;           /* style: of limn_caption.text */
    bool keeps_search;          /* fill limn_captions.search and limn_caption.predictions; does not
                                 * change captions */
    bool keeps_attention;       /* fill limn_prediction.attention; implies keeps_search */
    uint32_t n_alternatives;    /* alternatives: number for each prediction; above 0 implies
                                 * keeps_search */
    uint32_t n_tags;            /* tags: size of limn_captions.tags; LIMN_E_ARG for a model without
                                 * tags */
    bool has_confidence;        /* confidence: fill limn_caption.confidence and .signals. Implies
                                 * keeps_search, and costs a decoder pass per caption; does not
                                 * change captions */
    limn_progress_fn *progress; /* NULL (default) = none */
    void *progress_ctx;

    const char *prompt;       /* prompt: text that captions begin with; tokens, lengths and scores
                               * count only what follows. NULL (default) = none */
    limn_search_rules search; /* search */
    /* only for LIMN_SEARCH_TRANSFORMERS; 0 (default) = not given; with no maximum given, it is 20
     * new tokens */
    uint32_t max_length, min_length;         /* max-length, min-length: with start token and prompt;
                                              * the end counts too */
    uint32_t max_new_tokens, min_new_tokens; /* max-new-tokens, min-new-tokens: after the prompt */
} limn_options;

/* Writes the defaults to a struct of `size` bytes. */
LIMN_API void limn_options_init(limn_options *options, size_t size);
/* The defaults, in a struct of this header's size, whatever the library's version. */
static inline limn_options limn_options_default(void)
{
    limn_options options;
    limn_options_init(&options, sizeof options);
    return options;
}

/* Sets an option by name, as on the command line: limn_options_set(&options, "beam", "5", &err).
 * '_' may be written for '-'. A flag takes yes, no or NULL (yes); for a list, the value is
 * appended. Values are copied; limn_options_finish frees the copies, and a copy of the struct
 * shares them. Setting an option by name may change the default of others: "rerank" "consensus"
 * makes the beam 64, or 20 where must or groups are given. LIMN_E_ARG: an unknown name,
 * with similar ones suggested, or a malformed or out-of-range value, named with its bounds, as on
 * the command line. LIMN_E_NOMEM. */
LIMN_API limn_status limn_options_set(limn_options *options, const char *name, const char *value,
                                      limn_error *err);
/* Frees the copies made by limn_options_set and, if any option was set by name, resets the struct
 * to the defaults. Accepts NULL. */
LIMN_API void limn_options_finish(limn_options *options);

/* ---- state ---------------------------------------------------------------------------- */

/* All scratch memory of one worker; one call at a time. n_threads > 1 splits the work on each
 * image among threads, for lower latency; to caption many images, give each thread a state of its
 * own with n_threads = 1. Results do not depend on it. `model` must outlive the state; `options` is
 * copied; NULL means the defaults. The text of LIMN_E_ARG names the option, its value and its
 * bounds. */
LIMN_API limn_status limn_state_create(limn_state **out, const limn_model *model,
                                       const limn_options *options, uint32_t n_threads,
                                       limn_error *err);
LIMN_API void limn_state_destroy(limn_state **state); /* accepts NULL and *state == NULL */

/* ---- captions ------------------------------------------------------------------------- */

typedef struct limn_alternative {
    uint32_t token;
    float logprob; /* as in limn_caption.token_logprobs */
} limn_alternative;

/* What the model predicted after a hypothesis, one row of a search step: the distribution before
 * options are applied. */
typedef struct limn_prediction {
    uint32_t parent;     /* the row of the previous step that the hypothesis extends; 0 at the
                          * first */
    uint32_t token;      /* the token appended; at the first step, the start token */
    float token_logprob; /* the token's log-probability; 0 for the start token */
    float entropy;       /* of the distribution, in nats */
    const limn_alternative *alternatives; /* [n_alternatives] the most probable, best first */
    size_t n_alternatives;                /* as in the options, or the number of tokens that can be
                                           * written */
    const float *attention; /* [n_layers, n_heads, grid_height, grid_width]: each [grid_height,
                             * grid_width] sums to 1, less the attention to class tokens, tag slots
                             * and, if the image is a prefix, words. NULL unless keeps_attention */
} limn_prediction;

typedef struct limn_search_step {
    const limn_prediction *rows; /* [n_rows] the hypotheses kept, best first */
    size_t n_rows;
} limn_search_step;

/* All hypotheses of a search: a tree linked by parents. */
typedef struct limn_search {
    const limn_search_step *steps; /* [n_steps]; before the first step there are no words */
    size_t n_steps;
} limn_search;

/* Features of the confidence model. */
typedef enum limn_signal {
    LIMN_SIGNAL_LOGPROB = 0, /* mean logprob of its tokens */
    LIMN_SIGNAL_LEAST,       /* minimum logprob of its tokens */
    LIMN_SIGNAL_ENTROPY,     /* mean entropy of the predictions at its tokens */
    LIMN_SIGNAL_LENGTH,      /* tokens, end token included */
    LIMN_SIGNAL_PICTURE,     /* LOGPROB minus its value without the image, under the (first)
                              * model */
    LIMN_SIGNAL_MARGIN,      /* LOGPROB minus the best of the search's other captions; 0 if none */
    LIMN_SIGNAL_AGREEMENT,   /* mean Jaccard similarity of its token set to those of the search's
                              * other captions; 1 if there are none */
    LIMN_SIGNAL_OBJECTS,     /* lowest log-probability (tags "objects") of the objects, out of 80,
                              * that the caption names; 0 if it names none */
    LIMN_SIGNAL_PERSON,      /* log-probability of a person, if the caption names one; else 0 */
    LIMN_SIGNAL_PEOPLE,      /* 1 if the caption names a person, else 0 */
    LIMN_SIGNAL_FAMILIAR,    /* largest log-probability of the tags "imagenet": how typical the
                              * image is of its classes; 0 without them */
    LIMN_N_SIGNALS
} limn_signal;

typedef struct limn_caption {
    const char *text;            /* in the style of the options, UTF-8; with the prompt */
    const uint32_t *tokens;      /* [n_tokens], with the end token, unless cut at max_words */
    const float *token_logprobs; /* [n_tokens], natural logarithms of the distribution over all
                                  * tokens except <pad>, <s> and <unk>, which are never written */
    size_t n_tokens;
    const limn_prediction *const *predictions; /* [n_tokens] the prediction at each token; NULL
                                                * unless the search is kept */
    double logprob;                            /* sum over tokens, end token included */
    double score;      /* see limn_options; the length includes the end token. With
                        * LIMN_RERANK_CONSENSUS the consensus, 0 … 10 */
    uint32_t n_drawn;  /* times it was drawn; 1 unless sampled */
    double confidence; /* probability that it is right, 0 … 1, calibrated for this model and the
                        * default options; NAN unless requested, or if the model file has no
                        * calibration */
    const float *signals; /* [LIMN_N_SIGNALS] features of the confidence; NULL unless requested */
} limn_caption;

/* A concept recognised in the image by one of the model's classification heads: "imagenet", one of
 * 1000 classes per image, or "objects", any number of 80. */
typedef struct limn_tag {
    const char *name, *set; /* owned by the model */
    float probability;
} limn_tag;

typedef struct limn_captions {
    const limn_caption *items; /* [n_items], best score first */
    size_t n_items;            /* 1 … n_best */
    const limn_tag *tags;      /* [n_tags] of all sets together, most probable first; of an
                                * ensemble, the first model's */
    size_t n_tags;             /* as in the options, or all that the model has */
    const limn_search *search; /* NULL unless kept */
} limn_captions;

/* Captions an image file, its bytes, or pixels [height, width, 3] RGB. `*out` belongs to the state
 * and is valid until its next call. The last component of `name` (may be NULL) or `path` is the
 * image's name, which with the seed determines the random numbers. LIMN_E_IO, LIMN_E_UNSUPPORTED
 * (the text names the detected format), LIMN_E_TRUNCATED, LIMN_E_FORMAT, LIMN_E_LIMIT,
 * LIMN_E_NOMEM, LIMN_E_ARG (no caption satisfies the options). */
LIMN_API limn_status limn_state_caption_file(limn_state *state, const char *path,
                                             const limn_captions **out, limn_error *err);
LIMN_API limn_status limn_state_caption_bytes(limn_state *state, const char *name,
                                              const void *bytes, size_t size,
                                              const limn_captions **out, limn_error *err);
LIMN_API limn_status limn_state_caption_pixels(limn_state *state, const char *name,
                                               const uint8_t *pixels, uint32_t width,
                                               uint32_t height, const limn_captions **out,
                                               limn_error *err);

/* The two halves of limn_state_caption_bytes, for programs that load images ahead: the first
 * writes input [input_bytes], pixels [input_height, input_width, 3]; the second captions it.
 * `*width`, `*height` (may be NULL): the size of the upright image. */
LIMN_API limn_status limn_state_load(limn_state *state, const void *bytes, size_t size,
                                     uint8_t *input, uint32_t *width, uint32_t *height,
                                     limn_error *err);
LIMN_API limn_status limn_state_caption_input(limn_state *state, const char *name,
                                              const uint8_t *input, const limn_captions **out,
                                              limn_error *err);

/* Pixels of an upright image: 8 bits per sample, top row first. */
typedef enum limn_pixel_order { LIMN_PIXELS_RGB = 0, LIMN_PIXELS_BGR } limn_pixel_order;
typedef struct limn_pixels {
    const uint8_t *rows; /* [height] rows of [width, 3] */
    uint32_t width, height;
    size_t stride; /* bytes between the starts of two rows, at least 3 * width; 0: 3 * width */
    limn_pixel_order order;
} limn_pixels;

/* limn_state_load for pixels. LIMN_E_ARG (a side not in 1 … 65535, a stride that is too small),
 * LIMN_E_LIMIT, LIMN_E_NOMEM. */
LIMN_API limn_status limn_state_load_pixels(limn_state *state, const limn_pixels *pixels,
                                            uint8_t *input, limn_error *err);

/* The two halves of limn_state_caption_input: the first writes features [n_features]; the second
 * captions them, in any state of the same model, so that an image can be captioned with several
 * sets of options and encoded once. The captions are the same. */
LIMN_API limn_status limn_state_encode(limn_state *state, const uint8_t *input, float *features,
                                       limn_error *err);
LIMN_API limn_status limn_state_caption_features(limn_state *state, const char *name,
                                                 const float *features, const limn_captions **out,
                                                 limn_error *err);

#define LIMN_MAX_TOGETHER 8 /* images that limn_state_caption_many has in progress at most */

/* An image for limn_state_caption_many. What it points at is borrowed until the next call of one of
 * the source's functions. */
typedef struct limn_source_image {
    const char *name;      /* as in limn_state_caption_input; may be NULL */
    const uint8_t *input;  /* [input_bytes], as limn_state_load writes it; or NULL, and then: */
    const float *features; /* [n_features], as limn_state_encode writes them */
    void *image;           /* for `done` */
} limn_source_image;

/* Where images come from and captions go. The functions are called by the thread that called
 * limn_state_caption_many. Of the same state, they may call only limn_state_load and
 * limn_state_load_pixels. */
typedef struct limn_caption_source {
    void *ctx;
    /* Writes the next image; false: there is none now. Called whenever there is room for another
     * image, at least once for each word of those in progress, so it should not wait. */
    bool (*next)(void *ctx, limn_source_image *out);
    /* Called once for each image, in the order in which they are done: its captions, valid during
     * the call, or NULL and why it failed. */
    void (*done)(void *ctx, void *image, const limn_captions *captions, const limn_error *failure);
    uint32_t max_together; /* images in progress at most; 0: as many as the state has room for */
} limn_caption_source;

/* Captions many images, several at once: the decoder's weights are read once for all of them, which
 * is faster. Each image gets the same bytes as on its own. Returns when `next` has no more and all
 * images are done. An image that fails does not affect the others. With options.progress, steps are
 * those of each image; when it returns false, all images in progress fail with LIMN_E_INTERRUPTED,
 * and so does the call.
 *
 * Up to LIMN_MAX_TOGETHER images are in progress; fewer if, with these options or a large model,
 * those after the first would take more than 8.75 MB. The memory is allocated the first time that
 * several images are in progress. */
LIMN_API limn_status limn_state_caption_many(limn_state *state, const limn_caption_source *source,
                                             limn_error *err);

/* Captions as one line of JSON without a newline, as limn --format jsonl writes it: {"file": name,
 * "caption", "logprob", "score", "tokens": [{"token", "logprob"}], …}, with what `options`
 * requested (NULL: the defaults), the confidence if there is one, and "file" unless name is NULL.
 * Writes it, NUL-terminated, to out [size] if it fits; *needed is the size it needs, NUL included.
 * LIMN_E_ARG, LIMN_E_NOMEM. */
LIMN_API limn_status limn_captions_json(const limn_captions *captions, const limn_model *model,
                                        const limn_options *options, const char *name, char *out,
                                        size_t size, size_t *needed, limn_error *err);
/* The same for an image that failed: {"file": name, "error": {"kind", "detail"}}. LIMN_E_ARG,
 * LIMN_E_NOMEM. */
LIMN_API limn_status limn_failure_json(const limn_error *failure, const char *name, char *out,
                                       size_t size, size_t *needed, limn_error *err);

/* ---- about ---------------------------------------------------------------------------- */

#define LIMN_VERSION_MAJOR 0
#define LIMN_VERSION_MINOR 1
#define LIMN_VERSION_PATCH 0
/* Incremented whenever something is added. */
#define LIMN_API_VERSION 4

/* Of the library as loaded: "0.1.0", and the LIMN_API_VERSION it was built with. */
LIMN_API const char *limn_version(void);
LIMN_API uint32_t limn_api_version(void);
/* Names of the CPU levels available here, best last, then NULL. */
LIMN_API const char *const *limn_cpu_levels(void);

#ifdef __cplusplus
}
#endif

#endif
