#include "models/captioner_model.h"

#include <math.h>
#include <string.h>

#include "common/base/float_env.h"
#include "common/base/mem.h"
#include "models/tag_slots.h"
#include "models/user_words.h"
#include "common/text/detokenize.h"

static limn_status open_tagger(limn_model *m, const limn_safetensors *file, limn_error *err)
{
    limn_tag_heads heads;
    limn_status status = LIMN_OK;
    LIMN_TRY(limn_tag_heads_read(&heads, file, limn_encoder_dim(m->encoder), err));
    if (heads.n_items > 0)
        status = limn_tagger_open(&m->tagger, &heads, limn_encoder_n_positions(m->encoder),
                                  limn_encoder_dim(m->encoder), &m->kernels, err);
    limn_tag_heads_finish(&heads);
    return status;
}

/* The model keeps vocabulary and packed weights; the file is closed again, and the pages of packed
 * tensors are released at once. */
static limn_status build(limn_model *m, limn_model_file *file, limn_error *err)
{
    m->config = file->config;
    if (!file->config.has_decoder)
        return limn_fail(err, LIMN_E_ARG, "is an encoder without a decoder and writes no captions");
    limn_safetensors_read_once(file->tensors);
    LIMN_TRY(limn_encoder_open(&m->encoder, file->tensors, &m->config.encoder, &m->kernels, err));
    m->config.decoder.n_class_positions =
        (uint32_t)limn_encoder_feature_shape(&m->config.encoder).n_prefix;
    LIMN_TRY(limn_decoder_open(&m->decoder, file->tensors, &m->config.decoder, &m->kernels, err));
    if (limn_encoder_n_positions(m->encoder) != m->config.decoder.n_memory_positions ||
        limn_encoder_dim(m->encoder) != m->config.decoder.memory_dim)
        return limn_fail(err, LIMN_E_FORMAT,
                         "the encoder outputs %zu positions of %zu, the decoder expects %u of %u",
                         limn_encoder_n_positions(m->encoder), limn_encoder_dim(m->encoder),
                         m->config.decoder.n_memory_positions, m->config.decoder.memory_dim);
    LIMN_TRY(limn_document_frequencies_read(&m->frequencies, file->tensors, err));
    LIMN_TRY(open_tagger(m, file->tensors, err));
    LIMN_TRY(limn_confidence_read(&m->confidence, &m->has_confidence, file->tensors, err));
    LIMN_TRY(limn_tag_slots_check(&m->config.decoder, m->tagger, err));
    m->vocab = file->vocab;
    file->vocab = NULL;
    m->max_text = (limn_vocab_longest(m->vocab) + 1) * m->config.decoder.max_positions +
                  LIMN_DETOKENIZE_MAX_GROWTH + 1;
    return LIMN_OK;
}

/* Opens a model from an open file, which it closes. */
static limn_status open_file(limn_model **out, limn_model_file *file, limn_cpu_level level,
                             limn_error *err)
{
    limn_model *m = limn_calloc(1, sizeof *m);
    limn_status status;
    if (m) {
        limn_kernels_init(&m->kernels, level);
        status = build(m, file, err);
    } else {
        status = limn_fail(err, LIMN_E_NOMEM, "no memory for a model");
    }
    if (status != LIMN_OK) limn_model_close(&m);
    limn_model_file_close(file);
    *out = m;
    return status;
}

static limn_status open_path(limn_model **out, const char *path, const char *cpu_level,
                             limn_error *err)
{
    limn_model_file file = { 0 };
    limn_cpu_level level;
    LIMN_TRY(limn_cpu_level_parse(&level, cpu_level, err));
    LIMN_TRY(limn_model_file_open(&file, path, err));
    const limn_status status = open_file(out, &file, level, err);
    if (status != LIMN_OK) limn_error_prefix(err, "%s", path);
    return status;
}

static limn_status open_bytes(limn_model **out, const void *bytes, size_t size,
                              const char *cpu_level, limn_error *err)
{
    limn_model_file file = { 0 };
    limn_cpu_level level;
    LIMN_TRY(limn_cpu_level_parse(&level, cpu_level, err));
    LIMN_TRY(limn_model_file_open_memory(&file, bytes, size, err));
    return open_file(out, &file, level, err);
}

limn_status limn_model_open(limn_model **out, const char *path, const char *cpu_level,
                            limn_error *err)
{
    if (!out) return limn_fail(err, LIMN_E_ARG, "out: NULL");
    *out = NULL;
    if (!path) return limn_fail(err, LIMN_E_ARG, "path: NULL");
    const limn_float_env env = limn_float_env_enter(); /* numbers in JSON are rounded too */
    const limn_status status = open_path(out, path, cpu_level, err);
    limn_float_env_leave(&env);
    return status;
}

