/* Fields of a configuration as transformers writes them: a field that is absent, or null, has the
 * default of its class; one that asks for different arithmetic is rejected by name, and so is an
 * unknown one. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_CONFIG_FIELDS_H
#define LIMN_MODELS_CONVERT_PUBLISHED_CONFIG_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/io/json.h"
#include "common/kernels/kernels.h"

/* A field that does not affect the computation, or that must have one value. */
typedef struct config_field {
    const char *key;
    const char *expected; /* JSON; NULL: any value; the field is read elsewhere or has no effect */
} config_field;

/* Checks every field of an object: its key must be in `fields` (ended by one without a key) or
 * among those of any configuration, and its value must be the expected one. LIMN_E_UNSUPPORTED
 * names the field, its value and what was expected. */
limn_status config_fields_check(const limn_json_node *object, const config_field *fields,
                                limn_error *err);

/* Checks those of `fields` alone that expect something. */
limn_status config_expect(const limn_json_node *object, const config_field *fields,
                          limn_error *err);

/* A member that is an object; `*out` is one without members where it is absent. `empty` is that
 * object. */
limn_status config_object(limn_json_node *out, const limn_json_node *object, const char *key,
                          const json_t *empty, limn_error *err);
/* Whether a field is there, and not null. */
bool config_has(const limn_json_node *object, const char *key);

limn_status config_count(uint32_t *out, const limn_json_node *object, const char *key,
                         uint32_t otherwise, uint32_t low, uint32_t high, limn_error *err);
limn_status config_real(float *out, const limn_json_node *object, const char *key, double otherwise,
                        double low, double high, limn_error *err);
limn_status config_flag(bool *out, const limn_json_node *object, const char *key, bool otherwise,
                        limn_error *err);
/* As transformers calls them: gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, relu. */
limn_status config_activation(limn_activation *out, const limn_json_node *object, const char *key,
                              const char *otherwise, limn_error *err);
/* The number of heads, which must divide `dim` (named `dim_key`) into heads of a multiple of 8. */
limn_status config_heads(uint32_t *out, const limn_json_node *object, const char *key,
                         uint32_t otherwise, uint32_t dim, const char *dim_key, limn_error *err);

#endif
