/* Small images (PPM) in the folder of temp_folder.h, each different from the others. */
#ifndef LIMN_TESTS_UNIT_IMAGE_FILES_H
#define LIMN_TESTS_UNIT_IMAGE_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/rng.h"
#include "models/train/image_names.h"
#include "tests/unit/temp_folder.h"

/* width x height pixels of noise that the name and `salt` determine. */
static inline void write_image(const char *name, unsigned width, unsigned height, uint64_t salt)
{
    limn_rng rng = limn_rng_stream(salt, name, strlen(name));
    FILE *file = fopen(temp_path(name), "wb");
    if (!file) return;
    fprintf(file, "P6\n%u %u\n255\n", width, height);
    for (size_t i = 0; i < (size_t)3 * width * height; i++)
        putc((int)limn_rng_below(&rng, 256), file);
    fclose(file);
}

/* Images p0.ppm … of 20 x 24 pixels, and their names. */
static inline void write_images(limn_image_names *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%zu.ppm", i);
        write_image(name, 20, 24, 0);
        limn_image_names_add(names, name, NULL);
    }
}

#endif
