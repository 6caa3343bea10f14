/* A library to preload: what a program does to files fails, or the program is killed, at a call
 * given by its number.
 *
 *     LIMN_FAULT=kill:N       SIGKILL in place of call N (counted from 1)
 *     LIMN_FAULT=torn:N       half of call N when it is a write, all of it otherwise; then SIGKILL
 *     LIMN_FAULT=ENOSPC:N     call N and all later ones that need room fail so; likewise with
 *                             EIO, EROFS, EACCES or EPERM
 *     LIMN_FAULT_FOLDER=NAME  with these, only calls that make a file in a folder of this name
 *                             count
 *     LIMN_FAULT_RUN=N:NAME:COMMAND
 *                             the shell runs COMMAND just before call N of those that open, look at
 *                             or replace a file of this name; N+: and before all later ones
 *     LIMN_FAULT_LOG=FILE     the name of every call that counts, a line each
 *
 * What counts: write to a regular file, fsync, ftruncate, rename, link, unlink, mkdir, open with
 * O_CREAT, and those of them that take an open folder (renameat …), under the same names. Only in
 * the process that loads it, not in its children. */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    enum { NOTHING, KILL, TORN, FAIL } action;
    int error; /* of FAIL */
    long at;   /* the call */
    long n_calls;
    int log_fd;
    const char *folder; /* NULL: any */
    bool is_on;
} fault;

/* LIMN_FAULT_RUN */
static struct {
    char name[256];
    const char *command; /* NULL: none */
    long at, n_calls;
    bool is_repeated;
} other;

#pragma GCC visibility push(default) /* the functions below stand for the C library's */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void switch_off(void)
{
    fault.is_on = false;
    other.command = NULL;
}

