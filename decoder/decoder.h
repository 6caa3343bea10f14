/* The decoder: a transformer (Vaswani 2017) that writes a caption token by token, attending to
 * features. What it computes is given by its layout (decoder_layout.h).
 *
 * It may also read tags of the image: each tag slot is a row of the memory, after those of the
 * features and before the norm:
 *
 *     tag_embedding[tag] + probability · tag_probability                     [n_tag_slots, width]
 *
 * A limn_decoder is immutable and may be shared by threads; a limn_decoder_state is a worker's
 * memory for one image: its caches, and scratch memory that states of several images may share, to
 * be decoded together. A row is one hypothesis; its results depend only on its own past and the
 * image, not on other rows. */
#ifndef LIMN_DECODER_DECODER_H
#define LIMN_DECODER_DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/base/status.h"
#include "common/io/safetensors.h"
#include "common/kernels/kernels.h"
#include "decoder/decoder_layout.h"
#include "decoder/tokenizers/specials.h"

typedef struct limn_decoder_config {
    uint32_t n_layers;           /* 1 … 64 */
    uint32_t dim;                /* multiple of 16 and of n_heads; 16 … 4096 */
    uint32_t n_heads;            /* 1 … 64; dim / n_heads is a multiple of 8 */
    uint32_t feed_forward_dim;   /* multiple of 16; 16 … 16384 */
    uint32_t max_positions;      /* longest caption with its start token; 2 … 1024 */
    uint32_t n_tokens;           /* vocabulary size; 5 … LIMN_VOCAB_MAX_TOKENS */
    uint32_t n_memory_positions; /* encoder positions; 1 … 4096 */
    uint32_t n_class_positions;  /* the first of them, which have no place in the image; fewer */
    uint32_t memory_dim;         /* encoder features; 1 … 16384 */
    uint32_t n_tag_slots;        /* number of tag slots; 0 … LIMN_MAX_TAG_SLOTS */
    uint32_t n_tags;             /* number of tags; n_tag_slots … 10000, 0 without slots */
    limn_decoder_layout layout;
    limn_specials specials; /* of the vocabulary, which it borrows from */
} limn_decoder_config;

/* Whether all fields are equal; special tokens are compared by value. */
bool limn_decoder_configs_equal(const limn_decoder_config *a, const limn_decoder_config *b);

/* A tag that an image shows, and its probability, for a decoder with tag slots. */
typedef struct limn_tag_slot {
    uint32_t tag; /* below n_tags */
    float probability;
} limn_tag_slot;

enum { LIMN_MAX_TAG_SLOTS = 32, LIMN_DECODER_MAX_POSITIONS = 1024 };

/* Rows of the memory: n_memory_positions + n_tag_slots. */
size_t limn_decoder_n_memory_rows(const limn_decoder_config *config);
/* Memory positions that are places in the image: all but the class positions. */
size_t limn_decoder_n_places(const limn_decoder_config *config);
/* Floats of a memory row: dim, or memory_dim where the layout does not project it. */
size_t limn_decoder_memory_width(const limn_decoder_config *config);
/* The factor applied to token embeddings. */
float limn_decoder_embedding_scale(const limn_decoder_config *config);
/* Fills the slots [n_tag_slots] for the unconditional pass, whose features are zero: the tags 0, 1,
 * 2 … with probability 0. */
void limn_decoder_unconditional_slots(limn_tag_slot *slots, const limn_decoder_config *config);

typedef struct limn_decoder limn_decoder;
typedef struct limn_decoder_state limn_decoder_state;

/* Builds a decoder from the tensors of `file` whose names begin with "decoder."
 * (models/FORMAT.md), packed into memory of its own; f16 tensors stay f16. `kernels` is borrowed
 * until the decoder is closed. Errors as limn_encoder_open, and the same of a header alone. */
limn_status limn_decoder_open(limn_decoder **out, const limn_safetensors *file,
                              const limn_decoder_config *config, const limn_kernels *kernels,
                              limn_error *err);
/* Takes new weights of the same configuration (from training, limn_params_open), about as fast as
 * opening. States of `d` stay valid but must be idle; call limn_decoder_begin before the next
 * step. Errors as limn_decoder_open; on error the old weights are kept. */
limn_status limn_decoder_reload(limn_decoder *d, const limn_safetensors *file, limn_error *err);
void limn_decoder_close(limn_decoder **d); /* accepts NULL and *d == NULL; nulls it */
const limn_decoder_config *limn_decoder_get_config(const limn_decoder *d);
size_t limn_decoder_weight_bytes(const limn_decoder *d);

