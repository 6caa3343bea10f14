/* Products of codes with dot products of an unsigned and a signed byte (VNNI), codes by weights.
 *
 * A tile is up to MAX_ROWS rows × two vectors of sums, all integers: neighbours among the outputs,
 * or the high and the low parts of a pair. A tile at the end may have one vector. */
#include "common/kernels/c/level_name.h"
#include "common/kernels/codes.h"
#include "common/kernels/int8.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/codes_vector.h"
#include "common/kernels/x86/unroll.h"

enum { QUAD_BYTES = 4 * LIMN_PANEL, PLANE_SUMS = LIMN_PANEL, MAX_VECTORS = 2 };

#ifdef __AVX512VNNI__

#define MAX_ROWS 12

INLINE ints dot(ints acc, ints codes, ints w)
{
    return _mm512_dpbusd_epi32(acc, codes, w);
}

#else

#define MAX_ROWS 6

INLINE ints dot(ints acc, ints codes, ints w)
{
    return _mm256_dpbusd_avx_epi32(acc, codes, w);
}

#endif

enum { MAX_QUADS = LIMN_CODES_MAX_INPUTS / 4 };

/* A job, what is computed from it once, and the weights of the tiles in progress, with a sign. */
typedef struct codes_tiles {
    const limn_codes_job *job;
    size_t n_quads, plane_bytes, n_planes;
    _Alignas(64) int8_t weights[MAX_QUADS][MAX_VECTORS][LANES * 4];
} codes_tiles;

/* Where a tile is, and the weights that it prefetches: `ahead_step` bytes with each four inputs. */
typedef struct tile_place {
    size_t row, output;
    const uint8_t *ahead;
    size_t ahead_step;
} tile_place;

/* A vector of sums: its weights in the first four inputs, and their sums. */
typedef struct vector_place {
    const uint8_t *w;
    const int32_t *sums;
} vector_place;

INLINE vector_place place_of(const codes_tiles *t, size_t output, size_t plane)
{
    const limn_packed *w = t->job->product.w;
    const size_t at = output / LIMN_PANEL * t->n_planes + plane, lane = output % LIMN_PANEL;
    return (vector_place){ (const uint8_t *)w->panels + at * t->plane_bytes + lane * 4,
                           w->sums + at * PLANE_SUMS + lane };
}

/* Weights are stored as q + 128. They get their sign once for all rows. */
INLINE void sign_weights(codes_tiles *t, const vector_place *places, const size_t n_vectors)
{
    for (size_t i = 0; i < t->n_quads; i++) {
        UNROLL
        for (size_t v = 0; v < n_vectors; v++)
            store_ints(t->weights[i][v], flip(load_ints(places[v].w + i * QUAD_BYTES)));
    }
}

INLINE void add_quads(ints acc[MAX_ROWS][MAX_VECTORS], const codes_tiles *t, const tile_place *at,
                      const size_t n_rows, const size_t n_vectors)
{
    const size_t stride = t->job->product.x_stride, ahead_step = at->ahead_step;
    const uint8_t *x = (const uint8_t *)t->job->x + at->row * stride, *ahead = at->ahead;
    for (size_t i = 0; i < t->n_quads; i++, x += 4, ahead += ahead_step) {
        ints w[MAX_VECTORS];
        _mm_prefetch((const char *)ahead, _MM_HINT_T0);
        UNROLL
        for (size_t v = 0; v < n_vectors; v++) w[v] = load_ints(t->weights[i][v]);
        UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const ints codes = every_word(word_at(x + r * stride));
            UNROLL
            for (size_t v = 0; v < n_vectors; v++) acc[r][v] = dot(acc[r][v], codes, w[v]);
        }
    }
}

/* n_vectors of sums, or a pair of planes. */
INLINE void tile(const codes_tiles *t, const tile_place *at, const vector_place *places,
                 const size_t n_rows, const size_t n_vectors, const bool is_pair)
{
    const limn_linear_job *job = &t->job->product;
    const size_t output = at->output;
    const size_t n_written = is_pair ? 1 : n_vectors;
    output_place outputs[MAX_VECTORS];
    floats sums[MAX_ROWS * MAX_VECTORS];
    ints acc[MAX_ROWS][MAX_VECTORS];
    UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        const ints first = times(load_ints(places[v].sums), every_word(-t->job->zero));
        UNROLL
        for (size_t r = 0; r < n_rows; r++) acc[r][v] = first;
    }
    add_quads(acc, t, at, n_rows, n_vectors);
    UNROLL
    for (size_t v = 0; v < n_written; v++) outputs[v] = output_of(job, output + v * LANES);
    UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        UNROLL
        for (size_t v = 0; v < n_written; v++) sums[r * n_written + v] = to_floats(acc[r][v]);
        if (is_pair) sums[r] = join_floats(sums[r], to_floats(acc[r][1]));
    }
    write_rows(t->job, at->row, sums, outputs, n_rows, n_written);
}

