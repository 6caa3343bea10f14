#include "tools/sinks/sink.h"

#include "common/base/mem.h"

void limn_sink_destroy(limn_sink **s)
{
    if (!s || !*s) return;
    limn_free((*s)->journal_path);
    (*s)->methods->destroy(*s);
    *s = NULL;
}
