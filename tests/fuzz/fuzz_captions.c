/* Any bytes as a caption file of every format: captions that were accepted are UTF-8 within their
 * bound. */
#define _GNU_SOURCE /* memfd_create */

#include <string.h>

#include "common/io/captions.h"
#include "common/text/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

static void check(const limn_caption_file *file)
{
    for (size_t i = 0; i < file->n_records; i++) {
        const limn_caption_record *r = &file->records[i];
        const size_t size = r->caption ? strlen(r->caption) : 0;
        if (strlen(r->id) > LIMN_CAPTION_MAX_SIZE || size > LIMN_CAPTION_MAX_SIZE ||
            r->entry >= file->n_entries || (r->alias && !*r->alias))
            abort();
        if (r->caption && limn_utf8_valid_size(r->caption, size) != size) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const limn_caption_reading ways[] = { { .split = NULL },
                                                 { .split = "test,val", .keep_rejected = true },
                                                 { .may_be_plain = true } };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        limn_caption_file file = { 0 };
        if (limn_caption_file_read(&file, fuzz_path(bytes, size), &ways[i], NULL) == LIMN_OK)
            check(&file);
        limn_caption_file_finish(&file);
    }
    return 0;
}
