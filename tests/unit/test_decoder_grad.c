/* Gradients of the decoder against PyTorch's (a fixture of tests/fixtures/make_decoder_grad.py) and
 * against finite differences; ten optimizer steps; the same bits for any number of threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/params_tensors.h"
#include "decoder/decoder_grad.h"
#include "decoder/decoder_trainer.h"
#include "decoder/vocab.h"
#include "models/train/adamw.h"
#include "tests/fixtures/kernels_of.h"
#include "tests/fixtures/own_tokens.h"

#define SMALL                                                                             \
    .n_layers = 2, .dim = 16, .n_heads = 2, .feed_forward_dim = 32, .max_positions = 12,  \
    .n_tokens = 19, .n_memory_positions = 5, .memory_dim = 7, .layout = LIMN_LAYOUT_LIMN, \
    .specials = LIMN_SPECIALS_OWN
static const limn_decoder_config config = { SMALL };
static const limn_decoder_config slotted = { SMALL, .n_tag_slots = 3, .n_tags = 6 };
/* The slots of three images; no image has tag 3. */
static const limn_tag_slot slots[] = { { 4, 0.9f }, { 0, 0.5f }, { 5, 0.1f },
                                       { 2, 1.0f }, { 4, 0.3f }, { 1, 0.0f },
                                       { 0, 0.7f }, { 5, 0.6f }, { 2, 0.2f } };
static const uint32_t images[] = { 0, 0, 1, 2, 2 }, offsets[] = { 0, 5, 8, 14, 16, 24 };
enum { N_ROWS = 24, N_FEATURES = 3 * 5 * 7 };

struct fixture {
    limn_decoder_config config;
    limn_safetensors *file;
    limn_params params;
    limn_pool *pool;
    limn_decoder_trainer *trainer;
    float features[N_FEATURES], weights[N_ROWS];
    uint32_t inputs[N_ROWS], targets[N_ROWS];
    limn_decoder_batch batch;
};

static void read_tensor(const struct fixture *f, const char *prefix, const char *name, float *out)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const limn_tensor *t = limn_safetensors_find(f->file, full);
    assert_non_null(t);
    limn_tensor_to_f32(out, t);
}

static void reset_values(struct fixture *f)
{
    limn_decoder_params_init(&f->params, 3); /* for tags, which the file lacks */
    for (size_t i = 0; i < f->params.n_items; i++)
        if (!strstr(f->params.items[i].name, "tag_"))
            read_tensor(f, "value.", f->params.items[i].name,
                        f->params.values + f->params.items[i].offset);
    limn_params_clear_gradients(&f->params);
}

static void open_fixture_of(struct fixture *f, const limn_decoder_config *c, size_t n_threads,
                            limn_cpu_level level)
{
    const limn_decoder_limits limits = { 40, 4 };
    char path[1024];
    memset(f, 0, sizeof *f);
    f->config = *c;
    snprintf(path, sizeof path, "%s/tests/data/train/decoder_grad.safetensors",
             getenv("LIMN_SOURCE_ROOT"));
    assert_int_equal(limn_safetensors_open(&f->file, path, NULL), LIMN_OK);
    assert_int_equal(limn_decoder_params_add(&f->params, c, NULL), LIMN_OK);
    assert_int_equal(limn_params_allocate(&f->params, NULL), LIMN_OK);
    assert_int_equal(limn_pool_create(&f->pool, n_threads, NULL), LIMN_OK);
    assert_int_equal(
        limn_decoder_trainer_create(&f->trainer, c, &f->params, &limits, f->pool, level, NULL),
        LIMN_OK);
    reset_values(f);
    read_tensor(f, "", "features", f->features);
    read_tensor(f, "", "weights", f->weights);
    memcpy(f->inputs, limn_safetensors_find(f->file, "captions")->data, sizeof f->inputs);
    memcpy(f->targets, limn_safetensors_find(f->file, "targets")->data, sizeof f->targets);
    f->batch = (limn_decoder_batch){ .n_images = 3,
                                     .n_captions = 5,
                                     .features = f->features,
                                     .slots = c->n_tag_slots ? slots : NULL,
                                     .images = images,
                                     .offsets = offsets,
                                     .inputs = f->inputs,
                                     .targets = f->targets,
                                     .weights = f->weights };
}

