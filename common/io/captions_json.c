/* Caption files as JSON: objects of JSONL and COCO results, COCO annotations, Karpathy's splits. */
#include "common/io/caption_parse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"

static const char *const id_fields[] = {
    "file", "file_name", "filename", "image", "id", "image_id"
};
static const char *const caption_fields[] = { "caption", "captions", "text", "comment" };

enum { N_ID_FIELDS = sizeof id_fields / sizeof *id_fields };

static bool is_among(const char *name, size_t size, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0) return true;
    return false;
}

bool limn_caption_is_id_field(const char *name, size_t size)
{
    return is_among(name, size, id_fields, N_ID_FIELDS);
}

bool limn_caption_is_caption_field(const char *name, size_t size)
{
    return is_among(name, size, caption_fields, sizeof caption_fields / sizeof *caption_fields);
}

static limn_caption_text text_of(const char *string)
{
    return (limn_caption_text){ string, string ? strlen(string) : 0 };
}

/* An id: a string, or an integer, which is written to `digits`. */
static limn_status read_id(limn_caption_text *out, char digits[24], const limn_json_node *node,
                           limn_error *err)
{
    if (json_is_integer(node->value)) {
        snprintf(digits, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(node->value));
        *out = text_of(digits);
        return LIMN_OK;
    }
    if (!json_is_string(node->value))
        return limn_json_fail(node, err, LIMN_E_FORMAT, "expected a string or an integer");
    *out = text_of(json_string_value(node->value));
    return LIMN_OK;
}

static limn_status add_at(limn_caption_file *file, const limn_json_node *node, limn_caption_text id,
                          limn_caption_text alias, limn_caption_text caption, limn_error *err)
{
    limn_error reason = { 0 };
    const limn_status status = limn_caption_add(file, id, alias, caption, &reason);
    return status == LIMN_OK ? status : limn_json_fail(node, err, status, "%s", reason.text);
}

/* The members of "captions": strings, or objects with a caption. */
static limn_status add_captions(limn_caption_file *file, const limn_json_node *array,
                                limn_caption_text id, limn_error *err)
{
    size_t n_items;
    LIMN_TRY(limn_json_as_array(&n_items, array, err));
    if (n_items == 0)
        return add_at(file, array, id, (limn_caption_text){ 0 }, (limn_caption_text){ 0 }, err);
    for (size_t i = 0; i < n_items; i++) {
        const limn_json_node item = limn_json_at(array, i);
        const char *caption;
        if (json_is_object(item.value))
            LIMN_TRY(limn_json_string(&caption, &item, "caption", err));
        else
            LIMN_TRY(limn_json_as_string(&caption, &item, err));
        LIMN_TRY(add_at(file, &item, id, (limn_caption_text){ 0 }, text_of(caption), err));
    }
    return LIMN_OK;
}

/* What an object says of the sureness of its (first) caption. What is none is passed over: the
 * names are not ours alone. */
static limn_status add_sureness(limn_caption_file *file, size_t record,
                                const limn_json_node *object, limn_error *err)
{
    const json_t *number = json_object_get(object->value, "confidence");
    const json_t *signals = json_object_get(object->value, "signals");
    const double value = json_is_number(number) ? json_number_value(number) : -1;
    char *text = json_is_object(signals) ? json_dumps(signals, JSON_COMPACT) : NULL;
    const limn_status status = limn_caption_set_sureness(
        file, record, value >= 0 && value <= 1 ? value : NAN, text_of(text), err);
    free(text);
    return status;
}

