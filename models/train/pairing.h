/* Captions for images that have none: captions of other images that name the objects a detector
 * saw, and no others.
 *
 * A caption fits an image when
 *   - it names an object at all, and every class that it names has a box of `min_score` or more;
 *   - it names people (also "a crowd", "a hand") only where a person has `person_score` or more;
 *   - one of the classes that it names, people among them, has as many boxes as its words say, up
 *     to three ("two dogs" needs two, "a herd of cows" three);
 *   - its details (pool_captions.h: words that captions of these objects seldom have) are at most
 *     `max_details`.
 * Those that fit are weighted by the exponential of
 *   sharpness * (agreement - details_cost * details) - commonness_cost * log(images it fits)
 *     + score given by the caller
 * where agreement sums, over the classes named, how sure the detector is (0 at min_score, 1 from
 * sure_score on), times the class's rarity, log(images / images that show it) but at least 0.5;
 * and subtracts miss_cost times such a sum over the image's classes that the caption does not
 * name (there 0 up to the middle of the two scores). The `n_candidates` heaviest are kept, and
 * sampled from without replacement.
 *
 * An image in which nothing was seen, and one that no caption fits, is left out: it has no
 * candidates. To balance rare objects, images are repeated (repeat factor sampling, Gupta et al.
 * 2019): on average sqrt(balance_share / share of the images with its rarest sure class) times, at
 * least once and at most `max_repeats` times. One in which only people were seen (nothing else up
 * to the middle of the two scores) occurs `people_share` times: no label says what people are
 * doing, and paired captions are mostly about people.
 *
 * How a trainer uses it:
 *
 *     limn_pairing_create(&p, &labels, images, n_images, captions, n_captions, &settings, err);
 *     each epoch, for each image i:
 *         for (size_t r = 0; r < limn_pairing_n_repeats(p, epoch, i); r++) {
 *             size_t n = limn_pairing_draw(captions_out, p, epoch, i, r, 5);   // n <= 5
 *             train on image i with captions_out[0 … n-1]
 *         }
 *
 * and for a round of self-training, between epochs:
 *
 *         const uint32_t *candidates = limn_pairing_candidates(&n, p, i);
 *         scores[j] = how well candidates[j] fits, by the current model: its mean log-probability
 *                     per word, with the image minus without, times a factor (about 2 to 5)
 *         limn_pairing_set_scores(p, i, scores, n_kept);      // draws from the n_kept heaviest
 *
 * What is drawn depends on the seed, the image's name, epoch and repeat alone. Scores are not part
 * of that: a resumed run sets them again, from those it kept (limn_pairing_scores). */
#ifndef LIMN_MODELS_TRAIN_PAIRING_H
#define LIMN_MODELS_TRAIN_PAIRING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/io/object_labels.h"

#define LIMN_PAIRING_MAX_CANDIDATES 256 /* of an image */

typedef struct limn_pairing_settings {
    float min_score, sure_score, person_score; /* of boxes, 0 … 1; min_score < sure_score */
    float details_share;                       /* what a detail is: pool_captions.h; 0 … 1 */
    float max_details, details_cost;
    float miss_cost;
    float sharpness;
    float commonness_cost;
    float balance_share; /* 0 … 1; 0: no image is repeated */
    uint32_t max_repeats;
    float people_share;    /* 0 … 1 */
    uint32_t n_candidates; /* kept for each image; 1 … LIMN_PAIRING_MAX_CANDIDATES */
    uint64_t seed;
} limn_pairing_settings;

limn_pairing_settings limn_pairing_settings_default(void);

typedef struct limn_pairing limn_pairing;

/* Finds the candidates of images [n_images], numbers in `labels` (NULL: all of them, in order),
 * among captions [n_captions], lower-case words with single spaces between as the vocabulary has
 * them. Nothing is borrowed after the call. Seconds for 5000 images and 40,000 captions.
 * LIMN_E_ARG for settings out of range; LIMN_E_NOMEM, LIMN_E_LIMIT. */
limn_status limn_pairing_create(limn_pairing **out, const limn_object_labels *labels,
                                const uint32_t *images, size_t n_images,
                                const char *const *captions, size_t n_captions,
                                const limn_pairing_settings *settings, limn_error *err);
void limn_pairing_destroy(limn_pairing **p); /* accepts NULL and *p == NULL; nulls it */

typedef struct limn_pairing_summary {
    size_t n_images;          /* with candidates */
    size_t n_without_object;  /* left out: nothing was seen */
    size_t n_without_caption; /* left out: no caption fits */
    size_t n_captions;        /* that are a candidate of some image */
} limn_pairing_summary;

limn_pairing_summary limn_pairing_summarize(const limn_pairing *p);

/* ---- drawing; image < n_images, its place in `images`; thread-safe ------------------- */

/* How often an image comes in an epoch; 0 for one that is left out. */
size_t limn_pairing_n_repeats(const limn_pairing *p, uint64_t epoch, size_t image);
/* Draws at most k different captions, numbers in `captions`, into out [k] and returns how many:
 * fewer when the image has fewer candidates. */
size_t limn_pairing_draw(uint32_t *out, const limn_pairing *p, uint64_t epoch, size_t image,
                         size_t repeat, size_t k);

/* ---- the model's opinion; no draws at the same time ---------------------------------------- */

/* The candidates [*n] of an image, the heaviest first before any scores. */
const uint32_t *limn_pairing_candidates(size_t *n, const limn_pairing *p, size_t image);
/* Adds scores [n of the candidates] to the logarithms of their weights, in place of those before,
 * and keeps the n_kept (>= 1) heaviest. Scores that are not finite leave their candidate out,
 * unless all would be. NULL: no scores, all are kept. */
void limn_pairing_set_scores(limn_pairing *p, size_t image, const float *scores, size_t n_kept);
/* Writes the captions of at most k candidates, the heaviest first with the scores set last, into
 * out [k] and returns how many. */
size_t limn_pairing_heaviest(uint32_t *out, const limn_pairing *p, size_t image, size_t k);
/* The scores set last [n of the candidates], zero without; for the caller to keep. */
const float *limn_pairing_scores(const limn_pairing *p, size_t image);

#endif
