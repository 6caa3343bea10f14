#include "tools/annotate/hooks.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool limn_hooks_keep_going(const limn_annotate_hooks *h)
{
    return !h || !h->keep_going || h->keep_going(h->ctx);
}

void limn_hooks_message(const limn_annotate_hooks *h, limn_annotate_severity severity,
                        const char *fmt, ...)
{
    char text[8192]; /* a path of PATH_MAX bytes and an error text */
    va_list ap;
    if (!h || !h->message) return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    h->message(h->ctx, severity, text);
}

void limn_hooks_failure(const limn_annotate_hooks *h, const char *path, const limn_error *failure)
{
    const size_t size = strlen(path);
    const bool is_named = !strncmp(failure->text, path, size) && failure->text[size] == ':';
    limn_hooks_message(h, LIMN_ANNOTATE_ERROR, "%s%s%s", is_named ? "" : path, is_named ? "" : ": ",
                       failure->text);
}

void limn_hooks_writing(const limn_annotate_hooks *h, bool is_writing)
{
    if (h && h->writing) h->writing(h->ctx, is_writing);
}