static void open_fixture(struct fixture *f, size_t n_threads, limn_cpu_level level)
{
    open_fixture_of(f, &config, n_threads, level);
}

/* The losses [n_rows] (NULL: not wanted) and their weighted sum; clears the gradients. */
static limn_status loss_of(struct fixture *f, float *losses, double *sum, limn_error *err)
{
    const limn_decoder_grad_settings plain = { .scale = 1.0f };
    const limn_status s = limn_decoder_trainer_run(f->trainer, &f->batch, &plain, NULL, sum, err);
    const size_t n_rows = f->batch.offsets[f->batch.n_captions];
    if (s == LIMN_OK && losses) memcpy(losses, f->trainer->output.losses, n_rows * sizeof *losses);
    limn_params_clear_gradients(&f->params);
    return s;
}

static void close_fixture(struct fixture *f)
{
    limn_decoder_trainer_destroy(&f->trainer);
    limn_params_finish(&f->params);
    limn_pool_destroy(&f->pool);
    limn_safetensors_close(&f->file);
}

static double largest(const float *x, size_t n)
{
    double max = 0;
    for (size_t i = 0; i < n; i++) max = fabs(x[i]) > max ? fabs(x[i]) : max;
    return max;
}

/* Gradients of key biases are zero up to rounding, hence the absolute tolerance. */
static void assert_close(const char *name, const float *got, const float *expected, size_t n)
{
    const double scale = largest(expected, n);
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - expected[i]) <= 1e-4 * scale + 2e-6))
            fail_msg("%s[%zu] is %.8g, expected %.8g (largest %.3g)", name, i, (double)got[i],
                     (double)expected[i], scale);
}

static void test_gradients_equal_pytorch(void **state)
{
    const limn_decoder_grad_settings settings = { .label_smoothing = 0.1f, .scale = 1.0f };
    struct fixture f;
    float expected[N_FEATURES > 1024 ? N_FEATURES : 1024], d_features[N_FEATURES];
    double loss;
    (void)state;
    for (limn_cpu_level level = LIMN_CPU_C; level <= limn_cpu_best(); level++) {
        open_fixture(&f, 2, level);
        assert_int_equal(
            limn_decoder_trainer_run(f.trainer, &f.batch, &settings, d_features, &loss, NULL),
            LIMN_OK);
        read_tensor(&f, "", "loss", expected);
        assert_true(fabs(loss - expected[0]) < 1e-5 * expected[0]);
        for (size_t i = 0; i < f.params.n_items; i++) {
            const limn_param *p = &f.params.items[i];
            assert_true(p->n <= sizeof expected / sizeof *expected);
            read_tensor(&f, "gradient.", p->name, expected);
            assert_close(p->name, f.params.gradients + p->offset, expected, p->n);
        }
        read_tensor(&f, "gradient.", "features", expected);
        assert_close("features", d_features, expected, N_FEATURES);
        close_fixture(&f);
    }
}

/* Loss after moving value [n] by `step` along its own gradient. */
static double moved_loss(struct fixture *f, float *value, size_t n, const float *direction,
                         double step, const limn_decoder_grad_settings *settings)
{
    float *kept = limn_alloc(n, sizeof *kept);
    double loss;
    memcpy(kept, value, n * sizeof *kept);
    for (size_t i = 0; i < n; i++) value[i] += (float)(step * direction[i]);
    assert_int_equal(limn_decoder_trainer_run(f->trainer, &f->batch, settings, NULL, &loss, NULL),
                     LIMN_OK);
    memcpy(value, kept, n * sizeof *kept);
    limn_free(kept);
    return loss;
}

