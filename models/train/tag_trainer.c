#include "models/train/tag_trainer.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/params.h"
#include "common/base/rng.h"
#include "common/kernels/gemm.h"
#include "common/kernels/pack.h"
#include "models/train/adamw.h"

limn_tag_settings limn_tag_settings_default(void)
{
    return (limn_tag_settings){ .n_hidden = 256,
                                .n_epochs = 12,
                                .batch_size = 128,
                                .rate = 1e-3F,
                                .weight_decay = 0.1F,
                                .dropout = 0.5F };
}

/* ---- data --------------------------------------------------------------------------------- */

void limn_tag_pool(float *pooled, const uint16_t *features, size_t n_positions, size_t dim)
{
    float *mean = pooled, *maximum = pooled + dim;
    const float scale = 1 / (float)n_positions;
    for (size_t c = 0; c < dim; c++) mean[c] = maximum[c] = limn_f16_to_f32(features[c]);
    for (size_t p = 1; p < n_positions; p++)
        for (size_t c = 0; c < dim; c++) {
            const float value = limn_f16_to_f32(features[p * dim + c]);
            mean[c] += value;
            maximum[c] = value > maximum[c] ? value : maximum[c];
        }
    for (size_t c = 0; c < dim; c++) mean[c] *= scale;
}

void limn_tag_targets(float *targets, const limn_object_labels *labels, size_t image)
{
    memset(targets, 0, LIMN_N_OBJECTS * sizeof *targets);
    for (size_t i = labels->first_box[image]; i < labels->first_box[image + 1]; i++) {
        const limn_object_box *box = &labels->boxes[i];
        const float sure = fminf(fmaxf((box->score - 0.25F) / 0.35F, 0), 1);
        targets[box->object] = fmaxf(targets[box->object], sure);
    }
}

/* ---- memory ------------------------------------------------------------------------------- */

enum { HIDDEN_WEIGHT, HIDDEN_BIAS, OUTPUT_WEIGHT, OUTPUT_BIAS, N_PARAMS };

typedef struct training {
    const limn_tag_settings *settings;
    const float *pooled, *targets;
    size_t n, n_inputs, n_hidden;
    float *mean, *deviation; /* [n_inputs] of the inputs */
    limn_params params;
    limn_optimizer adamw;
    size_t *order;                   /* [n] */
    float *x;                        /* [batch_size, n_inputs] */
    float *hidden, *mask, *d_hidden; /* [batch_size, n_hidden]; mask: 0 or 1 / (1 - dropout) */
    float *logits;                   /* [batch_size, LIMN_N_OBJECTS], then their gradient */
} training;

static void finish(training *t)
{
    limn_params_finish(&t->params);
    limn_optimizer_finish(&t->adamw);
    limn_free(t->mean);
    limn_free(t->deviation);
    limn_free(t->order);
    limn_free(t->x);
    limn_free(t->hidden);
    limn_free(t->mask);
    limn_free(t->d_hidden);
    limn_free(t->logits);
}

static limn_status add_params(training *t, limn_error *err)
{
    const size_t hidden[] = { t->n_hidden, t->n_inputs };
    const size_t output[] = { LIMN_N_OBJECTS, t->n_hidden };
    LIMN_TRY(limn_params_add(&t->params, "hidden.weight", 2, hidden, true, err));
    LIMN_TRY(limn_params_add(&t->params, "hidden.bias", 1, hidden, false, err));
    LIMN_TRY(limn_params_add(&t->params, "output.weight", 2, output, true, err));
    LIMN_TRY(limn_params_add(&t->params, "output.bias", 1, output, false, err));
    return limn_params_allocate(&t->params, err);
}

static float *value(const training *t, size_t param)
{
    return t->params.values + t->params.items[param].offset;
}

static float *gradient(const training *t, size_t param)
{
    return t->params.gradients + t->params.items[param].offset;
}

/* Uniform weights of variance 1 / inputs; the output bias starts at "no object". */
static void init_params(training *t)
{
    limn_rng rng = limn_rng_stream(t->settings->seed, "tags init", 9);
    const float high = sqrtf(3 / (float)t->n_inputs);
    for (size_t i = 0; i < t->n_hidden * t->n_inputs; i++)
        value(t, HIDDEN_WEIGHT)[i] = high * (float)(2 * limn_rng_uniform(&rng) - 1);
    for (size_t i = 0; i < LIMN_N_OBJECTS; i++) value(t, OUTPUT_BIAS)[i] = -3;
}

