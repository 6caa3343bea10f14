/* All results in one file, or into a descriptor. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SINK_FILE_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SINK_FILE_H

#include "tools/annotate/sinks/sink.h"
#include "tools/annotate/writers/writer.h"

/* `path` NULL or "-" is `fd`; a pipe or device is written directly. Else PATH is a new
 * file, or one of `writer`'s format that results are added to, those that it has being kept and not
 * made again; it is PATH.part until the run is complete, with a journal PATH.limn-run. A symbolic
 * link stands for what it leads to. A PATH.part that is there without a journal and without a PATH
 * becomes PATH. LIMN_E_ARG when PATH is a folder; LIMN_E_NOMEM. */
limn_status limn_sink_file_create(limn_sink **out, const char *path, int fd,
                                  const limn_writer *writer, limn_error *err);

#endif
