/* Decodes each file named on standard input, one per line, for check_photos.py:
 *
 *     ok WIDTH HEIGHT NOTE     and then WIDTH x HEIGHT x 3 bytes of RGB
 *     KIND: TEXT               if it can't be read
 *
 * The argument, if any, is the largest number of pixels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/image/image.h"
#include "common/io/fileio.h"
#include "tools/annotate/decoders/photo_decode.h"

#define MAX_FILE_SIZE (256u << 20)

static void decode(const char *path, const limn_image_settings *settings)
{
    limn_file_bytes file;
    limn_image image = { 0 };
    limn_error err = { 0 };
    if (limn_file_bytes_read(&file, path, MAX_FILE_SIZE, &err) == LIMN_OK) {
        if (limn_photo_decode(&image, file.bytes, file.size, settings, &err) == LIMN_OK) {
            printf("ok %u %u %s\n", image.width, image.height, err.text);
            fwrite(image.pixels, 3, (size_t)image.width * image.height, stdout);
        }
        limn_file_bytes_free(&file);
    }
    if (!image.pixels) printf("%s: %s\n", limn_status_name(err.code), err.text);
    limn_image_finish(&image);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    limn_image_settings settings = limn_image_settings_default();
    char path[8192];
    if (argc > 1) settings.max_pixels = strtoull(argv[1], NULL, 10);
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        decode(path, &settings);
    }
    return 0;
}