/* All memory of one worker for up to max_rows hypotheses (1 … 256) of an image and max_steps steps
 * (1 … max_positions). `d` must outlive it. LIMN_E_ARG, LIMN_E_NOMEM. */
limn_status limn_decoder_state_create(limn_decoder_state **out, const limn_decoder *d,
                                      size_t max_rows, size_t max_steps, limn_error *err);
/* The same worker's memory for another image, as large as that of `with`, whose scratch memory it
 * shares and enlarges: the two can be in one limn_decoder_step_together. Either may be destroyed
 * first. LIMN_E_NOMEM. */
limn_status limn_decoder_state_join(limn_decoder_state **out, const limn_decoder_state *with,
                                    limn_error *err);
void limn_decoder_state_destroy(limn_decoder_state **s); /* accepts NULL and *s == NULL */
size_t limn_decoder_state_bytes(const limn_decoder *d, size_t max_rows, size_t max_steps);
/* Those that each state which joins adds. */
size_t limn_decoder_joined_bytes(const limn_decoder *d, size_t max_rows, size_t max_steps);

/* Starts an image: computes the keys and values of the memory in every layer from features
 * [n_memory_positions, memory_dim] and `slots` [n_tag_slots] (NULL: those of the unconditional
 * pass; ignored without slots) and empties the caches. Allocates nothing. `pool` may be NULL; the
 * result is the same bits for any pool (also in limn_decoder_step). */
void limn_decoder_begin(limn_decoder_state *s, limn_pool *pool, const float *features,
                        const limn_tag_slot *slots);

/* Empties the caches to start again with the same image, for at most max_steps steps. */
void limn_decoder_rewind(limn_decoder_state *s);

/* One more token for each of n_rows hypotheses, 1 … max_rows. Row i continues row parents[i] of
 * the step before (ignored at the first step) with token tokens[i] (the start token first).
 * Writes logits [n_rows, n_tokens]. At most max_steps calls after each limn_decoder_begin.
 * Allocates nothing. Reordering copies no cache rows: a hypothesis is a list of indices. */
void limn_decoder_step(limn_decoder_state *s, limn_pool *pool, size_t n_rows,
                       const uint32_t *parents, const uint32_t *tokens, float *logits);

/* Rows of one image in a step of several. */
typedef struct limn_decoder_turn {
    limn_decoder_state *state;
    size_t n_rows;                    /* 1 … max_rows */
    const uint32_t *parents, *tokens; /* [n_rows] as in limn_decoder_step */
} limn_decoder_turn;

/* A step of each of n_turns >= 1 images, whose states have joined one another; no state is there
 * twice, and they may have come to different steps. Writes logits [rows of all turns, n_tokens] in
 * the order of the turns: the bits of limn_decoder_step for each, but weights are read once for
 * all. */
void limn_decoder_step_together(limn_pool *pool, const limn_decoder_turn *turns, size_t n_turns,
                                float *logits);

/* ---- attention -------------------------------------------------------------------------- */

/* Floats of one row's attention: n_layers * n_heads * n_places. */
size_t limn_decoder_attention_dim(const limn_decoder *d);

/* Only attention to places in the image is returned, and it is not renormalised: attention to class
 * positions, to tag slots, and in layouts with a prefix to the caption's tokens, is dropped, so a
 * row may sum to less than 1.
 *
 * Attention is not kept unless asked for, and then costs a copy of the probabilities; logits
 * are the same bits. From the next step on, steps write it to `attention` [max_steps, max_rows,
 * attention_dim], which must live as long as it is read; NULL: stop keeping it. */
void limn_decoder_keep_attention(limn_decoder_state *s, float *attention);

/* Attention of row `row` of step `step` (0 is the first): [n_layers, n_heads, n_places]; each
 * [n_places] sums to 1, less what was dropped. NULL while none is kept. Nothing is moved when
 * hypotheses are reordered: a hypothesis is the list of its rows. */
const float *limn_decoder_attention(const limn_decoder_state *s, size_t step, size_t row);

/* The row of step `step` that row `row` of the latest step comes from; `row` at the latest step. */
uint32_t limn_decoder_past_row(const limn_decoder_state *s, size_t step, size_t row);

/* max + log(sum of exp(logits - max)) of logits [n_tokens]: logits minus this are
 * log-probabilities. */
float limn_decoder_log_sum_exp(const limn_decoder *d, const float *logits);

#endif
