/* Time that passes, whatever becomes of the date: for intervals, not for what o'clock it is. */
#ifndef LIMN_COMMON_BASE_CLOCK_H
#define LIMN_COMMON_BASE_CLOCK_H

/* Seconds since some moment, the same one in all threads of a process. Never runs backwards. */
double limn_clock_seconds(void);

#endif
