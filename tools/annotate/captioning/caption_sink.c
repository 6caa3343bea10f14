#include "tools/annotate/captioning/caption_sink.h"

#include <unistd.h>

#include "common/base/mem.h"
#include "tools/annotate/input/inputs.h"
#include "tools/annotate/sinks/sink_file.h"
#include "tools/annotate/sinks/sink_shards.h"
#include "tools/annotate/sinks/tar_plan.h"
#include "tools/annotate/xmp/xmp_record.h"

const limn_writer *caption_sink_writer(const limn_annotate_settings *s)
{
    if (s->xmp) return &limn_writer_xmp;
    const bool has_captions_alone = s->sidecar_extension && s->format == LIMN_FORMAT_TEXT;
    return has_captions_alone ? &limn_writer_caption : limn_writer_of(s->format, s->has_confidence);
}

/* Spools a list that is read before the run too: *list is then its spool, else NULL. */
static limn_status keep_list(const limn_list_spool **list, caption_sink *out,
                             const limn_annotate_settings *s, limn_inputs *inputs, limn_error *err)
{
    *list = NULL;
    if (!limn_inputs_has_list(inputs)) return LIMN_OK;
    LIMN_TRY(limn_list_spool_start(&out->list, inputs->list_fd, &s->hooks, err));
    inputs->list_fd = out->list.fd;
    *list = &out->list;
    return LIMN_OK;
}

/* ---- sidecars --------------------------------------------------------------------------- */

/* Looks for collisions. With LIMN_EXISTING_ERROR, sidecars must not exist, except those of an
 * interrupted run, which the run itself recognises. */
static limn_status make_plan(caption_sink *out, const limn_sidecar_settings *sidecar,
                             const limn_annotate_settings *s, limn_inputs *inputs, limn_error *err)
{
    const limn_list_spool *list;
    char *journal = limn_sink_sidecar_journal_path(sidecar);
    const bool may_exist =
        s->xmp || sidecar->existing != LIMN_EXISTING_ERROR || (journal && !access(journal, F_OK));
    limn_free(journal);
    LIMN_TRY(keep_list(&list, out, s, inputs, err));
    LIMN_TRY(limn_sidecar_plan_make(&out->plan, inputs, list, &sidecar->naming, may_exist,
                                    &s->hooks, err));
    return list ? limn_list_spool_rewind(list, err) : LIMN_OK;
}

/* Distinguishes concurrent runs over the same names. */
static limn_status append_variant(limn_buffer *out, const limn_annotate_settings *s,
                                  limn_error *err)
{
    limn_buffer_printf(out, "%s\n%s\n", s->sidecar_extension ? s->sidecar_extension : "",
                       s->out_dir ? s->out_dir : "");
    if (s->inputs.n_shards)
        limn_buffer_printf(out, "%u/%u", (unsigned)s->inputs.shard, (unsigned)s->inputs.n_shards);
    limn_buffer_printf(out, "\n%d", s->is_sidecar_full);
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

static limn_status make_sidecar(caption_sink *out, const limn_annotate_settings *s,
                                limn_inputs *inputs, limn_error *err)
{
    limn_buffer variant = { 0 };
    limn_sidecar_settings sidecar = {
        .naming = { .extension = s->sidecar_extension,
                    .out_dir = s->out_dir,
                    .is_full = s->is_sidecar_full,
                    .is_image = s->xmp == LIMN_XMP_IMAGES },
        .has_backup = s->has_backup,
        .existing = s->existing,
        .separator = s->separator,
        .names = inputs->names,
        .n_names = inputs->n_names,
        .plan = &out->plan,
        .is_dry = s->is_dry_run,
    };
    limn_status status = append_variant(&variant, s, err);
    sidecar.variant = variant.bytes;
    if (s->xmp) sidecar.merge = &out->xmp.merge;
    if (status == LIMN_OK) status = make_plan(out, &sidecar, s, inputs, err);
    if (status == LIMN_OK) status = limn_sink_sidecar_create(&out->sink, &sidecar, err);
    limn_buffer_finish(&variant);
    return status;
}

/* ---- a folder for archives -------------------------------------------------------------- */

static limn_status check_tars(caption_sink *out, const limn_annotate_settings *s,
                              limn_inputs *inputs, limn_error *err)
{
    const limn_list_spool *list;
    LIMN_TRY(keep_list(&list, out, s, inputs, err));
    LIMN_TRY(limn_tar_plan_check(inputs, list, s->output, s->tar_endings, s->n_tar_endings,
                                 &s->hooks, &out->tar_siblings, err));
    return list ? limn_list_spool_rewind(list, err) : LIMN_OK;
}

static limn_status make_shards(caption_sink *out, const limn_annotate_settings *s,
                               const limn_writer *writer, limn_inputs *inputs, limn_error *err)
{
    if (s->n_tar_endings) LIMN_TRY(check_tars(out, s, inputs, err));
    return limn_sink_shards_create(&out->sink, s->output, writer, s->tar_endings, s->n_tar_endings,
                                   &out->tar_siblings, err);
}

/* ---- all -------------------------------------------------------------------------------- */

static limn_status make(caption_sink *out, const limn_annotate_settings *s, limn_inputs *inputs,
                        limn_error *err)
{
    const limn_writer *writer = caption_sink_writer(s);
    if (s->xmp) LIMN_TRY(limn_xmp_store_open(&out->xmp, s, err));
    if (s->sidecar_extension || s->xmp) return make_sidecar(out, s, inputs, err);
    if (limn_output_is_folder(s->output)) return make_shards(out, s, writer, inputs, err);
    return limn_sink_file_create(&out->sink, s->output, s->output_fd, writer, err);
}

limn_status caption_sink_make(caption_sink *out, const limn_annotate_settings *settings,
                              limn_inputs *inputs, limn_error *err)
{
    LIMN_TRY(make(out, settings, inputs, err));
    out->sink->hooks = &settings->hooks;
    return LIMN_OK;
}

void caption_sink_finish(caption_sink *s)
{
    limn_sink_destroy(&s->sink);
    limn_sidecar_plan_finish(&s->plan);
    limn_output_owners_finish(&s->tar_siblings);
    limn_xmp_store_close(&s->xmp);
    limn_list_spool_finish(&s->list);
}
