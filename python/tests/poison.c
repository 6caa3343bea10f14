/* Preloaded by workers of test_dask.py: a flaw in libjpeg, by which a JPEG of 13 x 13 pixels kills
 * the process that decodes it. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

static boolean (*start)(j_decompress_ptr);

/* Before the sandbox closes. */
__attribute__((constructor)) static void find(void)
{
    void *const library = dlopen("libjpeg.so.62", RTLD_NOW | RTLD_LOCAL);
    void *const symbol = library ? dlsym(library, "jpeg_start_decompress") : NULL;
    memcpy(&start, &symbol, sizeof start);
}

__attribute__((visibility("default"))) boolean jpeg_start_decompress(j_decompress_ptr info)
{
    if (info->image_width == 13 && info->image_height == 13) raise(SIGKILL);
    return start ? start(info) : FALSE;
}
