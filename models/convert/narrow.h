/* F32 to F16. */
#ifndef LIMN_MODELS_CONVERT_NARROW_H
#define LIMN_MODELS_CONVERT_NARROW_H

#include <stddef.h>

#include "common/base/status.h"

/* Narrows values [n] of the tensor `name` in place. LIMN_E_LIMIT names a value that F16 can't
 * hold. */
limn_status narrow_to_f16(float *values, size_t n, const char *name, limn_error *err);

#endif
