#include "common/metrics/sacrebleu.h"

#include <math.h>

enum { ORDER = LIMN_NGRAM_MAX_ORDER };

const char *const limn_sacrebleu_smoothing_names[] = { "exp", "floor", "add-k", "none", NULL };

static double smoothing_value(const limn_sacrebleu_settings *s)
{
    if (s->value >= 0) return s->value;
    return s->smoothing == LIMN_SACREBLEU_FLOOR ? 0.1 : 1.0;
}

static double brevity_penalty(const limn_bleu_stats *s)
{
    if (s->test_length >= s->reference_length) return 1.0;
    return s->test_length > 0 ? exp(1 - s->reference_length / s->test_length) : 0.0;
}

/* Stops at the first order of which there are no n-grams: its precision and the rest stay 0. */
static void fill_precisions(double precisions[ORDER], const limn_bleu_stats *s,
                            const limn_sacrebleu_settings *settings)
{
    const double value = smoothing_value(settings);
    double halvings = 1;
    for (size_t n = 0; n < ORDER; n++) {
        const double added = settings->smoothing == LIMN_SACREBLEU_ADD_K && n > 0 ? value : 0;
        const double correct = s->correct[n] + added, total = s->guess[n] + added;
        if (total == 0) return;
        if (correct > 0) {
            precisions[n] = 100.0 * correct / total;
        } else if (settings->smoothing == LIMN_SACREBLEU_EXP) {
            halvings *= 2;
            precisions[n] = 100.0 / (halvings * total);
        } else if (settings->smoothing == LIMN_SACREBLEU_FLOOR) {
            precisions[n] = 100.0 * value / total;
        }
    }
}

limn_sacrebleu limn_sacrebleu_score(const limn_bleu_stats *stats,
                                    const limn_sacrebleu_settings *settings)
{
    limn_sacrebleu out = { .brevity_penalty = brevity_penalty(stats),
                           .hyp_length = stats->test_length,
                           .ref_length = stats->reference_length };
    double sum = 0;
    bool has_match = false;
    if (stats->reference_length > 0) out.ratio = stats->test_length / stats->reference_length;
    for (size_t n = 0; n < ORDER; n++) has_match |= stats->correct[n] > 0;
    if (!has_match) return out;
    fill_precisions(out.precisions, stats, settings);
    for (size_t n = 0; n < ORDER; n++) {
        if (out.precisions[n] <= 0) return out;
        sum += log(out.precisions[n]);
    }
    out.score = out.brevity_penalty * exp(sum / ORDER);
    return out;
}

void limn_sacrebleu_print(limn_buffer *out, const limn_sacrebleu *s)
{
    limn_buffer_printf(out, "BLEU = %.2f %.1f/%.1f/%.1f/%.1f", s->score, s->precisions[0],
                       s->precisions[1], s->precisions[2], s->precisions[3]);
    limn_buffer_printf(out, " (BP = %.3f ratio = %.3f hyp_len = %.0f ref_len = %.0f)",
                       s->brevity_penalty, s->ratio, s->hyp_length, s->ref_length);
}

void limn_sacrebleu_sign(limn_buffer *out, const limn_sacrebleu_settings *settings, size_t n_refs)
{
    if (n_refs > 0)
        limn_buffer_printf(out, "nrefs:%zu", n_refs);
    else
        limn_buffer_append_text(out, "nrefs:var");
    limn_buffer_printf(out, "|case:%s|eff:no|tok:%s|smooth:%s",
                       settings->is_lower_case ? "lc" : "mixed", settings->tokenizer,
                       limn_sacrebleu_smoothing_names[settings->smoothing]);
    if (settings->smoothing == LIMN_SACREBLEU_FLOOR || settings->smoothing == LIMN_SACREBLEU_ADD_K)
        limn_buffer_printf(out, "[%.2f]", smoothing_value(settings));
    limn_buffer_append_text(out, "|version:2.6.0");
}