static void check_tensor(struct fixture *f, const char *name, float *value, size_t n,
                         const float *gradient, const limn_decoder_grad_settings *settings)
{
    float *direction = limn_alloc(n, sizeof *direction);
    double norm = 0;
    for (size_t i = 0; i < n; i++) norm += (double)gradient[i] * gradient[i];
    norm = sqrt(norm);
    for (size_t i = 0; i < n; i++) direction[i] = norm > 0 ? (float)(gradient[i] / norm) : 0.0f;
    const double h = 0.006;
    const double near = moved_loss(f, value, n, direction, h, settings) -
                        moved_loss(f, value, n, direction, -h, settings);
    const double far = moved_loss(f, value, n, direction, 2 * h, settings) -
                       moved_loss(f, value, n, direction, -2 * h, settings);
    const double slope = (8 * near - far) / (12 * h); /* fourth-order central difference */
    if (!(fabs(slope - norm) <= 1e-4 * norm + 4e-4))  /* floats' rounding */
        fail_msg("%s: slope %.8g, gradient norm %.8g", name, slope, norm);
    limn_free(direction);
}

/* Makes the targets ones that could have been drawn. */
static void make_drawn(struct fixture *f)
{
    for (size_t r = 0; r < N_ROWS; r++)
        f->targets[r] = limn_specials_is_written(&config.specials, f->targets[r]) ? f->targets[r]
                                                                                  : LIMN_N_SPECIAL;
    f->batch.is_drawn = true;
}

/* With dropout, whose mask is the same for the same seed. */
static void check_differences(const limn_decoder_config *c, bool is_drawn)
{
    const limn_decoder_grad_settings settings = { .label_smoothing = is_drawn ? 0.0f : 0.1f,
                                                  .scale = 1.0f,
                                                  .dropout = 0.2f,
                                                  .feature_dropout = 0.1f,
                                                  .image_dropout = 0.3f,
                                                  .seed = 5 };
    struct fixture f;
    float d_features[N_FEATURES];
    double loss;
    open_fixture_of(&f, c, 1, limn_cpu_best());
    if (is_drawn) make_drawn(&f);
    assert_int_equal(
        limn_decoder_trainer_run(f.trainer, &f.batch, &settings, d_features, &loss, NULL), LIMN_OK);
    float *gradients = limn_alloc(f.params.n_floats, sizeof *gradients);
    memcpy(gradients, f.params.gradients, f.params.n_floats * sizeof *gradients);
    for (size_t i = 0; i < f.params.n_items; i++) {
        const limn_param *p = &f.params.items[i];
        check_tensor(&f, p->name, f.params.values + p->offset, p->n, gradients + p->offset,
                     &settings);
    }
    check_tensor(&f, "features", f.features, N_FEATURES, d_features, &settings);
    limn_free(gradients);
    close_fixture(&f);
}

static void test_gradients_equal_finite_differences(void **state)
{
    (void)state;
    check_differences(&config, false);
    check_differences(&slotted, false);
    check_differences(&config, true);
}

static const limn_param *find_param(const struct fixture *f, const char *name)
{
    const limn_param *p = limn_params_find(&f->params, name);
    assert_non_null(p);
    return p;
}

/* Losses of a drawn batch are those of a softmax without <pad>, <s> and <unk>, so that rewards
 * can't move probability to them: their part is taken out of the sum. */
static void test_what_is_never_drawn_has_no_part_in_a_drawn_batch(void **state)
{
    static const uint32_t special[] = { TOKEN_PAD, TOKEN_START, TOKEN_UNKNOWN };
    float whole[N_ROWS], drawn[N_ROWS], of_special[N_ROWS];
    double left[N_ROWS], loss;
    struct fixture f;
    (void)state;
    open_fixture(&f, 1, limn_cpu_best());
    make_drawn(&f);
    loss_of(&f, drawn, &loss, NULL);
    f.batch.is_drawn = false;
    loss_of(&f, whole, &loss, NULL);
    for (size_t r = 0; r < N_ROWS; r++) left[r] = 1;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        for (size_t r = 0; r < N_ROWS; r++) f.targets[r] = special[i];
        loss_of(&f, of_special, &loss, NULL);
        for (size_t r = 0; r < N_ROWS; r++) left[r] -= exp(-(double)of_special[r]);
    }
    for (size_t r = 0; r < N_ROWS; r++) {
        assert_true(left[r] < 0.95);
        assert_float_equal(drawn[r], whole[r] + log(left[r]), 1e-5);
    }
    close_fixture(&f);
}

