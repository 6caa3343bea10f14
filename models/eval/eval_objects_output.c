/* Output of the counts of objects. */
#include "models/eval/eval_objects.h"

#include <stdlib.h>

static double share(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

/* The classes that are named where they are not shown: the most often first, then in COCO's order.
 * Returns their number. */
static size_t sort_made_up(size_t out[LIMN_N_OBJECTS], const limn_eval_objects *objects)
{
    size_t n = 0;
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++) {
        size_t at = n;
        if (objects->classes[c].n_false == 0) continue;
        for (; at > 0 && objects->classes[out[at - 1]].n_false < objects->classes[c].n_false; at--)
            out[at] = out[at - 1];
        out[at] = c;
        n++;
    }
    return n;
}

void limn_eval_objects_render_text(limn_buffer *out, const limn_eval_objects *objects)
{
    enum { SHOWN = 20 };
    size_t classes[LIMN_N_OBJECTS];
    const size_t n = sort_made_up(classes, objects);
    if (n == 0) return;
    limn_buffer_append_text(out, "named, but by no reference     recall\n");
    for (size_t i = 0; i < n && i < SHOWN; i++) {
        const limn_eval_object_count *c = &objects->classes[classes[i]];
        limn_buffer_printf(out, "  %-14s %4zu %6.2f %%", limn_object_name(classes[i]), c->n_false,
                           100 * share(c->n_false, c->n_absent));
        if (c->n_shown > 0) limn_buffer_printf(out, "  %3zu of %zu", c->n_found, c->n_shown);
        limn_buffer_append_text(out, "\n");
    }
    if (n > SHOWN) limn_buffer_printf(out, "  and %zu more classes\n", n - SHOWN);
}

static json_t *count_object(const limn_eval_object_count *c)
{
    json_t *object = json_object();
    json_object_set_new(object, "shown", json_integer((json_int_t)c->n_shown));
    json_object_set_new(object, "found", json_integer((json_int_t)c->n_found));
    json_object_set_new(object, "absent", json_integer((json_int_t)c->n_absent));
    json_object_set_new(object, "false", json_integer((json_int_t)c->n_false));
    json_object_set_new(object, "false_rate", json_real(share(c->n_false, c->n_absent)));
    json_object_set_new(object, "recall", json_real(share(c->n_found, c->n_shown)));
    return object;
}

json_t *limn_eval_objects_json(const limn_eval_objects *objects)
{
    json_t *object = json_object(), *classes = json_object();
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++)
        if (objects->classes[c].n_shown > 0 || objects->classes[c].n_false > 0)
            json_object_set_new(classes, limn_object_name(c), count_object(&objects->classes[c]));
    json_object_set_new(object, "people", count_object(&objects->people));
    json_object_set_new(object, "classes", classes);
    return object;
}

json_t *limn_eval_objects_made_up_json(const limn_eval_objects *objects, size_t image)
{
    json_t *array = json_array();
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++)
        if (limn_object_set_has(objects->made_up[image], c))
            json_array_append_new(array, json_string(limn_object_name(c)));
    return array;
}

void limn_eval_objects_render_html(limn_buffer *out, const limn_eval_objects *objects)
{
    size_t classes[LIMN_N_OBJECTS];
    const size_t n = sort_made_up(classes, objects);
    if (n == 0) return;
    limn_buffer_append_text(out, "<details><summary>Objects that captions name and no reference "
                                 "does</summary>\n<table>\n<tr><th scope=\"col\">object</th><th "
                                 "scope=\"col\">captions</th><th scope=\"col\">of images "
                                 "without</th><th scope=\"col\">found where shown</th></tr>\n");
    for (size_t i = 0; i < n; i++) {
        const limn_eval_object_count *c = &objects->classes[classes[i]];
        limn_buffer_printf(out,
                           "<tr><th scope=\"row\">%s</th><td>%zu</td><td>%.1f&nbsp;%%</td><td>%zu "
                           "of %zu</td></tr>\n",
                           limn_object_name(classes[i]), c->n_false,
                           100 * share(c->n_false, c->n_absent), c->n_found, c->n_shown);
    }
    limn_buffer_append_text(out, "</table></details>\n");
}
