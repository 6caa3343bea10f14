#include "models/user_words.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/ranked.h"
#include "common/text/edit_distance.h"
#include "common/text/ptb_tokenizer.h"
#include "common/text/utf8.h"

enum { N_NEAR = 3 };

void limn_user_words_finish(limn_user_words *w)
{
    limn_free(w->tokens);
    *w = (limn_user_words){ 0 };
}

/* ---- near words --------------------------------------------------------------------------- */

typedef struct near_word {
    const char *text;
    size_t distance, n_common; /* n_common: bytes from the start that are the same */
} near_word;

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Edit distance; but a word that extends the other ("skateboard", "skateboarder") is near, however
 * long the extension. */
static size_t distance_of(const char *known, const char *wanted)
{
    enum { MIN_COMMON = 4, FAR = 2 };
    const size_t distance = limn_edit_distance(known, wanted);
    const bool is_related = strlen(known) >= MIN_COMMON && strlen(wanted) >= MIN_COMMON &&
                            (begins_with(known, wanted) || begins_with(wanted, known));
    return is_related && distance > FAR ? FAR : distance;
}

static size_t count_common(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n]) n++;
    return n;
}

static bool is_nearer(const void *first, const void *second)
{
    const near_word *a = first, *b = second;
    return a->distance != b->distance ? a->distance < b->distance : a->n_common > b->n_common;
}

/* Ties go to the more frequent words, which come first in a vocabulary. */
static void find_near(near_word near[N_NEAR], const limn_vocab *v, const char *wanted)
{
    const size_t size = strlen(wanted), limit = size <= 3 ? 1 : size <= 7 ? 2 : 3;
    size_t n = N_NEAR;
    for (size_t i = 0; i < N_NEAR; i++) near[i] = (near_word){ NULL, limit + 1, SIZE_MAX };
    for (uint32_t t = 0; t < limn_vocab_n_tokens(v); t++) {
        if (limn_specials_is_silent(limn_vocab_specials(v), t)) continue;
        const char *known = limn_vocab_text(v, t);
        const near_word found = { known, distance_of(known, wanted), count_common(known, wanted) };
        limn_ranked_insert(near, &n, N_NEAR, sizeof found, &found, is_nearer);
    }
}

static limn_status unknown_word(const limn_vocab *v, const char *kind, const char *word,
                                limn_error *err)
{
    near_word near[N_NEAR];
    char list[160] = "";
    find_near(near, v, word);
    for (size_t i = 0; i < N_NEAR && near[i].text; i++) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "; similar: ", near[i].text);
    }
    return limn_fail(err, LIMN_E_ARG, "%s word '%.60s' is not in the vocabulary%s", kind, word,
                     list);
}

/* ---- reading ------------------------------------------------------------------------------ */

limn_status limn_user_words_add_token(limn_user_words *w, uint32_t token, limn_error *err)
{
    if (!limn_grow((void **)&w->tokens, &w->capacity, w->n_tokens + 1, sizeof *w->tokens))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    w->tokens[w->n_tokens++] = token;
    return LIMN_OK;
}

/* A token that a caption can hold; false for others. */
static bool find_token(uint32_t *token, const limn_vocab *v, const char *text, size_t size)
{
    *token = limn_vocab_find(v, text, size);
    return *token != LIMN_NO_TOKEN && !limn_specials_is_silent(limn_vocab_specials(v), *token);
}

/* Whether all words of the text are known as they are; then they are added. */
static limn_status add_as_written(bool *is_known, limn_user_words *w, const limn_vocab *v,
                                  const char *text, size_t size, limn_error *err)
{
    const size_t n_before = w->n_tokens;
    size_t word_size;
    const char *word;
    *is_known = true;
    while (*is_known && (word = limn_utf8_next_word(&word_size, &text, &size))) {
        uint32_t token;
        *is_known = find_token(&token, v, word, word_size);
        if (*is_known) LIMN_TRY(limn_user_words_add_token(w, token, err));
    }
    if (!*is_known) w->n_tokens = n_before;
    return LIMN_OK;
}

