/* Internals of a limn_state, which captioner.h keeps opaque. Only the sources of models/ that act
 * on states include this. */
#ifndef LIMN_MODELS_CAPTIONER_STATE_H
#define LIMN_MODELS_CAPTIONER_STATE_H

#include "common/base/arena.h"
#include "common/image/resize.h"
#include "models/captioner_model.h"
#include "models/caption_search.h"
#include "models/forward.h"
#include "models/signals.h"
#include "models/trace.h"

struct limn_state {
    const limn_model *model;
    limn_options options; /* its texts are not kept: `decoding` has what they say */
    limn_pool *pool;      /* NULL for one thread */
    limn_arena arena;
    limn_forward *forward;
    limn_decoding *decoding;
    limn_caption_search *search;
    float *outputs; /* [max_rows, n_tokens] of the model, for the search */
    limn_resize_scratch resize;
    uint8_t *input; /* [input_bytes] */
    uint8_t *dense; /* [dense_capacity] pixels passed by the caller, as RGB rows */
    size_t dense_capacity;
    uint32_t n_steps;                    /* of the search so far */
    limn_caption *items;                 /* [n_best] */
    char *texts;                         /* [n_best, max_text] */
    uint32_t *ids;                       /* of a prompt and the caption after it */
    char *raw_text;                      /* [max_text] of the caption that becomes a sentence */
    limn_trace *trace;                   /* NULL unless the search is kept */
    const limn_prediction **predictions; /* [n_best, max_steps], with `trace` */
    limn_tagger_scratch *tagging;        /* this and the next: NULL unless tags are needed */
    float *tag_probabilities;            /* [all tags] */
    limn_signals *signals;               /* NULL unless confidence is asked for */
    float *signal_values;                /* [n_best, LIMN_N_SIGNALS] */
    limn_tag *tags;                      /* [options.n_tags] */
    limn_captions captions;
};

#endif
