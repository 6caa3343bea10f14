/* Decodes each file whose name is read from standard input, one a line, for compare_pillow.py:
 *
 *     ok WIDTH HEIGHT          and then WIDTH x HEIGHT x 3 bytes of RGB
 *     KIND: TEXT               where it can't be read */
#include <stdio.h>
#include <string.h>

#include "common/image/decode.h"
#include "common/image/image.h"
#include "common/io/fileio.h"

#define MAX_FILE_SIZE (256u << 20)

static void decode(const char *path)
{
    const limn_image_settings settings = { .max_pixels = 178956970, .max_side = 65535 };
    limn_file_bytes file;
    limn_image image = { 0 };
    limn_error err = { 0 };
    if (limn_file_bytes_read(&file, path, MAX_FILE_SIZE, &err) == LIMN_OK) {
        if (limn_image_decode(&image, file.bytes, file.size, &settings, &err) == LIMN_OK) {
            printf("ok %u %u\n", image.width, image.height);
            fwrite(image.pixels, 3, (size_t)image.width * image.height, stdout);
        }
        limn_file_bytes_free(&file);
    }
    if (!image.pixels) printf("%s: %s\n", limn_status_name(err.code), err.text);
    limn_image_finish(&image);
    fflush(stdout);
}

int main(void)
{
    char path[8192];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        decode(path);
    }
    return 0;
}
