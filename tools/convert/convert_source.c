#include "tools/convert/convert_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "encoder/efficientnet_lite_shape.h"
#include "tools/convert/encoder_names.h"
#include "tools/convert/reference_config.h"

#define STEM_NAME "_conv_stem.weight"
#define EFFICIENTNET_LITE_EPS 1e-3 /* of every batch norm in the published weights */

const char *convert_kind_name(convert_kind kind)
{
    switch (kind) {
    case CONVERT_MODEL: return "model file";
    case CONVERT_REFERENCE: return "reference captioner";
    case CONVERT_ENCODER: return "EfficientNet-Lite weights";
    }
    return "file";
}

/* ---- tensors ------------------------------------------------------------------------------ */

static int compare_items(const void *a, const void *b)
{
    const convert_item *x = a, *y = b;
    return strcmp(x->tensor->name, y->tensor->name);
}

static const limn_tensor *tensor_at(const convert_source *s, size_t index)
{
    return s->pth ? limn_pth_at(s->pth, index) : limn_safetensors_at(s->file, index);
}

static limn_status list_items(convert_source *s, limn_error *err)
{
    const size_t n = s->pth ? limn_pth_n_tensors(s->pth) : limn_safetensors_n_tensors(s->file);
    s->items = limn_calloc(n, sizeof *s->items);
    if (!s->items) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", n);
    for (size_t i = 0; i < n; i++) s->items[i].tensor = tensor_at(s, i);
    s->n_items = n;
    qsort(s->items, n, sizeof *s->items, compare_items);
    for (size_t i = 1; i < n; i++)
        if (compare_items(&s->items[i - 1], &s->items[i]) == 0)
            return limn_fail(err, LIMN_E_FORMAT, "two tensors are named %s",
                             s->items[i].tensor->name);
    return LIMN_OK;
}

static convert_item *find_item(const convert_source *s, const char *name)
{
    const limn_tensor wanted = { .name = name };
    const convert_item key = { &wanted, false };
    return s->n_items ? bsearch(&key, s->items, s->n_items, sizeof *s->items, compare_items) : NULL;
}

const limn_tensor *convert_source_use(convert_source *s, const char *name)
{
    convert_item *item = find_item(s, name);
    if (!item) return NULL;
    item->is_used = true;
    return item->tensor;
}

/* ---- EfficientNet-Lite weights ------------------------------------------------------------ */

/* What stands before STEM_NAME in the one tensor whose name ends so. */
static limn_status find_prefix(convert_source *s, limn_error *err)
{
    const char *found = NULL;
    for (size_t i = 0; i < s->n_items; i++) {
        const char *name = s->items[i].tensor->name, *end = strstr(name, STEM_NAME);
        if (!end || strcmp(end, STEM_NAME) != 0 || (end > name && end[-1] != '.')) continue;
        if (found)
            return limn_fail(err, LIMN_E_FORMAT, "%s and %s: weights of two encoders", found, name);
        if ((size_t)(end - name) >= sizeof s->prefix)
            return limn_fail(err, LIMN_E_LIMIT, "%s: its prefix is too long", name);
        snprintf(s->prefix, sizeof s->prefix, "%.*s", (int)(end - name), name);
        found = name;
    }
    if (!found)
        return limn_fail(err, LIMN_E_FORMAT,
                         "has no tensor " STEM_NAME ": is neither a model, nor "
                         "the reference captioner, nor EfficientNet-Lite weights");
    return LIMN_OK;
}

/* How many convolutions of a Lite are there with its shapes, in thousandths. */
static size_t score_lite(const convert_source *s, const limn_efficientnet_lite_shape *lite)
{
    size_t n = 0, n_found = 0;
    for (size_t b = 0; b < lite->n_blocks; b++) {
        char name[MAX_ENCODER_NAME];
        snprintf(name, sizeof name, "%s_blocks.%zu._project_conv.weight", s->prefix, b);
        const convert_item *item = find_item(s, name);
        const size_t *shape = item ? item->tensor->shape : NULL;
        n_found += item && item->tensor->n_dims == 4 && shape[0] == lite->blocks[b].n_outputs &&
                   shape[1] == lite->blocks[b].n_expanded;
        n++;
    }
    char next[MAX_ENCODER_NAME];
    snprintf(next, sizeof next, "%s_blocks.%zu._project_conv.weight", s->prefix, lite->n_blocks);
    return 1000 * n_found / (n + (find_item(s, next) != NULL));
}

