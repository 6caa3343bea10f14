#include "models/options.h"

#include <math.h>

#include "common/image/image.h"
#include "decoder/beam.h"
#include "models/captioner_model.h"

limn_options limn_options_default(void)
{
    return (limn_options){ .beam_size = 3, .n_best = 1, .length_penalty = NAN,
                           .max_pixels = limn_image_settings_default().max_pixels };
}

static limn_status check_count(const char *name, uint32_t value, uint32_t low, uint32_t high,
                               limn_error *err)
{
    if (value < low || value > high)
        return limn_fail(err, LIMN_E_ARG, "%s: %u is not in %u … %u", name, value, low, high);
    return LIMN_OK;
}

limn_status limn_options_check(const limn_options *o, const limn_model *m, limn_error *err)
{
    const uint32_t max_words = m->config.max_steps;
    LIMN_TRY(check_count("beam_size", o->beam_size, 1, LIMN_BEAM_MAX, err));
    LIMN_TRY(check_count("n_best", o->n_best, 1, o->beam_size, err));
    LIMN_TRY(check_count("min_words", o->min_words, 0, max_words - 1, err));
    LIMN_TRY(check_count("max_words", o->max_words, 0, max_words, err));
    if (o->max_words > 0 && o->min_words > o->max_words)
        return limn_fail(err, LIMN_E_ARG, "min_words: %u is more than max_words, %u", o->min_words,
                         o->max_words);
    LIMN_TRY(check_count("n_alternatives", o->n_alternatives, 0, 100, err));
    LIMN_TRY(check_count("style", (uint32_t)o->style, LIMN_STYLE_RAW, LIMN_STYLE_SENTENCE, err));
    if (!isnan(o->length_penalty) && !(o->length_penalty >= -10 && o->length_penalty <= 10))
        return limn_fail(err, LIMN_E_ARG, "length_penalty: %g is not in -10 … 10",
                         (double)o->length_penalty);
    return LIMN_OK;
}
