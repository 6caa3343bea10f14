/* How captions become tokens of a vocabulary and tokens become captions again: a table of
 * functions for each kind of vocabulary. A new kind is a file in this folder and a row in
 * tokenizer.c. */
#ifndef LIMN_DECODER_TOKENIZERS_TOKENIZER_H
#define LIMN_DECODER_TOKENIZERS_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/io/json.h"
#include "common/text/caption_tokens.h"
#include "decoder/tokenizers/specials.h"

typedef struct limn_vocab limn_vocab;

/* How a token relates to the word it is part of. */
typedef enum limn_token_class {
    LIMN_TOKEN_BEGINS = 0, /* begins a word, whatever came before; special tokens too */
    LIMN_TOKEN_CONTINUES,  /* belongs to the word before; begins one at the start of a caption */
    LIMN_TOKEN_LETTER,     /* continues a word of letters, and begins one after anything else */
    LIMN_TOKEN_OPENS,      /* begins a word of letters, whatever came before */
    LIMN_TOKEN_SPACE,      /* part of no word; ends the one before */
} limn_token_class;

/* Whether letters after a token of this class continue its word. */
static inline bool limn_token_class_is_of_letters(unsigned char c)
{
    return c == LIMN_TOKEN_LETTER || c == LIMN_TOKEN_CONTINUES || c == LIMN_TOKEN_OPENS;
}

/* Whether `token` begins a word after `previous` (LIMN_NO_TOKEN: nothing). `classes` [n_tokens], or
 * NULL where every token is a word. */
static inline bool limn_token_begins_word(const unsigned char *classes, uint32_t previous,
                                          uint32_t token)
{
    const unsigned char c = classes ? classes[token] : LIMN_TOKEN_BEGINS;
    if (c == LIMN_TOKEN_CONTINUES) return previous == LIMN_NO_TOKEN;
    if (c != LIMN_TOKEN_LETTER) return c != LIMN_TOKEN_SPACE;
    return previous == LIMN_NO_TOKEN || !limn_token_class_is_of_letters(classes[previous]);
}

/* For vocabularies that limn builds itself, from captions (decoder/vocab_build.h). */
typedef struct limn_own_tokenizer {
    limn_token_kind kind;
    const char *first_token; /* the first after the special ones, in no vocabulary of another kind;
                              * NULL: may be any */
} limn_own_tokenizer;

typedef struct limn_tokenizer {
    const char *name;              /* in model files */
    const char *mark;              /* before tokens that continue a word; NULL: none */
    const limn_own_tokenizer *own; /* NULL: limn does not build vocabularies of this kind */
    /* The class of a token, by its text of `size` bytes. */
    limn_token_class (*class_of)(const char *text, size_t size);
    /* The texts of the tokens of a caption, one space between two of them, "" when there are none;
     * what the vocabulary lacks stands there as it is. They belong to `scratch` and are valid until
     * its next use. LIMN_E_FORMAT for invalid UTF-8 (with its offset), LIMN_E_LIMIT, LIMN_E_NOMEM.
     */
    limn_status (*encode)(const char **tokens, limn_caption_tokenizer *scratch,
                          const limn_vocab *vocab, const char *caption, size_t size,
                          limn_error *err);
    /* The same for text that follows a space; NULL where that makes no difference. */
    limn_status (*encode_spaced)(const char **tokens, limn_caption_tokenizer *scratch,
                                 const limn_vocab *vocab, const char *caption, size_t size,
                                 limn_error *err);
    /* The token that is written the same, but with a space before it, or without; LIMN_NO_TOKEN
     * where there is none. NULL: no token has one. */
    uint32_t (*twin_of)(const limn_vocab *vocab, const char *text, size_t size);
    /* The caption of ids [n] as limn_vocab_join gives it. */
    size_t (*decode)(char *out, size_t capacity, const limn_vocab *vocab, const uint32_t *ids,
                     size_t n);
    /* What it knows besides the tokens (limn_vocab_tokenizer_data); all NULL where that is nothing.
     * `open` reads it from the vocabulary's object of a model file, whose tokens `vocab` has
     * already; `write` puts it there, false when out of memory; `close` accepts NULL. */
    limn_status (*open)(void **data, const limn_vocab *vocab, const limn_json_node *object,
                        limn_error *err);
    bool (*write)(json_t *object, const limn_vocab *vocab);
    void (*close)(void *data);
} limn_tokenizer;

extern const limn_tokenizer limn_tokenizer_words;      /* a token is a word */
extern const limn_tokenizer limn_tokenizer_characters; /* a token is a character, or a space */
extern const limn_tokenizer limn_tokenizer_wordpiece;  /* BERT's */
extern const limn_tokenizer limn_tokenizer_byte_bpe;   /* GPT-2's */
extern const limn_tokenizer limn_tokenizer_sentencepiece;

/* The tokenizer of a vocabulary of limn's own: by its kind, or by its tokens [n_tokens] in id
 * order. */
const limn_tokenizer *limn_tokenizer_of_kind(limn_token_kind kind);
const limn_tokenizer *limn_tokenizer_of_own(const char *const *tokens, size_t n_tokens);
/* Whether `token` reveals that a vocabulary is of another kind. */
bool limn_tokenizer_is_mark_of_another(const limn_tokenizer *t, const char *token);
/* LIMN_E_UNSUPPORTED lists those that are known. */
limn_status limn_tokenizer_find(const limn_tokenizer **out, const char *name, limn_error *err);

/* A text under construction: `length` is what it needs, `out` [capacity] gets what fits. */
typedef struct limn_joined {
    char *out;
    size_t capacity, length;
} limn_joined;
void limn_joined_append(limn_joined *j, const char *text, size_t size);
/* Ends it with a NUL; returns the length needed without it, as snprintf does. */
size_t limn_joined_end(limn_joined *j);

#endif
