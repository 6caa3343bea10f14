#include "models/options.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/status.h"
#include "decoder/beam.h"
#include "models/captioner_model.h"
#include "models/option_table.h"
#include "models/option_value.h"

/* Defaults with rerank=consensus. The consensus of the few captions that finish first is hardly
 * better than the best by score; most of the gain comes from the next few. */
enum {
    CONSENSUS_BEAM = 64,
    CONSENSUS_NARROW_BEAM = 20, /* where a beam is split: by required words or groups */
    CONSENSUS_CANDIDATES_PER_BEAM = 2,
    VIRTEX_BEAM = 5,
};

static const char *const search_rule_names[] = { "limn", "transformers", "virtex" };

/* option_value.c reads and writes these fields as unsigned. */
static_assert(sizeof(limn_method) == sizeof(unsigned) && sizeof(limn_rerank) == sizeof(unsigned) &&
                  sizeof(limn_style) == sizeof(unsigned),
              "choices are unsigned");
static_assert(sizeof(limn_search_rules) == sizeof(unsigned), "this one too");

/* ---- defaults ----------------------------------------------------------------------------- */

void limn_options_init(limn_options *options, size_t size)
{
    limn_options all = { .size = size, .length_penalty = NAN, .guidance = NAN };
    if (!options) return;
    for (size_t i = 0; i < limn_n_option_rows; i++)
        if (limn_option_rows[i].default_value)
            limn_option_read(&all, &limn_option_rows[i], limn_option_rows[i].default_value, NULL);
    memset(options, 0, size);
    memcpy(options, &all, size < sizeof all ? size : sizeof all);
}

/* Whether a newer program has set something in the bytes past what is known here. */
static bool has_unknown(const limn_options *given)
{
    const unsigned char *bytes = (const unsigned char *)given;
    for (size_t i = sizeof *given; i < given->size; i++)
        if (bytes[i]) return true;
    return false;
}

limn_status limn_options_take(limn_options *out, const limn_options *given, limn_error *err)
{
    limn_options_init(out, sizeof *out);
    if (!given) return LIMN_OK;
    if (given->size < LIMN_OPTIONS_MIN_SIZE || given->size > 16 * sizeof *out)
        return limn_fail(err, LIMN_E_ARG,
                         "options: a size of %zu bytes is not what limn_options_default writes",
                         given->size);
    if (has_unknown(given))
        return limn_fail(
            err, LIMN_E_ARG,
            "options: %zu bytes, more than the %zu of limn %s, which is older than the program",
            given->size, sizeof *out, LIMN_VERSION);
    memcpy(out, given, given->size < sizeof *out ? given->size : sizeof *out);
    out->size = sizeof *out;
    limn_options_complete(out);
    return LIMN_OK;
}

bool limn_options_names(const limn_options *o, const char *name)
{
    const limn_option *row = limn_option_find(name);
    return row && (o->set_by_name >> (row - limn_option_rows) & 1);
}

/* The originals' own defaults. */
static void complete_search(limn_options *o)
{
    if (!limn_options_names(o, "beam"))
        o->beam_size = o->search == LIMN_SEARCH_VIRTEX ? VIRTEX_BEAM : 1;
    if (o->search == LIMN_SEARCH_TRANSFORMERS && isnan(o->length_penalty)) o->length_penalty = 1;
}

void limn_options_complete(limn_options *o)
{
    if (o->search != LIMN_SEARCH_LIMN && limn_options_names(o, "search")) complete_search(o);
    if (!o->rerank || !limn_options_names(o, "rerank")) return;
    const bool is_split = o->n_required > 0 || o->n_groups > 1;
    if (!limn_options_names(o, "beam"))
        o->beam_size = is_split ? CONSENSUS_NARROW_BEAM : CONSENSUS_BEAM;
    if (o->method == LIMN_METHOD_BEAM && o->beam_size > 1 && !limn_options_names(o, "patience") &&
        !limn_options_names(o, "candidates"))
        o->n_candidates = CONSENSUS_CANDIDATES_PER_BEAM * o->beam_size;
}

/* ---- bounds ------------------------------------------------------------------------------- */

static bool is_number(const limn_option *row)
{
    return row->type == LIMN_OPT_COUNT || row->type == LIMN_OPT_SIZE || row->type == LIMN_OPT_REAL;
}

