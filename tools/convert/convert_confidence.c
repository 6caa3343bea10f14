#include "tools/convert/convert_confidence.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/confidence.h"
#include "tools/message.h"

enum { MAX_FILE_SIZE = 1 << 20 };

static limn_status take(convert_result *r, const char *text, size_t size, limn_error *err)
{
    limn_confidence c;
    LIMN_TRY(limn_confidence_parse(&c, text, size, err));
    r->confidence = limn_strndup(text, size);
    return r->confidence ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

static limn_status read_file(convert_result *r, const char *path, limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    LIMN_TRY(limn_file_read(&bytes, &size, path, MAX_FILE_SIZE, err));
    while (size > 0 && bytes[size - 1] == '\n') size--;
    const limn_status status = take(r, (const char *)bytes, size, err);
    if (status != LIMN_OK) limn_error_prefix(err, "--confidence %s", path);
    limn_free(bytes);
    return status;
}

limn_status convert_confidence(convert_result *r, const convert_source *source, const char *path,
                               bool is_kept, limn_error *err)
{
    const char *own = source->kind == CONVERT_MODEL
                          ? limn_safetensors_metadata(source->file, LIMN_CONFIDENCE_KEY)
                          : NULL;
    if (path) return read_file(r, path, err);
    if (!own || !r->config.has_decoder) return LIMN_OK;
    if (is_kept) {
        const limn_status status = take(r, own, strlen(own), err);
        if (status != LIMN_OK) limn_error_prefix(err, LIMN_CONFIDENCE_KEY);
        return status;
    }
    limn_message_warning("the confidence model was fitted to captions of other weights and is left "
                         "out; --confidence adds a new one");
    return LIMN_OK;
}
