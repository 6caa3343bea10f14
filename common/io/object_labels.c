#include "common/io/object_labels.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/io/captions_parse.h"
#include "common/io/fileio.h"

void limn_object_labels_finish(limn_object_labels *labels)
{
    limn_string_table_finish(&labels->names);
    limn_free(labels->first_box);
    limn_free(labels->boxes);
    *labels = (limn_object_labels){ 0 };
}

limn_object_set limn_object_labels_set(const limn_object_labels *labels, size_t image,
                                       float min_score)
{
    limn_object_set set = { { 0 } };
    for (size_t i = labels->first_box[image]; i < labels->first_box[image + 1]; i++)
        if (labels->boxes[i].score >= min_score) limn_object_set_add(&set, labels->boxes[i].object);
    return set;
}

/* "0.68", "1", ".5": false for anything else, and for more than 1. */
static bool parse_score(float *out, const char *text, size_t size)
{
    double value = 0, unit = 1;
    bool has_digit = false, is_fraction = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '.' && !is_fraction) {
            is_fraction = true;
        } else if (text[i] >= '0' && text[i] <= '9' && value <= 1) {
            has_digit = true;
            if (is_fraction) unit /= 10;
            value = is_fraction ? value + unit * (text[i] - '0') : 10 * value + (text[i] - '0');
        } else {
            return false;
        }
    }
    *out = (float)value;
    return has_digit && value <= 1;
}

static int clipped(size_t size)
{
    return size < 64 ? (int)size : 64;
}

static limn_status add_box(limn_object_labels *labels, size_t *n_boxes, limn_caption_text name,
                           limn_caption_text score, limn_error *err)
{
    size_t object;
    limn_object_box box = { 0 };
    if (!limn_object_by_name(&object, name.bytes, name.size))
        return limn_fail(err, LIMN_E_FORMAT, "\"%.*s\" is not one of COCO's %d classes",
                         clipped(name.size), name.bytes, LIMN_N_OBJECTS);
    if (!parse_score(&box.score, score.bytes, score.size))
        return limn_fail(err, LIMN_E_FORMAT, "%.*s: score \"%.*s\" is not a number from 0 to 1",
                         clipped(name.size), name.bytes, clipped(score.size), score.bytes);
    if (*n_boxes - labels->first_box[labels->n_images] >= LIMN_OBJECT_LABELS_MAX_BOXES)
        return limn_fail(err, LIMN_E_LIMIT, "more than %d boxes", LIMN_OBJECT_LABELS_MAX_BOXES);
    if (!limn_grow((void **)&labels->boxes, &labels->boxes_capacity, *n_boxes + 1, sizeof box))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu boxes", *n_boxes + 1);
    box.object = (uint8_t)object;
    labels->boxes[(*n_boxes)++] = box;
    return LIMN_OK;
}

static limn_status add_boxes(limn_object_labels *labels, size_t *n_boxes, limn_caption_text text,
                             limn_error *err)
{
    while (text.size > 0) {
        const char *colon, *end;
        limn_caption_text name = { text.bytes, 0 }, score;
        if (*text.bytes == ' ') {
            text.bytes++;
            text.size--;
            continue;
        }
        colon = memchr(text.bytes, ':', text.size);
        if (!colon)
            return limn_fail(err, LIMN_E_FORMAT, "no \":\" and score after \"%.*s\"",
                             clipped(text.size), text.bytes);
        name.size = (size_t)(colon - text.bytes);
        text.size -= name.size + 1;
        text.bytes = colon + 1;
        end = memchr(text.bytes, ' ', text.size);
        score = (limn_caption_text){ text.bytes, end ? (size_t)(end - text.bytes) : text.size };
        LIMN_TRY(add_box(labels, n_boxes, name, score, err));
        text.bytes += score.size;
        text.size -= score.size;
    }
    return LIMN_OK;
}

static limn_status add_line(limn_object_labels *labels, limn_caption_text line, limn_error *err)
{
    const char *tab = memchr(line.bytes, '\t', line.size);
    size_t size, n_boxes = labels->first_box ? labels->first_box[labels->n_images] : 0;
    uint32_t number;
    if (!tab) return limn_fail(err, LIMN_E_FORMAT, "no tab between name and objects");
    size = (size_t)(tab - line.bytes);
    if (size == 0) return limn_fail(err, LIMN_E_FORMAT, "the image's name is empty");
    if (limn_string_table_find(&number, &labels->names, line.bytes, size))
        return limn_fail(err, LIMN_E_FORMAT, "a second line of %.*s", clipped(size), line.bytes);
    LIMN_TRY(limn_string_table_add(&number, &labels->names, line.bytes, size, err));
    if (!limn_grow((void **)&labels->first_box, &labels->images_capacity, (size_t)number + 2,
                   sizeof *labels->first_box))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu images", (size_t)number + 1);
    labels->first_box[number] = n_boxes;
    LIMN_TRY(
        add_boxes(labels, &n_boxes, (limn_caption_text){ tab + 1, line.size - size - 1 }, err));
    labels->n_images = (size_t)number + 1;
    labels->first_box[labels->n_images] = n_boxes;
    return LIMN_OK;
}

static limn_status parse(limn_object_labels *labels, limn_caption_text text, limn_error *err)
{
    limn_caption_text line;
    limn_status status;
    size_t n_lines = 0;
    while (limn_caption_next_line(&line, &text, &n_lines, &status, err)) {
        status = line.size > 0 ? add_line(labels, line, err) : LIMN_OK;
        if (status != LIMN_OK) {
            limn_error_prefix(err, "line %zu", n_lines);
            return status;
        }
    }
    if (status == LIMN_OK && labels->n_images == 0)
        return limn_fail(err, LIMN_E_FORMAT, "no image in it");
    return status;
}

limn_status limn_object_labels_read(limn_object_labels *out, const char *path, limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    limn_status status;
    *out = (limn_object_labels){ 0 };
    LIMN_TRY(limn_file_read(&bytes, &size, path, LIMN_OBJECT_LABELS_MAX_SIZE, err));
    status = parse(out, (limn_caption_text){ (const char *)bytes, size }, err);
    limn_free(bytes);
    if (status != LIMN_OK) {
        limn_error_prefix(err, "%s", path);
        limn_object_labels_finish(out);
    }
    return status;
}
