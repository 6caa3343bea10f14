#include "encoder/stem.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

enum { KERNEL = 3, STRIDE = 2, COLOURS = 3, PATCH_ROW = KERNEL * COLOURS };

void limn_stem_plan(limn_stem *stem, size_t input_size, float mean, float scale)
{
    const size_t output_size = (input_size + STRIDE - 1) / STRIDE;
    const size_t n_zeros = (output_size - 1) * STRIDE + KERNEL - input_size;
    *stem = (limn_stem){ .input_size = input_size,
                         .output_size = output_size,
                         .n_before = n_zeros / 2,
                         .mean = mean,
                         .scale = scale };
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

limn_status limn_stem_load(limn_packed *out, const limn_safetensors *file, const char *name,
                           size_t n_outputs, limn_error *err)
{
    const size_t shape[] = { n_outputs, COLOURS, KERNEL, KERNEL };
    float *w = NULL, *bias = NULL, *ordered = NULL;
    char tensor_name[128];
    *out = (limn_packed){ 0 };
    snprintf(tensor_name, sizeof tensor_name, "%s.weight", name);
    limn_status status = limn_tensor_load(&w, file, tensor_name, 4, shape, err);
    snprintf(tensor_name, sizeof tensor_name, "%s.bias", name);
    if (status == LIMN_OK) status = limn_tensor_load(&bias, file, tensor_name, 1, shape, err);
    if (status == LIMN_OK && !(ordered = limn_alloc(n_outputs * LIMN_STEM_PATCH, sizeof *ordered)))
        status = limn_fail(err, LIMN_E_NOMEM, "no memory for tensor '%s'", tensor_name);
    if (status == LIMN_OK) {
        limn_stem_order(ordered, w, n_outputs);
        status = limn_packed_init(out, ordered, LIMN_F32, bias, n_outputs, LIMN_STEM_PATCH,
                                  LIMN_F32, err);
    }
    limn_free(w);
    limn_free(bias);
    limn_free(ordered);
    return status;
}

/* A row of the picture, or zeros above and below it, into s->row. */
static void normalise_row(const limn_stem_scratch *s, size_t padded_row)
{
    const limn_stem *stem = s->stem;
    const size_t n_values = stem->input_size * COLOURS, n_before = stem->n_before * COLOURS;
    const size_t n_all = (stem->input_size + KERNEL - 1) * COLOURS;
    memset(s->row, 0, n_all * sizeof *s->row);
    if (padded_row < stem->n_before || padded_row - stem->n_before >= stem->input_size) return;
    const uint8_t *pixels = s->pixels + (padded_row - stem->n_before) * n_values;
    float *out = s->row + n_before;
    for (size_t i = 0; i < n_values; i++) out[i] = ((float)pixels[i] - stem->mean) * stem->scale;
}

const float *limn_stem_rows(void *scratch, size_t first, size_t end)
{
    const limn_stem_scratch *s = scratch;
    const size_t n = s->stem->output_size;
    for (size_t row = first; row < end; row++) {
        for (size_t ky = 0; ky < KERNEL; ky++) {
            float *patch = s->patches + (row - first) * n * LIMN_STEM_PATCH + ky * PATCH_ROW;
            normalise_row(s, row * STRIDE + ky);
            for (size_t i = 0; i < n; i++)
                memcpy(patch + i * LIMN_STEM_PATCH, s->row + i * STRIDE * COLOURS,
                       PATCH_ROW * sizeof *patch);
        }
    }
    return s->patches;
}