/* The file does not say which Lite it is: the one that its shapes fit best. What does not fit is
 * named later, tensor by tensor. */
static void guess_config(convert_source *s)
{
    size_t best_score = 0;
    limn_efficientnet_lite_shape best, lite;
    limn_efficientnet_lite_shape_at(&best, 0);
    for (size_t i = 0; i < LIMN_N_EFFICIENTNET_LITES; i++) {
        limn_efficientnet_lite_shape_at(&lite, i);
        const size_t score = score_lite(s, &lite);
        if (score > best_score) {
            best = lite;
            best_score = score;
        }
    }
    limn_encoder_config *e = &s->config.encoder;
    snprintf(e->family, sizeof e->family, "%s", best.family);
    *e = (limn_encoder_config){ .input_size = best.input_size, .mean = 127, .scale = 1 / 128.0f };
    snprintf(e->family, sizeof e->family, "%s", best.family);
    s->config.resize = LIMN_RESIZE_BICUBIC;
}

static limn_status open_encoder(convert_source *s, limn_error *err)
{
    s->kind = CONVERT_ENCODER;
    s->batch_norm_eps = EFFICIENTNET_LITE_EPS;
    LIMN_TRY(find_prefix(s, err));
    guess_config(s);
    return LIMN_OK;
}

/* ---- by kind ------------------------------------------------------------------------------ */

static limn_status open_reference(convert_source *s, limn_error *err)
{
    s->kind = CONVERT_REFERENCE;
    LIMN_TRY(reference_config_read(&s->config, &s->vocab, &s->batch_norm_eps, s->file, err));
    return find_prefix(s, err);
}

/* `s` takes over what the model file holds. */
static limn_status open_model(convert_source *s, const char *path, limn_error *err)
{
    limn_model_file model;
    LIMN_TRY(limn_model_file_open(&model, path, err));
    limn_safetensors_close(&s->file);
    s->kind = CONVERT_MODEL;
    s->config = model.config;
    s->vocab = model.vocab;
    s->file = model.tensors;
    return LIMN_OK;
}

static limn_status open_by_metadata(convert_source *s, const char *path, limn_error *err)
{
    if (limn_safetensors_metadata(s->file, "limn.version")) {
        LIMN_TRY(open_model(s, path, err));
        return list_items(s, err);
    }
    limn_status status = list_items(s, err);
    if (status == LIMN_OK)
        status = limn_safetensors_metadata(s->file, "config") ? open_reference(s, err)
                                                              : open_encoder(s, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    return status;
}

static limn_status open_pth(convert_source *s, const char *path, limn_error *err)
{
    LIMN_TRY(limn_pth_open(&s->pth, path, err));
    limn_status status = list_items(s, err);
    if (status == LIMN_OK) status = open_encoder(s, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    return status;
}

limn_status convert_source_open(convert_source *out, const char *path, limn_error *err)
{
    limn_file_bytes file;
    *out = (convert_source){ 0 };
    LIMN_TRY(limn_file_bytes_read(&file, path, SIZE_MAX, err));
    const bool is_pth = limn_pth_is(file.bytes, file.size);
    limn_file_bytes_free(&file);
    limn_status status =
        is_pth ? open_pth(out, path, err) : limn_safetensors_open(&out->file, path, err);
    if (status == LIMN_OK && !is_pth) status = open_by_metadata(out, path, err);
    if (status != LIMN_OK) convert_source_close(out);
    return status;
}

void convert_source_close(convert_source *s)
{
    limn_safetensors_close(&s->file);
    limn_pth_close(&s->pth);
    limn_vocab_destroy(&s->vocab);
    limn_free(s->items);
    *s = (convert_source){ 0 };
}
