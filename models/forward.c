#include "models/forward.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/c/math_c.h"
#include "models/tag_slots.h"

/* What one model of an ensemble needs. */
typedef struct member {
    const limn_model *model;
    size_t input_offset; /* where its pixels are in the input */
    limn_encoder_state *encoder;
    float *features;       /* [n_positions, dim] */
    limn_tag_slots *slots; /* NULL without */
} member;

/* The decoders of one model in a lane. They have joined those of the other lanes. */
typedef struct lane_member {
    limn_decoder_state *decoder;
    limn_decoder_state *unconditional; /* sees features of zero; NULL without guidance */
} lane_member;

typedef struct decoder_lane {
    lane_member *members; /* [n_members] */
    float *attention; /* [max_steps, max_rows, attention_dim] for the coverage; NULL = not kept */
    size_t n_steps;   /* so far */
} decoder_lane;

struct limn_forward {
    limn_pool *pool;
    limn_arena arena;
    limn_forward_settings settings;
    member *members; /* [n_members] */
    decoder_lane lanes[LIMN_MAX_LANES];
    size_t n_members, n_lanes;
    /* Outputs of the first model, and of each other in turn: [max_rows of all lanes, n_tokens],
     * twice with guidance, whose unconditional rows come after the others. */
    float *outputs, *more; /* `more` is NULL without other models */
    double *covered;       /* [n_places] */
    limn_softmax_fn *softmax;
};

/* ---- sizes -------------------------------------------------------------------------------- */

static bool is_guided(const limn_forward_settings *s)
{
    return s->guidance != 1;
}

static size_t output_bytes(const limn_model *m, const limn_forward_settings *s)
{
    return (is_guided(s) ? 2 : 1) * s->max_rows * m->config.decoder.n_tokens * sizeof(float);
}

static size_t attention_bytes(const limn_model *m, const limn_forward_settings *s)
{
    return s->max_steps * s->max_rows * limn_decoder_attention_dim(m->decoder) * sizeof(float);
}

size_t limn_forward_lane_bytes(const limn_model *m, const limn_forward_settings *s)
{
    size_t n = s->has_coverage ? attention_bytes(m, s) : 0;
    n += (m->n_others > 0 ? 2 : 1) * output_bytes(m, s);
    for (size_t i = 0; i <= m->n_others; i++)
        n += (is_guided(s) ? 2 : 1) *
             limn_decoder_joined_bytes(limn_model_member(m, i)->decoder, s->max_rows, s->max_steps);
    return n;
}

/* ---- lanes -------------------------------------------------------------------------------- */

/* The decoder of member i in a lane in progress; the first one has scratch memory that the others
 * share. */
static limn_status open_decoder(limn_decoder_state **out, const limn_forward *f, size_t i,
                                limn_error *err)
{
    const limn_forward_settings *s = &f->settings;
    const limn_decoder_state *first = f->lanes[0].members[i].decoder;
    if (first) return limn_decoder_state_join(out, first, err);
    return limn_decoder_state_create(out, f->members[i].model->decoder, s->max_rows, s->max_steps,
                                     err);
}

static limn_status open_lane_members(limn_forward *f, decoder_lane *l, limn_error *err)
{
    l->members = limn_calloc(f->n_members, sizeof *l->members);
    if (!l->members) return limn_fail(err, LIMN_E_NOMEM, "no memory for the state of a model");
    for (size_t i = 0; i < f->n_members; i++) {
        LIMN_TRY(open_decoder(&l->members[i].decoder, f, i, err));
        if (is_guided(&f->settings))
            LIMN_TRY(
                limn_decoder_state_join(&l->members[i].unconditional, l->members[i].decoder, err));
    }
    return LIMN_OK;
}

static void close_lane(const limn_forward *f, decoder_lane *l)
{
    for (size_t i = 0; l->members && i < f->n_members; i++) {
        limn_decoder_state_destroy(&l->members[i].decoder);
        limn_decoder_state_destroy(&l->members[i].unconditional);
    }
    limn_free(l->members);
    limn_free(l->attention);
    *l = (decoder_lane){ 0 };
}

