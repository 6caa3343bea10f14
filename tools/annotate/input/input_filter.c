#include "tools/annotate/input/input_filter.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/fileio.h"

enum { MAX_SHARDS = 65536 };

/* A number of at most five digits from *text on, which is moved behind it. */
static bool read_number(uint32_t *out, const char **text)
{
    const size_t n_digits = strspn(*text, "0123456789");
    if (!n_digits || n_digits > 5) return false;
    *out = (uint32_t)strtoul(*text, NULL, 10);
    *text += n_digits;
    return true;
}

bool limn_input_filter_parse_shard(limn_input_filter *filter, const char *text)
{
    return read_number(&filter->shard, &text) && *text++ == '/' &&
           read_number(&filter->n_shards, &text) && !*text && filter->n_shards <= MAX_SHARDS &&
           filter->shard < filter->n_shards;
}

static bool matches(const char *const *patterns, size_t n, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < n; i++)
        if (!fnmatch(patterns[i], strchr(patterns[i], '/') ? path : name, 0)) return true;
    return false;
}

/* The high bits of the hash of similar names are as good as its low ones only after this. */
static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ (hash >> 33);
}

static bool is_in_shard(const limn_input_filter *f, const char *path)
{
    return !f->n_shards ||
           mix(limn_fnv1a64(LIMN_FNV1A64_INIT, path, strlen(path))) % f->n_shards == f->shard;
}

bool limn_input_filter_accepts(const void *filter, const char *relative, limn_dirwalk_kind kind)
{
    const limn_input_filter *f = filter;
    if (matches(f->excludes, f->n_excludes, relative)) return false;
    if (kind == LIMN_DIRWALK_FILE && f->n_includes &&
        !matches(f->includes, f->n_includes, relative))
        return false;
    return kind == LIMN_DIRWALK_FOLDER || is_in_shard(f, relative);
}
