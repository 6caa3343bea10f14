#include "models/joint_captioning.h"

#include "models/lane.h"

/* The images in progress. */
typedef struct joint_run {
    limn_state *s;
    const limn_caption_source *source;
    size_t max_lanes, n_busy;
} joint_run;

/* ---- one image ----------------------------------------------------------------------------- */

static void finish_image(joint_run *r, limn_lane *lane, const limn_captions *captions,
                         const limn_error *failure)
{
    lane->is_busy = false;
    r->n_busy--;
    r->source->done(r->source->ctx, lane->image, captions, failure);
}

static void end_image(joint_run *r, limn_lane *lane)
{
    limn_error failure = { 0 };
    const limn_captions *captions = NULL;
    if (limn_lane_end(lane, &captions, &failure) == LIMN_OK)
        finish_image(r, lane, captions, NULL);
    else
        finish_image(r, lane, NULL, &failure);
}

/* Begins an image; false: the program said stop. */
static bool begin_image(joint_run *r, limn_lane *lane, const limn_source_image *image)
{
    limn_error failure = { 0 };
    lane->image = image->image;
    lane->is_busy = true;
    r->n_busy++;
    const limn_status status = limn_lane_begin(lane, image, &failure);
    if (status == LIMN_E_INTERRUPTED) return false;
    if (status != LIMN_OK) finish_image(r, lane, NULL, &failure);
    return true;
}

/* ---- all of them --------------------------------------------------------------------------- */

/* A lane that is free, made where there are few; NULL when all are busy. Where memory is short, the
 * lanes that are there must do. */
static limn_lane *free_lane(joint_run *r)
{
    limn_state *s = r->s;
    for (size_t i = 0; i < s->n_lanes && i < r->max_lanes; i++)
        if (!s->lanes[i].is_busy) return &s->lanes[i];
    if (s->n_lanes >= r->max_lanes) return NULL;
    if (limn_state_add_lane(s, NULL) == LIMN_OK) return &s->lanes[s->n_lanes - 1];
    r->max_lanes = s->n_lanes;
    return NULL;
}

/* Fills the free lanes, as far as there are images; false: the program said stop. */
static bool begin_images(joint_run *r)
{
    limn_lane *lane;
    while ((lane = free_lane(r))) {
        limn_source_image image = { 0 };
        if (!r->source->next(r->source->ctx, &image)) return true;
        if (!begin_image(r, lane, &image)) return false;
    }
    return true;
}

/* One step of the decoders for all images; false: the program said stop. */
static bool step(const joint_run *r)
{
    limn_state *s = r->s;
    limn_forward_turn turns[LIMN_MAX_LANES];
    size_t n_turns = 0;
    for (size_t i = 0; i < s->n_lanes; i++) {
        limn_lane *lane = &s->lanes[i];
        if (!lane->is_busy) continue;
        if (!limn_lane_goes_on(lane)) return false;
        turns[n_turns++] = (limn_forward_turn){ i, limn_lane_rows(lane) };
    }
    float *outputs = s->options.search == LIMN_SEARCH_LIMN
                         ? limn_forward_step(s->forward, turns, n_turns)
                         : limn_forward_logits(s->forward, turns, n_turns);
    for (size_t i = 0; i < n_turns; i++) {
        limn_lane_take(&s->lanes[turns[i].lane], outputs);
        outputs += turns[i].rows.n_rows * s->model->config.decoder.n_tokens;
    }
    return true;
}

static void end_images(joint_run *r)
{
    for (size_t i = 0; i < r->s->n_lanes; i++) {
        limn_lane *lane = &r->s->lanes[i];
        if (lane->is_busy && limn_lane_is_over(lane)) end_image(r, lane);
    }
}

static limn_status give_up(joint_run *r, limn_error *err)
{
    limn_error failure = { 0 };
    limn_fail(&failure, LIMN_E_INTERRUPTED, "stopped by the program");
    for (size_t i = 0; i < r->s->n_lanes; i++)
        if (r->s->lanes[i].is_busy) finish_image(r, &r->s->lanes[i], NULL, &failure);
    return limn_fail(err, LIMN_E_INTERRUPTED, "%s", failure.text);
}

limn_status limn_joint_captioning_run(limn_state *s, const limn_caption_source *source,
                                      limn_error *err)
{
    joint_run r = { .s = s, .source = source, .max_lanes = s->max_lanes };
    if (source->max_together > 0 && source->max_together < r.max_lanes)
        r.max_lanes = source->max_together;
    for (;;) {
        if (!begin_images(&r)) return give_up(&r, err);
        if (r.n_busy == 0) return LIMN_OK;
        if (!step(&r)) return give_up(&r, err);
        end_images(&r);
    }
}
