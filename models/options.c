#include "models/options.h"

#include <math.h>

#include "common/image/image.h"
#include "decoder/beam.h"
#include "models/captioner_model.h"

limn_options limn_options_default(void)
{
    return (limn_options){ .n_best = 1,
                           .beam_size = 3,
                           .patience = 1,
                           .n_groups = 1,
                           .diversity = 0.5f,
                           .temperature = 1,
                           .top_p = 1,
                           .typical = 1,
                           .length_penalty = NAN,
                           .repetition_penalty = 1,
                           .guidance = 1,
                           .max_pixels = limn_image_settings_default().max_pixels };
}

static limn_status check_count(const char *name, uint32_t value, uint32_t low, uint32_t high,
                               limn_error *err)
{
    if (value < low || value > high)
        return limn_fail(err, LIMN_E_ARG, "%s: %u is not in %u … %u", name, value, low, high);
    return LIMN_OK;
}

static limn_status check_real(const char *name, float value, float low, float high, limn_error *err)
{
    if (!(value >= low && value <= high))
        return limn_fail(err, LIMN_E_ARG, "%s: %g is not in %g … %g", name, (double)value,
                         (double)low, (double)high);
    return LIMN_OK;
}

/* In (0, 1]. */
static limn_status check_share(const char *name, float value, limn_error *err)
{
    if (!(value > 0 && value <= 1))
        return limn_fail(err, LIMN_E_ARG, "%s: %g is not above 0 and at most 1", name,
                         (double)value);
    return LIMN_OK;
}

static limn_status check_beam(const limn_options *o, limn_error *err)
{
    LIMN_TRY(check_count("beam_size", o->beam_size, 1, LIMN_BEAM_MAX, err));
    LIMN_TRY(check_count("n_groups", o->n_groups, 1, LIMN_BEAM_MAX, err));
    LIMN_TRY(check_real("diversity", o->diversity, 0, 100, err));
    LIMN_TRY(check_real("patience", o->patience, 0.01f, 64, err));
    if (o->method != LIMN_METHOD_BEAM) return LIMN_OK;
    if (o->beam_size % o->n_groups)
        return limn_fail(err, LIMN_E_ARG, "n_groups: %u does not divide beam_size, %u", o->n_groups,
                         o->beam_size);
    if (o->n_candidates && o->patience != 1)
        return limn_fail(err, LIMN_E_ARG, "patience and n_candidates both say how many may finish");
    const limn_beam_settings s = {
        .beam_size = o->beam_size,
        .n_groups = o->n_groups,
        .patience = o->n_candidates ? (float)o->n_candidates / (float)o->beam_size : o->patience,
    };
    const uint32_t n = (uint32_t)limn_beam_max_finished(&s);
    LIMN_TRY(check_count("captions that may finish (beam_size, patience)", n, 1, LIMN_BEAM_MAX_ROWS,
                         err));
    return check_count("n_best", o->n_best, 1, n < LIMN_BEAM_MAX ? n : LIMN_BEAM_MAX, err);
}

static limn_status check_sampling(const limn_options *o, limn_error *err)
{
    LIMN_TRY(check_real("temperature", o->temperature, 0, 100, err));
    LIMN_TRY(check_share("top_p", o->top_p, err));
    LIMN_TRY(check_real("min_p", o->min_p, 0, 1, err));
    LIMN_TRY(check_share("typical", o->typical, err));
    if (o->method == LIMN_METHOD_BEAM) return LIMN_OK;
    if (o->n_required)
        return limn_fail(err, LIMN_E_ARG,
                         "required: only beam search can see to required words, "
                         "not sampling");
    if (o->n_candidates)
        LIMN_TRY(check_count("n_candidates", o->n_candidates, o->n_best, LIMN_BEAM_MAX_ROWS, err));
    return check_count("n_best", o->n_best, 1, LIMN_BEAM_MAX, err);
}

static limn_status check_lengths(const limn_options *o, uint32_t max_steps, limn_error *err)
{
    LIMN_TRY(check_count("min_words", o->min_words, 0, max_steps - 1, err));
    LIMN_TRY(check_count("max_words", o->max_words, 0, max_steps, err));
    if (o->max_words > 0 && o->min_words > o->max_words)
        return limn_fail(err, LIMN_E_ARG, "min_words: %u is more than max_words, %u", o->min_words,
                         o->max_words);
    return LIMN_OK;
}

static limn_status check_scores(const limn_options *o, limn_error *err)
{
    if (!isnan(o->length_penalty))
        LIMN_TRY(check_real("length_penalty", o->length_penalty, -10, 10, err));
    LIMN_TRY(check_real("guidance", o->guidance, 0, 10, err));
    LIMN_TRY(check_real("length_reward", o->length_reward, -10, 10, err));
    LIMN_TRY(check_real("repetition_penalty", o->repetition_penalty, 0.01f, 100, err));
    return check_real("coverage_penalty", o->coverage_penalty, 0, 10, err);
}

static limn_status check_choice(const limn_options *o, const limn_model *m, limn_error *err)
{
    LIMN_TRY(check_count("method", (uint32_t)o->method, 0, LIMN_METHOD_SAMPLE_DISTINCT, err));
    LIMN_TRY(check_count("rerank", (uint32_t)o->rerank, 0, LIMN_RERANK_CONSENSUS, err));
    LIMN_TRY(check_count("style", (uint32_t)o->style, LIMN_STYLE_RAW, LIMN_STYLE_SENTENCE, err));
    LIMN_TRY(check_count("n_alternatives", o->n_alternatives, 0, 100, err));
    LIMN_TRY(check_count("n_tags", o->n_tags, 0, 100, err));
    if (o->n_tags > 0 && !m->tagger)
        return limn_fail(err, LIMN_E_ARG,
                         "n_tags: %u, but the model has no tags (limn-convert "
                         "--tags gives it those of its encoder)",
                         o->n_tags);
    if (o->rerank == LIMN_RERANK_CONSENSUS && !m->frequencies)
        return limn_fail(err, LIMN_E_ARG,
                         "rerank: the model file has no document frequencies, "
                         "which consensus needs; limn-convert --references adds them");
    return LIMN_OK;
}

limn_status limn_options_check(const limn_options *o, const limn_model *m, limn_error *err)
{
    LIMN_TRY(check_choice(o, m, err));
    LIMN_TRY(check_beam(o, err));
    LIMN_TRY(check_sampling(o, err));
    LIMN_TRY(check_lengths(o, m->config.max_steps, err));
    if (o->n_required > LIMN_AUTOMATON_MAX_REQUIREMENTS)
        return limn_fail(err, LIMN_E_ARG, "n_required: %zu is more than %d", o->n_required,
                         LIMN_AUTOMATON_MAX_REQUIREMENTS);
    return check_scores(o, err);
}
