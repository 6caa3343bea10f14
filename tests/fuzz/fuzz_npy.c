/* Any bytes as a .npy array: the data of what was accepted lie within them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/io/npy_array.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_npy_array m;
    limn_error err = { 0 };
    if (limn_npy_array_open_memory(&m, bytes, size, &err) != LIMN_OK) return 0;
    if ((const uint8_t *)m.data + m.size != bytes + size) abort();
    if (m.size > 0) fuzz_use(((const uint8_t *)m.data)[m.size - 1]);
    limn_npy_array_close(&m);
    return 0;
}
