/* limn-eval --fit: a confidence (models/confidence.h), fitted to captions that tell their signals.
 */
#ifndef LIMN_TOOLS_EVAL_EVAL_FIT_H
#define LIMN_TOOLS_EVAL_EVAL_FIT_H

#include "models/confidence_fit.h"
#include "tools/eval/eval_options.h"

/* Captions of one or more sets. Zero-initialise. */
typedef struct limn_eval_fit {
    limn_confidence_example *examples; /* [n_examples], set after set in the order of references */
    size_t n_examples, capacity;
    size_t n_without; /* captions that tell none: they count for document frequencies alone */
} limn_eval_fit;

void limn_eval_fit_finish(limn_eval_fit *fit);

/* Fits to --refs and --hyps and each --also, writes the file of --fit, and appends to `out` what it
 * came to: also how good it is at captions that it was not fitted to, by five parts of which each
 * gets its confidence by a fit to the others. LIMN_E_ARG: no signals, too few captions; errors
 * of reading and writing. */
limn_status limn_eval_fit_run(limn_buffer *out, const limn_eval_options *options,
                              const limn_eval_settings *settings, limn_error *err);

#endif
