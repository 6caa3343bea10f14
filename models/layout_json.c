#include "models/layout_json.h"

#include <string.h>

typedef enum field_type { NORM, MEMORY, ACTIVATION, EPS, FLAG, POSITION, TOKEN } field_type;

static const struct field {
    const char *key;
    field_type type;
    size_t offset;
} fields[] = {
#define FIELD(key, type, member)                         \
    {                                                    \
        key, type, offsetof(limn_decoder_layout, member) \
    }
    FIELD("norm", NORM, norm_position),
    FIELD("memory", MEMORY, memory),
    FIELD("activation", ACTIVATION, activation),
    FIELD("head_activation", ACTIVATION, head_activation),
    FIELD("eps", EPS, eps),
    FIELD("embedding_eps", EPS, embedding_eps),
    FIELD("memory_eps", EPS, memory_eps),
    FIELD("head_eps", EPS, head_eps),
    FIELD("embedding_scale", FLAG, scales_embedding),
    FIELD("embedding_norm", FLAG, has_embedding_norm),
    FIELD("first_position", POSITION, first_position),
    FIELD("zero_token", TOKEN, zero_token),
    FIELD("memory_projection", FLAG, has_memory_projection),
    FIELD("memory_positions", FLAG, has_memory_positions),
    FIELD("memory_norm", FLAG, has_memory_norm),
    FIELD("biases", FLAG, has_biases),
    FIELD("final_norm", FLAG, has_final_norm),
    FIELD("head_transform", FLAG, has_head_transform),
    FIELD("tied", FLAG, is_tied),
    FIELD("output_bias", FLAG, has_output_bias),
#undef FIELD
};

enum { N_FIELDS = sizeof fields / sizeof *fields };

/* ---- names of values, by number ---- */

static const char *const norm_names[] = { "before", "after", NULL };
static const char *const memory_names[] = { "cross", "prefix", NULL };
const char *const limn_activation_names[] = { "none",      "relu6",      "gelu", "relu",
                                              "gelu_tanh", "quick_gelu", NULL };
_Static_assert(sizeof limn_activation_names / sizeof *limn_activation_names ==
                   LIMN_LAYOUT_LAST_ACTIVATION + 2,
               "a name for each activation");

static const char *const *names_of(field_type type)
{
    return type == NORM ? norm_names : type == MEMORY ? memory_names : limn_activation_names;
}

/* ---- reading ---- */

static limn_status read_name(unsigned *out, const limn_json_node *node, const char *const *names,
                             limn_error *err)
{
    const char *name;
    char known[80] = "";
    LIMN_TRY(limn_json_as_string(&name, node, err));
    for (unsigned i = 0; names[i]; i++) {
        const size_t used = strlen(known);
        if (strcmp(name, names[i]) == 0) {
            *out = i;
            return LIMN_OK;
        }
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    }
    return limn_json_fail(node, err, LIMN_E_UNSUPPORTED, "\"%.40s\" is not known: %s are", name,
                          known);
}

static limn_status read_whole(uint32_t *out, const limn_json_node *node, int64_t high,
                              limn_error *err)
{
    int64_t value;
    LIMN_TRY(limn_json_as_integer(&value, node, 0, high, err));
    *out = (uint32_t)value;
    return LIMN_OK;
}

static limn_status read_eps(float *out, const limn_json_node *node, limn_error *err)
{
    double value;
    LIMN_TRY(limn_json_as_number(&value, node, 1e-14, 0.1, err));
    *out = (float)value;
    return LIMN_OK;
}

static limn_status read_field(limn_decoder_layout *layout, const struct field *f,
                              const limn_json_node *object, limn_error *err)
{
    void *place = (char *)layout + f->offset;
    limn_json_node node;
    LIMN_TRY(limn_json_get(&node, object, f->key, err));
    switch (f->type) {
    case NORM:
    case MEMORY:
    case ACTIVATION: return read_name(place, &node, names_of(f->type), err);
    case EPS: return read_eps(place, &node, err);
    case FLAG: return limn_json_as_bool(place, &node, err);
    case POSITION: return read_whole(place, &node, 16, err);
    case TOKEN: break;
    }
    if (!json_is_null(node.value)) return read_whole(place, &node, LIMN_NO_TOKEN - 1, err);
    *(uint32_t *)place = LIMN_NO_TOKEN;
    return LIMN_OK;
}

static bool is_field(const char *key)
{
    for (size_t i = 0; i < N_FIELDS; i++)
        if (strcmp(key, fields[i].key) == 0) return true;
    return strcmp(key, "name") == 0;
}

static limn_status read_object(limn_decoder_layout *out, const limn_json_node *layout,
                               limn_error *err)
{
    const char *name, *key;
    json_t *value;
    LIMN_TRY(limn_json_string(&name, layout, "name", err));
    LIMN_TRY(limn_decoder_layout_find(out, name, err));
    json_object_foreach((json_t *)layout->value, key, value) /* jansson reads it only */
        if (!is_field(key)) return limn_json_fail(layout, err, LIMN_E_FORMAT,
                                                  "\"%.40s\" is not a field of a layout", key);
    for (size_t i = 0; i < N_FIELDS; i++)
        if (limn_json_has(layout, fields[i].key))
            LIMN_TRY(read_field(out, &fields[i], layout, err));
    return LIMN_OK;
}

limn_status limn_layout_read(limn_decoder_layout *out, const limn_json_node *decoder,
                             limn_error *err)
{
    limn_json_node node;
    *out = (limn_decoder_layout)LIMN_LAYOUT_LIMN;
    if (!limn_json_has(decoder, "layout")) return LIMN_OK;
    LIMN_TRY(limn_json_get(&node, decoder, "layout", err));
    if (json_is_string(node.value))
        return limn_decoder_layout_find(out, json_string_value(node.value), err);
    LIMN_TRY(limn_json_as_object(&node, err));
    return read_object(out, &node, err);
}

/* ---- writing ---- */

static json_t *field_value(const limn_decoder_layout *layout, const struct field *f)
{
    const void *place = (const char *)layout + f->offset;
    const uint32_t whole = f->type == EPS || f->type == FLAG ? 0 : *(const uint32_t *)place;
    switch (f->type) {
    case NORM:
    case MEMORY:
    case ACTIVATION: return json_string(names_of(f->type)[whole]);
    case EPS: return limn_json_float(*(const float *)place);
    case FLAG: return json_boolean(*(const bool *)place);
    case POSITION:
    case TOKEN: break;
    }
    return whole == LIMN_NO_TOKEN ? json_null() : json_integer(whole);
}

json_t *limn_layout_write(const limn_decoder_layout *layout)
{
    limn_decoder_layout known;
    if (limn_decoder_layout_find(&known, layout->name, NULL) != LIMN_OK) return NULL;
    if (limn_decoder_layouts_equal(layout, &known)) {
        const limn_decoder_layout own = LIMN_LAYOUT_LIMN;
        return strcmp(known.name, own.name) == 0 ? NULL : json_string(known.name);
    }
    json_t *object = json_pack("{s:s}", "name", layout->name);
    for (size_t i = 0; i < N_FIELDS; i++) {
        json_t *value = field_value(layout, &fields[i]), *old = field_value(&known, &fields[i]);
        if (!json_equal(value, old)) json_object_set(object, fields[i].key, value);
        json_decref(value);
        json_decref(old);
    }
    return object;
}
