/* The words of English captions that hold a sentence together and say nothing about an image. */
#ifndef LIMN_MODELS_TRAIN_FUNCTION_WORDS_H
#define LIMN_MODELS_TRAIN_FUNCTION_WORDS_H

#include <stdbool.h>

/* Whether a lower-case word is an article, auxiliary verb, conjunction, preposition or pronoun. */
bool limn_is_function_word(const char *word);

#endif
