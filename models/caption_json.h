/* Captions as the keys of a JSON object: what limn_captions_json writes, and limn's records. Not
 * installed. */
#ifndef LIMN_MODELS_CAPTION_JSON_H
#define LIMN_MODELS_CAPTION_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "models/captioner.h"

/* Which parts of captions are written. */
typedef struct limn_json_captions {
    const limn_captions *captions;
    const limn_model *model;          /* for the texts of tokens */
    const limn_caption *best;         /* of what was found; may not be among `captions` */
    bool has_n_best;                  /* all of them, not the best alone */
    bool has_confidence, has_signals; /* these too */
    bool has_ids;                     /* those of tokens */
    size_t n_alternatives;            /* how many for each token; 0: none */
} limn_json_captions;

/* Sets the keys in their order; captions without items are reported as left out for low confidence.
 * *is_whole becomes false when out of memory (common/io/json_line.h). */
void limn_json_captions_set(json_t *object, const limn_json_captions *from, bool *is_whole);

/* Sets the key "error": its kind, and its text as "detail". */
void limn_json_failure_set(json_t *object, const limn_error *failure, bool *is_whole);

/* The texts of captions, best first. */
json_t *limn_json_captions_texts(const limn_captions *captions, bool *is_whole);

#endif
