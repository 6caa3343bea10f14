/* The results of each archive in a file of its own: FOLDER/SHARD.jsonl for shards/SHARD.tar (or
 * FOLDER/SUB/SHARD.jsonl for SUB/SHARD.tar below a folder that was named), or, with endings, the
 * copy FOLDER/SHARD.tar of it with members added (tools/annotate/sinks/shard_tar.h).
 *
 * An archive whose file exists is done and skipped. A file is SHARD.jsonl.part until the end of its
 * archive; the journal is FOLDER/limn.limn-run. A truncated archive leaves no file, so that the
 * next run tries it again. An image outside an archive fails, as do the images of an archive whose
 * file would collide with another archive's, or with its own when it is named twice. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SINK_SHARDS_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SINK_SHARDS_H

#include "tools/annotate/sinks/output_owners.h"
#include "tools/annotate/sinks/sink.h"
#include "tools/annotate/writers/writer.h"

/* `folder` is made if it does not exist. `endings` [n_endings] are borrowed; with 1 or more,
 * `writer` must be limn_writer_jsonl. `siblings`, borrowed and sorted: images that are skipped
 * (limn_tar_sibling_key). LIMN_E_ARG: `folder` is not a folder; LIMN_E_IO,
 * LIMN_E_NOMEM. */
limn_status limn_sink_shards_create(limn_sink **out, const char *folder, const limn_writer *writer,
                                    const char *const *endings, size_t n_endings,
                                    const limn_output_owners *siblings, limn_error *err);

#endif
