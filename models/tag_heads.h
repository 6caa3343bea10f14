/* Concepts as stored in a model file (models/FORMAT.md): classification heads on the encoder's
 * features, each with the names of its classes.
 *
 *     pooled = mean of the features [n_positions, dim] over the positions, and for some heads their
 *              maximum appended: [dim] or [2 dim]
 *     x      = relu6(hidden · pooled + bias) where there is a hidden layer, else pooled
 *     logits = output · x + bias; probabilities by softmax (of classes of which an image has one:
 *              is_exclusive) or independently, 1 / (1 + exp(-logit))
 *
 * Reading, making, changing, writing; models/tagger.h runs them. A limn_tag_heads belongs to one
 * thread while it changes. */
#ifndef LIMN_MODELS_TAG_HEADS_H
#define LIMN_MODELS_TAG_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/io/safetensors.h"

#define LIMN_TAGS_KEY "limn.tags"  /* of the metadata */
#define LIMN_TAGS_PREFIX "tags."   /* of the tensors' names */
#define LIMN_OBJECTS_SET "objects" /* the head whose tags decoders with tag slots read */

enum {
    LIMN_TAGS_MAX_HEADS = 8,
    LIMN_TAGS_MAX_NAMES = 10000, /* of a head */
    LIMN_TAGS_MAX_HIDDEN = 8192,
    LIMN_TAGS_MAX_NAME_SIZE = 100, /* bytes of a name */
    LIMN_TAGS_MAX_SET_SIZE = 31,   /* bytes of a set's name */
    LIMN_TAGS_MAX_TENSORS = 4,     /* of a head */
};

typedef struct limn_tag_head {
    char set[LIMN_TAGS_MAX_SET_SIZE + 1]; /* what the head is called: "imagenet", "objects" */
    bool is_exclusive, has_maximum;
    uint32_t n_hidden; /* 0: no hidden layer */
    uint32_t n_tags;
    const char *const *names; /* [n_tags] UTF-8 */
    /* f32, or f16 for the weights; hidden NULL without a hidden layer */
    limn_tensor hidden_weight, hidden_bias; /* [n_hidden, dim or 2 dim], [n_hidden] */
    limn_tensor output_weight, output_bias; /* [n_tags, n_hidden or pooled dim], [n_tags] */
} limn_tag_head;

typedef struct limn_tag_heads {
    limn_tag_head items[LIMN_TAGS_MAX_HEADS]; /* [n_items]; names and data are owned */
    size_t n_items;
    char *metadata; /* of limn_tag_heads_metadata */
} limn_tag_heads;

/* Those of a model file whose encoder gives features of `dim`; having none is not an error.
 * Everything is copied: the file may be closed afterwards. LIMN_E_FORMAT names field or tensor,
 * what it is and what was expected; LIMN_E_NOMEM. */
limn_status limn_tag_heads_read(limn_tag_heads *out, const limn_safetensors *file, size_t dim,
                                limn_error *err);
void limn_tag_heads_finish(limn_tag_heads *heads); /* accepts a zeroed struct; zeroes it */

/* Adds a copy of `head`, in place of one of the same set. LIMN_E_ARG (a set's or tag's name, sizes,
 * a value that is not finite), LIMN_E_LIMIT (too many heads), LIMN_E_NOMEM. */
limn_status limn_tag_heads_add(limn_tag_heads *heads, const limn_tag_head *head, size_t dim,
                               limn_error *err);
/* The head of a set; NULL when there is none. */
const limn_tag_head *limn_tag_heads_find(const limn_tag_heads *heads, const char *set);
/* Removes all heads but that of `set`, if there is one. Returns how many were removed. */
size_t limn_tag_heads_keep(limn_tag_heads *heads, const char *set);
/* Weights to f16; biases stay f32. LIMN_E_LIMIT for a value that f16 can't hold. */
limn_status limn_tag_heads_narrow(limn_tag_heads *heads, limn_error *err);

/* ---- writing: views into `heads`, valid until it changes ----------------------------------- */

/* The tensors of a model file [at most LIMN_TAGS_MAX_HEADS * LIMN_TAGS_MAX_TENSORS]; returns how
 * many. */
size_t limn_tag_heads_tensors(const limn_tag_heads *heads, limn_tensor *tensors);
/* The item of its metadata. LIMN_E_NOMEM; LIMN_E_ARG when there is no head. */
limn_status limn_tag_heads_metadata(limn_tag_heads *heads, limn_metadata_item *item,
                                    limn_error *err);

#endif
