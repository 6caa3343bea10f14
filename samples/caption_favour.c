/* The caption of an image, with a word made likelier where it fits: caption_favour MODEL IMAGE
 * WORD. doc/c-api.md shows the filter. */
#include <stdio.h>

#include "models/captioner.h"

/* Before each choice: the word has e^3 times its probability until it has been said. */
static void favour(void *ctx, const uint32_t *words, size_t n_words, float *values, size_t n_tokens)
{
    const uint32_t word = *(const uint32_t *)ctx;
    (void)n_tokens;
    for (size_t i = 0; i < n_words; i++)
        if (words[i] == word) return;
    values[word] += 3; /* log-probabilities; -INFINITY forbids */
}

static limn_options options_of(uint32_t *word)
{
    limn_options options = limn_options_default();
    options.filter = favour;
    options.filter_ctx = word;
    return options;
}

static int caption(const limn_model *model, const char *image, const limn_options *options,
                   limn_error *err)
{
    limn_state *state = NULL;
    const limn_captions *captions;
    int code = 1;

    if (limn_state_create(&state, model, options, 1, err) ||
        limn_state_caption_file(state, image, &captions, err)) {
        fprintf(stderr, "%s\n", err->text);
    } else {
        printf("%s\n", captions->items[0].text);
        code = 0;
    }
    limn_state_destroy(&state);
    return code;
}

static int run(const limn_model *model, const char *image, const char *text, limn_error *err)
{
    uint32_t word = limn_model_find(model, text);
    const limn_options options = options_of(&word);

    if (word != LIMN_UNKNOWN_TOKEN) return caption(model, image, &options, err);
    fprintf(stderr, "the model does not know the word '%s'\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    limn_model *model = NULL;
    limn_error err = { 0 };
    int code = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: caption_favour MODEL IMAGE WORD\n");
        return code;
    }
    if (limn_model_open(&model, argv[1], NULL, &err))
        fprintf(stderr, "%s\n", err.text);
    else
        code = run(model, argv[2], argv[3], &err);
    limn_model_close(&model);
    return code;
}
