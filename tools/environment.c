#define _GNU_SOURCE /* sched_getaffinity: cores that this process may use, not all there are */
#include "tools/environment.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/base/cpu_quota.h"
#include "common/io/program_folder.h"

uint32_t limn_default_threads(void)
{
    const uint32_t quota = limn_cpu_quota("");
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set)) n = CPU_COUNT(&set);
#endif
    if (quota && (long)quota < n) n = quota;
    if (n < 1) return 1;
    return n > LIMN_MAX_THREADS ? LIMN_MAX_THREADS : (uint32_t)n;
}

limn_status limn_default_model_path(char **out, limn_error *err)
{
    static const char *const below_program[] = { "../models/", "../share/limn/" };
    char folder[4096];
    limn_buffer path = { 0 };
    limn_program_folder(folder, sizeof folder);
    for (size_t i = 0; i < 3; i++) {
        limn_buffer_clear(&path);
        if (i < 2)
            limn_buffer_printf(&path, "%s%s" LIMN_DEFAULT_MODEL, folder, below_program[i]);
        else
            limn_buffer_append_text(&path, LIMN_DATA_FOLDER "/" LIMN_DEFAULT_MODEL);
        if (path.has_failed) break;
        if ((i == 2 || folder[0]) && !access(path.bytes, R_OK)) {
            *out = path.bytes;
            return LIMN_OK;
        }
    }
    limn_buffer_finish(&path);
    return limn_fail(err, LIMN_E_IO,
                     "no default model: no " LIMN_DEFAULT_MODEL " in %s../models, %s../share/limn "
                     "or " LIMN_DATA_FOLDER "; give one with --model FILE",
                     folder, folder);
}
