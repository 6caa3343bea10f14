/* Caption files as one JSON document: arrays of objects, COCO annotations, Karpathy's splits, and
 * captions by image. */
#include <string.h>

#include "common/io/caption_fields.h"
#include "common/io/captions_parse.h"

static limn_status add_objects(limn_caption_file *file, const limn_json_node *array,
                               const json_t *names, limn_error *err)
{
    size_t n_items;
    LIMN_TRY(limn_json_as_array(&n_items, array, err));
    for (size_t i = 0; i < n_items; i++) {
        const limn_json_node item = limn_json_at(array, i);
        LIMN_TRY(limn_caption_add_object(file, &item, names, err));
    }
    return LIMN_OK;
}

/* ---- COCO --------------------------------------------------------------------------------- */

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
        LIMN_TRY(limn_caption_read_name(&id, digits, &id_node, err));
        if (!limn_json_has(&image, "file_name")) continue;
        LIMN_TRY(limn_json_string(&name, &image, "file_name", err));
        if (json_object_set_new_nocheck(names, id.bytes, json_string_nocheck(name)) != 0)
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    }
    return LIMN_OK;
}

static limn_status parse_annotations(limn_caption_file *file, const limn_json_node *root,
                                     limn_error *err)
{
    json_t *names = json_object();
    limn_json_node annotations;
    size_t n_annotations;
    limn_status status;
    file->format = "COCO annotations";
    if (!names) return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    status = limn_json_array(&annotations, &n_annotations, root, "annotations", err);
    if (status == LIMN_OK) status = read_image_names(names, root, err);
    if (status == LIMN_OK) status = add_objects(file, &annotations, names, err);
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

static limn_status add_sentences(limn_caption_file *file, const limn_json_node *image,
                                 const limn_caption_item *item, limn_buffer *text, limn_error *err)
{
    limn_json_node sentences;
    size_t n_sentences;
    LIMN_TRY(limn_json_array(&sentences, &n_sentences, image, "sentences", err));
    for (size_t i = 0; i < n_sentences; i++) {
        const limn_json_node sentence = limn_json_at(&sentences, i);
        limn_error reason = { 0 };
        LIMN_TRY(read_sentence(text, &sentence, err));
        if (text->has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory for a sentence");
        limn_caption_begin_entry(file);
        const limn_status status =
            limn_caption_add(file, item, limn_caption_text_of(text->bytes), &reason);
        if (status != LIMN_OK) return limn_json_fail(&sentence, err, status, "%s", reason.text);
    }
    return LIMN_OK;
}

static limn_status add_karpathy_image(limn_caption_file *file, const limn_json_node *image,
                                      limn_buffer *text, limn_error *err)
{
    limn_caption_item item = { .id_kind = LIMN_NAME_FILE, .alias_kind = LIMN_NAME_IMAGE_ID };
    const char *name, *split = NULL;
    char digits[24];
    LIMN_TRY(limn_json_string(&name, image, "filename", err));
    if (limn_json_has(image, "cocoid")) {
        limn_json_node id_node;
        LIMN_TRY(limn_json_get(&id_node, image, "cocoid", err));
        LIMN_TRY(limn_caption_read_name(&item.alias, digits, &id_node, err));
    }
    if (limn_json_has(image, "split") || limn_caption_how(file)->split)
        LIMN_TRY(limn_json_string(&split, image, "split", err));
    item.id = limn_caption_text_of(name);
    item.split = limn_caption_text_of(split);
    return add_sentences(file, image, &item, text, err);
}

static limn_status parse_karpathy(limn_caption_file *file, const limn_json_node *root,
                                  limn_error *err)
{
    limn_json_node images;
    limn_buffer text = { 0 };
    limn_status status = LIMN_OK;
    size_t n_images;
    file->format = "Karpathy JSON";
    LIMN_TRY(limn_json_array(&images, &n_images, root, "images", err));
    for (size_t i = 0; status == LIMN_OK && i < n_images; i++) {
        const limn_json_node image = limn_json_at(&images, i);
        status = add_karpathy_image(file, &image, &text, err);
    }
    limn_buffer_finish(&text);
    return status;
}

/* ---- captions by image ------------------------------------------------------------------ */

static bool is_caption(const json_t *value)
{
    return json_is_string(value) || json_is_array(value);
}

/* {image: caption, or array of captions}, no key of which is a field's name */
static bool is_dictionary(const json_t *root)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)root, key, value)
    {
        size_t rank;
        if (!is_caption(value) ||
            limn_caption_field_of(&rank, key, strlen(key)) != LIMN_FIELD_OTHER)
            return false;
    }
    return json_object_size(root) > 0;
}

static limn_status parse_dictionary(limn_caption_file *file, const limn_json_node *root,
                                    limn_error *err)
{
    const char *key;
    json_t *value;
    file->format = "JSON captions by image";
    json_object_foreach((json_t *)root->value, key, value)
    {
        const limn_caption_item item = { .id = limn_caption_text_of(key) };
        limn_json_node node;
        LIMN_TRY(limn_json_get(&node, root, key, err));
        limn_caption_begin_entry(file);
        LIMN_TRY(limn_caption_add_value(file, &node, &item, err));
    }
    return LIMN_OK;
}

/* ---- documents ---------------------------------------------------------------------------- */

/* The array of objects that a document wraps; NULL for none. */
static const char *wrapped_array(const json_t *root)
{
    static const char *const keys[] = { "data", "results", "predictions", "captions" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *array = json_object_get(root, keys[i]);
        if (json_is_object(json_array_get(array, 0)) && !limn_caption_is_object(root))
            return keys[i];
    }
    return NULL;
}

static limn_status parse_wrapped(limn_caption_file *file, const limn_json_node *root,
                                 const char *key, limn_error *err)
{
    limn_json_node array;
    size_t n_items;
    file->format = "JSON";
    LIMN_TRY(limn_json_array(&array, &n_items, root, key, err));
    return add_objects(file, &array, NULL, err);
}

static limn_status parse_document(limn_caption_file *file, const limn_json_node *root,
                                  limn_error *err)
{
    const char *key = wrapped_array(root->value);
    file->format = "COCO results";
    if (json_is_array(root->value)) return add_objects(file, root, NULL, err);
    if (limn_json_has(root, "annotations")) return parse_annotations(file, root, err);
    if (limn_json_has(root, "images")) return parse_karpathy(file, root, err);
    if (key) return parse_wrapped(file, root, key, err);
    if (!limn_caption_is_object(root->value) && is_dictionary(root->value))
        return parse_dictionary(file, root, err);
    file->format = "JSON";
    return limn_caption_add_object(file, root, NULL, err);
}

limn_status limn_caption_parse_json(limn_caption_file *file, limn_caption_text text,
                                    limn_error *err)
{
    json_t *document = NULL;
    LIMN_TRY(limn_json_parse(&document, text.bytes, text.size, err));
    const limn_json_node root = limn_json_root(document);
    const limn_status status = parse_document(file, &root, err);
    json_decref(document);
    return status;
}
