#include "common/text/plural.h"
#include "models/eval/eval.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/text/utf8.h"
#include "models/eval/eval_match.h"

/* Where a caption's text and numbers begin, while the buffers may still be reallocated. */
typedef struct caption_place {
    size_t text, words, tokens; /* offsets: bytes; numbers */
    size_t n_words, n_tokens;
} caption_place;

typedef struct builder {
    limn_eval_data *data;
    limn_eval_tokenizer tokenizer;
    caption_place *places; /* [n_places], of the references and then of the hypotheses */
    size_t n_places, capacity;
} builder;

static limn_status add_number(builder *b, const char *word, size_t size, limn_error *err)
{
    uint32_t number;
    LIMN_TRY(limn_string_table_add(&number, &b->data->strings, word, size, err));
    limn_buffer_append(&b->data->numbers, &number, sizeof number);
    return LIMN_OK;
}

static limn_status add_tokens(builder *b, caption_place *place, const char *text, limn_error *err)
{
    place->tokens = b->data->numbers.size / sizeof(uint32_t);
    for (const char *token = text; token;) {
        const size_t size = strcspn(token, " ");
        LIMN_TRY(add_number(b, token, size, err));
        place->n_tokens++;
        token = token[size] ? token + size + 1 : NULL;
    }
    return LIMN_OK;
}

/* Words are mostly the tokens, and then share their numbers. */
static limn_status add_words(builder *b, caption_place *place, const char *text, limn_error *err)
{
    const size_t before = b->data->numbers.size, first = place->tokens * sizeof(uint32_t);
    size_t size = strlen(text), word_size;
    const char *word;
    place->words = before / sizeof(uint32_t);
    while ((word = limn_utf8_next_word(&word_size, &text, &size))) {
        LIMN_TRY(add_number(b, word, word_size, err));
        place->n_words++;
    }
    const char *numbers = b->data->numbers.bytes;
    if (place->n_words == place->n_tokens && !b->data->numbers.has_failed &&
        memcmp(numbers + before, numbers + first, before - first) == 0) {
        b->data->numbers.size = before;
        place->words = place->tokens;
    }
    return LIMN_OK;
}

static limn_status add_caption(builder *b, const limn_caption_record *record, limn_error *err)
{
    const char *text;
    caption_place place = { .text = b->data->texts.size };
    limn_status status =
        b->tokenizer.kind->run(&text, &b->tokenizer, record->caption, strlen(record->caption), err);
    if (status == LIMN_OK) status = add_tokens(b, &place, text, err);
    if (status == LIMN_OK) status = add_words(b, &place, text, err);
    if (status != LIMN_OK) return limn_error_prefix(err, "%s", record->id), status;
    limn_buffer_append(&b->data->texts, text, strlen(text) + 1);
    if (!limn_grow((void **)&b->places, &b->capacity, b->n_places + 1, sizeof *b->places) ||
        b->data->texts.has_failed || b->data->numbers.has_failed)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
    b->places[b->n_places++] = place;
    return LIMN_OK;
}

/* The captions of the references, or of the hypotheses. */
typedef struct side {
    const limn_caption_file *file;
    uint32_t *image_of; /* [file->n_records], see eval_match.h */
    size_t *counts;     /* [n_images of the match] captions of each */
    bool *is_unfit;     /* [n_images of the match] has captions that are marked as unfit */
} side;

static limn_status count_captions(side *s, size_t n_images, limn_error *err)
{
    s->counts = limn_calloc(n_images, sizeof *s->counts);
    s->is_unfit = limn_calloc(n_images, sizeof *s->is_unfit);
    if (!s->counts || !s->is_unfit)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu images", n_images);
    for (size_t i = 0; i < s->file->n_records; i++) {
        const uint32_t image = s->image_of[i];
        if (image == LIMN_EVAL_NO_IMAGE) continue;
        s->counts[image] += s->file->records[i].caption != NULL;
        s->is_unfit[image] |= s->file->records[i].is_rejected;
    }
    return LIMN_OK;
}

/* Tokenises a side's captions of the images that are kept. first[image]: where its captions begin.
 */
