#include "models/train/function_words.h"

#include <stdlib.h>
#include <string.h>

static const char *const function_words[] = {
    "a",        "about",   "above",   "across",  "after",   "against", "along",   "alongside",
    "also",     "am",      "among",   "amongst", "an",      "and",     "another", "are",
    "around",   "as",      "at",      "be",      "because", "been",    "before",  "behind",
    "being",    "below",   "beneath", "beside",  "between", "both",    "but",     "by",
    "can",      "do",      "does",    "doing",   "down",    "during",  "each",    "for",
    "from",     "had",     "has",     "have",    "having",  "he",      "her",     "herself",
    "him",      "himself", "his",     "i",       "if",      "in",      "inside",  "into",
    "is",       "it",      "its",     "itself",  "just",    "like",    "my",      "near",
    "next",     "no",      "not",     "of",      "off",     "on",      "onto",    "or",
    "other",    "others",  "our",     "out",     "outside", "over",    "past",    "she",
    "so",       "some",    "than",    "that",    "the",     "their",   "them",    "themselves",
    "then",     "there",   "these",   "they",    "this",    "those",   "through", "to",
    "together", "toward",  "towards", "under",   "up",      "upon",    "very",    "was",
    "we",       "were",    "what",    "when",    "where",   "which",   "while",   "who",
    "whom",     "whose",   "will",    "with",    "within",  "without", "you",     "your",
};

static int compare(const void *word, const void *item)
{
    return strcmp(word, *(const char *const *)item);
}

bool limn_is_function_word(const char *word)
{
    return bsearch(word, function_words, sizeof function_words / sizeof *function_words,
                   sizeof *function_words, compare);
}
