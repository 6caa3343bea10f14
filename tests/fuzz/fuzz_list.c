/* Any bytes as a list of names: entries come out whole, within their bound, and to an end. */
#define _GNU_SOURCE /* memfd_create */

#include <string.h>

#include "common/io/list_reader.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

static void read_list(const uint8_t *bytes, size_t size, char separator)
{
    static limn_list_reader r;
    const char *entry = "";
    limn_list_reader_init(&r, fuzz_file(bytes, size), -1, separator);
    for (size_t n = 0; entry; n++) {
        limn_error err = { 0 };
        const limn_status s = limn_list_reader_next(&r, &entry, &err);
        if (n > size || (s != LIMN_OK && s != LIMN_E_LIMIT && s != LIMN_E_FORMAT)) abort();
        if (s != LIMN_OK)
            entry = "";
        else if (entry && (!*entry || strlen(entry) > LIMN_LIST_MAX_PATH ||
                           (separator && strchr(entry, separator))))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    read_list(bytes, size, '\n');
    read_list(bytes, size, '\0');
    return 0;
}
