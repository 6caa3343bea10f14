/* How a run was started, kept in its run.json: --resume starts it again the
 * same way. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_ARGUMENTS_H
#define LIMN_TOOLS_TRAIN_TRAIN_ARGUMENTS_H

#include "common/base/status.h"

typedef struct limn_train_arguments {
    char **argv; /* [argc + 1], NULL at the end */
    int argc;
    char *run; /* absolute path of the run's folder */
} limn_train_arguments;

/* Writes version, current folder and arguments to `path`. LIMN_E_ARG when one
 * is not UTF-8, LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_train_arguments_write(const char *path, int argc, char **argv, limn_error *err);
/* Reads RUN/run.json, and goes to the folder that the run was started in, since
 * paths may be relative to it. LIMN_E_ARG when there is none, LIMN_E_FORMAT,
 * LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_train_arguments_read(limn_train_arguments *out, const char *run, limn_error *err);
void limn_train_arguments_finish(limn_train_arguments *a); /* accepts a zeroed one */

#endif
