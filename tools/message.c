#include "tools/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/text/terminal_text.h"
#include "tools/progress.h"

static const char *message_program = "limn";

void limn_message_init(const char *program, limn_verbosity verbosity)
{
    message_program = program;
    limn_verbosity_set(verbosity);
}

/* The message as one line of harmless text; where memory is short, only what is plain of it. */
static void append_line(limn_buffer *line, char *text)
{
    const size_t size = strlen(text);
    limn_buffer harmless = { 0 };
    limn_terminal_append(&harmless, text, size);
    for (size_t i = 0; i < harmless.size; i++) {
        const char c = harmless.bytes[i];
        if (c == '\n' || c == '\t')
            limn_buffer_append_text(line, c == '\n' ? "\\n" : "\\t");
        else
            limn_buffer_append(line, &c, 1);
    }
    limn_buffer_append_text(line, "\n");
    line->has_failed |= harmless.has_failed;
    limn_buffer_finish(&harmless);
}

static void put_plain(const char *kind, char *text)
{
    for (char *at = text; *at; at++)
        if (*at < ' ' || *at > '~') *at = '?';
    fprintf(stderr, "%s: %s%s\n", message_program, kind, text);
}

/* One write for the whole line, so that lines of several processes don't mix. */
LIMN_PRINTF(2, 0)
static void put_line(const char *kind, const char *fmt, va_list ap)
{
    char text[8192]; /* a path of PATH_MAX bytes and an error text */
    limn_buffer line = { 0 };
    vsnprintf(text, sizeof text, fmt, ap);
    limn_buffer_printf(&line, "%s: %s", message_program, kind);
    append_line(&line, text);
    flockfile(stderr);
    limn_progress_erase();
    if (line.has_failed)
        put_plain(kind, text);
    else
        fwrite(line.bytes, 1, line.size, stderr);
    funlockfile(stderr);
    limn_buffer_finish(&line);
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
    if (limn_verbosity_get() < LIMN_NORMAL) return;
    va_start(ap, fmt);
    put_line("warning: ", fmt, ap);
    va_end(ap);
}

void limn_message_info(const char *fmt, ...)
{
    va_list ap;
    if (limn_verbosity_get() < LIMN_NORMAL) return;
    va_start(ap, fmt);
    put_line("", fmt, ap);
    va_end(ap);
}

void limn_message_note(const char *fmt, ...)
{
    va_list ap;
    if (limn_verbosity_get() < LIMN_VERBOSE) return;
    va_start(ap, fmt);
    put_line("", fmt, ap);
    va_end(ap);
}
