#include "models/train/row_record.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"

#define MAX_SIZE ((size_t)1 << 30) /* bytes, with the checksums */
#define ROWS_KEY "rows"

/* The size of the text without its end, where the checksums of the rows are inserted. */
static size_t described_size(const char *text)
{
    return strlen(text) - strlen("\n}\n");
}

limn_status limn_row_record_write(const char *path, const char *text, const uint64_t *checksums,
                                  size_t n, limn_error *err)
{
    limn_buffer record = { 0 };
    limn_buffer_append(&record, text, described_size(text));
    limn_buffer_append_text(&record, ",\n \"" ROWS_KEY "\": [");
    for (size_t i = 0; i < n; i++)
        limn_buffer_printf(&record, "%s\n  \"%016llx\"", i ? "," : "",
                           (unsigned long long)checksums[i]);
    limn_buffer_append_text(&record, "\n ]\n}\n");
    const limn_status s = record.has_failed
                              ? limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu checksums", n)
                              : limn_file_replace(path, record.bytes, record.size, err);
    limn_buffer_finish(&record);
    return s;
}

static limn_status take_checksums(uint64_t *out, size_t n, const limn_json_node *root,
                                  limn_error *err)
{
    limn_json_node rows;
    size_t n_rows;
    LIMN_TRY(limn_json_array(&rows, &n_rows, root, ROWS_KEY, err));
    if (n_rows != n)
        return limn_json_fail(&rows, err, LIMN_E_FORMAT, "%zu checksums of %zu rows", n_rows, n);
    for (size_t i = 0; i < n; i++) {
        const limn_json_node row = limn_json_at(&rows, i);
        const char *digits;
        LIMN_TRY(limn_json_as_string(&digits, &row, err));
        out[i] = strtoull(digits, NULL, 16);
    }
    return LIMN_OK;
}

uint64_t *limn_row_record_read(const char *path, const char *text, size_t n)
{
    unsigned char *bytes = NULL;
    size_t size;
    json_t *document = NULL;
    uint64_t *out = NULL;
    if (limn_file_read(&bytes, &size, path, MAX_SIZE, NULL) != LIMN_OK) return NULL;
    if (size > described_size(text) && !memcmp(bytes, text, described_size(text)) &&
        limn_json_parse(&document, (const char *)bytes, size, NULL) == LIMN_OK) {
        const limn_json_node root = limn_json_root(document);
        out = limn_alloc(n, sizeof *out);
        if (out && take_checksums(out, n, &root, NULL) != LIMN_OK) {
            limn_free(out);
            out = NULL;
        }
        json_decref(document);
    }
    limn_free(bytes);
    return out;
}
