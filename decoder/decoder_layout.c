#include "decoder/decoder_layout.h"

#include <stdio.h>
#include <string.h>

/* BERT's layers: post-norm, no scale, an embedding norm, biases, no final norm. */
#define BERT                                                                                       \
    .norm_position = LIMN_NORM_AFTER, .activation = LIMN_ACT_GELU,                                 \
    .head_activation = LIMN_ACT_GELU, .eps = 1e-12f, .embedding_eps = 1e-12f, .memory_eps = 1e-5f, \
    .head_eps = 1e-12f, .has_embedding_norm = true, .zero_token = LIMN_NO_TOKEN,                   \
    .has_biases = true, .has_output_bias = true

static const limn_decoder_layout layouts[] = {
    LIMN_LAYOUT_LIMN,
    { .name = "blip", BERT, .has_head_transform = true, .is_tied = true },
    { .name = "gpt2",
      .activation = LIMN_ACT_GELU_TANH,
      .head_activation = LIMN_ACT_GELU,
      .eps = 1e-5f,
      .embedding_eps = 1e-5f,
      .memory_eps = 1e-5f,
      .head_eps = 1e-5f,
      .zero_token = LIMN_NO_TOKEN,
      .has_biases = true,
      .has_final_norm = true,
      .is_tied = true },
    { .name = "git",
      BERT,
      .memory = LIMN_MEMORY_PREFIX,
      .has_memory_projection = true,
      .has_memory_norm = true },
    { .name = "virtex",
      .norm_position = LIMN_NORM_AFTER,
      .activation = LIMN_ACT_GELU,
      .head_activation = LIMN_ACT_GELU,
      .eps = 1e-5f,
      .embedding_eps = 1e-8f,
      .memory_eps = 1e-5f,
      .head_eps = 1e-5f,
      .has_embedding_norm = true,
      .zero_token = 0,
      .has_memory_projection = true,
      .has_biases = true,
      .is_tied = true,
      .has_output_bias = true },
};

enum { N_LAYOUTS = sizeof layouts / sizeof *layouts };

const char *const limn_decoder_layout_names[] = { "limn", "blip", "gpt2", "git", "virtex", NULL };

limn_status limn_decoder_layout_find(limn_decoder_layout *out, const char *name, limn_error *err)
{
    char known[80] = "";
    for (size_t i = 0; i < N_LAYOUTS; i++) {
        const size_t used = strlen(known);
        if (strcmp(layouts[i].name, name) == 0) {
            *out = layouts[i];
            return LIMN_OK;
        }
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", layouts[i].name);
    }
    return limn_fail(err, LIMN_E_UNSUPPORTED, "decoder layout \"%.40s\" is not known: %s are", name,
                     known);
}

bool limn_decoder_layouts_equal(const limn_decoder_layout *a, const limn_decoder_layout *b)
{
    return a->norm_position == b->norm_position && a->memory == b->memory &&
           a->activation == b->activation && a->head_activation == b->head_activation &&
           a->eps == b->eps && a->embedding_eps == b->embedding_eps &&
           a->memory_eps == b->memory_eps && a->head_eps == b->head_eps &&
           a->scales_embedding == b->scales_embedding &&
           a->has_embedding_norm == b->has_embedding_norm &&
           a->first_position == b->first_position && a->zero_token == b->zero_token &&
           a->has_memory_projection == b->has_memory_projection &&
           a->has_memory_positions == b->has_memory_positions &&
           a->has_memory_norm == b->has_memory_norm && a->has_biases == b->has_biases &&
           a->has_final_norm == b->has_final_norm &&
           a->has_head_transform == b->has_head_transform && a->is_tied == b->is_tied &&
           a->has_output_bias == b->has_output_bias;
}

static limn_status check_eps(const char *field, float eps, limn_error *err)
{
    if (!(eps >= 1e-14f && eps <= 0.1f))
        return limn_fail(err, LIMN_E_LIMIT, "decoder layout: %s %g is not in 1e-14 … 0.1", field,
                         (double)eps);
    return LIMN_OK;
}

static limn_status check_activation(const char *field, limn_activation activation, limn_error *err)
{
    if ((unsigned)activation > LIMN_LAYOUT_LAST_ACTIVATION)
        return limn_fail(err, LIMN_E_LIMIT, "decoder layout: %s %d is none that there is", field,
                         (int)activation);
    return LIMN_OK;
}

limn_status limn_decoder_layout_check(const limn_decoder_layout *l, limn_error *err)
{
    if (!l->name) return limn_fail(err, LIMN_E_ARG, "decoder layout: none is named");
    LIMN_TRY(check_eps("eps", l->eps, err));
    LIMN_TRY(check_eps("embedding_eps", l->embedding_eps, err));
    LIMN_TRY(check_eps("memory_eps", l->memory_eps, err));
    LIMN_TRY(check_eps("head_eps", l->head_eps, err));
    LIMN_TRY(check_activation("activation", l->activation, err));
    LIMN_TRY(check_activation("head_activation", l->head_activation, err));
    if (l->first_position > 16)
        return limn_fail(err, LIMN_E_LIMIT, "decoder layout: first_position %u is not in 0 … 16",
                         l->first_position);
    return LIMN_OK;
}

limn_status limn_decoder_layout_check_trainable(const limn_decoder_layout *l, limn_error *err)
{
    if (limn_decoder_layouts_equal(l, &layouts[0])) return LIMN_OK;
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "a decoder of layout \"%s\" can't be trained: only \"%s\", unchanged, can",
                     l->name, layouts[0].name);
}
