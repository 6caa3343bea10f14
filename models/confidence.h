/* How likely it is that a caption is right: a logistic function of the signals of captioner.h,
 * fitted to captions with references (limn-eval --fit) and kept in the model file
 * (models/FORMAT.md). */
#ifndef LIMN_MODELS_CONFIDENCE_H
#define LIMN_MODELS_CONFIDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/io/json.h"
#include "common/io/safetensors.h"
#include "models/captioner.h"

#define LIMN_CONFIDENCE_KEY "limn.confidence" /* of the metadata */
#define LIMN_CONFIDENCE_MAX_TEXT 160          /* bytes of `right`, NUL included */

typedef struct limn_confidence {
    double bias;
    struct {
        double mean, scale, weight;
    } signals[LIMN_N_SIGNALS];
    uint32_t n_images;                    /* it was fitted on */
    char right[LIMN_CONFIDENCE_MAX_TEXT]; /* the definition of "right", in words */
} limn_confidence;

/* The names of the signals, [LIMN_N_SIGNALS], as in JSON. */
extern const char *const limn_signal_names[];

/* 1 / (1 + exp(-(bias + sum of weight * (signal - mean) / scale))), summed in the order of the
 * signals. The same bits everywhere. */
double limn_confidence_of(const limn_confidence *c, const float signals[LIMN_N_SIGNALS]);

/* The JSON of the metadata, text [size]. LIMN_E_FORMAT names what is missing, unknown or out of its
 * bounds; LIMN_E_NOMEM. */
limn_status limn_confidence_parse(limn_confidence *out, const char *text, size_t size,
                                  limn_error *err);
/* That of a model file; *is_there says whether it has one. As limn_confidence_parse; errors begin
 * with the key. */
limn_status limn_confidence_read(limn_confidence *out, bool *is_there, const limn_safetensors *file,
                                 limn_error *err);
/* The text that parses as `c`; the caller frees it with free(). NULL when out of memory. */
char *limn_confidence_text(const limn_confidence *c);

#endif
