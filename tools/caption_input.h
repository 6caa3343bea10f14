/* Caption files as all tools read them; what is left out is reported. */
#ifndef LIMN_TOOLS_CAPTION_INPUT_H
#define LIMN_TOOLS_CAPTION_INPUT_H

#include "common/io/captions.h"

/* The formats of caption files, for man pages. */
#define LIMN_CAPTION_FORMATS                                                                       \
    "TSV (id or id#k, a tab, the caption), JSONL, JSON (COCO annotations or results, Karpathy's "  \
    "splits, captions by image …), or a table with a header that names image and caption (CSV; " \
    "also with semicolons, bars or tabs), detected from the content, and each of these gzipped; "  \
    "or a folder of images with NAME.txt, or img2dataset's NAME.json, next to NAME.jpg."

/* The option --keep-rejected. */
#define LIMN_KEEP_REJECTED_HELP "keep captions that are marked as rejected"
#define LIMN_KEEP_REJECTED_DETAIL                                                          \
    "Captions with is_rejected or is_precanned, as in VizWiz, are otherwise left out and " \
    "counted, as in VizWiz' own evaluation."

/* The option --split. */
#define LIMN_SPLIT_HELP "only these splits, separated by commas"
#define LIMN_SPLIT_DETAIL \
    "For files that give each image's split: Karpathy's, and any with a field \"split\"."

/* limn_caption_file_read, which also reports on standard error what was left out and what was
 * guessed. */
limn_status limn_caption_input_read(limn_caption_file *out, const char *path,
                                    const limn_caption_reading *how, limn_error *err);

#endif