/* Encodes "no image" once: keys and values survive limn_decoder_rewind. */
static void begin_unconditional(limn_forward *f, const decoder_lane *l)
{
    for (size_t i = 0; i < f->n_members && is_guided(&f->settings); i++) {
        const member *m = &f->members[i];
        memset(m->features, 0, limn_model_own_features(m->model) * sizeof *m->features);
        limn_decoder_begin(l->members[i].unconditional, f->pool, m->features, NULL);
    }
}

static limn_status keep_attention(const limn_forward *f, decoder_lane *l, limn_error *err)
{
    l->attention = limn_alloc(attention_bytes(f->members[0].model, &f->settings), 1);
    if (!l->attention) return limn_fail(err, LIMN_E_NOMEM, "no memory for the coverage");
    limn_decoder_keep_attention(l->members[0].decoder, l->attention);
    return LIMN_OK;
}

/* Makes room for the outputs of n_lanes lanes. */
static bool grow_outputs(limn_forward *f, float **outputs, size_t n_lanes)
{
    float *grown = limn_alloc_aligned(n_lanes, output_bytes(f->members[0].model, &f->settings));
    if (!grown) return false;
    limn_free(*outputs);
    *outputs = grown;
    return true;
}

static limn_status open_lane(limn_forward *f, decoder_lane *l, limn_error *err)
{
    LIMN_TRY(open_lane_members(f, l, err));
    if (f->settings.has_coverage) LIMN_TRY(keep_attention(f, l, err));
    if (!grow_outputs(f, &f->outputs, f->n_lanes + 1) ||
        (f->n_members > 1 && !grow_outputs(f, &f->more, f->n_lanes + 1)))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu images at once", f->n_lanes + 1);
    begin_unconditional(f, l);
    return LIMN_OK;
}

limn_status limn_forward_add_lane(limn_forward *f, limn_error *err)
{
    decoder_lane *l = &f->lanes[f->n_lanes];
    const limn_status status = open_lane(f, l, err);
    if (status != LIMN_OK)
        close_lane(f, l);
    else
        f->n_lanes++;
    return status;
}

size_t limn_forward_n_lanes(const limn_forward *f)
{
    return f->n_lanes;
}

/* ---- creating ----------------------------------------------------------------------------- */

static void plan(limn_forward *f, limn_arena *a)
{
    const limn_model *m = f->members[0].model;
    for (size_t i = 0; i < f->n_members; i++) {
        const limn_encoder *e = f->members[i].model->encoder;
        f->members[i].features =
            limn_arena_take(a, limn_encoder_n_positions(e), limn_encoder_dim(e) * sizeof(float));
        f->members[i].slots = limn_tag_slots_take(&f->members[i].model->config.decoder,
                                                  f->members[i].model->tagger, a);
    }
    if (f->settings.has_coverage)
        f->covered = limn_arena_take(a, limn_decoder_n_places(&m->config.decoder), sizeof(double));
}

static limn_status open_members(limn_forward *f, const limn_model *model, limn_error *err)
{
    f->n_members = 1 + model->n_others;
    f->members = limn_calloc(f->n_members, sizeof *f->members);
    if (!f->members) return limn_fail(err, LIMN_E_NOMEM, "no memory for the state of a model");
    for (size_t i = 0; i < f->n_members; i++) {
        member *m = &f->members[i];
        m->model = limn_model_member(model, i);
        m->input_offset = limn_model_input_offset(model, i);
        LIMN_TRY(limn_encoder_state_create(&m->encoder, m->model->encoder, err));
    }
    return LIMN_OK;
}

