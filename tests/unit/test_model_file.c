#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/model_file.h"
#include "tests/unit/temp_folder.h"

#define ENCODER                                                               \
    "\"encoder\": {\"family\": \"efficientnet-lite0\", \"input_size\": 224, " \
    "\"resize\": \"bicubic\", \"mean\": 127, \"scale\": 0.0078125}"
#define DECODER_WITH(dim, heads, feed_forward)                         \
    "\"decoder\": {\"layers\": 3, \"dim\": " dim ", \"heads\": " heads \
    ", \"feed_forward\": " feed_forward                                \
    ", \"max_positions\": 64, \"memory_positions\": 49, \"memory_dim\": 1280}"
#define DECODER DECODER_WITH("384", "8", "1536")
#define SEARCH "\"search\": {\"length_penalty\": 0.7, \"max_steps\": 30}"
#define SEARCH_WITH(more) "\"search\": {\"length_penalty\": 0.7, \"max_steps\": 30, " more "}"
#define CONFIG "{" ENCODER ", " DECODER ", " SEARCH "}"
#define SLOTS(tag_slots, tags)                                                  \
    "{" ENCODER ", \"decoder\": {\"layers\": 3, \"dim\": 384, \"heads\": 8, "   \
    "\"feed_forward\": 1536, \"max_positions\": 64, \"memory_positions\": 49, " \
    "\"memory_dim\": 1280, \"tag_slots\": " tag_slots ", \"tags\": " tags "}, " SEARCH "}"
#define LAYOUT(layout)                                                          \
    "{" ENCODER ", \"decoder\": {\"layers\": 3, \"dim\": 384, \"heads\": 8, "   \
    "\"feed_forward\": 1536, \"max_positions\": 64, \"memory_positions\": 49, " \
    "\"memory_dim\": 1280, \"layout\": " layout "}, " SEARCH "}"
#define WORDS "[\"<pad>\", \"<s>\", \"</s>\", \"<unk>\", \"a\", \"dog\"]"

static void assert_same_encoder(const limn_encoder_config *a, const limn_encoder_config *b)
{
    const limn_input_spec *x = &a->input, *y = &b->input;
    assert_string_equal(a->family, b->family);
    assert_true(limn_input_is_alike(x, y));
    assert_memory_equal(x->mean, y->mean, sizeof x->mean);
    assert_memory_equal(x->scale, y->scale, sizeof x->scale);
    assert_true(limn_vit_configs_equal(&a->vit, &b->vit));
}

static const float weight = 1.5f;
static const limn_tensor tensor = { "encoder.weight", LIMN_TENSOR_F32, 1, { 1 }, &weight, 4 };

/* A file with this metadata; NULL leaves an item out. */
static const char *file_with(const char *version, const char *config, const char *vocabulary)
{
    const char *path = temp_path("model.safetensors");
    limn_metadata_item items[3];
    size_t n = 0;
    if (version) items[n++] = (limn_metadata_item){ "limn.version", version };
    if (config) items[n++] = (limn_metadata_item){ "limn.config", config };
    if (vocabulary) items[n++] = (limn_metadata_item){ "limn.vocabulary", vocabulary };
    assert_int_equal(limn_safetensors_write(path, &tensor, 1, items, n, NULL), LIMN_OK);
    return path;
}

static void test_a_whole_file_opens(void **state)
{
    limn_model_file f;
    (void)state;
    assert_int_equal(limn_model_file_open(&f, file_with("1", CONFIG, WORDS), NULL), LIMN_OK);
    assert_string_equal(f.config.encoder.family, "efficientnet-lite0");
    assert_int_equal(f.config.encoder.input.width, 224);
    assert_true(f.config.encoder.input.mean[2] == 127 &&
                f.config.encoder.input.scale[0] == 1 / 128.0f);
    assert_int_equal(f.config.encoder.input.filter, LIMN_RESIZE_BICUBIC);
    assert_true(f.config.has_decoder);
    assert_int_equal(f.config.decoder.n_layers, 3);
    assert_int_equal(f.config.decoder.dim, 384);
    assert_int_equal(f.config.decoder.n_heads, 8);
    assert_int_equal(f.config.decoder.feed_forward_dim, 1536);
    assert_int_equal(f.config.decoder.max_positions, 64);
    assert_int_equal(f.config.decoder.n_memory_positions, 49);
    assert_int_equal(f.config.decoder.memory_dim, 1280);
    assert_int_equal(f.config.decoder.n_tokens, 6);
    assert_true(f.config.length_penalty == 0.7f);
    assert_int_equal(f.config.max_steps, 30);
    assert_string_equal(limn_vocab_text(f.vocab, 5), "dog");
    limn_model_file_close(&f);
    assert_null(f.tensors);
    limn_model_file_close(&f);
}