static limn_status add_side(limn_eval_caption *out, builder *b, const side *s, size_t *first,
                            limn_error *err)
{
    const size_t n_places = b->n_places;
    size_t n_captions = 0;
    for (size_t i = 0; i < s->file->n_records; i++) {
        const limn_caption_record *r = &s->file->records[i];
        if (s->image_of[i] == LIMN_EVAL_NO_IMAGE || !r->caption ||
            first[s->image_of[i]] == SIZE_MAX)
            continue;
        const size_t at = first[s->image_of[i]]++;
        LIMN_TRY(add_caption(b, r, err));
        out[at].raw = r->caption;
        out[at].record = r;
        out[at].words.n_words = n_places + n_captions++; /* its place, for resolve() */
    }
    return LIMN_OK;
}

/* Replaces the places of captions by pointers, now that the buffers don't move. */
static void resolve(limn_eval_caption *captions, size_t n_captions, const builder *b)
{
    const uint32_t *numbers = (const uint32_t *)(const void *)b->data->numbers.bytes;
    for (size_t i = 0; i < n_captions; i++) {
        const caption_place *place = &b->places[captions[i].words.n_words];
        captions[i].text = b->data->texts.bytes + place->text;
        captions[i].words = (limn_sentence){ numbers + place->words, place->n_words };
        captions[i].tokens = (limn_sentence){ numbers + place->tokens, place->n_tokens };
    }
}

