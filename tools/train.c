/* limn-train: makes a captioner from photos and captions. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"
#include "models/train/vocab_extend.h"
#include "tools/interrupt.h"
#include "tools/message.h"
#include "tools/train/run_page.h"
#include "tools/train/train_arguments.h"
#include "tools/train/train_data.h"
#include "tools/train/train_plan.h"
#include "tools/train/train_stage.h"

static int failed(const limn_error *err)
{
    limn_message_error("%s", err->text);
    return err->code == LIMN_E_ARG ? LIMN_EXIT_USAGE : LIMN_EXIT_NOTHING;
}

/* ---- the development set
 * ------------------------------------------------------------------- */

/* Pixels and references of the development pictures, in arrays that the caller
 * frees. */
typedef struct dev_arrays {
    const uint8_t **pixels;
    const char **names, **references; /* references: two a picture, for the log */
} dev_arrays;

static void dev_arrays_finish(dev_arrays *a)
{
    limn_free(a->pixels);
    limn_free(a->names);
    limn_free(a->references);
}

static limn_status fill_dev_arrays(dev_arrays *a, const limn_train_data *d, limn_error *err)
{
    const limn_training_set *set = &d->dev;
    a->pixels = limn_calloc(set->n_pictures, sizeof *a->pixels);
    a->names = limn_calloc(set->n_pictures, sizeof *a->names);
    a->references = limn_calloc(set->n_pictures, 2 * sizeof *a->references);
    if (!a->pixels || !a->names || !a->references)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for development pictures");
    for (size_t i = 0; i < set->n_pictures; i++) {
        const size_t first = set->first_captions[i];
        a->names[i] = limn_training_set_name(set, i);
        a->pixels[i] = limn_pixel_cache_row(
            &d->pixels, limn_picture_names_find(&d->pixels.rows.names, a->names[i]));
        a->references[2 * i] = set->texts[first];
        if (set->first_captions[i + 1] > first + 1)
            a->references[2 * i + 1] = set->texts[first + 1];
    }
    return LIMN_OK;
}

static limn_status create_dev_set(limn_dev_set **out, dev_arrays *arrays, const limn_train_data *d,
                                  limn_error *err)
{
    *out = NULL;
    if (d->dev.n_pictures == 0)
        return LIMN_OK;
    LIMN_TRY(fill_dev_arrays(arrays, d, err));
    const limn_dev_pictures pictures = { .n_pictures = d->dev.n_pictures,
                                        .pixels = arrays->pixels,
                                        .first_references = d->dev.first_captions,
                                        .references = d->dev.texts };
    return limn_dev_set_create(out, &pictures, err);
}

/* ---- stages ------------------------------------------------------------------------------ */

static limn_status copy_best(const char *path, limn_run_folder *folder, limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size;
    const char *best = limn_run_folder_file(folder, "best.safetensors");
    if (!best)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a name");
    LIMN_TRY(limn_file_read(&bytes, &size, best, SIZE_MAX / 2, err));
    const limn_status status = limn_file_replace(path, bytes, size, err);
    limn_free(bytes);
    return status;
}

/* The --init model with the words of this run. */
static limn_status extend_init(const char *path, const limn_train_data *d, limn_error *err)
{
    size_t n_kept;
    LIMN_TRY(limn_vocab_extend_model(path, &n_kept, &d->base, d->vocab, d->options->seed, err));
    limn_message_warning("%zu words are kept, %zu are new", n_kept,
                         limn_vocab_n_tokens(d->vocab) - n_kept);
    return LIMN_OK;
}

/* The model that stage `index` begins with: the best one before it, kept under
 * a name of its own so that a run that goes on begins with the same one. */
