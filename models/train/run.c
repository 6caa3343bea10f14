#include "models/train/run.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"

enum { MAX_CHECKPOINTS = 64, SECONDS_A_CHECKPOINT = 300 };

/* What was computed since the last line of the log. */
struct sums {
    double loss, norm, reward;
    uint64_t n_tokens, n_steps;
    double start; /* seconds */
};

struct run {
    const limn_run_settings *settings;
    const limn_run_parts *parts;
    limn_run_position position;
    uint64_t n_epoch_steps;
    struct sums sums;
    float rate;             /* of the last step */
    double clock_offset;    /* seconds of the run at clock 0 */
    double last_checkpoint; /* seconds */
    bool has_new_log;
};

static double seconds(const struct run *r)
{
    return limn_clock_seconds() + r->clock_offset;
}

static uint64_t global_step(const struct run *r)
{
    return r->settings->first_step + r->position.step;
}

static double epoch_of(const struct run *r)
{
    return (double)r->position.step / (double)r->n_epoch_steps;
}

/* ---- the log ------------------------------------------------------------------------------- */

/* Takes ownership of the object. */
static limn_status put_line(struct run *r, json_t *object, limn_error *err)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    const limn_status status =
        text ? limn_run_folder_log(r->parts->folder, text, err)
             : limn_fail(err, LIMN_E_NOMEM, "no memory for a line of the log");
    r->has_new_log = true;
    free(text);
    json_decref(object);
    return status;
}

/* Its step is the first one to be done, so that a run that resumes at the stage's beginning cuts
 * the line off and writes it again. */
static limn_status log_start(struct run *r, limn_error *err)
{
    return put_line(r,
                    json_pack("{s:s, s:s, s:I, s:I, s:I}", "kind", "start", "stage",
                              limn_stage_names[r->settings->stage], "step",
                              (json_int_t)global_step(r) + 1, "n_steps",
                              (json_int_t)r->settings->n_steps, "parameters",
                              (json_int_t)limn_trainer_params(r->parts->trainer)->n_floats),
                    err);
}

static double tokens_per_second(const struct run *r)
{
    const double took = seconds(r) - r->sums.start;
    return took > 0 ? (double)r->sums.n_tokens / took : 0;
}

static double mean_loss(const struct run *r)
{
    return r->sums.n_tokens ? r->sums.loss / (double)r->sums.n_tokens : 0;
}

static limn_status log_steps(struct run *r, limn_error *err)
{
    struct sums *s = &r->sums;
    if (s->n_steps == 0) return LIMN_OK;
    json_t *line = json_pack("{s:s, s:I, s:f, s:s, s:f, s:f, s:f, s:I, s:f, s:f}", "kind", "step",
                             "step", (json_int_t)global_step(r), "epoch", epoch_of(r), "stage",
                             limn_stage_names[r->settings->stage], "loss", mean_loss(r), "rate",
                             (double)r->rate, "norm", s->norm / (double)s->n_steps, "tokens",
                             (json_int_t)s->n_tokens, "tokens_per_second", tokens_per_second(r),
                             "seconds", seconds(r));
    if (line && r->settings->stage == LIMN_STAGE_REWARD)
        json_object_set_new(line, "reward", json_real(100 * s->reward / (double)s->n_steps));
    *s = (struct sums){ .start = seconds(r) };
    return put_line(r, line, err);
}

size_t limn_run_samples(size_t out[LIMN_RUN_N_SAMPLES], size_t n_dev)
{
    const size_t n = n_dev < LIMN_RUN_N_SAMPLES ? n_dev : LIMN_RUN_N_SAMPLES;
    for (size_t i = 0; i < n; i++) out[i] = i * n_dev / n;
    return n;
}

static json_t *samples(const struct run *r)
{
    const limn_run_parts *p = r->parts;
    size_t numbers[LIMN_RUN_N_SAMPLES];
    const size_t n = limn_run_samples(numbers, p->n_dev);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const size_t at = numbers[i];
        json_t *references = json_array();
        for (size_t k = 0; k < 2; k++)
            if (p->dev_references[2 * at + k])
                json_array_append_new(references, json_string(p->dev_references[2 * at + k]));
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o}", "file", p->dev_names[at], "caption",
                                        limn_dev_caption(p->dev, at), "references", references));
    }
    return list;
}

static limn_status log_scores(struct run *r, const limn_dev_scores *s, bool is_best,
                              limn_error *err)
{
    return put_line(r,
                    json_pack("{s:s, s:s, s:I, s:f, s:s, s:{s:f, s:f}, s:f, s:f, s:b, s:o}", "kind",
                              "dev", "set", "dev", "step", (json_int_t)global_step(r), "epoch",
                              epoch_of(r), "stage", limn_stage_names[r->settings->stage], "scores",
                              "BLEU-4", s->bleu_4, "CIDEr", s->cider, "distinct", s->distinct,
                              "bad_endings", s->bad_endings, "is_best", (int)is_best, "samples",
                              samples(r)),
                    err);
}

