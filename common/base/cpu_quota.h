/* The CPU time that this process's control group may use: containers and job schedulers set it, and
 * neither the number of processors nor the affinity shows it. */
#ifndef LIMN_COMMON_BASE_CPU_QUOTA_H
#define LIMN_COMMON_BASE_CPU_QUOTA_H

#include <stdint.h>

/* Processors' worth of time, rounded up: the least quota of the group and of those that it is in,
 * by version 2 or 1 of control groups; 0 when there is none. `root` is put before /proc and /sys:
 * "". */
uint32_t limn_cpu_quota(const char *root);

#endif
