#include "tools/annotate/captioning/run_identity.h"

#include "common/io/fileio.h"
#include "common/text/file_name.h"

static limn_status append_checksum(limn_buffer *out, const char *name, const char *path,
                                   limn_error *err)
{
    limn_file_bytes file = { 0 };
    LIMN_TRY(limn_file_bytes_read(&file, path, SIZE_MAX, err));
    limn_buffer_printf(out, "%s %016llx\n", name,
                       (unsigned long long)limn_fnv1a64(LIMN_FNV1A64_INIT, file.bytes, file.size));
    limn_file_bytes_free(&file);
    return LIMN_OK;
}

limn_status limn_run_identity(limn_buffer *out, const limn_annotate_settings *s, limn_error *err)
{
    limn_buffer_printf(out, "limn %s\n", limn_version());
    for (size_t i = 0; i < s->n_model_paths; i++)
        LIMN_TRY(append_checksum(out, "model", s->model_paths[i], err));
    if (s->applied) LIMN_TRY(append_checksum(out, "captions", s->applied, err));
    if (s->identity) limn_buffer_append_text(out, s->identity);
    const bool has_files = s->sidecar_extension || s->xmp;
    for (size_t i = 0; has_files && i < s->inputs.n_names; i++) {
        limn_buffer_append_text(out, "path ");
        limn_file_name_append_line(out, s->inputs.names[i]);
        limn_buffer_append_text(out, "\n");
    }
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}
