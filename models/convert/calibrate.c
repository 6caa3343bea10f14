#include "models/convert/calibrate.h"

#include <math.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/kernels/int8.h"
#include "common/text/plural.h"
#include "encoder/encoder.h"

/* Bytes of moments that are summed in one pass over the images, unless one product takes more. */
#define MOMENTS_BUDGET ((size_t)512 << 20)

/* Damping, as a share of the mean moment. Few images say little about the inputs of others: with
 * one, this comes close to rounding each weight by itself. */
static double damping_share(size_t n_images)
{
    const double of_few = 3.0 / (double)n_images, least = 0.1;
    return of_few > least ? of_few : least;
}

/* Where rounding loses more than this share of a product's outputs, its weights stay F16. It loses
 * 0.001 to 0.007 in networks with ordinary weights, and about 0.1 where the weights of some inputs
 * are a hundredth of the others and these inputs a hundred times as large. */
#define MOST_LOST 0.03

/* A product, and the tensors that it is made of, one after another. */
typedef struct calibrated_product {
    const limn_packed *weights;
    size_t first, end; /* tensors of the result; those between that are no weights don't count */
    limn_moments moments;
    limn_status status; /* of rounding; `error` says why */
    limn_error error;
} calibrated_product;

typedef struct calibration {
    convert_result *r;
    const convert_calibration *how;
    limn_kernels kernels;
    limn_safetensors *file;
    limn_encoder *encoder;
    limn_encoder_state *state;
    float *features;
    limn_pool *pool;
    calibrated_product *products; /* [n_products] */
    size_t n_products;
    size_t first, end; /* the products of this pass */
} calibration;

/* ---- collecting ---------------------------------------------------------------------------- */

/* The first panel of a product sees each row of its inputs once. */
static void watch(void *ctx, const limn_linear_job *job)
{
    const calibration *c = ctx;
    if (job->panel_begin != 0) return;
    for (size_t i = c->first; i < c->end; i++)
        if (c->products[i].weights->panels == job->w->panels)
            limn_moments_add(&c->products[i].moments, c->pool, job->x, job->x_stride, job->n_rows);
}

/* Finds the products of the next pass, and room for their moments. */
static limn_status plan_pass(calibration *c, limn_error *err)
{
    size_t n_bytes = 0;
    c->first = c->end;
    while (c->end < c->n_products) {
        calibrated_product *p = &c->products[c->end];
        const size_t n = p->weights->n_inputs;
        n_bytes += n * n * sizeof(double);
        if (c->end > c->first && n_bytes > MOMENTS_BUDGET) break;
        c->end++;
        LIMN_TRY(limn_moments_init(&p->moments, n, err));
    }
    return LIMN_OK;
}

static limn_status run_images(calibration *c, limn_error *err)
{
    const size_t n = limn_input_bytes(&limn_encoder_get_config(c->encoder)->input);
    for (size_t i = 0; i < c->how->n_images; i++) {
        if (c->how->is_stopping && atomic_load(c->how->is_stopping))
            return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
        limn_encoder_run(c->encoder, c->state, NULL, c->how->pixels + i * n, c->features);
    }
    return LIMN_OK;
}

/* ---- rounding ------------------------------------------------------------------------------ */

/* The errors of a product's outputs relative to the outputs; of only some of them once the feedback
 * is stopping. */
static double lost_share(const calibration *c, const calibrated_product *p, const limn_feedback *f)
{
    double lost = 0.0, size = 0.0;
    int8_t row[LIMN_INT8_MAX_INPUTS];
    for (size_t i = p->first; i < p->end; i++) {
        const limn_tensor *t = &c->r->tensors[i];
        if (!c->r->specs[i].may_be_int8) continue;
        for (size_t o = 0; o < t->shape[0] && !limn_feedback_is_stopping(f); o++) {
            const float *w = (const float *)t->data + o * f->n;
            lost += limn_feedback_round(f, row, w, limn_int8_quantize_weights(row, w, f->n));
            size += limn_feedback_size(f, w);
        }
    }
    return size > 0.0 ? sqrt(lost / size) : 0.0;
}

/* Tensors that are not to be I8 are stored as F16 later. */
static void keep_half(const calibration *c, const calibrated_product *p)
{
    for (size_t i = p->first; i < p->end; i++) c->r->specs[i].may_be_int8 = false;
}

