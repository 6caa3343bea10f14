#include "decoder/sampling.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "common/kernels/c/math_c.h"

static double sum_of(const float *values, size_t n)
{
    double sum = 0;
    for (size_t t = 0; t < n; t++) sum += (double)values[t];
    return sum;
}

static size_t largest(const float *values, size_t n)
{
    size_t best = 0;
    for (size_t t = 1; t < n; t++)
        if (values[t] > values[best]) best = t;
    return best;
}

/* ---- the best first ----------------------------------------------------------------------- */

/* A heap of the tokens with a probability, the smallest key at the top; of equals, the lowest
 * token. */
typedef struct heap {
    limn_sampling_item *items;
    size_t n;
} heap;

static bool is_before(const limn_sampling_item *a, const limn_sampling_item *b)
{
    return a->key < b->key || (a->key == b->key && a->token < b->token);
}

static void sift_down(heap *h, size_t at)
{
    for (;;) {
        size_t first = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < h->n; child++)
            if (is_before(&h->items[child], &h->items[first])) first = child;
        if (first == at) return;
        const limn_sampling_item item = h->items[at];
        h->items[at] = h->items[first];
        h->items[first] = item;
        at = first;
    }
}

static void build_heap(heap *h)
{
    for (size_t i = h->n / 2; i-- > 0;) sift_down(h, i);
}

static limn_sampling_item pop(heap *h)
{
    const limn_sampling_item first = h->items[0];
    h->items[0] = h->items[--h->n];
    sift_down(h, 0);
    return first;
}

/* A heap of probabilities [n] with the largest at the top. */
static heap most_probable_first(limn_sampling_item *items, const float *p, size_t n)
{
    heap h = { items, 0 };
    for (size_t t = 0; t < n; t++)
        if (p[t] > 0) items[h.n++] = (limn_sampling_item){ -p[t], (uint32_t)t };
    build_heap(&h);
    return h;
}

/* ---- what is left out --------------------------------------------------------------------- */

static void drop_below(float *p, size_t n, float least)
{
    for (size_t t = 0; t < n; t++)
        if (p[t] < least) p[t] = 0;
}

static void keep_top_k(float *p, size_t n, size_t k, limn_sampling_item *items)
{
    heap h = most_probable_first(items, p, n);
    limn_sampling_item last = { 0, 0 };
    if (h.n <= k) return;
    for (size_t i = 0; i < k; i++) last = pop(&h);
    drop_below(p, n, -last.key);
}

/* Drops what is left in the heap when the mass is reached. */
static void keep_top_p(float *p, size_t n, double mass, limn_sampling_item *items)
{
    const double wanted = mass * sum_of(p, n);
    heap h = most_probable_first(items, p, n);
    double sum = 0;
    while (h.n > 0 && sum < wanted) sum -= (double)pop(&h).key;
    for (size_t i = 0; i < h.n; i++) p[h.items[i].token] = 0;
}

/* |information - entropy| of each token, in `items`, the most typical first. */
static heap most_typical_first(limn_sampling_item *items, const float *p, size_t n, double sum)
{
    heap h = { items, 0 };
    double entropy = 0;
    for (size_t t = 0; t < n; t++) {
        const float share = (float)((double)p[t] / sum);
        if (!(share > 0)) continue;
        items[h.n++] = (limn_sampling_item){ -limn_logf(share), (uint32_t)t };
        entropy += (double)share * (double)items[h.n - 1].key;
    }
    for (size_t i = 0; i < h.n; i++) items[i].key = fabsf(items[i].key - (float)entropy);
    build_heap(&h);
    return h;
}

static void keep_typical(float *p, size_t n, double mass, limn_sampling_item *items)
{
    drop_below(p, n, FLT_MIN); /* limn_logf takes normal numbers only */
    const double total = sum_of(p, n);
    heap h = most_typical_first(items, p, n, total);
    double sum = 0;
    float last = 0;
    while (h.n > 0 && sum < mass * total) {
        const limn_sampling_item item = pop(&h);
        sum += (double)p[item.token];
        last = item.key;
    }
    for (size_t i = 0; i < h.n; i++)
        if (h.items[i].key > last) p[h.items[i].token] = 0;
}

/* ---- all ---------------------------------------------------------------------------------- */

static void keep_one(float *values, size_t n, size_t token)
{
    for (size_t t = 0; t < n; t++) values[t] = t == token;
}

/* Relative to the largest, since a small temperature would overflow. */
static void heat(float *values, size_t n, float best, float temperature)
{
    for (size_t t = 0; t < n; t++) values[t] = (values[t] - best) / temperature;
}

static bool is_share(float x)
{
    return x > 0 && x < 1;
}

double limn_sampling_apply(const limn_sampling *s, limn_softmax_fn *softmax,
                           limn_sampling_item *items, float *values, size_t n)
{
    const size_t best = largest(values, n);
    if (!(values[best] > -INFINITY)) return 0;
    if (s->temperature <= 0) {
        keep_one(values, n, best);
        return 1;
    }
    if (s->temperature != 1) heat(values, n, values[best], s->temperature);
    softmax(values, 1, n, n);
    if (s->top_k > 0) keep_top_k(values, n, s->top_k, items);
    if (is_share(s->top_p)) keep_top_p(values, n, (double)s->top_p, items);
    if (s->min_p > 0) drop_below(values, n, s->min_p * values[best]);
    if (is_share(s->typical)) keep_typical(values, n, (double)s->typical, items);
    return sum_of(values, n);
}

uint32_t limn_sampling_draw(const float *probabilities, size_t n, double sum, double u)
{
    const double wanted = u * sum;
    double at = 0;
    size_t last = 0;
    for (size_t t = 0; t < n; t++) {
        if (!(probabilities[t] > 0)) continue;
        at += (double)probabilities[t];
        last = t;
        if (at > wanted) break;
    }
    return (uint32_t)last;
}
