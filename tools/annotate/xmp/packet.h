/* XMP packets, read, changed and written by libexempi: the one door to that library. A packet is
 * the XML text of a sidecar, or of a part of an image file.
 *
 * limn writes dc:description (x-default), and on request Iptc4xmpCore:AltTextAccessibility and
 * dc:subject. What it wrote, and what it displaced, it notes in its own namespace, so that its
 * texts can be told from a person's, replaced and taken back:
 *
 *     limn:Description           the description as limn wrote it: if it differs from
 *                                dc:description, a person has changed that since
 *     limn:Displaced             the description before; missing if there was none
 *     limn:Place                 "after" or "before": the caption was added to limn:Displaced
 *     limn:AltText, limn:DisplacedAltText
 *     limn:Tags                  those that limn added to dc:subject
 *     limn:Confidence            of the caption, 0 … 1
 *     limn:Model                 SHA-256 of the model's file; missing if a person gave the caption
 *
 * Everything else in a packet is kept, though not its formatting and comments. */
#ifndef LIMN_TOOLS_ANNOTATE_XMP_PACKET_H
#define LIMN_TOOLS_ANNOTATE_XMP_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "tools/annotate/annotate.h"

#define LIMN_XMP_NAMESPACE "urn:limn:xmp:1#"

typedef enum limn_xmp_author {
    LIMN_XMP_NOBODY = 0, /* there is no description, or a blank one */
    LIMN_XMP_PERSON,
    LIMN_XMP_MACHINE,   /* limn, and nobody changed it since */
    LIMN_XMP_CORRECTED, /* limn, from a file of captions (limn:Model is missing) */
} limn_xmp_author;

typedef enum limn_xmp_task {
    LIMN_XMP_LOOK,  /* only whose the description is */
    LIMN_XMP_WRITE, /* put a caption into it */
    LIMN_XMP_STRIP, /* take back what limn wrote, but no caption that a person gave */
} limn_xmp_task;

typedef struct limn_xmp_request {
    limn_xmp_task task;
    bool is_embedded; /* with the markers of a packet in an image file, and room to grow */
    /* the rest is for LIMN_XMP_WRITE; texts are UTF-8 */
    limn_existing existing; /* append, prepend: the caption is added to a person's description;
                             * overwrite: it takes its place; else as the caption before did */
    const char *separator;  /* between the two; NULL: a line end */
    const char *caption;
    const char *alt_text, *confidence, *model; /* NULL: none */
    const char **tags;                         /* [n_tags] */
    size_t n_tags;
} limn_xmp_request;

typedef struct limn_xmp_answer {
    limn_xmp_author author; /* of the description that was there */
    bool is_changed;        /* `packet` is another one than that given, and replaces it */
    limn_buffer packet;     /* empty when nothing is left in it */
} limn_xmp_answer;

/* Opens the library's module (packet_module.h) unless it is open. LIMN_E_UNSUPPORTED: built without
 * exempi, or the module is not there. */
limn_status limn_xmp_packet_prepare(limn_error *err);
/* Does the task with a packet [size]; size 0: there is none yet. `answer` is zeroed. One call at a
 * time in a process; in a sandbox, once it has run there before. The library prints to standard
 * error when a packet is not XML. LIMN_E_FORMAT: it is no XMP; LIMN_E_UNSUPPORTED:
 * built without exempi; LIMN_E_NOMEM. */
limn_status limn_xmp_packet_run(limn_xmp_answer *answer, const limn_xmp_request *request,
                                const char *packet, size_t size, limn_error *err);

/* Whether a caption may be written: over a person's description (an altered or corrected one too)
 * as `existing` says, over a machine's when `is_renewed` or LIMN_EXISTING_OVERWRITE. A caption that
 * a person gave (`is_corrected`) replaces any of limn's. */
bool limn_xmp_is_wanted(limn_xmp_author author, limn_existing existing, bool is_renewed,
                        bool is_corrected);

#endif
