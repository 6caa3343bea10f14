/* How functions inside limn fail: the internal part of common/base/error.h, not installed. */
#ifndef LIMN_COMMON_BASE_STATUS_H
#define LIMN_COMMON_BASE_STATUS_H

#include "common/base/error.h"

#if defined(__GNUC__)
#define LIMN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define LIMN_PRINTF(fmt, args)
#endif

/* Records a failure and returns `code`, for `return limn_fail(...)`. The first text wins; `err`
 * may be NULL. */
limn_status limn_fail(limn_error *err, limn_status code, const char *fmt, ...) LIMN_PRINTF(3, 4);

/* Leaves a note on something that was ignored, unless there is a text already. */
void limn_note(limn_error *err, const char *fmt, ...) LIMN_PRINTF(2, 3);

/* Puts "prefix: " before an error's text, for the layer that knows the file name. */
void limn_error_prefix(limn_error *err, const char *fmt, ...) LIMN_PRINTF(2, 3);

#define LIMN_TRY(expr)                              \
    do {                                            \
        limn_status limn_try_ = (expr);             \
        if (limn_try_ != LIMN_OK) return limn_try_; \
    } while (0)

#endif
