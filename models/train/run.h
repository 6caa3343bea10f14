/* The run of one stage: step by step, with a log, checkpoints and development scores, so that a run
 * that is killed resumes bit for bit. What is random is a function of the step (batches.h,
 * trainer.h), so a checkpoint needs no more than weights, optimizer, step and best score. */
#ifndef LIMN_MODELS_TRAIN_RUN_H
#define LIMN_MODELS_TRAIN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "models/train/batches.h"
#include "models/train/dev_score.h"
#include "models/train/model_export.h"
#include "models/train/run_folder.h"
#include "models/train/trainer.h"

/* Fills the input of a batch; what it points to stays valid until the next call. */
typedef limn_status limn_run_input_fn(void *ctx, const limn_batch *batch, limn_trainer_input *input,
                                      limn_error *err);

/* The progress of a run. */
typedef struct limn_run_report {
    uint64_t step, n_steps; /* of the stage; steps done */
    double epoch, n_epochs;
    double loss;              /* per token, mean since the last line of the log */
    double tokens_per_second; /* since the last line of the log */
    double best;              /* best development CIDEr so far; negative before the first */
    bool has_new_log;         /* a line was written to the log */
} limn_run_report;

/* Called after each step. False asks to stop: a checkpoint is written and the run ends with
 * LIMN_E_INTERRUPTED. */
typedef bool limn_run_report_fn(void *ctx, const limn_run_report *report);

typedef struct limn_run_settings {
    limn_stage stage;
    size_t stage_index;        /* its place among the stages of the whole run, from 0 */
    uint64_t first_step;       /* steps of the stages before, for the log */
    uint64_t n_steps;          /* of this stage */
    uint64_t log_steps;        /* steps between lines of the log; also at the end of epochs */
    uint64_t checkpoint_steps; /* steps between checkpoints; also at the end of epochs; 0: by time,
                                * every five minutes */
    size_t n_eval_epochs;      /* epochs between development scores; also at the end; >= 1 */
    const char *fingerprint;   /* of data and settings: a checkpoint with another one is refused */
} limn_run_settings;

/* What a run works with; all is borrowed. */
typedef struct limn_run_parts {
    limn_run_folder *folder;
    limn_trainer *trainer;
    limn_batches *batches;
    limn_run_input_fn *input;
    void *input_ctx;
    limn_dev_set *dev;                 /* NULL: no scores, and the last model is the best */
    const char *const *dev_names;      /* [as dev] for the samples of the log */
    const char *const *dev_references; /* [as dev, two an image], the second may be NULL */
    size_t n_dev;
    const limn_model_export *model; /* how models are written; params and values are set here */
    limn_pool *pool;
    limn_run_report_fn *report; /* may be NULL */
    void *report_ctx;
} limn_run_parts;

/* Where a run resumes: the newest checkpoint that can be read. */
typedef struct limn_run_position {
    size_t stage_index;
    uint64_t step;      /* steps of the stage that are done */
    uint64_t file_step; /* number of the checkpoint; LIMN_RUN_NO_CHECKPOINT when there is none */
    double best;        /* development CIDEr; negative without */
    uint64_t best_step; /* counted over all stages */
    double seconds;     /* since the start */
} limn_run_position;

#define LIMN_RUN_NO_CHECKPOINT UINT64_MAX

enum { LIMN_RUN_N_SAMPLES = 8 };

/* The numbers of the development images, of n_dev, whose captions are logged; returns how many. */
size_t limn_run_samples(size_t out[LIMN_RUN_N_SAMPLES], size_t n_dev);

/* Finds the newest checkpoint whose state can be read and trims the log to it; with none, the run
 * starts over. `n_unreadable` (may be NULL): checkpoints that were skipped. LIMN_E_ARG when it
 * belongs to other data or settings than `fingerprint`. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_run_find(limn_run_position *out, size_t *n_unreadable, limn_run_folder *folder,
                          const char *fingerprint, limn_error *err);

/* Runs a stage from `position` (of this stage; its checkpoint is loaded if it has one) to its end,
 * and leaves the best model, of this and the stages before, as best.safetensors in the folder.
 * `*position` is then at the end of the stage. Errors of the parts; LIMN_E_INTERRUPTED. */
limn_status limn_run_stage(const limn_run_settings *settings, const limn_run_parts *parts,
                           limn_run_position *position, limn_error *err);

#endif
