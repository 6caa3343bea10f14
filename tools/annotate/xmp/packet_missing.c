/* For builds without libexempi. */
#include "tools/annotate/xmp/packet.h"

const char *limn_xmp_library(void)
{
    return NULL;
}

limn_status limn_xmp_packet_run(limn_xmp_answer *answer, const limn_xmp_request *request,
                                const char *packet, size_t size, limn_error *err)
{
    (void)answer;
    (void)request;
    (void)packet;
    (void)size;
    return limn_fail(err, LIMN_E_UNSUPPORTED, "this limn was built without libexempi");
}
