/* Settings of a training run: its images and captions, words, model and stages. Paths and texts are
 * borrowed by whatever gets these settings. */
#ifndef LIMN_MODELS_TRAIN_TRAINING_SETTINGS_H
#define LIMN_MODELS_TRAIN_TRAINING_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/train/stage.h"

enum { LIMN_TRAINING_MAX_STAGES = 4 };

/* Images with captions; NULL where there are none (a text stage alone). */
typedef struct limn_training_images {
    const char *images;                /* folder */
    const char *captions;              /* file or folder */
    const char *train_list, *dev_list; /* files of names; NULL: by split, or by `dev_share` */
    const char *features;              /* cache of limn-preprocess; NULL: computed */
    float dev_share;                   /* of images that are split by their names */
    bool keep_rejected;                /* captions marked as unfit too, also of the texts below */
} limn_training_images;

/* Images without captions, and captions without images. */
typedef struct limn_training_unpaired {
    const char *images;       /* folder; NULL: none */
    const char *objects;      /* file of what a detector sees in them */
    const char *text;         /* file of captions */
    const char *reward_text;  /* file of captions that only the reward's frequencies count */
    float share;              /* of such images in a batch, 0 … 0.95 */
    uint32_t n_self_training; /* captions kept by the starting model's rating; 0: all */
} limn_training_unpaired;

/* What becomes of the starting model's words. */
typedef enum limn_training_words_mode {
    LIMN_WORDS_KEEP = 0, /* new words are unknown */
    LIMN_WORDS_EXTEND,   /* new words are added after the old ones */
    LIMN_WORDS_REPLACE,  /* the words of the captions alone */
} limn_training_words_mode;

typedef struct limn_training_words {
    const char *file;   /* a vocabulary; NULL: made from the captions */
    unsigned mode;      /* limn_training_words_mode */
    unsigned tokenizer; /* limn_token_kind of a new vocabulary */
    uint32_t min_count; /* of a word that becomes a token */
    uint32_t max_words; /* longer captions are left out */
} limn_training_words;

/* One of `encoder` and `init` is given. */
typedef struct limn_training_model {
    const char *encoder; /* file of an encoder, for a new decoder */
    const char *init;    /* file of a whole model */
    uint32_t n_layers, dim, n_heads;
    uint32_t feed_forward; /* 0: 4 * dim */
    uint32_t n_tag_slots;  /* 0: none, or those that `init` has */
    bool is_f32;           /* matrices are written in 32 bits, not 16 */
} limn_training_model;

typedef struct limn_training_settings {
    limn_training_images images;
    limn_training_unpaired unpaired;
    limn_training_words words;
    limn_training_model model;
    unsigned stage;            /* 0: features, end-to-end and reward; else limn_stage + 1 */
    limn_stage_settings given; /* overrides of the stages' defaults (stage.h) */
    const char *cache;         /* folder of caches; NULL: in the run's folder */
    uint32_t n_eval_epochs;    /* epochs between development scores */
    uint64_t checkpoint_steps; /* 0: by time */
    uint64_t seed;             /* of all random numbers */
    uint32_t n_threads;
} limn_training_settings;

/* Without any file, in one thread. */
limn_training_settings limn_training_settings_default(void);

/* The stages in their order, with what they run with; returns how many. */
size_t limn_training_stages(limn_stage_settings stages[LIMN_TRAINING_MAX_STAGES],
                            const limn_training_settings *settings);

#endif
