#include "models/convert/published/hub_vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/text/path.h"
#include "decoder/tokenizers/public_vocab.h"
#include "models/convert/published/config_fields.h"
#include "models/convert/published/folder_file.h"
#include "models/convert/published/tokenizer_json.h"

/* ---- WordPiece ---------------------------------------------------------------------------- */

/* The line of a text that is `token`, counted from 0; LIMN_NO_TOKEN when none is. */
static uint32_t line_of(const char *text, size_t size, const char *token)
{
    const size_t n = strlen(token);
    uint32_t number = 0;
    for (const char *line = text, *end = text + size; line < end; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline ? newline : end) - line);
        if (length > 0 && line[length - 1] == '\r') length--;
        if (length == n && memcmp(line, token, n) == 0) return number;
        if (!newline) break;
        line = newline + 1;
    }
    return LIMN_NO_TOKEN;
}

/* Tokens that have no text: those of BERT, and those that were added. */
static size_t list_silent(uint32_t out[8], const char *text, size_t size, uint32_t n_own,
                          size_t n_added, uint32_t end)
{
    static const char *const names[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" };
    size_t n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const uint32_t id = line_of(text, size, names[i]);
        if (id != LIMN_NO_TOKEN && id != end) out[n++] = id;
    }
    for (size_t i = 0; i < n_added && n < 8; i++) out[n++] = n_own + (uint32_t)i;
    return n;
}

static size_t count_lines(const char *text, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) n += text[i] == '\n';
    return n + (size > 0 && text[size - 1] != '\n');
}

static limn_status make_wordpiece(published *p, const wordpiece_file *f, limn_error *err)
{
    const size_t n_lines = count_lines(f->text, f->size);
    uint32_t silent[8];
    limn_specials specials = p->ids;
    if (n_lines + f->n_added != p->n_tokens)
        return limn_fail(err, LIMN_E_FORMAT, "has %zu tokens, expected %zu: the embedding has %u",
                         n_lines, p->n_tokens - f->n_added, p->n_tokens);
    specials.unknown = line_of(f->text, f->size, "[UNK]");
    if (specials.unknown == LIMN_NO_TOKEN)
        return limn_fail(err, LIMN_E_FORMAT, "has no token [UNK], so it is not BERT's vocab.txt");
    specials.never_written = silent;
    specials.n_never_written =
        list_silent(silent, f->text, f->size, (uint32_t)n_lines, f->n_added, p->ids.end);
    return limn_vocab_from_wordpiece(&p->vocab, f->text, f->size, f->added, f->n_added,
                                     f->lower_case, &specials, err);
}

/* A different vocabulary of the same size would silently turn the same ids into other words, so the
 * file used is noted. */
static void note_vocabulary(published *p, const char *name)
{
    static const char bert[] = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3";
    const char *sha256 = source_record_sha256(&p->sources, name);
    if (sha256 && strcmp(sha256, bert) != 0)
        limn_buffer_printf(&p->notes,
                           "%s is not the vocabulary of bert-base-uncased, which the published "
                           "models have: it must be the one that this model was trained with\n",
                           name);
}

limn_status hub_make_wordpiece(published *p, const char *path, const wordpiece_file *f,
                               limn_error *err)
{
    const limn_status s = make_wordpiece(p, f, err);
    note_vocabulary(p, limn_path_last(path));
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    return s;
}

/* tokenizer_config.json may name a class; what it names must be one of these. */
static limn_status check_class(const limn_json_node *tokenizer, const char *const *classes,
                               limn_error *err)
{
    /* what transformers 5 writes of any tokenizer.json */
    static const char *const any[] = { "PreTrainedTokenizerFast", "TokenizersBackend", NULL };
    const char *name;
    if (!config_has(tokenizer, "tokenizer_class")) return LIMN_OK;
    LIMN_TRY(limn_json_string(&name, tokenizer, "tokenizer_class", err));
    for (const char *const *c = classes; *c; c++)
        if (strcmp(*c, name) == 0) return LIMN_OK;
    for (const char *const *c = any; *c; c++)
        if (strcmp(*c, name) == 0) return LIMN_OK;
    return limn_json_fail(tokenizer, err, LIMN_E_UNSUPPORTED,
                          "tokenizer_class: expected \"%s\", is \"%.60s\"", classes[0], name);
}

/* Whether captions are in lower case, from tokenizer_config.json. */
static limn_status read_lower_case(bool *lower_case, const limn_json_node *tokenizer,
                                   limn_error *err)
{
    static const config_field chinese[] = { { "tokenize_chinese_chars", "true" }, { NULL, NULL } };
    static const char *const classes[] = { "BertTokenizer", "BertTokenizerFast", NULL };
    bool strips;
    LIMN_TRY(check_class(tokenizer, classes, err));
    LIMN_TRY(config_expect(tokenizer, chinese, err));
    LIMN_TRY(config_flag(lower_case, tokenizer, "do_lower_case", true, err));
    LIMN_TRY(config_flag(&strips, tokenizer, "strip_accents", *lower_case, err));
    if (strips == *lower_case) return LIMN_OK;
    return limn_json_fail(tokenizer, err, LIMN_E_UNSUPPORTED,
                          "strip_accents: is %s, expected as do_lower_case",
                          strips ? "true" : "false");
}