static limn_status add_captions_of(limn_caption_file *file, const limn_json_node *object,
                                   limn_error *err)
{
    limn_json_node node;
    limn_caption_text id;
    char digits[24];
    size_t i = 0;
    LIMN_TRY(limn_json_as_object(object, err));
    while (i < N_ID_FIELDS && !limn_json_has(object, id_fields[i])) i++;
    if (i == N_ID_FIELDS)
        return limn_json_fail(object, err, LIMN_E_FORMAT,
                              "no \"file\", \"file_name\", \"image\", \"id\" or \"image_id\"");
    LIMN_TRY(limn_json_get(&node, object, id_fields[i], err));
    LIMN_TRY(read_id(&id, digits, &node, err));
    limn_caption_begin_entry(file);
    if (limn_json_has(object, "captions")) {
        LIMN_TRY(limn_json_get(&node, object, "captions", err));
        if (json_is_array(node.value)) return add_captions(file, &node, id, err);
    } else if (limn_json_has(object, "caption")) {
        LIMN_TRY(limn_json_get(&node, object, "caption", err));
    } else if (limn_json_has(object, "text")) {
        LIMN_TRY(limn_json_get(&node, object, "text", err));
    } else if (limn_json_has(object, "error")) {
        return add_at(file, object, id, (limn_caption_text){ 0 }, (limn_caption_text){ 0 }, err);
    } else {
        return limn_json_fail(object, err, LIMN_E_FORMAT,
                              "no \"caption\", \"captions\", \"text\" or \"error\"");
    }
    const char *caption = NULL;
    if (!json_is_null(node.value)) LIMN_TRY(limn_json_as_string(&caption, &node, err));
    return add_at(file, &node, id, (limn_caption_text){ 0 }, text_of(caption), err);
}

limn_status limn_caption_add_object(limn_caption_file *file, const limn_json_node *object,
                                    limn_error *err)
{
    const size_t first = file->n_records;
    LIMN_TRY(add_captions_of(file, object, err));
    return add_sureness(file, first, object, err);
}

/* ---- COCO --------------------------------------------------------------------------------- */

static limn_status parse_results(limn_caption_file *file, const limn_json_node *root,
                                 limn_error *err)
{
    size_t n_items;
    file->format = "COCO results";
    LIMN_TRY(limn_json_as_array(&n_items, root, err));
    for (size_t i = 0; i < n_items; i++) {
        const limn_json_node item = limn_json_at(root, i);
        LIMN_TRY(limn_caption_add_object(file, &item, err));
    }
    return LIMN_OK;
}

/* File names by image id, as a JSON object {id: name}. */
static limn_status read_image_names(json_t *names, const limn_json_node *root, limn_error *err)
{
    limn_json_node images;
    size_t n_images;
    if (!limn_json_has(root, "images")) return LIMN_OK;
    LIMN_TRY(limn_json_array(&images, &n_images, root, "images", err));
    for (size_t i = 0; i < n_images; i++) {
        const limn_json_node image = limn_json_at(&images, i);
        limn_json_node id_node;
        limn_caption_text id;
        const char *name;
        char digits[24];
        LIMN_TRY(limn_json_get(&id_node, &image, "id", err));
        LIMN_TRY(read_id(&id, digits, &id_node, err));
        if (!limn_json_has(&image, "file_name")) continue;
        LIMN_TRY(limn_json_string(&name, &image, "file_name", err));
        if (json_object_set_new_nocheck(names, id.bytes, json_string_nocheck(name)) != 0)
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    }
    return LIMN_OK;
}

static limn_status add_annotations(limn_caption_file *file, const limn_json_node *root,
                                   const json_t *names, limn_error *err)
{
    limn_json_node annotations;
    size_t n_annotations;
    LIMN_TRY(limn_json_array(&annotations, &n_annotations, root, "annotations", err));
    for (size_t i = 0; i < n_annotations; i++) {
        const limn_json_node annotation = limn_json_at(&annotations, i);
        limn_json_node id_node;
        limn_caption_text id;
        const char *caption;
        char digits[24];
        LIMN_TRY(limn_json_get(&id_node, &annotation, "image_id", err));
        LIMN_TRY(read_id(&id, digits, &id_node, err));
        LIMN_TRY(limn_json_string(&caption, &annotation, "caption", err));
        limn_caption_begin_entry(file);
        LIMN_TRY(add_at(file, &annotation, id,
                        text_of(json_string_value(json_object_get(names, id.bytes))),
                        text_of(caption), err));
    }
    return LIMN_OK;
}

static limn_status parse_annotations(limn_caption_file *file, const limn_json_node *root,
                                     limn_error *err)
{
    json_t *names = json_object();
    limn_status status;
    file->format = "COCO annotations";
    if (!names) return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    status = read_image_names(names, root, err);
    if (status == LIMN_OK) status = add_annotations(file, root, names, err);
    json_decref(names);
    return status;
}