/* No caption here reads <pad> and <unk>: only the softmax could train their embeddings. */
static void test_drawn_batches_leave_unknown_words_alone(void **state)
{
    const limn_decoder_grad_settings settings = { .scale = 1.0f };
    struct fixture f;
    double loss;
    (void)state;
    for (int is_drawn = 0; is_drawn < 2; is_drawn++) {
        open_fixture(&f, 1, limn_cpu_best());
        make_drawn(&f);
        f.batch.is_drawn = is_drawn;
        for (size_t r = 0; r < N_ROWS; r++)
            if (f.inputs[r] != TOKEN_START &&
                !limn_specials_is_written(&config.specials, f.inputs[r]))
                f.inputs[r] = LIMN_N_SPECIAL;
        assert_int_equal(
            limn_decoder_trainer_run(f.trainer, &f.batch, &settings, NULL, &loss, NULL), LIMN_OK);
        const limn_param *p = find_param(&f, "decoder.token_embedding.weight");
        const float *rows = f.params.gradients + p->offset;
        for (uint32_t token = 0; token < LIMN_N_SPECIAL; token++)
            if (token == TOKEN_PAD || token == TOKEN_UNKNOWN)
                assert_true((largest(rows + token * config.dim, config.dim) == 0) == is_drawn);
        close_fixture(&f);
    }
}

/* Each tag learns from the images that have it. */
static void test_tags_learn_from_their_images(void **state)
{
    const limn_decoder_grad_settings settings = { .scale = 1.0f };
    struct fixture f;
    double loss;
    (void)state;
    open_fixture_of(&f, &slotted, 1, limn_cpu_best());
    assert_int_equal(limn_decoder_trainer_run(f.trainer, &f.batch, &settings, NULL, &loss, NULL),
                     LIMN_OK);
    const float *rows = f.params.gradients + find_param(&f, "decoder.tag_embedding")->offset;
    for (size_t tag = 0; tag < slotted.n_tags; tag++)
        assert_true((largest(rows + tag * slotted.dim, slotted.dim) > 0) == (tag != 3));
    rows = f.params.gradients + find_param(&f, "decoder.tag_probability")->offset;
    assert_true(largest(rows, slotted.dim) > 0);
    close_fixture(&f);
}

/* Hidden images have zero features, which get no gradient, and the first tags at probability
 * zero. */
static void check_hidden_images(const limn_decoder_config *c)
{
    limn_tag_slot unconditional[sizeof slots / sizeof *slots];
    const size_t n = N_FEATURES / 3;
    limn_decoder_grad_settings settings = { .scale = 1.0f, .image_dropout = 0.5f, .seed = 5 };
    struct fixture hidden, zero;
    float d_features[N_FEATURES];
    double loss, loss_zero;
    size_t n_hidden = 0;
    memcpy(unconditional, slots, sizeof unconditional);
    open_fixture_of(&hidden, c, 1, limn_cpu_best());
    open_fixture_of(&zero, c, 1, limn_cpu_best());
    zero.batch.slots = unconditional;
    assert_int_equal(
        limn_decoder_trainer_run(hidden.trainer, &hidden.batch, &settings, d_features, &loss, NULL),
        LIMN_OK);
    for (size_t i = 0; i < 3; i++)
        if (largest(d_features + i * n, n) == 0) {
            memset(zero.features + i * n, 0, n * sizeof(float));
            for (uint32_t k = 0; k < 3; k++) unconditional[3 * i + k] = (limn_tag_slot){ k, 0 };
            n_hidden++;
        }
    assert_in_range(n_hidden, 1, 2);
    settings.image_dropout = 0;
    assert_int_equal(
        limn_decoder_trainer_run(zero.trainer, &zero.batch, &settings, NULL, &loss_zero, NULL),
        LIMN_OK);
    assert_memory_equal(&loss, &loss_zero, sizeof loss);
    assert_memory_equal(hidden.params.gradients, zero.params.gradients,
                        zero.params.n_floats * sizeof(float));
    close_fixture(&hidden);
    close_fixture(&zero);
}

static void test_hidden_images_are_images_of_zero(void **state)
{
    (void)state;
    check_hidden_images(&config);
    check_hidden_images(&slotted);
}

