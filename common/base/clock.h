/* A monotonic clock, for intervals. */
#ifndef LIMN_COMMON_BASE_CLOCK_H
#define LIMN_COMMON_BASE_CLOCK_H

/* Seconds since an arbitrary moment, the same in all threads of a process. */
double limn_clock_seconds(void);

#endif
