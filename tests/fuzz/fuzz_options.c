/* Any bytes as the arguments of limn, a NUL or a line end between them: what was accepted lies
 * within its bounds. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tools/limn/caption_settings.h"
#include "tools/limn/output_settings.h"

enum { MAX_ARGUMENTS = 64 };

/* Splits text in place; the number of arguments, argv[0] among them. */
static int split(char **argv, char *text, size_t size)
{
    int argc = 1;
    for (size_t at = 0; at < size && argc < MAX_ARGUMENTS; argc++) {
        argv[argc] = text + at;
        at += strcspn(text + at, "\n");
        text[at++] = '\0';
    }
    argv[argc] = NULL;
    return argc;
}

static void check(const caption_settings *s, const limn_cli_operands *paths)
{
    const limn_options *o = &s->captioning.options;
    if (!paths->n_items || o->beam_size < 1 || o->beam_size > 64 || o->n_best < 1 ||
        o->n_best > 64 || o->n_groups < 1 || o->beam_size % o->n_groups ||
        (o->n_candidates && o->n_candidates < o->n_best) || s->run.n_threads < 1 ||
        s->out.format >= LIMN_N_FORMATS)
        abort();
    for (size_t i = 0; i < paths->n_items; i++) fuzz_use((unsigned)strlen(paths->items[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char name[] = "limn";
    char *argv[MAX_ARGUMENTS + 1] = { name }, *text = malloc(size + 2);
    caption_settings s = caption_settings_default();
    limn_cli_operands paths;
    int code;
    if (!text) return 0;
    memcpy(text, bytes, size);
    text[size] = text[size + 1] = '\0';
    if (limn_cli_parse(&paths, &s, &caption_cli_tool, split(argv, text, size), argv, &code)) {
        if (output_settings_complete(&s) && caption_settings_complete(&s)) check(&s, &paths);
        caption_settings_finish(&s);
    } else if (code != LIMN_EXIT_OK && code != LIMN_EXIT_USAGE) {
        abort();
    }
    free(text);
    return 0;
}
