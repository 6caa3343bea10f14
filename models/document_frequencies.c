#include "models/document_frequencies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"

#define HASHES LIMN_DOCUMENT_FREQUENCIES_PREFIX "hashes"
#define COUNTS LIMN_DOCUMENT_FREQUENCIES_PREFIX "counts"

struct limn_document_frequencies {
    uint64_t *hashes; /* [n_ngrams], increasing */
    uint32_t *counts; /* [n_ngrams], 2 … n_images */
    size_t n_ngrams;
    uint32_t n_images;
    char metadata[32];
};

static limn_status allocate(limn_document_frequencies **out, size_t n_ngrams, uint32_t n_images,
                            limn_error *err)
{
    limn_document_frequencies *f = limn_calloc(1, sizeof *f);
    *out = f;
    if (f) {
        f->hashes = limn_alloc(n_ngrams, sizeof *f->hashes);
        f->counts = limn_alloc(n_ngrams, sizeof *f->counts);
        f->n_ngrams = n_ngrams;
        f->n_images = n_images;
        snprintf(f->metadata, sizeof f->metadata, "{\"pictures\": %u}", n_images);
    }
    if (f && f->hashes && f->counts) return LIMN_OK;
    limn_document_frequencies_destroy(out);
    return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu document frequencies", n_ngrams);
}

void limn_document_frequencies_destroy(limn_document_frequencies **f)
{
    if (!f || !*f) return;
    limn_free((*f)->hashes);
    limn_free((*f)->counts);
    limn_free(*f);
    *f = NULL;
}

uint32_t limn_document_frequencies_n_images(const limn_document_frequencies *f)
{
    return f->n_images;
}

size_t limn_document_frequencies_n_ngrams(const limn_document_frequencies *f)
{
    return f->n_ngrams;
}

/* ---- hashes ------------------------------------------------------------------------------- */

/* The hash of an n-gram whose words before this one have `hash`. */
static uint64_t add_word(uint64_t hash, size_t position, const char *word)
{
    if (position > 0) hash = limn_fnv1a64(hash, " ", 1);
    return limn_fnv1a64(hash, word, strlen(word));
}

uint32_t limn_document_frequencies_find(const limn_document_frequencies *f,
                                        const char *const *words, size_t n_words)
{
    uint64_t hash = LIMN_FNV1A64_INIT;
    size_t low = 0, high = f->n_ngrams;
    for (size_t i = 0; i < n_words; i++) hash = add_word(hash, i, words[i]);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (f->hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < f->n_ngrams && f->hashes[low] == hash ? f->counts[low] : 1;
}

/* ---- from counts -------------------------------------------------------------------------- */

typedef struct counted {
    uint64_t hash;
    uint32_t count;
} counted;

static int compare_counted(const void *a, const void *b)
{
    const counted *x = a, *y = b;
    return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash)
                              : (x->count < y->count) - (x->count > y->count);
}

static uint64_t hash_of(const limn_ngram *ngram, limn_word_text_fn *text, const void *words)
{
    uint64_t hash = LIMN_FNV1A64_INIT;
    for (size_t i = 0; i < LIMN_NGRAM_MAX_ORDER && ngram->words[i] != LIMN_NO_WORD; i++)
        hash = add_word(hash, i, text(words, ngram->words[i]));
    return hash;
}

/* Sorts; of n-grams with the same hash the most frequent stays. Returns how many are left. */
static size_t sort_counted(counted *items, size_t n)
{
    size_t n_kept = 0;
    qsort(items, n, sizeof *items, compare_counted);
    for (size_t i = 0; i < n; i++)
        if (n_kept == 0 || items[i].hash != items[n_kept - 1].hash) items[n_kept++] = items[i];
    return n_kept;
}

