/* Runs a fuzz entry over the files of the given folders: the corpus as a plain test.
 *
 *     replay_NAME [--damaged N] FOLDER...
 *
 * --damaged: over N copies of each file too, each damaged in another way, the same in every run. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/fileio.h"
#include "tests/fuzz/fuzz.h"

#define MAX_FILE_SIZE (16u << 20)

static unsigned n_damaged; /* copies of each file */

static unsigned next_number(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

/* Replays a block of just that size, so that reading beyond it shows. */
static void replay_damaged(const unsigned char *bytes, size_t size, unsigned seed)
{
    unsigned state = seed * 2654435761u + (unsigned)size;
    size_t n = seed % 3 ? size : 1 + next_number(&state) % size; /* every third one is cut */
    unsigned char *copy = malloc(n);
    if (!copy) return;
    memcpy(copy, bytes, n);
    for (unsigned i = 0; seed % 3 && i < 1 + seed % 4; i++) { /* headers are hit more often */
        size_t range = i % 2 || n < 64 ? n : 64;
        copy[next_number(&state) % range] = (unsigned char)next_number(&state);
    }
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static int replay_file(const char *path)
{
    limn_file_bytes file;
    if (limn_file_bytes_read(&file, path, MAX_FILE_SIZE, NULL) != LIMN_OK)
        return 0; /* "." and "..": folders can't be mapped */
    LLVMFuzzerTestOneInput(file.bytes, file.size);
    for (unsigned i = 0; i < n_damaged && file.size; i++) replay_damaged(file.bytes, file.size, i);
    limn_file_bytes_free(&file);
    return 1;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    char path[4096];
    int n_files = 0;
    if (!dir) return 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        n_files += replay_file(path);
    }
    closedir(dir);
    return n_files;
}

int main(int argc, char **argv)
{
    int is_bad = argc < 2, first = 1;
    if (argc > 2 && strcmp(argv[1], "--damaged") == 0) {
        n_damaged = (unsigned)atoi(argv[2]);
        first = 3;
    }
    for (int i = first; i < argc; i++) {
        int n_files = replay_folder(argv[i]);
        printf("%s: %d files\n", argv[i], n_files);
        if (n_files == 0) is_bad = 1;
    }
    return is_bad;
}
