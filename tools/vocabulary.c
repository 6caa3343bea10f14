/* limn-vocab: the vocabulary of captions. */
#include <stdint.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "models/vocab_file.h"
#include "tools/caption_input.h"
#include "tools/cli.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/standard_streams.h"
#include "tools/vocabulary/caption_words.h"
#include "tools/vocabulary/vocab_summary.h"

typedef struct settings {
    limn_option_list captions, texts;
    const char *only, *split, *extend, *output;
    uint32_t min_count;
    bool has_characters, keep_rejected, is_quiet;
} settings;

#define FIELD(name) .offset = offsetof(settings, name)

static const limn_option options[] = {
    { "captions", 0, "FILE[:N]", "captions to count", .group = "Input",
      .detail = LIMN_CAPTION_FORMATS
      " N is the --min-count for this file. Files with the same minimum are counted together; the "
      "words of the others follow those of the first.",
      .type = LIMN_OPT_LIST, FIELD(captions) },
    { "text", 0, "FILE[:N]", "captions without images", .group = "Input",
      .detail = "As --captions, but --only and --split don't apply, and the file may be plain text "
                "with one caption per line.",
      .type = LIMN_OPT_LIST, FIELD(texts) },
    { "only", 0, "LIST", "only captions of the images in LIST, one per line", .group = "Input",
      .detail = "Only the last components of the paths are compared.", .type = LIMN_OPT_TEXT,
      FIELD(only) },
    { "split", 0, "LIST", LIMN_SPLIT_HELP, .group = "Input", .detail = LIMN_SPLIT_DETAIL,
      .type = LIMN_OPT_TEXT, FIELD(split) },
    { "keep-rejected", 0, NULL, LIMN_KEEP_REJECTED_HELP, .group = "Input",
      .detail = LIMN_KEEP_REJECTED_DETAIL, .type = LIMN_OPT_FLAG, FIELD(keep_rejected) },
    { "min-count", 0, "N", "keep words used at least N times", .group = "Output",
      .type = LIMN_OPT_COUNT, FIELD(min_count), .min = 1, .max = LIMN_MAX_MIN_COUNT,
      .default_value = "5" },
    { "characters", 0, NULL, "count characters, for scripts without spaces", .group = "Output",
      .detail = "A model with such a vocabulary joins its tokens without spaces. Case and "
                "punctuation are kept; white space is a token of its own.",
      .type = LIMN_OPT_FLAG, FIELD(has_characters) },
    { "extend", 0, "FILE", "keep the tokens of FILE and add to them", .group = "Output",
      .detail = "FILE is a model or a vocabulary. Its tokens keep their ids, so that the model can "
                "be fine-tuned; new words follow.",
      .type = LIMN_OPT_TEXT, FIELD(extend) },
    { "output", 'o', "FILE", "write the vocabulary to FILE, which must not exist",
      .group = "Output",
      .detail = "One token per line in the order of their ids: <pad>, <s>, </s>, <unk>, then the "
                "words, most frequent first, ties in byte order. Without this option, only the "
                "counts are shown.",
      .type = LIMN_OPT_TEXT, FIELD(output) },
    { "quiet", 'q', NULL, "don't print the counts", .group = "Output", .type = LIMN_OPT_FLAG,
      FIELD(is_quiet) },
};

static const limn_cli_example examples[] = {
    { "limn-vocab --captions captions.token.txt --only train.txt -o vocab.txt",
      "Words used at least five times in the captions of the training images." },
    { "limn-vocab --captions captions.tsv:5 --text more.txt:12 -o vocab.txt",
      "Words used at least five times in captions, then those used at least twelve times in "
      "text." },
    { "limn-vocab --captions my-photos --extend model.safetensors --min-count 1",
      "How many words of your captions a model lacks." },
};

static const limn_cli_tool tool = {
    .name = "limn-vocab",
    .summary = "builds a vocabulary from captions",
    .description =
        "Counts the words of captions, tokenized as the metrics tokenize them (Penn Treebank, "
        "lower case, no punctuation), and shows how many there are, what share of all words a "
        "vocabulary of the frequent ones covers, and what other minimum counts would give.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .options = options,
    .n_options = sizeof options / sizeof *options,
};

