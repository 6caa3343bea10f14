#include "tools/annotate/xmp/xmp_store.h"

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/file_sha256.h"
#include "common/text/path.h"
#include "tools/annotate/pipeline.h"
#include "tools/annotate/sinks/undo_log.h"
#include "tools/annotate/xmp/container.h"
#include "tools/annotate/xmp/find_text.h"
#include "tools/annotate/xmp/xmp_record.h"

/* A file with a packet, or a place for one. */
typedef struct source {
    limn_file_bytes file;
    limn_container container; /* of an image */
    const char *packet;       /* [size] */
    size_t size;
} source;

static void close_source(source *f)
{
    limn_container_close(&f->container);
    limn_file_bytes_free(&f->file);
}

static limn_status open_sidecar(source *f, const char *path, limn_error *err)
{
    LIMN_TRY(limn_file_bytes_read(&f->file, path, LIMN_XMP_MAX_SIZE, err));
    f->packet = (const char *)f->file.bytes;
    f->size = f->file.size;
    return LIMN_OK;
}

static limn_status open_image(source *f, const char *path, limn_error *err)
{
    limn_error reason = { 0 };
    LIMN_TRY(limn_file_bytes_read(&f->file, path, LIMN_PIPELINE_MAX_FILE_SIZE, err));
    const limn_status s = limn_container_open(&f->container, f->file.bytes, f->file.size, &reason);
    if (s != LIMN_OK) return limn_fail(err, s, "%s: %s", path, reason.text);
    f->packet = f->container.packet.bytes;
    f->size = f->container.packet.size;
    return LIMN_OK;
}

static limn_status open_source(source *f, const limn_xmp_store *s, const char *path, bool is_there,
                               limn_error *err)
{
    *f = (source){ .packet = "" };
    if (s->is_embedded) return open_image(f, path, err);
    return is_there ? open_sidecar(f, path, err) : LIMN_OK;
}

static limn_status run(limn_xmp_store *s, limn_xmp_answer *answer, const limn_xmp_request *request,
                       const source *f, const char *path, limn_error *err)
{
    limn_error reason = { 0 };
    const limn_status status =
        limn_xmp_worker_run(s->worker, answer, request, f->packet, f->size, &reason);
    return status == LIMN_OK ? LIMN_OK : limn_fail(err, status, "%s: %s", path, reason.text);
}

/* ---- before the image ------------------------------------------------------------------- */

/* Whether the packet may have a description: the word is in it. If not, it needn't be parsed;
 * whatever else is wrong with it shows when the caption is written. */
static bool may_have_description(const source *f)
{
    return limn_has_text(f->packet, f->size, "description");
}

static limn_status look(void *ctx, const char *path, bool *is_there, limn_error *err)
{
    limn_xmp_store *s = ctx;
    const limn_xmp_request request = { .task = LIMN_XMP_LOOK };
    limn_xmp_answer answer = { 0 };
    source f;
    struct stat st;
    limn_status status = open_source(&f, s, path, !lstat(path, &st), err);
    if (status == LIMN_OK && may_have_description(&f))
        status = run(s, &answer, &request, &f, path, err);
    close_source(&f);
    if (status != LIMN_OK) return status;
    *is_there = !limn_xmp_is_wanted(answer.author, s->existing, s->is_renewed, s->is_corrected);
    if (*is_there && answer.author != LIMN_XMP_MACHINE && s->existing == LIMN_EXISTING_ERROR)
        return limn_fail(err, LIMN_E_ARG, "%s: already has a description", path);
    return LIMN_OK;
}

/* ---- the caption -------------------------------------------------------------------------- */

