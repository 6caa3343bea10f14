/* Quantising an encoder with error feedback (common/weights/feedback.h) from the inputs that its
 * products get for given images. */
#ifndef LIMN_MODELS_CONVERT_CALIBRATE_H
#define LIMN_MODELS_CONVERT_CALIBRATE_H

#include <stdatomic.h>

#include "models/convert/convert_tensors.h"

typedef struct convert_calibration {
    const uint8_t *pixels; /* [n_images, height, width, 3]: inputs of the encoder */
    size_t n_images;       /* at least 1 */
    size_t n_threads;
    limn_cpu_level level;
    const atomic_bool *is_stopping; /* NULL: never */
} convert_calibration;

/* Quantises the encoder's matrices of a result that is all F32, except those of products that would
 * lose too much, which are left for F16 (not where a network's layers take only int8), and notes it
 * in r->calibration. The same for any number of threads and any CPU level. LIMN_E_FORMAT names a
 * tensor whose inputs are not finite; LIMN_E_ARG (threads, level); LIMN_E_INTERRUPTED;
 * LIMN_E_NOMEM. */
limn_status convert_calibrate(convert_result *r, const convert_calibration *how, limn_error *err);

#endif
