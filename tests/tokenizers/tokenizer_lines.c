/* tokenizer_lines SPECIALS wordpiece|wordpiece_cased VOCAB_TXT [TOKEN…]
 *                          byte_bpe VOCAB_JSON MERGES_TXT
 *                          sentencepiece MODEL
 * Tokenizes lines of standard input. A line is JSON: a text is encoded into tokens and decoded
 * again, an array of ids is decoded. Prints {"ids", "text"} for each, or {"error"}. SPECIALS:
 * "start,end,pad,unknown,never written…", -1 for none. The vocabulary first goes through a model
 * file's JSON and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "decoder/tokenizers/public_vocab.h"

enum { MAX_SPECIALS = 64, MAX_FILE = 64 << 20 };

static void die(const limn_error *err)
{
    fprintf(stderr, "tokenizer_lines: %s\n", err->text);
    exit(2);
}

static limn_specials read_specials(const char *text)
{
    static uint32_t ids[MAX_SPECIALS];
    size_t n = 0;
    for (char *end = NULL; *text && n < MAX_SPECIALS; text = end + (*end == ','))
        ids[n++] = (uint32_t)strtol(text, &end, 10); /* -1 is LIMN_NO_TOKEN */
    return (limn_specials){ ids[0], ids[1], ids[2], ids[3], ids + 4, n > 4 ? n - 4 : 0 };
}

static limn_status read_vocab(limn_vocab **out, int argc, char **argv, limn_error *err)
{
    const limn_specials specials = read_specials(argv[1]);
    unsigned char *first, *second = NULL;
    size_t first_size, second_size;
    limn_status s;
    LIMN_TRY(limn_file_read(&first, &first_size, argv[3], MAX_FILE, err));
    if (strcmp(argv[2], "byte_bpe") == 0) {
        LIMN_TRY(limn_file_read(&second, &second_size, argv[4], MAX_FILE, err));
        s = limn_vocab_from_byte_bpe(out, (char *)first, first_size, (char *)second, second_size,
                                     &specials, err);
    } else if (strcmp(argv[2], "sentencepiece") == 0) {
        s = limn_vocab_from_sentencepiece(out, first, first_size, &specials, err);
    } else {
        s = limn_vocab_from_wordpiece(out, (char *)first, first_size, (const char *const *)argv + 4,
                                      (size_t)argc - 4, strcmp(argv[2], "wordpiece") == 0,
                                      &specials, err);
    }
    limn_free(first);
    limn_free(second);
    return s;
}

/* Converts the vocabulary to a model file's JSON and back. */
static limn_status through_json(limn_vocab **v, limn_error *err)
{
    json_t *json = limn_vocab_to_json(*v), *document = NULL;
    char *text = json_dumps(json, JSON_COMPACT);
    LIMN_TRY(limn_json_parse(&document, text, strlen(text), err));
    const limn_json_node root = limn_json_root(document);
    limn_vocab_destroy(v);
    const limn_status s = limn_vocab_from_json(v, &root, err);
    json_decref(json);
    json_decref(document);
    free(text);
    return s;
}

static limn_status encode(uint32_t **ids, size_t *n, const limn_vocab *v, const json_t *text,
                          limn_error *err)
{
    limn_caption_tokenizer scratch = { .kind = LIMN_TOKENS_WORDS };
    const char *tokens;
    const limn_status s = limn_vocab_tokenize(&tokens, &scratch, v, json_string_value(text),
                                              json_string_length(text), err);
    if (s == LIMN_OK) {
        *n = limn_vocab_encode(NULL, 0, v, tokens);
        *ids = limn_alloc(*n, sizeof **ids);
        limn_vocab_encode(*ids, *n, v, tokens);
    }
    limn_caption_tokenizer_finish(&scratch);
    return s;
}

static void take_ids(uint32_t **ids, size_t *n, const json_t *array)
{
    *n = json_array_size(array);
    *ids = limn_alloc(*n, sizeof **ids);
    for (size_t i = 0; i < *n; i++)
        (*ids)[i] = (uint32_t)json_integer_value(json_array_get(array, i));
}

static json_t *answer(const limn_vocab *v, const json_t *line)
{
    uint32_t *ids = NULL;
    size_t n = 0;
    limn_error err = { 0 };
    json_t *list = json_array();
    if (json_is_array(line))
        take_ids(&ids, &n, line);
    else if (encode(&ids, &n, v, line, &err) != LIMN_OK)
        return json_pack("{s:o, s:s}", "ids", list, "error", err.text);
    const size_t size = limn_vocab_join(NULL, 0, v, ids, n);
    char *text = limn_alloc(size + 1, 1);
    limn_vocab_join(text, size + 1, v, ids, n);
    for (size_t i = 0; i < n; i++) json_array_append_new(list, json_integer(ids[i]));
    json_t *out = json_pack("{s:o, s:s}", "ids", list, "text", text);
    limn_free(text);
    limn_free(ids);
    return out;
}

int main(int argc, char **argv)
{
    limn_vocab *v = NULL;
    limn_error err = { 0 };
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    if (argc < 4 || (strcmp(argv[2], "byte_bpe") == 0 && argc < 5)) return 1;
    if (read_vocab(&v, argc, argv, &err) != LIMN_OK || through_json(&v, &err) != LIMN_OK) die(&err);
    while ((size = getline(&line, &capacity, stdin)) > 0) {
        json_t *value = json_loadb(line, (size_t)size, JSON_DECODE_ANY, NULL);
        json_t *out = answer(v, value);
        json_dumpf(out, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(out);
        json_decref(value);
    }
    free(line);
    limn_vocab_destroy(&v);
    return 0;
}
