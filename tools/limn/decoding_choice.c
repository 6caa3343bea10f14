#include "tools/limn/decoding_choice.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "tools/message.h"

#define MAX_BAN_FILE_SIZE ((size_t)64 << 20) /* bytes */
/* Where nothing else is asked for. The consensus of the few captions that are the first to finish
 * is hardly better than the best by score; most is gained by the next few. */
enum { CONSENSUS_BEAM = 20, CONSENSUS_CANDIDATES_PER_BEAM = 2 };

const char *const decoding_rerank_names[] = { "score", "consensus", NULL };

decoding_choice decoding_choice_default(void)
{
    return (decoding_choice){ .beam = LIMN_COUNT_NOT_GIVEN,
                              .groups = LIMN_COUNT_NOT_GIVEN,
                              .candidates = LIMN_COUNT_NOT_GIVEN,
                              .top_k = LIMN_COUNT_NOT_GIVEN,
                              .diversity = NAN,
                              .patience = NAN,
                              .temperature = NAN,
                              .top_p = NAN,
                              .min_p = NAN,
                              .typical = NAN,
                              .seed = LIMN_SEED_NOT_GIVEN };
}

void decoding_choice_finish(decoding_choice *c)
{
    limn_buffer_finish(&c->ban_texts);
    limn_free(c->all_banned);
    c->all_banned = NULL;
}

/* ---- contradictions ----------------------------------------------------------------------- */

static bool is_count(uint32_t value)
{
    return value != LIMN_COUNT_NOT_GIVEN;
}

/* The name of an option that was given and is of sampling alone; NULL when there is none. */
static const char *sampling_option(const decoding_choice *c)
{
    return !isnan(c->temperature)           ? "temperature"
           : is_count(c->top_k)             ? "top-k"
           : !isnan(c->top_p)               ? "top-p"
           : !isnan(c->min_p)               ? "min-p"
           : !isnan(c->typical)             ? "typical"
           : c->seed != LIMN_SEED_NOT_GIVEN ? "seed"
           : c->is_distinct                 ? "distinct"
                                            : NULL;
}

/* The same of beam search. */
static const char *beam_option(const decoding_choice *c)
{
    return is_count(c->beam)      ? "beam"
           : is_count(c->groups)  ? "groups"
           : !isnan(c->diversity) ? "diversity"
           : !isnan(c->patience)  ? "patience"
           : c->required.n_items  ? "must"
                                  : NULL;
}

static bool check_method(const decoding_choice *c, const limn_options *o)
{
    const char *beam = beam_option(c), *sampling = sampling_option(c);
    if (!c->is_sampling && sampling)
        limn_message_error("--%s is of sampling, but captions are searched by beam: add --sample",
                           sampling);
    else if (c->is_sampling && beam)
        limn_message_error("--%s is of beam search, which --sample is not: leave out one of them",
                           beam);
    else if (c->is_sampling && o->temperature == 0 && o->n_best > 1)
        limn_message_error("--temperature 0 always draws the same caption: there are no --n-best "
                           "%u",
                           (unsigned)o->n_best);
    else
        return true;
    return false;
}

static bool check_groups(const decoding_choice *c, const limn_options *o)
{
    if (!isnan(c->diversity) && o->n_groups == 1)
        limn_message_error("--diversity is between groups: add --groups, 2 or more");
    else if (o->beam_size % o->n_groups)
        limn_message_error("--groups: %u groups don't divide --beam, %u", (unsigned)o->n_groups,
                           (unsigned)o->beam_size);
    else
        return true;
    return false;
}

static unsigned n_by_patience(const limn_options *o)
{
    return (unsigned)floor((double)o->beam_size * (double)o->patience + 0.5);
}

static bool check_counts(const decoding_choice *c, const limn_options *o)
{
    const unsigned finish = o->n_candidates ? o->n_candidates : n_by_patience(o);
    if (is_count(c->candidates) && c->candidates < o->n_best)
        limn_message_error("--candidates: %u are fewer than --n-best, %u", (unsigned)c->candidates,
                           (unsigned)o->n_best);
    else if (is_count(c->candidates) && !isnan(c->patience))
        limn_message_error("--candidates and --patience both say how many may finish: leave out "
                           "one");
    else if (!c->is_sampling && o->n_best > finish)
        limn_message_error("--n-best: %u is more than %s, %u", (unsigned)o->n_best,
                           o->n_candidates    ? "twice --beam"
                           : o->patience == 1 ? "--beam"
                                              : "--beam times --patience",
                           finish);
    else if (o->rerank && (c->is_sampling ? o->n_candidates : finish) < 2)
        limn_message_error("--rerank consensus needs several captions to choose from: %s",
                           is_count(c->candidates) ? "take more --candidates"
                           : c->is_sampling        ? "add --candidates"
                                                   : "take a larger --beam");
    else if (o->max_words && o->min_words > o->max_words)
        limn_message_error("--min-words: %u is more than --max-words, %u", (unsigned)o->min_words,
                           (unsigned)o->max_words);
    else
        return true;
    return false;
}

