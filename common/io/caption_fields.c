#include "common/io/caption_fields.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* Kinds of fields and their names, the preferred first, one blank after each. Who uses them: file
 * (limn), file_name (COCO, Hugging Face's imagefolder, Clotho), filename (Karpathy), image
 * (Flickr8k's captions.txt, LAVIS), image_path (TextCaps), filepath and title (OpenCLIP),
 * image_name and comment (Flickr30k's results.csv), painting and utterance (ArTEMIS), image_id
 * (COCO, Localized Narratives, AI Challenger), img_id and raw (Flickr30k on Hugging Face),
 * caption_str (TextCaps), comment_number (Flickr30k), is_rejected and is_precanned (VizWiz). */
static const struct {
    limn_caption_field field;
    const char *names;
} table[] = {
    { LIMN_FIELD_FILE, "file file_name filename image image_path img_path filepath file_path "
                       "image_file image_name img_name img path photo "
                       "picture painting " },
    { LIMN_FIELD_IMAGE_ID, "image_id img_id imgid imageid cocoid coco_id open_images_id " },
    { LIMN_FIELD_OWN_ID, "id " },
    { LIMN_FIELD_URL, "image_url img_url url " },
    { LIMN_FIELD_CAPTION, "caption captions caption_str caption_text text prediction predictions "
                          "comment comments description sentence sentences raw utterance title " },
    { LIMN_FIELD_NUMBER, "comment_number caption_number " },
    { LIMN_FIELD_SPLIT, "split " },
    { LIMN_FIELD_REJECTED, "is_rejected is_precanned " },
};

enum { MAX_NAME = 32 };

/* Copies the name in the spelling of the table; returns its size, or 0 when it is longer than any
 * name there. */
static size_t fold(char out[MAX_NAME], const char *name, size_t size)
{
    while (size > 0 && strchr(" \t", name[0]) && name[0]) name++, size--;
    while (size > 0 && strchr(" \t", name[size - 1]) && name[size - 1]) size--;
    if (size >= MAX_NAME) return 0;
    for (size_t i = 0; i < size; i++) {
        const char c = (char)tolower((unsigned char)name[i]);
        out[i] = c == ' ' || c == '-' ? '_' : c;
    }
    return size;
}

static size_t find(const char *names, const char *name, size_t size)
{
    size_t rank = 0;
    for (; *names; rank++) {
        const size_t n = strcspn(names, " ");
        if (n == size && memcmp(names, name, n) == 0) return rank;
        names += n + 1;
    }
    return SIZE_MAX;
}

/* caption1, caption_1, caption_12 */
static size_t number_of(const char *name, size_t size)
{
    static const char head[] = "caption";
    size_t at = sizeof head - 1, number = 0;
    if (size <= at || memcmp(name, head, at) != 0) return SIZE_MAX;
    at += name[at] == '_';
    if (at == size || size - at > 3) return SIZE_MAX;
    for (; at < size; at++) {
        if (!isdigit((unsigned char)name[at])) return SIZE_MAX;
        number = 10 * number + (size_t)(name[at] - '0');
    }
    return number;
}

limn_caption_field limn_caption_field_of(size_t *rank, const char *name, size_t size)
{
    char folded[MAX_NAME];
    const size_t n = fold(folded, name, size);
    for (size_t i = 0; n > 0 && i < sizeof table / sizeof *table; i++) {
        *rank = find(table[i].names, folded, n);
        if (*rank != SIZE_MAX) return table[i].field;
    }
    *rank = n > 0 ? number_of(folded, n) : SIZE_MAX;
    return *rank != SIZE_MAX ? LIMN_FIELD_NUMBERED_CAPTION : LIMN_FIELD_OTHER;
}

const char *limn_caption_field_names(limn_caption_field field)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].field == field) return table[i].names;
    return "";
}
