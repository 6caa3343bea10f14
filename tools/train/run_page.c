#include "tools/train/run_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"
#include "common/text/path.h"
#include "common/text/utf8.h"
#include "tools/page/page.h"
#include "models/train/run_log.h"
#include "models/train/sample_images.h"

/* run_page.html, .css and .js, made into arrays at build */
extern const char limn_run_page_html[], limn_run_page_css[], limn_run_page_js[];

enum {
    MAX_POINTS = 600,
    MAX_EVALUATIONS = 300,
    MAX_SAMPLED = 48, /* evaluations whose captions are shown */
    MAX_SAMPLES = 16, /* images */
    MAX_SCORES = 16,
    MAX_TEXT = 300, /* bytes of a caption */
};
#define MAX_SETTINGS ((size_t)64 << 10) /* bytes of run.json */

typedef struct run_page {
    limn_run_log log;
    json_t *settings; /* run.json; NULL without */
    json_t *images;   /* sample_images.h */
    const char *log_path;
} run_page;

/* ---- values -------------------------------------------------------------------------------- */

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* At most MAX_TEXT bytes of a string, whole characters. */
static json_t *short_text(const json_t *string)
{
    const char *text = json_is_string(string) ? json_string_value(string) : "";
    size_t size = strlen(text);
    if (size <= MAX_TEXT) return json_string(text);
    for (size = MAX_TEXT; size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80;) size--;
    return json_sprintf("%.*s…", (int)size, text);
}

/* Copies a member if it is a number. */
static void copy_number(json_t *out, const json_t *from, const char *key)
{
    const json_t *value = json_object_get(from, key);
    if (json_is_number(value))
        json_object_set_new(out, key, real_or_null(json_number_value(value)));
}

static void copy_text(json_t *out, const json_t *from, const char *key)
{
    if (json_is_string(json_object_get(from, key)))
        json_object_set_new(out, key, short_text(json_object_get(from, key)));
}

/* ---- curves -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} curves[] = {
    { "step", offsetof(limn_run_point, step) },
    { "epoch", offsetof(limn_run_point, epoch) },
    { "seconds", offsetof(limn_run_point, seconds) },
    { "loss", offsetof(limn_run_point, loss) },
    { "reward", offsetof(limn_run_point, reward) },
    { "rate", offsetof(limn_run_point, rate) },
    { "norm", offsetof(limn_run_point, norm) },
    { "speed", offsetof(limn_run_point, tokens_per_second) },
};

static json_t *points_object(const limn_run_log *log)
{
    json_t *object = json_object();
    for (size_t c = 0; c < sizeof curves / sizeof *curves; c++) {
        json_t *values = json_array();
        for (size_t i = 0; i < log->n_points; i++) {
            const unsigned char *p = (const unsigned char *)&log->points[i];
            double value;
            memcpy(&value, p + curves[c].offset, sizeof value);
            json_array_append_new(values, real_or_null(value));
        }
        json_object_set_new(object, curves[c].name, values);
    }
    return object;
}

static json_t *stages_array(const limn_run_log *log)
{
    static const char *const numbers[] = { "n_steps", "pictures", "captions", "tokens",
                                           "parameters" };
    json_t *array = json_array();
    for (size_t i = 0; i < log->n_stages; i++) {
        json_t *stage = json_object();
        json_object_set_new(stage, "name", json_string(log->stages[i].name));
        json_object_set_new(stage, "first", real_or_null(log->stages[i].first_step));
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            copy_number(stage, log->stages[i].line, numbers[k]);
        json_array_append_new(array, stage);
    }
    return array;
}

/* ---- evaluations --------------------------------------------------------------------------- */

/* Whether number i of n is among max of them that lie evenly, the first and the last included. */
static bool is_among(size_t i, size_t n, size_t max)
{
    if (n <= max || i + 1 == n) return true;
    return i * (max - 1) / (n - 1) != (i + 1) * (max - 1) / (n - 1) || i == 0;
}

static bool is_best(const json_t *evaluation)
{
    return json_is_true(json_object_get(evaluation, "is_best"));
}

/* The number of the last evaluation that was the best so far; n without. */
static size_t find_best(const limn_run_log *log)
{
    size_t best = log->n_evaluations;
    for (size_t i = 0; i < log->n_evaluations; i++)
        if (is_best(log->evaluations[i])) best = i;
    return best;
}

static json_t *scores_object(const json_t *scores)
{
    json_t *object = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)scores, key, value) if (json_is_number(value) &&
                                                          json_object_size(object) < MAX_SCORES &&
                                                          strlen(key) < 32)
        json_object_set_new(object, key, real_or_null(json_number_value(value)));
    return object;
}

static json_t *captions_array(const json_t *samples)
{
    json_t *array = json_array();
    for (size_t i = 0; i < json_array_size(samples) && i < MAX_SAMPLES; i++) {
        const json_t *sample = json_array_get(samples, i);
        json_array_append_new(array,
                              json_pack("[o, o]", short_text(json_object_get(sample, "file")),
                                        short_text(json_object_get(sample, "caption"))));
    }
    return array;
}

static json_t *evaluation_object(const json_t *line, bool has_captions)
{
    static const char *const numbers[] = { "step", "epoch", "loss", "distinct", "bad_endings" };
    json_t *object = json_object();
    copy_text(object, line, "set");
    copy_text(object, line, "stage");
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        copy_number(object, line, numbers[k]);
    json_object_set_new(object, "scores", scores_object(json_object_get(line, "scores")));
    json_object_set_new(object, "best", json_boolean(is_best(line)));
    if (has_captions && json_array_size(json_object_get(line, "samples")) > 0)
        json_object_set_new(object, "captions", captions_array(json_object_get(line, "samples")));
    return object;
}