static limn_status allocate(training *t, limn_error *err)
{
    const size_t b = t->settings->batch_size;
    t->mean = limn_calloc(t->n_inputs, sizeof *t->mean);
    t->deviation = limn_calloc(t->n_inputs, sizeof *t->deviation);
    t->order = limn_alloc(t->n, sizeof *t->order);
    t->x = limn_alloc(b, t->n_inputs * sizeof *t->x);
    t->hidden = limn_alloc(b, t->n_hidden * sizeof *t->hidden);
    t->mask = limn_alloc(b, t->n_hidden * sizeof *t->mask);
    t->d_hidden = limn_alloc(b, t->n_hidden * sizeof *t->d_hidden);
    t->logits = limn_alloc(b, LIMN_N_OBJECTS * sizeof *t->logits);
    if (!t->mean || !t->deviation || !t->order || !t->x || !t->hidden || !t->mask || !t->d_hidden ||
        !t->logits)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for the training of tags");
    LIMN_TRY(add_params(t, err));
    init_params(t);
    return limn_optimizer_init(&t->adamw, &limn_adamw, &t->params, err);
}

/* Mean and standard deviation of each input, and the images in order. */
static void measure_inputs(training *t)
{
    for (size_t c = 0; c < t->n_inputs; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < t->n; i++) {
            const double v = (double)t->pooled[i * t->n_inputs + c];
            sum += v;
            squares += v * v;
        }
        sum /= (double)t->n;
        t->mean[c] = (float)sum;
        t->deviation[c] = (float)sqrt(fmax(squares / (double)t->n - sum * sum, 0)) + 1e-3F;
    }
    for (size_t i = 0; i < t->n; i++) t->order[i] = i;
}

/* ---- a step ------------------------------------------------------------------------------- */

static void gather(training *t, const size_t *images, size_t b)
{
    for (size_t i = 0; i < b; i++)
        for (size_t c = 0; c < t->n_inputs; c++)
            t->x[i * t->n_inputs + c] =
                (t->pooled[images[i] * t->n_inputs + c] - t->mean[c]) / t->deviation[c];
}

/* c [m, n] = a op b; see limn_gemm_job. */
static void multiply(const training *t, float *c, const float *a, const float *b, size_t m,
                     size_t n, size_t k, bool a_is_transposed, bool b_is_transposed)
{
    const limn_gemm_job job = { .c = c,
                                .a = a,
                                .b = b,
                                .m = m,
                                .n = n,
                                .k = k,
                                .a_is_transposed = a_is_transposed,
                                .b_is_transposed = b_is_transposed };
    limn_gemm(t->settings->pool, &job);
}

static void add_bias(float *y, const float *bias, size_t n_rows, size_t n)
{
    for (size_t i = 0; i < n_rows * n; i++) y[i] += bias[i % n];
}

static void forward(training *t, size_t b, limn_rng *rng)
{
    const float dropout = t->settings->dropout;
    multiply(t, t->hidden, t->x, value(t, HIDDEN_WEIGHT), b, t->n_hidden, t->n_inputs, false, true);
    add_bias(t->hidden, value(t, HIDDEN_BIAS), b, t->n_hidden);
    for (size_t i = 0; i < b * t->n_hidden; i++) {
        const bool is_kept = limn_rng_uniform(rng) >= (double)dropout;
        const bool is_open = t->hidden[i] > 0 && t->hidden[i] < 6; /* relu6 passes gradients */
        const float scale = is_kept ? 1 / (1 - dropout) : 0;
        t->hidden[i] = fminf(fmaxf(t->hidden[i], 0), 6) * scale;
        t->mask[i] = is_open ? scale : 0;
    }
    multiply(t, t->logits, t->hidden, value(t, OUTPUT_WEIGHT), b, LIMN_N_OBJECTS, t->n_hidden,
             false, true);
    add_bias(t->logits, value(t, OUTPUT_BIAS), b, LIMN_N_OBJECTS);
}

/* Logits to the gradient of the mean loss of the batch; returns the sum of the loss. */
static double to_gradient(training *t, const size_t *images, size_t b)
{
    double loss = 0;
    for (size_t i = 0; i < b * LIMN_N_OBJECTS; i++) {
        const float target =
            t->targets[images[i / LIMN_N_OBJECTS] * LIMN_N_OBJECTS + i % LIMN_N_OBJECTS];
        const float z = t->logits[i];
        loss += (double)(fmaxf(z, 0) - z * target + log1pf(expf(-fabsf(z))));
        t->logits[i] = (1 / (1 + expf(-z)) - target) / (float)b;
    }
    return loss;
}

static void sum_rows(float *out, const float *x, size_t n_rows, size_t n)
{
    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < n_rows * n; i++) out[i % n] += x[i];
}

static void backward(training *t, size_t b)
{
    multiply(t, gradient(t, OUTPUT_WEIGHT), t->logits, t->hidden, LIMN_N_OBJECTS, t->n_hidden, b,
             true, false);
    sum_rows(gradient(t, OUTPUT_BIAS), t->logits, b, LIMN_N_OBJECTS);
    multiply(t, t->d_hidden, t->logits, value(t, OUTPUT_WEIGHT), b, t->n_hidden, LIMN_N_OBJECTS,
             false, false);
    for (size_t i = 0; i < b * t->n_hidden; i++) t->d_hidden[i] *= t->mask[i];
    multiply(t, gradient(t, HIDDEN_WEIGHT), t->d_hidden, t->x, t->n_hidden, t->n_inputs, b, true,
             false);
    sum_rows(gradient(t, HIDDEN_BIAS), t->d_hidden, b, t->n_hidden);
}

