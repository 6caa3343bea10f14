#include "models/option_table.h"

#include <stddef.h>
#include <string.h>

#include "common/image/image.h"
#include "decoder/beam.h"
#include "decoder/decoder.h"
#include "models/captioner.h"
#include "models/model_file.h"
#include "models/option_value.h"

#define FIELD(name) .offset = offsetof(limn_options, name)
#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

enum { MAX_WORDS = LIMN_DECODER_MAX_POSITIONS - 1 }; /* the first position is the start token's */

static const char *const style_names[] = { "raw", "sentence", NULL }; /* as limn_style */
static const char *const search_names[] = { "limn", "transformers", "virtex", NULL };
static const char *const rerank_names[] = { "score", "consensus", NULL }; /* as limn_rerank */

const limn_option limn_option_rows[] = {
    { "max-pixels", 0, "N", "reject images with more pixels", .group = "Input",
      .type = LIMN_OPT_SIZE, FIELD(max_pixels), .min = 1, .max = LIMN_MAX_PIXELS,
      .default_value = TEXT_OF(LIMN_DEFAULT_MAX_PIXELS), .is_more = true },
    { "beam", 0, "K", "beam size; 1 = greedy",
      .detail = "With --rerank consensus the default is 64, or 20 with --must or --groups.",
      .group = "Captioning", .type = LIMN_OPT_COUNT, FIELD(beam_size), .min = 1,
      .max = LIMN_BEAM_MAX, .default_value = "3" },
    { "sample", 0, NULL, "draw captions at random instead of searching", .group = "Captioning",
      .detail =
          "Identical draws are written once; in jsonl, \"drawn\" counts them if there is more than "
          "one. The random numbers depend only on --seed and the image's file name.",
      .type = LIMN_OPT_BIT, FIELD(method), .bit = LIMN_METHOD_SAMPLE },
    { "min-words", 0, "N", "minimum length in words", .group = "Captioning", .type = LIMN_OPT_COUNT,
      FIELD(min_words), .min = 0, .max = MAX_WORDS },
    { "max-words", 0, "N", "maximum length in words (default: the model's)", .group = "Captioning",
      .type = LIMN_OPT_COUNT, FIELD(max_words), .min = 1, .max = MAX_WORDS },
    { "must", 0, "WORDS", "words to require: \"dog|puppy\"",
      .detail = "Each caption contains one of the words or phrases separated by |; when the option "
                "is given several times, one of each. The result is the best caption that does: "
                "asking for a word does not make the model see more in the image.",
      .group = "Captioning", .type = LIMN_OPT_LIST, FIELD(required) },
    { "ban", 0, "WORDS", "never write this word or phrase", .group = "Captioning",
      .type = LIMN_OPT_LIST, FIELD(banned_words) },
    { "start-with", 0, "WORDS", "the first words of every caption", .group = "Captioning",
      .type = LIMN_OPT_TEXT, FIELD(start) },
    { "prompt", 0, "TEXT", "text that every caption continues",
      .detail =
          "Captions begin with it, but tokens, lengths and scores count only what follows it.",
      .group = "Captioning", .type = LIMN_OPT_TEXT, FIELD(prompt), .is_more = true },
    { "no-bad-endings", 0, NULL, "don't end on an article, preposition, …",
      .detail = "The word list is English, and the same as limn-eval's.", .group = "Captioning",
      .type = LIMN_OPT_FLAG, FIELD(ends_well), .is_more = true },
    { "no-repeat-ngram", 0, "N", "no n-gram of N words twice; 0 = off (default: the model's)",
      .group = "Captioning", .type = LIMN_OPT_COUNT, FIELD(no_repeat_ngram), .min = 0,
      .max = MAX_WORDS, .is_more = true },
    { "search", 0, "NAME", "search algorithm: limn, transformers or virtex",
      .detail =
          "For converted models. transformers reproduces that library's generate(), with --beam "
          "(default 1: greedy), --length-penalty (default 1), --repetition-penalty and the four "
          "lengths below; "
          "virtex reproduces VirTex's search, with --beam (default 5). Other search options can't "
          "be combined with these. In jsonl, tokens have their id.",
      .group = "Search", .type = LIMN_OPT_CHOICE, FIELD(search), .choices = search_names,
      .default_value = "limn", .is_more = true },
    { "max-length", 0, "N", "maximum tokens, including start, prompt and end", .group = "Search",
      .detail = "This option and the next three need --search transformers.",
      .type = LIMN_OPT_COUNT, FIELD(max_length), .min = 2, .max = LIMN_DECODER_MAX_POSITIONS,
      .is_more = true },
    { "max-new-tokens", 0, "N", "maximum tokens after the prompt (default: 20)", .group = "Search",
      .type = LIMN_OPT_COUNT, FIELD(max_new_tokens), .min = 1, .max = LIMN_DECODER_MAX_POSITIONS,
      .is_more = true },
    { "min-length", 0, "N", "minimum tokens, including start and prompt", .group = "Search",
      .type = LIMN_OPT_COUNT, FIELD(min_length), .min = 1, .max = LIMN_DECODER_MAX_POSITIONS,
      .is_more = true },
    { "min-new-tokens", 0, "N", "minimum tokens after the prompt", .group = "Search",
      .type = LIMN_OPT_COUNT, FIELD(min_new_tokens), .min = 1, .max = LIMN_DECODER_MAX_POSITIONS,
      .is_more = true },
    { "rerank", 0, "NAME", "rank captions by score or consensus",
      .detail = "consensus: the caption most like the others that were found (minimum Bayes risk "
                "under CIDEr-D). The model file must have document frequencies (limn-convert "
                "--references); the score is then the consensus, from 0 to 10.",
      .group = "Search", .type = LIMN_OPT_CHOICE, FIELD(rerank), .choices = rerank_names,
      .default_value = "score", .is_more = true },
    { "candidates", 0, "N", "number of captions to choose from",
      .detail = "With sampling, the number drawn (default: --n-best); with beam search, the number "
                "that may finish (default: the beam size, or twice that with --rerank consensus).",
      .group = "Search", .type = LIMN_OPT_COUNT, FIELD(n_candidates), .min = 1,
      .max = LIMN_BEAM_MAX_ROWS, .is_more = true },
    { "groups", 0, "N", "groups of diverse beam search",
      .detail = "The beam is divided into N groups, which choose their words in turn; --diversity "
                "keeps them apart.",
      .group = "Search", .type = LIMN_OPT_COUNT, FIELD(n_groups), .min = 1, .max = LIMN_BEAM_MAX,
      .default_value = "1", .is_more = true },
    { "diversity", 0, "X", "penalty for a word that earlier groups chose",
      .detail = "In nats, for each earlier group that has just chosen the word.", .group = "Search",
      .type = LIMN_OPT_REAL, FIELD(diversity), .min = 0, .max = 100, .default_value = "0.5",
      .is_more = true },
    { "patience", 0, "X", "stop when X times K captions have finished", .group = "Search",
      .type = LIMN_OPT_REAL, FIELD(patience), .min = 0.01, .max = 64, .default_value = "1",
      .is_more = true },
    { "length-penalty", 0, "A", "A in score = logprob / length^A (default: the model's)",
      .detail = "The end of the caption counts as a word. Larger values favour longer captions.",
      .group = "Search", .type = LIMN_OPT_REAL, FIELD(length_penalty),
      .min = -LIMN_MAX_LENGTH_PENALTY, .max = LIMN_MAX_LENGTH_PENALTY, .is_more = true },
    { "guidance", 0, "G", "above 1: rely more on the image (default: the model's)",
      .detail =
          "Classifier-free guidance: each log-probability becomes without + G * (with - without), "
          "with and without the image. Above 1, captions follow the image more and habit less; 1 "
          "turns guidance off, which is faster.",
      .group = "Search", .type = LIMN_OPT_REAL, FIELD(guidance), .min = 0, .max = LIMN_MAX_GUIDANCE,
      .is_more = true },
    { "length-reward", 0, "X", "added to the score for each word", .group = "Search",
      .type = LIMN_OPT_REAL, FIELD(length_reward), .min = -10, .max = 10, .default_value = "0",
      .is_more = true },
    { "repetition-penalty", 0, "X", "penalty factor for repeated words",
      .detail = "The log-probability of a word that the caption already contains is multiplied by "
                "X; above 1, words are repeated less often.",
      .group = "Search", .type = LIMN_OPT_REAL, FIELD(repetition_penalty), .min = 0.01, .max = 100,
      .default_value = "1", .is_more = true },
    { "coverage-penalty", 0, "X", "weight of the coverage penalty",
      .detail = "Adds X times the sum over the image's cells of log(min(a, 1)) to the score, where "
                "a is the attention that a cell has received in all steps.",
      .group = "Search", .type = LIMN_OPT_REAL, FIELD(coverage_penalty), .min = 0, .max = 10,
      .default_value = "0", .is_more = true },
    { "distinct", 0, NULL, "draw captions that are all different",
      .detail = "Sampling without replacement, by stochastic beam search.", .group = "Sampling",
      .type = LIMN_OPT_BIT, FIELD(method), .bit = LIMN_METHOD_SAMPLE_DISTINCT & ~LIMN_METHOD_SAMPLE,
      .is_more = true },
    { "temperature", 0, "T", "softmax temperature; 0 = greedy",
      .detail = "This option and the next four are applied in this order, each to what the ones "
                "before it left.",
      .group = "Sampling", .type = LIMN_OPT_REAL, FIELD(temperature), .min = 0, .max = 100,
      .default_value = "1", .is_more = true },
    { "top-k", 0, "K", "only the K most probable words; 0 = all", .group = "Sampling",
      .detail = "Words tied with the K-th are kept.", .type = LIMN_OPT_COUNT, FIELD(top_k),
      .min = 0, .max = 65536, .default_value = "0", .is_more = true },
    { "top-p", 0, "P", "nucleus sampling: the top words that total P", .group = "Sampling",
      .type = LIMN_OPT_REAL, FIELD(top_p), .min = 0.000001, .max = 1, .default_value = "1",
      .is_more = true },
    { "min-p", 0, "P", "drop words below P times the top probability", .group = "Sampling",
      .type = LIMN_OPT_REAL, FIELD(min_p), .min = 0, .max = 1, .default_value = "0",
      .is_more = true },
    { "typical", 0, "P", "locally typical sampling: words that total P",
      .detail = "Words whose information is closest to the entropy come first.",
      .group = "Sampling", .type = LIMN_OPT_REAL, FIELD(typical), .min = 0.000001, .max = 1,
      .default_value = "1", .is_more = true },
    { "seed", 0, "N", "random seed", .group = "Sampling", .type = LIMN_OPT_SIZE, FIELD(seed),
      .min = 0, .max = LIMN_MAX_SEED, .default_value = "0", .is_more = true },
    { "n-best", 0, "N", "captions per image", .group = "Output", .type = LIMN_OPT_COUNT,
      FIELD(n_best), .min = 1, .max = LIMN_BEAM_MAX, .default_value = "1" },
    { "style", 0, "NAME", "raw or sentence",
      .detail = "raw: lower-case tokens with spaces between them, as metrics expect. sentence: a "
                "capital letter, a full stop, and clitics and punctuation joined to their words.",
      .group = "Output", .type = LIMN_OPT_CHOICE, FIELD(style), .choices = style_names,
      .default_value = "raw" },
    { "alternatives", 0, "K", "in jsonl, K alternatives for each word",
      .detail = "For each token, the K most probable ones at that step (which may include it), as "
                "{token, logprob} in \"alternatives\", and the entropy of the choice in nats, in "
                "\"entropy\". Both are the model's own, before options such as --ban take effect; "
                "they are not calibrated probabilities of being right.",
      .group = "Output", .type = LIMN_OPT_COUNT, FIELD(n_alternatives), .min = 1, .max = 100,
      .is_more = true },
    { "tags", 0, "N", "in jsonl, the N most probable concepts",
      .detail =
          "What the image shows, from the model's lists of concepts, as {tag, probability, set} in "
          "\"tags\". The sets are imagenet (1000 classes, of which an image has one) and objects "
          "(80 classes, of which it has any number).",
      .group = "Output", .type = LIMN_OPT_COUNT, FIELD(n_tags), .min = 1, .max = 100,
      .is_more = true },
    { "confidence", 0, NULL, "the probability that each caption is right", .group = "Output",
      .detail = "From 0 to 1, in \"confidence\" of jsonl, in the last column of csv and tsv, and "
                "on the page of --report. Of captions with 0.7, about 7 in 10 are right, in the "
                "sense that the model file states (limn-inspect shows it). It is calibrated for "
                "this model, the default "
                "search, and images like those it was fitted to. limn-eval --fit and limn-convert "
                "--confidence fit it and add it to a model.",
      .type = LIMN_OPT_FLAG, FIELD(has_confidence), .is_more = true },
};
const size_t limn_n_option_rows = sizeof limn_option_rows / sizeof *limn_option_rows;

const limn_option *limn_option_at(size_t index)
{
    return index < limn_n_option_rows ? &limn_option_rows[index] : NULL;
}

const limn_option *limn_option_find(const char *name)
{
    for (size_t i = 0; name && i < limn_n_option_rows; i++)
        if (limn_option_has_name(&limn_option_rows[i], name, strlen(name)))
            return &limn_option_rows[i];
    return NULL;
}
