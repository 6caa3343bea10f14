/* Any bytes as the files of public tokenizers: a vocab.txt of BERT, a SentencePiece model, GPT-2's
 * vocab.json and merges.txt with a NUL between, a tokenizer.json. With each vocabulary that was
 * accepted, captions become tokens of it and texts again, before and after a model file's JSON. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decoder/tokenizers/public_vocab.h"
#include "models/convert/published/tokenizer_json.h"
#include "tests/fuzz/fuzz.h"

static const char *const captions[] = {
    "",
    "A dog's caf\xc3\xa9, 2 CATS \xe7\x8a\xac!",
    "a  b\tc\n\xe2\x96\x81 <s> [unused1] ##a <0x41> \xf0\x9f\x90\x95",
};

/* Tokens of a caption are below n_tokens, and their text has the size that was told. */
static void check_caption(const limn_vocab *v, const char *caption, size_t size)
{
    enum { MOST = 64 };
    limn_caption_tokenizer scratch = { .kind = LIMN_TOKENS_WORDS };
    uint32_t ids[MOST];
    char text[256];
    const char *tokens;
    limn_error err = { 0 };
    if (limn_vocab_tokenize(&tokens, &scratch, v, caption, size, &err) == LIMN_OK) {
        const size_t needed = limn_vocab_encode(ids, MOST, v, tokens);
        size_t n = 0;
        for (size_t i = 0; i < needed && i < MOST; i++)
            if (ids[i] != LIMN_NO_TOKEN) ids[n++] = ids[i]; /* words without a token */
        for (size_t i = 0; i < n; i++)
            if (ids[i] >= limn_vocab_n_tokens(v)) abort();
        const size_t length = limn_vocab_join(text, sizeof text, v, ids, n);
        if (length < sizeof text && strlen(text) != length) abort();
        if (length > n * (limn_vocab_longest(v) + 1)) abort();
    }
    limn_caption_tokenizer_finish(&scratch);
}

static void check_vocab(const limn_vocab *v, const uint8_t *bytes, size_t size)
{
    char text[8];
    for (size_t i = 0; i < sizeof captions / sizeof *captions; i++)
        check_caption(v, captions[i], strlen(captions[i]));
    if (!memchr(bytes, 0, size)) check_caption(v, (const char *)bytes, size < 200 ? size : 200);
    for (uint32_t id = 0; id < limn_vocab_n_tokens(v); id++)
        limn_vocab_join(text, sizeof text, v, &id, 1);
}

/* What `s` made, and what a model file's JSON makes of it, which must be accepted. */
static void try_vocab(limn_status s, limn_vocab **made, const uint8_t *bytes, size_t size)
{
    limn_vocab *v = *made, *again = NULL;
    limn_error err = { 0 };
    if (s != LIMN_OK) return;
    json_t *json = limn_vocab_to_json(v);
    if (!json) abort();
    const limn_json_node root = limn_json_root(json);
    check_vocab(v, bytes, size);
    if (limn_vocab_from_json(&again, &root, &err) != LIMN_OK) abort();
    if (limn_vocab_n_tokens(again) != limn_vocab_n_tokens(v)) abort();
    check_vocab(again, bytes, size);
    limn_vocab_destroy(&again);
    limn_vocab_destroy(made);
    json_decref(json);
}

static void try_tokenizer_json(const uint8_t *bytes, size_t size, const limn_specials *specials)
{
    limn_buffer first = { 0 }, second = { 0 };
    json_t *document;
    limn_vocab *v = NULL;
    limn_error err = { 0 };
    if (limn_json_parse(&document, bytes, size, &err) != LIMN_OK) return;
    const limn_json_node root = limn_json_root(document);
    if (tokenizer_json_vocab_txt(&first, &root, &err) == LIMN_OK && !first.has_failed)
        try_vocab(
            limn_vocab_from_wordpiece(&v, first.bytes, first.size, NULL, 0, true, specials, &err),
            &v, bytes, size);
    limn_buffer_clear(&first);
    if (tokenizer_json_byte_bpe(&first, &second, &root, &err) == LIMN_OK && !first.has_failed &&
        !second.has_failed)
        try_vocab(limn_vocab_from_byte_bpe(&v, first.bytes, first.size, second.bytes, second.size,
                                           specials, &err),
                  &v, bytes, size);
    limn_buffer_finish(&first);
    limn_buffer_finish(&second);
    json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const added[] = { "[DEC]", "[ENC]" };
    const limn_specials specials = { 1, 2, 0, size % 2 ? 3 : LIMN_NO_TOKEN, NULL, 0 };
    const char *text = (const char *)bytes, *between = memchr(bytes, 0, size);
    const size_t n_first = between ? (size_t)(between - text) : size;
    limn_vocab *v = NULL;
    limn_error err = { 0 };
    try_vocab(limn_vocab_from_wordpiece(&v, text, size, added, size % 3, size % 2, &specials, &err),
              &v, bytes, size);
    try_vocab(limn_vocab_from_sentencepiece(&v, bytes, size, &specials, &err), &v, bytes, size);
    if (between)
        try_vocab(limn_vocab_from_byte_bpe(&v, text, n_first, between + 1, size - n_first - 1,
                                           &specials, &err),
                  &v, bytes, size);
    try_tokenizer_json(bytes, size, &specials);
    return 0;
}
