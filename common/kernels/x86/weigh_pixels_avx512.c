/* limn_weigh_pixels_c with AVX-512: 16 rows at a time, one a lane.
 *
 * Pixels are paired, the two bytes of a colour as words of a lane, and pairs are transposed so that
 * a vector has one colour of 16 rows. A weight w is 4096 * high + low, both of 16 bits; two
 * products are added to 32 bits at a time (pmaddwd):
 *
 *     sum = 4096 * (sum of pixel * high) + sum of pixel * low
 *
 * which is exact, as integers modulo 2^32 are. Outputs are transposed back in blocks of 16 bytes.
 */
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "common/kernels/weigh_pixels.h"
#include "common/kernels/weigh_rows.h"
#include "common/kernels/x86/unroll.h"

enum { ROWS = 16, COLOURS = 3, PAIR_BYTES = 2 * COLOURS, PAIRS_OF_LOAD = 4 };
enum { MAX_PAIRS = 256, MAX_OUTPUTS = 128, MAX_TAPS = 2 * (MAX_PAIRS - PAIRS_OF_LOAD - 1) };
enum { LOW_BITS = 12 };

/* Up to 16 rows, and outputs begin … end-1, whose pixels are those of pairs from first_pair on. */
typedef struct strip {
    const limn_weigh_pixels_job *job;
    size_t row, n_rows, begin, end, first_pair;
    _Alignas(64) int32_t pairs[MAX_PAIRS][COLOURS][ROWS];
    _Alignas(64) uint8_t out[MAX_OUTPUTS * COLOURS][ROWS];
    _Alignas(64) int16_t high[MAX_TAPS + 2 * ROWS], low[MAX_TAPS + 2 * ROWS]; /* of an output */
} strip;

