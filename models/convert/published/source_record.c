#include "models/convert/published/source_record.h"

#include <string.h>

#include "common/text/path.h"
#include "common/io/file_sha256.h"

/* Files of weights whose SHA-256 was seen on the hub's own pages. */
static const struct {
    const char *sha256, *what;
} known_files[] = {
    { "ebc867586b8318647dd7b75ef8e52f93f89b98ac7dcbd04d10219d33b9a68c6f",
      "Salesforce/blip-image-captioning-large, model.safetensors" },
    { "66c8aec8d91b5e74b86bde343ed95fb53e9ccf9ffc77c5093890df662d234e04",
      "Salesforce/blip-image-captioning-large, pytorch_model.bin" },
    { "2605a69b760d0b218c3b5d2069ba070d28f279a16ce4bc87bf019b75a91553e6",
      "nlpconnect/vit-gpt2-image-captioning, pytorch_model.bin" },
};

limn_status source_record_add(source_record *record, const char *path, limn_error *err)
{
    char sha256[LIMN_SHA256_TEXT];
    LIMN_TRY(limn_file_sha256(sha256, path, err));
    for (size_t i = 0; i < sizeof known_files / sizeof *known_files; i++)
        if (strcmp(known_files[i].sha256, sha256) == 0) record->known = known_files[i].what;
    if (!record->files) record->files = json_array();
    if (json_array_append_new(record->files, json_pack("{s:s, s:s}", "file", limn_path_last(path),
                                                       "sha256", sha256)) == 0)
        return LIMN_OK;
    return limn_fail(err, LIMN_E_FORMAT, "%s: its name is not UTF-8", path);
}

const char *source_record_sha256(const source_record *record, const char *name)
{
    json_t *entry;
    size_t i;
    json_array_foreach(record->files, i,
                       entry) if (strcmp(json_string_value(json_object_get(entry, "file")), name) ==
                                  0) return json_string_value(json_object_get(entry, "sha256"));
    return NULL;
}

void source_record_finish(source_record *record)
{
    json_decref(record->files);
    *record = (source_record){ NULL, NULL };
}
