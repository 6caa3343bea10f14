#include "models/confidence.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/kernels/c/math_c.h"

const char *const limn_signal_names[LIMN_N_SIGNALS] = {
    [LIMN_SIGNAL_LOGPROB] = "logprob",     [LIMN_SIGNAL_LEAST] = "least",
    [LIMN_SIGNAL_ENTROPY] = "entropy",     [LIMN_SIGNAL_LENGTH] = "length",
    [LIMN_SIGNAL_PICTURE] = "picture",     [LIMN_SIGNAL_MARGIN] = "margin",
    [LIMN_SIGNAL_AGREEMENT] = "agreement", [LIMN_SIGNAL_OBJECTS] = "objects",
    [LIMN_SIGNAL_PERSON] = "person",       [LIMN_SIGNAL_PEOPLE] = "people",
    [LIMN_SIGNAL_FAMILIAR] = "familiar",
};

double limn_confidence_of(const limn_confidence *c, const float signals[LIMN_N_SIGNALS])
{
    double sum = c->bias;
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
        sum += c->signals[i].weight *
               (((double)signals[i] - c->signals[i].mean) / c->signals[i].scale);
    return 1 / (1 + (double)limn_expf((float)-sum));
}

/* ---- reading ------------------------------------------------------------------------------ */

static limn_status parse_signal(limn_confidence *out, size_t i, const limn_json_node *signals,
                                limn_error *err)
{
    limn_json_node node;
    LIMN_TRY(limn_json_object(&node, signals, limn_signal_names[i], err));
    LIMN_TRY(limn_json_number(&out->signals[i].mean, &node, "mean", -1e6, 1e6, err));
    LIMN_TRY(limn_json_number(&out->signals[i].scale, &node, "scale", 1e-6, 1e6, err));
    return limn_json_number(&out->signals[i].weight, &node, "weight", -1e3, 1e3, err);
}

static bool is_signal(const char *name)
{
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
        if (strcmp(name, limn_signal_names[i]) == 0) return true;
    return false;
}

/* A fit with a signal that is not known here can't be computed. */
static limn_status refuse_unknown(const limn_json_node *signals, limn_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(
        (json_t *)signals->value, key,
        value) if (!is_signal(key)) return limn_json_fail(signals, err, LIMN_E_FORMAT,
                                                          "unknown signal \"%.40s\"", key);
    return LIMN_OK;
}

static limn_status parse_right(limn_confidence *out, const limn_json_node *root, limn_error *err)
{
    const char *right;
    LIMN_TRY(limn_json_string(&right, root, "right", err));
    if (strlen(right) < sizeof out->right) {
        snprintf(out->right, sizeof out->right, "%s", right);
        return LIMN_OK;
    }
    return limn_json_fail(root, err, LIMN_E_FORMAT, "right: %zu bytes, expected at most %zu",
                          strlen(right), sizeof out->right - 1);
}

static limn_status parse_root(limn_confidence *out, const limn_json_node *root, limn_error *err)
{
    limn_json_node signals;
    LIMN_TRY(limn_json_as_object(root, err));
    LIMN_TRY(parse_right(out, root, err));
    LIMN_TRY(limn_json_u32(&out->n_images, root, "pictures", 1, UINT32_MAX, err));
    LIMN_TRY(limn_json_number(&out->bias, root, "bias", -1e3, 1e3, err));
    LIMN_TRY(limn_json_object(&signals, root, "signals", err));
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++) LIMN_TRY(parse_signal(out, i, &signals, err));
    return refuse_unknown(&signals, err);
}

limn_status limn_confidence_parse(limn_confidence *out, const char *text, size_t size,
                                  limn_error *err)
{
    json_t *document = NULL;
    *out = (limn_confidence){ .bias = 0 };
    LIMN_TRY(limn_json_parse(&document, text, size, err));
    const limn_json_node root = limn_json_root(document);
    const limn_status status = parse_root(out, &root, err);
    json_decref(document);
    return status;
}

limn_status limn_confidence_read(limn_confidence *out, bool *is_there, const limn_safetensors *file,
                                 limn_error *err)
{
    const char *text = limn_safetensors_metadata(file, LIMN_CONFIDENCE_KEY);
    *is_there = text != NULL;
    if (!text) return LIMN_OK;
    const limn_status status = limn_confidence_parse(out, text, strlen(text), err);
    if (status != LIMN_OK) limn_error_prefix(err, LIMN_CONFIDENCE_KEY);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------ */

char *limn_confidence_text(const limn_confidence *c)
{
    json_t *signals = json_object(), *root;
    char *text;
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
        json_object_set_new(signals, limn_signal_names[i],
                            json_pack("{s:f, s:f, s:f}", "mean", c->signals[i].mean, "scale",
                                      c->signals[i].scale, "weight", c->signals[i].weight));
    root = json_pack("{s:s, s:I, s:f, s:o}", "right", c->right, "pictures", (json_int_t)c->n_images,
                     "bias", c->bias, "signals", signals);
    text = root && json_object_size(signals) == LIMN_N_SIGNALS
               ? json_dumps(root, JSON_REAL_PRECISION(17))
               : NULL;
    json_decref(root);
    return text;
}
