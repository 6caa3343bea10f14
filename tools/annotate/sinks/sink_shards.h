/* The results of each archive in a file of its own: FOLDER/SHARD.jsonl for shards/SHARD.tar (or
 * FOLDER/SUB/SHARD.jsonl for SUB/SHARD.tar below a folder that was named), or, with endings, the
 * copy FOLDER/SHARD.tar of it with members added (tools/annotate/sinks/shard_tar.h).
 *
 * An archive whose file is there is done and skipped. A file is SHARD.jsonl.part until its
 * archive is at its end; the journal is FOLDER/limn.limn-run. An archive that breaks off leaves
 * no file, so that the next run tries it again. An image outside an archive fails, as do the
 * images of an archive whose file would be that of another one, or of itself when it is named
 * twice. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SINK_SHARDS_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SINK_SHARDS_H

#include "tools/annotate/sinks/sink.h"
#include "tools/annotate/writers/writer.h"

/* `folder` is made when it is not there. `endings` [n_endings] are borrowed; with 1 or more,
 * `writer` must be limn_writer_jsonl. LIMN_E_ARG: `folder` is no folder; LIMN_E_IO,
 * LIMN_E_NOMEM. */
limn_status limn_sink_shards_create(limn_sink **out, const char *folder, const limn_writer *writer,
                                    const char *const *endings, size_t n_endings, limn_error *err);

#endif