/* Whether a value means "not given", for options without a default. */
static bool is_unset(const limn_option *row, double value)
{
    return !row->default_value && (row->type == LIMN_OPT_REAL ? isnan(value) : value == 0);
}

static limn_status check_number(const limn_options *o, const limn_option *row, const char *dash,
                                limn_error *err)
{
    const double value = limn_option_number(o, row);
    const double min = row->type == LIMN_OPT_REAL ? (double)(float)row->min : row->min;
    if ((value >= min && value <= row->max) || is_unset(row, value)) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG, "%s%s: %.9g is not in %.16g … %.16g", dash, row->name, value,
                     row->min, row->max);
}

static limn_status check_choice(const limn_options *o, const limn_option *row, const char *dash,
                                limn_error *err)
{
    const unsigned value = (unsigned)limn_option_number(o, row);
    unsigned n = 0;
    while (row->choices[n]) n++;
    if (value < n) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG, "%s%s: %u is not in 0 … %u", dash, row->name, value, n - 1);
}

static limn_status check_bounds(const limn_options *o, const char *dash, limn_error *err)
{
    for (size_t i = 0; i < limn_n_option_rows; i++) {
        const limn_option *row = &limn_option_rows[i];
        if (is_number(row)) LIMN_TRY(check_number(o, row, dash, err));
        if (row->type == LIMN_OPT_CHOICE) LIMN_TRY(check_choice(o, row, dash, err));
    }
    if (o->n_required > LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS)
        return limn_fail(err, LIMN_E_ARG, "%smust: %zu are more than %d", dash, o->n_required,
                         LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS);
    if ((o->n_required && !o->required) || (o->n_banned_words && !o->banned_words))
        return limn_fail(err, LIMN_E_ARG, "%s%s: a list is NULL", dash,
                         o->n_required && !o->required ? "must" : "ban");
    return LIMN_OK;
}

/* ---- contradictions ----------------------------------------------------------------------- */

/* The first of names (NULL after the last) that was set; NULL when none was. */
static const char *first_named(const limn_options *o, const char *const *names)
{
    while (*names && !limn_options_names(o, *names)) names++;
    return *names;
}

/* An option that is set but applies to sampling only; NULL when there is none. */
static const char *sampling_option(const limn_options *o)
{
    static const char *const names[] = { "temperature", "top-k", "top-p",    "min-p",
                                         "typical",     "seed",  "distinct", NULL };
    return first_named(o, names);
}

/* The same for beam search. */
static const char *beam_option(const limn_options *o)
{
    static const char *const names[] = { "beam", "groups", "diversity", "patience", NULL };
    const char *name = first_named(o, names);
    return !name && o->n_required ? "must" : name;
}

static limn_status check_method(const limn_options *o, const char *dash, limn_error *err)
{
    const bool is_beam = o->method == LIMN_METHOD_BEAM;
    const char *beam = beam_option(o), *sampling = sampling_option(o);
    if (!(o->method & LIMN_METHOD_SAMPLE) && sampling)
        return limn_fail(err, LIMN_E_ARG, "%s%s applies to sampling only; add %ssample", dash,
                         sampling, dash);
    if (!is_beam && o->method != LIMN_METHOD_SAMPLE && o->method != LIMN_METHOD_SAMPLE_DISTINCT)
        return limn_fail(err, LIMN_E_ARG, "method: %u is unknown", (unsigned)o->method);
    if (!is_beam && beam)
        return limn_fail(err, LIMN_E_ARG,
                         "%s%s applies to beam search only and can't be combined with %ssample",
                         dash, beam, dash);
    if (!is_beam && o->temperature == 0 && o->n_best > 1)
        return limn_fail(
            err, LIMN_E_ARG,
            "%stemperature 0 always draws the same caption, so %sn-best %u is impossible", dash,
            dash, o->n_best);
    return LIMN_OK;
}

