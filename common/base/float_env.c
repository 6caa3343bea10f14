#include "common/base/float_env.h"

limn_float_env limn_float_env_enter(void)
{
    limn_float_env env;
    fegetenv(&env.caller);
    fesetenv(FE_DFL_ENV);
    return env;
}

void limn_float_env_leave(const limn_float_env *env)
{
    fesetenv(&env->caller);
}
