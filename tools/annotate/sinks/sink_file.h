/* All results in one file, or into a descriptor. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SINK_FILE_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SINK_FILE_H

#include "tools/annotate/sinks/sink.h"
#include "tools/annotate/writers/writer.h"

/* `path` NULL or "-" is `fd`; a pipe or device is written directly. Otherwise PATH is a new file,
 * or an existing one in `writer`'s format to which results are added, while those it has are kept
 * and not recomputed; it is PATH.part until the run is complete, with a journal PATH.limn-run.
 * Symbolic links are followed. A PATH.part without a journal and without a PATH becomes PATH.
 * LIMN_E_ARG when PATH is a folder; LIMN_E_NOMEM. */
limn_status limn_sink_file_create(limn_sink **out, const char *path, int fd,
                                  const limn_writer *writer, limn_error *err);

#endif
