/* Internals of a limn_decoding. Only decoding.c, which makes it, and caption_search.c, which
 * searches by it, include this. */
#ifndef LIMN_MODELS_DECODING_PARTS_H
#define LIMN_MODELS_DECODING_PARTS_H

#include "decoder/phrase_trie.h"
#include "decoder/required_words.h"
#include "models/consensus.h"
#include "models/decoding.h"
#include "models/user_words.h"

struct limn_decoding {
    const limn_model *model;
    limn_options options;          /* its texts are not kept */
    limn_user_words start;         /* the first words */
    limn_phrase_trie *banned;      /* NULL = none */
    limn_required_words *required; /* NULL = none */
    limn_phrase_trie *bad_endings; /* NULL = off */
    limn_user_words prompt;        /* the start token and the prompt's */
    size_t max_steps;              /* new tokens of a caption, the end included */
    limn_consensus *consensus;     /* scratch of all searches; made by the first. NULL = off */
};

#endif
