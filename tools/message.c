#include "tools/message.h"

#include <stdarg.h>
#include <stdio.h>

#include "tools/progress.h"

static const char *message_program = "limn";
static limn_verbosity message_verbosity = LIMN_NORMAL;

void limn_message_init(const char *program, limn_verbosity verbosity)
{
    message_program = program;
    message_verbosity = verbosity;
}

limn_verbosity limn_verbosity_of(bool is_quiet, bool is_verbose)
{
    return is_quiet ? LIMN_QUIET : is_verbose ? LIMN_VERBOSE : LIMN_NORMAL;
}

limn_verbosity limn_message_verbosity(void)
{
    return message_verbosity;
}

/* Appends `text` to line [capacity] at `used`, control characters escaped; returns the new end. */
static size_t append_escaped(char *line, size_t capacity, size_t used, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p && used + 6 < capacity; p++) {
        if (*p == '\n' || *p == '\t')
            used += (size_t)sprintf(line + used, "\\%c", *p == '\n' ? 'n' : 't');
        else if (*p < 0x20 || *p == 0x7f)
            used += (size_t)sprintf(line + used, "\\x%02x", *p);
        else
            line[used++] = (char)*p;
    }
    return used;
}

/* One write for the whole line, so that lines of several processes don't mix. */
LIMN_PRINTF(2, 0)
static void put_line(const char *kind, const char *fmt, va_list ap)
{
    char text[8192], line[3 * sizeof text]; /* a path of PATH_MAX bytes and an error text */
    size_t used;
    vsnprintf(text, sizeof text, fmt, ap);
    used = (size_t)snprintf(line, sizeof line, "%s: %s", message_program, kind);
    used = append_escaped(line, sizeof line, used, text);
    line[used++] = '\n';
    flockfile(stderr);
    limn_progress_erase();
    fwrite(line, 1, used, stderr);
    funlockfile(stderr);
}

void limn_message_error(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put_line("", fmt, ap);
    va_end(ap);
}

void limn_message_warning(const char *fmt, ...)
{
    va_list ap;
    if (message_verbosity < LIMN_NORMAL) return;
    va_start(ap, fmt);
    put_line("warning: ", fmt, ap);
    va_end(ap);
}

void limn_message_info(const char *fmt, ...)
{
    va_list ap;
    if (message_verbosity < LIMN_NORMAL) return;
    va_start(ap, fmt);
    put_line("", fmt, ap);
    va_end(ap);
}

void limn_message_note(const char *fmt, ...)
{
    va_list ap;
    if (message_verbosity < LIMN_VERBOSE) return;
    va_start(ap, fmt);
    put_line("", fmt, ap);
    va_end(ap);
}
