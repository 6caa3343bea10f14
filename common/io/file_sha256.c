#include "common/io/file_sha256.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

limn_status limn_file_sha256(char *text, const char *path, limn_error *err)
{
    struct sha256_ctx sha;
    uint8_t bytes[1 << 16], digest[SHA256_DIGEST_SIZE];
    FILE *f = fopen(path, "rb");
    size_t n;
    if (!f) return limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
    sha256_init(&sha);
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0) sha256_update(&sha, n, bytes);
    const bool has_failed = ferror(f) != 0;
    fclose(f);
    if (has_failed) return limn_fail(err, LIMN_E_IO, "%s: can't be read to its end", path);
    sha256_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return LIMN_OK;
}
