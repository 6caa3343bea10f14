#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include "tools/annotate/sandbox/syscall_filter.h"

#include <errno.h>
#include <string.h>

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS SECCOMP_RET_KILL
#endif

/* The low half of an argument; the values compared here fit into it on all supported
 * architectures. */
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define IS(value, n_then, n_else) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (n_then), (n_else))
#define ALLOW_IF(number) IS((number), 0, 1), RETURN(SECCOMP_RET_ALLOW)

/* Calls of x32 have other numbers and so are not among the allowed.
 *
 * mprotect is needed: a process forked from a thread goes on with that thread's arena of malloc,
 * and glibc grows and shrinks the heaps of such an arena by it. Like mmap it may make nothing
 * executable; that it could make read-only data writable helps none but who runs code here. */
static const struct sock_filter program[] = {
    LOAD(offsetof(struct seccomp_data, arch)),
    IS(ARCHITECTURE, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(offsetof(struct seccomp_data, nr)), /* what is allowed besides comes here: N_BEFORE_MORE */
    ALLOW_IF(SYS_brk),
    ALLOW_IF(SYS_munmap),
    ALLOW_IF(SYS_mremap),
    ALLOW_IF(SYS_madvise),
    ALLOW_IF(SYS_rt_sigreturn),
    ALLOW_IF(SYS_exit),
    ALLOW_IF(SYS_exit_group),
    IS(SYS_mprotect, 2, 0),
    IS(SYS_mmap, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(ARGUMENT(2)), /* nothing executable … */
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)(PROT_READ | PROT_WRITE)),
    IS(0, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(offsetof(struct seccomp_data, nr)),
    ALLOW_IF(SYS_mprotect),
    LOAD(ARGUMENT(3)), /* … and no file */
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)MAP_NORESERVE),
    IS(MAP_PRIVATE | MAP_ANONYMOUS, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    RETURN(SECCOMP_RET_ALLOW),
};

enum { N_PROGRAM = sizeof program / sizeof *program, N_BEFORE_MORE = 4 };

limn_status limn_syscall_filter_install(const int *more, size_t n_more, limn_error *err)
{
    struct sock_filter whole[N_PROGRAM + 2 * LIMN_SYSCALL_FILTER_MAX_MORE];
    size_t n = N_BEFORE_MORE;
    memcpy(whole, program, sizeof *program * N_BEFORE_MORE);
    for (size_t i = 0; i < n_more && i < LIMN_SYSCALL_FILTER_MAX_MORE; i++) {
        const struct sock_filter allow[] = { ALLOW_IF((uint32_t)more[i]) };
        memcpy(&whole[n], allow, sizeof allow);
        n += sizeof allow / sizeof *allow;
    }
    memcpy(&whole[n], program + N_BEFORE_MORE, sizeof *program * (N_PROGRAM - N_BEFORE_MORE));
    n += N_PROGRAM - N_BEFORE_MORE;
    const struct sock_fprog filter = { .len = (unsigned short)n, .filter = whole };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "the kernel has no seccomp filters: %s",
                         strerror(errno));
    return LIMN_OK;
}

#else

limn_status limn_syscall_filter_install(const int *more, size_t n_more, limn_error *err)
{
    (void)more;
    (void)n_more;
    return limn_fail(err, LIMN_E_UNSUPPORTED, "there is no filter of system calls for this system");
}

#endif
