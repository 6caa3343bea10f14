#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decoder/vocab.h"
#include "models/train/batches.h"
#include "tests/fixtures/own_tokens.h"

/* Ten images; image p has captions 2p and 2p + 1. Caption c has 1 + c % 4 words, all of them 10 +
 * c. */
enum { N_IMAGES = 10, N_CAPTIONS = 20, MAX_WORDS = 4 };

static uint32_t tokens[N_CAPTIONS * MAX_WORDS];
static size_t offsets[N_CAPTIONS + 1], first_captions[N_IMAGES + 1];

static limn_batch_source make_source(void)
{
    for (size_t c = 0; c < N_CAPTIONS; c++) {
        offsets[c + 1] = offsets[c] + 1 + c % 4;
        for (size_t i = offsets[c]; i < offsets[c + 1]; i++) tokens[i] = 10 + (uint32_t)c;
    }
    for (size_t p = 0; p <= N_IMAGES; p++) first_captions[p] = 2 * p;
    return (limn_batch_source){ .tokens = tokens,
                                .offsets = offsets,
                                .n_captions = N_CAPTIONS,
                                .n_images = N_IMAGES,
                                .first_captions = first_captions };
}

static limn_batches_settings make_settings(void)
{
    return (limn_batches_settings){ .n_images = 4,
                                    .captions_an_image = 5,
                                    .seed = 7,
                                    .max_words = MAX_WORDS,
                                    .n_views = 3,
                                    .start = 1,
                                    .end = 2 };
}

static limn_batches *create(const limn_batch_source *sources, size_t n,
                            const limn_batches_settings *settings)
{
    limn_batches *b;
    limn_error err = { 0 };
    if (limn_batches_create(&b, sources, n, settings, &err) != LIMN_OK) fail_msg("%s", err.text);
    return b;
}

/* Inputs are the start token and the words; the target of each row is the next word, and finally
 * the end token. */
static void check_rows(const limn_batch *batch)
{
    const limn_decoder_batch *d = &batch->decoder;
    for (size_t k = 0; k < d->n_captions; k++) {
        const uint32_t *inputs = d->inputs + d->offsets[k], *targets = d->targets + d->offsets[k];
        const uint32_t word = targets[0], caption = word - 10,
                       n = d->offsets[k + 1] - d->offsets[k];
        assert_int_equal(n, 1 + caption % 4 + 1);
        assert_int_equal(inputs[0], TOKEN_START);
        assert_int_equal(targets[n - 1], TOKEN_END);
        for (uint32_t i = 1; i < n; i++) {
            assert_int_equal(inputs[i], word);
            assert_int_equal(targets[i - 1], word);
        }
        assert_int_equal(batch->images[d->images[k]].image, caption / 2);
    }
    assert_int_equal(d->offsets[d->n_captions], batch->n_rows);
}

static void test_an_epoch_has_each_image_once_with_its_captions(void **state)
{
    const limn_batch_source source = make_source();
    const limn_batches_settings settings = make_settings();
    limn_batches *b = create(&source, 1, &settings);
    (void)state;
    assert_int_equal(limn_batches_n_steps(b), 3);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        int seen[N_IMAGES] = { 0 };
        for (uint64_t step = 3 * epoch; step < 3 * epoch + 3; step++) {
            const limn_batch *batch = limn_batches_get(b, step);
            check_rows(batch);
            assert_int_equal(batch->epoch, epoch);
            assert_int_equal(batch->decoder.n_captions, 2 * batch->n_images);
            for (size_t i = 0; i < batch->n_images; i++) {
                seen[batch->images[i].image]++;
                assert_true(batch->images[i].view < 3);
            }
        }
        for (size_t p = 0; p < N_IMAGES; p++) assert_int_equal(seen[p], 1);
    }
    limn_batches_destroy(&b);
}

