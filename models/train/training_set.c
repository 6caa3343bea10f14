#include "models/train/training_set.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/text/caption_tokens.h"

/* A caption that is kept. */
typedef struct kept_caption {
    uint32_t image; /* of those wanted */
    size_t text;    /* offset in builder.texts */
    size_t first_token, n_tokens;
} kept_caption;

typedef struct builder {
    const limn_training_set_settings *settings;
    limn_training_set *set;
    limn_image_names own; /* of the captions, when the settings name none */
    const limn_image_names *wanted;
    bool *is_mentioned; /* [count of wanted] */
    limn_caption_tokenizer tokenizer;
    kept_caption *kept; /* [n_kept] in the order of the file */
    size_t n_kept, kept_capacity;
    uint32_t *tokens;
    size_t n_tokens, tokens_capacity;
    limn_text texts;    /* each with a NUL */
    size_t *first_kept; /* [count of wanted + 1] of each image, in the set's order of captions */
} builder;

static limn_status out_of_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
}

static limn_status count(limn_training_count *c, const char *name, limn_error *err)
{
    if (c->n < LIMN_TRAINING_N_NAMED) {
        c->first[c->n] = limn_strdup(name);
        if (!c->first[c->n]) return out_of_memory(err);
    }
    c->n++;
    return LIMN_OK;
}

static void finish_count(limn_training_count *c)
{
    for (size_t i = 0; i < LIMN_TRAINING_N_NAMED; i++) limn_free(c->first[i]);
}

/* ---- captions ------------------------------------------------------------------------------ */

static size_t n_words(const char *text)
{
    size_t n = *text != '\0';
    for (; *text; text++) n += *text == ' ';
    return n;
}

static limn_status add_tokens(builder *b, const char *text, size_t n, limn_error *err)
{
    if (!limn_grow((void **)&b->tokens, &b->tokens_capacity, b->n_tokens + n, sizeof *b->tokens))
        return out_of_memory(err);
    limn_vocab_encode(b->tokens + b->n_tokens, n, b->settings->vocab, text);
    for (size_t i = 0; i < n; i++)
        b->set->n_unknown +=
            b->tokens[b->n_tokens + i] == limn_vocab_specials(b->settings->vocab)->unknown;
    b->n_tokens += n;
    return LIMN_OK;
}

static limn_status keep(builder *b, uint32_t image, const char *text, size_t n, limn_error *err)
{
    const kept_caption caption = { image, b->texts.size, b->n_tokens, n };
    LIMN_TRY(add_tokens(b, text, n, err));
    LIMN_TRY(limn_text_append(&b->texts, text, strlen(text) + 1, err));
    if (!limn_grow((void **)&b->kept, &b->kept_capacity, b->n_kept + 1, sizeof *b->kept))
        return out_of_memory(err);
    b->kept[b->n_kept++] = caption;
    return LIMN_OK;
}

static limn_status add_record(builder *b, const limn_caption_record *record, limn_error *err)
{
    limn_training_report *report = &b->set->report;
    const uint32_t image = limn_image_names_find_record(b->wanted, record);
    const char *text = "";
    if (image == LIMN_NO_IMAGE) return count(&report->unlisted, record->id, err);
    b->is_mentioned[image] = true;
    if (record->is_rejected) return LIMN_OK; /* the reader has counted it */
    if (record->caption)
        LIMN_TRY(limn_vocab_tokenize(&text, &b->tokenizer, b->settings->vocab, record->caption,
                                     strlen(record->caption), err));
    const size_t n = n_words(text);
    if (n == 0) return count(&report->empty, limn_image_names_get(b->wanted, image), err);
    if (n > b->settings->max_words)
        return count(&report->too_long, limn_image_names_get(b->wanted, image), err);
    return keep(b, image, text, n, err);
}

static limn_status add_records(builder *b, const limn_caption_file *captions, limn_error *err)
{
    for (size_t i = 0; i < captions->n_records; i++)
        LIMN_TRY(add_record(b, &captions->records[i], err));
    return LIMN_OK;
}

/* ---- images ------------------------------------------------------------------------------ */

static limn_status choose_names(builder *b, const limn_caption_file *captions, limn_error *err)
{
    b->wanted = b->settings->names;
    if (!b->wanted) {
        LIMN_TRY(limn_image_names_add_captions(&b->own, captions, err));
        b->wanted = &b->own;
    }
    const size_t n = limn_image_names_count(b->wanted);
    b->is_mentioned = limn_calloc(n, sizeof *b->is_mentioned);
    b->first_kept = limn_calloc(n + 1, sizeof *b->first_kept);
    return b->is_mentioned && b->first_kept ? LIMN_OK : out_of_memory(err);
}

static limn_status check_list(const builder *b, limn_error *err)
{
    const size_t n = limn_image_names_count(b->wanted);
    for (size_t i = 0; b->settings->list && i < n; i++)
        if (!b->is_mentioned[i])
            return limn_fail(err, LIMN_E_ARG, "%s: %s has no caption in the caption file",
                             b->settings->list, limn_image_names_get(b->wanted, i));
    return LIMN_OK;
}

