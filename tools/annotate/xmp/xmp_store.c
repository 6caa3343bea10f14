#include "tools/annotate/xmp/xmp_store.h"

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/file_sha256.h"
#include "tools/annotate/xmp/xmp_record.h"

/* The packet that is the sidecar `path`. */
static limn_status read_sidecar(unsigned char **bytes, size_t *size, const char *path,
                                limn_error *err)
{
    return limn_file_read(bytes, size, path, LIMN_XMP_MAX_SIZE, err);
}

static limn_status run(limn_xmp_store *s, limn_xmp_answer *answer, const limn_xmp_request *request,
                       const char *path, bool is_there, limn_error *err)
{
    limn_error reason = { 0 };
    unsigned char *bytes = NULL;
    size_t size = 0;
    limn_status status;
    *answer = (limn_xmp_answer){ 0 };
    if (is_there) LIMN_TRY(read_sidecar(&bytes, &size, path, err));
    status = limn_xmp_worker_run(s->worker, answer, request, (const char *)bytes, size, &reason);
    limn_free(bytes);
    return status == LIMN_OK ? LIMN_OK : limn_fail(err, status, "%s: %s", path, reason.text);
}

/* ---- before the image ------------------------------------------------------------------- */

static limn_status look(void *ctx, const char *path, bool *is_there, limn_error *err)
{
    limn_xmp_store *s = ctx;
    const limn_xmp_request request = { .task = LIMN_XMP_LOOK };
    limn_xmp_answer answer;
    struct stat st;
    *is_there = false;
    if (lstat(path, &st)) return LIMN_OK;
    LIMN_TRY(run(s, &answer, &request, path, true, err));
    *is_there = !limn_xmp_is_wanted(answer.author, s->existing, s->is_renewed, false);
    if (*is_there && answer.author != LIMN_XMP_MACHINE && s->existing == LIMN_EXISTING_ERROR)
        return limn_fail(err, LIMN_E_ARG, "%s: already has a description", path);
    return LIMN_OK;
}

/* ---- the caption -------------------------------------------------------------------------- */

static limn_status make(void *ctx, limn_sidecar_file *f, bool *is_same, limn_error *err)
{
    limn_xmp_store *s = ctx;
    limn_xmp_record record;
    limn_xmp_answer answer;
    LIMN_TRY(limn_xmp_record_read(&record, f->bytes.bytes, f->bytes.size, err));
    const limn_xmp_request request = { .task = LIMN_XMP_WRITE,
                                       .existing = s->existing,
                                       .separator = s->separator,
                                       .caption = record.caption,
                                       .alt_text = s->has_alt_text ? record.caption : NULL,
                                       .confidence = record.confidence,
                                       .model = s->model,
                                       .tags = record.tags,
                                       .n_tags = record.n_tags };
    limn_status status = run(s, &answer, &request, f->path, f->had_file, err);
    limn_xmp_record_finish(&record);
    *is_same = f->had_file && !answer.is_changed;
    limn_buffer_finish(&f->bytes);
    f->bytes = answer.packet;
    return status;
}

/* ---- opening ------------------------------------------------------------------------------ */

static limn_status checksum_models(limn_xmp_store *s, const limn_annotate_settings *settings,
                                   limn_error *err)
{
    limn_buffer text = { 0 };
    limn_status status = LIMN_OK;
    for (size_t i = 0; status == LIMN_OK && i < settings->n_model_paths; i++) {
        char sum[LIMN_SHA256_TEXT];
        status = limn_file_sha256(sum, settings->model_paths[i], err);
        if (status == LIMN_OK) limn_buffer_printf(&text, "%s%s", i ? " " : "", sum);
    }
    if (status == LIMN_OK) s->model = limn_strdup(text.size ? text.bytes : "unknown");
    limn_buffer_finish(&text);
    return status != LIMN_OK || s->model ? status : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

limn_status limn_xmp_store_open(limn_xmp_store *out, const limn_annotate_settings *settings,
                                limn_error *err)
{
    *out = (limn_xmp_store){ .merge = { .ctx = out, .look = look, .make = make },
                             .existing = settings->existing,
                             .separator = settings->separator,
                             .is_renewed = settings->is_renewed,
                             .has_alt_text = settings->has_alt_text };
    LIMN_TRY(limn_xmp_worker_start(&out->worker, settings->decoders != NULL, err));
    return checksum_models(out, settings, err);
}

void limn_xmp_store_close(limn_xmp_store *s)
{
    limn_xmp_worker_stop(&s->worker);
    limn_free(s->model);
    *s = (limn_xmp_store){ 0 };
}
