#include "common/base/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/base/float_env.h"
#include "common/base/mem.h"

struct worker {
    limn_pool *pool;
    pthread_t thread;
    size_t index;
};

struct limn_pool {
    size_t n_threads, n_started; /* n_started excludes the calling thread */
    struct worker *workers;
    pthread_mutex_t mutex;
    pthread_cond_t work_came, work_done;
    unsigned long generation; /* counts calls of limn_pool_run */
    size_t n_busy;
    bool is_stopping;
    pid_t process; /* that has the threads */
    limn_pool_fn *fn;
    void *ctx;
    size_t n_items;
    atomic_size_t next_item;
};

static void run_items(limn_pool *pool, size_t worker)
{
    for (;;) {
        const size_t item = atomic_fetch_add(&pool->next_item, 1);
        if (item >= pool->n_items) return;
        pool->fn(pool->ctx, item, worker);
    }
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    limn_pool *pool = w->pool;
    unsigned long seen = 0;
    limn_float_env_enter(); /* for the thread's whole life */
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->generation == seen && !pool->is_stopping)
            pthread_cond_wait(&pool->work_came, &pool->mutex);
        if (pool->is_stopping) break;
        seen = pool->generation;
        pthread_mutex_unlock(&pool->mutex);
        run_items(pool, w->index);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->n_busy == 0) pthread_cond_signal(&pool->work_done);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

limn_status limn_pool_create(limn_pool **out, size_t n_threads, limn_error *err)
{
    *out = NULL;
    if (n_threads < 1 || n_threads > 1024)
        return limn_fail(err, LIMN_E_ARG, "number of threads %zu is not in 1 … 1024", n_threads);
    limn_pool *pool = limn_calloc(1, sizeof *pool);
    if (pool) pool->workers = limn_calloc(n_threads, sizeof *pool->workers);
    if (!pool || !pool->workers) {
        limn_free(pool);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for a pool of %zu threads", n_threads);
    }
    pool->n_threads = n_threads;
    pool->process = getpid();
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work_came, NULL);
    pthread_cond_init(&pool->work_done, NULL);
    for (size_t i = 1; i < n_threads; i++) {
        pool->workers[i] = (struct worker){ .pool = pool, .index = i };
        if (pthread_create(&pool->workers[i].thread, NULL, worker_main, &pool->workers[i]) != 0) {
            limn_pool_destroy(&pool);
            return limn_fail(err, LIMN_E_NOMEM, "can't start thread %zu of %zu", i + 1, n_threads);
        }
        pool->n_started++;
    }
    *out = pool;
    return LIMN_OK;
}

static void stop_threads(limn_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->work_came);
    pthread_mutex_unlock(&pool->mutex);
    for (size_t i = 1; i <= pool->n_started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->work_done);
    pthread_cond_destroy(&pool->work_came);
    pthread_mutex_destroy(&pool->mutex);
}

/* In a child of fork() the threads don't exist, and locks they held stay locked: only memory is
 * freed. */
void limn_pool_destroy(limn_pool **p)
{
    limn_pool *pool = p ? *p : NULL;
    if (!pool) return;
    if (limn_pool_is_own(pool)) stop_threads(pool);
    limn_free(pool->workers);
    limn_free(pool);
    *p = NULL;
}

bool limn_pool_is_own(const limn_pool *pool)
{
    return !pool || pool->process == getpid();
}

size_t limn_pool_n_threads(const limn_pool *pool)
{
    return pool ? pool->n_threads : 1;
}

void limn_pool_run(limn_pool *pool, size_t n_items, limn_pool_fn *fn, void *ctx)
{
    if (!pool || pool->n_started == 0 || n_items < 2) {
        for (size_t i = 0; i < n_items; i++) fn(ctx, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->fn = fn;
    pool->ctx = ctx;
    pool->n_items = n_items;
    atomic_store(&pool->next_item, 0);
    pool->n_busy = pool->n_started;
    pool->generation++;
    pthread_cond_broadcast(&pool->work_came);
    pthread_mutex_unlock(&pool->mutex);
    run_items(pool, 0);
    pthread_mutex_lock(&pool->mutex);
    while (pool->n_busy > 0) pthread_cond_wait(&pool->work_done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}
