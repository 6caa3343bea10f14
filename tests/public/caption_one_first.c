/* samples/caption_one.c as in the first release: programs like it must keep compiling and
 * running. */
#include <stdio.h>

#include "models/captioner.h"

int main(int argc, char **argv)
{
    limn_model *model = NULL; /* immutable; shared by all threads */
    limn_state *state = NULL; /* one per thread: all scratch memory */
    limn_error err = { 0 };
    limn_options options = limn_options_default();
    const limn_captions *captions;
    int code = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: caption_one MODEL IMAGE\n");
        return code;
    }
    if (limn_model_open(&model, argv[1], NULL, &err) ||
        limn_state_create(&state, model, &options, 1, &err) ||
        limn_state_caption_file(state, argv[2], &captions, &err)) {
        fprintf(stderr, "%s\n", err.text);
    } else {
        printf("%s\n", captions->items[0].text);
        code = 0;
    }
    limn_state_destroy(&state);
    limn_model_close(&model);
    return code;
}
