#define _GNU_SOURCE /* pdeathsig, close_range */

#include "tools/annotate/sandbox/sandbox_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/annotate/sandbox/syscall_filter.h"

enum { MAX_FORK_TRIES = 50, FORK_PAUSE_MS = 100 };

static bool read_whole(int fd, void *bytes, size_t size)
{
    char *at = bytes;
    while (size) {
        const ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* Pipes take so few bytes in one piece. */
static void answer(int fd, const limn_sandbox_answer *a)
{
    ssize_t n;
    do n = write(fd, a, sizeof *a);
    while (n < 0 && errno == EINTR);
}

/* ---- a child ------------------------------------------------------------------------------- */

static void close_from(unsigned first)
{
#ifdef SYS_close_range
    if (!syscall(SYS_close_range, first, ~0u, 0)) return;
#endif
    for (long fd = first, n = sysconf(_SC_OPEN_MAX); fd < n && fd < 65536; fd++) close((int)fd);
}

/* Bytes of addresses that this process has; 0 when nobody says. */
static size_t address_space(void)
{
    char text[64] = "";
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    return n > 0 ? strtoull(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

static void limit(int resource, rlim_t value)
{
    const struct rlimit l = { value, value };
    setrlimit(resource, &l);
}

/* No other child's memory, no file, no more memory than planned, no core file. */
static void give_up_all_else(const limn_sandbox_plan *p, size_t child)
{
    size_t has;
    for (size_t i = 0; i < p->settings.n_children; i++)
        if (i != child) munmap(p->channels[i].shared, p->shared_size);
    munmap(p->pids, p->settings.n_children * sizeof *p->pids);
    has = address_space();
    dup2(p->channels[child].request_in, STDIN_FILENO);
    dup2(p->channels[child].answer_out, STDOUT_FILENO);
    close_from(2);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 2);
    if (has) limit(RLIMIT_AS, has + p->settings.max_memory);
}

static void serve(const limn_sandbox_plan *p, const unsigned char *bytes, unsigned char *out)
{
    static limn_sandbox_request request;
    static limn_sandbox_answer done;
    while (read_whole(STDIN_FILENO, &request, sizeof request)) {
        done = (limn_sandbox_answer){ .kind = LIMN_SANDBOX_DONE, .sequence = request.sequence };
        done.error.code = LIMN_OK;
        const limn_status s = p->settings.work(out, request.out_size, bytes, request.size,
                                               request.settings, &done.error);
        done.error.code = s;
        answer(STDOUT_FILENO, &done);
    }
}

static _Noreturn void live(const limn_sandbox_plan *p, size_t child, pid_t keeper)
{
    unsigned char *shared = p->channels[child].shared;
    limn_sandbox_answer ready = { .kind = LIMN_SANDBOX_READY };
    char nothing[64];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    if (getppid() != keeper) _exit(EXIT_FAILURE);
    give_up_all_else(p, child);
    if (limn_syscall_filter_install(&ready.error)) {
        answer(STDOUT_FILENO, &ready);
        while (read(STDIN_FILENO, nothing, sizeof nothing) > 0)
            continue; /* never work with open doors */
        _exit(EXIT_SUCCESS);
    }
    answer(STDOUT_FILENO, &ready);
    serve(p, shared + p->bytes_at, shared);
    _exit(EXIT_SUCCESS);
}

/* ---- the keeper ---------------------------------------------------------------------------- */

static bool start_child(const limn_sandbox_plan *p, size_t child)
{
    const struct timespec pause = { 0, FORK_PAUSE_MS * 1000000L };
    const pid_t keeper = getpid();
    pid_t pid = -1;
    for (int i = 0; i < MAX_FORK_TRIES && pid < 0; i++) {
        if (i) nanosleep(&pause, NULL);
        pid = fork();
    }
    if (!pid) live(p, child, keeper);
    p->pids[child] = pid;
    return pid > 0;
}

/* Whether the caller has closed its end: there will be no more requests. */
static bool is_over(const limn_sandbox_channel *c)
{
    struct pollfd fd = { .fd = c->request_in, .events = POLLIN };
    return poll(&fd, 1, 0) > 0 && !(fd.revents & POLLIN);
}

static size_t child_of(const limn_sandbox_plan *p, pid_t pid)
{
    size_t i = 0;
    while (i < p->settings.n_children && p->pids[i] != pid) i++;
    return i;
}

/* Starts children and others in their place until the caller has gone. */
static void keep_children(const limn_sandbox_plan *p)
{
    const size_t n = p->settings.n_children;
    size_t n_alive = 0;
    while (n_alive < n && start_child(p, n_alive)) n_alive++;
    while (n_alive == n || (n_alive && is_over(&p->channels[0]))) {
        limn_sandbox_answer died = { .kind = LIMN_SANDBOX_DIED };
        const pid_t pid = waitpid(-1, &died.wait_status, 0);
        const size_t child = child_of(p, pid);
        if (pid < 0 && errno != EINTR) return;
        if (child == n) continue;
        n_alive--;
        if (is_over(&p->channels[child])) continue;
        answer(p->channels[child].answer_out, &died);
        n_alive += start_child(p, child);
    }
}

/* Handlers are the caller's; what asks it to end is not for us: it ends us when the pictures in
 * work are finished. */
static void reset_signals(void)
{
    static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    sigset_t none;
    for (int i = 1; i < NSIG; i++) signal(i, SIG_DFL);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn void limn_sandbox_keep(const limn_sandbox_plan *p, pid_t caller)
{
    limn_error ignored = { 0 };
    prctl(PR_SET_NAME, "limn-sandbox");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != caller) _exit(EXIT_FAILURE);
    reset_signals();
    for (size_t i = 0; i < p->settings.n_children; i++) {
        close(p->channels[i].request_out);
        close(p->channels[i].answer_in);
    }
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    p->settings.work(NULL, 0, NULL, 0, NULL, &ignored);
    keep_children(p);
    _exit(EXIT_SUCCESS);
}
