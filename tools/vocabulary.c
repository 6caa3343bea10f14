/* limn-vocab: the vocabulary of captions. */
#include <stdint.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "tools/cli.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/vocabulary/caption_words.h"
#include "tools/vocabulary/word_choice.h"

typedef struct settings {
    limn_cli_list captions;
    const char *only, *split, *output;
    uint32_t min_count;
    bool is_quiet;
} settings;

#define FIELD(name) .offset = offsetof(settings, name)

static const limn_cli_option options[] = {
    { "captions", 0, "FILE", "captions to count; may be repeated", .group = "Input",
      .detail = "TSV (id or id#k, a tab, the caption), JSONL, COCO annotations, a Karpathy split "
                "file, or CSV with a header, told apart by content; each may be gzipped.",
      .type = LIMN_CLI_LIST, FIELD(captions) },
    { "only", 0, "LIST", "only captions of the pictures in LIST, one a line", .group = "Input",
      .detail = "Names are compared by the last parts of their paths.",
      .type = LIMN_CLI_TEXT, FIELD(only) },
    { "split", 0, "NAME", "only this split of a Karpathy file", .group = "Input",
      .type = LIMN_CLI_TEXT, FIELD(split) },
    { "min-count", 0, "N", "keep words with at least N uses (default 5)", .group = "Output",
      .type = LIMN_CLI_COUNT, FIELD(min_count), .min = 1, .max = 4294967295.0 },
    { "output", 'o', "FILE", "write the vocabulary to FILE, which must be new", .group = "Output",
      .detail = "One token a line in the order of their ids: <pad>, <s>, </s>, <unk>, then the "
                "words, the most frequent first, equally frequent ones in the order of their "
                "bytes. Without it, only the counts are shown.",
      .type = LIMN_CLI_TEXT, FIELD(output) },
    { "quiet", 'q', NULL, "don't show the counts", .group = "Output", .type = LIMN_CLI_FLAG,
      FIELD(is_quiet) },
};

static const limn_cli_example examples[] = {
    { "limn-vocab --captions captions.token.txt --only train.txt -o vocab.txt",
      "Words with five uses or more in the captions of the training pictures." },
};

static const limn_cli_tool tool = {
    .name = "limn-vocab",
    .summary = "the vocabulary of captions",
    .description =
        "Counts the words of captions, tokenized as the metrics tokenize them (Penn Treebank, "
        "lower case, no punctuation), and shows how many there are, which share of all uses a "
        "vocabulary of the frequent ones covers, and what other minimum counts would give.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .options = options,
    .n_options = sizeof options / sizeof *options,
};

static limn_status write_file(const char *path, const limn_word_choice *choice, limn_error *err)
{
    limn_output out;
    limn_buffer text = { 0 };
    limn_status s;
    LIMN_TRY(limn_output_open(&out, path, err));
    limn_word_choice_append_file(&text, choice);
    s = text.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                        : limn_output_write(&out, text.bytes, text.size, err);
    limn_buffer_finish(&text);
    if (s == LIMN_OK)
        return limn_output_close(&out, true, err);
    limn_output_close(&out, false, NULL);
    return s;
}

static limn_status count_all(limn_caption_words *words, const settings *s, limn_error *err)
{
    for (size_t i = 0; i < s->captions.n_items; i++)
        LIMN_TRY(limn_caption_words_add_file(words, s->captions.items[i], s->split, err));
    if (!words->n_captions)
        return limn_fail(err, LIMN_E_ARG, "no captions found%s",
                         s->only ? " of pictures in the list" : "");
    return LIMN_OK;
}

static limn_status make_vocabulary(const settings *s, limn_caption_words *words, limn_error *err)
{
    limn_word_choice choice = { 0 };
    limn_status status = count_all(words, s, err);
    if (status == LIMN_OK)
        status = limn_word_choice_make(&choice, words->counts, s->min_count, err);
    if (status == LIMN_OK && s->output)
        status = write_file(s->output, &choice, err);
    if (status == LIMN_OK && !s->is_quiet) {
        printf("captions       %zu of %zu pictures\n", words->n_captions,
               limn_word_counts_n_different(words->pictures));
        limn_word_choice_print(stdout, &choice, s->min_count);
    }
    if (status == LIMN_OK && fflush(stdout))
        status = limn_fail(err, LIMN_E_IO, "can't write to standard output");
    limn_word_choice_finish(&choice);
    return status;
}

int main(int argc, char **argv)
{
    settings s = { .min_count = 5 };
    limn_cli_operands none;
    limn_caption_words words;
    limn_error err = { 0 };
    int code;
    if (!limn_cli_parse(&none, &s, &tool, argc, argv, &code))
        return code;
    if (!s.captions.n_items)
        limn_fail(&err, LIMN_E_ARG, "no --captions FILE given; see %s --help", tool.name);
    else if (!limn_caption_words_init(&words, s.only, &err)) {
        make_vocabulary(&s, &words, &err);
        limn_caption_words_finish(&words);
    }
    if (err.code)
        limn_message_error("%s", err.text);
    limn_cli_finish(&s, &tool);
    if (err.code)
        return err.code == LIMN_E_ARG ? LIMN_EXIT_USAGE : LIMN_EXIT_NOTHING;
    return LIMN_EXIT_OK;
}
