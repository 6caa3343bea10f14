#include "common/base/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *limn_status_name(limn_status s)
{
    static const char *const names[] = {
        [LIMN_OK] = "ok",
        [LIMN_E_NOMEM] = "out of memory",
        [LIMN_E_IO] = "i/o error",
        [LIMN_E_FORMAT] = "bad format",
        [LIMN_E_TRUNCATED] = "truncated",
        [LIMN_E_UNSUPPORTED] = "unsupported",
        [LIMN_E_LIMIT] = "over limit",
        [LIMN_E_ARG] = "bad argument",
        [LIMN_E_INTERRUPTED] = "interrupted",
        [LIMN_E_CRASHED] = "crashed",
    };
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "unknown";
}

/* Texts quote hostile names and values: control characters (C0, DEL, and C1 in UTF-8, 0xc2 0x80 …
 * 0x9f) are replaced, so that they stay one line and can't control a terminal. */
static void replace_control_characters(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++) {
        const bool is_c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;
        if (is_c1) p[1] = '?';
        if (is_c1 || *p < 0x20 || *p == 0x7f) *p = '?';
    }
}

limn_status limn_fail(limn_error *err, limn_status code, const char *fmt, ...)
{
    if (err && err->code == LIMN_OK) {
        va_list ap;
        err->code = code;
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
        replace_control_characters(err->text);
    }
    return code;
}

void limn_note(limn_error *err, const char *fmt, ...)
{
    if (err && err->code == LIMN_OK && !err->text[0]) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
        replace_control_characters(err->text);
    }
}

void limn_error_prefix(limn_error *err, const char *fmt, ...)
{
    char old[sizeof err->text];
    size_t used;
    va_list ap;
    if (!err) return;
    memcpy(old, err->text, sizeof old);
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", old);
    replace_control_characters(err->text);
}
