#include "tools/annotate/journal/name_set.h"

#include <string.h>

#include "common/base/mem.h"

void limn_name_set_finish(limn_name_set *set)
{
    limn_string_table_finish(&set->names);
    limn_free(set->counts);
    *set = (limn_name_set){ 0 };
}

limn_status limn_name_set_add(limn_name_set *set, const char *name, size_t size, limn_error *err)
{
    const size_t n_before = set->names.n_strings;
    uint32_t number;
    LIMN_TRY(limn_string_table_add(&number, &set->names, name, size, err));
    if (set->names.n_strings > n_before) {
        void *counts = set->counts;
        if (!limn_grow(&counts, &set->capacity, set->names.n_strings, sizeof *set->counts))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        set->counts = counts;
        set->counts[number] = 0;
    }
    if (set->counts[number] < UINT32_MAX) set->counts[number]++;
    return LIMN_OK;
}

bool limn_name_set_has(const limn_name_set *set, const char *name)
{
    uint32_t number;
    return limn_string_table_find(&number, &set->names, name, strlen(name));
}

bool limn_name_set_take(limn_name_set *set, const char *name)
{
    uint32_t number;
    if (!limn_string_table_find(&number, &set->names, name, strlen(name)) || !set->counts[number])
        return false;
    set->counts[number]--;
    return true;
}
