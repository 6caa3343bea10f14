/* Inside of a limn_state: what captioner.h keeps opaque. Only the sources of models/ that act on
 * states include this. */
#ifndef LIMN_MODELS_CAPTIONER_STATE_H
#define LIMN_MODELS_CAPTIONER_STATE_H

#include "common/base/arena.h"
#include "common/image/resize.h"
#include "decoder/beam.h"
#include "models/captioner_model.h"
#include "models/trace.h"

struct limn_state {
    const limn_model *model;
    limn_options options; /* banned_words is not kept: `banned` holds them */
    limn_pool *pool;      /* NULL for one thread */
    limn_arena arena;
    limn_encoder_state *encoder;
    limn_decoder_state *decoder;
    limn_beam *beam;
    limn_resize_scratch resize;
    uint32_t *banned;    /* [options.n_banned_words] */
    float *features;     /* [n_positions, dim] */
    uint8_t *input;      /* [input_size, input_size, 3] */
    limn_caption *items; /* [n_best] */
    char *texts;         /* [n_best, max_text] */
    char *raw_text;      /* [max_text] of the caption that becomes a sentence */
    limn_trace *trace;   /* NULL unless the search is kept */
    const limn_prediction **predictions; /* [n_best, max_steps], with `trace` */
    limn_captions captions;
};

#endif
