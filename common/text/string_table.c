#include "common/text/string_table.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"

enum { FIRST_SLOTS = 64 };

void limn_string_table_finish(limn_string_table *t)
{
    limn_buffer_finish(&t->bytes);
    limn_free(t->offsets);
    limn_free(t->slots);
    *t = (limn_string_table){ 0 };
}

const char *limn_string_table_get(const limn_string_table *t, uint32_t number)
{
    return t->bytes.bytes + t->offsets[number];
}

/* The slot of a string, or the free one where it belongs. The NUL after each string ends the
 * comparison with a longer one. */
static uint32_t *find_slot(const limn_string_table *t, const char *string, size_t size)
{
    size_t i = (size_t)limn_fnv1a64(LIMN_FNV1A64_INIT, string, size) & (t->n_slots - 1);
    for (;; i = (i + 1) & (t->n_slots - 1)) {
        if (!t->slots[i]) return &t->slots[i];
        const char *other = limn_string_table_get(t, t->slots[i] - 1);
        if (strncmp(other, string, size) == 0 && other[size] == '\0') return &t->slots[i];
    }
}

static limn_status grow_slots(limn_string_table *t, limn_error *err)
{
    const size_t n_slots = t->n_slots ? 2 * t->n_slots : FIRST_SLOTS;
    uint32_t *slots = limn_calloc(n_slots, sizeof *slots);
    if (!slots) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_free(t->slots);
    t->slots = slots;
    t->n_slots = n_slots;
    for (uint32_t i = 0; i < t->n_strings; i++) {
        const char *string = limn_string_table_get(t, i);
        *find_slot(t, string, strlen(string)) = i + 1;
    }
    return LIMN_OK;
}

limn_status limn_string_table_add(uint32_t *number, limn_string_table *t, const char *string,
                                  size_t size, limn_error *err)
{
    if (2 * (t->n_strings + 1) > t->n_slots) LIMN_TRY(grow_slots(t, err));
    uint32_t *slot = find_slot(t, string, size);
    if (!*slot) {
        if (t->n_strings >= INT32_MAX)
            return limn_fail(err, LIMN_E_LIMIT, "more than %d different strings", INT32_MAX);
        if (!limn_grow((void **)&t->offsets, &t->capacity, t->n_strings + 1, sizeof *t->offsets))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        t->offsets[t->n_strings] = t->bytes.size;
        limn_buffer_append(&t->bytes, string, size);
        limn_buffer_append(&t->bytes, "", 1);
        if (t->bytes.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        *slot = (uint32_t)++t->n_strings;
    }
    *number = *slot - 1;
    return LIMN_OK;
}

bool limn_string_table_find(uint32_t *number, const limn_string_table *t, const char *string,
                            size_t size)
{
    const uint32_t *slot = t->n_slots ? find_slot(t, string, size) : NULL;
    if (!slot || !*slot) return false;
    *number = *slot - 1;
    return true;
}
