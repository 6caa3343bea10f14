#define _GNU_SOURCE /* memfd_create, madvise */

#include "tools/annotate/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tools/annotate/sandbox/sandbox_start.h"
#include "tools/annotate/sandbox/sandbox_child.h"

enum {
    PAGE = 65536,         /* a multiple of every page size */
    KEPT_SIZE = 32 << 20, /* bytes of shared memory kept between images */
    LOOK_MS = 200,        /* between checks of the clock while a child works */
    STOP_SECONDS = 2,     /* that the current image gets after *is_stopping */
    KILL_SECONDS = 10,    /* until a child that was killed must have ended */
    FILES_A_SLOT = 5,     /* descriptors while it starts */
    FILES_KEPT = 10,      /* for everything else */
};

/* The caller's side of a slot. */
typedef struct slot_use {
    uint64_t last_request;
    size_t size, out_size;  /* bytes in its shared memory, of the last request */
    bool is_taken, is_lost; /* lost: its child can't be ended; it is not used again */
} slot_use;

struct limn_sandbox {
    limn_sandbox_plan plan;
    pid_t owner, keeper;   /* processes: the one that started it, and its keeper */
    pthread_mutex_t mutex; /* guards is_taken and is_lost */
    pthread_cond_t freed;
    slot_use *uses; /* [n_slots] */
};

/* ---- starting ------------------------------------------------------------------------------ */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#define IS_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define IS_SANITIZED false
#endif

static bool is_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "vgpreload");
}

bool limn_sandbox_is_watched(void)
{
    return IS_SANITIZED || is_valgrind();
}

/* Sanitizers and valgrind make system calls that the filter does not allow. */
static limn_status check_watchers(limn_error *err)
{
    if (IS_SANITIZED) return limn_fail(err, LIMN_E_UNSUPPORTED, "built with a sanitizer");
    if (is_valgrind()) return limn_fail(err, LIMN_E_UNSUPPORTED, "running under valgrind");
    return LIMN_OK;
}

/* The same with a descriptor above 2, as the user may have closed standard streams. */
static int above_streams(int fd)
{
    const int above = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    const int reason = errno;
    if (fd >= 0) close(fd);
    errno = reason;
    return above;
}

static bool keep_ends(int *in, int *out, const int ends[2])
{
    *in = above_streams(ends[0]);
    *out = above_streams(ends[1]);
    return *in >= 0 && *out >= 0;
}

static bool make_pipe(int *in, int *out)
{
    int ends[2];
    return !pipe2(ends, O_CLOEXEC) && keep_ends(in, out, ends);
}

/* What the caller writes to: a socket, as a write to a pipe that nobody reads any more raises
 * SIGPIPE, which is the caller's own to handle. */
static bool make_channel(int *in, int *out)
{
    int ends[2];
    return !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) && keep_ends(in, out, ends);
}

static int make_memory(void)
{
    return above_streams(memfd_create("limn", MFD_CLOEXEC));
}

static void *map_memory(int memory, size_t size, size_t at)
{
    void *map = MAP_FAILED;
    if (memory >= 0 && !ftruncate(memory, (off_t)(at + size)))
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, (off_t)at);
    return map == MAP_FAILED ? NULL : map;
}

static size_t round_up(size_t size)
{
    return (size + PAGE - 1) / PAGE * PAGE;
}

/* Addresses for the largest request; memory only for what is used of them, even where the system
 * does not promise more memory than it has. */
static bool map_shared(limn_sandbox_slot *slot, size_t size)
{
    slot->memory = make_memory();
    slot->shared = map_memory(slot->memory, size, 0);
    return slot->shared != NULL;
}

