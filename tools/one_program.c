/* limn-tools of the Python wheel: all tools in one program, which is the one that it is called by,
 * as each alone would have the whole library. Built without limn-convert and limn-train. */
#include <stdio.h>
#include <string.h>

typedef int main_function(int argc, char **argv);

main_function limn_main, limn_eval_main, limn_inspect_main, limn_preprocess_main, limn_score_main,
    limn_vocab_main;

static const struct tool {
    const char *name;
    main_function *run;
} tools[] = {
    { "limn", limn_main },
    { "limn-eval", limn_eval_main },
    { "limn-inspect", limn_inspect_main },
    { "limn-preprocess", limn_preprocess_main },
    { "limn-score", limn_score_main },
    { "limn-vocab", limn_vocab_main },
};

int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
        if (strcmp(name, tools[i].name) == 0) return tools[i].run(argc, argv);
    fputs("limn-tools: is to be called by the name of a tool, such as limn-eval\n", stderr);
    return 1;
}
