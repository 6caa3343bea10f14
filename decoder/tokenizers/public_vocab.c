#include "decoder/tokenizers/public_vocab.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/text/base64.h"
#include "common/text/utf8.h"
#include "decoder/tokenizers/sentencepiece_model.h"

/* Tokens in id order, and the tokenizer's own data. */
typedef struct draft {
    const char **tokens; /* [n_tokens] */
    size_t n_tokens;
    char *block;      /* owns the texts, split in place */
    json_t *settings; /* an object as in a model file */
} draft;

static void finish(draft *d)
{
    limn_free(d->tokens);
    limn_free(d->block);
    json_decref(d->settings);
}

static limn_status out_of_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

static limn_status make(limn_vocab **out, const draft *d, const limn_tokenizer *tokenizer,
                        const limn_specials *specials, limn_error *err)
{
    const limn_json_node settings = limn_json_root(d->settings);
    if (!d->settings) return out_of_memory(err);
    return limn_vocab_create_with(out, d->tokens, d->n_tokens, tokenizer, specials, &settings, err);
}

static limn_status allocate_tokens(draft *d, size_t n, limn_error *err)
{
    if (n > LIMN_VOCAB_MAX_TOKENS)
        return limn_fail(err, LIMN_E_LIMIT, "%zu tokens, the limit is %d", n,
                         LIMN_VOCAB_MAX_TOKENS);
    d->tokens = limn_calloc(n, sizeof *d->tokens);
    return d->tokens ? LIMN_OK : out_of_memory(err);
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* A NUL-terminated copy of text [size], which must not contain a NUL. */
static limn_status copy_text(char **out, const char *text, size_t size, limn_error *err)
{
    const char *nul = memchr(text, '\0', size);
    if (nul) return limn_fail(err, LIMN_E_FORMAT, "has a NUL byte at byte %td", nul - text);
    *out = limn_strndup(text, size);
    return *out ? LIMN_OK : out_of_memory(err);
}

/* The next line of *text, terminated in place; NULL at the end. Lines end with \n or \r\n. */
static char *next_line(char **text)
{
    char *line = *text;
    if (*line == '\0') return NULL;
    char *end = line + strcspn(line, "\n");
    *text = *end ? end + 1 : end;
    if (end > line && end[-1] == '\r') end--;
    *end = '\0';
    return line;
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (const char *line = text; *line; n++) {
        line += strcspn(line, "\n");
        line += *line != '\0';
    }
    return n;
}

/* ---- BERT ----------------------------------------------------------------------------------- */

static limn_status draft_wordpiece(draft *d, const char *text, size_t size,
                                   const char *const *added, size_t n_added, bool lower_case,
                                   limn_error *err)
{
    LIMN_TRY(copy_text(&d->block, text, size, err));
    LIMN_TRY(allocate_tokens(d, count_lines(d->block) + n_added, err));
    char *rest = d->block;
    for (char *line; (line = next_line(&rest));) d->tokens[d->n_tokens++] = line;
    for (size_t i = 0; i < n_added; i++) d->tokens[d->n_tokens++] = added[i];
    d->settings = json_pack("{s:b}", "lower_case", (int)lower_case);
    return LIMN_OK;
}

limn_status limn_vocab_from_wordpiece(limn_vocab **out, const char *text, size_t size,
                                      const char *const *added, size_t n_added, bool lower_case,
                                      const limn_specials *specials, limn_error *err)
{
    draft d = { 0 };
    *out = NULL;
    limn_status s = draft_wordpiece(&d, text, size, added, n_added, lower_case, err);
    if (s == LIMN_OK) s = make(out, &d, &limn_tokenizer_wordpiece, specials, err);
    finish(&d);
    return s;
}

/* ---- GPT-2 ---------------------------------------------------------------------------------- */

static limn_status draft_ids(draft *d, const json_t *vocab, limn_error *err)
{
    const limn_json_node root = limn_json_root(vocab);
    const char *text;
    json_t *id;
    LIMN_TRY(limn_json_as_object(&root, err));
    LIMN_TRY(allocate_tokens(d, json_object_size(vocab), err));
    d->n_tokens = json_object_size(vocab);
    json_object_foreach((json_t *)vocab, text, id)
    {
        const json_int_t i = json_is_integer(id) ? json_integer_value(id) : -1;
        if (i < 0 || i >= (json_int_t)d->n_tokens)
            return limn_fail(err, LIMN_E_FORMAT, "\"%.40s\" has no id in 0 … %zu", text,
                             d->n_tokens - 1);
        if (d->tokens[i])
            return limn_fail(err, LIMN_E_FORMAT, "\"%.40s\" and \"%.40s\" have the same id, %d",
                             d->tokens[i], text, (int)i);
        d->tokens[i] = text;
    }
    return LIMN_OK;
}

/* A line is a merge; the first may be "#version: 0.2". */
static limn_status draft_merges(draft *d, const char *merges, size_t size, limn_error *err)
{
    json_t *array = json_array();
    bool is_first = true;
    d->settings = json_pack("{s:o}", "merges", array);
    if (!d->settings) return out_of_memory(err);
    LIMN_TRY(copy_text(&d->block, merges, size, err));
    char *rest = d->block;
    for (char *line; (line = next_line(&rest)); is_first = false) {
        if (line[0] == '\0' || (is_first && strncmp(line, "#version", 8) == 0)) continue;
        if (limn_utf8_valid_size(line, strlen(line)) < strlen(line))
            return limn_fail(err, LIMN_E_FORMAT, "line of merge %zu is not valid UTF-8",
                             json_array_size(array));
        if (json_array_append_new(array, json_string(line)) != 0) return out_of_memory(err);
    }
    return LIMN_OK;
}

static limn_status from_byte_bpe(limn_vocab **out, draft *d, const json_t *vocab,
                                 const char *merges, size_t merges_size,
                                 const limn_specials *specials, limn_error *err)
{
    limn_status s = draft_ids(d, vocab, err);
    if (s != LIMN_OK) {
        limn_error_prefix(err, "vocab.json");
        return s;
    }
    s = draft_merges(d, merges, merges_size, err);
    if (s == LIMN_OK) s = make(out, d, &limn_tokenizer_byte_bpe, specials, err);
    if (s != LIMN_OK) limn_error_prefix(err, "merges.txt");
    return s;
}

limn_status limn_vocab_from_byte_bpe(limn_vocab **out, const char *vocab, size_t vocab_size,
                                     const char *merges, size_t merges_size,
                                     const limn_specials *specials, limn_error *err)
{
    draft d = { 0 };
    json_t *document = NULL;
    *out = NULL;
    limn_status s = limn_json_parse(&document, vocab, vocab_size, err);
    if (s != LIMN_OK)
        limn_error_prefix(err, "vocab.json");
    else
        s = from_byte_bpe(out, &d, document, merges, merges_size, specials, err);
    finish(&d);
    json_decref(document);
    return s;
}

/* ---- SentencePiece -------------------------------------------------------------------------- */

static limn_status draft_texts(draft *d, const limn_sentencepiece_model *m, limn_error *err)
{
    size_t size = 0;
    for (size_t i = 0; i < m->n_pieces; i++) size += m->pieces[i].size + 1;
    LIMN_TRY(allocate_tokens(d, m->n_pieces, err));
    d->block = limn_alloc(size, 1);
    if (!d->block) return out_of_memory(err);
    char *end = d->block;
    for (size_t i = 0; i < m->n_pieces; i++) {
        const limn_sentencepiece *p = &m->pieces[i];
        if (memchr(p->text, '\0', p->size))
            return limn_fail(err, LIMN_E_FORMAT, "piece %zu has a NUL byte", i);
        memcpy(end, p->text, p->size);
        end[p->size] = '\0';
        d->tokens[d->n_tokens++] = end;
        end += p->size + 1;
    }
    return LIMN_OK;
}

/* The score of a byte, or of a piece in a model that has no use for it, may be anything. */
static limn_status draft_settings(draft *d, const limn_sentencepiece_model *m, limn_error *err)
{
    limn_buffer charsmap = { 0 };
    json_t *scores = json_array(), *types = json_array();
    limn_buffer_append_text(&charsmap, "");
    limn_base64_append(&charsmap, m->charsmap, m->charsmap_size);
    for (size_t i = 0; i < m->n_pieces; i++) {
        json_array_append_new(scores, json_real((double)m->pieces[i].score));
        json_array_append_new(types, json_integer(m->pieces[i].type));
    }
    d->settings = json_pack(
        "{s:s, s:b, s:b, s:s%, s:s, s:o, s:o}", "model", m->is_bpe ? "bpe" : "unigram",
        "dummy_prefix", (int)m->adds_dummy_prefix, "removes_extra_spaces",
        (int)m->removes_extra_whitespaces, "unknown_text", m->unknown_text, m->unknown_text_size,
        "charsmap", charsmap.bytes ? charsmap.bytes : "", "scores", scores, "types", types);
    limn_buffer_finish(&charsmap);
    return d->settings
               ? LIMN_OK
               : limn_fail(err, LIMN_E_FORMAT, "unk_surface is no text, or memory is short");
}

limn_status limn_vocab_from_sentencepiece(limn_vocab **out, const unsigned char *model, size_t size,
                                          const limn_specials *specials, limn_error *err)
{
    draft d = { 0 };
    limn_sentencepiece_model m;
    *out = NULL;
    LIMN_TRY(limn_sentencepiece_model_read(&m, model, size, err));
    limn_status s = draft_texts(&d, &m, err);
    if (s == LIMN_OK) s = draft_settings(&d, &m, err);
    if (s == LIMN_OK) s = make(out, &d, &limn_tokenizer_sentencepiece, specials, err);
    limn_sentencepiece_model_finish(&m);
    finish(&d);
    return s;
}
