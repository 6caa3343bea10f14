#include "tools/explain/attention_files.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/image/png_write.h"
#include "common/image/resize.h"
#include "common/io/npy.h"
#include "common/image/heat_map.h"
#include "common/image/label.h"
#include "tools/explain/result_files.h"

/* The sheet, in pixels: the caption above, images of these sizes at most, each with a line of
 * text below, and space between. */
enum {
    TITLE_HEIGHT = 44,
    TILE_WIDTH = 240,
    TILE_HEIGHT = 300,
    TEXT_HEIGHT = 34,
    GAP = 12,
    N_COLUMNS = 4,
    TITLE_SCALE = 3,
    TEXT_SCALE = 2
};
static const limn_label label = { .scale = TEXT_SCALE, .colour = { 30, 34, 40 } };

typedef struct attention_files {
    const char *folder;
    size_t given; /* bytes of it that the user named */
    const limn_caption *caption;
    const limn_model *model;
    limn_model_info info;
    const limn_thumbnail *image;
    limn_heat_map map;
    uint8_t *pixels; /* [image->height, image->width, 3] one word's */
    limn_canvas sheet;
    uint32_t tile_width, tile_height; /* of the image on it */
    limn_resize_scratch resize;
    limn_buffer path, bytes;
} attention_files;

/* ---- numbers -------------------------------------------------------------------------------- */