/* Leaves a product for F16 that would lose too much. */
static limn_status choose_dtype(calibration *c, const calibrated_product *p, const limn_feedback *f,
                                limn_error *err)
{
    if (c->r->specs[p->first].needs_int8) return LIMN_OK;
    const double lost = lost_share(c, p, f);
    if (limn_feedback_is_stopping(f)) return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    if (lost > MOST_LOST) keep_half(c, p);
    return LIMN_OK;
}

static limn_status round_product(calibration *c, calibrated_product *p, limn_error *err)
{
    limn_feedback feedback;
    limn_status status = limn_feedback_init(&feedback, &p->moments, damping_share(c->how->n_images),
                                            c->how->is_stopping, err);
    if (status != LIMN_OK) limn_error_prefix(err, "tensor %s", c->r->tensors[p->first].name);
    if (status == LIMN_OK) status = choose_dtype(c, p, &feedback, err);
    for (size_t i = p->first; status == LIMN_OK && i < p->end; i++)
        if (c->r->specs[i].may_be_int8)
            status = convert_result_quantize_one(c->r, i, &feedback, err);
    limn_feedback_finish(&feedback);
    limn_moments_finish(&p->moments);
    return status;
}

static void round_item(void *ctx, size_t item, size_t worker)
{
    calibration *c = ctx;
    calibrated_product *p = &c->products[c->first + item];
    (void)worker;
    p->status = round_product(c, p, &p->error);
}

static limn_status round_pass(calibration *c, limn_error *err)
{
    limn_pool_run(c->pool, c->end - c->first, round_item, c);
    for (size_t i = c->first; i < c->end; i++)
        if (c->products[i].status != LIMN_OK) {
            if (err) *err = c->products[i].error;
            return c->products[i].status;
        }
    return LIMN_OK;
}

/* ---- both ---------------------------------------------------------------------------------- */

static limn_status list_products(calibration *c, limn_error *err)
{
    c->products = limn_calloc(c->r->n_tensors, sizeof *c->products);
    if (!c->products) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < c->r->n_tensors; i++) {
        const limn_packed *weights = limn_encoder_product(c->encoder, c->r->specs[i].name);
        if (!weights || !c->r->specs[i].may_be_int8) continue;
        calibrated_product *p = &c->products[c->n_products];
        if (c->n_products > 0 && p[-1].weights == weights)
            p[-1].end = i + 1;
        else
            c->products[c->n_products++] =
                (calibrated_product){ .weights = weights, .first = i, .end = i + 1 };
    }
    return LIMN_OK;
}

static limn_status open_encoder(calibration *c, limn_error *err)
{
    limn_kernels_init(&c->kernels, c->how->level);
    c->kernels.watch = watch;
    c->kernels.watch_ctx = c;
    LIMN_TRY(limn_pool_create(&c->pool, c->how->n_threads, err));
    LIMN_TRY(limn_safetensors_from_tensors(&c->file, c->r->tensors, c->r->n_tensors, err));
    LIMN_TRY(limn_encoder_open(&c->encoder, c->file, &c->r->config.encoder, &c->kernels, err));
    LIMN_TRY(limn_encoder_state_create(&c->state, c->encoder, err));
    c->features = limn_alloc(limn_encoder_n_positions(c->encoder) * limn_encoder_dim(c->encoder),
                             sizeof *c->features);
    return c->features ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

static limn_status calibrate(calibration *c, limn_error *err)
{
    LIMN_TRY(open_encoder(c, err));
    LIMN_TRY(list_products(c, err));
    LIMN_TRY(convert_result_begin_int8(c->r, err));
    while (c->end < c->n_products) {
        LIMN_TRY(plan_pass(c, err));
        LIMN_TRY(run_images(c, err));
        LIMN_TRY(round_pass(c, err));
    }
    snprintf(c->r->calibration, sizeof c->r->calibration, "%zu %s", c->how->n_images,
             limn_plural(c->how->n_images, "image", "images"));
    return LIMN_OK;
}

limn_status convert_calibrate(convert_result *r, const convert_calibration *how, limn_error *err)
{
    calibration c = { .r = r, .how = how };
    const limn_status status = calibrate(&c, err);
    for (size_t i = 0; i < c.n_products; i++) limn_moments_finish(&c.products[i].moments);
    limn_free(c.products);
    limn_free(c.features);
    limn_encoder_state_destroy(&c.state);
    limn_encoder_close(&c.encoder);
    limn_safetensors_close(&c.file);
    limn_pool_destroy(&c.pool);
    return status;
}