static json_t *evaluations_array(const limn_run_log *log)
{
    const size_t n = log->n_evaluations, best = find_best(log);
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        const bool has_captions = is_among(i, n, MAX_SAMPLED) || i == best;
        if (has_captions || is_among(i, n, MAX_EVALUATIONS))
            json_array_append_new(array, evaluation_object(log->evaluations[i], has_captions));
    }
    return array;
}

/* The references of each sample, as the last evaluation gives them. */
static json_t *references_object(const limn_run_log *log)
{
    json_t *object = json_object();
    for (size_t i = 0; i < log->n_evaluations; i++) {
        const json_t *samples = json_object_get(log->evaluations[i], "samples");
        for (size_t k = 0; k < json_array_size(samples) && k < MAX_SAMPLES; k++) {
            const json_t *sample = json_array_get(samples, k);
            json_t *file = short_text(json_object_get(sample, "file")), *list = json_array();
            const json_t *references = json_object_get(sample, "references");
            for (size_t r = 0; r < json_array_size(references) && r < 2; r++)
                json_array_append_new(list, short_text(json_array_get(references, r)));
            if (json_object_size(object) < 4 * MAX_SAMPLES)
                json_object_set_new(object, json_string_value(file), list);
            else
                json_decref(list);
            json_decref(file);
        }
    }
    return object;
}

/* ---- the page ------------------------------------------------------------------------------ */

static limn_status append_data(limn_buffer *out, void *ctx, limn_error *err)
{
    run_page *p = ctx;
    char *text;
    json_t *data = json_object();
    json_object_set_new(data, "stages", stages_array(&p->log));
    json_object_set_new(data, "points", points_object(&p->log));
    json_object_set_new(data, "evaluations", evaluations_array(&p->log));
    json_object_set_new(data, "references", references_object(&p->log));
    json_object_set_new(data, "end", p->log.end ? json_incref(p->log.end) : json_null());
    json_object_set_new(data, "settings", p->settings ? json_incref(p->settings) : json_null());
    json_object_set(data, "pictures", p->images);
    text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(data);
    if (!text) return limn_fail(err, LIMN_E_NOMEM, "out of memory for the page of a run");
    limn_page_append_json(out, text);
    free(text);
    return LIMN_OK;
}

/* The part of a path from its last slash but one to its last: the name of the run's folder. */
static limn_status append_title(limn_buffer *out, void *ctx, limn_error *err)
{
    const run_page *p = ctx;
    const char *end = strrchr(p->log_path, '/'), *start = end;
    (void)err;
    while (start && start > p->log_path && start[-1] != '/') start--;
    char *name = start && end > start ? limn_strndup(start, (size_t)(end - start)) : NULL;
    limn_buffer_append_text(out, "Training");
    if (name && strcmp(name, ".") != 0) {
        limn_buffer_append_text(out, " – ");
        limn_page_escape(out, limn_utf8_valid_size(name, strlen(name)) == strlen(name) ? name : "");
    }
    limn_free(name);
    return LIMN_OK;
}

/* Without its script, the page can only load itself again. */
static limn_status append_refresh(limn_buffer *out, void *ctx, limn_error *err)
{
    const run_page *p = ctx;
    (void)err;
    if (!p->log.end) limn_buffer_append_text(out, "<meta http-equiv=\"refresh\" content=\"30\">");
    return LIMN_OK;
}

/* Appends the path of a file beside the log. */
static void append_beside(limn_buffer *path, const char *log_path, const char *name)
{
    limn_buffer_append(path, log_path, limn_path_folder_size(log_path));
    limn_buffer_append_text(path, name);
}

/* run.json and samples.json beside the log; a missing or broken one is none: the curves matter
 * more. */
static limn_status read_beside(run_page *p, limn_error *err)
{
    limn_buffer run = { 0 }, samples = { 0 };
    unsigned char *text = NULL;
    size_t size;
    append_beside(&run, p->log_path, "run.json");
    append_beside(&samples, p->log_path, "samples.json");
    const bool is_short = run.has_failed || samples.has_failed;
    if (!is_short && limn_file_read(&text, &size, run.bytes, MAX_SETTINGS, NULL) == LIMN_OK)
        limn_json_parse(&p->settings, text, size, NULL);
    if (!is_short) p->images = limn_sample_images_read(samples.bytes);
    limn_free(text);
    limn_buffer_finish(&run);
    limn_buffer_finish(&samples);
    return p->images ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory for a page");
}

limn_status limn_run_page_write(const char *html_path, const char *log_path, limn_error *err)
{
    const limn_page_part parts[] = {
        { "title", NULL, append_title },  { "refresh", NULL, append_refresh },
        { "data", NULL, append_data },    { "css", limn_run_page_css, NULL },
        { "js", limn_run_page_js, NULL },
    };
    run_page page = { .log_path = log_path };
    limn_status s = limn_run_log_read(&page.log, log_path, err);
    if (s == LIMN_OK) s = read_beside(&page, err);
    if (s == LIMN_OK) {
        limn_run_log_thin(&page.log, MAX_POINTS);
        s = limn_page_write(html_path, false, limn_run_page_html, parts,
                            sizeof parts / sizeof *parts, &page, err);
    }
    json_decref(page.settings);
    json_decref(page.images);
    limn_run_log_finish(&page.log);
    return s;
}