static limn_status add_tokenized(limn_user_words *w, const limn_vocab *v, const char *kind,
                                 const char *tokens, limn_error *err)
{
    char word[LIMN_VOCAB_MAX_TOKEN_SIZE + 1];
    while (*tokens) {
        const size_t size = strcspn(tokens, " ");
        uint32_t token;
        const bool is_known = find_token(&token, v, tokens, size);
        snprintf(word, sizeof word, "%.*s", (int)(size < sizeof word ? size : sizeof word - 1),
                 tokens);
        if (!is_known) return unknown_word(v, kind, word, err);
        LIMN_TRY(limn_user_words_add_token(w, token, err));
        tokens += size + (tokens[size] == ' ');
    }
    return LIMN_OK;
}

/* Words of a vocabulary of words: as written, or as Penn Treebank tokens. */
static limn_status add_words(limn_user_words *w, const limn_vocab *v, const char *kind,
                             const char *text, size_t size, limn_error *err)
{
    limn_ptb ptb = { 0 };
    const char *tokens;
    bool is_known;
    LIMN_TRY(add_as_written(&is_known, w, v, text, size, err));
    if (is_known) return LIMN_OK;
    limn_status status = limn_ptb_tokenize(&tokens, &ptb, text, size, LIMN_PTB_ALL_TOKENS, err);
    if (status == LIMN_OK)
        status = add_tokenized(w, v, kind, tokens, err);
    else
        limn_error_prefix(err, "%s words", kind);
    limn_ptb_finish(&ptb);
    return status;
}

/* Words of another vocabulary: the tokens that its tokenizer makes of them. */
static limn_status add_parts(limn_user_words *w, const limn_vocab *v, const char *kind,
                             const char *text, size_t size, bool is_spaced, limn_error *err)
{
    limn_caption_tokenizer scratch = { .kind = LIMN_TOKENS_WORDS };
    const limn_tokenizer *t = limn_vocab_tokenizer(v);
    const char *tokens;
    limn_status status =
        (is_spaced ? t->encode_spaced : t->encode)(&tokens, &scratch, v, text, size, err);
    if (status == LIMN_OK)
        status = add_tokenized(w, v, kind, tokens, err);
    else
        limn_error_prefix(err, "%s words", kind);
    limn_caption_tokenizer_finish(&scratch);
    return status;
}

/* Without the spaces at its ends. */
static const char *trim(const char *text, size_t *size)
{
    while (*size > 0 && *text == ' ') {
        text++;
        --*size;
    }
    while (*size > 0 && text[*size - 1] == ' ') --*size;
    return text;
}

limn_status limn_user_words_add_spaced(bool *has_others, limn_user_words *w, const limn_vocab *v,
                                       const char *kind, const char *text, size_t size,
                                       limn_error *err)
{
    *has_others = limn_vocab_tokenizer(v)->encode_spaced != NULL;
    if (!*has_others) return LIMN_OK;
    text = trim(text, &size);
    const limn_status status = add_parts(w, v, kind, text, size, true, err);
    return status == LIMN_E_FORMAT ? LIMN_E_ARG : status;
}

limn_status limn_user_words_add_prompt(limn_user_words *w, const limn_vocab *v, const char *text,
                                       limn_error *err)
{
    const limn_status status = add_parts(w, v, "prompt", text, strlen(text), false, err);
    return status == LIMN_E_FORMAT ? LIMN_E_ARG : status;
}

limn_status limn_user_words_add(limn_user_words *w, const limn_vocab *v, const char *kind,
                                const char *text, size_t size, limn_error *err)
{
    const size_t n_before = w->n_tokens;
    text = trim(text, &size);
    const limn_status status = limn_vocab_classes(v) ? add_parts(w, v, kind, text, size, false, err)
                                                     : add_words(w, v, kind, text, size, err);
    LIMN_TRY(status == LIMN_E_FORMAT ? LIMN_E_ARG : status);
    if (w->n_tokens == n_before) return limn_fail(err, LIMN_E_ARG, "%s word '' is empty", kind);
    return LIMN_OK;
}