/* Shuffles the images, and goes through them once. Returns the sum of the loss. */
static double run_epoch(training *t, uint32_t epoch)
{
    const limn_optimizer_settings adamw = {
        .beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e-8F, .weight_decay = t->settings->weight_decay
    };
    const size_t batch_size = t->settings->batch_size;
    limn_rng rng = limn_rng_stream(t->settings->seed, "tags", 4);
    double loss = 0;
    rng.counter = (uint64_t)epoch << 40;
    for (size_t i = t->n; i > 1; i--) {
        const size_t k = (size_t)limn_rng_below(&rng, i), last = t->order[i - 1];
        t->order[i - 1] = t->order[k];
        t->order[k] = last;
    }
    for (size_t first = 0; first < t->n; first += batch_size) {
        const size_t b = t->n - first < batch_size ? t->n - first : batch_size;
        const double done = ((double)epoch + (double)first / (double)t->n) / t->settings->n_epochs;
        gather(t, t->order + first, b);
        forward(t, b, &rng);
        loss += to_gradient(t, t->order + first, b);
        backward(t, b);
        limn_optimizer_step(&t->adamw, &t->params, &adamw,
                            t->settings->rate * (float)(0.5 + 0.5 * cos(3.141592653589793 * done)),
                            limn_gradient_norm(&t->params, t->settings->pool), t->settings->pool);
    }
    return loss;
}

/* ---- the head ----------------------------------------------------------------------------- */

/* The inputs' mean and deviation go into the first layer. */
static void fold_inputs(training *t)
{
    for (size_t h = 0; h < t->n_hidden; h++) {
        float *w = value(t, HIDDEN_WEIGHT) + h * t->n_inputs;
        double shift = 0;
        for (size_t c = 0; c < t->n_inputs; c++) {
            w[c] /= t->deviation[c];
            shift += (double)w[c] * (double)t->mean[c];
        }
        value(t, HIDDEN_BIAS)[h] -= (float)shift;
    }
}

static limn_tensor tensor_of(const training *t, size_t param)
{
    const limn_param *p = &t->params.items[param];
    limn_tensor out = { .name = p->name,
                        .dtype = LIMN_TENSOR_F32,
                        .n_dims = p->n_dims,
                        .data = value(t, param),
                        .size = p->n * sizeof(float) };
    memcpy(out.shape, p->shape, p->n_dims * sizeof *p->shape);
    return out;
}

static limn_status add_head(limn_tag_heads *heads, const training *t, limn_error *err)
{
    const char *names[LIMN_N_OBJECTS];
    const limn_tag_head head = {
        .set = LIMN_OBJECTS_SET,
        .has_maximum = true,
        .n_hidden = (uint32_t)t->n_hidden,
        .n_tags = LIMN_N_OBJECTS,
        .names = names,
        .hidden_weight = tensor_of(t, HIDDEN_WEIGHT),
        .hidden_bias = tensor_of(t, HIDDEN_BIAS),
        .output_weight = tensor_of(t, OUTPUT_WEIGHT),
        .output_bias = tensor_of(t, OUTPUT_BIAS),
    };
    for (size_t i = 0; i < LIMN_N_OBJECTS; i++) names[i] = limn_object_name(i);
    return limn_tag_heads_add(heads, &head, t->n_inputs / 2, err);
}

limn_status limn_tag_head_train(limn_tag_heads *heads, double *loss, const float *pooled,
                                const float *targets, size_t n, size_t dim,
                                const limn_tag_settings *settings, limn_error *err)
{
    training t = { .settings = settings,
                   .pooled = pooled,
                   .targets = targets,
                   .n = n,
                   .n_inputs = 2 * dim,
                   .n_hidden = settings->n_hidden };
    double sum = 0;
    limn_status status;
    if (n == 0 || settings->n_hidden < 1 || settings->n_hidden > LIMN_TAGS_MAX_HIDDEN ||
        settings->batch_size < 1 || !(settings->dropout >= 0 && settings->dropout <= 0.9F))
        return limn_fail(err, LIMN_E_ARG,
                         "tags of %zu images, %u hidden units, batches of %u, "
                         "dropout %g",
                         n, settings->n_hidden, settings->batch_size, (double)settings->dropout);
    status = allocate(&t, err);
    if (status == LIMN_OK) {
        measure_inputs(&t);
        for (uint32_t epoch = 0; epoch < settings->n_epochs; epoch++) sum = run_epoch(&t, epoch);
        if (loss) *loss = sum / (double)n;
        fold_inputs(&t);
        status = add_head(heads, &t, err);
    }
    finish(&t);
    return status;
}