static void test_ten_steps_follow_pytorch(void **state)
{
    const limn_decoder_grad_settings settings = { .label_smoothing = 0.1f, .scale = 1.0f / N_ROWS };
    const limn_optimizer_settings optimizer = { .beta1 = 0.9f,
                                                .beta2 = 0.98f,
                                                .epsilon = 1e-8f,
                                                .weight_decay = 0.05f,
                                                .clip_norm = 0.5f,
                                                .average_decay = 0.9f };
    struct fixture f;
    limn_optimizer adamw;
    float expected[10];
    double loss;
    (void)state;
    open_fixture(&f, 2, limn_cpu_best());
    read_tensor(&f, "", "step_losses", expected);
    assert_int_equal(limn_optimizer_init(&adamw, &limn_adamw, &f.params, NULL), LIMN_OK);
    for (int i = 0; i < 10; i++) {
        limn_params_clear_gradients(&f.params);
        assert_int_equal(
            limn_decoder_trainer_run(f.trainer, &f.batch, &settings, NULL, &loss, NULL), LIMN_OK);
        if (!(fabs(loss / N_ROWS - expected[i]) < 1e-4 * expected[i]))
            fail_msg("step %d: loss %.7g, expected %.7g", i, loss / N_ROWS, (double)expected[i]);
        limn_optimizer_step(&adamw, &f.params, &optimizer, 3e-3f,
                            limn_gradient_norm(&f.params, f.pool), f.pool);
    }
    limn_optimizer_finish(&adamw);
    close_fixture(&f);
}

static void check_threads_and_levels(const limn_decoder_config *c)
{
    const limn_decoder_grad_settings settings = {
        .label_smoothing = 0.1f, .scale = 1.0f, .dropout = 0.3f, .feature_dropout = 0.2f, .seed = 9
    };
    struct fixture one, other;
    double loss_one, loss_other;
    open_fixture_of(&one, c, 1, LIMN_CPU_C);
    limn_decoder_trainer_run(one.trainer, &one.batch, &settings, NULL, &loss_one, NULL);
    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        open_fixture_of(&other, c, n_threads, limn_cpu_best());
        limn_decoder_trainer_run(other.trainer, &other.batch, &settings, NULL, &loss_other, NULL);
        assert_memory_equal(&loss_one, &loss_other, sizeof loss_one);
        assert_memory_equal(one.params.gradients, other.params.gradients,
                            one.params.n_floats * sizeof(float));
        close_fixture(&other);
    }
    close_fixture(&one);
}

static void test_threads_and_levels_do_not_change_bits(void **state)
{
    (void)state;
    check_threads_and_levels(&config);
    check_threads_and_levels(&slotted);
}

static void test_text_alone_leaves_cross_attention_alone(void **state)
{
    static const uint32_t none[] = { LIMN_NO_IMAGE, LIMN_NO_IMAGE, LIMN_NO_IMAGE, LIMN_NO_IMAGE,
                                     LIMN_NO_IMAGE };
    const limn_decoder_grad_settings settings = { .scale = 1.0f };
    struct fixture f;
    double loss;
    (void)state;
    open_fixture_of(&f, &slotted, 1, limn_cpu_best());
    f.batch.images = none;
    f.batch.n_images = 0;
    assert_int_equal(limn_decoder_trainer_run(f.trainer, &f.batch, &settings, NULL, &loss, NULL),
                     LIMN_OK);
    for (size_t i = 0; i < f.params.n_items; i++) {
        const limn_param *p = &f.params.items[i];
        const bool is_images =
            strstr(p->name, "cross") || strstr(p->name, "memory") || strstr(p->name, "tag_");
        assert_true((largest(f.params.gradients + p->offset, p->n) == 0) == is_images ||
                    strstr(p->name, "key.bias"));
    }
    close_fixture(&f);
}

static void run_part(struct fixture *f, const limn_decoder_batch *batch, float scale)
{
    const limn_decoder_grad_settings settings = { .label_smoothing = 0.1f, .scale = scale };
    double loss;
    assert_int_equal(limn_decoder_trainer_run(f->trainer, batch, &settings, NULL, &loss, NULL),
                     LIMN_OK);
}

