#include "models/eval/eval_subsets.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/path.h"

enum { MAX_FILE_SIZE = 1 << 28 };

static limn_status read_names(limn_string_table *names, const char *path, limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    limn_status status = limn_file_read(&bytes, &size, path, MAX_FILE_SIZE, err);
    for (char *line = (char *)bytes; status == LIMN_OK && *line;) {
        const size_t line_size = strcspn(line, "\n"), name_size = strcspn(line, "\t\r\n");
        const bool is_last = !line[line_size];
        uint32_t number;
        line[name_size < line_size ? name_size : line_size] = '\0';
        status = limn_string_table_add(&number, names, line, strlen(line), err);
        const char *name = limn_path_last(line);
        if (status == LIMN_OK && name != line)
            status = limn_string_table_add(&number, names, name, strlen(name), err);
        line += line_size + !is_last;
    }
    limn_free(bytes);
    return status;
}

static bool is_named(const limn_string_table *names, const char *id)
{
    const char *name = limn_path_last(id);
    uint32_t number;
    return limn_string_table_find(&number, names, id, strlen(id)) ||
           limn_string_table_find(&number, names, name, strlen(name));
}

/* members [n_images]: which images the file names. */
static limn_status find_members(bool *members, limn_eval_subset *subset, const char *path,
                                const limn_eval_data *data, limn_error *err)
{
    limn_string_table names = { 0 };
    const limn_status status = read_names(&names, path, err);
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++) {
        members[i] = is_named(&names, data->images[i].id);
        subset->n_images += members[i];
    }
    limn_string_table_finish(&names);
    if (status != LIMN_OK || subset->n_images > 0) return status;
    return limn_fail(err, LIMN_E_ARG, "--subset %s: names none of the %zu images, e.g. %s", path,
                     data->n_images, data->images[0].id);
}

static void score(limn_eval_subset *subset, const bool *members, size_t n_images,
                  const limn_eval_result *results, size_t n_results)
{
    for (size_t r = 0; r < n_results; r++) {
        const limn_eval_metric *metric = results[r].metric;
        double sum[LIMN_EVAL_MAX_STATS] = { 0 };
        for (size_t i = 0; i < n_images; i++)
            for (size_t k = 0; members[i] && k < metric->n_stats; k++)
                sum[k] += results[r].stats[i * metric->n_stats + k];
        metric->score(subset->scores[r], sum, subset->n_images, results[r].settings);
    }
}

/* Diversity of the data with fewer images. */
static limn_status measure_diversity(limn_eval_subset *subset, const bool *members,
                                     const limn_eval_data *data, const limn_eval_settings *settings,
                                     limn_error *err)
{
    limn_eval_data part = *data;
    part.images = limn_calloc(subset->n_images, sizeof *part.images);
    part.n_images = part.n_hyps = 0;
    if (!part.images) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a subset");
    for (size_t i = 0; i < data->n_images; i++) {
        if (!members[i]) continue;
        part.images[part.n_images++] = data->images[i];
        part.n_hyps += data->images[i].n_hyps;
    }
    const limn_status status =
        limn_eval_diversity_measure(&subset->diversity, &part, NULL, settings, err);
    limn_free(part.images);
    return status;
}

static char *name_of(const char *path)
{
    const char *name = limn_path_last(path), *dot = strrchr(name, '.');
    return limn_strndup(name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static limn_status measure(limn_eval_subset *out, bool *members, const char *path,
                           const limn_eval_data *data, const limn_eval_result *results,
                           size_t n_results, const limn_eval_settings *settings, limn_error *err)
{
    out->name = name_of(path);
    out->scores = limn_calloc(n_results + 1, sizeof *out->scores);
    if (!out->name || !out->scores)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for a subset");
    LIMN_TRY(find_members(members, out, path, data, err));
    score(out, members, data->n_images, results, n_results);
    return measure_diversity(out, members, data, settings, err);
}

limn_status limn_eval_subsets_measure(limn_eval_subsets *out, const char *const *paths,
                                      size_t n_paths, const limn_eval_data *data,
                                      const limn_eval_result *results, size_t n_results,
                                      const limn_eval_settings *settings, limn_error *err)
{
    limn_status status = LIMN_OK;
    *out = (limn_eval_subsets){ 0 };
    if (n_paths == 0) return LIMN_OK;
    bool *members = limn_calloc(data->n_images, sizeof *members);
    out->items = limn_calloc(n_paths, sizeof *out->items);
    if (!members || !out->items) status = limn_fail(err, LIMN_E_NOMEM, "out of memory for subsets");
    for (size_t i = 0; status == LIMN_OK && i < n_paths; i++) {
        out->n_items++;
        status =
            measure(&out->items[i], members, paths[i], data, results, n_results, settings, err);
    }
    limn_free(members);
    return status;
}

void limn_eval_subsets_finish(limn_eval_subsets *subsets)
{
    for (size_t i = 0; i < subsets->n_items; i++) {
        limn_free(subsets->items[i].name);
        limn_free(subsets->items[i].scores);
    }
    limn_free(subsets->items);
    *subsets = (limn_eval_subsets){ 0 };
}
