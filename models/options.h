/* Checks and defaults of options, for the sources of models/ and the command line. Not
 * installed. */
#ifndef LIMN_MODELS_OPTIONS_H
#define LIMN_MODELS_OPTIONS_H

#include "models/captioner.h"

/* The size of limn_options in its first version, the minimum for a caller's struct. */
#define LIMN_OPTIONS_MIN_SIZE (offsetof(limn_options, progress_ctx) + sizeof(void *))

/* Converts a caller's struct to this library's version: NULL stands for the defaults, fields that
 * an older caller's struct lacks get their defaults, and options not set by name get the default
 * that other options imply. *out borrows texts and lists. LIMN_E_ARG for a struct that
 * limn_options_default did not make, or one with options that are newer than the library. */
limn_status limn_options_take(limn_options *out, const limn_options *given, limn_error *err);

/* Sets what is not set by name and has a default that depends on other options. */
void limn_options_complete(limn_options *options);

/* Whether the option of that name was set by limn_options_set. */
bool limn_options_names(const limn_options *options, const char *name);

/* Whether options are within their bounds and don't contradict each other. LIMN_E_ARG names the
 * option, its value and its bounds; `dash` is what names have before them: "--" or "". */
limn_status limn_options_check(const limn_options *options, const char *dash, limn_error *err);
/* Whether `model` supports what they ask for; errors likewise. */
limn_status limn_options_check_for(const limn_options *options, const limn_model *model,
                                   limn_error *err);

#endif