static void test_any_step_is_the_same_wherever_a_run_begins(void **state)
{
    const limn_batch_source source = make_source();
    const limn_batches_settings settings = make_settings();
    limn_batches *straight = create(&source, 1, &settings);
    bool has_new_order = false;
    (void)state;
    for (uint64_t step = 0; step < 9; step++) {
        limn_batches *resumed = create(&source, 1, &settings);
        const limn_batch *a = limn_batches_get(straight, step);
        const limn_batch *b = limn_batches_get(resumed, step);
        assert_int_equal(a->n_rows, b->n_rows);
        assert_memory_equal(a->images, b->images, a->n_images * sizeof *a->images);
        assert_memory_equal(a->decoder.inputs, b->decoder.inputs, a->n_rows * sizeof(uint32_t));
        if (step >= 3) {
            const limn_batch *first = limn_batches_get(resumed, step % 3);
            has_new_order |= memcmp(first->images, a->images, a->n_images * sizeof *a->images) != 0;
        }
        limn_batches_destroy(&resumed);
    }
    assert_true(has_new_order);
    limn_batches_destroy(&straight);
}

/* Image 3 is never drawn, image 4 twice, the second time with its other caption. */
static size_t count_repeats(const void *ctx, uint64_t round, uint32_t image)
{
    (void)ctx, (void)round;
    return image == 3 ? 0 : image == 4 ? 2 : 1;
}

static size_t draw_caption(const void *ctx, uint64_t round, uint32_t image, size_t repeat,
                           uint32_t *captions, size_t capacity)
{
    (void)ctx, (void)round;
    assert_int_equal(capacity, 5);
    captions[0] = 2 * image + (uint32_t)repeat;
    return 1;
}

static void test_sources_are_mixed_and_drawn_from_evenly(void **state)
{
    const limn_caption_draw draw = { count_repeats, draw_caption, NULL, 2 };
    limn_batch_source sources[2] = { make_source(), make_source() };
    const limn_batches_settings settings = make_settings();
    int seen[N_IMAGES] = { 0 };
    (void)state;
    sources[1].draw = &draw;
    sources[1].n_an_epoch = 6;
    limn_batches *b = create(sources, 2, &settings);
    assert_int_equal(limn_batches_n_steps(b), 4);
    for (uint64_t step = 0; step < 4 * 5; step++) { /* five epochs: 30 images, three rounds */
        const limn_batch *batch = limn_batches_get(b, step);
        check_rows(batch);
        for (size_t i = 0; i < batch->n_images; i++) {
            assert_true(i == 0 || batch->images[i - 1].source <= batch->images[i].source);
            if (batch->images[i].source == 1) seen[batch->images[i].image]++;
        }
    }
    for (size_t p = 0; p < N_IMAGES; p++)
        assert_int_equal(seen[p], 3 * count_repeats(NULL, 0, (uint32_t)p));
    limn_batches_destroy(&b);
}

static void test_of_many_captions_each_epoch_takes_others(void **state)
{
    limn_batch_source source = make_source();
    limn_batches_settings settings = make_settings();
    int seen[N_CAPTIONS] = { 0 };
    (void)state;
    for (size_t p = 0; p <= 2; p++) first_captions[p] = 10 * p; /* two images of ten captions */
    source.n_images = 2;
    settings.captions_an_image = 5;
    limn_batches *b = create(&source, 1, &settings);
    for (uint64_t step = 0; step < 2; step++) {
        const limn_decoder_batch *d = &limn_batches_get(b, step)->decoder;
        assert_int_equal(d->n_captions, 10);
        for (size_t k = 0; k < d->n_captions; k++) seen[d->targets[d->offsets[k]] - 10]++;
    }
    for (size_t c = 0; c < N_CAPTIONS; c++) assert_int_equal(seen[c], 1);
    limn_batches_destroy(&b);
}

