#include "encoder/efficientnet_lite/stem.h"

#include <string.h>

#include "encoder/encoder_input.h"

enum { KERNEL = 3, STRIDE = 2, COLOURS = 3, PATCH_ROW = KERNEL * COLOURS };

void limn_stem_plan(limn_stem *stem, size_t input_size, const float mean[3], const float scale[3])
{
    const size_t output_size = (input_size + STRIDE - 1) / STRIDE;
    const size_t n_zeros = (output_size - 1) * STRIDE + KERNEL - input_size;
    *stem = (limn_stem){ .input_size = input_size,
                         .output_size = output_size,
                         .n_before = n_zeros / 2 };
    memcpy(stem->mean, mean, sizeof stem->mean);
    memcpy(stem->scale, scale, sizeof stem->scale);
}

void limn_stem_scratch_take(limn_stem_scratch *s, limn_arena *arena, const limn_stem *stem,
                            size_t max_rows)
{
    s->stem = stem;
    s->row = limn_arena_take(arena, (stem->input_size + KERNEL - 1) * COLOURS, sizeof *s->row);
    s->patches =
        limn_arena_take(arena, max_rows * stem->output_size * LIMN_STEM_PATCH, sizeof *s->patches);
}

/* The weight of (output, colour, tap) goes to (output, tap, colour). */
void limn_stem_order(float *out, const float *w, size_t n_outputs)
{
    const size_t n_taps = KERNEL * KERNEL;
    for (size_t o = 0; o < n_outputs; o++)
        for (size_t c = 0; c < COLOURS; c++)
            for (size_t tap = 0; tap < n_taps; tap++)
                out[(o * n_taps + tap) * COLOURS + c] = w[(o * COLOURS + c) * n_taps + tap];
}

/* A row of the image, or zeros above and below it, into s->row. */
static void normalise_row(const limn_stem_scratch *s, size_t padded_row)
{
    const limn_stem *stem = s->stem;
    const size_t n_values = stem->input_size * COLOURS, n_before = stem->n_before * COLOURS;
    const size_t n_all = (stem->input_size + KERNEL - 1) * COLOURS;
    memset(s->row, 0, n_all * sizeof *s->row);
    if (padded_row < stem->n_before || padded_row - stem->n_before >= stem->input_size) return;
    const uint8_t *pixels = s->pixels + (padded_row - stem->n_before) * n_values;
    float *out = s->row + n_before;
    limn_normalise_values(out, pixels, n_values, stem->mean, stem->scale);
}

/* Copies the row to the patches of output row `row` (counted from the first) as their row ky. */
static void fill_patches(const limn_stem_scratch *s, size_t row, size_t ky)
{
    const size_t n = s->stem->output_size;
    float *patch = s->patches + row * n * LIMN_STEM_PATCH + ky * PATCH_ROW;
    for (size_t i = 0; i < n; i++)
        memcpy(patch + i * LIMN_STEM_PATCH, s->row + i * STRIDE * COLOURS,
               PATCH_ROW * sizeof *patch);
}

/* The last row of a window is the first one of the next. */
const float *limn_stem_rows(void *scratch, size_t first, size_t end)
{
    const limn_stem_scratch *s = scratch;
    for (size_t row = first; row < end; row++) {
        for (size_t ky = row == first ? 0 : 1; ky < KERNEL; ky++) {
            normalise_row(s, row * STRIDE + ky);
            fill_patches(s, row - first, ky);
        }
        if (row + 1 < end) fill_patches(s, row - first + 1, 0);
    }
    return s->patches;
}
