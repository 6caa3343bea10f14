#define _GNU_SOURCE /* ppoll, close_range, fopencookie */

#include "tools/annotate/sandbox/sandbox_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/annotate/sandbox/syscall_filter.h"

enum { RETRY_MS = 200 }; /* between attempts to fork */

/* ---- a child ------------------------------------------------------------------------------- */

/* first … last */
static void close_between(unsigned first, unsigned last)
{
    if (first > last) return;
#ifdef SYS_close_range
    if (!syscall(SYS_close_range, first, last, 0)) return;
#endif
    const long most = sysconf(_SC_OPEN_MAX) < 65536 ? sysconf(_SC_OPEN_MAX) : 65536;
    for (long fd = first; fd < most && fd <= (long)last; fd++) close((int)fd);
}

static rlim_t least(rlim_t a, rlim_t b)
{
    return a < b ? a : b; /* RLIM_INFINITY is the largest value */
}

/* Lowers limits, and raises none: the soft one, which raises signals or errors, and the hard one,
 * which kills. */
static void limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit l;
    if (getrlimit(resource, &l)) return;
    l.rlim_max = least(l.rlim_max, hard);
    l.rlim_cur = least(least(l.rlim_cur, soft), l.rlim_max);
    setrlimit(resource, &l);
}

/* Limits: no files, no more memory and time than planned, no core file. The CPU time of a fresh
 * process begins at 0. */
static void set_limits(const limn_sandbox_settings *s, size_t address_space)
{
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_NOFILE, 1, 1);
    limit(RLIMIT_CPU, s->max_cpu_seconds, s->max_cpu_seconds + 1);
    if (address_space) limit(RLIMIT_AS, address_space, address_space);
}

/* Waits for a request and takes it; false when there will be none. The child is still trusted at
 * this point. */
static bool take_request(const limn_sandbox_plan *p, size_t slot)
{
    limn_sandbox_control *control = &p->control[slot];
    char go;
    ssize_t n;
    do n = read(STDIN_FILENO, &go, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1) return false;
    atomic_store(&control->begun, atomic_load(&control->wanted));
    close(STDIN_FILENO);
    return !munmap(p->control, p->n_slots * sizeof *p->control);
}

static uint32_t missing_parts; /* what limn_sandbox_need was told in this child */

void limn_sandbox_need(uint32_t parts)
{
    missing_parts |= parts;
}

/* Does the work, after locking down. */
static void serve(const limn_sandbox_plan *p, unsigned char *shared)
{
    limn_sandbox_exchange *x = (limn_sandbox_exchange *)(void *)shared;
    limn_error error = { 0 };
    limn_status status =
        limn_syscall_filter_install(p->settings.more_calls, p->settings.n_more_calls, &error);
    if (status == LIMN_OK && !x->is_trial)
        status = p->settings.work(shared + p->out_at, x->out_size, shared + p->bytes_at, x->size,
                                  x->settings, &error);
    x->error = error;
    x->error.code = status;
    x->missing = missing_parts;
    x->has_answer = 1;
}