static void test_text_alone_has_no_images(void **state)
{
    limn_batch_source source = make_source();
    const limn_batches_settings settings = make_settings();
    (void)state;
    source.n_images = 0;
    limn_batches *b = create(&source, 1, &settings);
    assert_int_equal(limn_batches_n_steps(b), N_CAPTIONS / 4);
    const limn_batch *batch = limn_batches_get(b, 0);
    assert_int_equal(batch->decoder.n_images, 0);
    assert_int_equal(batch->decoder.n_captions, 4);
    assert_int_equal(batch->decoder.images[0], LIMN_NO_IMAGE);
    size_t seen[N_CAPTIONS] = { 0 };
    for (uint64_t step = 0; step < limn_batches_n_steps(b); step++) {
        const limn_decoder_batch *d = &limn_batches_get(b, step)->decoder;
        for (size_t k = 0; k < d->n_captions; k++) seen[d->targets[d->offsets[k]] - 10]++;
    }
    for (size_t c = 0; c < N_CAPTIONS; c++) assert_true(seen[c] <= 1); /* a few are left */
    limn_batches_destroy(&b);
}

/* One image per batch shows the order of an epoch. */
static void test_an_epoch_mixes_sources_and_views(void **state)
{
    enum { N_EPOCHS = 20 };
    const limn_batch_source sources[2] = { make_source(), make_source() };
    limn_batches_settings settings = make_settings();
    size_t n_changes = 0, n_views[3] = { 0 };
    (void)state;
    settings.n_images = 1;
    limn_batches *b = create(sources, 2, &settings);
    const uint64_t n_steps = limn_batches_n_steps(b);
    uint32_t last = limn_batches_get(b, 0)->images[0].source;
    for (uint64_t step = 0; step < n_steps; step++) {
        const uint32_t source = limn_batches_get(b, step)->images[0].source;
        n_changes += source != last;
        last = source;
    }
    assert_true(n_changes > 1);
    for (uint64_t epoch = 0; epoch < N_EPOCHS; epoch++)
        n_views[limn_batches_get(b, epoch * n_steps)->images[0].view]++;
    for (size_t view = 0; view < 3; view++) assert_true(n_views[view] > 0);
    limn_batches_destroy(&b);
}

static void test_so_many_sources_as_there_may_be(void **state)
{
    limn_batch_source sources[LIMN_BATCH_MAX_SOURCES + 1];
    limn_batches_settings settings = make_settings();
    limn_batches *b;
    (void)state;
    settings.n_images = 1;
    for (size_t i = 0; i <= LIMN_BATCH_MAX_SOURCES; i++) sources[i] = make_source();
    assert_int_equal(limn_batches_create(&b, sources, LIMN_BATCH_MAX_SOURCES, &settings, NULL),
                     LIMN_OK);
    limn_batches_destroy(&b);
    assert_int_equal(limn_batches_create(&b, sources, LIMN_BATCH_MAX_SOURCES + 1, &settings, NULL),
                     LIMN_E_ARG);
    assert_int_equal(limn_batches_create(&b, sources, 0, &settings, NULL), LIMN_E_ARG);
}

static void test_what_does_not_fit_is_refused(void **state)
{
    limn_batch_source sources[2] = { make_source(), make_source() };
    limn_batches_settings settings = make_settings();
    limn_batches *b;
    limn_error err = { 0 };
    (void)state;
    settings.max_words = 3;
    assert_int_equal(limn_batches_create(&b, sources, 1, &settings, &err), LIMN_E_ARG);
    assert_string_equal(err.text, "caption 3 has 4 words, more than 3");
    settings = make_settings();
    sources[1].n_images = 0;
    assert_int_equal(limn_batches_create(&b, sources, 2, &settings, NULL), LIMN_E_ARG);
    sources[0].n_captions = sources[0].n_images = 0;
    assert_int_equal(limn_batches_create(&b, sources, 1, &settings, NULL), LIMN_E_ARG);
    assert_null(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_epoch_has_each_image_once_with_its_captions),
        cmocka_unit_test(test_any_step_is_the_same_wherever_a_run_begins),
        cmocka_unit_test(test_sources_are_mixed_and_drawn_from_evenly),
        cmocka_unit_test(test_of_many_captions_each_epoch_takes_others),
        cmocka_unit_test(test_text_alone_has_no_images),
        cmocka_unit_test(test_an_epoch_mixes_sources_and_views),
        cmocka_unit_test(test_so_many_sources_as_there_may_be),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
