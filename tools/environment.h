/* The environment of a tool: its cores, the default model. */
#ifndef LIMN_TOOLS_ENVIRONMENT_H
#define LIMN_TOOLS_ENVIRONMENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* Bounds and defaults of options that several tools have. */
#define LIMN_MAX_THREADS 256
#define LIMN_DEFAULT_MODEL "limn-default.safetensors"

/* The cores that this process may use, by its affinity and by the CPU quota of its control group
 * (a container's), 1 … LIMN_MAX_THREADS. */
uint32_t limn_default_threads(void);

/* The path of the default model: `models/` of the build folder that the program stands in, or the
 * data folder of its installation. The caller frees it with limn_free(). LIMN_E_IO says where was
 * looked and what to do; LIMN_E_NOMEM. */
limn_status limn_default_model_path(char **out, limn_error *err);

#endif