/* ---- checkpoints --------------------------------------------------------------------------- */

static limn_status checkpoint(struct run *r, limn_error *err)
{
    const limn_run_position *p = &r->position;
    char *state;
    r->position.seconds = seconds(r);
    r->last_checkpoint = seconds(r);
    json_t *object =
        json_pack("{s:s, s:I, s:I, s:f, s:I, s:f}", "fingerprint", r->settings->fingerprint,
                  "stage", (json_int_t)r->settings->stage_index, "step", (json_int_t)p->step,
                  "best", p->best, "best_step", (json_int_t)p->best_step, "seconds", p->seconds);
    state = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!state) return limn_fail(err, LIMN_E_NOMEM, "no memory for a checkpoint");
    const limn_status status = limn_run_folder_save(
        r->parts->folder, global_step(r), limn_trainer_params(r->parts->trainer),
        limn_trainer_optimizer(r->parts->trainer), state, err);
    free(state);
    return status;
}

static limn_status parse_state(limn_run_position *out, const char *fingerprint, const char *state,
                               limn_error *err)
{
    json_t *document = NULL;
    const char *is;
    uint32_t stage = 0, step = 0, best_step = 0;
    LIMN_TRY(limn_json_parse(&document, state, strlen(state), err));
    const limn_json_node root = limn_json_root(document);
    limn_status status = limn_json_string(&is, &root, "fingerprint", err);
    if (status == LIMN_OK && strcmp(is, fingerprint) != 0)
        status =
            limn_fail(err, LIMN_E_ARG,
                      "belongs to a run on other images, captions or settings; start a new run");
    if (status == LIMN_OK) status = limn_json_u32(&stage, &root, "stage", 0, 16, err);
    if (status == LIMN_OK) status = limn_json_u32(&step, &root, "step", 0, UINT32_MAX, err);
    if (status == LIMN_OK) status = limn_json_number(&out->best, &root, "best", -1, 10, err);
    if (status == LIMN_OK)
        status = limn_json_u32(&best_step, &root, "best_step", 0, UINT32_MAX, err);
    if (status == LIMN_OK) status = limn_json_number(&out->seconds, &root, "seconds", 0, 1e12, err);
    out->stage_index = stage;
    out->step = step;
    out->best_step = best_step;
    json_decref(document);
    return status;
}

/* Reads the position of a checkpoint. */
static limn_status read_position(limn_run_position *out, limn_run_folder *folder, uint64_t step,
                                 const char *fingerprint, limn_error *err)
{
    char *state = NULL;
    LIMN_TRY(limn_run_folder_state(&state, folder, step, err));
    const limn_status status = parse_state(out, fingerprint, state, err);
    if (status != LIMN_OK) limn_error_prefix(err, "checkpoint-%" PRIu64, step);
    out->file_step = step;
    limn_free(state);
    return status;
}

limn_status limn_run_find(limn_run_position *out, size_t *n_unreadable, limn_run_folder *folder,
                          const char *fingerprint, limn_error *err)
{
    uint64_t steps[MAX_CHECKPOINTS];
    const size_t n = limn_run_folder_checkpoints(steps, MAX_CHECKPOINTS, folder);
    size_t i = 0;
    limn_status status = n ? LIMN_E_FORMAT : LIMN_OK;
    *out = (limn_run_position){ .file_step = LIMN_RUN_NO_CHECKPOINT, .best = -1 };
    for (; i < n && status != LIMN_OK && status != LIMN_E_ARG; i++) {
        limn_error ignored = { 0 };
        status = read_position(out, folder, steps[i], fingerprint, &ignored);
        if (status == LIMN_E_ARG) return limn_fail(err, status, "%s", ignored.text);
    }
    if (status != LIMN_OK)
        *out = (limn_run_position){ .file_step = LIMN_RUN_NO_CHECKPOINT, .best = -1 };
    if (n_unreadable) *n_unreadable = status != LIMN_OK ? n : i ? i - 1 : 0;
    return limn_run_folder_trim_log(
        folder, out->file_step == LIMN_RUN_NO_CHECKPOINT ? 0 : out->file_step, err);
}

/* ---- development scores -------------------------------------------------------------------- */

static limn_status export_model(struct run *r, const char *path, limn_error *err)
{
    limn_model_export model = *r->parts->model;
    model.params = limn_trainer_params(r->parts->trainer);
    model.values = limn_trainer_optimizer(r->parts->trainer)->average;
    return limn_model_export_write(path, &model, err);
}

/* Renames the exported model to that of the best one. */
static limn_status keep_best(struct run *r, const char *path, limn_error *err)
{
    const char *best = limn_run_folder_file(r->parts->folder, "best.safetensors");
    LIMN_TRY(limn_file_take_name(path, best, err));
    r->position.best_step = global_step(r);
    return LIMN_OK;
}

