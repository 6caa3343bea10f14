#include "models/convert/published/siblings.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/io/fileio.h"
#include "common/text/path.h"

static const struct {
    const char *name, *what;
} names[] = {
    { "BlipForQuestionAnswering", "BLIP for questions (VQA)" },
    { "BlipForImageTextRetrieval", "BLIP for retrieval" },
    { "BlipModel", "BLIP without a decoder" },
    { "blip-2", "BLIP-2" },
    { "instructblip", "InstructBLIP" },
    { "florence2", "Florence-2" },
    { "kosmos-2", "Kosmos-2" },
    { "llava", "LLaVA" },
    { "mllama", "Llama with images" },
    { "paligemma", "PaliGemma" },
    { "pix2struct", "Pix2Struct" },
    { "ofa", "OFA" },
    { "git_vision_model", "GIT's image encoder alone" },
    { "GitModel", "GIT without its output" },
    { "GitVisionModel", "GIT's image encoder alone" },
    { "blip_text_model", "BLIP's text model alone" },
    { "blip_vision_model", "BLIP's image encoder alone" },
    { "FlaxVisionEncoderDecoderModel", "a Flax model" },
    { "TFVisionEncoderDecoderModel", "a TensorFlow model" },
    { "clip", "CLIP, which writes no captions" },
    { "vit", "an image encoder alone" },
    { "gpt2", "a language model alone" },
};

const char *sibling_of_name(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, name) == 0) return names[i].what;
    return NULL;
}

/* ---- formats ------------------------------------------------------------------------------ */

static const struct {
    const char *ending, *magic, *what;
} formats[] = {
    { ".msgpack", NULL, "Flax weights" },          { ".h5", "\x89HDF", "TensorFlow weights" },
    { ".onnx", NULL, "an ONNX network" },          { ".gguf", "GGUF", "a GGUF file" },
    { ".tflite", NULL, "a TensorFlow Lite file" }, { ".ot", NULL, "weights for Rust" },
    { ".index", NULL, "a TensorFlow checkpoint" },
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

static bool ends_with(const char *name, const char *ending)
{
    const size_t size = strlen(name), n = strlen(ending);
    return size >= n && strcmp(name + size - n, ending) == 0;
}

static const char *format_of_name(const char *name)
{
    for (size_t i = 0; i < N_FORMATS; i++)
        if (ends_with(name, formats[i].ending)) return formats[i].what;
    return NULL;
}

limn_status sibling_check_file(const char *path, limn_error *err)
{
    unsigned char head[8] = { 0 };
    size_t n;
    const char *what = format_of_name(path);
    LIMN_TRY(limn_file_head(head, &n, sizeof head, path, err));
    for (size_t i = 0; i < N_FORMATS; i++)
        if (formats[i].magic && memcmp(head, formats[i].magic, 4) == 0) what = formats[i].what;
    if (!what) return LIMN_OK;
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "%s: is %s, expected a file of PyTorch or a .safetensors", path, what);
}

limn_status sibling_fail_folder(const char *folder, limn_error *err)
{
    DIR *dir = opendir(folder);
    char found[256] = "";
    for (struct dirent *entry; dir && (entry = readdir(dir)) && !found[0];) {
        const char *what = format_of_name(entry->d_name);
        if (what) snprintf(found, sizeof found, "; %.120s is %s", entry->d_name, what);
    }
    if (dir) closedir(dir);
    return limn_fail(err, LIMN_E_FORMAT,
                     "%s: has no weights: expected model.safetensors or pytorch_model.bin, or the "
                     "index of their parts%s",
                     folder, found);
}
