/* Status codes and error texts. Every public function that can fail returns a limn_status and
 * takes a `limn_error *err`, which may be NULL, as its last parameter. */
#ifndef LIMN_COMMON_BASE_ERROR_H
#define LIMN_COMMON_BASE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LIMN_API __attribute__((visibility("default")))
#else
#define LIMN_API
#endif

typedef enum limn_status {
    LIMN_OK = 0,
    LIMN_E_NOMEM,       /* an allocation or a size computation failed */
    LIMN_E_IO,          /* open, read, write or rename failed; the text says why (errno) */
    LIMN_E_FORMAT,      /* the bytes are not what their header promises */
    LIMN_E_TRUNCATED,   /* the data ends before its header says it does */
    LIMN_E_UNSUPPORTED, /* well-formed, but a variant that is not handled */
    LIMN_E_LIMIT,       /* beyond a limit */
    LIMN_E_ARG,         /* invalid argument */
    LIMN_E_INTERRUPTED, /* a callback asked to stop */
    LIMN_E_CRASHED,     /* the process that did the work crashed */
} limn_status;

/* The text of the first failure: one line without a newline, naming file, field, value and bound.
 * Zero-initialise it before first use. After a success (code LIMN_OK), a text that is not empty
 * is a note about something that was ignored. */
typedef struct limn_error {
    limn_status code;
    char text[480];
} limn_error;

/* A short name for a status, e.g. "i/o error". Static storage; never NULL. */
LIMN_API const char *limn_status_name(limn_status s);

#ifdef __cplusplus
}
#endif

#endif
