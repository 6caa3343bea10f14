/* Rows that several tools have in their tables. */
#ifndef LIMN_TOOLS_SHARED_OPTIONS_H
#define LIMN_TOOLS_SHARED_OPTIONS_H

#include "common/image/decode.h"
#include "models/option.h"
#include "tools/annotate/annotate.h"
#include "tools/environment.h"

#define LIMN_TEXT_OF_(x) #x
#define LIMN_TEXT_OF(x) LIMN_TEXT_OF_(x)

/* Each takes the offset of its field, and further members of the row (.group = …). */
#define LIMN_ROW_RECURSIVE(at, ...)                                                               \
    {                                                                                             \
        "recursive", 'r', NULL, "descend into subfolders", .type = LIMN_OPT_FLAG, at, __VA_ARGS__ \
    }
#define LIMN_ROW_NULL(at, ...)                                                                   \
    {                                                                                            \
        "null", '0', NULL, "the list on standard input is NUL-separated", .type = LIMN_OPT_FLAG, \
                                                                          at, __VA_ARGS__        \
    }
#define LIMN_ROW_MAX_PIXELS(at, ...)                                            \
    {                                                                           \
        "max-pixels", 0, "N", "reject images with more pixels",                 \
            .type = LIMN_OPT_SIZE, at, .min = 1, .max = LIMN_MAX_PIXELS,        \
            .default_value = LIMN_TEXT_OF(LIMN_DEFAULT_MAX_PIXELS), __VA_ARGS__ \
    }
#define LIMN_ROW_QUIET(at, ...)                                                         \
    {                                                                                   \
        "quiet", 'q', NULL, "print errors only", .type = LIMN_OPT_FLAG, at, __VA_ARGS__ \
    }
#define LIMN_ROW_THREADS(at, ...)                                                      \
    {                                                                                  \
        "threads", 0, "N", "number of threads (default: all cores)",                   \
            .type = LIMN_OPT_COUNT, at, .min = 1, .max = LIMN_MAX_THREADS, __VA_ARGS__ \
    }
#define LIMN_ROW_SANDBOX(at, ...)                                                               \
    {                                                                                           \
        "sandbox", 0, "WHEN", "decode in sandboxed processes: auto, on or off",                 \
            .type = LIMN_OPT_CHOICE, at, .choices = limn_sandbox_uses, .default_value = "auto", \
            __VA_ARGS__                                                                         \
    }
#define LIMN_ROW_CPU(at, ...)                                                 \
    {                                                                         \
        "cpu", 0, "LEVEL", "CPU level: c, sse41, avx2 … (default: the best)", \
            .type = LIMN_OPT_TEXT, at, __VA_ARGS__                            \
    }

#endif
