#include "models/train/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/safetensors.h"

enum { N_PARTS = 4, NAME_SIZE = LIMN_PARAM_NAME_SIZE + 16 };

static const char *const part_names[N_PARTS] = { "value", "m", "v", "average" };

static void parts_of(float *parts[N_PARTS], const limn_params *params, const limn_adamw *adamw)
{
    parts[0] = params->values;
    parts[1] = adamw->m;
    parts[2] = adamw->v;
    parts[3] = adamw->average;
}

static limn_tensor view(const limn_param *p, char *name, size_t part, const float *block)
{
    limn_tensor t = { .name = name,
                      .dtype = LIMN_TENSOR_F32,
                      .n_dims = p->n_dims,
                      .data = block + p->offset,
                      .size = p->n * sizeof(float) };
    snprintf(name, NAME_SIZE, "%s.%s", part_names[part], p->name);
    memcpy(t.shape, p->shape, p->n_dims * sizeof *t.shape);
    return t;
}

limn_status limn_checkpoint_write(const char *path, const limn_params *params,
                                  const limn_adamw *adamw, const char *state, limn_error *err)
{
    const size_t n = params->n_items * N_PARTS;
    limn_tensor *tensors = limn_calloc(n, sizeof *tensors);
    char *names = limn_calloc(n, NAME_SIZE);
    float *parts[N_PARTS];
    char n_steps[24];
    const limn_metadata_item metadata[] = { { "limn.training.state", state },
                                            { "limn.training.steps", n_steps } };
    limn_status status = LIMN_E_NOMEM;
    if (!tensors || !names) {
        limn_fail(err, LIMN_E_NOMEM, "%s: no memory for a list of %zu tensors", path, n);
        goto done;
    }
    parts_of(parts, params, adamw);
    snprintf(n_steps, sizeof n_steps, "%" PRIu64, adamw->n_steps);
    for (size_t i = 0; i < n; i++)
        tensors[i] = view(&params->items[i / N_PARTS], names + i * NAME_SIZE, i % N_PARTS,
                          parts[i % N_PARTS]);
    status = limn_safetensors_write(path, tensors, n, metadata, 2, err);
done:
    limn_free(tensors);
    limn_free(names);
    return status;
}

static limn_status read_tensors(const limn_safetensors *file, const limn_params *params,
                                const limn_adamw *adamw, limn_error *err)
{
    float *parts[N_PARTS];
    char name[NAME_SIZE];
    parts_of(parts, params, adamw);
    for (size_t i = 0; i < params->n_items * N_PARTS; i++) {
        const limn_param *p = &params->items[i / N_PARTS];
        const limn_tensor expected = view(p, name, i % N_PARTS, parts[i % N_PARTS]), *found;
        LIMN_TRY(
            limn_safetensors_require(&found, file, name, expected.n_dims, expected.shape, err));
        limn_tensor_to_f32(parts[i % N_PARTS] + p->offset, found);
    }
    if (limn_safetensors_n_tensors(file) != params->n_items * N_PARTS)
        return limn_fail(err, LIMN_E_FORMAT, "%zu tensors, expected %zu: of another model",
                         limn_safetensors_n_tensors(file), params->n_items * N_PARTS);
    return LIMN_OK;
}

static limn_status read_metadata(const limn_safetensors *file, limn_adamw *adamw, char **state,
                                 limn_error *err)
{
    const char *text = limn_safetensors_metadata(file, "limn.training.state");
    const char *n_steps = limn_safetensors_metadata(file, "limn.training.steps");
    char *end = NULL;
    if (!text || !n_steps || *n_steps < '0' || *n_steps > '9')
        return limn_fail(err, LIMN_E_FORMAT, "no training state in the metadata: no checkpoint");
    adamw->n_steps = strtoull(n_steps, &end, 10);
    if (*end)
        return limn_fail(err, LIMN_E_FORMAT, "limn.training.steps: '%s' is no count", n_steps);
    *state = limn_strdup(text);
    return *state ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "no memory for the training state");
}

limn_status limn_checkpoint_read(const char *path, limn_params *params, limn_adamw *adamw,
                                 char **state, limn_error *err)
{
    limn_safetensors *file = NULL;
    limn_status status;
    *state = NULL;
    LIMN_TRY(limn_safetensors_open(&file, path, err));
    status = read_tensors(file, params, adamw, err);
    if (status == LIMN_OK) status = read_metadata(file, adamw, state, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_safetensors_close(&file);
    return status;
}

limn_status limn_checkpoint_read_state(const char *path, char **state, limn_error *err)
{
    limn_safetensors *file = NULL;
    limn_adamw steps = { 0 };
    *state = NULL;
    LIMN_TRY(limn_safetensors_open(&file, path, err));
    const limn_status status = read_metadata(file, &steps, state, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_safetensors_close(&file);
    return status;
}
