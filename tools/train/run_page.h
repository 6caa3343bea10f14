/* The page of a training run, to look at while it goes on: curves of loss, learning rate, gradient
 * norm, speed and development scores, captions of the same images as they change, the settings.
 * One HTML file that asks the network for nothing. */
#ifndef LIMN_TOOLS_TRAIN_RUN_PAGE_H
#define LIMN_TOOLS_TRAIN_RUN_PAGE_H

#include "common/base/status.h"

/* Replaces the page at `html_path` by what the log says now (models/train/run_folder.h), and
 * run.json beside the log if there is one. A torn last line is left out; the page loads itself
 * again until the log has a line "end". Long runs are thinned, so that the page stays below 1 MB;
 * the time it takes grows with the log, about 5 ms for 1000 lines. LIMN_E_IO, LIMN_E_NOMEM;
 * LIMN_E_FORMAT for another line that is not a JSON object, with its number. */
limn_status limn_run_page_write(const char *html_path, const char *log_path, limn_error *err);

#endif