static limn_status stage_base(limn_buffer *path, limn_run_folder *folder, size_t index,
                              const limn_train_data *d, limn_error *err)
{
    const limn_train_options *o = d->options;
    const bool has_other_words = o->init && d->own_vocab;
    char name[40];
    limn_buffer_clear(path);
    if (index == 0 && !has_other_words) {
        limn_buffer_append_text(path, o->init ? o->init : o->encoder);
        return LIMN_OK;
    }
    snprintf(name, sizeof name, "base-%zu.safetensors", index);
    limn_buffer_append_text(path, limn_run_folder_file(folder, name));
    if (access(path->bytes, F_OK) == 0)
        return LIMN_OK;
    return index == 0 ? extend_init(path->bytes, d, err) : copy_best(path->bytes, folder, err);
}

static limn_status run_stages(const limn_train_context *context, limn_run_position *position,
                              limn_error *err)
{
    limn_train_stage stages[LIMN_TRAIN_MAX_STAGES];
    const size_t n = limn_train_stages(stages, context->data->options);
    limn_buffer base = { 0 };
    limn_status status = LIMN_OK;
    uint64_t first_step = 0, n_steps = 0;
    for (size_t i = 0; status == LIMN_OK && i < n; i++, first_step += n_steps) {
        status = limn_train_stage_n_steps(&n_steps, context->data, &stages[i], err);
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
            status =
                limn_train_stage_run(context, &stages[i], i, first_step, base.bytes, position, err);
    }
    limn_buffer_finish(&base);
    return status;
}

/* ---- a run ------------------------------------------------------------------------------- */

static limn_status copy_output(limn_run_folder *folder, const char *output, limn_error *err)
{
    return output ? copy_best(output, folder, err) : LIMN_OK;
}

/* Ends the log, and with it the page's loading itself again. */
static limn_status end_log(limn_run_folder *folder, const limn_run_position *position,
                           limn_error *err)
{
    char line[160];
    limn_buffer page = { 0 };
    snprintf(line, sizeof line,
             "{\"kind\":\"end\",\"best\":%.6f,\"best_step\":%" PRIu64 ",\"seconds\":%.1f}",
             position->best, position->best_step, position->seconds);
    LIMN_TRY(limn_run_folder_log(folder, line, err));
    limn_buffer_append_text(&page, limn_run_folder_file(folder, "run.html"));
    const limn_status status =
        limn_run_page_write(page.bytes, limn_run_folder_file(folder, "log.jsonl"), err);
    limn_buffer_finish(&page);
    return status;
}

static limn_status finish_run(limn_run_folder *folder, const limn_train_options *o,
                              const limn_run_position *position, limn_error *err)
{
    LIMN_TRY(copy_output(folder, o->output, err));
    LIMN_TRY(end_log(folder, position, err));
    if (position->best >= 0)
        limn_message_note("best CIDEr %.2f after step %" PRIu64, 100 * position->best,
                          position->best_step);
    return LIMN_OK;
}

static limn_status run_with_pictures(limn_train_context *context, limn_error *err)
{
    limn_run_position position;
    dev_arrays arrays = { NULL, NULL, NULL };
    char fingerprint[24];
    size_t n_unreadable = 0;
    limn_status status = create_dev_set(&context->dev, &arrays, context->data, err);
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64,
             limn_train_data_fingerprint(context->data));
    context->fingerprint = fingerprint;
    context->dev_names = arrays.names;
    context->dev_references = arrays.references;
    if (status == LIMN_OK)
        status = limn_run_find(&position, &n_unreadable, context->folder, fingerprint, err);
    if (n_unreadable > 0)
        limn_message_warning("%zu checkpoints can't be read and are passed over", n_unreadable);
    if (status == LIMN_OK)
        status = run_stages(context, &position, err);
    if (status == LIMN_OK)
        status = finish_run(context->folder, context->data->options, &position, err);
    limn_dev_set_destroy(&context->dev);
    dev_arrays_finish(&arrays);
    return status;
}

static limn_status make_cache(const char *path, limn_error *err)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return limn_fail(err, LIMN_E_IO, "%s: can't make the folder: %s", path, strerror(errno));
    return LIMN_OK;
}

