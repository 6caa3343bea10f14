#include "common/kernels/gemm.h"

#include <cblas.h>

/* The number of tiles is even, so that two threads get equal shares, and small, as each tile packs
 * the whole of the other operand. */
enum { COLUMNS_OF_TWO = 512, MAX_TILES = 8, TILE_STEP = 16 };

/* Rows or columns of c in a tile. */
static size_t tile_size(size_t side)
{
    const size_t wanted = 2 * ((side + COLUMNS_OF_TWO - 1) / COLUMNS_OF_TWO);
    const size_t n_tiles = wanted < MAX_TILES ? wanted : MAX_TILES;
    return ((side + n_tiles - 1) / n_tiles + TILE_STEP - 1) / TILE_STEP * TILE_STEP;
}

limn_status limn_gemm_init(limn_error *err)
{
    openblas_set_num_threads(1);
    if (openblas_get_num_threads() != 1)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "OpenBLAS (%s) keeps %d threads; install its pthread or serial build",
                         openblas_get_config(), openblas_get_num_threads());
    return LIMN_OK;
}

static void run_tile(void *ctx, size_t tile, size_t worker)
{
    const limn_gemm_job *job = ctx;
    const bool splits_rows = job->m >= job->n;
    const size_t side = splits_rows ? job->m : job->n, size = tile_size(side);
    const size_t begin = tile * size, count = side - begin < size ? side - begin : size;
    const size_t row = splits_rows ? begin : 0, column = splits_rows ? 0 : begin;
    const size_t lda = job->a_is_transposed ? job->m : job->k;
    const size_t ldb = job->b_is_transposed ? job->k : job->n;
    (void)worker;
    cblas_sgemm(CblasRowMajor, job->a_is_transposed ? CblasTrans : CblasNoTrans,
                job->b_is_transposed ? CblasTrans : CblasNoTrans,
                (blasint)(splits_rows ? count : job->m), (blasint)(splits_rows ? job->n : count),
                (blasint)job->k, 1.0f, job->a + (job->a_is_transposed ? row : row * lda),
                (blasint)lda, job->b + (job->b_is_transposed ? column * ldb : column), (blasint)ldb,
                0.0f, job->c + row * job->n + column, (blasint)job->n);
}

void limn_gemm(limn_pool *pool, const limn_gemm_job *job)
{
    const size_t side = job->m >= job->n ? job->m : job->n;
    if (job->m == 0 || job->n == 0) return;
    limn_gemm_job copy = *job;
    limn_pool_run(pool, (side + tile_size(side) - 1) / tile_size(side), run_tile, &copy);
}
