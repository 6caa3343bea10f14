#include "models/train/vocab_extend.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/params.h"
#include "decoder/decoder_grad.h"
#include "models/folded_channels.h"
#include "models/model_tensors.h"
#include "models/tag_heads.h"

#define EMBEDDING "decoder.token_embedding.weight"

/* rows [n_tokens, dim] as a decoder of that many tokens begins. */
static limn_status initial_rows(float *rows, size_t n_tokens, size_t dim, uint64_t seed,
                                limn_error *err)
{
    limn_params params = { 0 };
    limn_status s = limn_params_add(&params, EMBEDDING, 2, (size_t[]){ n_tokens, dim }, true, err);
    if (s == LIMN_OK) s = limn_params_allocate(&params, err);
    if (s == LIMN_OK) {
        limn_decoder_params_init(&params, seed);
        memcpy(rows, params.values, n_tokens * dim * sizeof *rows);
    }
    limn_params_finish(&params);
    return s;
}

/* The row of a tensor […, dim] as f32. */
static void read_row(float *out, const limn_tensor *t, size_t row, size_t dim)
{
    const size_t size = dim * limn_tensor_dtype_size(t->dtype);
    limn_tensor view = *t;
    view.n_dims = 1;
    view.shape[0] = dim;
    view.data = (const unsigned char *)t->data + row * size;
    view.size = size;
    limn_tensor_to_f32(out, &view);
}

/* The token's number in the old vocabulary; false when it is new. */
static bool find_old(uint32_t *id, const limn_vocab *old, const limn_vocab *vocab, uint32_t token)
{
    const char *text = limn_vocab_text(vocab, token);
    *id = limn_vocab_find(old, text, strlen(text));
    return *id != limn_vocab_specials(old)->unknown || token == limn_vocab_specials(vocab)->unknown;
}

limn_status limn_vocab_extend_rows(float *rows, size_t *n_kept, const limn_model_file *old,
                                   const limn_vocab *vocab, uint64_t seed, limn_error *err)
{
    const size_t dim = old->config.decoder.dim, n_tokens = limn_vocab_n_tokens(vocab);
    const limn_tensor *embedding;
    *n_kept = 0;
    if (!old->config.has_decoder)
        return limn_fail(err, LIMN_E_ARG, "an encoder-only model has no vocabulary");
    LIMN_TRY(limn_safetensors_require(&embedding, old->tensors, EMBEDDING, 2,
                                      (size_t[]){ old->config.decoder.n_tokens, dim }, err));
    LIMN_TRY(initial_rows(rows, n_tokens, dim, seed, err));
    for (uint32_t i = 0; i < n_tokens; i++) {
        uint32_t id;
        if (find_old(&id, old->vocab, vocab, i)) {
            read_row(rows + i * dim, embedding, id, dim);
            ++*n_kept;
        }
    }
    return LIMN_OK;
}

/* The tensors of the new model: the old ones, except the embedding. */
static limn_status list_tensors(limn_tensor *tensors, const limn_tensor_spec *specs, size_t n,
                                const limn_safetensors *old, const float *rows, limn_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const limn_tensor_spec *s = &specs[i];
        const limn_tensor *t;
        if (strcmp(s->name, EMBEDDING) == 0) {
            tensors[i] = (limn_tensor){ .name = s->name,
                                        .dtype = LIMN_TENSOR_F32,
                                        .n_dims = 2,
                                        .shape = { s->shape[0], s->shape[1] },
                                        .data = rows,
                                        .size = s->shape[0] * s->shape[1] * sizeof *rows };
        } else {
            LIMN_TRY(limn_safetensors_require(&t, old, s->name, s->n_dims, s->shape, err));
            tensors[i] = *t;
        }
    }
    return LIMN_OK;
}

/* Writes tensors [n], after which there is room for those of the old model's tags, with these and
 * its note of folded channels. */
static limn_status write_with_tags(const char *path, const limn_model_file *old,
                                   const limn_model_config *config, const limn_vocab *vocab,
                                   limn_tensor *tensors, size_t n, limn_error *err)
{
    limn_tag_heads heads;
    limn_folded_channels folded;
    char text[LIMN_FOLDED_TEXT_SIZE];
    limn_metadata_item items[2];
    limn_status s = LIMN_OK;
    LIMN_TRY(limn_folded_channels_read(&folded, old->tensors, err));
    LIMN_TRY(limn_tag_heads_read(&heads, old->tensors, config->decoder.memory_dim, err));
    size_t n_items = limn_folded_channels_metadata(items, text, &folded);
    n += limn_tag_heads_tensors(&heads, tensors + n);
    if (heads.n_items > 0) s = limn_tag_heads_metadata(&heads, &items[n_items++], err);
    if (s == LIMN_OK)
        s = limn_model_file_write(path, config, vocab, tensors, n, items, n_items, err);
    limn_tag_heads_finish(&heads);
    return s;
}

static limn_status write_model(const char *path, const limn_model_file *old,
                               const limn_model_config *config, const limn_vocab *vocab,
                               const float *rows, limn_error *err)
{
    enum { MAX_OF_TAGS = LIMN_TAGS_MAX_HEADS * LIMN_TAGS_MAX_TENSORS };
    limn_tensor_spec *specs = NULL;
    limn_tensor *tensors = NULL;
    size_t n;
    limn_status s = limn_model_tensor_specs(&specs, &n, config, err);
    if (s == LIMN_OK && !(tensors = limn_calloc(n + MAX_OF_TAGS, sizeof *tensors)))
        s = limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", n);
    if (s == LIMN_OK) s = list_tensors(tensors, specs, n, old->tensors, rows, err);
    if (s == LIMN_OK) s = write_with_tags(path, old, config, vocab, tensors, n, err);
    limn_free(tensors);
    limn_free(specs);
    return s;
}

limn_status limn_vocab_extend_model(const char *path, size_t *n_kept, const limn_model_file *old,
                                    const limn_vocab *vocab, uint64_t seed, limn_error *err)
{
    limn_model_config config = old->config;
    const size_t n_tokens = limn_vocab_n_tokens(vocab);
    float *rows = limn_alloc(n_tokens, config.decoder.dim * sizeof *rows);
    limn_status s;
    if (!rows) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tokens", n_tokens);
    config.decoder.n_tokens = (uint32_t)n_tokens;
    s = limn_vocab_extend_rows(rows, n_kept, old, vocab, seed, err);
    if (s == LIMN_OK) s = write_model(path, old, &config, vocab, rows, err);
    limn_free(rows);
    return s;
}
