#include "tools/explain/result_files.h"

#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/place.h"

static bool is_part(const char *part, size_t size)
{
    return size > 0 && !(size == 1 && part[0] == '.') &&
           !(size == 2 && part[0] == '.' && part[1] == '.');
}

void limn_result_path_append(limn_buffer *out, const char *dir, const limn_dirwalk_entry *input)
{
    const char *slash = input->is_named ? strrchr(input->relative, '/') : NULL;
    const char *part = slash ? slash + 1 : input->relative;
    limn_buffer_append_text(out, dir);
    while (*part) {
        const size_t size = strcspn(part, "/");
        if (is_part(part, size)) {
            limn_buffer_append_text(out, "/");
            limn_buffer_append(out, part, size);
        }
        part += size + (part[size] == '/');
    }
}

/* The folders of `path`, where they are missing. */
static limn_status make_folders(const char *path, size_t given, limn_error *err)
{
    limn_place place;
    LIMN_TRY(limn_place_open(&place, path, given, true, err));
    limn_place_close(&place);
    return LIMN_OK;
}

static bool holds(const char *path, const limn_buffer *bytes)
{
    limn_file_bytes file = { 0 };
    if (limn_file_bytes_read(&file, path, bytes->size, NULL) != LIMN_OK) return false;
    const bool is_same =
        file.size == bytes->size && memcmp(file.bytes, bytes->bytes, file.size) == 0;
    limn_file_bytes_free(&file);
    return is_same;
}

limn_status limn_result_file_write(const char *path, size_t given, const limn_buffer *bytes,
                                   limn_error *err)
{
    struct stat st;
    if (bytes->has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", path);
    LIMN_TRY(make_folders(path, given, err));
    if (lstat(path, &st) == 0)
        return holds(path, bytes)
                   ? LIMN_OK
                   : limn_fail(err, LIMN_E_IO,
                               "%s: already exists and differs; remove it or choose another name",
                               path);
    return limn_file_replace(path, bytes->bytes, bytes->size, err);
}