/* Lane i of v[j] becomes lane j of v[i]. */
INLINE void transpose(__m512i v[ROWS])
{
    __m512i a[ROWS];
    UNROLL
    for (size_t i = 0; i < ROWS; i += 2) {
        a[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        a[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
    UNROLL
    for (size_t i = 0; i < ROWS; i += 4) {
        v[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
        v[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
        v[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
        v[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    UNROLL
    for (size_t i = 0; i < 4; i++) {
        const __m512i even_low = _mm512_shuffle_i32x4(v[i], v[i + 4], 0x88);
        const __m512i odd_low = _mm512_shuffle_i32x4(v[i], v[i + 4], 0xdd);
        const __m512i even_high = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0x88);
        const __m512i odd_high = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0xdd);
        a[i] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
        a[i + 4] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
        a[i + 8] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
        a[i + 12] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
    }
    UNROLL
    for (size_t i = 0; i < ROWS; i++) v[i] = a[i];
}

/* Four pairs of a row, 128 bits each: the words of red, green and blue, and nothing. */
INLINE __m512i load_pairs(const uint8_t *pixels, size_t n_bytes)
{
    const __mmask32 inside = n_bytes < 32 ? (1u << n_bytes) - 1 : 0xffffffff;
    const __m512i bytes = _mm512_castsi256_si512(_mm256_maskz_loadu_epi8(inside, pixels));
    const __m512i fours = _mm512_setr_epi32(0, 1, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 4, 5, 0, 0);
    const __m512i words =
        _mm512_set_epi32(-1, (int)0x80078004, (int)0x80068003, (int)0x80058002, -1, (int)0x80058002,
                         (int)0x80048001, (int)0x80038000, -1, (int)0x80078004, (int)0x80068003,
                         (int)0x80058002, -1, (int)0x80058002, (int)0x80048001, (int)0x80038000);
    return _mm512_shuffle_epi8(_mm512_permutexvar_epi32(fours, bytes), words);
}

/* All pairs up to the last that the outputs need. Instead of rows past the last, it is read again;
 * pixels past a row's last are zeros. */
static void load_strip(strip *s)
{
    const limn_weigh_pixels_job *job = s->job;
    const size_t row_bytes = job->n_in * COLOURS;
    const size_t end = (job->first[s->end - 1] + job->n_taps[s->end - 1] + 1) / 2;
    for (size_t m = s->first_pair; m < end; m += PAIRS_OF_LOAD) {
        const size_t at = m * PAIR_BYTES;
        __m512i v[ROWS];
        UNROLL
        for (size_t r = 0; r < ROWS; r++) {
            const size_t row = s->row + (r < s->n_rows ? r : s->n_rows - 1);
            v[r] = load_pairs(job->in + row * row_bytes + at, row_bytes - at);
        }
        transpose(v);
        UNROLL
        for (size_t i = 0; i < ROWS; i++)
            if (i % 4 < COLOURS)
                _mm512_store_si512(s->pairs[m - s->first_pair + i / 4][i % 4], v[i]);
    }
}

/* The weights of an output, the first of an even pixel; returns the number of pairs. */
INLINE size_t split_weights(strip *s, size_t output)
{
    const int32_t *weights = s->job->weights + output * s->job->stride;
    const size_t skipped = s->job->first[output] % 2, n = s->job->n_taps[output];
    s->high[0] = s->low[0] = 0;
    for (size_t t = 0; t < n; t += ROWS) {
        const __mmask16 inside = (__mmask16)(n - t < ROWS ? (1u << (n - t)) - 1 : 0xffff);
        const __m512i w = _mm512_maskz_loadu_epi32(inside, weights + t);
        const __m512i high = _mm512_srai_epi32(
            _mm512_add_epi32(w, _mm512_set1_epi32(1 << (LOW_BITS - 1))), LOW_BITS);
        const __m512i low = _mm512_sub_epi32(w, _mm512_slli_epi32(high, LOW_BITS));
        _mm256_storeu_si256((__m256i *)(s->high + skipped + t), _mm512_cvtepi32_epi16(high));
        _mm256_storeu_si256((__m256i *)(s->low + skipped + t), _mm512_cvtepi32_epi16(low));
    }
    s->high[skipped + n] = s->low[skipped + n] = 0;
    return (skipped + n + 1) / 2;
}

/* Two words. */
INLINE __m512i every_pair(const int16_t *words)
{
    int32_t both;
    memcpy(&both, words, sizeof both);
    return _mm512_set1_epi32(both);
}

static void weigh_output(strip *s, size_t output)
{
    const size_t n_pairs = split_weights(s, output);
    const size_t first = s->job->first[output] / 2 - s->first_pair;
    __m512i high[COLOURS], low[COLOURS];
    UNROLL
    for (size_t c = 0; c < COLOURS; c++) {
        high[c] = _mm512_setzero_si512();
        low[c] = _mm512_set1_epi32(1 << (LIMN_WEIGH_BITS - 1));
    }
    for (size_t m = 0; m < n_pairs; m++) {
        const __m512i w_high = every_pair(s->high + 2 * m), w_low = every_pair(s->low + 2 * m);
        UNROLL
        for (size_t c = 0; c < COLOURS; c++) {
            const __m512i pixels = _mm512_load_si512(s->pairs[first + m][c]);
            high[c] = _mm512_add_epi32(high[c], _mm512_madd_epi16(pixels, w_high));
            low[c] = _mm512_add_epi32(low[c], _mm512_madd_epi16(pixels, w_low));
        }
    }
    UNROLL
    for (size_t c = 0; c < COLOURS; c++) {
        const __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(high[c], LOW_BITS), low[c]);
        const __m512i value =
            _mm512_max_epi32(_mm512_srai_epi32(sum, LIMN_WEIGH_BITS), _mm512_setzero_si512());
        _mm_store_si128((__m128i *)s->out[(output - s->begin) * COLOURS + c],
                        _mm512_cvtusepi32_epi8(value));
    }
}

/* Byte i of v[j] becomes byte j of v[i]. Each of four rounds interleaves the first half with the
 * second. */
INLINE void transpose_bytes(__m128i v[ROWS])
{
    UNROLL
    for (int round = 0; round < 4; round++) {
        __m128i next[ROWS];
        UNROLL
        for (size_t i = 0; i < ROWS / 2; i++) {
            next[2 * i] = _mm_unpacklo_epi8(v[i], v[i + ROWS / 2]);
            next[2 * i + 1] = _mm_unpackhi_epi8(v[i], v[i + ROWS / 2]);
        }
        UNROLL
        for (size_t i = 0; i < ROWS; i++) v[i] = next[i];
    }
}

/* What lies past the last output in s->out is written nowhere. */
static void write_strip(const strip *s)
{
    const size_t row_bytes = s->job->n_out * COLOURS, n_bytes = (s->end - s->begin) * COLOURS;
    uint8_t *out = s->job->out + s->row * row_bytes + s->begin * COLOURS;
    for (size_t j = 0; j < n_bytes; j += ROWS) {
        const size_t n = n_bytes - j < ROWS ? n_bytes - j : ROWS;
        const __mmask16 inside = (__mmask16)((1u << n) - 1);
        __m128i v[ROWS];
        UNROLL
        for (size_t i = 0; i < ROWS; i++) v[i] = _mm_load_si128((const __m128i *)s->out[j + i]);
        transpose_bytes(v);
        for (size_t r = 0; r < s->n_rows; r++)
            _mm_mask_storeu_epi8(out + r * row_bytes + j, inside, v[r]);
    }
}

/* As many outputs from `begin` on as there is room for. */
static size_t end_of(const limn_weigh_pixels_job *job, size_t begin)
{
    const size_t first = job->first[begin] / 2 * 2;
    size_t end = begin + 1;
    while (end < job->n_out && end - begin < MAX_OUTPUTS &&
           job->first[end] + job->n_taps[end] - first <= MAX_TAPS)
        end++;
    return end;
}

void limn_weigh_pixels_avx512(const limn_weigh_pixels_job *job)
{
    strip s;
    if (job->stride > MAX_TAPS - 1) {
        limn_weigh_pixels_c(job);
        return;
    }
    s.job = job;
    for (s.row = 0; s.row < job->n_rows; s.row += ROWS) {
        s.n_rows = job->n_rows - s.row < ROWS ? job->n_rows - s.row : ROWS;
        for (s.begin = 0; s.begin < job->n_out; s.begin = s.end) {
            s.end = end_of(job, s.begin);
            s.first_pair = job->first[s.begin] / 2;
            load_strip(&s);
            for (size_t i = s.begin; i < s.end; i++) weigh_output(&s, i);
            write_strip(&s);
        }
    }
}