static void assert_same_gradients(const struct fixture *got, const struct fixture *expected)
{
    for (size_t i = 0; i < got->params.n_items; i++) {
        const limn_param *p = &got->params.items[i];
        assert_close(p->name, got->params.gradients + p->offset,
                     expected->params.gradients + p->offset, p->n);
    }
}

/* Captions 0 … 2 of images 0 and 1, then captions 3 and 4 of image 2. */
static void test_runs_on_parts_add_up_to_the_batch(void **state)
{
    static const uint32_t late_images[] = { 0, 0 }, late_offsets[] = { 0, 2, 10 };
    struct fixture whole, parts;
    (void)state;
    open_fixture(&whole, 1, limn_cpu_best());
    open_fixture(&parts, 1, limn_cpu_best());
    limn_decoder_batch early = parts.batch, late = parts.batch;
    early.n_captions = 3;
    early.n_images = 2;
    late.n_captions = 2;
    late.n_images = 1;
    late.images = late_images;
    late.offsets = late_offsets;
    late.features += 2 * N_FEATURES / 3;
    late.inputs += offsets[3];
    late.targets += offsets[3];
    late.weights += offsets[3];
    run_part(&whole, &whole.batch, 0.25f);
    run_part(&parts, &early, 0.25f);
    run_part(&parts, &late, 0.25f);
    assert_same_gradients(&parts, &whole);
    close_fixture(&whole);
    close_fixture(&parts);
}

static void test_text_and_images_mix_by_two_runs(void **state)
{
    static const uint32_t none[] = { LIMN_NO_IMAGE, LIMN_NO_IMAGE, LIMN_NO_IMAGE, LIMN_NO_IMAGE,
                                     LIMN_NO_IMAGE };
    struct fixture both, with, without;
    (void)state;
    open_fixture(&both, 1, limn_cpu_best());
    open_fixture(&with, 1, limn_cpu_best());
    open_fixture(&without, 1, limn_cpu_best());
    limn_decoder_batch text = both.batch;
    text.images = none;
    text.n_images = 0;
    run_part(&both, &both.batch, 0.75f);
    run_part(&both, &text, 0.25f);
    run_part(&with, &with.batch, 0.75f);
    run_part(&without, &text, 0.25f);
    for (size_t i = 0; i < with.params.n_floats; i++)
        with.params.gradients[i] += without.params.gradients[i];
    assert_same_gradients(&both, &with);
    close_fixture(&both);
    close_fixture(&with);
    close_fixture(&without);
}

/* -log p of each target, one token at a time. */
static void caption_losses(const limn_decoder *d, const struct fixture *f, float *losses)
{
    limn_decoder_state *s;
    float logits[19];
    assert_int_equal(limn_decoder_state_create(&s, d, 1, config.max_positions, NULL), LIMN_OK);
    for (size_t i = 0; i < f->batch.n_captions; i++) {
        const uint32_t none = 0;
        limn_decoder_begin(s, NULL, f->features + images[i] * (N_FEATURES / 3),
                           slots + 3 * images[i]);
        for (size_t r = offsets[i]; r < offsets[i + 1]; r++) {
            limn_decoder_step(s, NULL, 1, &none, &f->inputs[r], logits);
            losses[r] = limn_decoder_log_sum_exp(d, logits) - logits[f->targets[r]];
        }
    }
    limn_decoder_state_destroy(&s);
}

static void check_losses(const limn_decoder_config *c)
{
    struct fixture f;
    limn_safetensors *source;
    limn_decoder *decoder;
    float expected[N_ROWS], got[N_ROWS];
    double loss;
    open_fixture_of(&f, c, 1, limn_cpu_best());
    assert_int_equal(limn_params_open(&source, &f.params, f.params.values, NULL), LIMN_OK);
    assert_int_equal(limn_decoder_open(&decoder, source, c, kernels_of(limn_cpu_best()), NULL),
                     LIMN_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(loss_of(&f, expected, &loss, NULL), LIMN_OK);
        caption_losses(decoder, &f, got);
        assert_close("losses", got, expected, N_ROWS);
        for (size_t j = 0; j < f.params.n_floats; j++) f.params.values[j] *= 0.9f;
        assert_int_equal(limn_decoder_reload(decoder, source, NULL), LIMN_OK);
    }
    limn_decoder_close(&decoder);
    limn_safetensors_close(&source);
    close_fixture(&f);
}

