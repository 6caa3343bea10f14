#define _GNU_SOURCE /* memfd_create, madvise */

#include "tools/annotate/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tools/annotate/sandbox/sandbox_child.h"

enum {
    PAGE = 65536,         /* a multiple of every page size */
    KEPT_SIZE = 32 << 20, /* bytes of shared memory that stay from picture to picture */
    WAIT_MS = 1000,       /* between two looks at a child that works long */
    MAX_IDLE_WAITS = 600, /* looks at which it has not even tried */
};

struct limn_sandbox {
    limn_sandbox_plan plan;
    pid_t keeper;
    uint64_t *sequences;   /* [n_children] of the last request */
    atomic_bool *is_taken; /* [n_children] by a caller */
};

/* ---- starting ------------------------------------------------------------------------------ */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#define IS_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define IS_SANITIZED false
#endif

/* Tools that watch a program make more system calls than the filter lets pass. */
static limn_status check_watchers(limn_error *err)
{
    const char *preloaded = getenv("LD_PRELOAD");
    if (IS_SANITIZED) return limn_fail(err, LIMN_E_UNSUPPORTED, "built with a sanitizer");
    if (preloaded && strstr(preloaded, "vgpreload"))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "running under valgrind");
    return LIMN_OK;
}

/* Not among the standard streams, of which a user may have closed some. */
static bool make_pipe(int *in, int *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return false;
    *in = fcntl(ends[0], F_DUPFD_CLOEXEC, 3);
    *out = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
    close(ends[0]);
    close(ends[1]);
    return *in >= 0 && *out >= 0;
}

/* Addresses for the largest request; memory only for what is used of them, even where the system
 * does not promise more memory than it has. */
static unsigned char *map_shared(size_t size)
{
    const int fd = memfd_create("limn", MFD_CLOEXEC);
    void *shared = MAP_FAILED;
    if (fd < 0) return NULL;
    if (!ftruncate(fd, (off_t)size))
        shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return shared == MAP_FAILED ? NULL : shared;
}

static limn_status make_channels(limn_sandbox *s, limn_error *err)
{
    limn_sandbox_plan *p = &s->plan;
    const size_t n = p->settings.n_children;
    p->channels = limn_calloc(n, sizeof *p->channels);
    s->sequences = limn_calloc(n, sizeof *s->sequences);
    s->is_taken = limn_calloc(n, sizeof *s->is_taken);
    if (!p->channels || !s->sequences || !s->is_taken)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) p->channels[i] = (limn_sandbox_channel){ -1, -1, -1, -1, NULL };
    p->pids =
        mmap(NULL, n * sizeof *p->pids, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p->pids == MAP_FAILED) {
        p->pids = NULL;
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        limn_sandbox_channel *c = &p->channels[i];
        if (!make_pipe(&c->request_in, &c->request_out) ||
            !make_pipe(&c->answer_in, &c->answer_out))
            return limn_fail(err, LIMN_E_IO, "can't make a pipe: %s", strerror(errno));
        c->shared = map_shared(p->shared_size);
        if (!c->shared)
            return limn_fail(err, LIMN_E_UNSUPPORTED, "no shared memory: %s", strerror(errno));
    }
    return LIMN_OK;
}

