#include "models/convert/convert_tags.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/pack.h"

enum { N_IMAGENET = 1000 };

extern const char limn_imagenet_names[]; /* models/imagenet_names.txt: a line for each class */

static size_t feature_dim(const limn_model_config *c)
{
    return limn_encoder_is_known(c->encoder.family) ? limn_encoder_feature_shape(&c->encoder).dim
                                                    : 0;
}

/* ---- of the source ------------------------------------------------------------------------ */

/* The lines of limn_imagenet_names; the strings are in `*text`, which the caller frees. */
static limn_status split_names(const char *names[N_IMAGENET], char **text, limn_error *err)
{
    char *line = *text = limn_strdup(limn_imagenet_names);
    if (!line) return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    for (size_t i = 0; i < N_IMAGENET; i++) {
        char *end = strchr(line, '\n');
        *end = '\0';
        names[i] = line;
        line = end + 1;
    }
    return LIMN_OK;
}

static limn_status add_classifier(convert_result *r, const limn_tensor *weight,
                                  const limn_tensor *bias, limn_error *err)
{
    const char *names[N_IMAGENET];
    char *text = NULL;
    limn_tag_head head = { .set = "imagenet",
                           .is_exclusive = true,
                           .n_tags = N_IMAGENET,
                           .names = names,
                           .output_weight = *weight,
                           .output_bias = *bias };
    limn_status status = split_names(names, &text, err);
    if (status == LIMN_OK)
        status = limn_tag_heads_add(&r->tags, &head, feature_dim(&r->config), err);
    limn_free(text);
    return status;
}

limn_status convert_tags_take(convert_result *r, convert_source *source, limn_error *err)
{
    const limn_tensor *weight, *bias;
    char name[MAX_ENCODER_NAME];
    if (source->kind == CONVERT_MODEL)
        return limn_tag_heads_read(&r->tags, source->file, feature_dim(&r->config), err);
    snprintf(name, sizeof name, "%s%s.weight", source->prefix, source->original->classifier);
    weight = convert_source_use(source, name);
    snprintf(name, sizeof name, "%s%s.bias", source->prefix, source->original->classifier);
    bias = convert_source_use(source, name);
    /* The names of other sets of classes are not known. */
    if (!weight || !bias || weight->n_dims != 2 || weight->shape[0] != N_IMAGENET) return LIMN_OK;
    return add_classifier(r, weight, bias, err);
}

/* ---- of another model --------------------------------------------------------------------- */

static bool is_equal(const limn_tensor_spec *spec, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (spec->may_be_half ? limn_f32_to_f16(a[i]) != limn_f32_to_f16(b[i]) : a[i] != b[i])
            return false;
    return true;
}

static limn_status check_encoder(const convert_result *r, const limn_safetensors *file,
                                 limn_error *err)
{
    for (size_t i = 0; i < r->n_tensors; i++) {
        const limn_tensor_spec *spec = &r->specs[i];
        const size_t n = r->tensors[i].size / sizeof(float);
        const limn_tensor *other;
        float *values;
        bool same;
        if (strncmp(spec->name, "encoder.", 8) != 0) continue;
        LIMN_TRY(
            limn_safetensors_require(&other, file, spec->name, spec->n_dims, spec->shape, err));
        values = limn_alloc(n, sizeof *values);
        if (!values) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", spec->name);
        limn_tensor_to_f32(values, other);
        same = is_equal(spec, r->tensors[i].data, values, n);
        limn_free(values);
        if (!same) return limn_fail(err, LIMN_E_ARG, "has another encoder: %s differs", spec->name);
    }
    return LIMN_OK;
}

static limn_status merge(convert_result *r, const limn_model_file *file, limn_error *err)
{
    const size_t dim = feature_dim(&r->config);
    limn_tag_heads heads;
    limn_status status = LIMN_OK;
    LIMN_TRY(check_encoder(r, file->tensors, err));
    LIMN_TRY(limn_tag_heads_read(&heads, file->tensors, dim, err));
    if (heads.n_items == 0) status = limn_fail(err, LIMN_E_ARG, "has no tags");
    for (size_t i = 0; status == LIMN_OK && i < heads.n_items; i++)
        status = limn_tag_heads_add(&r->tags, &heads.items[i], dim, err);
    limn_tag_heads_finish(&heads);
    return status;
}

limn_status convert_tags_merge(convert_result *r, const char *path, limn_error *err)
{
    limn_model_file file;
    limn_status status;
    LIMN_TRY(limn_model_file_open(&file, path, err));
    status = merge(r, &file, err);
    if (status != LIMN_OK) limn_error_prefix(err, "--tags %s", path);
    limn_model_file_close(&file);
    return status;
}