/* ---- Karpathy's splits -------------------------------------------------------------------- */

/* A sentence's text as it was written, or its tokens. */
static limn_status read_sentence(limn_buffer *out, const limn_json_node *sentence, limn_error *err)
{
    limn_json_node tokens;
    const char *text;
    size_t n_tokens;
    limn_buffer_clear(out);
    limn_buffer_append_text(out, "");
    if (limn_json_has(sentence, "raw")) {
        LIMN_TRY(limn_json_string(&text, sentence, "raw", err));
        limn_buffer_append_text(out, text);
        return LIMN_OK;
    }
    LIMN_TRY(limn_json_array(&tokens, &n_tokens, sentence, "tokens", err));
    for (size_t i = 0; i < n_tokens; i++) {
        const limn_json_node token = limn_json_at(&tokens, i);
        LIMN_TRY(limn_json_as_string(&text, &token, err));
        if (i > 0) limn_buffer_append_text(out, " ");
        limn_buffer_append_text(out, text);
    }
    return LIMN_OK;
}

static limn_status add_karpathy_image(limn_caption_file *file, const limn_json_node *image,
                                      limn_buffer *sentence_text, limn_error *err)
{
    limn_json_node sentences, id_node;
    limn_caption_text alias = { 0 };
    const char *name;
    char digits[24];
    size_t n_sentences;
    LIMN_TRY(limn_json_string(&name, image, "filename", err));
    LIMN_TRY(limn_json_array(&sentences, &n_sentences, image, "sentences", err));
    if (limn_json_has(image, "cocoid")) {
        LIMN_TRY(limn_json_get(&id_node, image, "cocoid", err));
        LIMN_TRY(read_id(&alias, digits, &id_node, err));
    }
    for (size_t i = 0; i < n_sentences; i++) {
        const limn_json_node sentence = limn_json_at(&sentences, i);
        LIMN_TRY(read_sentence(sentence_text, &sentence, err));
        if (sentence_text->has_failed)
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for a sentence");
        limn_caption_begin_entry(file);
        LIMN_TRY(add_at(file, &sentence, text_of(name), alias, text_of(sentence_text->bytes), err));
    }
    return LIMN_OK;
}

static limn_status parse_karpathy(limn_caption_file *file, const limn_json_node *root,
                                  const char *split, limn_error *err)
{
    limn_json_node images;
    limn_buffer sentence = { 0 };
    limn_status status;
    size_t n_images, n_taken = 0;
    file->format = "Karpathy JSON";
    LIMN_TRY(limn_json_array(&images, &n_images, root, "images", err));
    status = LIMN_OK;
    for (size_t i = 0; status == LIMN_OK && i < n_images; i++) {
        const limn_json_node image = limn_json_at(&images, i);
        const char *own_split = "";
        if (split) status = limn_json_string(&own_split, &image, "split", err);
        if (status != LIMN_OK || (split && strcmp(own_split, split) != 0)) continue;
        status = add_karpathy_image(file, &image, &sentence, err);
        n_taken++;
    }
    limn_buffer_finish(&sentence);
    if (status == LIMN_OK && split && n_taken == 0)
        return limn_fail(err, LIMN_E_ARG, "no picture is of the split \"%s\"", split);
    return status;
}

static limn_status parse_document(limn_caption_file *file, const limn_json_node *root,
                                  const char *split, limn_error *err)
{
    if (limn_json_has(root, "images") && !limn_json_has(root, "annotations"))
        return parse_karpathy(file, root, split, err);
    if (split)
        return limn_fail(err, LIMN_E_ARG, "the file has no splits: only Karpathy's format has");
    if (limn_json_has(root, "annotations")) return parse_annotations(file, root, err);
    if (json_is_array(root->value)) return parse_results(file, root, err);
    file->format = "JSON";
    return limn_caption_add_object(file, root, err);
}

limn_status limn_caption_parse_json(limn_caption_file *file, limn_caption_text text,
                                    const char *split, limn_error *err)
{
    json_t *document = NULL;
    LIMN_TRY(limn_json_parse(&document, text.bytes, text.size, err));
    const limn_json_node root = limn_json_root(document);
    const limn_status status = parse_document(file, &root, split, err);
    json_decref(document);
    return status;
}