static void close_end(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* The ends of the pipes that are not the caller's, so that it sees the others' close. */
static void close_other_ends(limn_sandbox *s)
{
    for (size_t i = 0; i < s->plan.settings.n_children; i++) {
        close_end(&s->plan.channels[i].request_in);
        close_end(&s->plan.channels[i].answer_out);
    }
}

static limn_status fork_keeper(limn_sandbox *s, limn_error *err)
{
    const pid_t caller = getpid();
    s->keeper = fork();
    if (s->keeper < 0)
        return limn_fail(err, LIMN_E_IO, "can't start a process: %s", strerror(errno));
    if (!s->keeper) limn_sandbox_keep(&s->plan, caller);
    close_other_ends(s);
    return LIMN_OK;
}

/* One answer; false when the pipe is closed. */
static bool read_answer(const limn_sandbox_channel *c, limn_sandbox_answer *a)
{
    ssize_t n;
    do n = read(c->answer_in, a, sizeof *a);
    while (n < 0 && errno == EINTR);
    a->error.text[sizeof a->error.text - 1] = '\0';
    return n == (ssize_t)sizeof *a;
}

/* Whether children can be what they are to be: the first one says. */
static limn_status wait_for_first(limn_sandbox *s, limn_error *err)
{
    limn_sandbox_answer ready;
    if (!read_answer(&s->plan.channels[0], &ready) || ready.kind != LIMN_SANDBOX_READY)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "its first process ended at once");
    return ready.error.code ? limn_fail(err, ready.error.code, "%s", ready.error.text) : LIMN_OK;
}

limn_status limn_sandbox_start(limn_sandbox **out, const limn_sandbox_settings *settings,
                               limn_error *err)
{
    limn_sandbox *s;
    limn_status status;
    *out = NULL;
    LIMN_TRY(check_watchers(err));
    s = limn_calloc(1, sizeof *s);
    if (!s) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    s->plan.settings = *settings;
    s->plan.bytes_at = (settings->max_out_size + PAGE - 1) / PAGE * PAGE;
    s->plan.shared_size = s->plan.bytes_at + (settings->max_size + PAGE - 1) / PAGE * PAGE;
    status = make_channels(s, err);
    if (status == LIMN_OK) status = fork_keeper(s, err);
    if (status == LIMN_OK) status = wait_for_first(s, err);
    if (status != LIMN_OK) limn_sandbox_stop(&s);
    *out = s;
    return status;
}

void limn_sandbox_stop(limn_sandbox **sandbox)
{
    limn_sandbox *s = sandbox ? *sandbox : NULL;
    if (!s) return;
    for (size_t i = 0; s->plan.channels && i < s->plan.settings.n_children; i++) {
        limn_sandbox_channel *c = &s->plan.channels[i];
        close_end(&c->request_in);
        close_end(&c->request_out);
        close_end(&c->answer_in);
        close_end(&c->answer_out);
        if (c->shared) munmap(c->shared, s->plan.shared_size);
    }
    if (s->keeper > 0)
        while (waitpid(s->keeper, NULL, 0) < 0 && errno == EINTR) continue;
    if (s->plan.pids) munmap(s->plan.pids, s->plan.settings.n_children * sizeof *s->plan.pids);
    limn_free(s->plan.channels);
    limn_free(s->sequences);
    limn_free(s->is_taken);
    limn_free(s);
    *sandbox = NULL;
}

size_t limn_sandbox_n_children(const limn_sandbox *s)
{
    return s->plan.settings.n_children;
}

size_t limn_sandbox_take_child(limn_sandbox *s)
{
    size_t i = 0;
    while (i < s->plan.settings.n_children && atomic_exchange(&s->is_taken[i], true)) i++;
    return i;
}

void limn_sandbox_give_child(limn_sandbox *s, size_t child)
{
    atomic_store(&s->is_taken[child], false);
}

/* ---- working ------------------------------------------------------------------------------- */

/* CPU seconds of a process so far; negative when it can't be told. */
static double cpu_seconds_of(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) return -1;
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Watches a child until there is an answer. True when it had to be killed. */
static bool wait_for_answer(const limn_sandbox *s, size_t child)
{
    struct pollfd fd = { .fd = s->plan.channels[child].answer_in, .events = POLLIN };
    double first = -1, last = -1;
    int n_idle = 0;
    for (;;) {
        const pid_t pid = s->plan.pids[child];
        const int n = poll(&fd, 1, WAIT_MS);
        double now;
        if (n > 0 || (n < 0 && errno != EINTR)) return false;
        now = n ? last : cpu_seconds_of(pid);
        if (first < 0) first = now;
        n_idle = n || now > last ? 0 : n_idle + 1;
        last = now;
        if (pid > 0 &&
            (now - first > s->plan.settings.max_cpu_seconds || n_idle > MAX_IDLE_WAITS)) {
            kill(pid, SIGKILL);
            return true;
        }
    }
}

