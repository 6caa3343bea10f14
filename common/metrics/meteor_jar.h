/* Members of METEOR's jar, which is a zip archive, by name. */
#ifndef LIMN_COMMON_METRICS_METEOR_JAR_H
#define LIMN_COMMON_METRICS_METEOR_JAR_H

#include <stddef.h>

#include "common/base/status.h"

/* Reads the member `name` of the zip archive in bytes [size]: *out [*out_size], with a NUL after
 * it, which the caller frees with limn_free(); NULL when there is none of that name. Stored and
 * deflated members, checked by their CRC; only archives below 4 GB that are not split.
 * LIMN_E_FORMAT, LIMN_E_LIMIT above max_size, LIMN_E_NOMEM; texts name the member. */
limn_status limn_meteor_jar_read(char **out, size_t *out_size, const unsigned char *bytes,
                                 size_t size, const char *name, size_t max_size, limn_error *err);

#endif
