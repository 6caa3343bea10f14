/* The command line of limn-train, and what it means for each stage. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_OPTIONS_H
#define LIMN_TOOLS_TRAIN_TRAIN_OPTIONS_H

#include <stdbool.h>

#include "models/train/training_settings.h"
#include "tools/cli.h"

typedef struct limn_train_options {
    limn_training_settings training;
    const char *run, *resume; /* folder of a new run, or of one that goes on */
    const char *output;       /* file of the model; NULL: none but in the folder */
    unsigned sandbox;         /* a limn_sandbox_use */
    bool is_plan, is_quiet, is_verbose;
} limn_train_options;

/* Its rows tell the defaults of limn_train_options_default. Static storage; not thread-safe. */
const limn_cli_tool *limn_train_tool(void);

limn_train_options limn_train_options_default(void);

/* Options that contradict each other or lack a companion: prints what to do,
 * and returns false. */
bool limn_train_options_check(const limn_train_options *options);

#endif