static void close_end(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void finish_slot(limn_sandbox_slot *slot, size_t shared_size)
{
    close_end(&slot->go_in);
    close_end(&slot->go_out);
    close_end(&slot->end_in);
    close_end(&slot->end_out);
    close_end(&slot->memory);
    if (slot->shared) munmap(slot->shared, shared_size);
    slot->shared = NULL;
}

static bool make_slot(limn_sandbox_slot *slot, size_t shared_size)
{
    *slot = (limn_sandbox_slot){ -1, -1, -1, -1, -1, NULL };
    return make_channel(&slot->go_in, &slot->go_out) && make_pipe(&slot->end_in, &slot->end_out) &&
           map_shared(slot, shared_size);
}

/* How many of the children there is room for: all descriptors but FILES_KEPT, and half of the
 * address space; at least one. */
static size_t room_for(const limn_sandbox_plan *p)
{
    struct rlimit files, addresses;
    size_t n = p->settings.n_children;
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur != RLIM_INFINITY) {
        const size_t most =
            files.rlim_cur > FILES_KEPT ? ((size_t)files.rlim_cur - FILES_KEPT) / FILES_A_SLOT : 0;
        n = n < most ? n : most;
    }
    if (!getrlimit(RLIMIT_AS, &addresses) && addresses.rlim_cur != RLIM_INFINITY) {
        const size_t most = (size_t)addresses.rlim_cur / 2 / p->shared_size;
        n = n < most ? n : most;
    }
    return n ? n : 1;
}

/* As many slots as there can be, at least one. */
static limn_status make_slots(limn_sandbox *s, limn_error *err)
{
    limn_sandbox_plan *p = &s->plan;
    const size_t n = room_for(p);
    p->slots = limn_calloc(n, sizeof *p->slots);
    s->uses = limn_calloc(n, sizeof *s->uses);
    if (!p->slots || !s->uses) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (!make_channel(&p->kill_in, &p->kill_out) || (p->board = make_memory()) < 0)
        return limn_fail(err, LIMN_E_IO, "can't make a socket or shared memory: %s",
                         strerror(errno));
    while (p->n_slots < n && make_slot(&p->slots[p->n_slots], p->shared_size)) p->n_slots++;
    if (p->n_slots < n) {
        const int reason = errno;
        finish_slot(&p->slots[p->n_slots], p->shared_size);
        if (!p->n_slots)
            return limn_fail(err, LIMN_E_UNSUPPORTED, "no sockets, pipes or shared memory: %s",
                             strerror(reason));
    }
    p->control_at = round_up(limn_sandbox_order_size(p));
    p->control = map_memory(p->board, p->n_slots * sizeof *p->control, p->control_at);
    return p->control ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

/* Closes the other processes' ends, so that the caller notices when they close theirs. */
static void close_other_ends(limn_sandbox *s)
{
    close_end(&s->plan.kill_in);
    close_end(&s->plan.board);
    for (size_t i = 0; i < s->plan.n_slots; i++) {
        close_end(&s->plan.slots[i].go_in);
        close_end(&s->plan.slots[i].end_out);
        close_end(&s->plan.slots[i].memory);
    }
}

static void lay_out(limn_sandbox_plan *p)
{
    const limn_sandbox_settings *s = &p->settings;
    p->out_at = round_up(sizeof(limn_sandbox_exchange));
    p->bytes_at = p->out_at + round_up(s->max_out_size);
    p->shared_size = p->bytes_at + round_up(s->max_size);
}

static limn_status try_first(limn_sandbox *s, limn_error *err);

static limn_status start(limn_sandbox *s, limn_error *err)
{
    LIMN_TRY(make_slots(s, err));
    LIMN_TRY(limn_sandbox_start_keeper(&s->plan, &s->keeper, err));
    close_other_ends(s);
    LIMN_TRY(try_first(s, err));
    if (s->plan.n_slots < s->plan.settings.n_children)
        limn_note(
            err,
            "the sandbox has only %zu of %zu decoders: file descriptors or address space ran out",
            s->plan.n_slots, s->plan.settings.n_children);
    return LIMN_OK;
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
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->freed, NULL);
    s->plan =
        (limn_sandbox_plan){ .settings = *settings, .kill_in = -1, .kill_out = -1, .board = -1 };
    s->owner = getpid();
    lay_out(&s->plan);
    status = start(s, err);
    if (status != LIMN_OK) limn_sandbox_stop(&s);
    *out = s;
    return status;
}