static limn_status score(struct run *r, const char *path, limn_error *err)
{
    limn_dev_scores scores;
    LIMN_TRY(limn_dev_score(&scores, r->parts->dev, path, r->parts->pool, err));
    const bool is_best = scores.cider > r->position.best;
    LIMN_TRY(log_scores(r, &scores, is_best, err));
    if (!is_best)
        return remove(path) == 0 ? LIMN_OK
                                 : limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
    r->position.best = scores.cider;
    return keep_best(r, path, err);
}

/* Exports the moving average, scores it, and keeps it if it is the best. */
static limn_status evaluate(struct run *r, limn_error *err)
{
    char *copy = limn_strdup(limn_run_folder_file(r->parts->folder, "candidate.safetensors"));
    if (!copy) return limn_fail(err, LIMN_E_NOMEM, "no memory for a name");
    limn_status status = export_model(r, copy, err);
    if (status == LIMN_OK) status = r->parts->dev ? score(r, copy, err) : keep_best(r, copy, err);
    limn_free(copy);
    return status;
}

/* ---- the loop ------------------------------------------------------------------------------ */

static limn_status do_step(struct run *r, limn_error *err)
{
    const limn_run_parts *p = r->parts;
    const limn_batch *batch = limn_batches_get(p->batches, r->position.step);
    limn_trainer_input input = { 0 };
    limn_step_result result;
    if (batch->n_rows > 0) {
        LIMN_TRY(p->input(p->input_ctx, batch, &input, err));
        LIMN_TRY(limn_trainer_step(p->trainer, batch, &input, &result, err));
        r->sums.loss += result.loss;
        r->sums.norm += result.norm;
        r->sums.reward += result.reward;
        r->sums.n_tokens += batch->n_rows;
        r->sums.n_steps++;
        r->rate = result.rate;
    }
    r->position.step++;
    return LIMN_OK;
}

static bool report(struct run *r)
{
    const limn_run_parts *p = r->parts;
    const limn_run_report report = {
        .step = r->position.step,
        .n_steps = r->settings->n_steps,
        .epoch = epoch_of(r),
        .n_epochs = (double)r->settings->n_steps / (double)r->n_epoch_steps,
        .loss = mean_loss(r),
        .tokens_per_second = tokens_per_second(r),
        .best = r->position.best,
        .has_new_log = r->has_new_log,
    };
    const bool goes_on = !p->report || p->report(p->report_ctx, &report);
    r->has_new_log = false;
    return goes_on;
}

static bool is_checkpoint_due(const struct run *r)
{
    const uint64_t every = r->settings->checkpoint_steps;
    if (every) return r->position.step % every == 0;
    return seconds(r) - r->last_checkpoint > SECONDS_A_CHECKPOINT;
}

/* After a step: log, scores, checkpoint. Sums are reset at a checkpoint, so that a killed and
 * resumed run has the same log as an uninterrupted one. */
static limn_status after_step(struct run *r, limn_error *err)
{
    const limn_run_settings *s = r->settings;
    const bool is_end = r->position.step == s->n_steps;
    const bool is_epoch_end = is_end || r->position.step % r->n_epoch_steps == 0;
    const uint64_t n_epochs = r->position.step / r->n_epoch_steps;
    const bool saves = is_epoch_end || is_checkpoint_due(r);
    if (saves || r->position.step % s->log_steps == 0) LIMN_TRY(log_steps(r, err));
    if (is_end || (is_epoch_end && n_epochs % s->n_eval_epochs == 0)) LIMN_TRY(evaluate(r, err));
    return saves ? checkpoint(r, err) : LIMN_OK;
}

static limn_status run_steps(struct run *r, limn_error *err)
{
    while (r->position.step < r->settings->n_steps) {
        LIMN_TRY(do_step(r, err));
        LIMN_TRY(after_step(r, err));
        if (!report(r)) {
            LIMN_TRY(log_steps(r, err));
            LIMN_TRY(checkpoint(r, err));
            return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
        }
    }
    return LIMN_OK;
}

limn_status limn_run_stage(const limn_run_settings *settings, const limn_run_parts *parts,
                           limn_run_position *position, limn_error *err)
{
    struct run r = { .settings = settings,
                     .parts = parts,
                     .position = *position,
                     .n_epoch_steps = limn_batches_n_steps(parts->batches),
                     .clock_offset = position->seconds - limn_clock_seconds() };
    r.sums.start = r.last_checkpoint = seconds(&r);
    if (position->file_step != LIMN_RUN_NO_CHECKPOINT)
        LIMN_TRY(limn_run_folder_load(parts->folder, position->file_step,
                                      limn_trainer_params(parts->trainer),
                                      limn_trainer_optimizer(parts->trainer), err));
    if (position->step == 0) LIMN_TRY(log_start(&r, err));
    const limn_status status = run_steps(&r, err);
    *position = r.position;
    position->seconds = seconds(&r);
    return status;
}
