#include "models/train/reward_scorer.h"

#include <math.h>

#include "common/base/mem.h"
#include "common/metrics/cider.h"
#include "models/train/ended_captions.h"
#include "models/train/function_words.h"
#include "models/train/object_match.h"

/* By how much, in CIDEr-D, a caption should fit its own references better than another image's. */
static const double margin = 1;
static const double usual_n_references = 5;

/* Captions' CIDEr vectors, along with their counts. Zero-initialise. */
struct vectors {
    limn_cider_vector *items;
    size_t capacity; /* `capacity` of them may have memory */
};

/* What has been read of one image. */
struct image {
    uint32_t reference; /* its number in the references */
    limn_ended_captions references;
    struct vectors reference_vectors;
    limn_sentence *sentences; /* [n_samples] */
    limn_ngram_counts_list samples;
    struct vectors sample_vectors;
};

struct limn_reward_scorer {
    limn_reward_scorer_settings settings;
    limn_cider_df *df;
    limn_shown_objects *objects; /* NULL when no weight is about them */
    bool *is_function;           /* by token; NULL when unsupported words cost nothing */
    struct image *images;        /* [max_images] */
};

static bool needs_objects(const limn_reward_weights *w)
{
    return w->object_cost > 0 || w->object_f1 > 0 || w->person_f1 > 0;
}

static limn_status take_images(limn_reward_scorer *s, limn_error *err)
{
    const size_t n = s->settings.max_images;
    s->images = limn_calloc(n, sizeof *s->images);
    if (!s->images) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu images", n);
    for (size_t i = 0; i < n; i++) {
        s->images[i].sentences = limn_calloc(s->settings.n_samples, sizeof(limn_sentence));
        if (!s->images[i].sentences)
            return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu samples", s->settings.n_samples);
    }
    return LIMN_OK;
}

static limn_status find_function_words(limn_reward_scorer *s, limn_error *err)
{
    const limn_vocab *vocab = s->settings.vocab;
    const size_t n = limn_vocab_n_tokens(vocab);
    s->is_function = limn_calloc(n, sizeof *s->is_function);
    if (!s->is_function) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu words", n);
    for (uint32_t i = 0; i < n; i++)
        s->is_function[i] = limn_is_function_word(limn_vocab_text(vocab, i));
    return LIMN_OK;
}

static limn_status build(limn_reward_scorer *s, limn_error *err)
{
    const limn_reward_scorer_settings *o = &s->settings;
    LIMN_TRY(take_images(s, err));
    LIMN_TRY(limn_ended_captions_count(&s->df, o->references, o->text, err));
    if (o->weights.unsupported_cost > 0) LIMN_TRY(find_function_words(s, err));
    if (!needs_objects(&o->weights)) return LIMN_OK;
    return limn_shown_objects_create(&s->objects, o->vocab, o->references, err);
}

limn_status limn_reward_scorer_create(limn_reward_scorer **out,
                                      const limn_reward_scorer_settings *settings, limn_error *err)
{
    limn_reward_scorer *s = limn_calloc(1, sizeof *s);
    *out = NULL;
    if (!s) return limn_fail(err, LIMN_E_NOMEM, "no memory for rewards");
    s->settings = *settings;
    const limn_status status = build(s, err);
    if (status != LIMN_OK) limn_reward_scorer_destroy(&s);
    *out = s;
    return status;
}

static void finish_vectors(struct vectors *v)
{
    for (size_t i = 0; i < v->capacity; i++) limn_cider_vector_finish(&v->items[i]);
    limn_free(v->items);
}

static void finish_image(struct image *m)
{
    limn_ended_captions_finish(&m->references);
    finish_vectors(&m->reference_vectors);
    limn_free(m->sentences);
    limn_ngram_counts_list_finish(&m->samples);
    finish_vectors(&m->sample_vectors);
}

void limn_reward_scorer_destroy(limn_reward_scorer **p)
{
    limn_reward_scorer *s = p ? *p : NULL;
    if (!s) return;
    for (size_t i = 0; s->images && i < s->settings.max_images; i++) finish_image(&s->images[i]);
    limn_free(s->images);
    limn_shown_objects_destroy(&s->objects);
    limn_free(s->is_function);
    limn_cider_df_destroy(&s->df);
    limn_free(s);
    *p = NULL;
}

/* ---- reading ------------------------------------------------------------------------------- */

static limn_status weigh(struct vectors *v, const limn_ngram_counts_list *counts,
                         const limn_cider_df *df)
{
    const size_t n_old = v->capacity;
    if (!limn_grow((void **)&v->items, &v->capacity, counts->n_items, sizeof *v->items))
        return LIMN_E_NOMEM;
    for (size_t i = n_old; i < v->capacity; i++) v->items[i] = (limn_cider_vector){ 0 };
    for (size_t i = 0; i < counts->n_items; i++)
        LIMN_TRY(limn_cider_vector_fill(&v->items[i], &counts->items[i], df, NULL));
    return LIMN_OK;
}

