#define _XOPEN_SOURCE 700 /* S_ISVTX */

#include "tools/annotate/decoders/module_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io/program_folder.h"

/* Folders in a build folder, beside the program. */
static const char *const of_build[] = { "annotate/xmp", "annotate/decoders" };

/* A path to a module. */
typedef struct module_path {
    char text[4096];
    size_t given; /* bytes of it that are the program's own folder, with a slash; or 0 */
} module_path;

/* ---- where --------------------------------------------------------------------------------- */

static bool is_there(const char *path)
{
    struct stat st;
    return !stat(path, &st);
}

static void make_path(module_path *out, const char *folder, const char *below, const char *file)
{
    snprintf(out->text, sizeof out->text, "%s%s%s%s", folder, below, *file ? "/" : "", file);
    out->given = strlen(folder);
}

/* In the build folder if the program is in one; in an installation that was moved; in one that was
 * not. */
static void find(module_path *out, const char *file)
{
    const size_t n = sizeof of_build / sizeof *of_build;
    char folder[3000];
    limn_program_folder(folder, sizeof folder);
    make_path(out, folder, of_build[n - 1], "");
    if (*folder && is_there(out->text)) {
        for (size_t i = 0; i < n; i++) {
            make_path(out, folder, of_build[i], file);
            if (is_there(out->text)) return;
        }
        return;
    }
    make_path(out, folder, "../" LIMN_LIBRARY_FOLDER, "");
    if (*folder && is_there(out->text))
        make_path(out, folder, "../" LIMN_LIBRARY_FOLDER, file);
    else
        make_path(out, "", LIMN_MODULE_FOLDER, file);
}

/* ---- whether it can be trusted ------------------------------------------------------------- */

static bool is_trusted_owner(uid_t uid)
{
    struct stat program;
    return !uid || uid == geteuid() || (!stat("/proc/self/exe", &program) && uid == program.st_uid);
}

/* NULL when only root, this user or the program's owner decides what is at `path`, which may be a
 * link. In a folder that everybody may write to but where files stay their owners' (/tmp), others
 * can only add some. */
static const char *reason_against(const char *path)
{
    struct stat entry, st;
    if (lstat(path, &entry) || stat(path, &st)) return strerror(errno);
    if (!is_trusted_owner(entry.st_uid) || !is_trusted_owner(st.st_uid))
        return "belongs to another user, who is not trusted with it";
    if (st.st_mode & S_IWOTH && !(S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX))
        return "can be written to by everybody, so it is not trusted";
    return NULL;
}

/* The same for the file and the folders on the way, from the program's on. */
static bool is_trusted(module_path *p, char *reason, size_t size)
{
    for (size_t i = p->given > 1 ? p->given - 1 : 1;; i++) {
        const char end = p->text[i];
        if (end && end != '/') continue;
        p->text[i] = '\0';
        const char *against = reason_against(p->text);
        if (against) snprintf(reason, size, "%.200s: %s", p->text, against);
        p->text[i] = end;
        if (against) return false;
        if (!end) return true;
    }
}

/* ---- opening ------------------------------------------------------------------------------- */

static const void *get(void *library, const char *symbol, char *reason, size_t size)
{
    const char *stamp = dlsym(library, LIMN_MODULE_STAMP_SYMBOL);
    const bool is_ours = stamp && !strcmp(stamp, LIMN_MODULE_STAMP);
    const void *found = is_ours ? dlsym(library, symbol) : NULL;
    if (!found) snprintf(reason, size, "%s", is_ours ? "is empty" : "is of another build of limn");
    return found;
}

const void *limn_module_open_file(const char *file, const char *symbol, char *reason, size_t size)
{
    module_path path;
    char why[200] = "";
    find(&path, file);
    if (!is_trusted(&path, reason, size)) return NULL;
    void *library = dlopen(path.text, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *error = dlerror();
        snprintf(reason, size, "%s", error ? error : path.text);
        return NULL;
    }
    const void *found = get(library, symbol, why, sizeof why);
    if (found) return found;
    snprintf(reason, size, "%.200s: %s", path.text, why);
    dlclose(library);
    return NULL;
}
