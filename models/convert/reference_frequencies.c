#include "models/convert/reference_frequencies.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/captions.h"
#include "common/text/ptb_tokenizer.h"
#include "common/text/string_table.h"
#include "common/io/image_list.h"

/* A caption of a file: whose it is, and which it is. */
typedef struct reference {
    const limn_caption_record *record;
    uint32_t image; /* number of its id */
} reference;

typedef struct counter {
    limn_image_list *only;
    limn_string_table words;
    limn_ptb ptb;
    limn_cider_df *df;
    limn_ngram_counts_list counts; /* of one image's captions */
    limn_buffer numbers;           /* uint32_t: words of one image's captions */
    limn_sentence *sentences;      /* [n_sentences] */
    size_t n_sentences, capacity;
} counter;

static void finish(counter *c)
{
    limn_image_list_destroy(&c->only);
    limn_string_table_finish(&c->words);
    limn_ptb_finish(&c->ptb);
    limn_cider_df_destroy(&c->df);
    limn_ngram_counts_list_finish(&c->counts);
    limn_buffer_finish(&c->numbers);
    limn_free(c->sentences);
}

static limn_status add_word(counter *c, const char *word, size_t size, limn_error *err)
{
    uint32_t number;
    LIMN_TRY(limn_string_table_add(&number, &c->words, word, size, err));
    limn_buffer_append(&c->numbers, &number, sizeof number);
    return c->numbers.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

/* Another caption of the image at hand; `words` is set when all are there. */
static limn_status add_caption(counter *c, const char *caption, limn_error *err)
{
    const char *tokens;
    const size_t n_before = c->numbers.size / sizeof(uint32_t);
    LIMN_TRY(limn_ptb_tokenize(&tokens, &c->ptb, caption, strlen(caption),
                               LIMN_PTB_DROP_PUNCTUATION, err));
    while (*tokens) {
        const size_t size = strcspn(tokens, " ");
        LIMN_TRY(add_word(c, tokens, size, err));
        tokens += size + (tokens[size] == ' ');
    }
    if (!limn_grow((void **)&c->sentences, &c->capacity, c->n_sentences + 1, sizeof *c->sentences))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    c->sentences[c->n_sentences++] =
        (limn_sentence){ NULL, c->numbers.size / sizeof(uint32_t) - n_before };
    return LIMN_OK;
}

/* The captions [n] of one image. */
static limn_status count_image(counter *c, const reference *references, size_t n, limn_error *err)
{
    c->n_sentences = 0;
    limn_buffer_clear(&c->numbers);
    for (size_t i = 0; i < n; i++) LIMN_TRY(add_caption(c, references[i].record->caption, err));
    const uint32_t *words = (const void *)c->numbers.bytes;
    for (size_t i = 0; i < n; words += c->sentences[i++].n_words) c->sentences[i].words = words;
    LIMN_TRY(limn_ngram_counts_list_fill(&c->counts, c->sentences, n, err));
    return limn_cider_df_add(c->df, c->counts.items, n, err);
}

static int by_image(const void *a, const void *b)
{
    const reference *x = a, *y = b;
    return (x->image > y->image) - (x->image < y->image);
}

static limn_status count_images(counter *c, reference *references, size_t n, limn_error *err)
{
    qsort(references, n, sizeof *references, by_image);
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        while (end < n && references[end].image == references[begin].image) end++;
        LIMN_TRY(count_image(c, references + begin, end - begin, err));
    }
    return LIMN_OK;
}

/* The records of a file whose images count, with the numbers of their ids. */
static limn_status list_references(reference *out, size_t *n, const counter *c,
                                   const limn_caption_file *file, limn_error *err)
{
    limn_string_table ids = { 0 };
    limn_status status = LIMN_OK;
    *n = 0;
    for (size_t i = 0; i < file->n_records && status == LIMN_OK; i++) {
        const limn_caption_record *r = &file->records[i];
        if (!r->caption || (c->only && !limn_image_list_has(c->only, r->id, r->alias))) continue;
        out[*n].record = r;
        status = limn_string_table_add(&out[*n].image, &ids, r->id, strlen(r->id), err);
        ++*n;
    }
    limn_string_table_finish(&ids);
    return status;
}

static limn_status count_file(counter *c, const char *path, const limn_reference_settings *s,
                              limn_error *err)
{
    limn_caption_file file = { 0 };
    size_t n = 0;
    LIMN_TRY(s->read(&file, path, &s->how, err));
    reference *references = limn_alloc(file.n_records, sizeof *references);
    limn_status status = references ? list_references(references, &n, c, &file, err)
                                    : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (status == LIMN_OK) status = count_images(c, references, n, err);
    if (status == LIMN_OK && n == 0)
        status = limn_fail(err, LIMN_E_ARG, "%s: no captions of the selected images", path);
    limn_free(references);
    limn_caption_file_finish(&file);
    return status;
}

static const char *text_of(const void *words, uint32_t word)
{
    return limn_string_table_get(words, word);
}

static limn_status count_all(limn_document_frequencies **out, counter *c,
                             const limn_reference_settings *settings, limn_error *err)
{
    LIMN_TRY(limn_cider_df_create(&c->df, err));
    if (settings->only) LIMN_TRY(limn_image_list_read(&c->only, settings->only, err));
    for (size_t i = 0; i < settings->n_paths; i++)
        LIMN_TRY(count_file(c, settings->paths[i], settings, err));
    return limn_document_frequencies_create(out, c->df, text_of, &c->words, err);
}

limn_status limn_reference_frequencies_count(limn_document_frequencies **out,
                                             const limn_reference_settings *settings,
                                             limn_error *err)
{
    counter c = { 0 };
    *out = NULL;
    const limn_status status = count_all(out, &c, settings, err);
    finish(&c);
    return status;
}
