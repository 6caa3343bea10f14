/* Records a search, step by step, as a limn_search of captioner.h. One per worker. */
#ifndef LIMN_MODELS_TRACE_H
#define LIMN_MODELS_TRACE_H

#include "common/base/arena.h"
#include "decoder/decoder.h"
#include "models/captioner.h"

typedef struct limn_trace_settings {
    size_t max_rows, max_steps; /* of the decoder state */
    size_t n_tokens;
    size_t n_alternatives; /* at most n_tokens */
    size_t attention_dim;  /* limn_decoder_attention_dim(); 0: attention is not kept */
} limn_trace_settings;

typedef struct limn_trace limn_trace;

/* Takes all memory from `arena`. NULL when the arena is counting or has failed. */
limn_trace *limn_trace_plan(limn_arena *arena, const limn_trace_settings *settings);

/* From now on, keeps the attention of `decoder` in the trace, if the settings ask for it. */
void limn_trace_attach(limn_trace *trace, limn_decoder_state *decoder);

void limn_trace_begin(limn_trace *trace); /* forgets the search before */

/* After a step of the decoder: log_probs [n_rows, n_tokens] are those of the step, before any
 * option changes them. `parents` and `tokens` as in limn_decoder_step. */
void limn_trace_step(limn_trace *trace, size_t n_rows, const uint32_t *parents,
                     const uint32_t *tokens, const float *log_probs);

/* Valid until the next limn_trace_begin. */
const limn_search *limn_trace_search(const limn_trace *trace);
/* out [n_tokens]: of a hypothesis by its rows [n_tokens], as limn_hypothesis has them. */
void limn_trace_predictions(const limn_prediction **out, const limn_trace *trace,
                            const uint32_t *rows, size_t n_tokens);

#endif
