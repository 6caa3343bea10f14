/* The tensors of a published captioner: checks that they are complete and nothing else is there,
 * and makes those of a model file from them. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "models/model_tensors.h"
#include "models/convert/fold_batch_norm.h"
#include "models/convert/narrow.h"
#include "models/convert/published/published_parts.h"

/* ---- which tensor of theirs makes one of ours --------------------------------------------- */

/* One of ours: by a rule, or, where `rule` is NULL, folded from a convolution and batch norm. */
typedef struct origin {
    const name_rule *rule;
    char theirs[MAX_PUBLISHED_NAME];
    encoder_layer_names layer;
} origin;

static const original_encoder *resnet_names(void)
{
    const original_encoder *of = original_encoders;
    while (strcmp(of->networks[0], "resnet18") != 0) of++;
    return of;
}

static limn_status find_origin(origin *out, const published *p, const limn_tensor_spec *spec,
                               limn_error *err)
{
    const published_kind *k = p->kind;
    char other[MAX_PUBLISHED_NAME];
    out->rule = NULL;
    for (size_t i = 0; !out->rule && i < 2 && k->rules[i]; i++)
        out->rule = name_rule_find(out->theirs, k->rules[i], k->prefix, spec->name);
    if (!out->rule) {
        if (k->resnet_prefix && resnet_names()->find(&out->layer, spec->name, k->resnet_prefix))
            return LIMN_OK;
        return limn_fail(err, LIMN_E_UNSUPPORTED, "%s has no tensor for %s", k->name, spec->name);
    }
    if (!k->same[0] || strcmp(out->theirs + strlen(k->prefix), k->same[0]) != 0 ||
        tensor_list_find(&p->tensors, out->theirs))
        return LIMN_OK;
    snprintf(other, sizeof other, "%s%s", k->prefix, k->same[1]); /* under its second name */
    if (tensor_list_find(&p->tensors, other)) memcpy(out->theirs, other, sizeof other);
    return LIMN_OK;
}

static limn_status make_values(float **out, published *p, const limn_tensor_spec *spec,
                               limn_error *err)
{
    origin o;
    *out = NULL;
    LIMN_TRY(find_origin(&o, p, spec, err));
    if (o.rule) return name_rule_make(out, o.rule, &p->tensors, o.theirs, spec, err);
    return fold_batch_norm(out, &p->tensors, spec, &o.layer, p->kind->batch_norm_eps, err);
}

static limn_status check_spec(published *p, const limn_tensor_spec *spec, limn_error *err)
{
    origin o;
    float *values = NULL;
    LIMN_TRY(find_origin(&o, p, spec, err));
    if (o.rule) return name_rule_check(o.rule, &p->tensors, o.theirs, spec, err);
    const limn_status s =
        fold_batch_norm(&values, &p->tensors, spec, &o.layer, p->kind->batch_norm_eps, err);
    limn_free(values);
    return s;
}

/* ---- tensors that may be one -------------------------------------------------------------- */

static const limn_tensor *use(published *p, const char *name)
{
    char full[MAX_PUBLISHED_NAME];
    snprintf(full, sizeof full, "%s%s", p->kind->prefix, name);
    return tensor_list_use(&p->tensors, full);
}

static bool is_same(const limn_tensor *a, const limn_tensor *b)
{
    return a->dtype == b->dtype && a->n_dims == b->n_dims &&
           memcmp(a->shape, b->shape, a->n_dims * sizeof *a->shape) == 0 &&
           memcmp(a->data, b->data, a->size) == 0;
}

/* The output product is the token embedding where the two are equal, bit by bit. */
static void tie_output(published *p)
{
    const limn_tensor *output = use(p, p->kind->output), *embedding = use(p, p->kind->embedding);
    bool *is_tied = &p->config.decoder.layout.is_tied;
    *is_tied = output ? embedding && is_same(output, embedding) : p->is_tied_by_config;
    if (output && embedding && !*is_tied && p->is_tied_by_config)
        limn_buffer_printf(&p->notes,
                           "%s and %s differ: both are kept, as transformers 5 does; 4 takes the "
                           "embedding for both\n",
                           output->name, embedding->name);
}

