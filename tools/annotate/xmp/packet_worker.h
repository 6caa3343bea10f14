/* Work on XMP packets from files that anybody may have made, in a sandbox: libexempi is C++ that
 * parses XML and rebuilds trees. Each packet gets a process that can only compute, within limits of
 * memory and time, and that ends with it (tools/annotate/sandbox/sandbox.h); beforehand a packet is
 * refused that is too large, not UTF-8, or declares a document type or entities. */
#ifndef LIMN_TOOLS_ANNOTATE_XMP_PACKET_WORKER_H
#define LIMN_TOOLS_ANNOTATE_XMP_PACKET_WORKER_H

#include "tools/annotate/xmp/packet.h"

#define LIMN_XMP_MAX_SIZE ((size_t)4 << 20)    /* bytes of a packet */
#define LIMN_XMP_MAX_TEXTS ((size_t)256 << 10) /* bytes of a request's texts, all together */

typedef struct limn_xmp_worker limn_xmp_worker;

/* As limn_decoders_start; without a sandbox, and where there can be none because of a sanitizer or
 * valgrind, packets are worked on in this process, one at a time. LIMN_E_UNSUPPORTED (built without
 * exempi, or no sandbox), LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_xmp_worker_start(limn_xmp_worker **out, limn_sandbox_use use,
                                  const limn_annotate_hooks *hooks, limn_error *err);
void limn_xmp_worker_stop(limn_xmp_worker **w); /* accepts NULL and *w == NULL; nulls it */

/* limn_xmp_packet_run; any thread. Also LIMN_E_LIMIT (LIMN_XMP_MAX_SIZE, LIMN_XMP_MAX_TEXTS, too
 * much memory or time), LIMN_E_CRASHED (the process died of it), LIMN_E_IO. Errors don't name the
 * file. The caller finishes answer->packet. */
limn_status limn_xmp_worker_run(limn_xmp_worker *w, limn_xmp_answer *answer,
                                const limn_xmp_request *request, const char *packet, size_t size,
                                limn_error *err);

#endif
