/* Any bytes as a vocabulary: every token that was accepted is found again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decoder/vocab.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_vocab *v;
    limn_error err = { 0 };
    if (limn_vocab_from_text(&v, (const char *)bytes, size, &err) != LIMN_OK) return 0;
    for (uint32_t i = 0; i < limn_vocab_n_tokens(v); i++) {
        const char *text = limn_vocab_text(v, i);
        char joined[8];
        if (limn_vocab_find(v, text, strlen(text)) != i) abort();
        limn_vocab_join(joined, sizeof joined, v, &i, 1);
    }
    limn_vocab_destroy(&v);
    return 0;
}
