#include "tools/limn/caption_sink.h"

#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tools/annotate/input/list_spool.h"
#include "tools/annotate/sinks/sink_file.h"
#include "tools/annotate/sinks/sink_shards.h"

static bool has_list(const limn_pipeline_settings *pipeline)
{
    for (size_t i = 0; i < pipeline->n_names; i++)
        if (!strcmp(pipeline->names[i], "-")) return true;
    return false;
}

/* Looks for collisions, and leaves a list on standard input as it was. With --existing error,
 * sidecars must not be there, but those of an interrupted run: these the run tells apart. */
static limn_status make_plan(limn_sidecar_plan *out, const limn_pipeline_settings *pipeline,
                             const limn_sidecar_settings *sidecar, limn_error *err)
{
    char *journal = limn_sink_sidecar_journal_path(sidecar);
    const bool may_exist =
        sidecar->existing != LIMN_EXISTING_ERROR || (journal && !access(journal, F_OK));
    limn_free(journal);
    if (has_list(pipeline)) LIMN_TRY(limn_list_spool_start(err));
    LIMN_TRY(limn_sidecar_plan_make(out, pipeline, &sidecar->naming, may_exist, err));
    return limn_list_spool_rewind(err);
}

/* What tells runs apart that may go on side by side over the same names. */
static limn_status append_variant(limn_buffer *out, const caption_settings *s, limn_error *err)
{
    limn_buffer_printf(out, "%s\n%s\n%s\n%d", s->sidecar_extension, s->out_dir ? s->out_dir : "",
                       s->shard ? s->shard : "", s->is_sidecar_full);
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

static limn_status make_sidecar(caption_sink *out, const caption_settings *s,
                                const limn_pipeline_settings *pipeline, limn_error *err)
{
    limn_buffer variant = { 0 };
    limn_sidecar_settings sidecar = {
        .naming = { .extension = s->sidecar_extension,
                    .out_dir = s->out_dir,
                    .is_full = s->is_sidecar_full },
        .existing = (limn_existing)s->existing,
        .names = pipeline->names,
        .n_names = pipeline->n_names,
        .plan = &out->plan,
        .is_dry = s->is_dry_run,
    };
    limn_status status = append_variant(&variant, s, err);
    sidecar.variant = variant.bytes;
    if (status == LIMN_OK) status = make_plan(&out->plan, pipeline, &sidecar, err);
    if (status == LIMN_OK) status = limn_sink_sidecar_create(&out->sink, &sidecar, err);
    limn_buffer_finish(&variant);
    return status;
}

limn_status caption_sink_make(caption_sink *out, const caption_settings *settings,
                              const limn_pipeline_settings *pipeline, limn_error *err)
{
    if (settings->sidecar) return make_sidecar(out, settings, pipeline, err);
    if (limn_sink_shards_is_for(settings->output))
        return limn_sink_shards_create(&out->sink, settings->output, settings->writer,
                                       settings->tar.items, settings->tar.n_items, err);
    return limn_sink_file_create(&out->sink, settings->output, settings->writer, err);
}

void caption_sink_finish(caption_sink *s)
{
    limn_sink_destroy(&s->sink);
    limn_sidecar_plan_finish(&s->plan);
}
