#include "models/signals.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/c/math_c.h"
#include "common/text/objects.h"

static const float MIN_PROBABILITY = 1e-4F; /* lower bound on a concept's probability */

struct limn_signals {
    const limn_model *model;
    limn_pool *pool;
    limn_decoder_state *unconditional; /* sees features of zero, begun once */
    float *log_probs;                  /* [n_tokens] */
    char *text;                        /* [max_text] */
    bool *is_in;                   /* [n_tokens] marks of one hypothesis, all false between uses */
    limn_object_lexicon *lexicon;  /* NULL when the model has no object tags */
    size_t first_object;           /* index of its first tag */
    size_t first_class, n_classes; /* of "imagenet"; 0 of them without */
};

/* Whether the model has tags for the 80 objects, named as in common/text/objects.h. */
static bool tells_objects(size_t *first, const limn_model *m)
{
    size_t n;
    if (!m->tagger || !limn_tagger_find_set(first, &n, m->tagger, "objects") || n != LIMN_N_OBJECTS)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(limn_tagger_tag(m->tagger, *first + i).name, limn_object_name(i)) != 0)
            return false;
    return true;
}

static limn_status begin_unconditional(limn_signals *s, limn_error *err)
{
    const limn_decoder_config *c = &s->model->config.decoder;
    float *features = limn_calloc(c->n_memory_positions, c->memory_dim * sizeof *features);
    if (!features) return limn_fail(err, LIMN_E_NOMEM, "no memory for signals");
    limn_decoder_begin(s->unconditional, s->pool, features, NULL);
    limn_free(features);
    return LIMN_OK;
}

static limn_status build(limn_signals *s, limn_error *err)
{
    const limn_model *m = s->model;
    const size_t n_tokens = m->config.decoder.n_tokens;
    s->log_probs = limn_alloc(n_tokens, sizeof *s->log_probs);
    s->text = limn_alloc(m->max_text, 1);
    s->is_in = limn_calloc(n_tokens, sizeof *s->is_in);
    if (!s->log_probs || !s->text || !s->is_in)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for signals");
    LIMN_TRY(limn_decoder_state_create(&s->unconditional, m->decoder, 1, m->config.max_steps, err));
    LIMN_TRY(begin_unconditional(s, err));
    if (!m->tagger || !limn_tagger_find_set(&s->first_class, &s->n_classes, m->tagger, "imagenet"))
        s->n_classes = 0;
    return tells_objects(&s->first_object, m) ? limn_object_lexicon_create(&s->lexicon, err)
                                              : LIMN_OK;
}

limn_status limn_signals_create(limn_signals **out, const limn_model *model, limn_pool *pool,
                                limn_error *err)
{
    limn_signals *s = *out = limn_calloc(1, sizeof *s);
    limn_status status;
    if (!s) return limn_fail(err, LIMN_E_NOMEM, "no memory for signals");
    s->model = model;
    s->pool = pool;
    status = build(s, err);
    if (status != LIMN_OK) limn_signals_destroy(out);
    return status;
}

void limn_signals_destroy(limn_signals **p)
{
    limn_signals *s = p ? *p : NULL;
    if (!s) return;
    limn_decoder_state_destroy(&s->unconditional);
    limn_object_lexicon_destroy(&s->lexicon);
    limn_free(s->log_probs);
    limn_free(s->text);
    limn_free(s->is_in);
    limn_free(s);
    *p = NULL;
}

/* ---- measuring ---------------------------------------------------------------------------- */

/* Sum of the log-probabilities of the tokens without the image. */
static double logprob_without(limn_signals *s, const limn_hypothesis *h)
{
    const uint32_t parent = 0;
    double sum = 0;
    limn_decoder_rewind(s->unconditional);
    for (size_t i = 0; i < h->n_tokens; i++) {
        const uint32_t token = i > 0 ? h->tokens[i - 1] : s->model->config.decoder.specials.start;
        limn_decoder_step(s->unconditional, s->pool, 1, &parent, &token, s->log_probs);
        limn_model_log_probs(s->model, s->log_probs, 1);
        sum += (double)s->log_probs[h->tokens[i]];
    }
    return sum;
}

static double mean_logprob(const limn_hypothesis *h)
{
    return h->logprob / (double)h->n_tokens;
}

