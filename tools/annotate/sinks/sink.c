#include "tools/annotate/sinks/sink.h"

#include "common/base/mem.h"

limn_status limn_sink_record(limn_sink *s, limn_error *err)
{
    return s->record ? s->record(s->run, err) : LIMN_OK;
}

limn_status limn_sink_fail(limn_sink *s, const char *name, const limn_error *failure,
                           limn_error *err)
{
    return s->fail ? s->fail(s->run, name, failure, err)
                   : limn_fail(err, failure->code, "%s", failure->text);
}

void limn_sink_destroy(limn_sink **s)
{
    if (!s || !*s) return;
    limn_free((*s)->journal_path);
    (*s)->methods->destroy(*s);
    *s = NULL;
}