/* All rows, in tiles of nearly the same size, so that none is small. Each prefetches its share of
 * the next vectors' weights (prefetching may run past the last, but nothing there is read). */
INLINE void run_rows(codes_tiles *t, size_t output, const size_t n_vectors, const bool is_pair)
{
    const size_t n_rows = t->job->product.n_rows, n_tiles = (n_rows + MAX_ROWS - 1) / MAX_ROWS;
    const vector_place last = place_of(t, output + (is_pair ? 0 : (n_vectors - 1) * LANES), 0);
    tile_place at = { 0, output, last.w + t->n_planes * t->plane_bytes, 0 };
    vector_place places[MAX_VECTORS];
    UNROLL
    for (size_t v = 0; v < n_vectors; v++)
        places[v] = is_pair ? place_of(t, output, v) : place_of(t, output + v * LANES, 0);
    sign_weights(t, places, n_vectors);
    if (n_tiles > 0) at.ahead_step = n_vectors * LANES * 4 / n_tiles;
    for (size_t left = n_tiles; left > 0; left--) {
        const size_t size = (n_rows - at.row + left - 1) / left;
        switch (size) {
        case 1: tile(t, &at, places, 1, n_vectors, is_pair); break;
        case 2: tile(t, &at, places, 2, n_vectors, is_pair); break;
        case 3: tile(t, &at, places, 3, n_vectors, is_pair); break;
        case 4: tile(t, &at, places, 4, n_vectors, is_pair); break;
#if MAX_ROWS > 4
        case 5: tile(t, &at, places, 5, n_vectors, is_pair); break;
        case 6: tile(t, &at, places, 6, n_vectors, is_pair); break;
#endif
#if MAX_ROWS > 6
        case 7: tile(t, &at, places, 7, n_vectors, is_pair); break;
        case 8: tile(t, &at, places, 8, n_vectors, is_pair); break;
        case 9: tile(t, &at, places, 9, n_vectors, is_pair); break;
        case 10: tile(t, &at, places, 10, n_vectors, is_pair); break;
        case 11: tile(t, &at, places, 11, n_vectors, is_pair); break;
        case 12: tile(t, &at, places, 12, n_vectors, is_pair); break;
#endif
        default: break;
        }
        at.row += size;
        at.ahead += t->n_quads * at.ahead_step;
    }
}

/* Out of line, so that each compiles once. */
static void run_pair(codes_tiles *t, size_t output)
{
    run_rows(t, output, 2, true);
}

static void run_two(codes_tiles *t, size_t output)
{
    run_rows(t, output, 2, false);
}

static void run_one(codes_tiles *t, size_t output)
{
    run_rows(t, output, 1, false);
}

void LIMN_LEVEL(limn_linear_codes)(const limn_codes_job *job)
{
    const limn_packed *w = job->product.w;
    const size_t n_blocks = (w->n_inputs + LIMN_INT8_BLOCK - 1) / LIMN_INT8_BLOCK;
    codes_tiles t;
    t.job = job;
    t.n_quads = LIMN_CODES_PADDED(w->n_inputs) / 4;
    t.plane_bytes = n_blocks * LIMN_INT8_BLOCK * LIMN_PANEL;
    t.n_planes = w->dtype == LIMN_I8_PAIRS ? 2 : 1;
    const size_t end = job->product.panel_end * LIMN_PANEL;
    for (size_t o = job->product.panel_begin * LIMN_PANEL; o < end;) {
        if (t.n_planes == 2) {
            run_pair(&t, o);
            o += LANES;
        } else if (o + LANES < end) {
            run_two(&t, o);
            o += 2 * LANES;
        } else {
            run_one(&t, o);
            o += LANES;
        }
    }
}