static void test_an_encoder_alone_opens(void **state)
{
    limn_model_file f;
    (void)state;
    assert_int_equal(limn_model_file_open(&f, file_with("1", "{" ENCODER "}", NULL), NULL),
                     LIMN_OK);
    assert_false(f.config.has_decoder);
    assert_null(f.vocab);
    limn_model_file_close(&f);
}

static void test_every_kind_of_damage_is_named(void **state)
{
    static const struct {
        const char *version, *config, *vocabulary, *says;
    } cases[] = {
        { NULL, CONFIG, WORDS, "is a safetensors file, but not a limn model" },
        { "4", CONFIG, WORDS, "limn.version is \"4\", this program reads 1, 2 and 3" },
        { "2", LAYOUT("\"gpt2\""), WORDS,
          "limn.config: decoder: layout \"gpt2\", 64 positions and tokenizer \"words\" are what "
          "limn.version \"2\" does "
          "not have" },
        { "3", LAYOUT("\"bart\""), WORDS,
          "limn.config: decoder layout \"bart\" is not known: limn, blip, gpt2, git, virtex are" },
        { "1", SLOTS("4", "80"), WORDS,
          "limn.config: decoder.tag_slots: is 4, which limn.version \"1\" does not have" },
        { "2", SLOTS("0", "80"), WORDS, "decoder.tag_slots: expected an integer in 1 … 32, is 0" },
        { "2", SLOTS("33", "80"), WORDS,
          "decoder.tag_slots: expected an integer in 1 … 32, is 33" },
        { "2", SLOTS("4", "3"), WORDS, "decoder.tags: expected an integer in 4 … 10000, is 3" },
        { "2", SLOTS("4", "10001"), WORDS,
          "decoder.tags: expected an integer in 4 … 10000, is 10001" },
        { "1", NULL, WORDS, "__metadata__ has no limn.config" },
        { "1", CONFIG, NULL, "__metadata__ has no limn.vocabulary" },
        { "1", "", WORDS, "limn.config: JSON, line 1" },
        { "1", "[]", WORDS, "limn.config: expected an object, is an array" },
        { "1", "{}", WORDS, "limn.config: encoder: is missing" },
        { "1", "{\"encoder\": 1}", WORDS, "limn.config: encoder: expected an object, is 1" },
        { "1", "{\"encoder\": {}}", NULL, "encoder.family: is missing" },
        { "1", "{\"encoder\": {\"family\": \"\"}}", NULL,
          "encoder.family: expected 1 to 31 bytes" },
        { "1", "{\"encoder\": {\"family\": \"0123456789012345678901234567890123456789\"}}", NULL,
          "encoder.family: expected 1 to 31 bytes" },
        { "1", "{\"encoder\": {\"family\": \"x\", \"input_size\": 31}}", NULL,
          "encoder.input_size: expected an integer in 32 … 1024, is 31" },
        { "1", "{\"encoder\": {\"family\": \"x\", \"input_size\": 1025}}", NULL,
          "encoder.input_size: expected an integer in 32 … 1024, is 1025" },
        { "1", "{\"encoder\": {\"family\": \"x\", \"input_size\": 224, \"resize\": \"lanczos\"}}",
          NULL,
          "encoder.resize: expected \"bilinear\", \"bicubic\" or \"linear\", "
          "is \"lanczos\"" },
        { "1",
          "{\"encoder\": {\"family\": \"x\", \"input_size\": 224, \"resize\": \"bicubic\", "
          "\"mean\": \"127\"}}",
          NULL, "encoder.mean: expected a number" },
        { "1",
          "{\"encoder\": {\"family\": \"x\", \"input_size\": 224, \"resize\": \"bicubic\", "
          "\"mean\": 127, \"scale\": 0}}",
          NULL, "encoder.scale: expected a number" },
        { "1", "{" ENCODER ", " DECODER "}", WORDS, "limn.config: search: is missing" },
        { "1", "{" ENCODER ", " DECODER ", \"search\": {\"length_penalty\": 11}}", WORDS,
          "search.length_penalty: expected a number in -10 … 10, is 11" },
        { "1", "{" ENCODER ", " DECODER ", \"search\": {\"length_penalty\": 0, \"max_steps\": 65}}",
          WORDS, "search.max_steps: expected an integer in 1 … 64, is 65" },
        { "1", "{" ENCODER ", " DECODER ", " SEARCH_WITH("\"guidance\": 0.5") "}", WORDS,
          "search.guidance: expected a number in 1 … 10, is 0.5" },
        { "1", "{" ENCODER ", " DECODER ", " SEARCH_WITH("\"guidance\": 10.5") "}", WORDS,
          "search.guidance: expected a number in 1 … 10, is 10.5" },
        { "1", "{" ENCODER ", " DECODER ", " SEARCH_WITH("\"guidance\": \"2\"") "}", WORDS,
          "search.guidance: expected a number" },
        { "1", "{" ENCODER ", \"decoder\": null}", WORDS, "decoder: expected an object, is null" },
        { "1", "{" ENCODER ", " DECODER_WITH("-3", "8", "1536") "}", WORDS,
          "decoder.dim: expected an integer in 16 … 4096, is -3" },
        { "1", "{" ENCODER ", " DECODER_WITH("99999999999", "8", "1536") "}", WORDS,
          "decoder.dim: expected an integer in 16 … 4096, is 99999999999" },
        { "1", "{" ENCODER ", " DECODER_WITH("384", "0", "1536") "}", WORDS,
          "decoder.heads: expected an integer in 1 … 64, is 0" },
        { "1", "{" ENCODER ", " DECODER_WITH("384", "7", "1536") "}", WORDS,
          "decoder.dim: 384 is not a multiple of 16 and of 8 times the 7 heads" },
        { "1", "{" ENCODER ", " DECODER_WITH("384", "32", "1536") "}", WORDS,
          "decoder.dim: 384 is not a multiple of 16 and of 8 times the 32 heads" },
        { "1", "{" ENCODER ", " DECODER_WITH("384", "8", "1540") "}", WORDS,
          "decoder: feed_forward 1540 is not a multiple of 16" },
        { "1", CONFIG, "{}", "limn.vocabulary: tokenizer: is missing" },
        { "1", CONFIG, "[]", "limn.vocabulary: 0 tokens, expected at least" },
        { "1", CONFIG, "[\"<pad>\", \"<s>\", \"</s>\", \"<unk>\"]",
          "limn.vocabulary: has no words beyond the four special tokens" },
        { "1", CONFIG, "[\"<pad>\", 1]", "limn.vocabulary: [1]: expected a string, is 1" },
        { "1", CONFIG, "[\"<pad>\", \"<s>\", \"</s>\", \"<unk>\", \"a b\"]",
          "limn.vocabulary: token 4 has white space" },
        { "1", CONFIG, "[\"<pad>\", \"<s>\", \"</s>\", \"<unk>\", \"a\", \"a\"]",
          "limn.vocabulary: tokens 4 and 5 are both \"a\"" },
        { "1", CONFIG, "[\"a\", \"<s>\", \"</s>\", \"<unk>\", \"<pad>\"]",
          "limn.vocabulary: token 0 must be <pad>, is \"a\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_model_file f;
        limn_error err = { 0 };
        const char *path = file_with(cases[i].version, cases[i].config, cases[i].vocabulary);
        const limn_status s = limn_model_file_open(&f, path, &err);
        if (s == LIMN_OK || !strstr(err.text, cases[i].says) ||
            strncmp(err.text, path, strlen(path)) != 0)
            fail_msg("case %zu: status %d, \"%s\" lacks \"%s\"", i, s, err.text, cases[i].says);
        assert_null(f.tensors);
        assert_null(f.vocab);
    }
}

static void test_what_is_written_is_read_back(void **state)
{
    static const char *const words[] = { "<pad>", "<s>", "</s>", "<unk>", "a", "caf\xc3\xa9" };
    const char *path = temp_path("written.safetensors");
    const limn_metadata_item note = { "limn.train", "a note" };
    limn_vocab *vocab;
    limn_model_file first, second;
    (void)state;
    assert_int_equal(limn_model_file_open(&first, file_with("1", CONFIG, WORDS), NULL), LIMN_OK);
    first.config.encoder.input.filter = LIMN_RESIZE_BILINEAR;
    assert_int_equal(limn_vocab_create(&vocab, words, 6, NULL), LIMN_OK);
    assert_int_equal(limn_model_file_write(path, &first.config, vocab, &tensor, 1, &note, 1, NULL),
                     LIMN_OK);
    assert_int_equal(limn_model_file_open(&second, path, NULL), LIMN_OK);
    assert_true(limn_decoder_configs_equal(&second.config.decoder, &first.config.decoder));
    assert_same_encoder(&second.config.encoder, &first.config.encoder);
    assert_int_equal(second.config.encoder.input.filter, LIMN_RESIZE_BILINEAR);
    assert_true(second.config.length_penalty == 0.7f);
    assert_int_equal(second.config.max_steps, 30);
    assert_string_equal(limn_vocab_text(second.vocab, 5), words[5]);
    assert_string_equal(limn_safetensors_metadata(second.tensors, "limn.train"), "a note");
    assert_non_null(strstr(limn_safetensors_metadata(second.tensors, "limn.config"),
                           "\"length_penalty\": 0.7,"));
    limn_model_file_close(&second);
    limn_model_file_close(&first);
    limn_vocab_destroy(&vocab);
}

static void test_guidance_is_written_and_read_back(void **state)
{
    static const float values[] = { 0, 1, 1.25f, LIMN_MAX_GUIDANCE };
    const char *path = temp_path("guided.safetensors");
    limn_model_file f, again;
    (void)state;
    assert_int_equal(limn_model_file_open(&f, file_with("1", CONFIG, WORDS), NULL), LIMN_OK);
    assert_true(limn_model_config_guidance(&f.config) == 1);
    for (size_t i = 0; i < 4; i++) {
        f.config.guidance = values[i];
        assert_int_equal(limn_model_file_write(path, &f.config, f.vocab, &tensor, 1, NULL, 0, NULL),
                         LIMN_OK);
        assert_int_equal(limn_model_file_open(&again, path, NULL), LIMN_OK);
        assert_true(limn_model_config_guidance(&again.config) == (i == 0 ? 1 : values[i]));
        assert_int_equal(
            strstr(limn_safetensors_metadata(again.tensors, "limn.config"), "guidance") != NULL,
            i >= 2);
        limn_model_file_close(&again);
    }
    f.config.guidance = LIMN_MAX_GUIDANCE + 1;
    assert_int_equal(limn_model_file_write(path, &f.config, f.vocab, &tensor, 1, NULL, 0, NULL),
                     LIMN_E_FORMAT);
    limn_model_file_close(&f);
}

/* Of these, only a file with tag slots claims the newer version. */
static void test_tag_slots_are_written_and_read_back(void **state)
{
    const char *path = temp_path("slots.safetensors");
    limn_model_file f, again;
    (void)state;
    assert_int_equal(limn_model_file_open(&f, file_with("2", SLOTS("4", "80"), WORDS), NULL),
                     LIMN_OK);
    assert_int_equal(f.config.decoder.n_tag_slots, 4);
    assert_int_equal(f.config.decoder.n_tags, 80);
    for (int has_slots = 1; has_slots >= 0; has_slots--) {
        if (!has_slots) f.config.decoder.n_tag_slots = f.config.decoder.n_tags = 0;
        assert_int_equal(limn_model_file_write(path, &f.config, f.vocab, &tensor, 1, NULL, 0, NULL),
                         LIMN_OK);
        assert_int_equal(limn_model_file_open(&again, path, NULL), LIMN_OK);
        assert_true(limn_decoder_configs_equal(&again.config.decoder, &f.config.decoder));
        assert_string_equal(limn_safetensors_metadata(again.tensors, "limn.version"),
                            has_slots ? "2" : "1");
        assert_true(!strstr(limn_safetensors_metadata(again.tensors, "limn.config"), "tag") ==
                    !has_slots);
        limn_model_file_close(&again);
    }
    limn_model_file_close(&f);
}

/* So does a file with a layout that is not limn's. */
static void test_layouts_are_written_and_read_back(void **state)
{
    const char *path = temp_path("layout.safetensors");
    limn_model_file f, again;
    (void)state;
    for (size_t i = 0; limn_decoder_layout_names[i]; i++) {
        assert_int_equal(limn_model_file_open(&f, file_with("1", CONFIG, WORDS), NULL), LIMN_OK);
        assert_int_equal(
            limn_decoder_layout_find(&f.config.decoder.layout, limn_decoder_layout_names[i], NULL),
            LIMN_OK);
        f.config.decoder.layout.eps = i % 2 ? 1e-7f : f.config.decoder.layout.eps;
        assert_int_equal(limn_model_file_write(path, &f.config, f.vocab, &tensor, 1, NULL, 0, NULL),
                         LIMN_OK);
        assert_int_equal(limn_model_file_open(&again, path, NULL), LIMN_OK);
        assert_true(limn_decoder_configs_equal(&again.config.decoder, &f.config.decoder));
        assert_string_equal(limn_safetensors_metadata(again.tensors, "limn.version"),
                            i > 0 ? "3" : "1");
        limn_model_file_close(&again);
        limn_model_file_close(&f);
    }
}

static void test_writing_refuses_what_opening_would(void **state)
{
    limn_model_file f;
    limn_error err = { 0 };
    const char *path = temp_path("refused.safetensors");
    (void)state;
    assert_int_equal(limn_model_file_open(&f, file_with("1", CONFIG, WORDS), NULL), LIMN_OK);
    assert_int_equal(limn_model_file_write(path, &f.config, NULL, &tensor, 1, NULL, 0, NULL),
                     LIMN_E_ARG);
    f.config.decoder.dim = 17;
    assert_int_not_equal(limn_model_file_write(path, &f.config, f.vocab, &tensor, 1, NULL, 0, &err),
                         LIMN_OK);
    assert_non_null(strstr(err.text, "limn.config: decoder.dim: 17 is not a multiple"));
    assert_int_not_equal(access(path, F_OK), 0);
    limn_model_file_close(&f);
}

/* The configuration of a vision transformer, up to its patches. */
#define VIT                                                                                        \
    "{\"encoder\": {\"family\": \"vit\", \"input_size\": 224, \"resize\": \"bicubic\", \"mean\": " \
    "0, "                                                                                          \
    "\"scale\": 1, \"patch\": 16"

static void test_bad_inputs_are_named(void **state)
{
    static const struct {
        const char *version, *config, *words, *says;
    } cases[] = {
        { "3",
          "{\"encoder\": {\"family\": \"x\", \"input_size\": 224, \"resize\": \"bicubic\", "
          "\"mean\": [1, 2]}}",
          NULL, "encoder.mean: expected 3 numbers, has 2" },
        { "3",
          "{\"encoder\": {\"family\": \"x\", \"input_size\": 224, \"resize\": \"bicubic\", "
          "\"mean\": [1, 2, 1001]}}",
          NULL, "encoder.mean[2]: expected a number in -1000 … 1000, is 1001" },
        { "3", "{\"encoder\": {\"family\": \"x\", \"input_width\": 64, \"input_height\": 16}}",
          NULL, "encoder.input_height: expected an integer in 32 … 1024, is 16" },
        { "3",
          "{\"encoder\": {\"family\": \"x\", \"input_size\": 224, \"resize\": \"bicubic\", "
          "\"shorter_side\": 223}}",
          NULL, "encoder.shorter_side: expected an integer in 224 … 2048, is 223" },
        { "3",
          "{\"encoder\": {\"family\": \"x\", \"input_size\": 224, \"resize\": \"bicubic\", "
          "\"shorter_side\": 256, \"rounding\": \"up\"}}",
          NULL,
          "encoder.rounding: expected \"torchvision\", \"transformers\" or \"albumentations\", "
          "is \"up\"" },
        { "3",
          "{\"encoder\": {\"family\": \"x\", \"input_size\": 224, \"resize\": \"bicubic\", "
          "\"decode\": 1}}",
          NULL, "encoder.decode: expected \"reduced\" or \"whole\", is 1" },
        { "3", VIT ", \"dim\": 7}}", NULL, "encoder.dim: expected an integer in 8 … 4096, is 7" },
        { "3",
          VIT ", \"dim\": 8, \"layers\": 1, \"heads\": 1, \"feed_forward\": 8, "
              "\"activation\": \"swish\"}}",
          NULL, "encoder.activation: expected \"none\", \"relu6\"" },
        { "3",
          VIT ", \"dim\": 8, \"layers\": 1, \"heads\": 1, \"feed_forward\": 8, "
              "\"activation\": \"gelu\", \"eps\": 1, \"patch_bias\": true}}",
          NULL, "encoder.eps: expected a number in 1e-14 … 0.1, is 1" },
        { "2",
          "{\"encoder\": {\"family\": \"x\", \"input_size\": 224, \"resize\": \"bicubic\", "
          "\"shorter_side\": 256, \"mean\": 127, \"scale\": 1}}",
          NULL, "has no vision transformers, and no input that is cropped" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_model_file f;
        limn_error err = { 0 };
        const char *path = file_with(cases[i].version, cases[i].config, cases[i].words);
        assert_int_not_equal(limn_model_file_open(&f, path, &err), LIMN_OK);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.text, cases[i].says);
    }
}

static void check_encoder_is_kept(const limn_input_spec *input, const char *version)
{
    const char *path = temp_path("encoder.safetensors");
    limn_model_config config = { .encoder = { .family = "resnet50", .input = *input } };
    limn_model_file f;
    assert_int_equal(limn_model_file_write(path, &config, NULL, &tensor, 1, NULL, 0, NULL),
                     LIMN_OK);
    assert_int_equal(limn_model_file_open(&f, path, NULL), LIMN_OK);
    assert_same_encoder(&f.config.encoder, &config.encoder);
    assert_string_equal(limn_safetensors_metadata(f.tensors, "limn.version"), version);
    limn_model_file_close(&f);
}

static void test_every_input_is_read_back(void **state)
{
    limn_input_spec input = limn_input_square(224, LIMN_RESIZE_BICUBIC, 127, 0.0078125f);
    (void)state;
    check_encoder_is_kept(&input, "1");
    input.mean[1] = 116.28f;
    check_encoder_is_kept(&input, "3");
    input.height = 192;
    input.filter = LIMN_RESIZE_BILINEAR;
    check_encoder_is_kept(&input, "3");
    input.fit = LIMN_FIT_CROP;
    input.shorter_side = 256;
    check_encoder_is_kept(&input, "3");
    input.rounding = LIMN_ROUND_ALBUMENTATIONS;
    input.filter = LIMN_RESIZE_LINEAR;
    check_encoder_is_kept(&input, "3");
    input = limn_input_square(224, LIMN_RESIZE_BICUBIC, 127, 0.0078125f);
    input.decodes_whole = true;
    check_encoder_is_kept(&input, "3");
}

static void test_a_vision_transformer_is_read_back(void **state)
{
    const char *path = temp_path("vit.safetensors");
    limn_model_config config = {
        .encoder = { .family = "vit",
                     .input = limn_input_square(224, LIMN_RESIZE_BICUBIC, 127, 0.0078125f),
                     .vit = { 14, 96, 3, 6, 200, LIMN_ACT_QUICK_GELU, 1e-12f, false, true } }
    };
    limn_model_file f;
    (void)state;
    assert_int_equal(limn_model_file_write(path, &config, NULL, &tensor, 1, NULL, 0, NULL),
                     LIMN_OK);
    assert_int_equal(limn_model_file_open(&f, path, NULL), LIMN_OK);
    assert_true(limn_vit_configs_equal(&f.config.encoder.vit, &config.encoder.vit));
    assert_string_equal(limn_safetensors_metadata(f.tensors, "limn.version"), "3");
    limn_model_file_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_file_opens),
        cmocka_unit_test(test_an_encoder_alone_opens),
        cmocka_unit_test(test_every_kind_of_damage_is_named),
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_bad_inputs_are_named),
        cmocka_unit_test(test_every_input_is_read_back),
        cmocka_unit_test(test_a_vision_transformer_is_read_back),
        cmocka_unit_test(test_guidance_is_written_and_read_back),
        cmocka_unit_test(test_tag_slots_are_written_and_read_back),
        cmocka_unit_test(test_layouts_are_written_and_read_back),
        cmocka_unit_test(test_writing_refuses_what_opening_would),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}
