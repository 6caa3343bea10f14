/* An image on its way through a state: from its features, step by step, to its captions. */
#ifndef LIMN_MODELS_LANE_H
#define LIMN_MODELS_LANE_H

#include "models/captioner_state.h"

/* Zero-initialise. Lane `number` of `state`, whose forward has lanes up to that one; the first of
 * them all is lane 0. LIMN_E_NOMEM. */
limn_status limn_lane_init(limn_lane *lane, limn_state *state, size_t number, limn_error *err);
void limn_lane_finish(limn_lane *lane); /* accepts a zeroed one */
/* Bytes that each lane of a state after the first takes, those of the forward included. */
size_t limn_lane_bytes(const limn_state *state);

/* Begins an image: encodes it, and everything that comes before the first step of its search.
 * LIMN_E_ARG: no caption can meet the options, or there is neither input nor features;
 * LIMN_E_INTERRUPTED: the program said stop. */
limn_status limn_lane_begin(limn_lane *lane, const limn_source_image *image, limn_error *err);
/* Tells the program's progress callback of the next step; false: stop. */
bool limn_lane_goes_on(limn_lane *lane);
bool limn_lane_is_over(const limn_lane *lane); /* the search is */
/* What the decoders are to run in the step that limn_lane_goes_on told of. */
limn_search_rows limn_lane_rows(const limn_lane *lane);
/* Takes what they gave for those rows [n_rows, n_tokens], and may change it. */
void limn_lane_take(limn_lane *lane, float *outputs);
/* The captions, once the search is over; they belong to the state and are valid until the next
 * image ends or this lane begins one. LIMN_E_ARG: none can meet the options; LIMN_E_NOMEM. */
limn_status limn_lane_end(limn_lane *lane, const limn_captions **out, limn_error *err);

#endif
