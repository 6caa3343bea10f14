#include "models/model_version.h"

#include <string.h>

#include "common/weights/weights.h"
#include "models/encoder_config.h"

/* What a file requires of its reader: 2 where there are tag slots, which a reader of version 1
 * would ignore; 3 for layouts other than limn's, more than 512 positions, vocabularies of other
 * kinds, and input that is cropped, not square, or normalised per channel. */
static const char *const versions[] = { "1", "2", "3" };
enum { PLAIN = 0, SLOTS, LAYOUTS, N_VERSIONS };

/* N_VERSIONS for one that is not known. */
static size_t number_of(const char *version)
{
    size_t i = 0;
    while (i < N_VERSIONS && strcmp(version, versions[i]) != 0) i++;
    return i;
}

limn_status limn_model_version_check(const limn_safetensors *tensors, limn_error *err)
{
    const char *version = limn_safetensors_metadata(tensors, LIMN_VERSION_KEY);
    if (!version)
        return limn_fail(err, LIMN_E_FORMAT,
                         "is a safetensors file, but not a limn model (no " LIMN_VERSION_KEY
                         " in its __metadata__); limn-convert makes one of published weights");
    const char *rule = limn_safetensors_metadata(tensors, LIMN_INT8_KEY);
    if (rule && strcmp(rule, LIMN_INT8_RULE_NAME) != 0)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         LIMN_INT8_KEY ": quantised by rule \"%.40s\", this program has "
                                       "rule " LIMN_INT8_RULE_NAME
                                       "; convert the f16 or f32 model again",
                         rule);
    if (number_of(version) == N_VERSIONS)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         LIMN_VERSION_KEY " is \"%.40s\", this program reads 1, 2 and 3", version);
    return LIMN_OK;
}

/* The lowest version that supports what a model uses. */
static size_t lowest(const limn_model_config *c, const limn_vocab *vocab)
{
    const limn_decoder_layout own = LIMN_LAYOUT_LIMN;
    const limn_decoder_config *d = &c->decoder;
    if (!limn_encoder_config_is_plain(&c->encoder)) return LAYOUTS;
    if (!c->has_decoder) return PLAIN;
    if (!limn_decoder_layouts_equal(&d->layout, &own) || d->max_positions > 512 ||
        !limn_vocab_is_own(vocab))
        return LAYOUTS;
    return d->n_tag_slots > 0 ? SLOTS : PLAIN;
}

const char *limn_model_version_of(const limn_model_config *c, const limn_vocab *vocab)
{
    return versions[lowest(c, vocab)];
}

/* A file must not claim too low a version: an older reader would ignore what it does not know. */
limn_status limn_model_version_check_uses(const limn_model_file *f, limn_error *err)
{
    const char *version = limn_safetensors_metadata(f->tensors, LIMN_VERSION_KEY);
    const limn_decoder_config *d = &f->config.decoder;
    const size_t needed = lowest(&f->config, f->vocab);
    if (number_of(version) >= needed) return LIMN_OK;
    if (needed == SLOTS)
        return limn_fail(err, LIMN_E_FORMAT,
                         LIMN_CONFIG_KEY ": decoder.tag_slots: is %u, which " LIMN_VERSION_KEY
                                         " \"%s\" does not have",
                         d->n_tag_slots, version);
    if (!limn_encoder_config_is_plain(&f->config.encoder))
        return limn_fail(
            err, LIMN_E_FORMAT,
            LIMN_CONFIG_KEY
            ": encoder: " LIMN_VERSION_KEY " \"%s\" has no vision transformers, and no input that "
            "is cropped, not square, \"linear\", decoded whole or normalised per channel",
            version);
    return limn_fail(
        err, LIMN_E_FORMAT,
        LIMN_CONFIG_KEY ": decoder: layout \"%s\", %u positions and tokenizer \"%s\" are "
                        "what " LIMN_VERSION_KEY " \"%s\" does not have",
        d->layout.name, d->max_positions, limn_vocab_tokenizer(f->vocab)->name, version);
}