/* Bytes of address space that this process uses; 0 if unknown. */
static size_t own_address_space(void)
{
    char text[64] = "";
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    return n > 0 ? strtoull(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Makes what the request needs ready, for which files may be opened; that counts towards the
 * address space which the child may have. */
static void prepare(const limn_sandbox_plan *p, uint32_t parts, size_t *address_space)
{
    const size_t before = own_address_space();
    size_t after;
    if (!parts || !p->settings.prepare) return;
    p->settings.prepare(parts);
    after = own_address_space();
    if (*address_space && after > before) *address_space += after - before;
}

static _Noreturn void live(const limn_sandbox_plan *p, size_t slot, size_t address_space,
                           pid_t keeper)
{
    unsigned char *shared;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    if (getppid() != keeper) _exit(EXIT_FAILURE);
    shared =
        mmap(NULL, p->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED, p->slots[slot].memory, 0);
    if (shared == MAP_FAILED || dup2(p->slots[slot].go_in, STDIN_FILENO) < 0) _exit(EXIT_FAILURE);
    close_between(STDIN_FILENO + 1, ~0u);
    if (take_request(p, slot)) {
        prepare(p, ((limn_sandbox_exchange *)(void *)shared)->parts, &address_space);
        set_limits(&p->settings, address_space);
        serve(p, shared);
    }
    _exit(EXIT_SUCCESS);
}

/* ---- the keeper ---------------------------------------------------------------------------- */

typedef struct keeper {
    const limn_sandbox_plan *plan;
    pid_t *pids;          /* [n_slots]; 0: there is none, and another try is due */
    size_t address_space; /* bytes that a child may have; 0: unknown */
    uint32_t parts;       /* prepared here */
} keeper;

/* Whether all slots have a child. */
static bool start_children(keeper *k)
{
    const pid_t self = getpid();
    bool are_all = true;
    for (size_t i = 0; i < k->plan->n_slots; i++) {
        if (k->pids[i]) continue;
        const pid_t pid = fork();
        if (!pid) live(k->plan, i, k->address_space, self);
        k->pids[i] = pid > 0 ? pid : 0;
        are_all = are_all && pid > 0;
    }
    return are_all;
}

static void tell_end(const keeper *k, size_t slot, int wait_status)
{
    limn_sandbox_control *control = &k->plan->control[slot];
    const limn_sandbox_end end = { atomic_load(&control->begun), wait_status };
    if (!end.request) return; /* it had taken no request */
    atomic_store(&control->begun, 0);
    while (write(k->plan->slots[slot].end_out, &end, sizeof end) < 0 && errno == EINTR) continue;
}

/* From the second request on that needs it, a part is there when its child is forked. */
static void prepare_as_child(keeper *k, size_t slot)
{
    const uint32_t parts = atomic_load(&k->plan->control[slot].parts) & ~k->parts;
    prepare(k->plan, parts, &k->address_space);
    k->parts |= parts;
}

static void reap(keeper *k)
{
    int wait_status;
    for (pid_t pid; (pid = waitpid(-1, &wait_status, WNOHANG)) > 0;)
        for (size_t i = 0; i < k->plan->n_slots; i++) {
            if (k->pids[i] != pid) continue;
            k->pids[i] = 0;
            tell_end(k, i, wait_status);
            prepare_as_child(k, i);
        }
}

/* Handles one request to kill a child. False when all are to end, or the caller is gone. */
static bool obey(const keeper *k)
{
    limn_sandbox_kill order;
    const ssize_t n = read(k->plan->kill_in, &order, sizeof order);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    if (n != (ssize_t)sizeof order || order.slot == LIMN_SANDBOX_ALL) return false;
    if (order.slot < k->plan->n_slots && k->pids[order.slot] &&
        atomic_load(&k->plan->control[order.slot].begun) == order.request)
        kill(k->pids[order.slot], SIGKILL);
    return true;
}

/* SIGCHLD is unblocked only in ppoll. */
static void keep_children(keeper *k)
{
    const struct timespec retry = { 0, RETRY_MS * 1000000L };
    struct pollfd fd = { .fd = k->plan->kill_in, .events = POLLIN };
    sigset_t none;
    bool goes_on = true;
    sigemptyset(&none);
    while (goes_on) {
        reap(k);
        const bool are_all = start_children(k);
        const int n = ppoll(&fd, 1, are_all ? NULL : &retry, &none);
        if (n > 0) goes_on = obey(k);
    }
    for (size_t i = 0; i < k->plan->n_slots; i++)
        if (k->pids[i]) kill(k->pids[i], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
}

static void wake(int number)
{
    (void)number;
}

/* Resets the caller's handlers and ignores requests to terminate: the caller ends the keeper once
 * the images in progress are finished. */
static void reset_signals(void)
{
    static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    const struct sigaction child_ended = { .sa_handler = wake };
    sigset_t mask;
    for (int i = 1; i < NSIG; i++) signal(i, SIG_DFL);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
    sigaction(SIGCHLD, &child_ended, NULL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

static int by_number(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Closes all descriptors but the keeper's own: the caller may have files and connections open,
 * whose peers must notice when it closes them. False when out of memory. */
static bool keep_own_descriptors(const limn_sandbox_plan *p)
{
    const size_t n = 1 + 3 * p->n_slots;
    int *own = calloc(n, sizeof *own);
    unsigned next = 0;
    if (!own) return false;
    own[0] = p->kill_in;
    for (size_t i = 0; i < p->n_slots; i++) {
        own[1 + 3 * i] = p->slots[i].go_in;
        own[2 + 3 * i] = p->slots[i].end_out;
        own[3 + 3 * i] = p->slots[i].memory;
    }
    qsort(own, n, sizeof *own, by_number);
    for (size_t i = 0; i < n; i++) {
        if (own[i]) close_between(next, (unsigned)own[i] - 1);
        next = (unsigned)own[i] + 1;
    }
    close_between(next, ~0u);
    free(own);
    return true;
}

/* Drops the caller's mappings and descriptors. */
static bool release_inherited(const limn_sandbox_plan *p)
{
    for (size_t i = 0; i < p->n_slots; i++)
        if (p->slots[i].shared) munmap(p->slots[i].shared, p->shared_size);
    return keep_own_descriptors(p);
}

#ifdef __GLIBC__

static ssize_t swallow(void *cookie, const char *bytes, size_t size)
{
    (void)cookie;
    (void)bytes;
    return (ssize_t)size;
}

static void swallow_output(void)
{
    const cookie_io_functions_t none = { .write = swallow };
    FILE *nowhere = fopencookie(NULL, "w", none);
    if (nowhere) stdout = stderr = nowhere;
}

#else

static void swallow_output(void)
{
}

#endif

/* Some libraries print complaints, or convert dates, for which the C library looks at the file of
 * the time zone: the child of an image would be killed for either. */
static void calm_libraries(void)
{
    swallow_output();
    setenv("TZ", "UTC0", 1);
    tzset();
}

_Noreturn void limn_sandbox_keep(const limn_sandbox_plan *p, pid_t caller, bool is_main_thread)
{
    keeper k = { .plan = p };
    limn_error ignored = { 0 };
    prctl(PR_SET_NAME, "limn-sandbox");
    /* The signal is sent when the forking thread exits; if that is not the main one, only the pipe
     * reveals the caller's end. */
    if (is_main_thread) prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != caller) _exit(EXIT_FAILURE);
    reset_signals();
    if (!release_inherited(p)) _exit(EXIT_FAILURE);
    calm_libraries();
    p->settings.work(NULL, 0, NULL, 0, NULL, &ignored);
    k.pids = calloc(p->n_slots, sizeof *k.pids);
    k.address_space = own_address_space();
    if (k.address_space) k.address_space += p->shared_size + p->settings.max_memory;
    if (k.pids) keep_children(&k);
    _exit(EXIT_SUCCESS);
}
