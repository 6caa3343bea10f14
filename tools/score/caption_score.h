/* What is told of a scored caption, in either format. */
#ifndef LIMN_TOOLS_SCORE_CAPTION_SCORE_H
#define LIMN_TOOLS_SCORE_CAPTION_SCORE_H

#include "common/base/buffer.h"
#include "common/io/captions.h"

typedef struct limn_caption_score {
    const limn_caption_record *record;
    const char *tokens; /* the words, one space between two of them */
    size_t n_words, n_unknown;
    const float *with, *without;     /* [n_words + 1] of the words and the end; NAN: unknown */
    double logprob, logprob_without; /* sums over what is known */
} limn_caption_score;

/* The words of an image's captions that have a probability, their ends too. */
size_t limn_caption_score_n_tokens(const limn_caption_score *s);
/* The inverse of a token's mean probability (geometric): exp(-logprob / n_tokens). */
double limn_perplexity(double logprob, size_t n_tokens);
/* What the image adds to a token's log-probability on average. */
double limn_caption_score_pmi(const limn_caption_score *s);

typedef struct limn_score_format {
    const char *name; /* as in --format */
    void (*score)(limn_buffer *out, const limn_caption_score *score);
    /* A caption, or the first of an image, that has no score. */
    void (*failure)(limn_buffer *out, const limn_caption_record *record, bool has_caption,
                    const limn_error *error);
} limn_score_format;

/* For --format: the formats, and their names in the same order, NULL after the last. */
extern const limn_score_format *const limn_score_formats[];
extern const char *const limn_score_format_names[];

#endif
