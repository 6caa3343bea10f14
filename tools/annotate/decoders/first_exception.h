/* For modules of libraries in C++. */
#ifndef LIMN_TOOLS_ANNOTATE_DECODERS_FIRST_EXCEPTION_H
#define LIMN_TOOLS_ANNOTATE_DECODERS_FIRST_EXCEPTION_H

#include <stddef.h>
#include <unwind.h>

static inline _Unwind_Reason_Code limn_stop_unwinding(struct _Unwind_Context *context, void *ctx)
{
    (void)context;
    (void)ctx;
    return _URC_END_OF_STACK;
}

/* The first exception of a process makes the unwinder set itself up by pthread_once, which makes a
 * system call that the sandbox forbids: this does it beforehand. */
static inline void limn_prepare_exceptions(void)
{
    _Unwind_Backtrace(limn_stop_unwinding, NULL);
}

#endif