static limn_status build(limn_forward *f, const limn_model *model, limn_error *err)
{
    limn_arena counting;
    f->softmax = model->kernels.softmax;
    LIMN_TRY(open_members(f, model, err));
    limn_arena_init_counting(&counting);
    plan(f, &counting);
    if (counting.has_failed || !limn_arena_init(&f->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a state of %zu bytes", counting.high);
    plan(f, &f->arena);
    return limn_forward_add_lane(f, err);
}

limn_status limn_forward_create(limn_forward **out, const limn_model *model, limn_pool *pool,
                                const limn_forward_settings *settings, limn_error *err)
{
    limn_forward *f = limn_calloc(1, sizeof *f);
    *out = NULL;
    if (!f) return limn_fail(err, LIMN_E_NOMEM, "no memory for the state of a model");
    f->pool = pool;
    f->settings = *settings;
    const limn_status status = build(f, model, err);
    if (status != LIMN_OK) limn_forward_destroy(&f);
    *out = f;
    return status;
}

void limn_forward_destroy(limn_forward **p)
{
    limn_forward *f = p ? *p : NULL;
    if (!f) return;
    for (size_t i = 0; i < f->n_lanes; i++) close_lane(f, &f->lanes[i]);
    for (size_t i = 0; f->members && i < f->n_members; i++)
        limn_encoder_state_destroy(&f->members[i].encoder);
    limn_arena_finish(&f->arena);
    limn_free(f->outputs);
    limn_free(f->more);
    limn_free(f->members);
    limn_free(f);
    *p = NULL;
}

/* ---- running ------------------------------------------------------------------------------ */

void limn_forward_encode(limn_forward *f, const uint8_t *input)
{
    for (size_t i = 0; i < f->n_members; i++) {
        const member *m = &f->members[i];
        limn_encoder_run(m->model->encoder, m->encoder, f->pool, input + m->input_offset,
                         m->features);
    }
}

void limn_forward_get_features(float *out, const limn_forward *f)
{
    for (size_t i = 0; i < f->n_members; i++) {
        const size_t n = limn_model_own_features(f->members[i].model);
        memcpy(out, f->members[i].features, n * sizeof *out);
        out += n;
    }
}

void limn_forward_set_features(limn_forward *f, const float *features)
{
    for (size_t i = 0; i < f->n_members; i++) {
        const size_t n = limn_model_own_features(f->members[i].model);
        memcpy(f->members[i].features, features, n * sizeof *features);
        features += n;
    }
}

void limn_forward_begin(limn_forward *f, size_t lane)
{
    f->lanes[lane].n_steps = 0;
    for (size_t i = 0; i < f->n_members; i++) {
        const member *m = &f->members[i];
        const lane_member *of = &f->lanes[lane].members[i];
        limn_decoder_begin(of->decoder, f->pool, m->features,
                           limn_tag_slots_find(m->slots, m->features));
        if (of->unconditional) limn_decoder_rewind(of->unconditional);
    }
}

const float *limn_forward_features(const limn_forward *f)
{
    return f->members[0].features;
}

/* The members share their vocabulary. */
static const limn_specials *specials_of(const limn_forward *f)
{
    return &f->members[0].model->config.decoder.specials;
}

/* Logits [n_rows, n_tokens] to probabilities. */
static void to_probabilities(const limn_forward *f, float *logits, size_t n_rows, size_t n_tokens)
{
    for (size_t r = 0; r < n_rows; r++)
        limn_specials_forbid(specials_of(f), logits + r * n_tokens, -INFINITY);
    f->softmax(logits, n_rows, n_tokens, n_tokens);
}

/* Sums of probabilities over the members to logarithms of their mean. A mean that underflows to 0
 * stays possible. */
static void to_log_means(const limn_forward *f, float *sums, size_t n_rows, size_t n_tokens)
{
    const float share = 1.0f / (float)f->n_members;
    for (size_t r = 0; r < n_rows; r++) {
        float *row = sums + r * n_tokens;
        for (size_t t = 0; t < n_tokens; t++) {
            const float mean = share * row[t];
            row[t] = limn_logf(mean > FLT_MIN ? mean : FLT_MIN);
        }
        limn_specials_forbid(specials_of(f), row, -INFINITY);
    }
}

static size_t count_rows(const limn_forward_turn *turns, size_t n_turns)
{
    size_t n = 0;
    for (size_t i = 0; i < n_turns; i++) n += turns[i].rows.n_rows;
    return n;
}

/* A step of member `i`: logits of the turns' rows, then, with guidance, those without the image. */
static void step_member(const limn_forward *f, size_t i, const limn_forward_turn *turns,
                        size_t n_turns, bool is_with_guidance, float *logits)
{
    limn_decoder_turn all[2 * LIMN_MAX_LANES];
    for (size_t k = 0; k < n_turns; k++) {
        const lane_member *m = &f->lanes[turns[k].lane].members[i];
        const limn_search_rows *rows = &turns[k].rows;
        all[k] = (limn_decoder_turn){ m->decoder, rows->n_rows, rows->parents, rows->tokens };
        all[n_turns + k] = all[k];
        all[n_turns + k].state = m->unconditional;
    }
    limn_decoder_step_together(f->pool, all, is_with_guidance ? 2 * n_turns : n_turns, logits);
}

/* The same with guidance: logits become without + G * (with - without). Logits need no normalising
 * first, as a constant added to a row cancels in the softmax. */
static void step_guided(const limn_forward *f, size_t i, const limn_forward_turn *turns,
                        size_t n_turns, float *logits)
{
    const bool has_guidance = is_guided(&f->settings);
    const size_t n = count_rows(turns, n_turns) * f->members[i].model->config.decoder.n_tokens;
    const float *unseen = logits + n;
    step_member(f, i, turns, n_turns, has_guidance, logits);
    for (size_t k = 0; has_guidance && k < n; k++)
        logits[k] = unseen[k] + f->settings.guidance * (logits[k] - unseen[k]);
}

static void average_step(const limn_forward *f, const limn_forward_turn *turns, size_t n_turns)
{
    const size_t n_rows = count_rows(turns, n_turns);
    const size_t n_tokens = f->members[0].model->config.decoder.n_tokens;
    to_probabilities(f, f->outputs, n_rows, n_tokens);
    for (size_t i = 1; i < f->n_members; i++) {
        step_guided(f, i, turns, n_turns, f->more);
        to_probabilities(f, f->more, n_rows, n_tokens);
        for (size_t k = 0; k < n_rows * n_tokens; k++) f->outputs[k] += f->more[k];
    }
    to_log_means(f, f->outputs, n_rows, n_tokens);
}

static void count_step(limn_forward *f, const limn_forward_turn *turns, size_t n_turns)
{
    for (size_t i = 0; i < n_turns; i++) f->lanes[turns[i].lane].n_steps++;
}

float *limn_forward_step(limn_forward *f, const limn_forward_turn *turns, size_t n_turns)
{
    step_guided(f, 0, turns, n_turns, f->outputs);
    if (f->n_members == 1)
        limn_model_log_probs(f->members[0].model, f->outputs, count_rows(turns, n_turns));
    else
        average_step(f, turns, n_turns);
    count_step(f, turns, n_turns);
    return f->outputs;
}

float *limn_forward_logits(limn_forward *f, const limn_forward_turn *turns, size_t n_turns)
{
    step_member(f, 0, turns, n_turns, false, f->outputs);
    count_step(f, turns, n_turns);
    return f->outputs;
}

limn_decoder_state *limn_forward_decoder(limn_forward *f, size_t lane)
{
    return f->lanes[lane].members[0].decoder;
}

/* ---- coverage ----------------------------------------------------------------------------- */

/* covered [n_places] += attention of one step, a row of [n_maps, n_places] */
static void add_attention(double *covered, const float *attention, size_t n_maps,
                          size_t n_positions)
{
    for (size_t i = 0; i < n_maps; i++)
        for (size_t p = 0; p < n_positions; p++)
            covered[p] += (double)attention[i * n_positions + p] / (double)n_maps;
}

double limn_forward_coverage(const limn_forward *f, size_t lane, size_t row)
{
    const limn_decoder_state *decoder = f->lanes[lane].members[0].decoder;
    const limn_decoder_config *c = &f->members[0].model->config.decoder;
    const size_t n = limn_decoder_n_places(c);
    double sum = 0;
    memset(f->covered, 0, n * sizeof *f->covered);
    for (size_t step = 0; step < f->lanes[lane].n_steps; step++) {
        const size_t past = limn_decoder_past_row(decoder, step, row);
        add_attention(f->covered, limn_decoder_attention(decoder, step, past),
                      (size_t)c->n_layers * c->n_heads, n);
    }
    for (size_t p = 0; p < n; p++) {
        const float covered = (float)fmin(f->covered[p], 1);
        sum += (double)limn_logf(covered > FLT_MIN ? covered : FLT_MIN);
    }
    return sum;
}
