/* What a decoder module exports. Each is a shared library around one image library, which the
 * program opens when the first image needs it, so that other runs neither load it nor depend on it.
 *
 *     const limn_decoder_module limn_decoder_module_here = { … };
 *
 * A module is linked with its own copy of the parts of common/ that it calls; memory passes between
 * it and the program through limn_alloc and limn_free, which are malloc and free in both. */
#ifndef LIMN_TOOLS_ANNOTATE_DECODERS_DECODER_MODULE_H
#define LIMN_TOOLS_ANNOTATE_DECODERS_DECODER_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/image/format.h"
#include "common/image/image.h"

/* What the numbers of the pixels mean; zeroed: sRGB, or nothing is known. */
typedef struct limn_color {
    uint8_t *icc; /* a profile [icc_size]; owned, limn_alloc; NULL: none */
    size_t icc_size;
    unsigned primaries; /* where there is no profile: ColourPrimaries of ITU-T H.273; 0: unknown */
} limn_color;

/* A decoded file. */
typedef struct limn_photo {
    limn_image image;     /* as stored in the file, transparency blended over white */
    unsigned orientation; /* 1 to 8 as EXIF defines them: how to turn it */
    limn_color color;
    /* Instead of the image: bytes [preview_size] of a file in a format of common/image, which the
     * orientation is for; owned, limn_alloc. */
    uint8_t *preview;
    size_t preview_size;
} limn_photo;

/* The note on a file whose brightness is coded for high dynamic range, but not tone-mapped by its
 * library. limn then shows the codes as they are, as most programs do: the image looks flat, but
 * not dark. */
#define LIMN_HDR_NOTE "it is HDR (PQ or HLG) and not tone-mapped, so it may look flat"

typedef struct limn_decoder_module {
    /* "libtiff 4.5.0" */
    void (*describe)(char *text, size_t size);
    /* Whatever needs system calls that the sandbox forbids, once after loading; may be NULL. */
    void (*prepare)(void);
    /* Fills the zeroed `out`, whose orientation is 1; on failure the caller frees what it holds.
     * Errors as limn_image_decode. NULL in the module that converts colours. */
    limn_status (*decode)(limn_photo *out, const limn_codec_input *in, limn_error *err);
    /* Converts the pixels to sRGB. A profile that is broken is ignored, with a note in *err. NULL
     * in the modules that decode. */
    limn_status (*convert)(limn_image *image, const limn_color *color, limn_error *err);
} limn_decoder_module;

#if defined(__GNUC__)
#define LIMN_MODULE_EXPORT __attribute__((visibility("default")))
#else
#define LIMN_MODULE_EXPORT
#endif
#define LIMN_MODULE_SYMBOL "limn_decoder_module_here"
extern LIMN_MODULE_EXPORT const limn_decoder_module limn_decoder_module_here;

#endif
