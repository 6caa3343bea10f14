/* What the golden tests share: where the reference's numbers lie. */
#ifndef LIMN_TESTS_GOLDEN_GOLDEN_H
#define LIMN_TESTS_GOLDEN_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/status.h"

/* The reference captioner as an f32 model file; the test is skipped where ../shared is not. */
static inline const char *golden_model(void)
{
    const char *model = getenv("LIMN_REFERENCE_MODEL");
    if (!model) {
        print_message("SKIP: ../shared is not here\n");
        skip();
    }
    return model;
}

/* The path of a file of ../shared; valid until the next call. */
static inline const char *shared_path(const char *folder, const char *name)
{
    static char path[1024];
    const char *root = getenv("LIMN_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/../shared/%s/%s", root ? root : ".", folder, name);
    return path;
}

static inline void must(limn_status status, const limn_error *err)
{
    if (status != LIMN_OK) fail_msg("%s", err->text);
}

#endif
