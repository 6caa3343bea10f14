/* The floating-point environment of a host program.
 *
 * A program, or a library it loads, may have set another rounding mode, denormal flushing (as
 * gcc's -ffast-math does) or traps. Each public function that computes or reads numbers sets C's
 * default environment (round to nearest, denormals kept, no traps) and restores the caller's on
 * return, exception flags included. Threads inherit the environment of their creator: those of
 * limn_pool set it once. */
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
