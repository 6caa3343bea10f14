#include "models/train/training.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/place.h"
#include "common/text/plural.h"
#include "models/train/vocab_extend.h"
#include "models/train/stage_run.h"

/* ---- stages --------------------------------------------------------------------------------- */

static limn_status copy_best(const char *path, bool is_given, limn_run_folder *folder,
                             limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size;
    const char *best = limn_run_folder_file(folder, "best.safetensors");
    if (!best) return limn_fail(err, LIMN_E_NOMEM, "no memory for a name");
    LIMN_TRY(limn_file_read(&bytes, &size, best, SIZE_MAX / 2, err));
    const limn_status status = is_given ? limn_file_replace_given(path, bytes, size, err)
                                        : limn_file_replace(path, bytes, size, err);
    limn_free(bytes);
    return status;
}

/* Reports which words the starting model lacked, as many as fit into a line. */
static void tell_new_words(const limn_training_data *d, size_t n_kept)
{
    enum { MAX_SHOWN = 10 };
    const size_t n = limn_vocab_n_tokens(d->vocab);
    limn_buffer words = { 0 };
    size_t n_shown = 0;
    for (uint32_t i = 0; i < n && n_shown < MAX_SHOWN; i++) {
        const char *text = limn_vocab_text(d->vocab, i);
        if (i >= LIMN_N_SPECIAL && limn_vocab_find(d->base.vocab, text, strlen(text)) ==
                                       limn_vocab_specials(d->base.vocab)->unknown)
            limn_buffer_printf(&words, "%s%s", n_shown++ ? " " : ": ", text);
    }
    limn_training_say(d->listener, LIMN_TRAINING_INFO, "%zu %s of the model kept, %zu new%s%s",
                      n_kept, limn_plural(n_kept, "token", "tokens"), n - n_kept,
                      n_shown && !words.has_failed ? words.bytes : "",
                      n - n_kept > n_shown ? " …" : "");
    limn_buffer_finish(&words);
}

/* The starting model, extended with the words of this run. */
static limn_status extend_init(const char *path, const limn_training_data *d, limn_error *err)
{
    size_t n_kept;
    LIMN_TRY(limn_vocab_extend_model(path, &n_kept, &d->base, d->vocab, d->settings->seed, err));
    tell_new_words(d, n_kept);
    return LIMN_OK;
}

/* The model that stage `index` starts from: the best one before it, kept under a name of its own so
 * that a resumed run starts from the same one. */
static limn_status stage_base(limn_buffer *path, limn_run_folder *folder, size_t index,
                              const limn_training_data *d, limn_error *err)
{
    const limn_training_settings *o = d->settings;
    const bool has_other_words = o->model.init && d->own_vocab;
    char name[40];
    limn_buffer_clear(path);
    if (index == 0 && !has_other_words) {
        limn_buffer_append_text(path, o->model.init ? o->model.init : o->model.encoder);
        return LIMN_OK;
    }
    snprintf(name, sizeof name, "base-%zu.safetensors", index);
    limn_buffer_append_text(path, limn_run_folder_file(folder, name));
    if (access(path->bytes, F_OK) == 0) return LIMN_OK;
    return index == 0 ? extend_init(path->bytes, d, err)
                      : copy_best(path->bytes, false, folder, err);
}

static limn_status run_stages(const limn_training_context *context, limn_run_position *position,
                              limn_error *err)
{
    limn_stage_settings stages[LIMN_TRAINING_MAX_STAGES];
    const size_t n = limn_training_stages(stages, context->data->settings);
    limn_buffer base = { 0 };
    limn_status status = LIMN_OK;
    uint64_t first_step = 0, n_steps = 0;
    for (size_t i = 0; status == LIMN_OK && i < n; i++, first_step += n_steps) {
        status = limn_stage_n_steps(&n_steps, context->data, &stages[i], err);
        if (status != LIMN_OK || i < position->stage_index ||
            (i == position->stage_index && position->step == n_steps))
            continue;
        if (i > position->stage_index) {
            position->step = 0;
            position->file_step = LIMN_RUN_NO_CHECKPOINT;
        }
        position->stage_index = i;
        status = stage_base(&base, context->folder, i, context->data, err);
        if (status == LIMN_OK)
            status = limn_stage_run(context, &stages[i], i, first_step, base.bytes, position, err);
    }
    limn_buffer_finish(&base);
    return status;
}

/* ---- the end ------------------------------------------------------------------------------- */

static limn_status end_log(limn_run_folder *folder, const limn_run_position *position,
                           limn_error *err)
{
    char line[160];
    snprintf(line, sizeof line,
             "{\"kind\":\"end\",\"best\":%.6f,\"best_step\":%" PRIu64 ",\"seconds\":%.1f}",
             position->best, position->best_step, position->seconds);
    return limn_run_folder_log(folder, line, err);
}

static limn_status finish_run(const limn_training_context *context,
                              const limn_run_position *position, limn_error *err)
{
    if (context->output) LIMN_TRY(copy_best(context->output, true, context->folder, err));
    LIMN_TRY(end_log(context->folder, position, err));
    if (position->best >= 0)
        limn_training_say(context->data->listener, LIMN_TRAINING_INFO,
                          "best CIDEr %.1f after step %" PRIu64, 100 * position->best,
                          position->best_step);
    return LIMN_OK;
}

/* ---- a run --------------------------------------------------------------------------------- */

static limn_status run_from_position(limn_training_context *context, limn_error *err)
{
    limn_run_position position;
    size_t n_unreadable = 0;
    LIMN_TRY(limn_run_find(&position, &n_unreadable, context->folder, context->fingerprint, err));
    if (n_unreadable > 0)
        limn_training_say(context->data->listener, LIMN_TRAINING_WARNING,
                          "%zu %s skipped, since %s can't be read", n_unreadable,
                          limn_plural(n_unreadable, "checkpoint is", "checkpoints are"),
                          limn_plural(n_unreadable, "it", "they"));
    LIMN_TRY(run_stages(context, &position, err));
    return finish_run(context, &position, err);
}

static limn_status run_with_cache(limn_training_context *context, limn_error *err)
{
    char fingerprint[24];
    limn_development dev;
    LIMN_TRY(limn_folder_make(context->cache, context->data->settings->cache != NULL, err));
    LIMN_TRY(limn_training_data_load_images(context->data, context->cache, context->pool, err));
    LIMN_TRY(limn_unpaired_data_select(&context->data->unpaired, context->data->settings,
                                       limn_run_folder_file(context->folder, "agreement.npy"),
                                       context->pool, err));
    LIMN_TRY(limn_development_open(&dev, context->data, err));
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64,
             limn_training_data_fingerprint(context->data));
    context->fingerprint = fingerprint;
    context->dev = &dev;
    const limn_status status = run_from_position(context, err);
    limn_development_close(&dev);
    return status;
}

limn_status limn_training_run(limn_training_data *data, limn_run_folder *folder, const char *output,
                              limn_pool *pool, limn_error *err)
{
    const char *given = data->settings->cache;
    char *cache = limn_strdup(given ? given : limn_run_folder_file(folder, "cache"));
    limn_training_context context = {
        .data = data, .folder = folder, .output = output, .pool = pool, .cache = cache
    };
    const limn_status status = cache ? run_with_cache(&context, err)
                                     : limn_fail(err, LIMN_E_NOMEM, "no memory for a name");
    limn_free(cache);
    return status;
}
