#define _GNU_SOURCE /* environ */

#include "tools/annotate/sandbox/sandbox_start.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/mem.h"

/* At the start of the board, which is the program's standard input; the slots follow. The program
 * is of the same build, so this is the memory of the caller's structs as it is. */
typedef struct order {
    char stamp[64];
    pid_t caller;
    bool is_main_thread;
    limn_sandbox_plan plan; /* its pointers are the caller's, and mean nothing here */
} order;

static size_t slots_size(const limn_sandbox_plan *p)
{
    return p->n_slots * sizeof *p->slots;
}

size_t limn_sandbox_order_size(const limn_sandbox_plan *p)
{
    return sizeof(order) + slots_size(p);
}

/* ---- in the caller ------------------------------------------------------------------------- */

static bool write_order(const limn_sandbox_plan *p, pid_t caller, bool is_main_thread)
{
    const int fd = p->board;
    order o;
    memset(&o, 0, sizeof o);
    strncpy(o.stamp, LIMN_SANDBOX_STAMP, sizeof o.stamp - 1);
    o.caller = caller;
    o.is_main_thread = is_main_thread;
    o.plan = *p;
    return pwrite(fd, &o, sizeof o, 0) == (ssize_t)sizeof o &&
           pwrite(fd, p->slots, slots_size(p), sizeof o) == (ssize_t)slots_size(p);
}

/* Of the environment, what the loader may need to find the program's libraries; nothing else, as it
 * may have passwords. NULL when out of memory. */
static char **loader_environment(void)
{
    size_t n = 0;
    while (environ && environ[n]) n++;
    char **kept = limn_calloc(n + 1, sizeof *kept);
    for (size_t i = 0, k = 0; kept && i < n && environ[i]; i++)
        if (!strncmp(environ[i], "LD_", 3)) kept[k++] = environ[i];
    return kept;
}

/* The keeper's descriptors, as they are, and the board as its standard input; all others are closed
 * by exec, or by the keeper. An errno. */
static int pass_descriptors(posix_spawn_file_actions_t *actions, const limn_sandbox_plan *p)
{
    int e = posix_spawn_file_actions_adddup2(actions, p->board, STDIN_FILENO);
    if (!e) e = posix_spawn_file_actions_adddup2(actions, p->kill_in, p->kill_in);
    for (size_t i = 0; i < p->n_slots && !e; i++) {
        const int own[] = { p->slots[i].go_in, p->slots[i].end_out, p->slots[i].memory };
        for (size_t k = 0; k < sizeof own / sizeof *own && !e; k++)
            e = posix_spawn_file_actions_adddup2(actions, own[k], own[k]);
    }
    return e;
}

/* With all signals blocked until the keeper has said which it ignores. An errno. */
static int spawn(pid_t *pid, const limn_sandbox_plan *p, char **environment)
{
    char argument[] = LIMN_SANDBOX_ARGUMENT;
    char *const arguments[] = { (char *)p->settings.program, argument, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all;
    int e = posix_spawn_file_actions_init(&actions);
    if (e) return e;
    e = posix_spawnattr_init(&attributes);
    if (!e) {
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        e = pass_descriptors(&actions, p);
        if (!e) e = posix_spawn(pid, arguments[0], &actions, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return e;
}

/* A program that is missing is an error rather than a reason to fork: it means a broken
 * installation, and a fork would have the caller's memory (and take the time) that the program is
 * there to avoid, without anybody noticing. */
static limn_status start_program(const limn_sandbox_plan *p, pid_t *keeper, limn_error *err)
{
    char **environment = loader_environment();
    if (!environment) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    const int e = spawn(keeper, p, environment);
    limn_free(environment);
    if (!e) return LIMN_OK;
    *keeper = 0;
    if (e == EACCES || e == EPERM)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "%s may not be run here: %s", p->settings.program,
                         strerror(e));
    return limn_fail(err, LIMN_E_IO, "%s: can't be started: %s", p->settings.program, strerror(e));
}

limn_status limn_sandbox_start_keeper(const limn_sandbox_plan *p, pid_t *keeper, limn_error *err)
{
    const pid_t caller = getpid();
    const bool is_main_thread = syscall(SYS_gettid) == caller;
    if (p->settings.program) {
        if (write_order(p, caller, is_main_thread)) return start_program(p, keeper, err);
        return limn_fail(err, LIMN_E_IO, "can't write to memory: %s", strerror(errno));
    }
    *keeper = fork();
    if (*keeper < 0) return limn_fail(err, LIMN_E_IO, "can't start a process: %s", strerror(errno));
    if (!*keeper) limn_sandbox_keep(p, caller, is_main_thread);
    return LIMN_OK;
}

/* ---- in the program ------------------------------------------------------------------------ */

static bool read_order(order *o)
{
    return pread(STDIN_FILENO, o, sizeof *o, 0) == (ssize_t)sizeof *o &&
           !strncmp(o->stamp, LIMN_SANDBOX_STAMP, sizeof o->stamp);
}

static bool read_slots(limn_sandbox_plan *p)
{
    const size_t size = slots_size(p);
    p->slots = limn_calloc(p->n_slots, sizeof *p->slots);
    if (!p->slots || pread(STDIN_FILENO, p->slots, size, sizeof(order)) != (ssize_t)size)
        return false;
    for (size_t i = 0; i < p->n_slots; i++) p->slots[i].shared = NULL;
    return true;
}

int limn_sandbox_host(const limn_sandbox_settings *own)
{
    order o;
    limn_sandbox_plan *p = &o.plan;
    void *control;
    if (!read_order(&o) || !read_slots(p)) return EXIT_FAILURE;
    control = mmap(NULL, p->n_slots * sizeof *p->control, PROT_READ | PROT_WRITE, MAP_SHARED,
                   STDIN_FILENO, (off_t)p->control_at);
    if (control == MAP_FAILED) return EXIT_FAILURE;
    p->control = control;
    p->settings.work = own->work;
    p->settings.prepare = own->prepare;
    p->settings.more_calls = own->more_calls;
    p->settings.n_more_calls = own->n_more_calls;
    limn_sandbox_keep(p, o.caller, o.is_main_thread);
}
