#include "models/train/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/safetensors.h"
#include "models/train/adamw.h"
#include "models/train/optimizer_kinds.h"

enum { MAX_PARTS = 2 + LIMN_OPTIMIZER_MAX_STATES, NAME_SIZE = LIMN_PARAM_NAME_SIZE + 16 };

static const char optimizer_key[] = "limn.training.optimizer";

/* The tensors kept of every parameter. */
typedef struct checkpoint_parts {
    const char *names[MAX_PARTS];
    float *blocks[MAX_PARTS]; /* laid out as params->values */
    size_t n;
} checkpoint_parts;

static void add_part(checkpoint_parts *p, const char *name, float *block)
{
    p->names[p->n] = name;
    p->blocks[p->n++] = block;
}

static checkpoint_parts parts_of(const limn_params *params, const limn_optimizer *o)
{
    checkpoint_parts p = { .n = 0 };
    add_part(&p, "value", params->values);
    for (size_t i = 0; i < o->kind->n_states; i++)
        add_part(&p, o->kind->state_names[i], o->states[i]);
    add_part(&p, "average", o->average);
    return p;
}

/* Tensor `i` of the file, named in `name` [NAME_SIZE]. */
static limn_tensor view(const checkpoint_parts *parts, const limn_params *params, size_t i,
                        char *name)
{
    const limn_param *p = &params->items[i / parts->n];
    limn_tensor t = { .name = name,
                      .dtype = LIMN_TENSOR_F32,
                      .n_dims = p->n_dims,
                      .data = parts->blocks[i % parts->n] + p->offset,
                      .size = p->n * sizeof(float) };
    snprintf(name, NAME_SIZE, "%s.%s", parts->names[i % parts->n], p->name);
    memcpy(t.shape, p->shape, p->n_dims * sizeof *t.shape);
    return t;
}

limn_status limn_checkpoint_write(const char *path, const limn_params *params,
                                  const limn_optimizer *optimizer, const char *state,
                                  limn_error *err)
{
    const checkpoint_parts parts = parts_of(params, optimizer);
    const size_t n = params->n_items * parts.n;
    limn_tensor *tensors = limn_calloc(n, sizeof *tensors);
    char *names = limn_calloc(n, NAME_SIZE);
    char n_steps[24];
    const limn_metadata_item metadata[] = { { "limn.training.state", state },
                                            { "limn.training.steps", n_steps },
                                            { optimizer_key, optimizer->kind->name } };
    limn_status status = LIMN_E_NOMEM;
    if (!tensors || !names) {
        limn_fail(err, LIMN_E_NOMEM, "%s: no memory for a list of %zu tensors", path, n);
        goto done;
    }
    snprintf(n_steps, sizeof n_steps, "%" PRIu64, optimizer->n_steps);
    for (size_t i = 0; i < n; i++) tensors[i] = view(&parts, params, i, names + i * NAME_SIZE);
    status = limn_safetensors_write(path, tensors, n, metadata, 3, err);
done:
    limn_free(tensors);
    limn_free(names);
    return status;
}

/* Checkpoints from before there were several optimizers are AdamW's. */
static limn_status check_optimizer(const limn_safetensors *file, const limn_optimizer *optimizer,
                                   limn_error *err)
{
    const char *name = limn_safetensors_metadata(file, optimizer_key);
    const limn_optimizer_kind *kind = name ? limn_optimizer_find(name) : &limn_adamw;
    if (kind == optimizer->kind) return LIMN_OK;
    return limn_fail(err, LIMN_E_FORMAT, "%s: \"%.40s\" %s, this run's is \"%s\"", optimizer_key,
                     kind ? kind->name : name, kind ? "is another optimizer" : "is unknown",
                     optimizer->kind->name);
}

static limn_status read_tensors(const limn_safetensors *file, const limn_params *params,
                                const limn_optimizer *optimizer, limn_error *err)
{
    const checkpoint_parts parts = parts_of(params, optimizer);
    const size_t n = params->n_items * parts.n;
    char name[NAME_SIZE];
    LIMN_TRY(check_optimizer(file, optimizer, err));
    for (size_t i = 0; i < n; i++) {
        const limn_tensor expected = view(&parts, params, i, name), *found;
        LIMN_TRY(
            limn_safetensors_require(&found, file, name, expected.n_dims, expected.shape, err));
        limn_tensor_to_f32((float *)expected.data, found);
    }
    if (limn_safetensors_n_tensors(file) != n)
        return limn_fail(err, LIMN_E_FORMAT, "%zu tensors, expected %zu: of another model",
                         limn_safetensors_n_tensors(file), n);
    return LIMN_OK;
}

static limn_status read_metadata(const limn_safetensors *file, limn_optimizer *optimizer,
                                 char **state, limn_error *err)
{
    const char *text = limn_safetensors_metadata(file, "limn.training.state");
    const char *n_steps = limn_safetensors_metadata(file, "limn.training.steps");
    char *end = NULL;
    if (!text || !n_steps || *n_steps < '0' || *n_steps > '9')
        return limn_fail(err, LIMN_E_FORMAT, "no training state in the metadata: no checkpoint");
    optimizer->n_steps = strtoull(n_steps, &end, 10);
    if (*end)
        return limn_fail(err, LIMN_E_FORMAT, "limn.training.steps: '%s' is no count", n_steps);
    *state = limn_strdup(text);
    return *state ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "no memory for the training state");
}

limn_status limn_checkpoint_read(const char *path, limn_params *params, limn_optimizer *optimizer,
                                 char **state, limn_error *err)
{
    limn_safetensors *file = NULL;
    limn_status status;
    *state = NULL;
    LIMN_TRY(limn_safetensors_open(&file, path, err));
    status = read_tensors(file, params, optimizer, err);
    if (status == LIMN_OK) status = read_metadata(file, optimizer, state, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_safetensors_close(&file);
    return status;
}

limn_status limn_checkpoint_read_state(const char *path, char **state, limn_error *err)
{
    limn_safetensors *file = NULL;
    limn_optimizer steps = { 0 };
    *state = NULL;
    LIMN_TRY(limn_safetensors_open(&file, path, err));
    const limn_status status = read_metadata(file, &steps, state, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_safetensors_close(&file);
    return status;
}
