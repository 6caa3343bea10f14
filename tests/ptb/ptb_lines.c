/* ptb_lines all|coco: prints the tokens of each line of standard input, one line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/text/ptb_tokenizer.h"

int main(int argc, char **argv)
{
    const limn_ptb_filter filter =
        argc > 1 && !strcmp(argv[1], "coco") ? LIMN_PTB_DROP_PUNCTUATION : LIMN_PTB_ALL_TOKENS;
    limn_ptb ptb = { 0 };
    limn_error err = { 0 };
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    while ((size = getline(&line, &capacity, stdin)) > 0) {
        const char *tokens;
        if (line[size - 1] == '\n') size--;
        if (limn_ptb_tokenize(&tokens, &ptb, line, (size_t)size, filter, &err) != LIMN_OK) {
            fprintf(stderr, "%s\n", err.text);
            return 2;
        }
        puts(tokens);
    }
    limn_ptb_finish(&ptb);
    free(line);
    return 0;
}