limn_status limn_model_open_memory(limn_model **out, const void *bytes, size_t size,
                                   const char *cpu_level, limn_error *err)
{
    if (!out) return limn_fail(err, LIMN_E_ARG, "out: NULL");
    *out = NULL;
    if (!bytes) return limn_fail(err, LIMN_E_ARG, "bytes: NULL");
    const limn_float_env env = limn_float_env_enter();
    const limn_status status = open_bytes(out, bytes, size, cpu_level, err);
    limn_float_env_leave(&env);
    return status;
}

/* ---- ensembles ---------------------------------------------------------------------------- */

static limn_status check_same_vocabulary(const limn_model *a, const limn_model *b, limn_error *err)
{
    const size_t n = limn_vocab_n_tokens(a->vocab), n_other = limn_vocab_n_tokens(b->vocab);
    if (n != n_other)
        return limn_fail(err, LIMN_E_ARG,
                         "has a vocabulary of %zu tokens, the first model has %zu: models of an "
                         "ensemble must share their vocabulary",
                         n_other, n);
    if (limn_vocab_tokenizer(a->vocab) != limn_vocab_tokenizer(b->vocab) ||
        !limn_specials_equal(limn_vocab_specials(a->vocab), limn_vocab_specials(b->vocab)))
        return limn_fail(err, LIMN_E_ARG,
                         "has other special tokens or another tokenizer than the first model: "
                         "models of an ensemble must share them");
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(limn_vocab_text(a->vocab, i), limn_vocab_text(b->vocab, i)) != 0)
            return limn_fail(err, LIMN_E_ARG,
                             "has '%s' as token %u, the first model has '%s': models of an "
                             "ensemble must share their vocabulary",
                             limn_vocab_text(b->vocab, i), i, limn_vocab_text(a->vocab, i));
    return LIMN_OK;
}

static limn_status open_others(limn_model *m, const char *const *paths, size_t n,
                               const char *cpu_level, limn_error *err)
{
    m->others = limn_calloc(n, sizeof *m->others);
    if (!m->others) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu models", n);
    for (size_t i = 0; i < n; i++) {
        LIMN_TRY(limn_model_open(&m->others[i], paths[i], cpu_level, err));
        m->n_others++;
        const limn_status s = check_same_vocabulary(m, m->others[i], err);
        if (s != LIMN_OK) {
            limn_error_prefix(err, "%s", paths[i]);
            return s;
        }
        const uint32_t max_positions = m->others[i]->config.decoder.max_positions;
        if (m->config.max_steps > max_positions) m->config.max_steps = max_positions;
    }
    limn_input_plan plan;
    return limn_model_input_plan(&plan, m, 0, err);
}

limn_status limn_model_open_ensemble(limn_model **out, const char *const *paths, size_t n_paths,
                                     const char *cpu_level, limn_error *err)
{
    if (!out) return limn_fail(err, LIMN_E_ARG, "out: NULL");
    *out = NULL;
    if (n_paths < 1 || !paths) return limn_fail(err, LIMN_E_ARG, "no model given");
    LIMN_TRY(limn_model_open(out, paths[0], cpu_level, err));
    if (n_paths == 1) return LIMN_OK;
    const limn_status status = open_others(*out, paths + 1, n_paths - 1, cpu_level, err);
    if (status != LIMN_OK) limn_model_close(out);
    return status;
}

const limn_model *limn_model_member(const limn_model *m, size_t i)
{
    return i == 0 ? m : i <= m->n_others ? m->others[i - 1] : NULL;
}

limn_status limn_model_input_plan(limn_input_plan *out, const limn_model *m, uint64_t max_pixels,
                                  limn_error *err)
{
    *out = (limn_input_plan){ 0 };
    for (size_t i = 0; limn_model_member(m, i); i++) {
        const limn_encoder_input_settings input =
            limn_model_input_settings(limn_model_member(m, i), max_pixels);
        LIMN_TRY(limn_input_plan_add(out, &input, err));
    }
    return LIMN_OK;
}

size_t limn_model_input_offset(const limn_model *m, size_t i)
{
    const limn_model *member = limn_model_member(m, i);
    limn_input_plan plan;
    (void)limn_model_input_plan(&plan, m, 0, NULL); /* checked when it was opened */
    return member ? limn_input_plan_offset(&plan, &member->config.encoder.input)
                  : limn_input_plan_bytes(&plan);
}