limn_status limn_reward_scorer_read(limn_reward_scorer *s, size_t image, uint32_t reference,
                                    const uint32_t *tokens, const size_t *lengths)
{
    const size_t n = s->settings.n_samples;
    struct image *m = &s->images[image];
    m->reference = reference;
    LIMN_TRY(limn_ended_captions_fill(&m->references, s->settings.references, reference, NULL));
    LIMN_TRY(weigh(&m->reference_vectors, &m->references.counts, s->df));
    for (size_t i = 0; i < n; i++)
        m->sentences[i] = (limn_sentence){ tokens + i * s->settings.max_steps, lengths[i] };
    LIMN_TRY(limn_ngram_counts_list_fill(&m->samples, m->sentences, n, NULL));
    return weigh(&m->sample_vectors, &m->samples, s->df);
}

/* ---- scores -------------------------------------------------------------------------------- */

/* s(c, I): CIDEr-D of a sample of an image against the references of that one or another. */
static double similarity(const struct image *of, size_t sample, const struct image *to)
{
    double sum = 0;
    for (size_t i = 0; i < to->references.n; i++)
        sum += limn_cider_similarity(&of->samples.items[sample], &of->sample_vectors.items[sample],
                                     &to->references.counts.items[i],
                                     &to->reference_vectors.items[i], LIMN_CIDER_D);
    return sum / (double)to->references.n;
}

/* The hinge loss: by how much the sample falls short of fitting its own references best by the
 * margin. 0 where all images are the same. */
static double retrieval_loss(const limn_reward_scorer *s, const struct image *own, size_t sample,
                             double own_similarity, size_t n_images)
{
    double loss = 0;
    for (size_t i = 0; i < n_images; i++) {
        if (s->images[i].reference == own->reference) continue;
        const double l = margin + similarity(own, sample, &s->images[i]) - own_similarity;
        loss = l > loss ? l : loss;
    }
    return loss;
}

static double object_reward(const limn_reward_scorer *s, const struct image *m, size_t sample)
{
    const limn_reward_weights *w = &s->settings.weights;
    const limn_sentence caption = m->sentences[sample];
    const limn_object_match match =
        limn_shown_objects_match(s->objects, m->reference, caption.words, caption.n_words);
    return w->object_f1 * match.object_f1 + w->person_f1 * match.person_f1 -
           w->object_cost * (double)match.n_false;
}

static bool is_in_references(const struct image *m, const limn_ngram *word)
{
    for (size_t i = 0; i < m->references.n; i++)
        if (limn_ngram_counts_of(&m->references.counts.items[i], word)) return true;
    return false;
}

/* A sample's different words, other than function words, that no reference has. Few references
 * don't have all the words that are true of an image: fewer than usual count for less. */
static double count_unsupported(const limn_reward_scorer *s, const struct image *m, size_t sample)
{
    const limn_ngram_counts *counts = &m->samples.items[sample];
    const double n_references = (double)m->references.n;
    size_t n = 0;
    for (size_t i = counts->begins[0]; i < counts->begins[1]; i++) {
        const limn_ngram *word = &counts->table.entries[i].ngram;
        n += !s->is_function[word->words[0]] && !is_in_references(m, word);
    }
    return (double)n * fmin(1, n_references / usual_n_references);
}

static size_t count_word(limn_sentence sentence, uint32_t word)
{
    size_t n = 0;
    for (size_t i = 0; i < sentence.n_words; i++) n += sentence.words[i] == word;
    return n;
}

/* Words of a sample that it has more than once, and more often than any reference has them. */
static size_t count_repeats(const struct image *m, size_t sample)
{
    const limn_sentence caption = m->sentences[sample];
    size_t n_repeats = 0;
    for (size_t i = 1; i < caption.n_words; i++) {
        const limn_sentence before = { caption.words, i };
        const size_t n = count_word(before, caption.words[i]) + 1;
        bool is_usual = n == 1;
        for (size_t r = 0; r < m->references.n && !is_usual; r++)
            is_usual = count_word(m->references.sentences[r], caption.words[i]) >= n;
        n_repeats += !is_usual;
    }
    return n_repeats;
}

void limn_reward_scorer_score(const limn_reward_scorer *s, double *rewards, size_t image,
                              size_t n_images)
{
    const struct image *m = &s->images[image];
    const limn_reward_weights *w = &s->settings.weights;
    for (size_t i = 0; i < s->settings.n_samples; i++) {
        const double own = similarity(m, i, m);
        rewards[i] = own;
        if (s->objects) rewards[i] += object_reward(s, m, i);
        if (w->retrieval > 0) rewards[i] -= w->retrieval * retrieval_loss(s, m, i, own, n_images);
        if (w->repeat_cost > 0) rewards[i] -= w->repeat_cost * (double)count_repeats(m, i);
        if (w->unsupported_cost > 0) rewards[i] -= w->unsupported_cost * count_unsupported(s, m, i);
    }
}
