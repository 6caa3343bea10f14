/* Any bytes as a safetensors file, and as a model file: all that was accepted may be read. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "models/document_frequencies.h"
#include "models/model_file.h"
#include "tests/fuzz/fuzz.h"

static void read_tensors(const limn_safetensors *f)
{
    unsigned sum = 0;
    for (size_t i = 0; i < limn_safetensors_n_tensors(f); i++) {
        const limn_tensor *t = limn_safetensors_at(f, i), *found;
        const unsigned char *data = t->data;
        if (!limn_safetensors_find(f, t->name)) abort();
        limn_safetensors_require(&found, f, t->name, t->n_dims, t->shape, NULL);
        if (t->size > 0) sum += data[0] + data[t->size - 1];
    }
    fuzz_use(sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_safetensors *f;
    limn_model_file model;
    limn_document_frequencies *frequencies;
    limn_error err = { 0 };
    if (limn_safetensors_open_memory(&f, bytes, size, &err) == LIMN_OK) {
        read_tensors(f);
        limn_document_frequencies_read(&frequencies, f, NULL);
        limn_document_frequencies_destroy(&frequencies);
        limn_safetensors_close(&f);
    }
    if (limn_model_file_open_memory(&model, bytes, size, NULL) == LIMN_OK)
        limn_model_file_close(&model);
    return 0;
}