/* False when nobody reads it any more. */
static bool send_whole(int fd, const void *bytes, size_t size)
{
    ssize_t n;
    do n = send(fd, bytes, size, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size;
}

/* The end of the channel alone is not enough: other forks of the caller may have it open. A fork of
 * the caller only lets go of it. */
static void end_keeper(limn_sandbox *s)
{
    const limn_sandbox_kill order = { 0, LIMN_SANDBOX_ALL };
    const bool is_owner = s->owner == getpid();
    if (is_owner && s->plan.kill_out >= 0) send_whole(s->plan.kill_out, &order, sizeof order);
    close_end(&s->plan.kill_in);
    close_end(&s->plan.kill_out);
    if (is_owner && s->keeper > 0)
        while (waitpid(s->keeper, NULL, 0) < 0 && errno == EINTR) continue;
}

void limn_sandbox_stop(limn_sandbox **sandbox)
{
    limn_sandbox *s = sandbox ? *sandbox : NULL;
    if (!s) return;
    end_keeper(s);
    close_end(&s->plan.board);
    for (size_t i = 0; i < s->plan.n_slots; i++)
        finish_slot(&s->plan.slots[i], s->plan.shared_size);
    if (s->plan.control) munmap(s->plan.control, s->plan.n_slots * sizeof *s->plan.control);
    pthread_cond_destroy(&s->freed);
    pthread_mutex_destroy(&s->mutex);
    limn_free(s->plan.slots);
    limn_free(s->uses);
    limn_free(s);
    *sandbox = NULL;
}

/* ---- slots --------------------------------------------------------------------------------- */

/* A free slot; n_slots when all are lost. */
static size_t find_free(const limn_sandbox *s, bool *is_any_left)
{
    *is_any_left = false;
    for (size_t i = 0; i < s->plan.n_slots; i++) {
        *is_any_left = *is_any_left || !s->uses[i].is_lost;
        if (!s->uses[i].is_taken && !s->uses[i].is_lost) return i;
    }
    return s->plan.n_slots;
}

static limn_status take_slot(limn_sandbox *s, size_t *slot, limn_error *err)
{
    bool is_any_left;
    pthread_mutex_lock(&s->mutex);
    while ((*slot = find_free(s, &is_any_left)) == s->plan.n_slots && is_any_left)
        pthread_cond_wait(&s->freed, &s->mutex);
    if (is_any_left) s->uses[*slot].is_taken = true;
    pthread_mutex_unlock(&s->mutex);
    return is_any_left ? LIMN_OK : limn_fail(err, LIMN_E_IO, "the sandbox is gone");
}

static void free_slot(limn_sandbox *s, size_t slot, bool is_lost)
{
    pthread_mutex_lock(&s->mutex);
    s->uses[slot].is_taken = false;
    s->uses[slot].is_lost = is_lost;
    pthread_cond_broadcast(&s->freed);
    pthread_mutex_unlock(&s->mutex);
}

/* ---- working ------------------------------------------------------------------------------- */

typedef enum end_kind { END_OF_ITSELF, END_BY_CLOCK, END_BY_CALLER, END_LOST } end_kind;

/* The keeper's word that the child of `request` has ended; false when the keeper is gone. Reads and
 * writes this small are atomic on a pipe. */
static bool read_end(int fd, limn_sandbox_end *end)
{
    ssize_t n;
    do n = read(fd, end, sizeof *end);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *end;
}

/* Why a child working since `begin` must be killed now; END_OF_ITSELF: it need not be. */
static end_kind judge(const limn_sandbox *s, double begin, const atomic_bool *is_stopping,
                      double *stop_seen)
{
    const double now = limn_clock_seconds();
    if (is_stopping && atomic_load(is_stopping)) {
        if (!*stop_seen) *stop_seen = now;
        if (now - *stop_seen > STOP_SECONDS) return END_BY_CALLER;
    }
    return now - begin > s->plan.settings.max_seconds ? END_BY_CLOCK : END_OF_ITSELF;
}

/* Waits until the child has ended, killing it when its time is up. */
static end_kind wait_for_end(const limn_sandbox *s, size_t slot, const atomic_bool *is_stopping,
                             int *wait_status)
{
    struct pollfd fd = { .fd = s->plan.slots[slot].end_in, .events = POLLIN };
    const uint64_t request = s->uses[slot].last_request;
    const double begin = limn_clock_seconds();
    double stop_seen = 0, killed = 0;
    end_kind kind = END_OF_ITSELF;
    for (;;) {
        const int n = poll(&fd, 1, LOOK_MS);
        limn_sandbox_end end;
        if (n > 0 && !read_end(fd.fd, &end)) return END_LOST;
        if (n > 0 && end.request == request) {
            *wait_status = end.wait_status;
            return kind;
        }
        if (n < 0 && errno != EINTR) return END_LOST;
        if (!killed && (kind = judge(s, begin, is_stopping, &stop_seen)) != END_OF_ITSELF) {
            const limn_sandbox_kill order = { request, slot };
            killed = limn_clock_seconds();
            if (!send_whole(s->plan.kill_out, &order, sizeof order)) return END_LOST;
        }
        if (killed && limn_clock_seconds() - killed > KILL_SECONDS) return END_LOST;
    }
}

static limn_status fail_end(const limn_sandbox *s, end_kind kind, int status, limn_error *err)
{
    const limn_sandbox_settings *set = &s->plan.settings;
    if (kind == END_LOST) return limn_fail(err, LIMN_E_IO, "the sandbox is gone");
    if (kind == END_BY_CALLER) return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    if (kind == END_BY_CLOCK)
        return limn_fail(err, LIMN_E_LIMIT, "decoding takes more than %u s",
                         (unsigned)set->max_seconds);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return limn_fail(err, LIMN_E_LIMIT, "decoding takes more than %u s of CPU time",
                         (unsigned)set->max_cpu_seconds);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return limn_fail(err, LIMN_E_CRASHED,
                         "decoding it made the decoder try something the sandbox forbids");
    if (WIFSIGNALED(status))
        return limn_fail(err, LIMN_E_CRASHED, "decoding it crashed the decoder (%s)",
                         strsignal(WTERMSIG(status)));
    return limn_fail(err, LIMN_E_CRASHED, "decoding it terminated the decoder");
}

/* Statuses in which decoding can end; others would be about the run, of which a child knows
 * nothing. */
static bool is_of_an_image(limn_status code)
{
    return code == LIMN_OK || code == LIMN_E_FORMAT || code == LIMN_E_TRUNCATED ||
           code == LIMN_E_UNSUPPORTED || code == LIMN_E_LIMIT || code == LIMN_E_ARG;
}

/* Validates an untrusted answer. The child has ended, so the bytes can't change. */
static limn_status take_answer(const limn_sandbox_exchange *x, limn_error *err)
{
    limn_error said = x->error;
    said.text[sizeof said.text - 1] = '\0';
    if (!x->has_answer) return limn_fail(err, LIMN_E_CRASHED, "decoding it terminated the decoder");
    if (said.code == LIMN_E_NOMEM)
        return limn_fail(err, LIMN_E_LIMIT, "decoding takes more memory than the sandbox allows");
    if (!is_of_an_image(said.code))
        return limn_fail(err, LIMN_E_CRASHED,
                         "decoding it made the decoder return an impossible result");
    if (said.code != LIMN_OK) return limn_fail(err, said.code, "%s", said.text);
    if (said.text[0]) limn_note(err, "%s", said.text);
    return LIMN_OK;
}

/* Puts zeros where the last request left bytes that this one does not write over. */
static void clear_rest(unsigned char *at, size_t size, size_t *last_size)
{
    if (*last_size > size) memset(at + size, 0, *last_size - size);
    *last_size = size;
}

static void put_request(limn_sandbox *s, size_t slot, const limn_sandbox_exchange *request,
                        const void *bytes)
{
    unsigned char *shared = s->plan.slots[slot].shared;
    slot_use *use = &s->uses[slot];
    memcpy(shared, request, sizeof *request);
    memset(shared + s->plan.out_at, 0, request->out_size);
    clear_rest(shared + s->plan.out_at, request->out_size, &use->out_size);
    memcpy(shared + s->plan.bytes_at, bytes, request->size);
    clear_rest(shared + s->plan.bytes_at, request->size, &use->size);
    atomic_store(&s->plan.control[slot].parts, request->parts);
    atomic_store(&s->plan.control[slot].wanted, ++use->last_request);
}

/* In a slot that is the caller's: until the child has ended and its answer is known. `*missing`:
 * the parts that it lacked; then the answer is of no use. */
static limn_status work_in(limn_sandbox *s, size_t slot, const atomic_bool *is_stopping,
                           bool *is_lost, uint32_t *missing, limn_error *err)
{
    const limn_sandbox_exchange *x =
        (const limn_sandbox_exchange *)(const void *)s->plan.slots[slot].shared;
    int wait_status = 0;
    end_kind kind = END_LOST;
    *missing = 0;
    if (send_whole(s->plan.slots[slot].go_out, "", 1))
        kind = wait_for_end(s, slot, is_stopping, &wait_status);
    *is_lost = kind == END_LOST;
    if (kind != END_OF_ITSELF || !WIFEXITED(wait_status) || WEXITSTATUS(wait_status))
        return fail_end(s, kind, wait_status, err);
    if (x->has_answer) *missing = x->missing;
    return *missing ? LIMN_OK : take_answer(x, err);
}

/* Whether children can lock themselves down on this system. */
static limn_status try_first(limn_sandbox *s, limn_error *err)
{
    const limn_sandbox_exchange trial = { .is_trial = 1 };
    limn_error reason = { 0 };
    uint32_t missing;
    bool is_lost;
    put_request(s, 0, &trial, "");
    if (work_in(s, 0, NULL, &is_lost, &missing, &reason) == LIMN_OK) return LIMN_OK;
    if (is_lost && s->plan.settings.program)
        return limn_fail(err, LIMN_E_IO,
                         "%s: ended at once; it is from another build, or a library is missing",
                         s->plan.settings.program);
    return limn_fail(err, LIMN_E_UNSUPPORTED, "its first process failed: %s", reason.text);
}

/* One child after another in this slot, until one of them lacks no part. Each time at least one
 * more is prepared, whatever the children say, so it ends. */
static limn_status serve_request(limn_sandbox *s, size_t slot, limn_sandbox_exchange *request,
                                 const void *bytes, const atomic_bool *is_stopping, bool *is_lost,
                                 limn_error *err)
{
    for (;;) {
        limn_status status;
        uint32_t missing;
        put_request(s, slot, request, bytes);
        status = work_in(s, slot, is_stopping, is_lost, &missing, err);
        if (status != LIMN_OK || !missing) return status;
        if (!(missing & ~request->parts))
            return limn_fail(err, LIMN_E_CRASHED, "decoding it asked twice for the same part");
        request->parts |= missing;
    }
}

limn_status limn_sandbox_run(limn_sandbox *s, uint8_t *out, size_t out_size, const void *bytes,
                             size_t size, const void *settings, size_t settings_size,
                             const atomic_bool *is_stopping, limn_error *err)
{
    limn_sandbox_exchange request = { .size = size, .out_size = out_size };
    limn_status status;
    size_t slot;
    bool is_lost;
    if (size > s->plan.settings.max_size || out_size > s->plan.settings.max_out_size ||
        settings_size > sizeof request.settings)
        return limn_fail(err, LIMN_E_LIMIT, "too large for the sandbox");
    memcpy(request.settings, settings, settings_size);
    LIMN_TRY(take_slot(s, &slot, err));
    const limn_sandbox_slot *c = &s->plan.slots[slot];
    status = serve_request(s, slot, &request, bytes, is_stopping, &is_lost, err);
    if (status == LIMN_OK) memcpy(out, c->shared + s->plan.out_at, out_size);
    if (size > KEPT_SIZE) {
        madvise(c->shared + s->plan.bytes_at, s->plan.shared_size - s->plan.bytes_at, MADV_REMOVE);
        s->uses[slot].size = 0;
    }
    free_slot(s, slot, is_lost);
    return status;
}