/* ---- options ------------------------------------------------------------------------------ */

static void set_count(uint32_t *out, uint32_t value)
{
    if (is_count(value)) *out = value;
}

static void set_real(float *out, float value)
{
    if (!isnan(value)) *out = value;
}

static void set_candidates(limn_options *o, const decoding_choice *c)
{
    if (o->rerank && !c->is_sampling && isnan(c->patience) && o->beam_size > 1)
        o->n_candidates = CONSENSUS_CANDIDATES_PER_BEAM * o->beam_size;
    set_count(&o->n_candidates, c->candidates);
}

static void set_sampling(limn_options *o, const decoding_choice *c)
{
    set_count(&o->top_k, c->top_k);
    set_real(&o->temperature, c->temperature);
    set_real(&o->top_p, c->top_p);
    set_real(&o->min_p, c->min_p);
    set_real(&o->typical, c->typical);
    if (c->seed != LIMN_SEED_NOT_GIVEN) o->seed = c->seed;
    if (c->is_sampling)
        o->method = c->is_distinct ? LIMN_METHOD_SAMPLE_DISTINCT : LIMN_METHOD_SAMPLE;
}

bool decoding_choice_apply(limn_options *o, const decoding_choice *c)
{
    o->rerank = (limn_rerank)c->rerank;
    if (o->rerank) o->beam_size = CONSENSUS_BEAM;
    set_count(&o->beam_size, c->beam);
    set_count(&o->n_groups, c->groups);
    set_candidates(o, c);
    set_real(&o->diversity, c->diversity);
    set_real(&o->patience, c->patience);
    set_sampling(o, c);
    o->required = c->required.items;
    o->n_required = c->required.n_items;
    o->start = c->start;
    o->ends_well = c->has_good_endings;
    return check_method(c, o) && check_groups(c, o) && check_counts(c, o);
}

/* ---- banned words ------------------------------------------------------------------------- */

/* Adds a file's text after those before it, a line end at its end. */
static limn_status add_file(decoding_choice *c, const char *path, limn_error *err)
{
    unsigned char *text = NULL;
    size_t size;
    LIMN_TRY(limn_file_read(&text, &size, path, MAX_BAN_FILE_SIZE, err));
    const bool has_nul = memchr(text, '\0', size) != NULL;
    if (!has_nul) {
        limn_buffer_append(&c->ban_texts, text, size);
        limn_buffer_append(&c->ban_texts, "\n", 1);
    }
    limn_free(text);
    if (has_nul)
        return limn_fail(err, LIMN_E_FORMAT, "%s: holds a NUL byte and is no list of words", path);
    return c->ban_texts.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

static limn_status ban(limn_options *o, decoding_choice *c, size_t *capacity, const char *words,
                       limn_error *err)
{
    if (!limn_grow((void **)&c->all_banned, capacity, o->n_banned_words + 1, sizeof *c->all_banned))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    c->all_banned[o->n_banned_words++] = words;
    o->banned_words = c->all_banned;
    return LIMN_OK;
}

/* The lines of all files; those that are no words of the model are counted. */
static limn_status ban_lines(limn_options *o, decoding_choice *c, size_t *capacity,
                             const limn_model *model, limn_error *err)
{
    size_t n_lines = 0, n_unknown = 0;
    char *rest = NULL;
    for (char *line = strtok_r(c->ban_texts.bytes, "\r\n", &rest); line;
         line = strtok_r(NULL, "\r\n", &rest)) {
        if (!line[strspn(line, " \t")]) continue;
        n_lines++;
        if (limn_model_knows(model, line))
            LIMN_TRY(ban(o, c, capacity, line, err));
        else
            n_unknown++;
    }
    limn_message_note("banned: %zu of %zu lines; the others have words that the model has not",
                      n_lines - n_unknown, n_lines);
    return LIMN_OK;
}

limn_status decoding_choice_ban(limn_options *o, decoding_choice *c, const limn_model *model,
                                limn_error *err)
{
    size_t capacity = 0;
    o->n_banned_words = 0;
    for (size_t i = 0; i < c->banned.n_items; i++)
        LIMN_TRY(ban(o, c, &capacity, c->banned.items[i], err));
    for (size_t i = 0; i < c->ban_files.n_items; i++)
        LIMN_TRY(add_file(c, c->ban_files.items[i], err));
    return c->ban_files.n_items ? ban_lines(o, c, &capacity, model, err) : LIMN_OK;
}
