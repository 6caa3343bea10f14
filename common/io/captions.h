/* Caption files: pictures and what is said of them, in the formats that are in use, told apart by
 * content. Each may be gzipped.
 *
 *   TSV        id<TAB>caption, or id#k<TAB>caption (Flickr8k.token.txt; limn --format text)
 *   JSONL      {"file" | "file_name" | "image" | "id" | "image_id": …, and "caption" or "text": a
 *              string, or "captions": an array of strings or of {"caption": …}} (limn --format
 *              jsonl)
 *   COCO       annotation file, or result file (an array of objects as in JSONL)
 *   Karpathy   {"images": [{"filename", "split", "sentences": [{"raw"}]}]}
 *   CSV        RFC 4180 with a header that names one of the id fields and one of the caption
 *              fields; or the same with tabs, where quotes mean nothing
 *   a folder   NAME.txt (or NAME.jpg.txt) beside NAME.jpg, also in folders below: each line that is
 *              not blank is a caption; the id is the picture's path inside the folder. Pictures are
 *              told by the endings of their names there; an empty text file says that there is no
 *              caption.
 */
#ifndef LIMN_COMMON_IO_CAPTIONS_H
#define LIMN_COMMON_IO_CAPTIONS_H

#include <stddef.h>

#include "common/base/status.h"

#define LIMN_CAPTION_MAX_SIZE 65536                  /* bytes of one caption or id */
#define LIMN_CAPTION_LINE_MAX_SIZE (1024 * 1024)     /* bytes of one line of TSV, JSONL, CSV */
#define LIMN_CAPTION_FILE_MAX_SIZE ((size_t)4 << 30) /* bytes, after gunzip */

typedef struct limn_caption_record {
    const char *id;    /* a file name, or a number in decimal; without #k */
    const char *alias; /* the other name that COCO and Karpathy files give a picture; may be NULL */
    const char *caption; /* valid UTF-8 without NUL; NULL: the entry says that there is none */
    long number;         /* k of id#k; -1 without */
    double confidence;   /* in objects: "confidence" from 0 to 1 (limn --confidence), of the first
                          * record of an entry; NAN for none */
    const char *signals; /* in objects: "signals", an object, as JSON; likewise; NULL for none */
    size_t entry;        /* records of one entry are alternatives, best first; see below */
} limn_caption_record;

/* The records in the order of the file. An entry is a line, or an object of a JSON array: two
 * captions of a picture in one entry are its n-best list, in two entries they are two statements.
 */
typedef struct limn_caption_file {
    limn_caption_record *records; /* [n_records] */
    size_t n_records, n_entries;
    const char *format;          /* "TSV", "JSONL", "COCO annotations" …; static */
    size_t n_without_picture;    /* of a folder: text files that stand beside no picture */
    const char *without_picture; /* the path of the first; NULL when there is none */
    struct limn_caption_strings *strings;
} limn_caption_file;

/* Reads a caption file, or the captions in a folder. `split` (may be NULL: all) names a split of a
 * Karpathy file. Errors begin with the path and name the line and the byte, or the path of the
 * JSON field:
 * LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_FORMAT (NUL, invalid UTF-8, a wrong shape, no caption at all),
 * LIMN_E_LIMIT (the bounds above; 1 MB for the text file of a picture), LIMN_E_ARG (a split where
 * there is none of the name). */
limn_status limn_caption_file_read(limn_caption_file *out, const char *path, const char *split,
                                   limn_error *err);
/* The same for captions whose pictures don't matter: a file whose first line has no tab and that is
 * of no other format is text with a caption a line; ids are then the captions' numbers, from 1. */
limn_status limn_caption_text_file_read(limn_caption_file *out, const char *path, limn_error *err);
void limn_caption_file_finish(limn_caption_file *file); /* accepts a zeroed one; zeroes it */

#endif
