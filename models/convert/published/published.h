/* Captioners published by others, read from their own files: BLIP, ViT with GPT-2, GIT and VirTex.
 * A kind is a table of rules and a function that reads its configuration; a new one is a file in
 * this folder and a row in published.c.
 *
 *     published p;
 *     LIMN_TRY(published_open(&p, "blip-image-captioning-base", NULL, &err));
 *     s = published_write("blip.safetensors", &p, LIMN_TENSOR_F16, &err);
 *     published_close(&p);
 *
 * Every tensor that the network needs must be there with its shape, and every other tensor must be
 * known to be irrelevant; tensors are made while they are written, one at a time. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_PUBLISHED_H
#define LIMN_MODELS_CONVERT_PUBLISHED_PUBLISHED_H

#include "common/base/buffer.h"
#include "models/model_file.h"
#include "models/convert/published/image_rules.h"
#include "models/convert/published/name_rules.h"
#include "models/convert/published/source_record.h"
#include "models/convert/published/weight_files.h"

typedef struct published published;

typedef struct published_kind {
    const char *name;          /* in messages and in the model file: "BLIP" */
    const char *prefix;        /* of all its tensors' names: "model." in files of its own program */
    const name_rule *rules[2]; /* ended by one without `ours`; the second may be NULL */
    /* Prefixes of names ('*': a layer's number) of irrelevant tensors, ended by NULL. */
    const char *const *leftovers;
    /* The output product and the token embedding, which may be one tensor; and one more pair, of
     * which either may be missing. Without prefix. */
    const char *output, *embedding;
    const char *same[2];
    double batch_norm_eps;     /* of an encoder with batch norm; 0 without */
    const char *resnet_prefix; /* of its tensors' names */
    const char *licence;       /* as the authors of the published weights give it */
} published_kind;

struct published {
    const published_kind *kind;
    const char *path; /* as it was given */
    weight_files weights;
    tensor_list tensors;
    source_record sources;
    limn_model_config config;
    limn_vocab *vocab;
    limn_tensor_spec *specs; /* [n_specs] of our model */
    size_t n_specs;
    bool is_tied_by_config; /* the output may be missing */
    uint32_t image_size;    /* pixels of a side, by the configuration */
    uint32_t n_tokens;      /* by the configuration, or the rows of the embedding */
    limn_specials ids;      /* start, end and padding */
    limn_buffer notes;      /* lines for the user */
};

/* Opens a folder as the hub has it, or, with `vocab` (the path of a vocabulary), a checkpoint of
 * BLIP's or VirTex's own program. Errors begin with the path, and name field, value and what was
 * expected. */
limn_status published_open(published *out, const char *path, const char *vocab, limn_error *err);
void published_close(published *p); /* accepts a zeroed struct */

/* Writes the model file. LIMN_E_FORMAT for a value that is not finite, LIMN_E_LIMIT for one that
 * F16 can't hold; then there is no file. */
limn_status published_write(const char *path, published *p, limn_tensor_dtype dtype,
                            limn_error *err);

/* ---- for the kinds ------------------------------------------------------------------------ */

/* Notes a file of the folder as a source. */
limn_status published_add_source(published *p, const char *folder, const char *name,
                                 limn_error *err);

/* A `model_type` of config.json, and the functions that read such a folder. */
typedef struct published_type {
    const char *model_type;
    const char *const *architectures; /* that write captions, ended by NULL */
    const image_class *images;
    /* Sets what config.json defines of `p`: kind, configuration except input and memory,
     * image_size, n_tokens, ids. */
    limn_status (*read_config)(published *p, const limn_json_node *config, limn_error *err);
    /* The vocabulary; `tokenizer` is tokenizer_config.json, without members when absent. */
    limn_status (*read_vocabulary)(published *p, const limn_json_node *tokenizer, limn_error *err);
} published_type;

extern const published_type published_blip, published_git, published_vit_gpt2;

/* Checkpoints of the authors' own programs, whose tensors are already in `p`: configured from the
 * tensors' shapes. */
limn_status published_blip_pth(published *p, const char *vocab, limn_error *err);
limn_status published_virtex_pth(published *p, const char *vocab, limn_error *err);

#endif