static limn_status check_pair(published *p, limn_error *err)
{
    if (!p->kind->same[0]) return LIMN_OK;
    const limn_tensor *a = use(p, p->kind->same[0]), *b = use(p, p->kind->same[1]);
    if (!a || !b || is_same(a, b)) return LIMN_OK;
    return limn_fail(err, LIMN_E_FORMAT,
                     "tensors %s and %s differ, expected the same values under two names", a->name,
                     b->name);
}

/* ---- what is left over -------------------------------------------------------------------- */

static bool is_known_leftover(const published_kind *kind, const char *name)
{
    for (const char *const *pattern = kind->leftovers; *pattern; pattern++)
        if (fnmatch(*pattern, name, 0) == 0) return true;
    return false;
}

static limn_status check_leftovers(const published *p, limn_error *err)
{
    char is[160];
    for (size_t i = 0; i < p->tensors.n_items; i++) {
        const limn_tensor *t = p->tensors.items[i].tensor;
        if (p->tensors.items[i].is_used || is_known_leftover(p->kind, t->name)) continue;
        limn_tensor_describe(is, sizeof is, t->dtype, t->n_dims, t->shape);
        return limn_fail(err, LIMN_E_FORMAT,
                         "tensor %s, %s, belongs to no part of %s: is it for another task, or are "
                         "there more layers than config.json says?",
                         t->name, is, p->kind->name);
    }
    return LIMN_OK;
}

limn_status published_check_tensors(published *p, limn_error *err)
{
    tie_output(p);
    LIMN_TRY(check_pair(p, err));
    LIMN_TRY(limn_model_tensor_specs(&p->specs, &p->n_specs, &p->config, err));
    for (size_t i = 0; i < p->n_specs; i++) LIMN_TRY(check_spec(p, &p->specs[i], err));
    return check_leftovers(p, err);
}

/* ---- writing ------------------------------------------------------------------------------ */

/* What a tensor of the file is made of. */
typedef struct making {
    published *p;
    const limn_tensor *tensors; /* [n_specs] of the file */
} making;

static limn_status make(void **out, void *ctx, const limn_tensor *t, limn_error *err)
{
    const making *m = ctx;
    const limn_tensor_spec *spec = &m->p->specs[t - m->tensors];
    float *values;
    LIMN_TRY(make_values(&values, m->p, spec, err));
    *out = values;
    if (t->dtype != LIMN_TENSOR_F16) return LIMN_OK;
    return narrow_to_f16(values, tensor_values(spec->n_dims, spec->shape), spec->name, err);
}

static void describe(limn_tensor *t, const limn_tensor_spec *spec, limn_tensor_dtype dtype)
{
    *t = (limn_tensor){ .name = spec->name,
                        .dtype = spec->may_be_half ? dtype : LIMN_TENSOR_F32,
                        .n_dims = spec->n_dims };
    memcpy(t->shape, spec->shape, spec->n_dims * sizeof *spec->shape);
    t->size = tensor_values(spec->n_dims, spec->shape) * limn_tensor_dtype_size(t->dtype);
}

limn_status published_write(const char *path, published *p, limn_tensor_dtype dtype,
                            limn_error *err)
{
    limn_tensor *tensors = limn_alloc(p->n_specs, sizeof *tensors);
    char *files = json_dumps(p->sources.files, JSON_COMPACT);
    const limn_metadata_item notes[] = { { SOURCE_FILES_KEY, files },
                                         { SOURCE_KIND_KEY, p->kind->name },
                                         { SOURCE_LICENCE_KEY, p->kind->licence } };
    making m = { p, tensors };
    limn_status s = tensors && files ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; s == LIMN_OK && i < p->n_specs; i++)
        describe(&tensors[i], &p->specs[i], dtype);
    if (s == LIMN_OK)
        s = limn_model_file_write_made(path, &p->config, p->vocab, tensors, p->n_specs, notes,
                                       sizeof notes / sizeof *notes, make, &m, err);
    free(files); /* jansson's */
    limn_free(tensors);
    return s;
}
