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
    limn_decoder_state *decoder;
    limn_decoder_state *unconditional; /* sees features of zero; NULL without guidance */
    float *features;                   /* [n_positions, dim] */
    limn_tag_slots *slots;             /* NULL without */
} member;

struct limn_forward {
    limn_pool *pool;
    limn_arena arena;
    member *members; /* [n_members] */
    size_t n_members, max_rows, max_steps;
    float guidance;
    float *unseen;    /* [max_rows, n_tokens] logits of `unconditional`; NULL without guidance */
    float *more;      /* [max_rows, n_tokens] of the models after the first */
    float *attention; /* [max_steps, max_rows, attention_dim] for the coverage; NULL = not kept */
    double *covered;  /* [n_places] */
    size_t n_steps;   /* so far */
    limn_softmax_fn *softmax;
};

/* ---- creating ----------------------------------------------------------------------------- */

static void plan(limn_forward *f, limn_arena *a, bool has_coverage)
{
    const limn_model *m = f->members[0].model;
    const size_t n_tokens = m->config.decoder.n_tokens;
    for (size_t i = 0; i < f->n_members; i++) {
        const limn_encoder *e = f->members[i].model->encoder;
        f->members[i].features =
            limn_arena_take(a, limn_encoder_n_positions(e), limn_encoder_dim(e) * sizeof(float));
        f->members[i].slots = limn_tag_slots_take(&f->members[i].model->config.decoder,
                                                  f->members[i].model->tagger, a);
    }
    if (f->guidance != 1) f->unseen = limn_arena_take(a, f->max_rows * n_tokens, sizeof *f->unseen);
    if (f->n_members > 1) f->more = limn_arena_take(a, f->max_rows * n_tokens, sizeof *f->more);
    if (has_coverage) {
        f->attention = limn_arena_take(a, f->max_steps * f->max_rows,
                                       limn_decoder_attention_dim(m->decoder) * sizeof(float));
        f->covered = limn_arena_take(a, limn_decoder_n_places(&m->config.decoder), sizeof(double));
    }
}

static limn_status open_members(limn_forward *f, const limn_model *model, limn_error *err)
{
    f->n_members = 1 + model->n_others;
    f->members = limn_calloc(f->n_members, sizeof *f->members);
    if (!f->members) return limn_fail(err, LIMN_E_NOMEM, "no memory for the state of a model");
    for (size_t i = 0; i < f->n_members; i++) {
        member *m = &f->members[i];
        m->model = i == 0 ? model : model->others[i - 1];
        m->input_offset = limn_model_input_offset(model, i);
        LIMN_TRY(limn_encoder_state_create(&m->encoder, m->model->encoder, err));
        LIMN_TRY(limn_decoder_state_create(&m->decoder, m->model->decoder, f->max_rows,
                                           f->max_steps, err));
        if (f->guidance != 1)
            LIMN_TRY(limn_decoder_state_create(&m->unconditional, m->model->decoder, f->max_rows,
                                               f->max_steps, err));
    }
    return LIMN_OK;
}

/* Encodes "no image" once: keys and values survive limn_decoder_rewind. */
static void begin_unconditional(limn_forward *f)
{
    for (size_t i = 0; i < f->n_members && f->guidance != 1; i++) {
        const member *m = &f->members[i];
        const limn_encoder *e = m->model->encoder;
        memset(m->features, 0,
               limn_encoder_n_positions(e) * limn_encoder_dim(e) * sizeof *m->features);
        limn_decoder_begin(m->unconditional, f->pool, m->features, NULL);
    }
}

static limn_status build(limn_forward *f, const limn_model *model, bool has_coverage,
                         limn_error *err)
{
    limn_arena counting;
    f->softmax = model->kernels.softmax;
    LIMN_TRY(open_members(f, model, err));
    limn_arena_init_counting(&counting);
    plan(f, &counting, has_coverage);
    if (counting.has_failed || !limn_arena_init(&f->arena, counting.high))
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a state of %zu bytes", counting.high);
    plan(f, &f->arena, has_coverage);
    begin_unconditional(f);
    if (has_coverage) limn_decoder_keep_attention(f->members[0].decoder, f->attention);
    return LIMN_OK;
}

