/* Any bytes as a PyTorch file: all data of what was accepted may be read. */
#include <stddef.h>
#include <stdint.h>

#include "common/io/pth.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_pth *f;
    limn_error err = { 0 };
    unsigned sum = 0;
    if (limn_pth_open_memory(&f, bytes, size, &err) != LIMN_OK) return 0;
    for (size_t i = 0; i < limn_pth_n_tensors(f); i++) {
        const limn_tensor *t = limn_pth_at(f, i);
        for (size_t b = 0; b < t->size; b++) sum += ((const unsigned char *)t->data)[b];
    }
    fuzz_use(sum);
    limn_pth_close(&f);
    return 0;
}
