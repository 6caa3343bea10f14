#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"
#include "models/train/sample_images.h"

#define MAX_SIZE ((size_t)1 << 20)   /* bytes of the file */
#define MAX_IMAGE ((size_t)40 << 10) /* bytes of one of its texts */
#define BEGINNING "data:image/jpeg;base64,"

static bool is_image(const json_t *value)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    const size_t size = strlen(text), begins = strlen(BEGINNING);
    return size <= MAX_IMAGE && strncmp(text, BEGINNING, begins) == 0 &&
           strspn(text + begins,
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
               size - begins;
}

json_t *limn_sample_images_read(const char *path)
{
    json_t *file = NULL, *out = json_object(), *value;
    unsigned char *text = NULL;
    const char *name;
    size_t size;
    if (limn_file_read(&text, &size, path, MAX_SIZE, NULL) == LIMN_OK)
        limn_json_parse(&file, text, size, NULL);
    json_object_foreach(file, name, value) if (is_image(value) && json_object_size(out) < 16)
        json_object_set(out, name, value);
    json_decref(file);
    limn_free(text);
    return out;
}
