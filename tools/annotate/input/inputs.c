#include "tools/annotate/input/inputs.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io/fileio.h"
#include "common/text/path.h"
#include "tools/annotate/input/image_file.h"

enum { MAX_SHARDS = 65536 };

limn_inputs limn_inputs_default(void)
{
    return (limn_inputs){ .list_fd = STDIN_FILENO };
}

bool limn_inputs_has_list(const limn_inputs *inputs)
{
    for (size_t i = 0; inputs->list_fd >= 0 && i < inputs->n_names; i++)
        if (!strcmp(inputs->names[i], "-")) return true;
    return false;
}

bool limn_inputs_is_one_file(const limn_inputs *inputs)
{
    struct stat st;
    return inputs->n_names == 1 && !limn_inputs_has_list(inputs) && !stat(inputs->names[0], &st) &&
           !S_ISDIR(st.st_mode) && !limn_archive_has_name(inputs->names[0]);
}

limn_dirwalk_settings limn_inputs_walk_settings(const limn_inputs *inputs, int wake_fd)
{
    return (limn_dirwalk_settings){
        .is_recursive = inputs->is_recursive,
        .has_archives = true,
        .list_fd = inputs->list_fd,
        .list_separator = inputs->is_nul_separated ? '\0' : '\n',
        .is_content = limn_image_file_is_content,
        .wake_fd = wake_fd,
        .accepts = limn_inputs_accept,
        .accepts_ctx = inputs,
    };
}

limn_dirwalk_settings limn_inputs_walk_settings_without_list(const limn_inputs *inputs)
{
    limn_dirwalk_settings settings = limn_inputs_walk_settings(inputs, -1);
    settings.list_fd = -1;
    return settings;
}

limn_left_out limn_inputs_left_out(const limn_dirwalk *walk)
{
    const limn_dirwalk_counts c = limn_dirwalk_get_counts(walk);
    return (limn_left_out){ .n_hidden = c.n_hidden,
                            .n_special = c.n_special,
                            .n_folders = c.n_folders,
                            .n_archives = c.n_archives,
                            .n_loops = c.n_loops,
                            .n_refused = c.n_refused,
                            .n_lost = c.n_lost };
}

/* ---- what is taken -------------------------------------------------------------------------- */

/* Reads a number of at most five digits at *text, and moves past it. */
static bool read_number(uint32_t *out, const char **text)
{
    const size_t n_digits = strspn(*text, "0123456789");
    if (!n_digits || n_digits > 5) return false;
    *out = (uint32_t)strtoul(*text, NULL, 10);
    *text += n_digits;
    return true;
}

bool limn_inputs_parse_shard(limn_inputs *inputs, const char *text)
{
    return read_number(&inputs->shard, &text) && *text++ == '/' &&
           read_number(&inputs->n_shards, &text) && !*text && inputs->n_shards <= MAX_SHARDS &&
           inputs->shard < inputs->n_shards;
}

static bool matches(const char *const *patterns, size_t n, const char *path)
{
    const char *name = limn_path_last(path);
    for (size_t i = 0; i < n; i++)
        if (!fnmatch(patterns[i], strchr(patterns[i], '/') ? path : name, 0)) return true;
    return false;
}

/* A finaliser: without it, the high bits of the hash of similar names are poorly mixed. */
static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ (hash >> 33);
}

static bool is_in_shard(const limn_inputs *f, const char *path)
{
    return !f->n_shards ||
           mix(limn_fnv1a64(LIMN_FNV1A64_INIT, path, strlen(path))) % f->n_shards == f->shard;
}

bool limn_inputs_accept(const void *inputs, const char *relative, limn_dirwalk_kind kind)
{
    const limn_inputs *f = inputs;
    if (matches(f->excludes, f->n_excludes, relative)) return false;
    if (kind == LIMN_DIRWALK_FILE && f->n_includes &&
        !matches(f->includes, f->n_includes, relative))
        return false;
    return kind == LIMN_DIRWALK_FOLDER || is_in_shard(f, relative);
}