static limn_status write_file(const char *path, const limn_vocab *vocab, limn_error *err)
{
    limn_output out;
    limn_buffer text = { 0 };
    limn_status s;
    LIMN_TRY(limn_output_open(&out, path, err));
    limn_vocab_append_text(&text, vocab);
    s = text.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                        : limn_output_write(&out, text.bytes, text.size, err);
    limn_buffer_finish(&text);
    if (s == LIMN_OK) return limn_output_close(&out, true, err);
    limn_output_discard(&out);
    return s;
}

static limn_status count_all(limn_caption_words *words, const settings *s, limn_error *err)
{
    const limn_caption_reading of_images = { .split = s->split, .keep_rejected = s->keep_rejected };
    const limn_caption_reading alone = { .keep_rejected = s->keep_rejected, .may_be_plain = true };
    for (size_t i = 0; i < s->captions.n_items; i++)
        LIMN_TRY(limn_caption_words_add_file(words, s->captions.items[i], &of_images, s->min_count,
                                             err));
    for (size_t i = 0; i < s->texts.n_items; i++)
        LIMN_TRY(limn_caption_words_add_text(words, s->texts.items[i], &alone, s->min_count, err));
    if (!words->n_captions && !words->n_texts)
        return limn_fail(err, LIMN_E_ARG, "no captions found%s",
                         s->only ? " of images in the list" : "");
    return LIMN_OK;
}

static void print_counts(const limn_caption_words *words, const limn_vocab_summary *summary)
{
    if (words->n_captions)
        printf("captions       %zu of %zu images\n", words->n_captions,
               limn_word_counts_n_different(words->images));
    if (words->n_texts) printf("texts          %zu captions without images\n", words->n_texts);
    limn_vocab_summary_print(stdout, summary);
}

static limn_status make_vocabulary(const settings *s, limn_caption_words *words,
                                   const limn_vocab *old, limn_error *err)
{
    limn_vocab *vocab = NULL;
    limn_status status = count_all(words, s, err);
    if (status == LIMN_OK) status = limn_vocab_builder_build(&vocab, words->builder, old, err);
    if (status == LIMN_OK && s->output && limn_vocab_n_tokens(vocab) == LIMN_N_SPECIAL)
        status =
            limn_fail(err, LIMN_E_ARG,
                      "no word is used %u times, so there is nothing to write; lower --min-count",
                      (unsigned)s->min_count);
    if (status == LIMN_OK && s->output) status = write_file(s->output, vocab, err);
    if (status == LIMN_OK && !s->is_quiet)
        print_counts(words, &(limn_vocab_summary){ words->builder, vocab,
                                                   old ? limn_vocab_n_tokens(old) : 0 });
    if (status == LIMN_OK) status = limn_standard_output_flush(err);
    limn_vocab_destroy(&vocab);
    return status;
}

static limn_status run(const settings *s, limn_error *err)
{
    limn_caption_words words = { 0 };
    limn_vocab *old = NULL;
    limn_token_kind kind = s->has_characters ? LIMN_TOKENS_CHARACTERS : LIMN_TOKENS_WORDS;
    limn_status status = LIMN_OK;
    if (!s->captions.n_items && !s->texts.n_items)
        return limn_fail(err, LIMN_E_ARG, "no --captions FILE given; see %s --help", tool.name);
    if (s->extend) status = limn_vocab_file_read(&old, s->extend, err);
    if (old && !s->has_characters) kind = limn_vocab_kind(old);
    if (status == LIMN_OK) status = limn_caption_words_init(&words, kind, s->only, err);
    if (status == LIMN_OK) status = make_vocabulary(s, &words, old, err);
    limn_caption_words_finish(&words);
    limn_vocab_destroy(&old);
    return status;
}

int main(int argc, char **argv)
{
    settings s = { .output = NULL };
    limn_cli_operands none;
    limn_error err = { 0 };
    int code;
    limn_standard_streams_secure();
    if (!limn_cli_parse(&none, &s, &tool, argc, argv, &code)) return code;
    code = run(&s, &err) == LIMN_OK ? LIMN_EXIT_OK : limn_cli_failed(&err);
    limn_cli_finish(&s, &tool);
    return code;
}