/* What a reader of tokenizer.json fills. */
typedef limn_status from_json_fn(limn_buffer *first, limn_buffer *second,
                                 const limn_json_node *root, limn_error *err);

static limn_status wordpiece_from_json(limn_buffer *text, limn_buffer *none,
                                       const limn_json_node *root, limn_error *err)
{
    (void)none;
    return tokenizer_json_vocab_txt(text, root, err);
}

/* Files `first` and `second` (NULL: only one) of the folder into buffers, or what tokenizer.json
 * has of them. */
static limn_status read_files(limn_buffer texts[2], published *p, const char *const names[2],
                              from_json_fn *from_json, limn_error *err)
{
    json_t *document;
    if (!folder_file_is_there(p->path, names[0])) {
        if (!folder_file_is_there(p->path, "tokenizer.json"))
            return limn_fail(err, LIMN_E_FORMAT,
                             "%s: has no tokenizer: expected %s%s%s, or tokenizer.json", p->path,
                             names[0], names[1] ? " and " : "", names[1] ? names[1] : "");
        LIMN_TRY(folder_file_json(&document, p->path, "tokenizer.json", limn_json_parse, err));
        const limn_json_node root = limn_json_root(document);
        const limn_status s = from_json(&texts[0], &texts[1], &root, err);
        if (s != LIMN_OK) limn_error_prefix(err, "%s/tokenizer.json", p->path);
        json_decref(document);
        return s == LIMN_OK ? published_add_source(p, p->path, "tokenizer.json", err) : s;
    }
    for (size_t i = 0; i < 2 && names[i]; i++) {
        unsigned char *bytes;
        size_t size;
        LIMN_TRY(folder_file_read(&bytes, &size, p->path, names[i], err));
        limn_buffer_append(&texts[i], bytes, size);
        limn_free(bytes);
        LIMN_TRY(published_add_source(p, p->path, names[i], err));
    }
    return LIMN_OK;
}

limn_status hub_read_wordpiece(published *p, const limn_json_node *tokenizer,
                               const char *const *added, size_t n_added, limn_error *err)
{
    static const char *const names[2] = { "vocab.txt", NULL };
    limn_buffer texts[2] = { { 0 }, { 0 } };
    wordpiece_file f = { .added = added, .n_added = n_added };
    limn_status s = read_files(texts, p, names, wordpiece_from_json, err);
    if (s == LIMN_OK && (s = read_lower_case(&f.lower_case, tokenizer, err)) != LIMN_OK)
        limn_error_prefix(err, "%s/tokenizer_config.json", p->path);
    f.text = texts[0].bytes;
    f.size = texts[0].size;
    if (s == LIMN_OK && texts[0].has_failed) s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK && (s = make_wordpiece(p, &f, err)) != LIMN_OK)
        limn_error_prefix(err, "%s/vocab.txt", p->path);
    note_vocabulary(p, names[0]);
    limn_buffer_finish(&texts[0]);
    return s;
}

/* ---- byte-level BPE ----------------------------------------------------------------------- */

limn_status hub_read_byte_bpe(published *p, const limn_json_node *tokenizer, limn_error *err)
{
    static const char *const names[2] = { "vocab.json", "merges.txt" };
    static const char *const classes[] = { "GPT2Tokenizer", "GPT2TokenizerFast", NULL };
    limn_buffer texts[2] = { { 0 }, { 0 } };
    limn_status s = check_class(tokenizer, classes, err);
    if (s != LIMN_OK)
        limn_error_prefix(err, "%s/tokenizer_config.json", p->path);
    else
        s = read_files(texts, p, names, tokenizer_json_byte_bpe, err);
    if (s == LIMN_OK && (texts[0].has_failed || texts[1].has_failed))
        s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK) {
        s = limn_vocab_from_byte_bpe(&p->vocab, texts[0].bytes, texts[0].size, texts[1].bytes,
                                     texts[1].size, &p->ids, err);
        if (s != LIMN_OK) limn_error_prefix(err, "%s", p->path);
    }
    if (s == LIMN_OK && limn_vocab_n_tokens(p->vocab) != p->n_tokens)
        s = limn_fail(err, LIMN_E_FORMAT,
                      "%s/vocab.json: has %zu tokens, expected %u: decoder.vocab_size of "
                      "config.json",
                      p->path, limn_vocab_n_tokens(p->vocab), p->n_tokens);
    limn_buffer_finish(&texts[0]);
    limn_buffer_finish(&texts[1]);
    return s;
}
