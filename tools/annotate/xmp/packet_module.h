/* libexempi as a module, limn_xmp.so: a run that writes no XMP neither loads it nor the C++ library
 * under it. The module is tools/annotate/xmp/packet.c; programs call it through packet.h. */
#ifndef LIMN_TOOLS_ANNOTATE_XMP_PACKET_MODULE_H
#define LIMN_TOOLS_ANNOTATE_XMP_PACKET_MODULE_H

#include "tools/annotate/decoders/decoder_module.h"
#include "tools/annotate/xmp/packet.h"

typedef struct limn_xmp_module {
    /* limn_xmp_packet_run */
    limn_status (*run)(limn_xmp_answer *answer, const limn_xmp_request *request, const char *packet,
                       size_t size, limn_error *err);
} limn_xmp_module;

#define LIMN_XMP_MODULE_SYMBOL "limn_xmp_module_here"
extern LIMN_MODULE_EXPORT const limn_xmp_module limn_xmp_module_here;

#endif