static limn_status check_rest(const builder *b, limn_error *err)
{
    const limn_training_report *r = &b->set->report;
    if (b->n_kept > 0) return LIMN_OK;
    return limn_fail(err, LIMN_E_FORMAT,
                     "no captions left; left out: %zu of unlisted images, %zu without words, "
                     "longer than %zu words: %zu",
                     r->unlisted.n, r->empty.n, b->settings->max_words, r->too_long.n);
}

/* The images that have captions, and where these begin; first_kept of all that were wanted. */
static limn_status place_images(builder *b, limn_error *err)
{
    limn_training_set *set = b->set;
    const size_t n = limn_image_names_count(b->wanted);
    set->first_captions = limn_alloc(n + 1, sizeof *set->first_captions);
    if (!set->first_captions) return out_of_memory(err);
    for (size_t i = 0; i < b->n_kept; i++) b->first_kept[b->kept[i].image + 1]++;
    for (size_t i = 0; i < n; i++) {
        const char *name = limn_image_names_get(b->wanted, i);
        const bool has_captions = b->first_kept[i + 1] > 0;
        b->first_kept[i + 1] += b->first_kept[i];
        LIMN_TRY(has_captions ? limn_image_names_add(&set->names, name, err)
                              : count(&set->report.without, name, err));
        if (has_captions) set->first_captions[set->n_images++] = b->first_kept[i];
    }
    set->first_captions[set->n_images] = b->n_kept;
    return LIMN_OK;
}

/* ---- the set ------------------------------------------------------------------------------- */

static limn_status allocate(builder *b, limn_error *err)
{
    limn_training_set *set = b->set;
    set->n_captions = b->n_kept;
    set->n_words = b->n_tokens;
    set->offsets = limn_calloc(b->n_kept + 1, sizeof *set->offsets);
    set->tokens = limn_alloc(b->n_tokens, sizeof *set->tokens);
    set->texts = limn_calloc(b->n_kept, sizeof *set->texts);
    return set->offsets && set->tokens && set->texts ? LIMN_OK : out_of_memory(err);
}

/* Moves captions to their places. first_kept advances: afterwards it is where the next image's
 * begin. */
static limn_status place_captions(builder *b, limn_error *err)
{
    limn_training_set *set = b->set;
    size_t *source = limn_alloc(b->n_kept, sizeof *source);
    if (!source) return out_of_memory(err);
    for (size_t i = 0; i < b->n_kept; i++) source[b->first_kept[b->kept[i].image]++] = i;
    for (size_t c = 0; c < b->n_kept; c++) {
        const kept_caption *caption = &b->kept[source[c]];
        memcpy(set->tokens + set->offsets[c], b->tokens + caption->first_token,
               caption->n_tokens * sizeof *set->tokens);
        set->offsets[c + 1] = set->offsets[c] + caption->n_tokens;
        set->texts[c] = b->texts.bytes + caption->text;
    }
    set->text_block = b->texts.bytes;
    b->texts = (limn_text){ 0 };
    limn_free(source);
    return LIMN_OK;
}

static limn_status build(builder *b, const limn_caption_file *captions, limn_error *err)
{
    if (b->settings->max_words == 0) return limn_fail(err, LIMN_E_ARG, "max_words is 0");
    LIMN_TRY(choose_names(b, captions, err));
    LIMN_TRY(add_records(b, captions, err));
    LIMN_TRY(check_list(b, err));
    LIMN_TRY(check_rest(b, err));
    LIMN_TRY(place_images(b, err));
    LIMN_TRY(allocate(b, err));
    return place_captions(b, err);
}

limn_status limn_training_set_create(limn_training_set *out, const limn_caption_file *captions,
                                     const limn_training_set_settings *settings, limn_error *err)
{
    builder b = { .settings = settings, .set = out };
    *out = (limn_training_set){ 0 };
    const limn_status s = build(&b, captions, err);
    limn_image_names_finish(&b.own);
    limn_caption_tokenizer_finish(&b.tokenizer);
    limn_free(b.is_mentioned);
    limn_free(b.first_kept);
    limn_free(b.kept);
    limn_free(b.tokens);
    limn_text_finish(&b.texts);
    if (s != LIMN_OK) limn_training_set_finish(out);
    return s;
}

limn_status limn_training_set_read_text(limn_training_set *out, const char *path,
                                        const limn_training_set_settings *settings, limn_error *err)
{
    const limn_caption_reading how = { .keep_rejected = settings->keep_rejected,
                                       .may_be_plain = true };
    limn_caption_file captions;
    *out = (limn_training_set){ 0 };
    LIMN_TRY(limn_caption_file_read(&captions, path, &how, err));
    const limn_status s = limn_training_set_create(out, &captions, settings, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    limn_caption_file_finish(&captions);
    return s;
}

void limn_training_set_finish(limn_training_set *set)
{
    limn_image_names_finish(&set->names);
    finish_count(&set->report.empty);
    finish_count(&set->report.too_long);
    finish_count(&set->report.unlisted);
    finish_count(&set->report.without);
    limn_free(set->first_captions);
    limn_free(set->offsets);
    limn_free(set->tokens);
    limn_free((void *)set->texts);
    limn_free(set->text_block);
    *set = (limn_training_set){ 0 };
}

const char *limn_training_set_name(const limn_training_set *set, size_t image)
{
    return limn_image_names_get(&set->names, image);
}