static limn_status write_file(attention_files *f, const char *name, limn_error *err)
{
    limn_buffer_clear(&f->path);
    limn_buffer_printf(&f->path, "%s/%s", f->folder, name);
    if (f->path.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return limn_result_file_write(f->path.bytes, f->given, &f->bytes, err);
}

static limn_status write_numbers(attention_files *f, limn_error *err)
{
    const limn_caption *c = f->caption;
    const size_t shape[] = { c->n_tokens, f->info.n_layers, f->info.n_heads, f->info.grid_height,
                             f->info.grid_width };
    const size_t row = shape[1] * shape[2] * shape[3] * shape[4];
    limn_buffer rows = { 0 };
    for (size_t i = 0; i < c->n_tokens; i++)
        limn_buffer_append(&rows, c->predictions[i]->attention, row * sizeof(float));
    limn_buffer_clear(&f->bytes);
    if (!rows.has_failed) limn_npy_append(&f->bytes, LIMN_NPY_F32, 5, shape, rows.bytes);
    f->bytes.has_failed = f->bytes.has_failed || rows.has_failed;
    limn_buffer_finish(&rows);
    return write_file(f, "attention.npy", err);
}

static limn_status write_tokens(attention_files *f, limn_error *err)
{
    limn_buffer_clear(&f->bytes);
    for (size_t i = 0; i < f->caption->n_tokens; i++)
        limn_buffer_printf(&f->bytes, "%s\n", limn_model_token(f->model, f->caption->tokens[i]));
    return write_file(f, "attention.txt", err);
}

/* ---- images ------------------------------------------------------------------------------- */

/* A word as part of a file's name. */
static void append_plain(limn_buffer *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    for (; *word; word++) limn_buffer_append(out, strchr(plain, *word) ? word : "_", 1);
}

static const char *word_of(const attention_files *f, size_t i)
{
    const char *token = limn_model_token(f->model, f->caption->tokens[i]);
    return strcmp(token, "</s>") ? token : "end";
}

static limn_status write_png(attention_files *f, const char *name, const uint8_t *pixels,
                             uint32_t width, uint32_t height, limn_error *err)
{
    limn_buffer_clear(&f->bytes);
    LIMN_TRY(limn_png_append(&f->bytes, pixels, width, height, err));
    return write_file(f, name, err);
}

static limn_status put_tile(attention_files *f, size_t number, const uint8_t *pixels,
                            const char *text, limn_error *err)
{
    const uint32_t x = GAP + (uint32_t)(number % N_COLUMNS) * (TILE_WIDTH + GAP);
    const uint32_t y =
        TITLE_HEIGHT + (uint32_t)(number / N_COLUMNS) * (f->tile_height + TEXT_HEIGHT);
    limn_label below = label;
    uint8_t *tile = limn_alloc((size_t)f->tile_width * f->tile_height, 3);
    if (!tile) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a sheet");
    const limn_status s = limn_resize(tile, f->tile_width, f->tile_height, pixels, f->image->width,
                                      f->image->height, LIMN_RESIZE_BICUBIC, &f->resize, err);
    for (uint32_t row = 0; s == LIMN_OK && row < f->tile_height; row++)
        memcpy(f->sheet.pixels + ((size_t)(y + row) * f->sheet.width + x) * 3,
               tile + (size_t)row * f->tile_width * 3, (size_t)f->tile_width * 3);
    limn_free(tile);
    below.x = x;
    below.y = y + f->tile_height + 6;
    below.max_width = TILE_WIDTH;
    limn_label_draw(&f->sheet, &below, text);
    return s;
}

static limn_status write_word(attention_files *f, size_t i, limn_error *err)
{
    const size_t n_cells = (size_t)f->info.grid_width * f->info.grid_height;
    const float *last_layer =
        f->caption->predictions[i]->attention + (f->info.n_layers - 1) * f->info.n_heads * n_cells;
    limn_buffer name = { 0 }, text = { 0 };
    limn_heat_map_mean(&f->map, last_layer, f->info.n_heads);
    limn_heat_map_paint(f->pixels, f->image->pixels, f->image->width, f->image->height, &f->map);
    limn_buffer_printf(&name, "%02zu-", i + 1);
    append_plain(&name, word_of(f, i));
    limn_buffer_append_text(&name, ".png");
    limn_buffer_printf(&text, "%s  %.0f %%", word_of(f, i),
                       100 * exp((double)f->caption->token_logprobs[i]));
    limn_status s =
        name.has_failed || text.has_failed
            ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
            : write_png(f, name.bytes, f->pixels, f->image->width, f->image->height, err);
    if (s == LIMN_OK) s = put_tile(f, i + 1, f->pixels, text.bytes, err);
    limn_buffer_finish(&name);
    limn_buffer_finish(&text);
    return s;
}

/* The largest size of the image's shape that fits on a tile. */
static void fit_tile(attention_files *f)
{
    const uint64_t width = f->image->width, height = f->image->height;
    const bool is_wide = width * TILE_HEIGHT >= height * TILE_WIDTH;
    f->tile_width = is_wide ? TILE_WIDTH : (uint32_t)(TILE_HEIGHT * width / height);
    f->tile_height = is_wide ? (uint32_t)(TILE_WIDTH * height / width) : TILE_HEIGHT;
    f->tile_width += f->tile_width == 0;
    f->tile_height += f->tile_height == 0;
}

static limn_status make_canvases(attention_files *f, limn_error *err)
{
    const limn_thumbnail *p = f->image;
    const size_t n_rows = (f->caption->n_tokens + 1 + N_COLUMNS - 1) / N_COLUMNS;
    const size_t n_cells = (size_t)f->info.grid_width * f->info.grid_height;
    fit_tile(f);
    f->map = (limn_heat_map){ f->info.grid_width, f->info.grid_height,
                              limn_alloc(n_cells, sizeof(float)) };
    f->pixels = limn_alloc((size_t)p->width * p->height, 3);
    f->sheet.width = GAP + N_COLUMNS * (TILE_WIDTH + GAP);
    f->sheet.height = (uint32_t)(TITLE_HEIGHT + n_rows * (f->tile_height + TEXT_HEIGHT));
    f->sheet.pixels = limn_alloc((size_t)f->sheet.width * f->sheet.height, 3);
    if (!f->map.cells || !f->pixels || !f->sheet.pixels)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for a sheet");
    memset(f->sheet.pixels, 255, (size_t)f->sheet.width * f->sheet.height * 3);
    return LIMN_OK;
}

static void put_title(attention_files *f)
{
    limn_label title = label;
    title.x = title.y = GAP;
    title.max_width = f->sheet.width - 2 * GAP;
    title.scale = TITLE_SCALE;
    limn_label_draw(&f->sheet, &title, f->caption->text);
}

static limn_status write_all(attention_files *f, limn_error *err)
{
    LIMN_TRY(make_canvases(f, err));
    LIMN_TRY(write_numbers(f, err));
    LIMN_TRY(write_tokens(f, err));
    put_title(f);
    LIMN_TRY(put_tile(f, 0, f->image->pixels, "", err));
    for (size_t i = 0; i < f->caption->n_tokens; i++) LIMN_TRY(write_word(f, i, err));
    return write_png(f, "sheet.png", f->sheet.pixels, f->sheet.width, f->sheet.height, err);
}

limn_status limn_attention_files_write(const char *folder, size_t given,
                                       const limn_caption *caption, const limn_model *model,
                                       const limn_thumbnail *image, limn_error *err)
{
    attention_files f = {
        .folder = folder, .given = given, .caption = caption, .model = model, .image = image
    };
    limn_model_get_info(model, &f.info);
    const limn_status s = write_all(&f, err);
    limn_free(f.map.cells);
    limn_free(f.pixels);
    limn_free(f.sheet.pixels);
    limn_resize_scratch_finish(&f.resize);
    limn_buffer_finish(&f.path);
    limn_buffer_finish(&f.bytes);
    return s;
}
