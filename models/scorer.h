/* Scores of existing captions: how probable a model finds them, with and without the image.
 *
 *     limn_scorer *scorer = NULL;        // one per thread: all scratch memory
 *     limn_words words;
 *     limn_scorer_create(&scorer, model, 0, 1, &err);
 *     limn_scorer_load(scorer, bytes, size, input, &err);
 *     limn_scorer_encode(&words, scorer, "A dog runs.", &err);
 *     float with[words.n_words + 1], without[words.n_words + 1]; // of each word, then the end
 *     limn_score_job job = { words.ids, words.n_words, with, without };
 *     limn_scorer_run(scorer, input, &job, 1, &err);
 *
 * The rules of models/captioner.h apply. A caption that limn wrote without guidance gets the
 * log-probabilities that limn reported, bit for bit. */
#ifndef LIMN_MODELS_SCORER_H
#define LIMN_MODELS_SCORER_H

#include "models/captioner.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct limn_scorer limn_scorer;

/* As limn_state_create. `max_pixels` as in limn_options; 0 = its default. LIMN_E_ARG, LIMN_E_NOMEM.
 * `model` must outlive the scorer. */
LIMN_API limn_status limn_scorer_create(limn_scorer **out, const limn_model *model,
                                        uint64_t max_pixels, uint32_t n_threads, limn_error *err);
LIMN_API void limn_scorer_destroy(limn_scorer **scorer); /* accepts NULL and *scorer == NULL */

/* The maximum number of words of a caption. */
LIMN_API uint32_t limn_scorer_max_words(const limn_scorer *scorer);

/* Writes input [input_height, input_width, 3] for the bytes of an image file, as
 * limn_state_load. */
LIMN_API limn_status limn_scorer_load(limn_scorer *scorer, const void *bytes, size_t size,
                                      uint8_t *input, limn_error *err);

typedef struct limn_words {
    const uint32_t *ids; /* [n_words] LIMN_UNKNOWN_TOKEN for a word outside the vocabulary */
    const char *texts;   /* all the words, separated by single spaces */
    size_t n_words;
} limn_words;

/* Splits a caption (UTF-8) into the model's tokens: lower-case words without punctuation, or
 * characters. `*out` belongs to the scorer and is valid until its next call. LIMN_E_FORMAT (invalid
 * UTF-8), LIMN_E_LIMIT, LIMN_E_NOMEM. */
LIMN_API limn_status limn_scorer_encode(limn_words *out, limn_scorer *scorer, const char *caption,
                                        limn_error *err);

/* A caption, and where its scores go. */
typedef struct limn_score_job {
    const uint32_t *words;   /* [n_words] tokens without start and end; LIMN_UNKNOWN_TOKEN for a
                              * word outside the vocabulary: the words after it are scored as
                              * following an unknown one */
    size_t n_words;          /* 0 … limn_scorer_max_words */
    float *logprobs;         /* [n_words + 1] of each word, then of the end token, as
                              * limn_caption.token_logprobs; NAN for an unknown word */
    float *logprobs_without; /* [n_words + 1] the same without the image (features of zero); NULL:
                              * not needed */
} limn_score_job;

/* Scores jobs [n_jobs], all for one image. A caption's scores do not depend on the other jobs.
 * Allocates nothing, except for captions that are longer than 15 words and than all earlier ones.
 * LIMN_E_ARG (an invalid token, too many words), LIMN_E_NOMEM: then nothing is scored. */
LIMN_API limn_status limn_scorer_run(limn_scorer *scorer, const uint8_t *input,
                                     const limn_score_job *jobs, size_t n_jobs, limn_error *err);

#ifdef __cplusplus
}
#endif

#endif