static limn_status check_groups(const limn_options *o, const char *dash, limn_error *err)
{
    if (limn_options_names(o, "diversity") && o->n_groups == 1)
        return limn_fail(err, LIMN_E_ARG, "%sdiversity needs %sgroups of 2 or more", dash, dash);
    if (o->method == LIMN_METHOD_BEAM && o->beam_size % o->n_groups)
        return limn_fail(err, LIMN_E_ARG, "%sgroups: %u does not divide %sbeam, %u", dash,
                         o->n_groups, dash, o->beam_size);
    return LIMN_OK;
}

/* Captions that may finish in a beam search. */
static size_t max_finished(const limn_options *o)
{
    const limn_beam_settings s = {
        .beam_size = o->beam_size,
        .n_groups = o->n_groups,
        .patience = o->n_candidates ? (float)o->n_candidates / (float)o->beam_size : o->patience,
    };
    return limn_beam_max_finished(&s);
}

static limn_status check_candidates(const limn_options *o, const char *dash, limn_error *err)
{
    const bool is_named = limn_options_names(o, "candidates");
    if (o->n_candidates && (is_named || o->method != LIMN_METHOD_BEAM) &&
        o->n_candidates < o->n_best)
        return limn_fail(err, LIMN_E_ARG, "%scandidates: %u is less than %sn-best, %u", dash,
                         o->n_candidates, dash, o->n_best);
    if (o->n_candidates && (o->patience != 1 || limn_options_names(o, "patience")))
        return limn_fail(
            err, LIMN_E_ARG,
            "%scandidates and %spatience both set how many captions may finish; use only one", dash,
            dash);
    return LIMN_OK;
}

static limn_status check_finished(const limn_options *o, const char *dash, limn_error *err)
{
    const size_t n = max_finished(o);
    char by_patience[48], several[48];
    snprintf(by_patience, sizeof by_patience, "%sbeam times %spatience", dash, dash);
    snprintf(several, sizeof several, "%s%sbeam", o->n_candidates ? "twice " : "", dash);
    if (n > LIMN_BEAM_MAX_ROWS)
        return limn_fail(err, LIMN_E_ARG, "%s: %zu is not in 1 … %d", by_patience, n,
                         LIMN_BEAM_MAX_ROWS);
    if (o->n_best > n)
        return limn_fail(err, LIMN_E_ARG, "%sn-best: %u is more than %s, %zu", dash, o->n_best,
                         o->patience == 1 ? several : by_patience, n);
    return LIMN_OK;
}

static limn_status check_rerank(const limn_options *o, const char *dash, limn_error *err)
{
    const bool is_beam = o->method == LIMN_METHOD_BEAM;
    if (!o->rerank || !limn_options_names(o, "rerank") ||
        (is_beam ? max_finished(o) : o->n_candidates) >= 2)
        return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG,
                     "%srerank consensus needs several captions to choose from: %s%s%s", dash,
                     limn_options_names(o, "candidates") ? "raise "
                     : is_beam                           ? "raise "
                                                         : "add ",
                     dash, is_beam && !limn_options_names(o, "candidates") ? "beam" : "candidates");
}

/* ---- other searches ----------------------------------------------------------------------- */

/* Whether an option says something else than its default. */
static bool is_given(const limn_options *o, const limn_option *row)
{
    const char *field = (const char *)o + row->offset;
    limn_option_list list;
    const char *text;
    if (limn_options_names(o, row->name)) return true;
    switch (row->type) {
    case LIMN_OPT_TEXT: memcpy(&text, field, sizeof text); return text != NULL;
    case LIMN_OPT_LIST: memcpy(&list, field, sizeof list); return list.n_items > 0;
    case LIMN_OPT_FLAG: return *(const bool *)field;
    default: {
        limn_options defaults;
        limn_options_init(&defaults, sizeof defaults);
        const double value = limn_option_number(o, row);
        return !is_unset(row, value) && value != limn_option_number(&defaults, row);
    }
    }
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0) return true;
    return false;
}