static float least_logprob(const limn_hypothesis *h)
{
    float least = 0;
    for (size_t i = 0; i < h->n_tokens; i++) least = fminf(least, h->token_logprobs[i]);
    return least;
}

static double mean_entropy(const limn_prediction *const *predictions, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)predictions[i]->entropy;
    return sum / (double)n;
}

/* Its mean logprob minus the best of the others'; 0 without others. */
static double margin(const limn_hypothesis *found, size_t n, size_t which)
{
    double best = -INFINITY;
    for (size_t i = 0; i < n; i++)
        if (i != which) best = fmax(best, mean_logprob(&found[i]));
    return n > 1 ? mean_logprob(&found[which]) - best : 0;
}

/* Jaccard similarity of two captions' token sets. */
static double likeness(limn_signals *s, const limn_hypothesis *a, const limn_hypothesis *b)
{
    size_t n_a = 0, n_common = 0, n_b = 0;
    for (size_t i = 0; i < a->n_tokens; i++) {
        n_a += !s->is_in[a->tokens[i]];
        s->is_in[a->tokens[i]] = true;
    }
    for (size_t i = 0; i < b->n_tokens; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i; k++) is_new = is_new && b->tokens[k] != b->tokens[i];
        n_b += is_new;
        n_common += is_new && s->is_in[b->tokens[i]];
    }
    for (size_t i = 0; i < a->n_tokens; i++) s->is_in[a->tokens[i]] = false;
    return (double)n_common / (double)(n_a + n_b - n_common);
}

static double agreement(limn_signals *s, const limn_hypothesis *found, size_t n, size_t which)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (i != which) sum += likeness(s, &found[which], &found[i]);
    return n > 1 ? sum / (double)(n - 1) : 1;
}

static float log_probability(float p)
{
    return limn_logf(fmaxf(p, MIN_PROBABILITY));
}

static float familiarity(const limn_signals *s, const float *probabilities)
{
    float largest = 0;
    if (!s->n_classes) return 0;
    for (size_t i = 0; i < s->n_classes; i++)
        largest = fmaxf(largest, probabilities[s->first_class + i]);
    return log_probability(largest);
}

/* Fills the signals about the objects that the caption names: the logarithm of the least
 * probability among them, and of the person's where it names people. */
static void measure_objects(float *out, limn_signals *s, const limn_hypothesis *h,
                            const float *probabilities)
{
    const float *of_object = probabilities + s->first_object;
    limn_object_mentions m;
    float least = 1;
    if (!s->lexicon) return;
    limn_vocab_join(s->text, s->model->max_text, s->model->vocab, h->tokens, h->n_tokens);
    limn_objects_find(&m, s->lexicon, s->text);
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++)
        if (limn_object_set_has(m.objects, c)) least = fminf(least, of_object[c]);
    out[LIMN_SIGNAL_OBJECTS] = log_probability(least);
    out[LIMN_SIGNAL_PEOPLE] = m.names_person;
    if (m.names_person) out[LIMN_SIGNAL_PERSON] = log_probability(of_object[LIMN_OBJECT_PERSON]);
}

void limn_signals_measure(float *out, limn_signals *s, const limn_hypothesis *found, size_t n,
                          size_t which, const limn_prediction *const *predictions,
                          const float *probabilities)
{
    const limn_hypothesis *h = &found[which];
    memset(out, 0, LIMN_N_SIGNALS * sizeof *out);
    out[LIMN_SIGNAL_LOGPROB] = (float)mean_logprob(h);
    out[LIMN_SIGNAL_LEAST] = least_logprob(h);
    out[LIMN_SIGNAL_ENTROPY] = (float)mean_entropy(predictions, h->n_tokens);
    out[LIMN_SIGNAL_LENGTH] = (float)h->n_tokens;
    out[LIMN_SIGNAL_PICTURE] =
        (float)(mean_logprob(h) - logprob_without(s, h) / (double)h->n_tokens);
    out[LIMN_SIGNAL_MARGIN] = (float)margin(found, n, which);
    out[LIMN_SIGNAL_AGREEMENT] = (float)agreement(s, found, n, which);
    if (!probabilities) return;
    out[LIMN_SIGNAL_FAMILIAR] = familiarity(s, probabilities);
    measure_objects(out, s, h, probabilities);
}
