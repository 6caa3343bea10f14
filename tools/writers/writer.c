#include "tools/writers/writer.h"

#include <string.h>

const limn_writer *const limn_writers[] = { &limn_writer_text, &limn_writer_jsonl, NULL };
const char *const limn_writer_names[] = { "text", "jsonl", NULL };

const limn_writer *limn_writer_for(const char *path)
{
    const size_t size = strlen(path);
    for (size_t i = 0; limn_writers[i]; i++) {
        const char *extension = limn_writers[i]->extension;
        const size_t n = strlen(extension);
        if (size > n && !strcmp(path + size - n, extension))
            return limn_writers[i];
    }
    return NULL;
}

unsigned limn_writer_number(const limn_writer *writer)
{
    unsigned i = 0;
    while (limn_writers[i] != writer)
        i++;
    return i;
}
