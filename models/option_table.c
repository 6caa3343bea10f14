#include "models/option_table.h"

#include <stddef.h>
#include <string.h>

#include "common/image/image.h"
#include "decoder/beam.h"
#include "decoder/decoder.h"
#include "models/captioner.h"
#include "models/option_value.h"

#define FIELD(name) .offset = offsetof(limn_options, name)
#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

enum { MAX_WORDS = LIMN_DECODER_MAX_POSITIONS - 1 }; /* the first position is the start token's */

static const char *const style_names[] = { "raw", "sentence", NULL }; /* as limn_style */
static const char *const search_names[] = { "limn", "transformers", "virtex", NULL };
static const char *const rerank_names[] = { "score", "consensus", NULL }; /* as limn_rerank */

const limn_option limn_option_rows[] = {
    { "max-pixels", 0, "N", "refuse larger images", .group = "Input", .type = LIMN_OPT_SIZE,
      FIELD(max_pixels), .min = 1, .max = LIMN_MAX_PIXELS,
      .default_value = TEXT_OF(LIMN_DEFAULT_MAX_PIXELS), .is_more = true },
    { "beam", 0, "K", "hypotheses kept; 1 = greedy",
      .detail = "With --rerank consensus the default is 20.", .group = "Captioning",
      .type = LIMN_OPT_COUNT, FIELD(beam_size), .min = 1, .max = LIMN_BEAM_MAX,
      .default_value = "3" },
    { "sample", 0, NULL, "draw captions instead of searching for the best", .group = "Captioning",
      .detail = "Equal draws are written once; in jsonl, drawn says how often they came where that "
                "is more than once. The random numbers belong to --seed and the image's file "
                "name alone.",
      .type = LIMN_OPT_BIT, FIELD(method), .bit = LIMN_METHOD_SAMPLE },
    { "min-words", 0, "N", "no shorter captions", .group = "Captioning", .type = LIMN_OPT_COUNT,
      FIELD(min_words), .min = 0, .max = MAX_WORDS },
    { "max-words", 0, "N", "no longer captions (default: the model's)", .group = "Captioning",
      .type = LIMN_OPT_COUNT, FIELD(max_words), .min = 1, .max = MAX_WORDS },
    { "must", 0, "WORDS", "require them: \"dog|puppy\", \"ice cream\"",
      .detail = "Each caption has one of the words or phrases between which | stands. May be "
                "repeated: then it has all of them. The sentence is the best one that has them; "
                "the model does not see more in the image for being asked.",
      .group = "Captioning", .type = LIMN_OPT_LIST, FIELD(required) },
    { "ban", 0, "WORDS", "never write that word or phrase", .group = "Captioning",
      .type = LIMN_OPT_LIST, FIELD(banned_words) },
    { "start-with", 0, "WORDS", "the first words of every caption", .group = "Captioning",
      .type = LIMN_OPT_TEXT, FIELD(start) },
    { "prompt", 0, "TEXT", "a text that captions go on from",
      .detail = "Captions begin with it, but it is not searched for or scored: tokens, lengths and "
                "scores are those of what follows it.",
      .group = "Captioning", .type = LIMN_OPT_TEXT, FIELD(prompt), .is_more = true },
    { "no-bad-endings", 0, NULL, "don't end on an article, a preposition …",
      .detail = "The list is English, and that of limn-eval.", .group = "Captioning",
      .type = LIMN_OPT_FLAG, FIELD(ends_well), .is_more = true },
    { "no-repeat-ngram", 0, "N", "no N words in a row twice; 0 = off", .group = "Captioning",
      .type = LIMN_OPT_COUNT, FIELD(no_repeat_ngram), .min = 0, .max = MAX_WORDS,
      .default_value = "0", .is_more = true },
    { "search", 0, "NAME", "whose rules: limn, transformers or virtex",
      .detail = "For models that were converted: transformers writes what its generate writes, "
                "with --beam (default 1: greedy), --length-penalty (default 1), "
                "--repetition-penalty and the four lengths below; virtex what VirTex's own search "
                "does, with --beam (default 5). Other options of searches don't go with them. In "
                "jsonl, tokens have their id.",
      .group = "Search", .type = LIMN_OPT_CHOICE, FIELD(search), .choices = search_names,
      .default_value = "limn", .is_more = true },
    { "max-length", 0, "N", "tokens with start, prompt and end", .group = "Search",
      .detail = "This and the next three are of --search transformers.", .type = LIMN_OPT_COUNT,
      FIELD(max_length), .min = 2, .max = LIMN_DECODER_MAX_POSITIONS, .is_more = true },
    { "max-new-tokens", 0, "N", "tokens after the prompt, with end (default: 20)",
      .group = "Search", .type = LIMN_OPT_COUNT, FIELD(max_new_tokens), .min = 1,
      .max = LIMN_DECODER_MAX_POSITIONS, .is_more = true },
    { "min-length", 0, "N", "no end before N tokens with start and prompt", .group = "Search",
      .type = LIMN_OPT_COUNT, FIELD(min_length), .min = 1, .max = LIMN_DECODER_MAX_POSITIONS,
      .is_more = true },
    { "min-new-tokens", 0, "N", "no end before N tokens after the prompt", .group = "Search",
      .type = LIMN_OPT_COUNT, FIELD(min_new_tokens), .min = 1, .max = LIMN_DECODER_MAX_POSITIONS,
      .is_more = true },
    { "rerank", 0, "NAME", "which are the best: by score, or consensus",
      .detail = "consensus: of all captions found, the one that is most like the others (minimum "
                "Bayes risk under CIDEr-D). The model file must have document frequencies "
                "(limn-convert --references); score is then the consensus, 0 to 10.",
      .group = "Search", .type = LIMN_OPT_CHOICE, FIELD(rerank), .choices = rerank_names,
      .default_value = "score", .is_more = true },
    { "candidates", 0, "N", "captions to choose from",
      .detail = "So many are drawn (default: --n-best), or may finish in beam search (default: the "
                "beam; with --rerank consensus twice that).",
      .group = "Search", .type = LIMN_OPT_COUNT, FIELD(n_candidates), .min = 1,
      .max = LIMN_BEAM_MAX_ROWS, .is_more = true },
    { "groups", 0, "N", "groups of hypotheses that differ",
      .detail = "Diverse beam search: the beam is divided among N groups, which choose in turn.",
      .group = "Search", .type = LIMN_OPT_COUNT, FIELD(n_groups), .min = 1, .max = LIMN_BEAM_MAX,
      .default_value = "1", .is_more = true },
    { "diversity", 0, "X", "cost of a word that groups before chose",
      .detail = "In nats, each time that a group before has just taken the word.",
      .group = "Search", .type = LIMN_OPT_REAL, FIELD(diversity), .min = 0, .max = 100,
      .default_value = "0.5", .is_more = true },
    { "patience", 0, "X", "end when X times K have finished", .group = "Search",
      .type = LIMN_OPT_REAL, FIELD(patience), .min = 0.01, .max = 64, .default_value = "1",
      .is_more = true },
    { "length-penalty", 0, "A", "score = logprob / length^A (default: the model's)",
      .detail = "The length counts the end of the caption as a word. Larger values favour longer "
                "captions.",
      .group = "Search", .type = LIMN_OPT_REAL, FIELD(length_penalty), .min = -10, .max = 10,
      .is_more = true },
    { "guidance", 0, "G", "above 1: what the image, not habit, suggests",
      .detail = "Log-probabilities become without + G * (with - without the image); 1 leaves "
                "them as they are. Captioning takes about twice as long.",
      .group = "Search", .type = LIMN_OPT_REAL, FIELD(guidance), .min = 0, .max = 10,
      .default_value = "1", .is_more = true },
    { "length-reward", 0, "X", "added to the score for each word", .group = "Search",
      .type = LIMN_OPT_REAL, FIELD(length_reward), .min = -10, .max = 10, .default_value = "0",
      .is_more = true },
    { "repetition-penalty", 0, "X", "factor for words that were there",
      .detail = "The log-probability of a word that the caption has already counts X times; above "
                "1, words come again less often.",
      .group = "Search", .type = LIMN_OPT_REAL, FIELD(repetition_penalty), .min = 0.01, .max = 100,
      .default_value = "1", .is_more = true },
    { "coverage-penalty", 0, "X", "weight of what was looked at",
      .detail = "Added to the score: X times the sum over the image's cells of log(min(attention "
                "that they got in all steps, 1)).",
      .group = "Search", .type = LIMN_OPT_REAL, FIELD(coverage_penalty), .min = 0, .max = 10,
      .default_value = "0", .is_more = true },
    { "distinct", 0, NULL, "draw captions that all differ",
      .detail = "Without replacement, by stochastic beam search.", .group = "Sampling",
      .type = LIMN_OPT_BIT, FIELD(method), .bit = LIMN_METHOD_SAMPLE_DISTINCT & ~LIMN_METHOD_SAMPLE,
      .is_more = true },
    { "temperature", 0, "T", "below 1: less daring; above: more; 0 = greedy",
      .detail = "This and the next four act in this order, each on what the one before has left.",
      .group = "Sampling", .type = LIMN_OPT_REAL, FIELD(temperature), .min = 0, .max = 100,
      .default_value = "1", .is_more = true },
    { "top-k", 0, "K", "only the K most probable words; 0 = all", .group = "Sampling",
      .detail = "All that are as probable as the K-th.", .type = LIMN_OPT_COUNT, FIELD(top_k),
      .min = 0, .max = 65536, .default_value = "0", .is_more = true },
    { "top-p", 0, "P", "only the fewest that have probability P", .group = "Sampling",
      .type = LIMN_OPT_REAL, FIELD(top_p), .min = 0.000001, .max = 1, .default_value = "1",
      .is_more = true },
    { "min-p", 0, "P", "none below P times the most probable", .group = "Sampling",
      .type = LIMN_OPT_REAL, FIELD(min_p), .min = 0, .max = 1, .default_value = "0",
      .is_more = true },
    { "typical", 0, "P", "only the most typical that have probability P",
      .detail = "Those whose information is nearest to the entropy.", .group = "Sampling",
      .type = LIMN_OPT_REAL, FIELD(typical), .min = 0.000001, .max = 1, .default_value = "1",
      .is_more = true },
    { "seed", 0, "N", "other random numbers", .group = "Sampling", .type = LIMN_OPT_SIZE,
      FIELD(seed), .min = 0, .max = 9007199254740992.0, .default_value = "0", .is_more = true },
    { "n-best", 0, "N", "captions for each image", .group = "Output", .type = LIMN_OPT_COUNT,
      FIELD(n_best), .min = 1, .max = LIMN_BEAM_MAX, .default_value = "1" },
    { "style", 0, "NAME", "raw or sentence",
      .detail = "raw: tokens in lower case with spaces between, as scores need them. sentence: a "
                "capital letter, a full stop, clitics and marks joined to their words.",
      .group = "Output", .type = LIMN_OPT_CHOICE, FIELD(style), .choices = style_names,
      .default_value = "raw" },
    { "alternatives", 0, "K", "in jsonl, K alternatives to each word",
      .detail = "The most probable tokens where each token was chosen, the chosen one among them "
                "if it is, as {token, logprob} in alternatives; and in entropy how open the choice "
                "was, in nats. Both are the model's own, before options such as --ban take effect. "
                "They are no calibrated probabilities of being right.",
      .group = "Output", .type = LIMN_OPT_COUNT, FIELD(n_alternatives), .min = 1, .max = 100,
      .is_more = true },
    { "tags", 0, "N", "in jsonl, the N most probable concepts",
      .detail = "What the image shows by the lists that the model knows beside its words, as "
                "{tag, probability, set} in tags: imagenet, 1000 classes of which an image has "
                "one, and objects, any of 80.",
      .group = "Output", .type = LIMN_OPT_COUNT, FIELD(n_tags), .min = 1, .max = 100,
      .is_more = true },
    { "confidence", 0, NULL, "how likely each caption is right", .group = "Output",
      .detail = "From 0 to 1, in confidence of jsonl, and as the last column of csv and tsv: of "
                "captions with 0.7, 7 of 10 are right, as the model file says what was called "
                "right (limn-inspect shows it) and as it was fitted: for captions of that model "
                "alone by the default search, of images like those of the fit. limn-eval --fit "
                "and limn-convert --confidence give a model its fit.",
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
