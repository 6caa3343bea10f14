/* Which inputs a run takes: --include, --exclude, --shard. */
#ifndef LIMN_TOOLS_ANNOTATE_INPUT_INPUT_FILTER_H
#define LIMN_TOOLS_ANNOTATE_INPUT_INPUT_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/io/dirwalk.h"

typedef struct limn_input_filter {
    /* Patterns of fnmatch(3), borrowed. One without a slash is for the last component of a path,
     * one with a slash for all of it below the folder that was named; * matches slashes too. */
    const char *const *includes; /* [n_includes]; none: everything */
    const char *const *excludes; /* [n_excludes]; also of folders, which are then not entered */
    size_t n_includes, n_excludes;
    uint32_t shard, n_shards; /* of the paths below the folder, by their hash; n_shards 0: all */
} limn_input_filter;

/* "I/N" with 0 <= I < N <= 65536. False when `text` is something else. */
bool limn_input_filter_parse_shard(limn_input_filter *filter, const char *text);

/* `accepts` of limn_dirwalk_settings, with a limn_input_filter as ctx. */
bool limn_input_filter_accepts(const void *filter, const char *relative, limn_dirwalk_kind kind);

#endif
