/* The account that limn gives at the end of a run, and its exit code. */
#ifndef LIMN_TOOLS_LIMN_CAPTION_REPORT_H
#define LIMN_TOOLS_LIMN_CAPTION_REPORT_H

#include "tools/annotate/annotate.h"

/* Tells what became of the images: done, skipped, failed by cause, and what was left out; that
 * the run was interrupted and how it goes on; or what ended it, from `err`. Says nothing when all
 * was done and nobody asked (-v). `is_part`: it was one of several parts (--shard), which may be
 * empty. Returns the exit code. */
int limn_caption_report(const limn_account *account, bool is_part, limn_status status,
                        const limn_error *err);

/* The same after a dry run. */
int limn_caption_report_dry(const limn_account *account, bool is_part, limn_status status,
                            const limn_error *err);

#endif
