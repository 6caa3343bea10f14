/* Which archive has which output file. For sink_shards.c, whose readers and writer share it; it has
 * its own lock. Any thread. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SHARD_CLAIMS_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SHARD_CLAIMS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/io/dirwalk.h"

typedef struct limn_shard_claim {
    char *archive, *output; /* paths; the output's with the folder */
    size_t number;          /* limn_dirwalk_entry.archive_number */
    bool was_there;         /* its output existed, from an earlier run */
} limn_shard_claim;

typedef struct limn_shard_claims {
    pthread_mutex_t mutex;
    const char *folder, *extension;
    limn_shard_claim **items; /* [n_items], in the order of the archives; each stays where it is */
    size_t n_items, capacity;
} limn_shard_claims;

void limn_shard_claims_init(limn_shard_claims *c, const char *folder, const char *extension);
void limn_shard_claims_finish(limn_shard_claims *c);

/* The claim of the archive that `input` is a member of, made on first use. LIMN_E_ARG: it is not in
 * an archive, or an archive named before has the same output; LIMN_E_NOMEM. */
limn_status limn_shard_claims_find(limn_shard_claims *c, const limn_dirwalk_entry *input,
                                   const limn_shard_claim **out, limn_error *err);

#endif
