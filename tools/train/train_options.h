/* The command line of limn-train, and what it means for each stage. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_OPTIONS_H
#define LIMN_TOOLS_TRAIN_TRAIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/train/trainer.h"
#include "tools/cli.h"

enum { LIMN_TRAIN_MAX_STAGES = 4 };

enum { LIMN_VOCAB_KEEP = 0, LIMN_VOCAB_EXTEND, LIMN_VOCAB_REPLACE }; /* vocab_mode */

/* Numbers that are NAN or 0 (counts) were not given: the stage decides. */
typedef struct limn_train_options {
    const char *images, *captions, *train_list, *dev_list, *features;
    const char *unpaired_images, *objects, *text;
    const char *encoder, *init, *vocab_file;
    const char *run, *resume, *output, *cache;
    float dev_share, unpaired_share;
    unsigned vocab_mode, stage, tokenizer; /* stage: 0 = all, else limn_stage + 1 */
    uint32_t min_count, max_words;
    uint32_t n_layers, dim, n_heads, feed_forward, n_tag_slots;
    uint32_t n_epochs, n_pictures, n_views, unfreeze, n_samples, n_eval_epochs;
    uint32_t n_self_training;
    uint64_t checkpoint_steps, seed;
    float rate, encoder_rate, dropout, feature_dropout, picture_dropout, label_smoothing;
    float weight_decay, cross_entropy_share, object_cost;
    uint32_t n_threads;
    bool keep_rejected, is_plan, is_f32, is_quiet, is_verbose;
} limn_train_options;

extern const limn_cli_tool limn_train_tool;

limn_train_options limn_train_options_default(void);

/* What a stage runs with, defaults filled in. */
typedef struct limn_train_stage {
    limn_stage stage;
    uint32_t n_epochs, n_pictures, n_views, n_samples;
    size_t unfreeze; /* encoder stages trained, from the head down */
    float rate, encoder_rate, dropout, feature_dropout, picture_dropout, label_smoothing;
    float weight_decay;
    float cross_entropy_share; /* of the reward stage's loss */
    float object_cost;         /* in its reward */
} limn_train_stage;

/* The stages of a run in their order; returns how many. */
size_t limn_train_stages(limn_train_stage stages[LIMN_TRAIN_MAX_STAGES],
                         const limn_train_options *options);

/* Options that contradict each other or lack a companion: prints what to do,
 * and returns false. */
bool limn_train_options_check(const limn_train_options *options);

#endif
