#include "decoder/tokenizers/sentencepiece_model.h"

#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "decoder/vocab.h"

/* ---- protocol buffers ----------------------------------------------------------------------- */

/* A message, or what is left of it. */
typedef struct message {
    const unsigned char *bytes, *end;
    const unsigned char *file; /* for errors */
} message;

/* A field: of its wire types, number and bytes are those that are used here. */
typedef struct field {
    uint32_t number;
    uint64_t value;  /* of a varint, or 32 bits */
    message content; /* of a length and bytes; empty for others */
} field;

static limn_status broken(const message *m, limn_error *err)
{
    return limn_fail(err, LIMN_E_FORMAT, "no SentencePiece model: broken at byte %td",
                     m->bytes - m->file);
}

static limn_status read_varint(uint64_t *out, message *m, limn_error *err)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && m->bytes < m->end; shift += 7) {
        const unsigned char byte = *m->bytes++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return LIMN_OK;
    }
    return broken(m, err);
}

static limn_status take(message *part, message *m, uint64_t size, limn_error *err)
{
    if (size > (uint64_t)(m->end - m->bytes)) return broken(m, err);
    *part = (message){ m->bytes, m->bytes + size, m->file };
    m->bytes += size;
    return LIMN_OK;
}

static limn_status read_field(field *f, message *m, limn_error *err)
{
    enum { VARINT = 0, BITS64 = 1, LENGTH = 2, BITS32 = 5 };
    uint64_t key;
    message bits = { 0 };
    LIMN_TRY(read_varint(&key, m, err));
    *f = (field){ .number = (uint32_t)(key >> 3), .content = { m->bytes, m->bytes, m->file } };
    switch (key & 7) {
    case VARINT: return read_varint(&f->value, m, err);
    case BITS64: return take(&bits, m, 8, err);
    case LENGTH:
        LIMN_TRY(read_varint(&f->value, m, err));
        return take(&f->content, m, f->value, err);
    case BITS32:
        LIMN_TRY(take(&bits, m, 4, err));
        for (size_t i = 0; i < 4; i++) f->value |= (uint64_t)bits.bytes[i] << 8 * i;
        return LIMN_OK;
    default: return broken(m, err);
    }
}

static size_t size_of(const message *m)
{
    return (size_t)(m->end - m->bytes);
}

/* ---- messages of sentencepiece_model.proto -------------------------------------------------- */

static float float_of(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

static limn_status read_piece(limn_sentencepiece_model *m, message part, limn_error *err)
{
    enum { TEXT = 1, SCORE = 2, TYPE = 3 };
    limn_sentencepiece p = { .text = "", .type = LIMN_PIECE_NORMAL };
    field f;
    while (part.bytes < part.end) {
        LIMN_TRY(read_field(&f, &part, err));
        if (f.number == TEXT) {
            p.text = (const char *)f.content.bytes;
            p.size = size_of(&f.content);
        } else if (f.number == SCORE) {
            p.score = float_of(f.value);
        } else if (f.number == TYPE) {
            if (f.value < LIMN_PIECE_NORMAL || f.value > LIMN_PIECE_BYTE)
                return limn_fail(err, LIMN_E_FORMAT, "piece %zu is of type %llu, expected 1 … 6",
                                 m->n_pieces, (unsigned long long)f.value);
            p.type = (limn_piece_type)f.value;
        }
    }
    if (m->n_pieces == LIMN_VOCAB_MAX_TOKENS)
        return limn_fail(err, LIMN_E_LIMIT, "more than %d pieces", LIMN_VOCAB_MAX_TOKENS);
    if (!limn_grow((void **)&m->pieces, &m->capacity, m->n_pieces + 1, sizeof p))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    m->pieces[m->n_pieces++] = p;
    return LIMN_OK;
}

static limn_status read_trainer(limn_sentencepiece_model *m, message part, limn_error *err)
{
    enum { MODEL_TYPE = 3, SPACE_AS_SUFFIX = 24, UNKNOWN_TEXT = 44, UNIGRAM = 1, BPE = 2 };
    field f;
    while (part.bytes < part.end) {
        LIMN_TRY(read_field(&f, &part, err));
        if (f.number == MODEL_TYPE) {
            if (f.value != UNIGRAM && f.value != BPE)
                return limn_fail(err, LIMN_E_UNSUPPORTED,
                                 "model_type %llu is neither 1 (unigram) nor 2 (bpe)",
                                 (unsigned long long)f.value);
            m->is_bpe = f.value == BPE;
        } else if (f.number == SPACE_AS_SUFFIX && f.value != 0) {
            return limn_fail(err, LIMN_E_UNSUPPORTED,
                             "treat_whitespace_as_suffix is not supported");
        } else if (f.number == UNKNOWN_TEXT) {
            m->unknown_text = (const char *)f.content.bytes;
            m->unknown_text_size = size_of(&f.content);
        }
    }
    return LIMN_OK;
}

static limn_status read_normalizer(limn_sentencepiece_model *m, message part, limn_error *err)
{
    enum { CHARSMAP = 2, DUMMY_PREFIX = 3, EXTRA_WHITESPACES = 4, ESCAPE_WHITESPACES = 5 };
    field f;
    while (part.bytes < part.end) {
        LIMN_TRY(read_field(&f, &part, err));
        if (f.number == CHARSMAP) {
            m->charsmap = f.content.bytes;
            m->charsmap_size = size_of(&f.content);
        } else if (f.number == DUMMY_PREFIX) {
            m->adds_dummy_prefix = f.value != 0;
        } else if (f.number == EXTRA_WHITESPACES) {
            m->removes_extra_whitespaces = f.value != 0;
        } else if (f.number == ESCAPE_WHITESPACES && f.value == 0) {
            return limn_fail(err, LIMN_E_UNSUPPORTED,
                             "escape_whitespaces = false is not supported");
        }
    }
    return LIMN_OK;
}

static limn_status read_model(limn_sentencepiece_model *m, message file, limn_error *err)
{
    enum { PIECES = 1, TRAINER = 2, NORMALIZER = 3 };
    field f;
    while (file.bytes < file.end) {
        LIMN_TRY(read_field(&f, &file, err));
        if (f.number == PIECES) LIMN_TRY(read_piece(m, f.content, err));
        if (f.number == TRAINER) LIMN_TRY(read_trainer(m, f.content, err));
        if (f.number == NORMALIZER) LIMN_TRY(read_normalizer(m, f.content, err));
    }
    if (m->n_pieces == 0)
        return limn_fail(err, LIMN_E_FORMAT, "no SentencePiece model: it has no pieces");
    return LIMN_OK;
}

limn_status limn_sentencepiece_model_read(limn_sentencepiece_model *out, const unsigned char *file,
                                          size_t size, limn_error *err)
{
    static const char unknown_text[] = " \xE2\x81\x87 ";
    *out = (limn_sentencepiece_model){ .adds_dummy_prefix = true,
                                       .removes_extra_whitespaces = true,
                                       .unknown_text = unknown_text,
                                       .unknown_text_size = sizeof unknown_text - 1 };
    const limn_status s = read_model(out, (message){ file, file + size, file }, err);
    if (s != LIMN_OK) limn_sentencepiece_model_finish(out);
    return s;
}

void limn_sentencepiece_model_finish(limn_sentencepiece_model *m)
{
    limn_free(m->pieces);
    *m = (limn_sentencepiece_model){ 0 };
}
