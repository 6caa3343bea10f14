/* limn: captions for pictures. The public header of the library.
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
 * Rules for all of it. Every fallible function returns a limn_status and writes one line to `err`
 * (may be NULL; zero-initialise it). Nothing prints, exits, reads the environment or
 * changes global state. The same picture, model and options give the same bytes, whatever
 * the threads, the order of calls or the CPU level. After the first picture of a size nothing is
 * allocated but by the image libraries. */
#ifndef LIMN_MODELS_CAPTIONER_H
#define LIMN_MODELS_CAPTIONER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

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
/* After every state of it is gone. Accepts NULL and *model == NULL; nulls it. */
LIMN_API void limn_model_close(limn_model **model);

typedef struct limn_model_info {
    uint32_t input_size;     /* pixels: pictures are squashed to input_size x input_size */
    uint32_t n_tokens;       /* vocabulary size */
    uint32_t max_words;      /* longest caption the default search allows */
    float length_penalty;    /* default exponent of the length in a score */
    uint32_t n_layers, n_heads;       /* of the decoder's attention */
    uint32_t grid_width, grid_height; /* encoder positions: cells that divide the picture evenly */
    const char *encoder;     /* family, e.g. "efficientnet-lite0"; owned by the model */
    const char *cpu_level;   /* kernels in use; static storage */
    uint32_t n_reference_pictures; /* in whose captions the file's document frequencies were
                                    * counted; 0: it has none */
} limn_model_info;

LIMN_API void limn_model_get_info(const limn_model *model, limn_model_info *info);
/* Text of a token; NULL when id >= n_tokens. Owned by the model. */
LIMN_API const char *limn_model_token(const limn_model *model, uint32_t id);

#define LIMN_UNKNOWN_TOKEN 3 /* stands for every word that the vocabulary lacks; never written */
/* The token of a word; LIMN_UNKNOWN_TOKEN when there is none. */
LIMN_API uint32_t limn_model_find(const limn_model *model, const char *word);

/* ---- options ---------------------------------------------------------------------------- */

typedef enum limn_style {
    LIMN_STYLE_RAW = 0,  /* tokens in lower case with spaces between, as scores need them */
    LIMN_STYLE_SENTENCE, /* "A man's dog.": common/text/detokenize.h has the rules */
} limn_style;

typedef struct limn_options {
    uint32_t beam_size;       /* 1 … 64; 1 = greedy; default 3 */
    uint32_t n_best;          /* captions returned at most, 1 … beam_size; default 1 */
    uint32_t min_words;       /* default 0 */
    uint32_t max_words;       /* 0 (default) = the model's limit */
    uint32_t no_repeat_ngram; /* no n-gram of that size twice in a caption; 0 (default) = off */
    float length_penalty;     /* score = logprob / length^A; NAN (default): the model's; -10 … 10 */
    const char *const *banned_words; /* [n_banned_words], never written; borrowed during the call
                                      * that gets these options; an unknown word is LIMN_E_ARG */
    size_t n_banned_words;
    uint64_t max_pixels;      /* larger pictures are refused; default 178956970 */
    limn_style style;         /* of limn_caption.text; default LIMN_STYLE_RAW */
    bool keeps_search;        /* limn_captions.search and limn_caption.predictions; default false:
                               * then they cost nothing. Captions are the same bits either way */
    bool keeps_attention;     /* implies keeps_search; limn_prediction.attention */
    uint32_t n_alternatives;  /* > 0 implies keeps_search; 0 (default) … 100 of each prediction */
} limn_options;

LIMN_API limn_options limn_options_default(void);

/* ---- state ---------------------------------------------------------------------------- */

/* All scratch memory of one worker; one call at a time. n_threads > 1 splits the work of each
 * picture among that many threads (for one picture at a time; for many, give each thread
 * its own state with n_threads = 1). Result bits do not depend on it. `model` must outlive
 * the state; `options` is copied. LIMN_E_ARG names the option, its value and its bounds. */
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
    uint32_t token;  /* by that token, of that probability; the start token, 0, at the first step */
    float token_logprob;
    float entropy;                        /* nats: how open the prediction is */
    const limn_alternative *alternatives; /* [n_alternatives] the most probable, best first */
    size_t n_alternatives;                /* as in the options, or all that can be written */
    const float *attention; /* [n_layers, n_heads, grid_height, grid_width]: where it looked, cells
                             * row by row; each [grid_height, grid_width] sums to 1. NULL unless
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

typedef struct limn_caption {
    const char *text;            /* in the style of the options, UTF-8 */
    const uint32_t *tokens;      /* [n_tokens], end token included if it came */
    const float *token_logprobs; /* [n_tokens], natural logarithm; <pad>, <s> and <unk>, which are
                                  * never written, have no share in the probabilities */
    size_t n_tokens;
    const limn_prediction *const *predictions; /* [n_tokens] what each token was chosen from; NULL
                                                * unless the search is kept */
    double logprob;              /* sum over tokens, end token included */
    double score;                /* logprob / length^A; length counts the end token */
} limn_caption;

typedef struct limn_captions {
    const limn_caption *items; /* [n_items], best score first */
    size_t n_items;            /* 1 … n_best */
    const limn_search *search; /* NULL unless kept */
} limn_captions;

/* Captions of a picture file, of its bytes, or of pixels [height, width, 3] RGB. The formats and
 * limits: README. `*out` belongs to the state and stays valid until its next call. `name` (may be
 * NULL) or `path`: what follows its last '/' is the picture's name, to which random numbers belong.
 * LIMN_E_IO, LIMN_E_UNSUPPORTED (the text names the format found), LIMN_E_TRUNCATED, LIMN_E_FORMAT,
 * LIMN_E_LIMIT, LIMN_E_NOMEM, LIMN_E_ARG (no caption can meet the options). */
LIMN_API limn_status limn_state_caption_file(limn_state *state, const char *path,
                                             const limn_captions **out, limn_error *err);
LIMN_API limn_status limn_state_caption_bytes(limn_state *state, const char *name,
                                              const void *bytes, size_t size,
                                              const limn_captions **out, limn_error *err);
LIMN_API limn_status limn_state_caption_pixels(limn_state *state, const char *name,
                                               const uint8_t *pixels, uint32_t width,
                                               uint32_t height,
                                               const limn_captions **out, limn_error *err);

/* The two halves of limn_state_caption_bytes, for programs that load pictures ahead: loading
 * writes input [input_size, input_size, 3] and uses only the loading scratch of the state;
 * captioning reads it. `*width`, `*height` (may be NULL): the upright picture's size. */
LIMN_API limn_status limn_state_load(limn_state *state, const void *bytes, size_t size,
                                     uint8_t *input, uint32_t *width, uint32_t *height,
                                     limn_error *err);
LIMN_API limn_status limn_state_caption_input(limn_state *state, const char *name,
                                              const uint8_t *input, const limn_captions **out,
                                              limn_error *err);

/* ---- about ---------------------------------------------------------------------------- */

LIMN_API const char *limn_version(void);          /* "0.1.0" */
/* Names of the CPU levels usable here, best last, NULL after the last. */
LIMN_API const char *const *limn_cpu_levels(void);

#ifdef __cplusplus
}
#endif

#endif