static limn_status add_name(limn_eval_names *names, const char *name, limn_error *err)
{
    if (!limn_grow((void **)&names->items, &names->capacity, names->n_items + 1,
                   sizeof *names->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    names->items[names->n_items++] = name;
    return LIMN_OK;
}

/* Which images are kept: first_ref and first_hyp [n_images of the match] are SIZE_MAX for others.
 */
static limn_status choose_images(limn_eval_data *data, size_t *first_ref, size_t *first_hyp,
                                 const limn_eval_match *match, const side *refs, const side *hyps,
                                 limn_error *err)
{
    for (size_t i = 0; i < match->n_images; i++) {
        const limn_eval_image image = { match->ids[i], data->n_refs, refs->counts[i], data->n_hyps,
                                        hyps->counts[i] };
        const bool is_kept = image.n_refs > 0 && image.n_hyps > 0;
        first_ref[i] = is_kept ? data->n_refs : SIZE_MAX;
        first_hyp[i] = is_kept ? data->n_hyps : SIZE_MAX;
        if (is_kept) {
            data->images[data->n_images++] = image;
            data->n_refs += image.n_refs;
            data->n_hyps += image.n_hyps;
        } else if (image.n_refs == 0 && refs->is_unfit[i]) {
            data->n_unfit++; /* there is nothing to compare with */
        } else {
            LIMN_TRY(add_name(image.n_refs > 0 ? &data->without_hyp : &data->without_ref, image.id,
                              err));
        }
    }
    for (size_t i = 0; i < hyps->file->n_records; i++)
        if (hyps->image_of[i] == LIMN_EVAL_NO_IMAGE &&
            (i == 0 || hyps->file->records[i].entry != hyps->file->records[i - 1].entry))
            LIMN_TRY(add_name(&data->without_ref, hyps->file->records[i].id, err));
    return LIMN_OK;
}

static limn_status fail_names(const limn_eval_data *data, const char *difference, limn_error *err)
{
    const limn_eval_names *hyp = &data->without_hyp, *ref = &data->without_ref;
    if (data->n_images == 0 && ref->n_items == 0)
        return hyp->n_items == 1
                   ? limn_fail(err, LIMN_E_ARG, "the image has no hypothesis")
                   : limn_fail(err, LIMN_E_ARG, "none of the %zu images has a hypothesis",
                               hyp->n_items);
    if (data->n_images == 0)
        return limn_fail(err, LIMN_E_ARG,
                         "no image is in both files: the references name \"%s\", the hypotheses "
                         "\"%s\"%s",
                         hyp->n_items > 0 ? hyp->items[0] : "", ref->items[0], difference);
    if (hyp->n_items > 0)
        return limn_fail(err, LIMN_E_ARG,
                         "%zu of %zu images %s no hypothesis, the first: \"%s\" "
                         "(--allow-missing leaves them out)%s",
                         hyp->n_items, data->n_images + hyp->n_items,
                         limn_plural(hyp->n_items, "has", "have"), hyp->items[0], difference);
    return limn_fail(err, LIMN_E_ARG,
                     "%zu %s a hypothesis but no reference, the first: \"%s\" "
                     "(--allow-missing leaves them out)",
                     ref->n_items, limn_plural(ref->n_items, "image has", "images have"),
                     ref->items[0]);
}

static limn_status check_names(const limn_eval_data *data, bool allow_missing, limn_error *err)
{
    const limn_eval_names *hyp = &data->without_hyp, *ref = &data->without_ref;
    limn_buffer difference = { 0 };
    if (data->n_images > 0 && (allow_missing || (hyp->n_items == 0 && ref->n_items == 0)))
        return LIMN_OK;
    limn_status status = limn_eval_match_explain(&difference, hyp->items, hyp->n_items, ref->items,
                                                 ref->n_items, err);
    if (status == LIMN_OK) status = fail_names(data, difference.bytes ? difference.bytes : "", err);
    limn_buffer_finish(&difference);
    return status;
}

static limn_status build(builder *b, const limn_eval_match *match, const side *refs,
                         const side *hyps, bool allow_missing, limn_error *err)
{
    limn_eval_data *data = b->data;
    size_t *first_ref = limn_alloc(match->n_images, sizeof *first_ref);
    size_t *first_hyp = limn_alloc(match->n_images, sizeof *first_hyp);
    limn_status status = LIMN_OK;
    data->images = limn_alloc(match->n_images, sizeof *data->images);
    data->refs = limn_alloc(refs->file->n_records, sizeof *data->refs);
    data->hyps = limn_alloc(hyps->file->n_records, sizeof *data->hyps);
    if (!first_ref || !first_hyp || !data->images || !data->refs || !data->hyps)
        status = limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu images", match->n_images);
    if (status == LIMN_OK)
        status = choose_images(data, first_ref, first_hyp, match, refs, hyps, err);
    if (status == LIMN_OK) status = check_names(data, allow_missing, err);
    if (status == LIMN_OK) status = add_side(data->refs, b, refs, first_ref, err);
    if (status == LIMN_OK) status = add_side(data->hyps, b, hyps, first_hyp, err);
    if (status == LIMN_OK) {
        resolve(data->refs, data->n_refs, b);
        resolve(data->hyps, data->n_hyps, b);
    }
    limn_free(first_ref);
    limn_free(first_hyp);
    return status;
}

limn_status limn_eval_data_create(limn_eval_data *out, const limn_caption_file *refs,
                                  const limn_caption_file *hyps, const char *tokenizer,
                                  bool allow_missing, limn_error *err)
{
    limn_eval_match match;
    builder b = { .data = out, .tokenizer = { .kind = limn_eval_find_tokenizer(tokenizer) } };
    limn_status status;
    *out = (limn_eval_data){ .tokenizer = b.tokenizer.kind };
    if (!b.tokenizer.kind) return limn_fail(err, LIMN_E_ARG, "unknown tokenizer \"%s\"", tokenizer);
    LIMN_TRY(limn_eval_match_create(&match, refs, hyps, err));
    out->n_by_number = match.n_by_number;
    out->by_number = match.by_number;
    side ref_side = { refs, match.image_of_ref, NULL, NULL },
         hyp_side = { hyps, match.image_of_hyp, NULL, NULL };
    status = count_captions(&ref_side, match.n_images, err);
    if (status == LIMN_OK) status = count_captions(&hyp_side, match.n_images, err);
    if (status == LIMN_OK) status = build(&b, &match, &ref_side, &hyp_side, allow_missing, err);
    limn_free(ref_side.counts);
    limn_free(hyp_side.counts);
    limn_free(ref_side.is_unfit);
    limn_free(hyp_side.is_unfit);
    limn_free(b.places);
    limn_eval_tokenizer_finish(&b.tokenizer);
    limn_eval_match_finish(&match);
    if (status != LIMN_OK) limn_eval_data_finish(out);
    return status;
}

void limn_eval_data_finish(limn_eval_data *data)
{
    limn_free(data->images);
    limn_free(data->refs);
    limn_free(data->hyps);
    limn_free((void *)data->without_hyp.items);
    limn_free((void *)data->without_ref.items);
    limn_string_table_finish(&data->strings);
    limn_buffer_finish(&data->texts);
    limn_buffer_finish(&data->numbers);
    *data = (limn_eval_data){ 0 };
}

const limn_eval_caption *limn_eval_hyp(const limn_eval_data *data, size_t image, size_t rank)
{
    const limn_eval_image *m = &data->images[image];
    return &data->hyps[m->first_hyp + (rank < m->n_hyps ? rank : m->n_hyps - 1)];
}
