/* Any bytes as an image file: the packet that is put into it is found there again. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tools/annotate/xmp/container.h"

static limn_status append(void *ctx, const void *bytes, size_t size)
{
    limn_buffer_append(ctx, bytes, size);
    return LIMN_OK;
}

static void check(const limn_buffer *file, const limn_buffer *packet)
{
    limn_container c;
    if (limn_container_open(&c, (const uint8_t *)file->bytes, file->size, NULL) ||
        c.packet.size != packet->size || memcmp(c.packet.bytes, packet->bytes, packet->size) != 0)
        abort();
    limn_container_close(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_container c;
    limn_splices splices = { 0 };
    limn_buffer file = { 0 }, packet = { 0 };
    limn_buffer_append_text(&packet, "a packet");
    if (!limn_container_open(&c, bytes, size, NULL) &&
        !limn_container_replace(&splices, &c, &packet, NULL) &&
        !limn_splices_apply(&splices, bytes, size, append, &file))
        check(&file, &packet);
    limn_container_close(&c);
    limn_splices_finish(&splices);
    limn_buffer_finish(&file);
    limn_buffer_finish(&packet);
    return 0;
}
