#include "tools/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli.h"

static volatile sig_atomic_t n_signals, is_held;
static atomic_bool has_come; /* n_signals for other threads */
static bool was_sigpipe_ignored;

/* Only async-signal-safe calls. */
static void on_signal(int number)
{
    (void)number;
    n_signals++;
    atomic_store(&has_come, true);
    if (n_signals > (is_held ? 2 : 1)) _exit(LIMN_EXIT_INTERRUPTED);
}

static bool ignore_sigpipe(void)
{
    struct sigaction action = { .sa_handler = SIG_IGN }, old;
    if (sigaction(SIGPIPE, &action, &old)) return false;
    was_sigpipe_ignored = old.sa_handler == SIG_IGN;
    return true;
}

bool limn_interrupt_start(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    return !sigaction(SIGINT, &action, NULL) && !sigaction(SIGTERM, &action, NULL) &&
           ignore_sigpipe();
}

bool limn_interrupt_is_set(void)
{
    return n_signals != 0;
}

const atomic_bool *limn_interrupt_flag(void)
{
    return &has_come;
}

void limn_interrupt_hold(void)
{
    is_held = 1;
}

void limn_interrupt_release(void)
{
    is_held = 0;
    if (n_signals > 1) _exit(LIMN_EXIT_INTERRUPTED);
}

static void set_blocked(int how)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(how, &signals, NULL);
}

void limn_interrupt_block(void)
{
    set_blocked(SIG_BLOCK);
}

void limn_interrupt_unblock(void)
{
    set_blocked(SIG_UNBLOCK);
}

void limn_interrupt_raise_sigpipe(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    if (was_sigpipe_ignored) return;
    sigaction(SIGPIPE, &action, NULL);
    raise(SIGPIPE);
}