static limn_status write_record(limn_xmp_store *s, limn_xmp_answer *answer,
                                const limn_xmp_record *record, const source *f, const char *path,
                                limn_error *err)
{
    const limn_xmp_request request = { .task = LIMN_XMP_WRITE,
                                       .is_embedded = s->is_embedded,
                                       .existing = s->existing,
                                       .separator = s->separator,
                                       .caption = record->caption,
                                       .alt_text = s->has_alt_text ? record->caption : NULL,
                                       .confidence = record->confidence,
                                       .model = s->model,
                                       .tags = record->tags,
                                       .n_tags = record->n_tags };
    return run(s, answer, &request, f, path, err);
}

static limn_status hash(void *ctx, const void *bytes, size_t size)
{
    uint64_t *sum = ctx;
    *sum = limn_fnv1a64(*sum, bytes, size);
    return LIMN_OK;
}

/* The splices that put the packet into the image. */
static limn_status embed(limn_sidecar_file *f, const source *image, const limn_buffer *packet,
                         limn_error *err)
{
    limn_error reason = { 0 };
    const limn_status s = limn_container_replace(&f->splices, &image->container, packet, &reason);
    size_t size = image->file.size;
    if (s != LIMN_OK) return limn_fail(err, s, "%s: %s", f->path, reason.text);
    for (size_t i = 0; i < f->splices.n_items; i++)
        size += f->splices.items[i].bytes.size - f->splices.items[i].old_size;
    f->hash = limn_fnv1a64(LIMN_FNV1A64_INIT, &size, sizeof size);
    return limn_splices_apply(&f->splices, image->file.bytes, image->file.size, hash, &f->hash);
}

/* The line that takes the change of a sidecar or an image back. */
static limn_status append_undo(limn_sidecar_file *f, const source *before, limn_error *err)
{
    if (!f->is_image) {
        limn_buffer *all = limn_splices_add(&f->splices, 0, before->size);
        if (!all) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        limn_buffer_append(all, f->bytes.bytes, f->bytes.size);
    }
    limn_undo_line(&f->undo, limn_path_last(f->path), limn_sidecar_new_hash(f), f->had_file,
                   &f->splices, before->file.bytes);
    if (f->undo.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return limn_splices_check(&f->splices, err);
}

static limn_status make(void *ctx, limn_sidecar_file *f, bool *is_same, limn_error *err)
{
    limn_xmp_store *s = ctx;
    limn_xmp_record record;
    limn_xmp_answer answer = { 0 };
    source image;
    LIMN_TRY(limn_xmp_record_read(&record, f->bytes.bytes, f->bytes.size, err));
    limn_status status = open_source(&image, s, f->path, f->had_file, err);
    if (status == LIMN_OK) status = write_record(s, &answer, &record, &image, f->path, err);
    /* somebody may have written a description since `look` */
    const bool is_wanted =
        limn_xmp_is_wanted(answer.author, s->existing, s->is_renewed, s->is_corrected);
    *is_same = f->had_file && (!answer.is_changed || (status == LIMN_OK && !is_wanted));
    if (status == LIMN_OK && s->is_embedded && !*is_same)
        status = embed(f, &image, &answer.packet, err);
    limn_xmp_record_finish(&record);
    limn_buffer_finish(&f->bytes);
    f->bytes = answer.packet;
    if (status == LIMN_OK && !*is_same) status = append_undo(f, &image, err);
    close_source(&image);
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
                             .is_embedded = settings->xmp == LIMN_XMP_IMAGES,
                             .is_corrected = settings->applied != NULL,
                             .is_renewed = settings->is_renewed,
                             .has_alt_text = settings->has_alt_text };
    LIMN_TRY(limn_xmp_worker_start(&out->worker,
                                   settings->decoders ? LIMN_SANDBOX_ON : LIMN_SANDBOX_OFF,
                                   &settings->hooks, err));
    return out->is_corrected ? LIMN_OK : checksum_models(out, settings, err);
}

void limn_xmp_store_close(limn_xmp_store *s)
{
    limn_xmp_worker_stop(&s->worker);
    limn_free(s->model);
    *s = (limn_xmp_store){ 0 };
}