/* Rejects options that the chosen search would ignore. */
static limn_status check_search(const limn_options *o, const char *dash, limn_error *err)
{
    static const char *const any[] = { "max-pixels", "search", "beam", "n-best",
                                       "style",      "tags",   NULL };
    static const char *const transformers[] = { "length-penalty", "repetition-penalty",
                                                "prompt",         "max-length",
                                                "max-new-tokens", "min-length",
                                                "min-new-tokens", NULL };
    const bool is_transformers = o->search == LIMN_SEARCH_TRANSFORMERS;
    const char *rules = search_rule_names[o->search];
    if (o->filter || o->keeps_search || o->keeps_attention)
        return limn_fail(err, LIMN_E_ARG, "%ssearch %s: %s only works with limn's own search", dash,
                         rules, o->filter ? "a filter" : "explaining");
    for (size_t i = 0; i < limn_n_option_rows; i++) {
        const limn_option *row = &limn_option_rows[i];
        if (is_listed(any, row->name) || (is_transformers && is_listed(transformers, row->name)))
            continue;
        if (is_given(o, row))
            return limn_fail(err, LIMN_E_ARG, "%s%s can't be combined with %ssearch %s", dash,
                             row->name, dash, rules);
    }
    return LIMN_OK;
}

static limn_status check_lengths(const limn_options *o, const char *dash, limn_error *err)
{
    static const char *const names[] = { "max-length", "max-new-tokens", "min-length",
                                         "min-new-tokens" };
    const uint32_t values[] = { o->max_length, o->max_new_tokens, o->min_length,
                                o->min_new_tokens };
    for (size_t i = 0; i < 4 && o->search == LIMN_SEARCH_LIMN; i++)
        if (values[i])
            return limn_fail(err, LIMN_E_ARG, "%s%s needs %ssearch transformers", dash, names[i],
                             dash);
    if (o->max_length && o->max_new_tokens)
        return limn_fail(
            err, LIMN_E_ARG,
            "%smax-length and %smax-new-tokens both limit the length of captions; use only one",
            dash, dash);
    return LIMN_OK;
}

static limn_status check_prompt(const limn_options *o, const char *dash, limn_error *err)
{
    const char *other = o->has_confidence    ? "confidence"
                        : o->rerank          ? "rerank"
                        : o->keeps_attention ? "explain"
                        : o->start           ? "start-with"
                                             : NULL;
    if (!o->prompt || !other) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG, "%sprompt can't be combined with %s%s", dash, dash, other);
}

limn_status limn_options_check(const limn_options *o, const char *dash, limn_error *err)
{
    LIMN_TRY(check_bounds(o, dash, err));
    if (o->search != LIMN_SEARCH_LIMN) LIMN_TRY(check_search(o, dash, err));
    LIMN_TRY(check_lengths(o, dash, err));
    LIMN_TRY(check_prompt(o, dash, err));
    LIMN_TRY(check_method(o, dash, err));
    LIMN_TRY(check_groups(o, dash, err));
    LIMN_TRY(check_candidates(o, dash, err));
    if (o->method == LIMN_METHOD_BEAM) LIMN_TRY(check_finished(o, dash, err));
    LIMN_TRY(check_rerank(o, dash, err));
    if (o->max_words && o->min_words > o->max_words)
        return limn_fail(err, LIMN_E_ARG, "%smin-words: %u is more than %smax-words, %u", dash,
                         o->min_words, dash, o->max_words);
    return LIMN_OK;
}

/* ---- of a model --------------------------------------------------------------------------- */

static limn_status check_words(const char *name, uint32_t value, uint32_t max, limn_error *err)
{
    if (value <= max) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG, "%s: %u is not in 0 … %u", name, value, max);
}

limn_status limn_options_check_for(const limn_options *o, const limn_model *m, limn_error *err)
{
    if (o->n_tags > 0 && !m->tagger)
        return limn_fail(err, LIMN_E_ARG,
                         "tags: %u, but the model has no tags (limn-convert --tags gives it those "
                         "of its encoder)",
                         o->n_tags);
    if (o->rerank == LIMN_RERANK_CONSENSUS && !m->frequencies)
        return limn_fail(err, LIMN_E_ARG,
                         "rerank: the model file has no document frequencies, which consensus "
                         "needs; limn-convert --references adds them");
    if (o->search != LIMN_SEARCH_LIMN && m->n_others > 0)
        return limn_fail(err, LIMN_E_ARG, "search: %s runs one model, not an ensemble of %zu",
                         search_rule_names[o->search], m->n_others + 1);
    LIMN_TRY(check_words("min-words", o->min_words, m->config.max_steps - 1, err));
    return check_words("max-words", o->max_words, m->config.max_steps, err);
}