static int error_named(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {
        { "ENOSPC", ENOSPC }, { "EROFS", EROFS }, { "EACCES", EACCES }, { "EPERM", EPERM }
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (!strncmp(name, errors[i].name, strlen(errors[i].name))) return errors[i].error;
    return EIO;
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *what = getenv("LIMN_FAULT"), *log = getenv("LIMN_FAULT_LOG");
    const char *colon = what ? strchr(what, ':') : NULL;
    other.command = getenv("LIMN_FAULT_RUN");
    if (other.command) {
        char *end;
        int begin = 0;
        other.at = strtol(other.command, &end, 10);
        other.is_repeated = *end == '+';
        end += other.is_repeated;
        if (sscanf(end, ":%255[^:]:%n", other.name, &begin) != 1) abort();
        other.command = end + begin;
        unsetenv("LD_PRELOAD"); /* for the command */
    }
    fault.folder = getenv("LIMN_FAULT_FOLDER");
    fault.log_fd = log ? REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    fault.is_on = colon || log;
    if (colon) {
        fault.at = atol(colon + 1);
        fault.action = !strncmp(what, "kill", 4) ? KILL : !strncmp(what, "torn", 4) ? TORN : FAIL;
        fault.error = error_named(what);
    }
    pthread_atfork(NULL, NULL, switch_off);
}

static void die(void)
{
    raise(SIGKILL);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Before a call about the file `path`. */
static void run_other(const char *path)
{
    if (!other.command || strcmp(last_part(path), other.name)) return;
    if (++other.n_calls < other.at || (other.n_calls > other.at && !other.is_repeated)) return;
    if (system(other.command)) abort();
}

/* Whether a call for the file `path` of an open folder makes it in the folder for the faults. */
static bool is_in_folder(int folder, const char *path)
{
    char link[64], name[4096] = ".";
    if (folder != AT_FDCWD && !strchr(path, '/')) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        const ssize_t n = readlink(link, name, sizeof name - 1);
        name[n > 0 ? n : 0] = '\0';
    } else {
        snprintf(name, sizeof name, "%s", path);
        char *slash = strrchr(name, '/');
        if (slash) *slash = '\0';
    }
    return !strcmp(last_part(name), fault.folder);
}

/* Counts a call. True when it is to fail, with errno set. */
static bool count(const char *name, bool needs_room)
{
    if (!fault.is_on) return false;
    fault.n_calls++;
    if (fault.log_fd >= 0) {
        char line[32];
        const size_t size = strlen(name);
        memcpy(line, name, size);
        line[size] = '\n';
        if (REAL(write)(fault.log_fd, line, size + 1) < 0) abort();
    }
    if (fault.action == KILL && fault.n_calls == fault.at) die();
    if (fault.action != FAIL || fault.n_calls < fault.at || !needs_room) return false;
    errno = fault.error;
    return true;
}

static bool meet(const char *name, bool needs_room)
{
    return !fault.folder && count(name, needs_room);
}

/* Of a call that makes the file `path` of an open folder. */
static bool meet_in(int folder, const char *path, const char *name)
{
    if (!fault.is_on || (fault.folder && !is_in_folder(folder, path))) return false;
    return count(name, true);
}

/* After a call that was made. */
static void leave(void)
{
    if (fault.is_on && fault.action == TORN && fault.n_calls == fault.at) die();
}

static bool is_file(int fd)
{
    struct stat st;
    return fault.is_on && !fstat(fd, &st) && S_ISREG(st.st_mode);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t n;
    if (!is_file(fd)) return REAL(write)(fd, bytes, size);
    if (meet("write", true)) return -1;
    if (fault.action == TORN && fault.n_calls == fault.at) size /= 2;
    n = REAL(write)(fd, bytes, size);
    leave();
    return n;
}

int fsync(int fd)
{
    int result;
    if (meet("fsync", true)) return -1;
    result = REAL(fsync)(fd);
    leave();
    return result;
}

int ftruncate64(int fd, off64_t size)
{
    int result;
    if (meet("ftruncate", false)) return -1;
    result = REAL(ftruncate64)(fd, size);
    leave();
    return result;
}

int rename(const char *from, const char *to)
{
    int result;
    run_other(to);
    if (meet_in(AT_FDCWD, to, "rename")) return -1;
    result = REAL(rename)(from, to);
    leave();
    return result;
}

int link(const char *from, const char *to)
{
    int result;
    run_other(to);
    if (meet_in(AT_FDCWD, to, "link")) return -1;
    result = REAL(link)(from, to);
    leave();
    return result;
}

int unlink(const char *path)
{
    int result;
    if (meet("unlink", false)) return -1;
    result = REAL(unlink)(path);
    leave();
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    int result;
    if (meet("mkdir", true)) return -1;
    result = REAL(mkdir)(path, mode);
    leave();
    return result;
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    int result;
    if (flags & O_CREAT) {
        va_list ap;
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
        if (meet_in(AT_FDCWD, path, "open")) return -1;
    }
    run_other(path);
    result = REAL(open64)(path, flags, mode);
    if (flags & O_CREAT) leave();
    return result;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    int result;
    run_other(to);
    if (meet_in(to_folder, to, "rename")) return -1;
    result = REAL(renameat)(from_folder, from, to_folder, to);
    leave();
    return result;
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    int result;
    run_other(to);
    if (meet_in(to_folder, to, "rename")) return -1;
    result = REAL(renameat2)(from_folder, from, to_folder, to, flags);
    leave();
    return result;
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    int result;
    run_other(to);
    if (meet_in(to_folder, to, "link")) return -1;
    result = REAL(linkat)(from_folder, from, to_folder, to, flags);
    leave();
    return result;
}

int unlinkat(int folder, const char *path, int flags)
{
    int result;
    if (meet("unlink", false)) return -1;
    result = REAL(unlinkat)(folder, path, flags);
    leave();
    return result;
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    int result;
    if (meet("mkdir", true)) return -1;
    result = REAL(mkdirat)(folder, path, mode);
    leave();
    return result;
}

int openat64(int folder, const char *path, int flags, ...)
{
    mode_t mode = 0;
    int result;
    if (flags & O_CREAT) {
        va_list ap;
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
        if (meet_in(folder, path, "open")) return -1;
    }
    run_other(path);
    result = REAL(openat64)(folder, path, flags, mode);
    if (flags & O_CREAT) leave();
    return result;
}

int lstat64(const char *restrict path, struct stat64 *restrict out)
{
    run_other(path);
    return REAL(lstat64)(path, out);
}

int fstatat64(int folder, const char *restrict path, struct stat64 *restrict out, int flags)
{
    run_other(path);
    return REAL(fstatat64)(folder, path, out, flags);
}
