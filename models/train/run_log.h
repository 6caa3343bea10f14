/* The log of a run, read for a page: its stages, a bounded number of points, its evaluations. */
#ifndef LIMN_MODELS_TRAIN_RUN_LOG_H
#define LIMN_MODELS_TRAIN_RUN_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/base/status.h"

/* The steps since the last line; NAN where the log does not say. */
typedef struct limn_run_point {
    double step, epoch, seconds; /* at the end */
    double loss, reward, norm;   /* means */
    double rate, tokens_per_second;
    double tokens;
    size_t stage; /* its number */
} limn_run_point;

/* A stage, from its "start" line, or from the first line that names another one. */
typedef struct limn_run_log_stage {
    json_t *line;      /* the "start" line, or NULL */
    char *name;        /* "" where the log does not say */
    double first_step; /* steps that were done before it */
} limn_run_log_stage;

typedef struct limn_run_log {
    limn_run_log_stage *stages; /* [n_stages] */
    limn_run_point *points;     /* [n_points] as in the log */
    json_t **evaluations;       /* [n_evaluations] "dev" lines */
    json_t *end;                /* the "end" line; NULL while the run goes on */
    size_t n_stages, n_points, n_evaluations;
    size_t stages_capacity, points_capacity, evaluations_capacity;
} limn_run_log;

/* Errors as limn_run_page_write. */
limn_status limn_run_log_read(limn_run_log *out, const char *path, limn_error *err);
void limn_run_log_finish(limn_run_log *log); /* accepts a zeroed one */

/* Merges neighbouring points of a stage until there are about max_points at most: loss, reward and
 * norm are then means over their tokens, the rest that of the last. */
void limn_run_log_thin(limn_run_log *log, size_t max_points);

#endif
