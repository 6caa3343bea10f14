#include "decoder/decoder_params.h"

#include <math.h>
#include <string.h>

#include "common/base/rng.h"
#include "common/weights/table_params.h"
#include "decoder/decoder_grad.h"
#include "decoder/decoder_tensors.h"

limn_status limn_decoder_params_add(limn_params *params, const limn_decoder_config *config,
                                    limn_error *err)
{
    limn_tensor_table table = { 0 };
    LIMN_TRY(limn_decoder_layout_check_trainable(&config->layout, err));
    limn_decoder_tensors(&table, config);
    limn_status status = limn_tensor_table_check(&table, err);
    if (status == LIMN_OK) status = limn_table_params_add(params, &table, 0, 1.0f, err);
    limn_tensor_table_finish(&table);
    return status;
}

static bool name_ends(const limn_param *p, const char *end)
{
    const size_t n = strlen(p->name), m = strlen(end);
    return n >= m && strcmp(p->name + n - m, end) == 0;
}

static void init_normal(float *x, size_t n, float deviation, limn_rng *rng)
{
    for (size_t i = 0; i < n; i++) x[i] = deviation * (float)limn_rng_normal(rng);
}

static void init_uniform(float *x, size_t n, float bound, limn_rng *rng)
{
    for (size_t i = 0; i < n; i++) x[i] = bound * (float)(2.0 * limn_rng_uniform(rng) - 1.0);
}

/* Each tensor draws from a stream of its own, so adding one leaves the others unchanged. */
void limn_decoder_params_init(limn_params *params, uint64_t seed)
{
    for (size_t i = 0; i < params->n_items; i++) {
        const limn_param *p = &params->items[i];
        float *x = params->values + p->offset;
        limn_rng rng = limn_rng_stream(seed, p->name, strlen(p->name));
        if (strncmp(p->name, "decoder.", 8) != 0) continue;
        if (name_ends(p, "position_embedding"))
            init_normal(x, p->n, 0.02f, &rng);
        else if (name_ends(p, "token_embedding.weight") || strstr(p->name, "decoder.tag_"))
            init_normal(x, p->n, 1.0f / sqrtf((float)p->shape[p->n_dims - 1]), &rng);
        else if (p->n_dims == 2)
            init_uniform(x, p->n, sqrtf(6.0f / (float)(p->shape[0] + p->shape[1])), &rng);
        else if (name_ends(p, "norm.weight"))
            for (size_t j = 0; j < p->n; j++) x[j] = 1.0f;
    }
}
