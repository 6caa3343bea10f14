#include "models/confidence_fit.h"

#include <math.h>

enum { N = LIMN_N_SIGNALS + 1, MAX_STEPS = 100, MAX_HALVINGS = 40 }; /* the bias comes last */

/* ---- what is minimised -------------------------------------------------------------------- */

/* x [N] of an example: standardised signals, and 1 for the bias. */
static void standardise(double *x, const limn_confidence *c, const float *signals)
{
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
        x[i] = ((double)signals[i] - c->signals[i].mean) / c->signals[i].scale;
    x[LIMN_N_SIGNALS] = 1;
}

static double logit_of(const limn_confidence *c, const double *x)
{
    double sum = c->bias;
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++) sum += c->signals[i].weight * x[i];
    return sum;
}

/* log(1 + exp(z)) */
static double softplus(double z)
{
    return fmax(z, 0) + log1p(exp(-fabs(z)));
}

double limn_confidence_loss(const limn_confidence *c, const limn_confidence_example *examples,
                            size_t n)
{
    double sum = 0, x[N];
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
        sum += LIMN_CONFIDENCE_RIDGE / 2 * c->signals[i].weight * c->signals[i].weight;
    for (size_t k = 0; k < n; k++) {
        standardise(x, c, examples[k].signals);
        const double z = logit_of(c, x);
        sum += softplus(examples[k].is_right ? -z : z);
    }
    return sum;
}

/* Its gradient, and the lower triangle of its second derivatives. */
static void derive(double gradient[N], double hessian[N][N], const limn_confidence *c,
                   const limn_confidence_example *examples, size_t n)
{
    double x[N];
    for (size_t i = 0; i < N; i++) {
        const bool is_weight = i < LIMN_N_SIGNALS;
        gradient[i] = is_weight ? LIMN_CONFIDENCE_RIDGE * c->signals[i].weight : 0;
        for (size_t j = 0; j <= i; j++)
            hessian[i][j] = is_weight && i == j ? LIMN_CONFIDENCE_RIDGE : 0;
    }
    for (size_t k = 0; k < n; k++) {
        standardise(x, c, examples[k].signals);
        const double p = 1 / (1 + exp(-logit_of(c, x)));
        for (size_t i = 0; i < N; i++) {
            gradient[i] += (p - examples[k].is_right) * x[i];
            for (size_t j = 0; j <= i; j++) hessian[i][j] += p * (1 - p) * x[i] * x[j];
        }
    }
}

/* ---- minimising --------------------------------------------------------------------------- */

/* Solves hessian * step = gradient by Cholesky's decomposition; `hessian` is positive definite, and
 * becomes its factor. A pivot that rounding made 0 is replaced by a tiny one. */
static void solve(double step[N], double hessian[N][N], const double gradient[N])
{
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = hessian[i][j];
            for (size_t k = 0; k < j; k++) sum -= hessian[i][k] * hessian[j][k];
            hessian[i][j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / hessian[j][j];
        }
    for (size_t i = 0; i < N; i++) {
        step[i] = gradient[i];
        for (size_t k = 0; k < i; k++) step[i] -= hessian[i][k] * step[k];
        step[i] /= hessian[i][i];
    }
    for (size_t i = N; i-- > 0;) {
        for (size_t k = i + 1; k < N; k++) step[i] -= hessian[k][i] * step[k];
        step[i] /= hessian[i][i];
    }
}

static limn_confidence moved(const limn_confidence *c, const double step[N], double share)
{
    limn_confidence to = *c;
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++) to.signals[i].weight -= share * step[i];
    to.bias -= share * step[LIMN_N_SIGNALS];
    return to;
}

/* One Newton step, halved until the loss falls. False when no step lowers it: at the minimum. */
static bool improve(limn_confidence *c, double *loss, const limn_confidence_example *examples,
                    size_t n)
{
    double gradient[N], hessian[N][N], step[N], share = 1;
    derive(gradient, hessian, c, examples, n);
    solve(step, hessian, gradient);
    for (int i = 0; i < MAX_HALVINGS; i++, share /= 2) {
        const limn_confidence to = moved(c, step, share);
        const double less = limn_confidence_loss(&to, examples, n);
        if (less < *loss) {
            *c = to;
            *loss = less;
            return true;
        }
    }
    return false;
}

/* ---- fitting ------------------------------------------------------------------------------ */

static limn_status check(const limn_confidence_example *examples, size_t n, limn_error *err)
{
    size_t n_right = 0;
    for (size_t k = 0; k < n; k++) {
        n_right += examples[k].is_right;
        for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
            if (!(fabsf(examples[k].signals[i]) <= 1e6F))
                return limn_fail(err, LIMN_E_ARG,
                                 "caption %zu: the signal \"%s\" is %g, beyond "
                                 "±1e6",
                                 k, limn_signal_names[i], (double)examples[k].signals[i]);
    }
    if (n_right >= LIMN_CONFIDENCE_MIN_RIGHT && n - n_right >= LIMN_CONFIDENCE_MIN_RIGHT)
        return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG,
                     "%zu of %zu captions are right: a fit needs %d right ones "
                     "and %d wrong ones at least",
                     n_right, n, LIMN_CONFIDENCE_MIN_RIGHT, LIMN_CONFIDENCE_MIN_RIGHT);
}

static void measure_signal(limn_confidence *c, size_t i, const limn_confidence_example *examples,
                           size_t n)
{
    double sum = 0, squares = 0;
    for (size_t k = 0; k < n; k++) sum += (double)examples[k].signals[i];
    c->signals[i].mean = sum / (double)n;
    for (size_t k = 0; k < n; k++) {
        const double d = (double)examples[k].signals[i] - c->signals[i].mean;
        squares += d * d;
    }
    c->signals[i].scale = sqrt(squares / (double)n);
    if (c->signals[i].scale < 1e-6) c->signals[i].scale = 1;
}

limn_status limn_confidence_fit(limn_confidence *out, const limn_confidence_example *examples,
                                size_t n, limn_error *err)
{
    *out = (limn_confidence){ .n_images = (uint32_t)n };
    LIMN_TRY(check(examples, n, err));
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++) measure_signal(out, i, examples, n);
    double loss = limn_confidence_loss(out, examples, n);
    for (int i = 0; i < MAX_STEPS && improve(out, &loss, examples, n); i++) continue;
    return LIMN_OK;
}
