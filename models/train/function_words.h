/* The words of English captions that hold a sentence together. Some say something about an image
 * too (behind, she), but far less than nouns, verbs and adjectives do. */
#ifndef LIMN_MODELS_TRAIN_FUNCTION_WORDS_H
#define LIMN_MODELS_TRAIN_FUNCTION_WORDS_H

#include <stdbool.h>

/* Whether a lower-case word is one of them: the articles, auxiliary verbs, conjunctions,
 * prepositions, pronouns and adverbs that captions use. */
bool limn_is_function_word(const char *word);

#endif
