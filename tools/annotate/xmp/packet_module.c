#include "tools/annotate/xmp/packet_module.h"

#include <pthread.h>
#include <stddef.h>

#include "tools/annotate/decoders/module_file.h"

#if HAVE_XMP

/* A program may be linked with the module's source, as tests are. */
#pragma weak limn_xmp_module_here

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards `module` */
static const limn_xmp_module *module;                     /* NULL: not opened yet */

const char *limn_xmp_library(void)
{
    return "exempi " EXEMPI_VERSION;
}

static limn_status open_module(limn_error *err)
{
    char reason[256];
    module = &limn_xmp_module_here;
    if (!module)
        module =
            limn_module_open_file("limn_xmp.so", LIMN_XMP_MODULE_SYMBOL, reason, sizeof reason);
    if (module) return LIMN_OK;
    return limn_fail(err, LIMN_E_UNSUPPORTED, "the XMP module can't be opened: %s", reason);
}

limn_status limn_xmp_packet_prepare(limn_error *err)
{
    pthread_mutex_lock(&mutex);
    const limn_status s = module ? LIMN_OK : open_module(err);
    pthread_mutex_unlock(&mutex);
    return s;
}

limn_status limn_xmp_packet_run(limn_xmp_answer *answer, const limn_xmp_request *request,
                                const char *packet, size_t size, limn_error *err)
{
    LIMN_TRY(limn_xmp_packet_prepare(err));
    return module->run(answer, request, packet, size, err);
}

#else

const char *limn_xmp_library(void)
{
    return NULL;
}

limn_status limn_xmp_packet_prepare(limn_error *err)
{
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "XMP: this limn was built without libexempi (Debian: libexempi-dev; Meson: "
                     "-Dxmp=enabled)");
}

limn_status limn_xmp_packet_run(limn_xmp_answer *answer, const limn_xmp_request *request,
                                const char *packet, size_t size, limn_error *err)
{
    (void)answer;
    (void)request;
    (void)packet;
    (void)size;
    return limn_xmp_packet_prepare(err);
}

#endif
