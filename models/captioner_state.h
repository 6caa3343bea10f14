/* Internals of a limn_state, which captioner.h keeps opaque. Only the sources of models/ that act
 * on states include this. */
#ifndef LIMN_MODELS_CAPTIONER_STATE_H
#define LIMN_MODELS_CAPTIONER_STATE_H

#include "common/base/arena.h"
#include "common/image/resize.h"
#include "models/caption_search.h"
#include "models/captioner_model.h"
#include "models/forward.h"
#include "models/signals.h"
#include "models/trace.h"

/* What a state has for each image that it decodes at a time: its search, its lane of the decoders,
 * and what is kept of both for its captions. */
typedef struct limn_lane {
    limn_state *state;
    size_t number; /* in limn_forward */
    limn_arena arena;
    limn_caption_search *search;
    limn_trace *trace;        /* NULL unless the search is kept */
    float *tag_probabilities; /* [all tags] of the image; NULL unless tags are needed */
    uint32_t n_steps;         /* that progress was told of: the encoder, then the search */
    bool is_busy;             /* with `image`, as its source calls it */
    void *image;
} limn_lane;

struct limn_state {
    const limn_model *model;
    limn_options options; /* its texts are not kept: `decoding` has what they say */
    limn_pool *pool;      /* NULL for one thread */
    limn_arena arena;
    limn_forward *forward;
    limn_decoding *decoding;
    limn_lane lanes[LIMN_MAX_LANES];
    size_t n_lanes, max_lanes;   /* made as images come together; 1 … max_lanes */
    bool keeps_search, has_tags; /* what lanes keep */
    limn_resize_scratch resize;
    uint8_t *input; /* [input_bytes] */
    uint8_t *dense; /* [dense_capacity] pixels passed by the caller, as RGB rows */
    size_t dense_capacity;
    limn_caption *items;                 /* [n_best] */
    char *texts;                         /* [n_best, max_text] */
    uint32_t *ids;                       /* of a prompt and the caption after it */
    char *raw_text;                      /* [max_text] of the caption that becomes a sentence */
    const limn_prediction **predictions; /* [n_best, max_steps], where the search is kept */
    limn_tagger_scratch *tagging;        /* NULL unless tags are needed */
    limn_signals *signals;               /* NULL unless confidence is asked for */
    float *signal_values;                /* [n_best, LIMN_N_SIGNALS] */
    limn_tag *tags;                      /* [options.n_tags] */
    limn_captions captions;
};

/* What its forward is made for. */
limn_forward_settings limn_state_forward_settings(const limn_state *s);
/* Makes the next lane. LIMN_E_NOMEM leaves those that are there. */
limn_status limn_state_add_lane(limn_state *s, limn_error *err);

#endif
