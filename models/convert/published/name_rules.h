/* The names of a published captioner's tensors, and how each of ours is made from them. "Theirs" is
 * the published tensor, "ours" the one in the model file. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_NAME_RULES_H
#define LIMN_MODELS_CONVERT_PUBLISHED_NAME_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/weights/tensor_table.h"
#include "models/convert/tensor_list.h"

#define MAX_PUBLISHED_NAME 192 /* bytes with the NUL */

/* In both names '*' is the number of a layer, and '%' is "weight" or "bias". */
typedef struct name_rule {
    const char *ours, *theirs;
    /* Ours is the `part`-th of `n_parts` equal parts of the outputs of theirs; 0, 0: all of
     * them. */
    uint8_t part, n_parts;
    uint8_t n_ones;     /* dimensions of 1 that theirs has before ours */
    bool is_transposed; /* their matrix is [inputs, outputs] */
    bool takes_first;   /* theirs may have more rows, of which ours are the first */
} name_rule;

/* For tables of rules. */
#define NAME_RULE(of_ours, of_theirs)            \
    {                                            \
        .ours = (of_ours), .theirs = (of_theirs) \
    }
#define NAME_RULE_PART(of_ours, of_theirs, i, n)                              \
    {                                                                         \
        .ours = (of_ours), .theirs = (of_theirs), .part = (i), .n_parts = (n) \
    }

/* The rule for a tensor of ours among `rules` (ended by one without `ours`), and what theirs is
 * called with `prefix`; NULL when there is none. LIMN_E_LIMIT is impossible: names of ours are
 * short. */
const name_rule *name_rule_find(char theirs[MAX_PUBLISHED_NAME], const name_rule *rules,
                                const char *prefix, const char *ours);

/* Marks theirs as used and checks its shape. Errors as tensor_list_require. */
limn_status name_rule_check(const name_rule *rule, tensor_list *list, const char *theirs,
                            const limn_tensor_spec *spec, limn_error *err);
/* The values of `spec`; the caller frees `*out`. LIMN_E_FORMAT names a value that is not finite. */
limn_status name_rule_make(float **out, const name_rule *rule, tensor_list *list,
                           const char *theirs, const limn_tensor_spec *spec, limn_error *err);

#endif
