/* Metrics that a corpus need not measure. */
#ifndef LIMN_MODELS_METRICS_CHOICE_H
#define LIMN_MODELS_METRICS_CHOICE_H

#include "models/metrics.h"

/* Leaves out sacreBLEU, whose tokens no other metric needs: asking for its score is then
 * LIMN_E_ARG. Before the first image. */
void limn_metrics_without_sacrebleu(limn_metrics *metrics);

#endif
