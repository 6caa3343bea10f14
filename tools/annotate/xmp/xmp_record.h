/* What goes into XMP of a caption, as the record of a writer: fields with a NUL after each. */
#ifndef LIMN_TOOLS_ANNOTATE_XMP_XMP_RECORD_H
#define LIMN_TOOLS_ANNOTATE_XMP_XMP_RECORD_H

#include "tools/annotate/writers/writer.h"

/* The fields of a record; they point into it. */
typedef struct limn_xmp_record {
    const char *caption;
    const char *confidence; /* NULL: none */
    const char **tags;      /* [n_tags], owned */
    size_t n_tags;
} limn_xmp_record;

/* The best caption's text, its confidence if it has one, and the tags that were asked for. */
extern const limn_writer limn_writer_xmp;

/* Reads a record [size] of limn_writer_xmp. LIMN_E_NOMEM. */
limn_status limn_xmp_record_read(limn_xmp_record *out, const char *record, size_t size,
                                 limn_error *err);
void limn_xmp_record_finish(limn_xmp_record *r);

#endif
