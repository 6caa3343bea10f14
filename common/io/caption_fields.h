/* The names that fields of caption files have: one table for columns of CSV and TSV and for keys of
 * JSON. Case, and blanks around a name, don't matter; blanks and '-' inside are '_'. */
#ifndef LIMN_COMMON_IO_CAPTION_FIELDS_H
#define LIMN_COMMON_IO_CAPTION_FIELDS_H

#include <stddef.h>

typedef enum limn_caption_field {
    LIMN_FIELD_OTHER = 0,
    LIMN_FIELD_FILE,     /* the image, as a file's name or path */
    LIMN_FIELD_IMAGE_ID, /* the image's number or key */
    LIMN_FIELD_OWN_ID,   /* the caption's own number; the image's where nothing else names it */
    LIMN_FIELD_URL,      /* the image where nothing else names it */
    LIMN_FIELD_CAPTION,
    LIMN_FIELD_NUMBERED_CAPTION, /* one of several: caption_1 … caption_5 */
    LIMN_FIELD_NUMBER,           /* which of an image's captions it is */
    LIMN_FIELD_SPLIT,
    LIMN_FIELD_REJECTED, /* true: marked as unfit, as VizWiz does */
    LIMN_N_FIELDS
} limn_caption_field;

/* What a field [size bytes of name] holds. Of several fields that hold the same, the one with the
 * lowest *rank counts. */
limn_caption_field limn_caption_field_of(size_t *rank, const char *name, size_t size);

/* For messages: "file, file_name, …" of one kind, in the order of their ranks; static storage. */
const char *limn_caption_field_names(limn_caption_field field);

#endif
