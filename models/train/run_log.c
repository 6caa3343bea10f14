#include "models/train/run_log.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"

#define MAX_LOG_SIZE ((size_t)1 << 30) /* bytes */

void limn_run_log_finish(limn_run_log *log)
{
    for (size_t i = 0; i < log->n_stages; i++) {
        json_decref(log->stages[i].line);
        limn_free(log->stages[i].name);
    }
    for (size_t i = 0; i < log->n_evaluations; i++) json_decref(log->evaluations[i]);
    json_decref(log->end);
    limn_free(log->stages);
    limn_free(log->points);
    limn_free(log->evaluations);
    *log = (limn_run_log){ 0 };
}

/* ---- lines --------------------------------------------------------------------------------- */

static double number(const json_t *line, const char *key)
{
    const json_t *value = json_object_get(line, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *string(const json_t *line, const char *key)
{
    const char *value = json_string_value(json_object_get(line, key));
    return value ? value : "";
}

static limn_status no_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory for the log of a run");
}

static limn_status add_stage(limn_run_log *log, json_t *line, const char *name, double first_step,
                             limn_error *err)
{
    char *copy = limn_strdup(name);
    if (!copy || !limn_grow((void **)&log->stages, &log->stages_capacity, log->n_stages + 1,
                            sizeof *log->stages)) {
        limn_free(copy);
        return no_memory(err);
    }
    log->stages[log->n_stages++] = (limn_run_log_stage){ json_incref(line), copy, first_step };
    return LIMN_OK;
}

static bool is_current_stage(const limn_run_log *log, const char *name)
{
    return log->n_stages > 0 && strcmp(log->stages[log->n_stages - 1].name, name) == 0;
}

/* A resumed run writes its "start" line again: that is not a new stage. The line's step, if any, is
 * the first one still to be done. */
static limn_status add_start(limn_run_log *log, json_t *line, limn_error *err)
{
    const char *name = string(line, "stage");
    const double step = number(line, "step"),
                 last = log->n_points ? log->points[log->n_points - 1].step : 0;
    if (is_current_stage(log, name)) return LIMN_OK;
    return add_stage(log, line, name, isnan(step) ? last : step - 1, err);
}

static limn_status add_point(limn_run_log *log, json_t *line, limn_error *err)
{
    const limn_run_point point = {
        .step = number(line, "step"),
        .epoch = number(line, "epoch"),
        .seconds = number(line, "seconds"),
        .loss = number(line, "loss"),
        .reward = number(line, "reward"),
        .rate = number(line, "rate"),
        .norm = number(line, "norm"),
        .tokens_per_second = number(line, "tokens_per_second"),
        .tokens = number(line, "tokens"),
    };
    const double before = log->n_points ? log->points[log->n_points - 1].step : 0;
    if (isnan(point.step)) return LIMN_OK;
    if (!is_current_stage(log, string(line, "stage")))
        LIMN_TRY(add_stage(log, NULL, string(line, "stage"), before, err));
    if (!limn_grow((void **)&log->points, &log->points_capacity, log->n_points + 1,
                   sizeof *log->points))
        return no_memory(err);
    log->points[log->n_points] = point;
    log->points[log->n_points++].stage = log->n_stages - 1;
    return LIMN_OK;
}

static limn_status add_evaluation(limn_run_log *log, json_t *line, limn_error *err)
{
    if (!limn_grow((void **)&log->evaluations, &log->evaluations_capacity, log->n_evaluations + 1,
                   sizeof *log->evaluations))
        return no_memory(err);
    log->evaluations[log->n_evaluations++] = json_incref(line);
    return LIMN_OK;
}

/* Lines of other kinds are skipped: later versions may write more. A run may be resumed after its
 * end, with more epochs. */
static limn_status add_line(limn_run_log *log, json_t *line, limn_error *err)
{
    const char *kind = string(line, "kind");
    json_decref(log->end);
    log->end = strcmp(kind, "end") == 0 ? json_incref(line) : NULL;
    if (strcmp(kind, "start") == 0) return add_start(log, line, err);
    if (strcmp(kind, "step") == 0) return add_point(log, line, err);
    if (strcmp(kind, "dev") == 0) return add_evaluation(log, line, err);
    return LIMN_OK;
}

/* ---- reading ------------------------------------------------------------------------------- */

static limn_status read_line(limn_run_log *log, const char *bytes, size_t size, limn_error *err)
{
    json_t *line = NULL;
    limn_status s = limn_json_parse(&line, bytes, size, err);
    if (s == LIMN_OK && !json_is_object(line))
        s = limn_fail(err, LIMN_E_FORMAT, "is not a JSON object");
    if (s == LIMN_OK) s = add_line(log, line, err);
    json_decref(line);
    return s;
}

/* Without a newline at its end, the last line is torn. */
static limn_status read_lines(limn_run_log *log, const char *text, size_t size, limn_error *err)
{
    const char *end, *line = text;
    for (size_t n = 1; (end = memchr(line, '\n', size - (size_t)(line - text))); n++) {
        if (end > line) {
            const limn_status s = read_line(log, line, (size_t)(end - line), err);
            if (s != LIMN_OK) {
                limn_error_prefix(err, "line %zu", n);
                return s;
            }
        }
        line = end + 1;
    }
    return LIMN_OK;
}

limn_status limn_run_log_read(limn_run_log *out, const char *path, limn_error *err)
{
    unsigned char *text = NULL;
    size_t size;
    limn_status s;
    *out = (limn_run_log){ 0 };
    LIMN_TRY(limn_file_read(&text, &size, path, MAX_LOG_SIZE, err));
    s = read_lines(out, (const char *)text, size, err);
    limn_free(text);
    if (s == LIMN_OK) return LIMN_OK;
    limn_error_prefix(err, "%s", path);
    limn_run_log_finish(out);
    return s;
}

/* ---- thinning ------------------------------------------------------------------------------ */

/* The mean of two values by their weights; where one is unknown, the other. */
static double mean(double a, double weight_a, double b, double weight_b)
{
    if (isnan(a)) return b;
    if (isnan(b)) return a;
    if (!(weight_a + weight_b > 0)) return b;
    return (a * weight_a + b * weight_b) / (weight_a + weight_b);
}

/* The time that the tokens of a point took. */
static double duration(const limn_run_point *p)
{
    return p->tokens_per_second > 0 ? p->tokens / p->tokens_per_second : NAN;
}

/* `b` becomes both points. */
static void merge(limn_run_point *b, const limn_run_point *a)
{
    const double took = duration(a) + duration(b);
    b->loss = mean(a->loss, a->tokens, b->loss, b->tokens);
    b->reward = mean(a->reward, a->tokens, b->reward, b->tokens);
    b->norm = mean(a->norm, a->tokens, b->norm, b->tokens);
    if (took > 0) b->tokens_per_second = (a->tokens + b->tokens) / took;
    b->tokens += a->tokens;
}

void limn_run_log_thin(limn_run_log *log, size_t max_points)
{
    const size_t group = (log->n_points + max_points - 1) / max_points;
    size_t n = 0, n_merged = 0; /* points that went into the one at n */
    for (size_t i = 0; i < log->n_points; i++) {
        limn_run_point *p = &log->points[i];
        if (n_merged > 0) merge(p, &log->points[n]);
        log->points[n] = *p;
        n_merged++;
        if (n_merged >= group || i + 1 == log->n_points || p[1].stage != p->stage) {
            n++;
            n_merged = 0;
        }
    }
    log->n_points = n;
}
