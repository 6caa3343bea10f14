#include "common/metrics/meteor_resource.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/metrics/meteor_jar.h"

static const char JAR[] = "meteor-1.5.jar";
static const size_t MAX_SIZE = (size_t)64 << 20;

char *limn_meteor_path(const char *folder, const char *name)
{
    const size_t folder_size = strlen(folder), name_size = strlen(name);
    char *path = limn_alloc(folder_size + name_size + 2, 1);
    if (path) {
        memcpy(path, folder, folder_size);
        path[folder_size] = '/';
        memcpy(path + folder_size + 1, name, name_size + 1);
    }
    return path;
}

const char *limn_meteor_next_line(size_t *line_size, const char **text, const char *end)
{
    const char *line = *text;
    if (line >= end) return NULL;
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    *text = newline ? newline + 1 : end;
    *line_size = (size_t)((newline ? newline : end) - line);
    if (*line_size && line[*line_size - 1] == '\r') --*line_size;
    return line;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\n';
}

const char *limn_meteor_next_word(size_t *word_size, const char **text, const char *end)
{
    const char *word = *text;
    while (word < end && is_blank(*word)) word++;
    *text = word;
    while (*text < end && !is_blank(**text)) ++*text;
    *word_size = (size_t)(*text - word);
    return *word_size ? word : NULL;
}

/* ---- one file ------------------------------------------------------------------------------- */

static void list(limn_meteor_resource *out[LIMN_METEOR_N_RESOURCES], limn_meteor_resources *r)
{
    out[0] = &r->function_words;
    out[1] = &r->prefixes;
    out[2] = &r->synsets;
    out[3] = &r->exceptions;
}

static limn_status read_unpacked(limn_meteor_resource *r, const char *folder, limn_error *err)
{
    char *path = limn_meteor_path(folder, r->name);
    limn_status s = LIMN_OK;
    if (!path) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (access(path, F_OK) == 0)
        s = limn_file_read((unsigned char **)&r->bytes, &r->size, path, MAX_SIZE, err);
    limn_free(path);
    return s;
}

/* ---- the jar -------------------------------------------------------------------------------- */

static limn_status read_members(limn_meteor_resource *wanted[LIMN_METEOR_N_RESOURCES],
                                const unsigned char *bytes, size_t size, limn_error *err)
{
    for (size_t i = 0; i < LIMN_METEOR_N_RESOURCES; i++)
        if (!wanted[i]->bytes)
            LIMN_TRY(limn_meteor_jar_read(&wanted[i]->bytes, &wanted[i]->size, bytes, size,
                                          wanted[i]->name, MAX_SIZE, err));
    return LIMN_OK;
}

static limn_status read_jar(limn_meteor_resource *wanted[LIMN_METEOR_N_RESOURCES], const char *path,
                            limn_error *err)
{
    unsigned char *bytes;
    size_t size;
    LIMN_TRY(limn_file_read(&bytes, &size, path, MAX_SIZE, err));
    const limn_status s = read_members(wanted, bytes, size, err);
    limn_free(bytes);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    return s;
}

static limn_status read_missing_from_jar(limn_meteor_resource *wanted[LIMN_METEOR_N_RESOURCES],
                                         const char *folder, limn_error *err)
{
    char *path = limn_meteor_path(folder, JAR);
    limn_status s = LIMN_OK;
    if (!path) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (access(path, F_OK) == 0) s = read_jar(wanted, path, err);
    for (size_t i = 0; i < LIMN_METEOR_N_RESOURCES && s == LIMN_OK; i++)
        if (!wanted[i]->bytes)
            s = limn_fail(err, LIMN_E_IO, "%s: has neither %s nor %s with it", folder,
                          wanted[i]->name, JAR);
    limn_free(path);
    return s;
}

limn_status limn_meteor_resources_read(limn_meteor_resources *out, const char *folder,
                                       limn_error *err)
{
    limn_meteor_resource *wanted[LIMN_METEOR_N_RESOURCES];
    bool is_complete = true;
    *out = (limn_meteor_resources){ .function_words = { .name = "function/english.words" },
                                    .prefixes = { .name = "nonbreaking/english.prefixes" },
                                    .synsets = { .name = "synonym/english.synsets" },
                                    .exceptions = { .name = "synonym/english.exceptions" } };
    list(wanted, out);
    for (size_t i = 0; i < LIMN_METEOR_N_RESOURCES; i++) {
        LIMN_TRY(read_unpacked(wanted[i], folder, err));
        is_complete &= wanted[i]->bytes != NULL;
    }
    return is_complete ? LIMN_OK : read_missing_from_jar(wanted, folder, err);
}

void limn_meteor_resources_finish(limn_meteor_resources *r)
{
    limn_meteor_resource *all[LIMN_METEOR_N_RESOURCES];
    list(all, r);
    for (size_t i = 0; i < LIMN_METEOR_N_RESOURCES; i++) {
        limn_free(all[i]->bytes);
        all[i]->bytes = NULL;
    }
}
