/* Attention on the image: exact pixels, labels, and that the encoder's cells lie on the object that
 * they respond to, for any shape of image and any EXIF orientation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "common/base/mem.h"
#include "common/image/decode.h"
#include "common/image/image.h"
#include "common/image/png_write.h"
#include "models/captioner_model.h"
#include "common/image/heat_map.h"
#include "common/image/label.h"
#include "tools/explain/seen_part.h"
#include "tools/annotate/image_load.h"

/* ---- painting ------------------------------------------------------------------------------- */

static void test_the_mean_of_maps(void **state)
{
    const float maps[3][4] = { { 0, 1, 0, 0 },
                               { 0.5f, 0, 0.5f, 0 },
                               { 0.25f, 0.25f, 0.25f, 0.25f } };
    const float expected[4] = { 0.25f, 1.25f / 3, 0.25f, 0.25f / 3 };
    float cells[4];
    limn_heat_map map = { 2, 2, cells };
    (void)state;
    limn_heat_map_mean(&map, maps[0], 3);
    for (size_t i = 0; i < 4; i++) assert_true(fabsf(cells[i] - expected[i]) <= 1e-6f);
}

/* A white image is dimmed to grey where the map is 0, and has the last colour where it is
 * largest. */
static void test_strength_along_a_row(void **state)
{
    float cells[2] = { 0, 3 };
    const limn_heat_map map = { 2, 1, cells };
    uint8_t pixels[8 * 3], dark, bright;
    (void)state;
    memset(pixels, 255, sizeof pixels);
    limn_heat_map_paint(pixels, pixels, 8, 1, &map);
    dark = pixels[0];
    bright = pixels[7 * 3];
    assert_int_equal(dark, 173);              /* 255 * 0.68 */
    assert_int_equal(bright, 253);            /* 255 and 252 mixed by 0.62 */
    assert_int_equal(pixels[7 * 3 + 2], 190); /* 255 and 150 mixed by 0.62 */
    /* cell centres are at 2 and 6: constant outside, growing between */
    assert_int_equal(pixels[1 * 3], dark);
    assert_int_equal(pixels[6 * 3], bright);
    for (size_t i = 2; i < 6; i++) assert_true(pixels[i * 3] > pixels[(i - 1) * 3] || i == 2);
    assert_true(pixels[2 * 3] > dark && pixels[5 * 3] >= pixels[4 * 3]);
}

static void test_a_map_of_nothing_dims_all(void **state)
{
    float cells[6] = { 0 };
    const limn_heat_map map = { 3, 2, cells };
    uint8_t pixels[5 * 4 * 3], out[5 * 4 * 3];
    (void)state;
    memset(pixels, 200, sizeof pixels);
    limn_heat_map_paint(out, pixels, 5, 4, &map);
    for (size_t i = 0; i < sizeof out; i++) assert_int_equal(out[i], 136);
}

/* ---- alignment ------------------------------------------------------------------------------ */

typedef struct world {
    limn_model *model;
    limn_encoder_state *encoder;
    float *empty, *full; /* features [n_positions, dim] without and with the object */
    size_t n_positions, dim;
} world;

/* Uses the default model: encoders with random weights see everything everywhere. */
static world open_world(void)
{
    const char *root = getenv("LIMN_SOURCE_ROOT");
    char path[4096];
    world w = { 0 };
    limn_error err = { 0 };
    snprintf(path, sizeof path, "%s/models/limn-default.safetensors", root ? root : ".");
    if (limn_model_open(&w.model, path, NULL, &err) ||
        limn_encoder_state_create(&w.encoder, w.model->encoder, &err))
        fail_msg("%s", err.text);
    w.n_positions = limn_encoder_n_positions(w.model->encoder);
    w.dim = limn_encoder_dim(w.model->encoder);
    w.empty = malloc(w.n_positions * w.dim * sizeof *w.empty);
    w.full = malloc(w.n_positions * w.dim * sizeof *w.full);
    return w;
}

static void close_world(world *w)
{
    limn_encoder_state_destroy(&w->encoder);
    limn_model_close(&w->model);
    free(w->empty);
    free(w->full);
}

