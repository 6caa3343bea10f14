#include "tools/annotate/sinks/name_owners.h"

#include <string.h>

#include "common/base/mem.h"

limn_status limn_name_owners_claim(limn_name_owners *o, const char *name, const char *image,
                                   const char **owner, limn_error *err)
{
    const size_t n_before = o->names.n_strings;
    uint32_t number;
    LIMN_TRY(limn_string_table_add(&number, &o->names, name, strlen(name), err));
    if (o->names.n_strings > n_before) {
        if (!limn_grow((void **)&o->owners, &o->capacity, o->names.n_strings, sizeof *o->owners))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        LIMN_TRY(limn_string_table_add(&o->owners[number], &o->images, image, strlen(image), err));
    }
    *owner = limn_string_table_get(&o->images, o->owners[number]);
    return LIMN_OK;
}

bool limn_name_owners_has(const limn_name_owners *o, const char *name)
{
    uint32_t number;
    return limn_string_table_find(&number, &o->names, name, strlen(name));
}

void limn_name_owners_finish(limn_name_owners *o)
{
    limn_string_table_finish(&o->names);
    limn_string_table_finish(&o->images);
    limn_free(o->owners);
    *o = (limn_name_owners){ 0 };
}
