/* Caption files as the tools read them: the same for all, and what is left out is said. */
#ifndef LIMN_TOOLS_CAPTION_INPUT_H
#define LIMN_TOOLS_CAPTION_INPUT_H

#include "common/io/captions.h"

/* What --help says of caption files. */
#define LIMN_CAPTION_FORMATS                                                                      \
    "TSV (id or id#k, a tab, the caption), JSONL, JSON (COCO annotations or results, Karpathy's " \
    "splits, captions by image …), or a table with a header that names image and caption "      \
    "(CSV; also with semicolons, bars or tabs), told apart by content, each also gzipped; or a "  \
    "folder of images with captions beside them: NAME.txt, or img2dataset's NAME.json, for "      \
    "NAME.jpg."

/* What --help says of the option --keep-rejected. */
#define LIMN_KEEP_REJECTED_HELP "also captions marked as unfit"
#define LIMN_KEEP_REJECTED_DETAIL                                                         \
    "Captions that have is_rejected or is_precanned, as VizWiz marks them, are left out " \
    "and counted without it, as VizWiz' own evaluation does."

/* What --help says of the option --split. */
#define LIMN_SPLIT_HELP "only these splits, with commas between"
#define LIMN_SPLIT_DETAIL \
    "Of files that say each image's split: Karpathy's, and any with a field \"split\"."

/* limn_caption_file_read, and says on standard error what was left out and what was guessed. */
limn_status limn_caption_input_read(limn_caption_file *out, const char *path,
                                    const limn_caption_reading *how, limn_error *err);

#endif
