/* The options of `limn`: what the command line sets, and what is contradictory. */
#ifndef LIMN_TOOLS_LIMN_CAPTION_SETTINGS_H
#define LIMN_TOOLS_LIMN_CAPTION_SETTINGS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/captioner.h"
#include "tools/cli.h"
#include "tools/annotate/annotate.h"

#define LIMN_EXISTING_UNSET UINT_MAX
#define LIMN_FORMAT_BY_NAME UINT_MAX /* the format that the output file's name asks for */

/* The name of a sidecar in XMP. */
typedef enum caption_xmp_name {
    CAPTION_XMP_FULL, /* photo.jpg.xmp */
    CAPTION_XMP_STEM, /* photo.xmp */
} caption_xmp_name;
#define CAPTION_XMP_NAME_UNSET UINT_MAX

/* The images. */
typedef struct caption_input {
    bool is_recursive, is_nul_separated;
    limn_option_list includes, excludes;
    const char *shard;  /* I/N */
    limn_inputs inputs; /* once completed, but for names */
} caption_input;

/* The models, and what is asked of captions. */
typedef struct caption_captioning {
    limn_option_list models; /* none: the default one; several: an ensemble */
    limn_options options;
    limn_option_list ban_files;
    float min_confidence; /* NAN: all captions are written */
    bool has_confidence, has_signals;
} caption_captioning;

/* Where captions go, and how they look there. */
typedef struct caption_output {
    const char *output;
    unsigned format; /* a limn_format; LIMN_FORMAT_BY_NAME until completed */
    const char *prefix, *suffix, *separator;
    const char *sidecar, *out_dir; /* sidecar: the extension, "" for the format's; NULL: none */
    const char *sidecar_extension; /* once completed */
    bool is_sidecar_full, is_csv_safe;
    unsigned xmp_name; /* a caption_xmp_name; UINT_MAX: unset */
    bool has_alt_text, is_renewed, has_backup;
    bool is_inside;       /* --write-xmp */
    bool is_undone;       /* --undo-xmp */
    const char *applied;  /* --apply-xmp */
    limn_xmp_place xmp;   /* once completed */
    unsigned existing;    /* limn_existing; LIMN_EXISTING_UNSET until completed */
    limn_option_list tar; /* endings of members that tars get */
    const char *errors, *report, *explain, *attention;
} caption_output;

/* How the work is done. */
typedef struct caption_run {
    const char *cpu;
    uint32_t n_threads;
    unsigned sandbox; /* a limn_sandbox_use */
    bool is_dry_run, is_forced, is_strict;
    bool is_quiet, is_verbose;
} caption_run;

typedef struct caption_settings {
    caption_input in;
    caption_captioning captioning;
    caption_output out;
    caption_run run;
} caption_settings;

/* Reads into a caption_settings. */
extern const limn_cli_tool caption_cli_tool;

caption_settings caption_settings_default(void);

/* After parsing and output_settings_complete: what was given becomes options, but for banned words.
 * False, with a message that uses the command line's names, when options contradict each other.
 */
bool caption_settings_complete(caption_settings *settings);
/* Frees what the settings own, lists too. */
void caption_settings_finish(caption_settings *settings);

#endif
