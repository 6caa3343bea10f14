/* Any bytes as results of an earlier run, in every format, and as the journal of one. */
#define _GNU_SOURCE /* memfd_create */

#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"
#include "tools/annotate/journal/journal_past.h"
#include "tools/annotate/sinks/existing_lines.h"

static void read_results(const uint8_t *bytes, size_t size, const limn_writer *writer)
{
    limn_existing_lines lines = { 0 };
    limn_name_set names = { 0 };
    if (limn_existing_lines_read(&lines, &names, fuzz_path(bytes, size), writer, NULL) == LIMN_OK &&
        lines.size > size)
        abort();
    limn_name_set_finish(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    limn_journal_past past = { 0 };
    char *text = calloc(size + 1, 1);
    if (!text) return 0;
    memcpy(text, bytes, size);
    for (unsigned i = 0; i < LIMN_N_FORMATS; i++)
        read_results(bytes, size, limn_writer_of((limn_format)i, false));
    limn_journal_past_read(&past, text, size, "journal", NULL);
    limn_journal_past_finish(&past);
    free(text);
    return 0;
}
