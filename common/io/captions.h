/* Caption files in the formats that are in use, detected from the content. Each may be gzipped;
 * UTF-8, or UTF-16 with a byte order mark.
 *
 *   TSV        id<TAB>caption, or id#k<TAB>caption (Flickr8k.token.txt; limn --format text), or
 *              id#zhc#k, also with a blank instead of the tab (Flickr8k-CN, COCO-CN); or
 *              caption<TAB>URL (Conceptual Captions)
 *   table      a header and rows, with ',' ';' '|' or tabs between (RFC 4180; quotes mean nothing
 *              beside '|' and tabs). caption_1 … caption_5 are so many captions; a cell may be a
 *              JSON array of them
 *   JSONL      an object a line, {"image": "a.jpg", "caption": "…"}
 *   JSON       an array of such objects (COCO results), also in a member "data", "results" or
 *              "predictions" (TextCaps); {image: caption or captions}
 *   COCO       {"images", "annotations"}
 *   Karpathy   {"images": [{"filename", "split", "sentences": [{"raw"}]}]}
 *   a folder   NAME.txt (or NAME.jpg.txt) beside NAME.jpg, also in folders below: each line that is
 *              not blank is a caption; or NAME.json with a "caption" (img2dataset), which counts
 *              where the text file is blank or missing. The id is the image's path inside the
 *              folder. Images are recognised by their extensions there; an empty text file
 *              says that there is no caption.
 *
 * caption_fields.h has the names that fields may have. As in pycocotools, "image_id" is the image
 * and "id" the caption's own number, which names the image only where nothing else does. A
 * caption may be a string, an array of strings, or of objects with a caption. */
#ifndef LIMN_COMMON_IO_CAPTIONS_H
#define LIMN_COMMON_IO_CAPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

#define LIMN_CAPTION_MAX_SIZE 65536                  /* bytes of one caption or id */
#define LIMN_CAPTION_LINE_MAX_SIZE (1024 * 1024)     /* bytes of one line of TSV, JSONL, CSV */
#define LIMN_CAPTION_FILE_MAX_SIZE ((size_t)4 << 30) /* bytes, after gunzip and as UTF-8 */

/* What a name of an image was in its file. */
typedef enum limn_caption_name {
    LIMN_NAME_PLAIN = 0, /* no field said: of TSV, folders; "id" or a URL where they stand alone */
    LIMN_NAME_FILE,      /* "image", "file_name" … */
    LIMN_NAME_IMAGE_ID,  /* "image_id" … */
    LIMN_NAME_OWN_ID,    /* "id" beside a file: the image's number, or only the caption's */
} limn_caption_name;

typedef struct limn_caption_record {
    const char *id;      /* a file name, or a number in decimal; without #k */
    const char *alias;   /* another name of the image, of another kind; may be NULL */
    const char *caption; /* valid UTF-8 without NUL; NULL: the entry says that there is none */
    const char *split;   /* "train"; NULL where the file doesn't say */
    limn_caption_name id_kind, alias_kind;
    long number;         /* k of id#k; -1 without */
    double confidence;   /* in objects: "confidence" from 0 to 1 (limn --confidence), of the first
                          * record of an entry; NAN for none */
    const char *signals; /* in objects: "signals", an object, as JSON; likewise; NULL for none */
    size_t entry;        /* records of one entry are alternatives, best first; see below */
    bool is_rejected;    /* marked as rejected and left out: the caption is NULL */
} limn_caption_record;

/* The records in the order of the file. An entry is a line, or an object of a JSON array: two
 * captions of an image in one entry are its n-best list, in two entries they are two statements.
 */
typedef struct limn_caption_file {
    limn_caption_record *records; /* [n_records] */
    size_t n_records, n_entries;
    const char *format;        /* "TSV", "JSONL", "COCO annotations" …; static */
    size_t n_without_image;    /* of a folder: text files without an image */
    const char *without_image; /* the path of the first; NULL when there is none */
    size_t n_rejected;         /* captions left out because they are marked as rejected */
    const char *note;          /* how the file was read, if that was a guess, else NULL; static */
    struct limn_caption_strings *strings;
} limn_caption_file;

/* How to read. Zeroed: all captions but those marked as unfit. */
typedef struct limn_caption_reading {
    const char *split;  /* only these splits, with commas between; NULL: all */
    bool keep_rejected; /* also captions with "is_rejected" or "is_precanned" (VizWiz) */
    bool may_be_plain;  /* images don't matter: a file whose first line has no tab and that is of
                         * no other format is text with a caption a line; ids are then the
                         * captions' numbers, from 1 */
} limn_caption_reading;

/* Reads a caption file, or the captions in a folder; how == NULL is zeroed. Errors begin with the
 * path and name the line and the byte, or the path of the JSON field:
 * LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_FORMAT (NUL, invalid UTF-8, a wrong shape, a row with more or
 * fewer fields than the header, no caption at all), LIMN_E_LIMIT (the bounds above; 1 MB for the
 * text file of an image), LIMN_E_ARG (a split where there is none of the name). */
limn_status limn_caption_file_read(limn_caption_file *out, const char *path,
                                   const limn_caption_reading *how, limn_error *err);
/* Whether a record's split is among `splits`, names with commas between. */
bool limn_caption_is_of_split(const limn_caption_record *record, const char *splits);
void limn_caption_file_finish(limn_caption_file *file); /* accepts a zeroed one; zeroes it */

#endif
