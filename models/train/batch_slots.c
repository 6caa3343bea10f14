#include "models/train/batch_slots.h"

#include <string.h>

#include "common/base/mem.h"

struct limn_batch_slots {
    limn_decoder_config config;
    limn_pool *pool;
    limn_arena arena;
    limn_tag_slots **workers; /* [n_threads of the pool] */
    limn_tag_slot *slots;     /* [max_images, n_tag_slots] */
    const float *features;    /* of the current call */
};

static void plan(limn_batch_slots *b, limn_arena *a, const limn_tagger *tagger, size_t max_images)
{
    const size_t n_threads = limn_pool_n_threads(b->pool);
    b->slots = limn_arena_take(a, max_images * b->config.n_tag_slots, sizeof *b->slots);
    b->workers = limn_arena_take(a, n_threads, sizeof(limn_tag_slots *));
    for (size_t i = 0; i < n_threads; i++) {
        limn_tag_slots *worker = limn_tag_slots_take(&b->config, tagger, a);
        if (b->workers) b->workers[i] = worker;
    }
}

limn_status limn_batch_slots_create(limn_batch_slots **out, const limn_decoder_config *config,
                                    const limn_tagger *tagger, size_t max_images, limn_pool *pool,
                                    limn_error *err)
{
    limn_arena counting;
    *out = NULL;
    LIMN_TRY(limn_tag_slots_check(config, tagger, err));
    if (config->n_tag_slots == 0) return LIMN_OK;
    limn_batch_slots *b = limn_calloc(1, sizeof *b);
    if (!b) return limn_fail(err, LIMN_E_NOMEM, "no memory for tags of %zu images", max_images);
    b->config = *config;
    b->pool = pool;
    limn_arena_init_counting(&counting);
    plan(b, &counting, tagger, max_images);
    if (counting.has_failed || !limn_arena_init(&b->arena, counting.high)) {
        limn_free(b);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for tags of %zu images", max_images);
    }
    plan(b, &b->arena, tagger, max_images);
    *out = b;
    return LIMN_OK;
}

void limn_batch_slots_destroy(limn_batch_slots **b)
{
    if (!b || !*b) return;
    limn_arena_finish(&(*b)->arena);
    limn_free(*b);
    *b = NULL;
}

static void find_image(void *ctx, size_t image, size_t worker)
{
    limn_batch_slots *b = ctx;
    const limn_decoder_config *c = &b->config;
    const limn_tag_slot *found = limn_tag_slots_find(
        b->workers[worker], b->features + image * c->n_memory_positions * (size_t)c->memory_dim);
    memcpy(b->slots + image * c->n_tag_slots, found, c->n_tag_slots * sizeof *found);
}

const limn_tag_slot *limn_batch_slots_find(limn_batch_slots *b, const float *features,
                                           size_t n_images)
{
    if (!b) return NULL;
    b->features = features;
    limn_pool_run(b->pool, n_images, find_image, b);
    return b->slots;
}
