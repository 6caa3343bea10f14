/* A corpus that computes some of the metrics only. */
#ifndef LIMN_MODELS_METRICS_CHOICE_H
#define LIMN_MODELS_METRICS_CHOICE_H

#include "models/metrics.h"

/* A set of metrics: bit 1 << limn_metric of each. */
typedef uint32_t limn_metric_set;
enum { LIMN_ALL_METRICS = (1 << LIMN_N_METRICS) - 1 };

/* As limn_metrics_create, but no time goes to metrics that are not in `set`, and asking for the
 * score of one is LIMN_E_ARG. An empty set is enough for limn_metrics_tokenize. `meteor_folder` is
 * read only if METEOR is in the set. LIMN_E_ARG also for METEOR without its folder and for unknown
 * bits.
 */
limn_status limn_metrics_create_for(limn_metrics **out, limn_metric_set set,
                                    const char *meteor_folder, limn_error *err);

#endif
