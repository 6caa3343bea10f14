/* limn-train: trains a captioner on images and captions. */
#include <unistd.h>

#include "models/train/training.h"
#include "tools/caption_input.h"
#include "tools/interrupt.h"
#include "tools/message.h"
#include "tools/standard_streams.h"
#include "tools/tool_hooks.h"
#include "tools/train/train_arguments.h"
#include "tools/train/train_decoding.h"
#include "tools/train/train_messages.h"
#include "tools/train/train_options.h"
#include "tools/train/train_plan.h"

static int exit_code(limn_status status, const limn_error *err, const limn_train_options *o)
{
    if (status == LIMN_OK) return LIMN_EXIT_OK;
    if (status == LIMN_E_INTERRUPTED) {
        limn_message_error("interrupted; limn-train --resume %s continues the run",
                           o->resume ? o->resume : o->run);
        return LIMN_EXIT_INTERRUPTED;
    }
    return limn_cli_failed(err);
}

/* The folder of a new run, which then holds how it was started, or of one that goes on. */
static limn_status open_folder(limn_run_folder **out, const limn_train_options *o, int argc,
                               char **argv, limn_error *err)
{
    if (o->resume) return limn_run_folder_open(out, o->resume, err);
    if (o->output && access(o->output, F_OK) == 0)
        return limn_fail(err, LIMN_E_ARG, "%s: already exists", o->output);
    LIMN_TRY(limn_run_folder_create(out, o->run, err));
    return limn_train_arguments_write(limn_run_folder_file(*out, "run.json"), argc, argv, err);
}

/* Before there is a folder: what is wrong with the data can be mended. */
static limn_status read_data(limn_training_data *data, const limn_training_settings *settings,
                             const limn_training_listener *listener, limn_error *err)
{
    const limn_caption_reading how = { .keep_rejected = settings->images.keep_rejected };
    limn_caption_file captions = { .n_records = 0 };
    if (settings->images.captions)
        LIMN_TRY(limn_caption_input_read(&captions, settings->images.captions, &how, err));
    return limn_training_data_read(data, settings, &captions, listener, err);
}

static limn_status train(limn_training_data *data, limn_train_messages *messages,
                         const char *output, limn_pool *pool, limn_error *err)
{
    LIMN_TRY(limn_training_run(data, messages->folder, output, pool, err));
    return limn_train_messages_write_page(messages, err); /* that the run is at its end */
}

static limn_status print_plan(limn_training_data *data, limn_pool *pool, limn_error *err)
{
    LIMN_TRY(limn_train_plan_print(data, pool, err));
    return limn_standard_output_flush(err);
}

static limn_status run(const limn_train_options *o, int argc, char **argv, limn_error *err)
{
    limn_training_data data = { .settings = &o->training };
    limn_train_messages messages = { .data = &data };
    const limn_training_listener listener = limn_train_messages_listener(&messages);
    const limn_annotate_hooks hooks = limn_tool_hooks(NULL, NULL);
    limn_pool *pool = NULL;
    limn_decoders *decoders = NULL;
    limn_status status = limn_decoders_start(&decoders, o->sandbox, o->training.n_threads, 0,
                                             &hooks, err); /* one thread yet */
    if (status == LIMN_OK) status = limn_pool_create(&pool, o->training.n_threads, err);
    if (status == LIMN_OK) status = read_data(&data, &o->training, &listener, err);
    data.load = limn_train_decode;
    data.load_ctx = decoders;
    if (status == LIMN_OK && o->is_plan)
        status = print_plan(&data, pool, err);
    else if (status == LIMN_OK)
        status = open_folder(&messages.folder, o, argc, argv, err);
    if (status == LIMN_OK && messages.folder)
        status = train(&data, &messages, o->output, pool, err);
    limn_run_folder_close(&messages.folder);
    limn_training_data_finish(&data);
    limn_pool_destroy(&pool);
    limn_decoders_stop(&decoders);
    return status;
}

/* Replaces `o` by what the run in o->resume was started with. False with *code. */
static bool take_saved(limn_train_options *o, limn_train_arguments *saved, int *code)
{
    const limn_train_options given = *o;
    limn_cli_operands operands;
    limn_error err = { 0 };
    const limn_status status = limn_train_arguments_read(saved, o->resume, &err);
    if (status != LIMN_OK) {
        *code = exit_code(status, &err, o);
        return false;
    }
    *o = limn_train_options_default();
    if (!limn_cli_parse(&operands, o, limn_train_tool(), saved->argc, saved->argv, code))
        return false;
    o->resume = saved->run;
    o->training.n_threads = given.training.n_threads;
    limn_message_init(limn_train_tool()->name, limn_verbosity_of(given.is_quiet, given.is_verbose));
    return true;
}

int main(int argc, char **argv)
{
    limn_train_options o = limn_train_options_default();
    limn_train_arguments saved = { 0 };
    limn_cli_operands operands;
    limn_error err = { 0 };
    int code = LIMN_EXIT_USAGE;
    limn_standard_streams_secure();
    if (!limn_cli_parse(&operands, &o, limn_train_tool(), argc, argv, &code)) return code;
    limn_message_init(limn_train_tool()->name, limn_verbosity_of(o.is_quiet, o.is_verbose));
    if ((!o.resume || take_saved(&o, &saved, &code)) && limn_train_options_check(&o)) {
        const limn_status status =
            limn_interrupt_start() ? run(&o, argc, argv, &err)
                                   : limn_fail(&err, LIMN_E_IO, "can't install signal handlers");
        code = exit_code(status, &err, &o);
    }
    limn_cli_finish(&o, limn_train_tool());
    limn_train_arguments_finish(&saved);
    return code;
}
