/* Runs a fuzz entry over the files of the given folders: the corpus as a plain test. */
#include <dirent.h>
#include <stdio.h>

#include "common/io/fileio.h"
#include "tests/fuzz/fuzz.h"

#define MAX_FILE_SIZE (16u << 20)

static int replay_file(const char *path)
{
    limn_file_bytes file;
    if (limn_file_bytes_read(&file, path, MAX_FILE_SIZE, NULL) != LIMN_OK)
        return 0; /* "." and "..": folders can't be mapped */
    LLVMFuzzerTestOneInput(file.bytes, file.size);
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
    int is_bad = argc < 2;
    for (int i = 1; i < argc; i++) {
        int n_files = replay_folder(argv[i]);
        printf("%s: %d files\n", argv[i], n_files);
        if (n_files == 0) is_bad = 1;
    }
    return is_bad;
}