static limn_status fail_died(const limn_sandbox *s, const limn_sandbox_answer *a, bool is_killed,
                             limn_error *err)
{
    const int status = a->wait_status;
    if (is_killed)
        return limn_fail(err, LIMN_E_LIMIT, "decoding it takes more than %.0f seconds of CPU time",
                         s->plan.settings.max_cpu_seconds);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return limn_fail(err, LIMN_E_CRASHED,
                         "decoding it made the decoder try what the sandbox forbids");
    if (WIFSIGNALED(status))
        return limn_fail(err, LIMN_E_CRASHED, "decoding it crashed the decoder (%s)",
                         strsignal(WTERMSIG(status)));
    return limn_fail(err, LIMN_E_CRASHED, "decoding it ended the decoder");
}

/* Of an answer from a child, nothing is taken on trust. */
static limn_status take_answer(const limn_sandbox_answer *a, limn_error *err)
{
    const limn_status code = a->error.code;
    if ((int)code < 0 || code > LIMN_E_CRASHED)
        return limn_fail(err, LIMN_E_CRASHED, "decoding it made the decoder talk nonsense");
    if (code != LIMN_OK) return limn_fail(err, code, "%s", a->error.text);
    if (a->error.text[0]) limn_note(err, "%s", a->error.text);
    return LIMN_OK;
}

static limn_status receive(limn_sandbox *s, size_t child, limn_error *err)
{
    limn_sandbox_answer a;
    bool is_killed = false;
    for (;;) {
        is_killed = wait_for_answer(s, child) || is_killed;
        if (!read_answer(&s->plan.channels[child], &a))
            return limn_fail(err, LIMN_E_IO, "the sandbox is gone");
        if (a.kind == LIMN_SANDBOX_DIED) return fail_died(s, &a, is_killed, err);
        if (a.kind == LIMN_SANDBOX_DONE && a.sequence == s->sequences[child])
            return take_answer(&a, err);
    }
}

/* Answers that nobody waits for: from a child that began, or died of nothing. */
static void drain(const limn_sandbox_channel *c)
{
    struct pollfd fd = { .fd = c->answer_in, .events = POLLIN };
    limn_sandbox_answer a;
    while (poll(&fd, 1, 0) > 0 && fd.revents & POLLIN && read_answer(c, &a)) continue;
}

static bool send_request(const limn_sandbox_channel *c, const limn_sandbox_request *r)
{
    ssize_t n;
    do n = write(c->request_out, r, sizeof *r);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *r;
}

limn_status limn_sandbox_run(limn_sandbox *s, size_t child, uint8_t *out, size_t out_size,
                             const void *bytes, size_t size, const void *settings,
                             size_t settings_size, limn_error *err)
{
    const limn_sandbox_channel *c = &s->plan.channels[child];
    limn_sandbox_request r = { .size = size, .out_size = out_size };
    limn_status status;
    if (size > s->plan.settings.max_size || out_size > s->plan.settings.max_out_size ||
        settings_size > sizeof r.settings)
        return limn_fail(err, LIMN_E_LIMIT, "too large for the sandbox");
    r.sequence = ++s->sequences[child];
    memcpy(r.settings, settings, settings_size);
    memcpy(c->shared + s->plan.bytes_at, bytes, size);
    drain(c);
    if (!send_request(c, &r)) return limn_fail(err, LIMN_E_IO, "the sandbox is gone");
    status = receive(s, child, err);
    if (status == LIMN_OK) memcpy(out, c->shared, out_size);
    if (size > KEPT_SIZE)
        madvise(c->shared + s->plan.bytes_at, s->plan.shared_size - s->plan.bytes_at, MADV_REMOVE);
    return status;
}
