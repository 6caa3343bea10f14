#include "tools/annotate/input/input_count.h"

#include "tools/annotate/input/inputs.h"

/* A separate walk over the names; failures count too, as they do in the run. */
static void *count_main(void *arg)
{
    limn_input_count *c = arg;
    const limn_dirwalk_settings settings = limn_inputs_walk_settings_without_list(c->inputs);
    limn_dirwalk *walk = NULL;
    limn_dirwalk_entry entry = { 0 };
    limn_status s =
        limn_dirwalk_create(&walk, c->inputs->names, c->inputs->n_names, &settings, NULL);
    size_t n = 0;
    while (walk && s != LIMN_E_NOMEM && !atomic_load(&c->is_stopped)) {
        s = limn_dirwalk_next(walk, &entry, NULL);
        if (s == LIMN_OK && !entry.path) {
            atomic_store(&c->n_inputs, n);
            break;
        }
        if (limn_dirwalk_archive(walk) && limn_archive_is_compressed(limn_dirwalk_archive(walk)))
            break; /* counting its members is half the work of reading them */
        n++;
    }
    limn_dirwalk_destroy(&walk);
    return NULL;
}

void limn_input_count_start(limn_input_count *c, const limn_inputs *inputs, bool is_wanted)
{
    *c = (limn_input_count){ .inputs = inputs };
    atomic_init(&c->is_stopped, false);
    atomic_init(&c->n_inputs, 0);
    if (is_wanted && !limn_inputs_has_list(inputs))
        c->is_running = !pthread_create(&c->thread, NULL, count_main, c);
}

size_t limn_input_count_get(limn_input_count *c)
{
    return atomic_load(&c->n_inputs);
}

void limn_input_count_finish(limn_input_count *c)
{
    atomic_store(&c->is_stopped, true);
    if (c->is_running) pthread_join(c->thread, NULL);
}
