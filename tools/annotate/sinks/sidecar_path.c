#include "tools/annotate/sinks/sidecar_path.h"

#include <string.h>

#include "common/text/path.h"
#include "tools/annotate/input/path_names.h"

/* Whether a component of the path is "..". */
static bool climbs(const char *path)
{
    for (const char *p = path; (p = strstr(p, "..")); p += 2)
        if ((p == path || p[-1] == '/') && (!p[2] || p[2] == '/')) return true;
    return false;
}

/* Bytes of `path` without the extension of its last component: of "a.b.jpg", "a.b"; a name that
 * begins with its only dot has none. */
static size_t stem_size(const char *path)
{
    const char *name = path + limn_path_folder_size(path), *dot = strrchr(name, '.');
    return dot && dot > name ? (size_t)(dot - path) : strlen(path);
}

limn_status limn_sidecar_path(limn_buffer *out, const limn_sidecar_naming *naming,
                              const limn_dirwalk_entry *input, limn_error *err)
{
    const char *path = input->path;
    limn_buffer_clear(out);
    if (input->is_stream)
        return limn_fail(err, LIMN_E_ARG,
                         "comes from standard input: it has no folder for a sidecar");
    if (naming->is_image && input->archive_size)
        return limn_fail(err, LIMN_E_ARG,
                         "nothing is written into archives; use --sidecar=xmp and --out-dir");
    if (naming->out_dir) {
        path = limn_path_skip_dots(input->relative + strspn(input->relative, "/"));
        if (climbs(path))
            return limn_fail(err, LIMN_E_ARG, "its path has '..' in it, and would point outside %s",
                             naming->out_dir);
        limn_buffer_printf(out, "%s/", naming->out_dir);
    } else if (input->archive_size) {
        return limn_fail(err, LIMN_E_ARG,
                         "a member of an archive has no folder for a sidecar; use --out-dir");
    }
    limn_buffer_append(out, path,
                       naming->is_full || naming->is_image ? strlen(path) : stem_size(path));
    if (!naming->is_image) limn_buffer_printf(out, ".%s", naming->extension);
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

size_t limn_sidecar_given_size(const limn_sidecar_naming *naming, const limn_dirwalk_entry *input)
{
    if (naming->out_dir) return strlen(naming->out_dir) + 1;
    if (input->is_named) return limn_path_folder_size(input->path);
    return (size_t)(input->relative - input->path);
}
