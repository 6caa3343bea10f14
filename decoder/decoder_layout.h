/* What a decoder computes, as data: the order of its layers' parts, its arithmetic, and where the
 * image comes in. transformer.c runs any of these, decoder_tensors.c knows the tensors that each
 * one has, and decoder_grad.c trains limn's own.
 *
 *     memory  M = features                                  [n_positions, memory_dim]
 *             M = M · Wᵀ + b              if has_memory_projection, then [n_positions, dim]
 *             M = M + memory positions    if has_memory_positions
 *             M = LN(M)                   if has_memory_norm
 *     tokens  x = embedding[t] * (scales_embedding ? sqrt(dim) : 1) + position[i + first_position]
 *             x = LN(x)                   if has_embedding_norm
 *             x = 0                       where t is zero_token
 *     a part  x = x + part(LN(x))         norm before;  x = LN(x + part(x)) after
 *     layer   self-attention, cross-attention to the memory (LIMN_MEMORY_CROSS), feed-forward
 *             down(activation(up(x)))
 *     output  x = LN(x)                   if has_final_norm
 *             x = LN(activation(W · x + b)) if has_head_transform
 *             logits = x · Eᵀ + b         E the token embedding if is_tied, b if has_output_bias
 *
 * LIMN_MEMORY_PREFIX: the memory's rows are rows of the sequence, before the tokens. They go
 * through the same layers, see one another and no token; tokens see them and the tokens up to
 * themselves. Positions count from the first token. Attention is softmax(q · k / sqrt(head_dim))
 * in every layout. */
#ifndef LIMN_DECODER_DECODER_LAYOUT_H
#define LIMN_DECODER_DECODER_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/kernels/kernels.h"
#include "decoder/tokenizers/specials.h"

typedef enum limn_norm_position { LIMN_NORM_BEFORE = 0, LIMN_NORM_AFTER } limn_norm_position;
/* The last activation that a layout may have; those after it need a residual. */
enum { LIMN_LAYOUT_LAST_ACTIVATION = LIMN_ACT_QUICK_GELU };
typedef enum limn_memory_kind { LIMN_MEMORY_CROSS = 0, LIMN_MEMORY_PREFIX } limn_memory_kind;

typedef struct limn_decoder_layout {
    const char *name; /* of the known layout that this is or derives from; static */
    limn_norm_position norm_position;
    limn_memory_kind memory;
    limn_activation activation, head_activation;
    /* added to variances: in layers and the final norm; of embedding, memory, head transform */
    float eps, embedding_eps, memory_eps, head_eps;
    bool scales_embedding, has_embedding_norm;
    uint32_t first_position; /* row of the position embedding that the first token takes */
    uint32_t zero_token;     /* whose row is zero when it is read; LIMN_NO_TOKEN: none */
    bool has_memory_projection, has_memory_positions, has_memory_norm;
    bool has_biases; /* in memory projection, layers and head transform */
    bool has_final_norm, has_head_transform, is_tied, has_output_bias;
} limn_decoder_layout;

/* limn's own: pre-norm with cross-attention, as trained here. For initialisers. */
#define LIMN_LAYOUT_LIMN                                                                      \
    {                                                                                         \
        .name = "limn", .activation = LIMN_ACT_GELU, .head_activation = LIMN_ACT_GELU,        \
        .eps = 1e-5f, .embedding_eps = 1e-5f, .memory_eps = 1e-5f, .head_eps = 1e-5f,         \
        .scales_embedding = true, .zero_token = LIMN_NO_TOKEN, .has_memory_projection = true, \
        .has_memory_positions = true, .has_memory_norm = true, .has_biases = true,            \
        .has_final_norm = true, .is_tied = true                                               \
    }

/* A layout by its name: "limn"; "blip" (BERT, post-norm, with cross-attention and a head
 * transform); "gpt2" (pre-norm with cross-attention); "git" (BERT with the image as a prefix);
 * "virtex" (post-norm, projected memory). LIMN_E_UNSUPPORTED lists those that are known. */
limn_status limn_decoder_layout_find(limn_decoder_layout *out, const char *name, limn_error *err);
/* Names, NULL after the last. */
extern const char *const limn_decoder_layout_names[];

bool limn_decoder_layouts_equal(const limn_decoder_layout *a, const limn_decoder_layout *b);
/* LIMN_E_LIMIT names the field that is out of its bounds: an eps that is not in 1e-14 … 0.1, an
 * activation that there is not. */
limn_status limn_decoder_layout_check(const limn_decoder_layout *layout, limn_error *err);
/* LIMN_E_UNSUPPORTED names a layout whose gradients decoder_grad.c does not have. */
limn_status limn_decoder_layout_check_trainable(const limn_decoder_layout *layout, limn_error *err);

#endif
