#include "models/train/training_listener.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/mem.h"

void limn_training_say(const limn_training_listener *l, limn_training_level level, const char *fmt,
                       ...)
{
    va_list arguments;
    if (!l->say) return;
    va_start(arguments, fmt);
    const int size = vsnprintf(NULL, 0, fmt, arguments);
    va_end(arguments);
    char *text = size >= 0 ? limn_alloc((size_t)size + 1, 1) : NULL;
    if (!text) return;
    va_start(arguments, fmt);
    vsnprintf(text, (size_t)size + 1, fmt, arguments);
    va_end(arguments);
    l->say(l->ctx, level, text);
    limn_free(text);
}

void limn_training_work(const limn_training_listener *l, const char *what)
{
    if (l->work) l->work(l->ctx, what);
}

limn_train_progress limn_training_progress(const limn_training_listener *l)
{
    return (limn_train_progress){ l->progress, l->ctx };
}