/* A grey image with a red object (a disc as wide as a seventh of the shorter side) at x, y, as
 * fractions of width and height; no object if x < 0. The file stores it for an EXIF orientation. */
typedef struct scene {
    uint32_t width, height; /* upright */
    double x, y;
    int orientation; /* 1, 3, 6, 8 */
} scene;

static bool is_object(const scene *s, uint32_t column, uint32_t row)
{
    const double radius = (double)(s->width < s->height ? s->width : s->height) / 14;
    return s->x >= 0 &&
           hypot(column + 0.5 - s->x * s->width, row + 0.5 - s->y * s->height) <= radius;
}

/* The offset of upright (column, row) in the file's rows. */
static size_t stored_at(const scene *s, uint32_t column, uint32_t row)
{
    switch (s->orientation) {
    case 3: return (size_t)(s->height - 1 - row) * s->width + (s->width - 1 - column);
    case 6: return (size_t)(s->width - 1 - column) * s->height + row;
    case 8: return (size_t)column * s->height + (s->height - 1 - row);
    default: return (size_t)row * s->width + column;
    }
}

/* The PNG's bytes with an eXIf chunk after its IHDR that gives the orientation. */
static void append_with_orientation(limn_buffer *out, const limn_buffer *png, int orientation)
{
    enum { AFTER_HEADER = 8 + 25, TYPE_SIZE = 4 };
    unsigned char chunk[] = { 0,
                              0,
                              0,
                              26, /* bytes of TIFF: big-endian, one entry, no next */
                              'e',
                              'X',
                              'I',
                              'f',
                              'M',
                              'M',
                              0,
                              42,
                              0,
                              0,
                              0,
                              8,
                              0,
                              1,
                              0x01,
                              0x12,
                              0,
                              3,
                              0,
                              0,
                              0,
                              1,
                              0,
                              (unsigned char)orientation,
                              0,
                              0,
                              0,
                              0,
                              0,
                              0,
                              /* checksum: */ 0,
                              0,
                              0,
                              0 };
    const size_t end = sizeof chunk - 4;
    const unsigned long crc = crc32(0, chunk + 4, (unsigned)(end - 4));
    for (size_t i = 0; i < 4; i++) chunk[end + i] = (unsigned char)(crc >> (24 - 8 * i));
    limn_buffer_append(out, png->bytes, AFTER_HEADER);
    limn_buffer_append(out, chunk, sizeof chunk);
    limn_buffer_append(out, png->bytes + AFTER_HEADER, png->size - AFTER_HEADER);
}

/* The bytes of a file with the scene. */
static void draw(limn_buffer *out, const scene *s)
{
    uint8_t *pixels = malloc((size_t)s->width * s->height * 3);
    const bool is_turned = s->orientation >= 5;
    limn_buffer png = { 0 };
    for (uint32_t row = 0; row < s->height; row++)
        for (uint32_t column = 0; column < s->width; column++) {
            const bool is_red = is_object(s, column, row);
            uint8_t *pixel = pixels + stored_at(s, column, row) * 3;
            pixel[0] = is_red ? 230 : 128;
            pixel[1] = pixel[2] = is_red ? 20 : 128;
        }
    assert_int_equal(limn_png_append(&png, pixels, is_turned ? s->height : s->width,
                                     is_turned ? s->width : s->height, NULL),
                     LIMN_OK);
    append_with_orientation(out, &png, s->orientation);
    limn_buffer_finish(&png);
    free(pixels);
}

/* Features of the scene's file, and its thumbnail (in `loaded`), loaded the way limn does. */
static const limn_thumbnail *look(const world *w, float *features, uint8_t **loaded, const scene *s)
{
    limn_image_load load = { .thumbnail_side = 0 };
    limn_resize_scratch scratch = { 0 };
    limn_buffer file = { 0 };
    limn_error err = { 0 };
    assert_int_equal(limn_image_load_for(&load, w->model, 1 << 30, NULL), LIMN_OK);
    load.thumbnail_side = 320;
    *loaded = malloc(limn_image_load_size(&load));
    draw(&file, s);
    if (limn_image_load_run(*loaded, file.bytes, file.size, &load, &scratch, &err))
        fail_msg("%s", err.text);
    limn_encoder_run(w->model->encoder, w->encoder, NULL, *loaded, features);
    limn_buffer_finish(&file);
    limn_resize_scratch_finish(&scratch);
    return limn_image_load_thumbnail(&load, *loaded);
}

