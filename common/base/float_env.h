/* The floating-point environment of a host program.
 *
 * A program, or a library that it loads, can have set another rounding, flush denormals to zero
 * (gcc's -ffast-math does, at start), or let an exception trap. Each public function that computes
 * or reads numbers sets the environment of C's start-up instead: round to nearest, denormals kept,
 * no traps. It puts the caller's back, exception flags included. Threads start with the environment
 * of the one that made them: those of limn_pool set it once. */
#ifndef LIMN_COMMON_BASE_FLOAT_ENV_H
#define LIMN_COMMON_BASE_FLOAT_ENV_H

#include <fenv.h>

typedef struct limn_float_env {
    fenv_t caller;
} limn_float_env;

/* Sets the environment for this thread, and returns the caller's for limn_float_env_leave. Pairs
 * can be nested. */
limn_float_env limn_float_env_enter(void);
void limn_float_env_leave(const limn_float_env *env);

#endif