/* ---- all ---------------------------------------------------------------------------------- */

void limn_model_close(limn_model **model)
{
    limn_model *m = model ? *model : NULL;
    if (!m) return;
    for (size_t i = 0; i < m->n_others; i++) limn_model_close(&m->others[i]);
    limn_free(m->others);
    limn_encoder_close(&m->encoder);
    limn_decoder_close(&m->decoder);
    limn_document_frequencies_destroy(&m->frequencies);
    limn_tagger_close(&m->tagger);
    limn_vocab_destroy(&m->vocab);
    limn_free(m);
    *model = NULL;
}

size_t limn_model_own_features(const limn_model *m)
{
    return limn_encoder_n_positions(m->encoder) * limn_encoder_dim(m->encoder);
}

size_t limn_model_n_features(const limn_model *m)
{
    size_t n = 0;
    for (size_t i = 0; limn_model_member(m, i); i++)
        n += limn_model_own_features(limn_model_member(m, i));
    return n;
}

static limn_model_info info_of(const limn_model *m)
{
    const limn_feature_shape shape = limn_encoder_feature_shape(&m->config.encoder);
    return (limn_model_info){
        .input_width = m->config.encoder.input.width,
        .input_height = m->config.encoder.input.height,
        .n_tokens = m->config.decoder.n_tokens,
        .max_words = m->config.max_steps,
        .length_penalty = m->config.length_penalty,
        .n_layers = m->config.decoder.n_layers,
        .n_heads = m->config.decoder.n_heads,
        .n_prefix = (uint32_t)shape.n_prefix,
        .grid_width = (uint32_t)shape.grid_width,
        .grid_height = (uint32_t)shape.grid_height,
        .encoder = m->config.encoder.family,
        .cpu_level = limn_cpu_level_name(m->kernels.level),
        .n_models = (uint32_t)(1 + m->n_others),
        .input_bytes = limn_model_input_offset(m, 1 + m->n_others),
        .n_reference_images =
            m->frequencies ? limn_document_frequencies_n_images(m->frequencies) : 0,
        .n_tags = m->tagger ? (uint32_t)limn_tagger_n_tags(m->tagger) : 0,
        .has_confidence = m->has_confidence,
        .n_features = limn_model_n_features(m),
        .feature_dim = (uint32_t)limn_encoder_dim(m->encoder),
        .shorter_side = m->config.encoder.input.shorter_side,
    };
}

void limn_model_read_info(const limn_model *m, limn_model_info *info, size_t size)
{
    if (!info) return;
    memset(info, 0, size);
    if (!m) return;
    const limn_model_info all = info_of(m);
    memcpy(info, &all, size < sizeof all ? size : sizeof all);
}

limn_encoder_input_settings limn_model_input_settings(const limn_model *m, uint64_t max_pixels)
{
    return (limn_encoder_input_settings){ m->config.encoder.input, max_pixels };
}

void limn_model_log_probs(const limn_model *m, float *logits, size_t n_rows)
{
    const size_t n = m->config.decoder.n_tokens;
    for (size_t r = 0; r < n_rows; r++) {
        float *row = logits + r * n;
        limn_specials_forbid(&m->config.decoder.specials, row, -INFINITY);
        const float log_sum = limn_decoder_log_sum_exp(m->decoder, row);
        for (size_t t = 0; t < n; t++) row[t] -= log_sum;
    }
}

uint32_t limn_model_find(const limn_model *m, const char *word)
{
    if (!m || !word) return LIMN_UNKNOWN_TOKEN;
    const uint32_t id = limn_vocab_find(m->vocab, word, strlen(word));
    const limn_specials *specials = limn_vocab_specials(m->vocab);
    const bool is_word = id != LIMN_NO_TOKEN && !limn_specials_is_silent(specials, id);
    return is_word ? id : LIMN_UNKNOWN_TOKEN;
}

bool limn_model_knows(const limn_model *m, const char *text)
{
    limn_user_words words = { 0 };
    if (!m || !text) return false;
    const limn_status s = limn_user_words_add(&words, m->vocab, "", text, strlen(text), NULL);
    limn_user_words_finish(&words);
    return s == LIMN_OK;
}

const char *limn_model_token(const limn_model *m, uint32_t id)
{
    return m && id < limn_vocab_n_tokens(m->vocab) ? limn_vocab_text(m->vocab, id) : NULL;
}

const char *limn_version(void)
{
    return LIMN_VERSION;
}

uint32_t limn_api_version(void)
{
    return LIMN_API_VERSION;
}

const char *const *limn_cpu_levels(void)
{
    return limn_cpu_level_names();
}