/* How much each position's features owe to the object: [n_positions], scaled to at most 1, and 0 if
 * below half of that. */
static void responses(float *cells, const world *w)
{
    float largest = 0;
    for (size_t p = 0; p < w->n_positions; p++) {
        cells[p] = 0;
        for (size_t i = 0; i < w->dim; i++)
            cells[p] += fabsf(w->full[p * w->dim + i] - w->empty[p * w->dim + i]);
        largest = fmaxf(largest, cells[p]);
    }
    assert_true(largest > 0);
    for (size_t p = 0; p < w->n_positions; p++)
        cells[p] = cells[p] < largest / 2 ? 0 : cells[p] / largest;
}

/* The centre of what the map makes brighter, as fractions of width and height. */
static void brightest(double *x, double *y, const limn_thumbnail *photo, const limn_heat_map *map)
{
    const size_t n = (size_t)photo->width * photo->height;
    uint8_t *white = malloc(n * 3);
    double sum = 0;
    memset(white, 255, n * 3);
    limn_heat_map_paint(white, white, photo->width, photo->height, map);
    *x = *y = 0;
    for (size_t i = 0; i < n; i++) {
        const double weight = white[i * 3] - 173; /* 173: dimmed white */
        *x += weight * ((double)(i % photo->width) + 0.5) / photo->width;
        *y += weight * ((double)(i / photo->width) + 0.5) / photo->height;
        sum += weight;
    }
    *x /= sum;
    *y /= sum;
    free(white);
}

/* The map of the encoder's response to the scene lies on the object. */
static void check_scene(const world *w, const scene *s)
{
    uint8_t *loaded, *loaded_empty;
    scene without = *s;
    double x, y;
    float *cells = malloc(w->n_positions * sizeof *cells);
    limn_model_info info;
    without.x = -1;
    look(w, w->empty, &loaded_empty, &without);
    const limn_thumbnail *photo = look(w, w->full, &loaded, s);
    limn_model_get_info(w->model, &info);
    assert_int_equal(info.grid_width * info.grid_height, w->n_positions);
    responses(cells, w);
    brightest(&x, &y, photo, &(limn_heat_map){ info.grid_width, info.grid_height, cells });
    assert_true(photo->width >= photo->height ? photo->width == 320 : photo->height == 320);
    if (fabs(x - s->x) > 0.1 || fabs(y - s->y) > 0.1)
        fail_msg("%u x %u, orientation %d: the object is at %.2f, %.2f, the map at %.2f, %.2f",
                 s->width, s->height, s->orientation, s->x, s->y, x, y);
    free(cells);
    free(loaded);
    free(loaded_empty);
}

/* The map follows an object that moves. */
static void test_the_map_lies_on_the_object(void **state)
{
    static const double places[][2] = {
        { 0.21, 0.21 }, { 0.79, 0.21 }, { 0.5, 0.5 }, { 0.21, 0.79 }, { 0.79, 0.64 }
    };
    static const struct {
        uint32_t width, height;
        int orientation;
    } images[] = { { 448, 448, 1 }, { 640, 300, 1 }, { 300, 640, 1 },
                   { 500, 340, 3 }, { 500, 340, 6 }, { 340, 500, 8 } };
    world w = open_world();
    (void)state;
    for (size_t p = 0; p < sizeof images / sizeof *images; p++)
        for (size_t i = 0; i < sizeof places / sizeof *places; i++)
            check_scene(&w, &(scene){ images[p].width, images[p].height, places[i][0], places[i][1],
                                      images[p].orientation });
    close_world(&w);
}

/* ---- labels --------------------------------------------------------------------------------- */

enum { WIDTH = 90, HEIGHT = 24 };

