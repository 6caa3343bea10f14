/* A fixed thread pool for parallel loops.
 *
 * Which thread runs which item never changes a result: items must be independent,
 * and each must compute the same bits wherever it runs. */
#ifndef LIMN_COMMON_BASE_POOL_H
#define LIMN_COMMON_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

typedef struct limn_pool limn_pool;

/* Work for one item; `worker` is 0 … n_threads-1, for per-thread scratch. */
typedef void limn_pool_fn(void *ctx, size_t item, size_t worker);

/* n_threads >= 1 counts the calling thread: n_threads - 1 are started.
 * LIMN_E_ARG for 0 or more than 1024, LIMN_E_NOMEM when threads can't be started. */
limn_status limn_pool_create(limn_pool **out, size_t n_threads, limn_error *err);
void limn_pool_destroy(limn_pool **pool); /* accepts NULL and *pool == NULL; nulls it */

size_t limn_pool_n_threads(const limn_pool *pool); /* 1 for NULL */

/* Whether this is the process that made the pool: a child of fork() has none of its threads, and
 * may only destroy it. True for NULL. */
bool limn_pool_is_own(const limn_pool *pool);

/* Runs fn(ctx, item, worker) for every item in 0 … n_items-1 and returns when all are
 * done. With pool == NULL the caller runs them in order. Allocates nothing. Only one
 * thread may call this on a pool at a time, and never from inside an item. */
void limn_pool_run(limn_pool *pool, size_t n_items, limn_pool_fn *fn, void *ctx);

#endif