limn_status limn_document_frequencies_create(limn_document_frequencies **out,
                                             const limn_cider_df *df, limn_word_text_fn *text,
                                             const void *words, limn_error *err)
{
    const limn_ngram_table *table = limn_cider_df_ngrams(df);
    const uint32_t n_images = limn_cider_df_n_images(df);
    size_t n = 0;
    *out = NULL;
    if (n_images == 0) return limn_fail(err, LIMN_E_ARG, "no image has references");
    counted *items = limn_alloc(table->n_ngrams, sizeof *items);
    if (!items) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu n-grams", table->n_ngrams);
    for (size_t i = 0; i < table->n_ngrams; i++)
        if (table->entries[i].count > 1)
            items[n++] = (counted){ hash_of(&table->entries[i].ngram, text, words),
                                    table->entries[i].count };
    n = sort_counted(items, n);
    const limn_status status = allocate(out, n, n_images, err);
    for (size_t i = 0; i < n && status == LIMN_OK; i++) {
        (*out)->hashes[i] = items[i].hash;
        (*out)->counts[i] = items[i].count;
    }
    limn_free(items);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------ */

static limn_status read_n_images(uint32_t *out, const char *text, limn_error *err)
{
    json_t *document = NULL;
    limn_status status = limn_json_parse(&document, text, strlen(text), err);
    if (status == LIMN_OK) {
        const limn_json_node root = limn_json_root(document);
        status = limn_json_as_object(&root, err);
        if (status == LIMN_OK) status = limn_json_u32(out, &root, "pictures", 1, UINT32_MAX, err);
    }
    json_decref(document);
    if (status != LIMN_OK) limn_error_prefix(err, LIMN_DOCUMENT_FREQUENCIES_KEY);
    return status;
}

static limn_status find_tensor(const limn_tensor **out, const limn_safetensors *file,
                               const char *name, limn_tensor_dtype dtype, limn_error *err)
{
    const limn_tensor *t = limn_safetensors_find(file, name);
    char is[160];
    if (!t)
        return limn_fail(
            err, LIMN_E_FORMAT,
            "tensor %s is missing, but the metadata have " LIMN_DOCUMENT_FREQUENCIES_KEY, name);
    limn_tensor_describe(is, sizeof is, t->dtype, t->n_dims, t->shape);
    if (t->dtype != dtype || t->n_dims != 1)
        return limn_fail(err, LIMN_E_FORMAT, "tensor %s is %s, expected %s of one dimension", name,
                         is, limn_tensor_dtype_name(dtype));
    *out = t;
    return LIMN_OK;
}

static limn_status check_values(const limn_document_frequencies *f, limn_error *err)
{
    for (size_t i = 0; i < f->n_ngrams; i++) {
        if (i > 0 && f->hashes[i] <= f->hashes[i - 1])
            return limn_fail(err, LIMN_E_FORMAT,
                             "tensor " HASHES ": value %zu is not above the "
                             "one before it",
                             i);
        if (f->counts[i] < 1 || f->counts[i] > f->n_images)
            return limn_fail(err, LIMN_E_FORMAT,
                             "tensor " COUNTS ": value %zu is %u, not in "
                             "1 … %u, the images",
                             i, f->counts[i], f->n_images);
    }
    return LIMN_OK;
}

limn_status limn_document_frequencies_read(limn_document_frequencies **out,
                                           const limn_safetensors *file, limn_error *err)
{
    const char *text = limn_safetensors_metadata(file, LIMN_DOCUMENT_FREQUENCIES_KEY);
    const limn_tensor *hashes, *counts;
    uint32_t n_images;
    *out = NULL;
    if (!text) return LIMN_OK;
    LIMN_TRY(read_n_images(&n_images, text, err));
    LIMN_TRY(find_tensor(&hashes, file, HASHES, LIMN_TENSOR_U64, err));
    LIMN_TRY(find_tensor(&counts, file, COUNTS, LIMN_TENSOR_U32, err));
    if (hashes->shape[0] != counts->shape[0])
        return limn_fail(err, LIMN_E_FORMAT,
                         "tensor " COUNTS " has %zu values, but " HASHES " has %zu",
                         counts->shape[0], hashes->shape[0]);
    LIMN_TRY(limn_safetensors_fetch(file, hashes, err));
    LIMN_TRY(limn_safetensors_fetch(file, counts, err));
    LIMN_TRY(allocate(out, hashes->shape[0], n_images, err));
    memcpy((*out)->hashes, hashes->data, hashes->size);
    memcpy((*out)->counts, counts->data, counts->size);
    const limn_status status = check_values(*out, err);
    if (status != LIMN_OK) limn_document_frequencies_destroy(out);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------ */

size_t limn_document_frequencies_tensors(const limn_document_frequencies *f, limn_tensor *tensors)
{
    tensors[0] = (limn_tensor){ .name = HASHES,
                                .dtype = LIMN_TENSOR_U64,
                                .n_dims = 1,
                                .shape = { f->n_ngrams },
                                .data = f->hashes,
                                .size = f->n_ngrams * sizeof *f->hashes };
    tensors[1] = (limn_tensor){ .name = COUNTS,
                                .dtype = LIMN_TENSOR_U32,
                                .n_dims = 1,
                                .shape = { f->n_ngrams },
                                .data = f->counts,
                                .size = f->n_ngrams * sizeof *f->counts };
    return LIMN_DOCUMENT_FREQUENCIES_N_TENSORS;
}

limn_metadata_item limn_document_frequencies_metadata(const limn_document_frequencies *f)
{
    return (limn_metadata_item){ LIMN_DOCUMENT_FREQUENCIES_KEY, f->metadata };
}
