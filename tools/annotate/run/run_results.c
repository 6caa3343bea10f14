#include "tools/annotate/run/run_results.h"

#include <string.h>

#include "common/base/mem.h"

limn_status limn_run_results_add(limn_run_results *r, const char *name, limn_status status,
                                 bool is_left_out, limn_error *err)
{
    char *copy = limn_strdup(name);
    if (!copy || !limn_grow((void **)&r->items, &r->capacity, r->n_items + 1, sizeof *r->items)) {
        limn_free(copy);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    r->items[r->n_items++] = (limn_run_result){ copy, status, is_left_out };
    return LIMN_OK;
}

limn_run_result *limn_run_results_find(limn_run_results *r, const char *name)
{
    for (size_t i = r->n_items; i-- > 0;)
        if (r->items[i].status == LIMN_OK && !strcmp(r->items[i].name, name)) return &r->items[i];
    return NULL;
}

void limn_run_results_record(limn_run_results *r, limn_journal *journal)
{
    for (size_t i = 0; i < r->n_items; i++) {
        const limn_run_result *one = &r->items[i];
        if (one->is_left_out)
            limn_journal_add_left_out(journal, one->name);
        else
            limn_journal_add(journal, one->name, one->status);
        limn_free(one->name);
    }
    r->n_items = 0;
}

void limn_run_results_finish(limn_run_results *r)
{
    for (size_t i = 0; i < r->n_items; i++) limn_free(r->items[i].name);
    limn_free(r->items);
    *r = (limn_run_results){ 0 };
}