static limn_status run_in_folder(limn_run_folder *folder, const limn_train_options *o,
                                 limn_pool *pool, limn_error *err)
{
    limn_train_data data = { .options = o };
    limn_buffer cache = { 0 };
    limn_train_context context = { .data = &data, .folder = folder, .pool = pool };
    limn_buffer_append_text(&cache, o->cache ? o->cache : limn_run_folder_file(folder, "cache"));
    limn_status status = make_cache(cache.bytes, err);
    if (status == LIMN_OK)
        status = limn_train_data_read(&data, o, err);
    if (status == LIMN_OK)
        status = limn_train_data_load_pictures(&data, cache.bytes, pool, err);
    context.cache = cache.bytes;
    if (status == LIMN_OK)
        status = run_with_pictures(&context, err);
    limn_train_data_finish(&data);
    limn_buffer_finish(&cache);
    return status;
}

static int train(const limn_train_options *o, limn_run_folder *folder)
{
    limn_pool *pool = NULL;
    limn_error err = { 0 };
    limn_status status = limn_pool_create(&pool, o->n_threads, &err);
    if (status == LIMN_OK)
        status = run_in_folder(folder, o, pool, &err);
    limn_pool_destroy(&pool);
    if (status == LIMN_E_INTERRUPTED) {
        limn_message_error("interrupted; limn-train --resume %s goes on", o->run);
        return LIMN_EXIT_INTERRUPTED;
    }
    return status == LIMN_OK ? LIMN_EXIT_OK : failed(&err);
}

static int plan(const limn_train_options *o)
{
    limn_train_data data = { .options = o };
    limn_pool *pool = NULL;
    limn_error err = { 0 };
    limn_status status = limn_pool_create(&pool, o->n_threads, &err);
    if (status == LIMN_OK)
        status = limn_train_data_read(&data, o, &err);
    if (status == LIMN_OK)
        status = limn_train_plan_print(&data, pool, &err);
    limn_train_data_finish(&data);
    limn_pool_destroy(&pool);
    return status == LIMN_OK ? LIMN_EXIT_OK : failed(&err);
}

static int run(const limn_train_options *o, int argc, char **argv)
{
    limn_run_folder *folder = NULL;
    limn_error err = { 0 };
    limn_status status;
    if (!limn_train_options_check(o))
        return LIMN_EXIT_USAGE;
    if (o->is_plan)
        return plan(o);
    if (!limn_interrupt_start()) {
        limn_message_error("can't install signal handlers");
        return LIMN_EXIT_NOTHING;
    }
    status = o->resume ? limn_run_folder_open(&folder, o->resume, &err)
                       : limn_run_folder_create(&folder, o->run, &err);
    if (status == LIMN_OK && !o->resume)
        status =
            limn_train_arguments_write(limn_run_folder_file(folder, "run.json"), argc, argv, &err);
    const int code = status == LIMN_OK ? train(o, folder) : failed(&err);
    limn_run_folder_close(&folder);
    return code;
}

int main(int argc, char **argv)
{
    limn_train_options o = limn_train_options_default();
    limn_train_arguments saved = { 0 };
    limn_cli_operands operands;
    limn_error err = { 0 };
    int code;
    if (!limn_cli_parse(&operands, &o, &limn_train_tool, argc, argv, &code))
        return code;
    limn_message_init(limn_train_tool.name, limn_verbosity_of(o.is_quiet, o.is_verbose));
    if (o.resume) {
        const limn_train_options given = o;
        if (limn_train_arguments_read(&saved, o.resume, &err) != LIMN_OK)
            return failed(&err);
        o = limn_train_options_default();
        if (!limn_cli_parse(&operands, &o, &limn_train_tool, saved.argc, saved.argv, &code))
            return code;
        o.resume = saved.run;
        o.n_threads = given.n_threads;
        limn_message_init(limn_train_tool.name,
                          limn_verbosity_of(given.is_quiet, given.is_verbose));
    }
    code = run(&o, argc, argv);
    limn_cli_finish(&o, &limn_train_tool);
    limn_train_arguments_finish(&saved);
    return code;
}
