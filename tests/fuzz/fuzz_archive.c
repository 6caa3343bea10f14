/* Any bytes as an archive: names stay inside, members may be read, and it comes to an end. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/archive_reader.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_MEMBERS = 10000, MAX_SIZE = 1 << 20 };

static void check_name(const char *name)
{
    if (*name == '/' || !*name) abort();
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (!strcmp(part, "..") || !strncmp(part, "../", 3)) abort();
    }
}

static void read_member(limn_archive *a, size_t i)
{
    unsigned char head[32], *bytes = NULL;
    size_t size;
    unsigned sum = 0;
    if (i % 3 == 2) return;
    if (i % 3 == 1) limn_archive_peek(a, head, sizeof head, &size, NULL);
    if (limn_archive_read(a, &bytes, &size, MAX_SIZE, NULL) == LIMN_OK)
        for (size_t k = 0; k < size; k++) sum += bytes[k];
    fuzz_use(sum);
    limn_free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_archive *a;
    limn_archive_member m = { .name = "" };
    if (limn_archive_open_memory(&a, bytes, size, NULL) != LIMN_OK) return 0;
    for (size_t i = 0; i < MAX_MEMBERS && m.name; i++)
        if (limn_archive_next(a, &m, NULL) == LIMN_OK && m.name) {
            check_name(m.name);
            read_member(a, i);
        }
    limn_archive_close(&a);
    return 0;
}
