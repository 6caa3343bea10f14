/* limn-sandbox: the program that large processes start for a sandbox in which images are decoded.
 * It has no options and prints no results; sandbox.h says what it does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/annotate/decoders/decoder_modules.h"
#include "tools/annotate/loader/image_work.h"
#include "tools/annotate/sandbox/sandbox.h"

int main(int argc, char **argv)
{
    const limn_sandbox_settings own = { .work = limn_image_work, .prepare = limn_modules_prepare };
    if (argc == 2 && !strcmp(argv[1], LIMN_SANDBOX_ARGUMENT)) return limn_sandbox_host(&own);
    fputs("limn-sandbox: limn starts this program itself; there is no need to run it\n", stderr);
    return EXIT_FAILURE;
}
