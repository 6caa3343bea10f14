/* The options of `limn`: what the command line sets, and what contradicts itself in it. */
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

typedef struct caption_settings {
    const char *cpu, *output, *errors, *report, *prefix, *suffix, *explain, *attention, *separator;
    const char *shard;             /* I/N */
    const char *sidecar, *out_dir; /* sidecar: the extension, "" for the format's; NULL: none */
    const char *sidecar_extension; /* once completed */
    limn_option_list models;       /* none: the default one; several: an ensemble */
    limn_option_list tar;          /* endings of members that tars get */
    limn_options options;
    limn_option_list ban_files;
    float min_confidence; /* NAN: all captions are written */
    uint32_t n_threads;
    unsigned sandbox;  /* a limn_sandbox_use */
    unsigned format;   /* a limn_format; LIMN_FORMAT_BY_NAME until completed */
    unsigned existing; /* limn_existing; LIMN_EXISTING_UNSET until completed */
    limn_option_list includes, excludes;
    limn_inputs inputs; /* once completed, but for names */
    bool is_recursive, is_nul_separated, is_sidecar_full, is_dry_run, is_forced, is_strict;
    bool has_confidence, has_signals;
    bool is_quiet, is_verbose;
} caption_settings;

/* Reads into a caption_settings. */
extern const limn_cli_tool caption_cli_tool;

caption_settings caption_settings_default(void);

/* After parsing: what was given becomes options, but for banned words. False when options
 * contradict each other, by the names that the user knows them by; it was said on standard error.
 */
bool caption_settings_complete(caption_settings *settings);
/* Frees what the settings own, lists too. */
void caption_settings_finish(caption_settings *settings);

#endif