limn_status limn_forward_create(limn_forward **out, const limn_model *model, limn_pool *pool,
                                size_t max_rows, size_t max_steps, bool has_coverage,
                                float guidance, limn_error *err)
{
    limn_forward *f = limn_calloc(1, sizeof *f);
    *out = NULL;
    if (!f) return limn_fail(err, LIMN_E_NOMEM, "no memory for the state of a model");
    f->pool = pool;
    f->max_rows = max_rows;
    f->max_steps = max_steps;
    f->guidance = guidance;
    const limn_status status = build(f, model, has_coverage, err);
    if (status != LIMN_OK) limn_forward_destroy(&f);
    *out = f;
    return status;
}

void limn_forward_destroy(limn_forward **p)
{
    limn_forward *f = p ? *p : NULL;
    if (!f) return;
    for (size_t i = 0; f->members && i < f->n_members; i++) {
        limn_encoder_state_destroy(&f->members[i].encoder);
        limn_decoder_state_destroy(&f->members[i].decoder);
        limn_decoder_state_destroy(&f->members[i].unconditional);
    }
    limn_arena_finish(&f->arena);
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

void limn_forward_begin(limn_forward *f)
{
    f->n_steps = 0;
    for (size_t i = 0; i < f->n_members; i++) {
        const member *m = &f->members[i];
        limn_decoder_begin(m->decoder, f->pool, m->features,
                           limn_tag_slots_find(m->slots, m->features));
        if (m->unconditional) limn_decoder_rewind(m->unconditional);
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

/* A step of member `i`. With guidance, logits become without + G * (with - without). Logits need no
 * normalising first, as a constant added to a row cancels in the softmax. */
static void step_member(limn_forward *f, size_t i, size_t n_rows, const uint32_t *parents,
                        const uint32_t *tokens, float *logits)
{
    const member *m = &f->members[i];
    const size_t n = n_rows * m->model->config.decoder.n_tokens;
    limn_decoder_step(m->decoder, f->pool, n_rows, parents, tokens, logits);
    if (!m->unconditional) return;
    limn_decoder_step(m->unconditional, f->pool, n_rows, parents, tokens, f->unseen);
    for (size_t k = 0; k < n; k++)
        logits[k] = f->unseen[k] + f->guidance * (logits[k] - f->unseen[k]);
}

static void average_step(limn_forward *f, size_t n_rows, const uint32_t *parents,
                         const uint32_t *tokens, float *log_probs)
{
    const size_t n_tokens = f->members[0].model->config.decoder.n_tokens;
    to_probabilities(f, log_probs, n_rows, n_tokens);
    for (size_t i = 1; i < f->n_members; i++) {
        step_member(f, i, n_rows, parents, tokens, f->more);
        to_probabilities(f, f->more, n_rows, n_tokens);
        for (size_t k = 0; k < n_rows * n_tokens; k++) log_probs[k] += f->more[k];
    }
    to_log_means(f, log_probs, n_rows, n_tokens);
}

void limn_forward_step(limn_forward *f, size_t n_rows, const uint32_t *parents,
                       const uint32_t *tokens, float *log_probs)
{
    step_member(f, 0, n_rows, parents, tokens, log_probs);
    f->n_steps++;
    if (f->n_members == 1)
        limn_model_log_probs(f->members[0].model, log_probs, n_rows);
    else
        average_step(f, n_rows, parents, tokens, log_probs);
}

void limn_forward_logits(limn_forward *f, size_t n_rows, const uint32_t *parents,
                         const uint32_t *tokens, float *logits)
{
    limn_decoder_step(f->members[0].decoder, f->pool, n_rows, parents, tokens, logits);
    f->n_steps++;
}

limn_decoder_state *limn_forward_decoder(limn_forward *f)
{
    return f->members[0].decoder;
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

double limn_forward_coverage(const limn_forward *f, size_t row)
{
    const limn_decoder_state *decoder = f->members[0].decoder;
    const limn_decoder_config *c = &f->members[0].model->config.decoder;
    const size_t n = limn_decoder_n_places(c);
    double sum = 0;
    memset(f->covered, 0, n * sizeof *f->covered);
    for (size_t step = 0; step < f->n_steps; step++) {
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
