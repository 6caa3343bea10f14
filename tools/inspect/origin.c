#include "tools/inspect/origin.h"

#include <stdio.h>
#include <string.h>

#include "common/io/json.h"
#include "models/convert/published/source_record.h"
#include "tools/inspect/safe_text.h"

bool limn_origin_has_key(const char *key)
{
    return strcmp(key, SOURCE_FILES_KEY) == 0 || strcmp(key, SOURCE_KIND_KEY) == 0 ||
           strcmp(key, SOURCE_LICENCE_KEY) == 0;
}

static void print_line(const char *what, const char *text)
{
    if (!text) return;
    printf("%s: ", what);
    limn_safe_text_print(text, 200);
    putchar('\n');
}

/* A file's line; an entry that is none is left out. */
static void print_file(const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "file"));
    const char *sha256 = json_string_value(json_object_get(entry, "sha256"));
    if (!name || !sha256) return;
    fputs("source: ", stdout);
    limn_safe_text_print(name, 200);
    fputs(", SHA-256 ", stdout);
    limn_safe_text_print(sha256, 64);
    putchar('\n');
}

void limn_origin_print(const limn_safetensors *file)
{
    const char *files = limn_safetensors_metadata(file, SOURCE_FILES_KEY);
    json_t *document = NULL, *entry;
    size_t i;
    print_line("made from", limn_safetensors_metadata(file, SOURCE_KIND_KEY));
    print_line("licence", limn_safetensors_metadata(file, SOURCE_LICENCE_KEY));
    if (files) limn_json_parse(&document, files, strlen(files), NULL);
    json_array_foreach(document, i, entry) print_file(entry);
    json_decref(document);
}
