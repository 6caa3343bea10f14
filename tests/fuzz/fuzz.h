/* What the fuzz entries share. Each fuzz_NAME.c is linked with libFuzzer (-Dfuzzing=libfuzzer) or
 * with replay_main.c, which runs it over files. */
#ifndef LIMN_TESTS_FUZZ_FUZZ_H
#define LIMN_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Keeps the reading of a result from being optimised away; uninitialised bytes show here. */
static inline void fuzz_use(unsigned value)
{
    static volatile unsigned sink;
    if (value == 0xFFFFFFFFu) sink = value;
    (void)sink;
}

#endif