static size_t count_dark(const char *text, uint32_t max_width, uint32_t *right)
{
    uint8_t pixels[WIDTH * HEIGHT * 3];
    const limn_canvas canvas = { pixels, WIDTH, HEIGHT };
    const limn_label label = { .x = 4, .y = 2, .max_width = max_width, .scale = 2 };
    size_t n = 0;
    memset(pixels, 255, sizeof pixels);
    limn_label_draw(&canvas, &label, text);
    *right = 0;
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        if (pixels[i * 3] == 0) {
            n++;
            *right = i % WIDTH > *right ? i % WIDTH : *right;
        }
    return n;
}

static void test_labels_stay_in_their_place(void **state)
{
    uint32_t right, other;
    (void)state;
    assert_int_equal(count_dark("", 80, &right), 0);
    assert_true(count_dark("dog", 80, &right) > 50);
    assert_true(right > 20 && right < 50);
    assert_true(count_dark("a very long caption of many words", 60, &right) > 50);
    assert_true(right < 4 + 60);
    assert_true(count_dark("a very long caption of many words", 1000, &right) > 50);
    assert_int_equal(count_dark("caf\xC3\xA9", 80, &right), count_dark("cafe", 80, &other));
    assert_int_equal(right, other);
    assert_int_equal(count_dark("\xE7\x8C\xAB\xFF", 80, &right), count_dark("??", 80, &other));
}

/* ---- PNG ------------------------------------------------------------------------------------ */

static void test_a_png_has_the_pixels(void **state)
{
    static const limn_image_settings any = { .max_pixels = 1 << 20,
                                             .max_side = 65535,
                                             .min_side = 1 };
    uint8_t pixels[7 * 5 * 3];
    limn_buffer png = { 0 };
    limn_image image;
    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37);
    assert_int_equal(limn_png_append(&png, pixels, 7, 5, NULL), LIMN_OK);
    assert_int_equal(limn_image_decode(&image, png.bytes, png.size, &any, NULL), LIMN_OK);
    assert_int_equal(image.width, 7);
    assert_int_equal(image.height, 5);
    assert_memory_equal(image.pixels, pixels, sizeof pixels);
    limn_image_finish(&image);
    limn_buffer_finish(&png);
}

/* ---- the part that is seen ------------------------------------------------------------------ */

/* The part seen of a 12 x 8 thumbnail whose pixels encode their positions, when the input is
 * cropped. */
static void check_part(uint32_t input_width, uint32_t shorter_side, uint32_t width, uint32_t height,
                       size_t left, size_t top)
{
    const limn_model_info info = { .input_width = input_width,
                                   .input_height = 224,
                                   .shorter_side = shorter_side };
    limn_thumbnail *image = malloc(sizeof *image + 12 * 8 * 3), *part;
    assert_non_null(image);
    image->width = 12;
    image->height = 8;
    for (size_t i = 0; i < 12 * 8; i++) memset(image->pixels + i * 3, (int)i, 3);
    assert_int_equal(limn_seen_part(&part, image, &info, NULL), LIMN_OK);
    assert_non_null(part);
    assert_true(part->width == width && part->height == height);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++)
            assert_int_equal(part->pixels[(y * width + x) * 3 + 2], (y + top) * 12 + x + left);
    free(image);
    limn_free(part);
}

static void test_the_part_that_a_network_sees(void **state)
{
    const limn_model_info squashed = { .input_width = 224, .input_height = 224 };
    limn_thumbnail image = { .width = 1, .height = 1 }, *part;
    (void)state;
    check_part(224, 224, 8, 8, 2, 0);  /* the whole shorter side */
    check_part(224, 448, 4, 4, 4, 2);  /* half of it */
    check_part(448, 256, 12, 7, 0, 0); /* wider than the image: its full width */
    assert_int_equal(limn_seen_part(&part, &image, &squashed, NULL), LIMN_OK);
    assert_null(part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_mean_of_maps),
        cmocka_unit_test(test_strength_along_a_row),
        cmocka_unit_test(test_a_map_of_nothing_dims_all),
        cmocka_unit_test(test_the_map_lies_on_the_object),
        cmocka_unit_test(test_labels_stay_in_their_place),
        cmocka_unit_test(test_a_png_has_the_pixels),
        cmocka_unit_test(test_the_part_that_a_network_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