static void test_a_decoder_of_the_parameters_gives_their_losses(void **state)
{
    (void)state;
    check_losses(&config);
    check_losses(&slotted);
}

static void test_bad_tags_are_refused(void **state)
{
    limn_tag_slot bad[sizeof slots / sizeof *slots];
    struct fixture f;
    limn_error err = { 0 };
    double loss;
    (void)state;
    open_fixture_of(&f, &slotted, 1, limn_cpu_best());
    memcpy(bad, slots, sizeof bad);
    bad[7].tag = 6;
    f.batch.slots = bad;
    assert_int_equal(loss_of(&f, NULL, &loss, &err), LIMN_E_ARG);
    assert_string_equal(err.text, "image 2 of the batch has tag 6, past 5");
    f.batch.slots = NULL;
    err = (limn_error){ 0 };
    assert_int_equal(loss_of(&f, NULL, &loss, &err), LIMN_E_ARG);
    assert_string_equal(err.text, "the batch has no tags of its images");
    close_fixture(&f);
}

static void test_bad_batches_are_refused(void **state)
{
    const limn_decoder_grad_settings settings = { .scale = 1.0f };
    const limn_decoder_grad_settings smooth = { .scale = 1.0f, .label_smoothing = 0.1f };
    static const uint32_t far_images[] = { 0, 0, 1, 2, 7 }, empty[] = { 0, 5, 5, 14, 16, 24 };
    struct fixture f;
    limn_error err = { 0 };
    double loss;
    (void)state;
    open_fixture(&f, 1, limn_cpu_best());
    f.batch.images = far_images;
    assert_int_equal(limn_decoder_trainer_run(f.trainer, &f.batch, &settings, NULL, &loss, &err),
                     LIMN_E_ARG);
    assert_string_equal(err.text, "caption 4 of the batch names image 7 of 3");
    f.batch.images = images;
    f.batch.offsets = empty;
    assert_int_equal(loss_of(&f, NULL, &loss, NULL), LIMN_E_ARG);
    f.batch.offsets = offsets;
    make_drawn(&f);
    err = (limn_error){ 0 };
    assert_int_equal(limn_decoder_trainer_run(f.trainer, &f.batch, &smooth, NULL, &loss, &err),
                     LIMN_E_ARG);
    assert_string_equal(err.text, "a batch that was drawn can't be smoothed");
    f.targets[6] = TOKEN_UNKNOWN;
    err = (limn_error){ 0 };
    assert_int_equal(limn_decoder_trainer_run(f.trainer, &f.batch, &settings, NULL, &loss, &err),
                     LIMN_E_ARG);
    assert_string_equal(err.text, "caption 1 of the batch has token 3, which is never drawn");
    f.batch.is_drawn = false;
    f.inputs[3] = 19;
    assert_int_equal(loss_of(&f, NULL, &loss, NULL), LIMN_E_ARG);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_equal_pytorch),
        cmocka_unit_test(test_gradients_equal_finite_differences),
        cmocka_unit_test(test_what_is_never_drawn_has_no_part_in_a_drawn_batch),
        cmocka_unit_test(test_drawn_batches_leave_unknown_words_alone),
        cmocka_unit_test(test_tags_learn_from_their_images),
        cmocka_unit_test(test_hidden_images_are_images_of_zero),
        cmocka_unit_test(test_ten_steps_follow_pytorch),
        cmocka_unit_test(test_threads_and_levels_do_not_change_bits),
        cmocka_unit_test(test_text_alone_leaves_cross_attention_alone),
        cmocka_unit_test(test_runs_on_parts_add_up_to_the_batch),
        cmocka_unit_test(test_text_and_images_mix_by_two_runs),
        cmocka_unit_test(test_a_decoder_of_the_parameters_gives_their_losses),
        cmocka_unit_test(test_bad_batches_are_refused),
        cmocka_unit_test(test_bad_tags_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
