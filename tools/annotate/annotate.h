/* annotate: captions many images into files, losing nothing. The library's header; `limn` is one
 * front end to it, a server or a binding could be another. (pipeline.h and image_load.h, in the
 * same folder, are for other work on many images: features, scores.)
 *
 *     limn_annotate_settings s = limn_annotate_settings_default();
 *     limn_decoders *decoders = NULL;
 *     limn_account account;
 *     limn_decoders_start(&decoders, LIMN_SANDBOX_AUTO, 4, 0, NULL, &err);  // before any thread
 *     limn_model_open(&model, "model.safetensors", NULL, &err);
 *     s.model = model;
 *     s.decoders = decoders;
 *     s.n_threads = 4;
 *     s.inputs.names = names;
 *     s.inputs.n_names = n;
 *     s.output = "captions.jsonl";
 *     limn_annotate(&account, &s, &err);
 *     limn_decoders_stop(&decoders);
 *     limn_model_close(&model);
 *
 * What it does: walks files, folders, archives and lists; decodes each image once, in a process of
 * its own where the system allows that; captions it; and writes the results in input order to one
 * file, to a file beside each image, or to copies of archives. A run that was interrupted, killed
 * or stopped by a full disk resumes when the same settings are given again. Files get their final
 * names when they are complete, and nothing is overwritten unasked.
 *
 * It prints nothing, doesn't read the environment, installs no signal handlers and has no global
 * state: messages, and whether to stop, go through hooks. All pointers of the settings are
 * borrowed during the call. Several runs may go on at once in different threads, over different
 * outputs. Error texts name settings by limn's options. */
#ifndef LIMN_TOOLS_ANNOTATE_ANNOTATE_H
#define LIMN_TOOLS_ANNOTATE_ANNOTATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/captioner.h"

/* ---- messages and questions to the caller ---------------------------------------------------- */

typedef enum limn_annotate_severity {
    LIMN_ANNOTATE_ERROR,   /* an image that failed, a file that could not be made */
    LIMN_ANNOTATE_WARNING, /* something was ignored or left as it was */
    LIMN_ANNOTATE_NOTE,    /* details */
} limn_annotate_severity;

typedef struct limn_annotate_progress {
    size_t n_done; /* captioned, failed, or found not to be an image */
    size_t n_failed;
    size_t n_total; /* 0: not known yet, or never */
} limn_annotate_progress;

/* Every function may be NULL. They are called by the thread that called limn_annotate. */
typedef struct limn_annotate_hooks {
    void *ctx;
    /* Asked before each image and at least ten times a second: false ends the run with
     * LIMN_E_INTERRUPTED, after the images in progress. */
    bool (*keep_going)(void *ctx);
    /* After each image. Without it, inputs are not counted ahead. */
    void (*progress)(void *ctx, const limn_annotate_progress *progress);
    /* One line, "PATH: reason"; names are raw bytes, control characters included. */
    void (*message)(void *ctx, limn_annotate_severity severity, const char *text);
    /* True before a record is written and false after: exiting between the two would leave an
     * incomplete line. */
    void (*writing)(void *ctx, bool is_writing);
} limn_annotate_hooks;

/* ---- inputs -------------------------------------------------------------------------------- */

/* Files, folders, archives, and "-" for a list of them, or an image itself, that is read from
 * list_fd. Fill it with limn_inputs_default(). */
typedef struct limn_inputs {
    char *const *names; /* [n_names] */
    size_t n_names;
    int list_fd; /* default 0, standard input; -1: "-" is a name like others */
    bool is_recursive;
    bool is_nul_separated; /* the list; else one name a line */
    /* Patterns of fnmatch(3). One without a slash is for the last component of a path, one with a
     * slash for all of it below the folder that was named; * matches slashes too. */
    const char *const *includes; /* [n_includes]; none: everything */
    const char *const *excludes; /* [n_excludes]; also of folders, which are then not entered */
    size_t n_includes, n_excludes;
    uint32_t shard, n_shards; /* part of the whole, by a hash of paths; n_shards 0: all */
} limn_inputs;

limn_inputs limn_inputs_default(void);

/* "I/N" with 0 <= I < N <= 65536. False when `text` is something else. */
bool limn_inputs_parse_shard(limn_inputs *inputs, const char *text);

/* Inputs that were not captioned. */
typedef struct limn_left_out {
    size_t n_other; /* files in folders that are not images */
    size_t n_hidden;
    size_t n_special;             /* sockets, pipes, devices */
    size_t n_folders, n_archives; /* below a folder, without is_recursive */
    size_t n_loops;               /* folders that are their own ancestors */
    size_t n_refused;             /* by includes, excludes and the shard */
    size_t n_lost; /* folders, archives and lists that could not be read to their end */
} limn_left_out;

/* ---- decoding in processes of their own ---------------------------------------------------- */

typedef enum limn_sandbox_use {
    LIMN_SANDBOX_AUTO = 0, /* if the system supports it */
    LIMN_SANDBOX_ON,       /* fail without it */
    LIMN_SANDBOX_OFF,
} limn_sandbox_use;

extern const char *const limn_sandbox_uses[]; /* their names, NULL after the last */

/* Sandboxed processes that decode images. Linux with seccomp. */
typedef struct limn_sandbox limn_decoders;

/* Starts n_decoders of them, ideally one per thread of a run; fewer, with a warning, if file
 * descriptors or address space run out. Each process decodes one image. With LIMN_SANDBOX_AUTO,
 * *out is NULL if there can be none, and a warning says why. Call it while no other thread decodes
 * images, best while there is none. They belong to the process that started them: a child of fork()
 * may not use them. `max_pixels` as in limn_options, 0 = its default; `hooks` (may be NULL) for
 * this call. LIMN_E_UNSUPPORTED, LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_decoders_start(limn_decoders **out, limn_sandbox_use use, size_t n_decoders,
                                uint64_t max_pixels, const limn_annotate_hooks *hooks,
                                limn_error *err);
/* The same, as with LIMN_SANDBOX_ON, for a process that is already large, such as an
 * interpreter: `program` is the path of this build's limn-sandbox, which starts the processes.
 * Without it they would be forked from this process, and each image would take milliseconds more
 * for every hundred megabytes that it has. A note in *err: there are fewer. LIMN_E_IO also if the
 * program is missing or of another build, LIMN_E_UNSUPPORTED if it may not be run. */
limn_status limn_decoders_start_program(limn_decoders **out, const char *program, size_t n_decoders,
                                        uint64_t max_pixels, limn_error *err);
/* Accepts NULL and *decoders == NULL; nulls it. */
void limn_decoders_stop(limn_decoders **decoders);

/* As limn_state_load for states of this model, in one of the processes, also for the formats of the
 * decoder modules, and with colour profiles converted to sRGB (doc/formats.md); any thread.
 * `max_pixels` as in limn_options, 0 = its default. *is_stopping (may be NULL): when it becomes
 * true, the current image has two more seconds. The errors of limn_state_load; LIMN_E_CRASHED: the
 * process died of the image; LIMN_E_LIMIT: it took too much memory or time; LIMN_E_INTERRUPTED:
 * stopped; LIMN_E_IO: the processes are gone. */
limn_status limn_decoders_load(limn_decoders *decoders, const limn_model *model,
                               uint64_t max_pixels, const void *bytes, size_t size, uint8_t *input,
                               const atomic_bool *is_stopping, limn_error *err);

/* ---- results ------------------------------------------------------------------------------- */

typedef enum limn_format {
    LIMN_FORMAT_TEXT = 0, /* PATH, a tab, CAPTION; in a sidecar the captions alone */
    LIMN_FORMAT_JSONL,
    LIMN_FORMAT_CSV,
    LIMN_FORMAT_TSV,
    LIMN_FORMAT_COCO,     /* COCO's results, a JSON array */
    LIMN_FORMAT_METADATA, /* metadata.jsonl of Hugging Face's imagefolder */
    LIMN_FORMAT_CAPTION,  /* CAPTION alone */
    LIMN_N_FORMATS,
} limn_format;

extern const char *const limn_format_names[]; /* in that order; NULL after the last */

/* The format implied by the name of an output file; false if none. */
bool limn_format_of_path(limn_format *out, const char *path);
/* Whether results for `path` (NULL: standard output) go into a folder: an existing one, or a name
 * that ends in a slash. */
bool limn_output_is_folder(const char *path);

/* What to do with a sidecar that exists before the run. */
typedef enum limn_existing {
    LIMN_EXISTING_SKIP, /* keep it, and don't caption its image */
    LIMN_EXISTING_OVERWRITE,
    LIMN_EXISTING_APPEND,  /* add the caption after the existing text */
    LIMN_EXISTING_PREPEND, /* before */
    LIMN_EXISTING_ERROR,   /* refuse the run */
} limn_existing;

extern const char *const limn_existing_names[]; /* in that order; NULL after the last */

/* Where captions in XMP go. */
typedef enum limn_xmp_place {
    LIMN_XMP_NOWHERE = 0, /* captions are not written as XMP */
    LIMN_XMP_SIDECARS,    /* a file for each image */
    LIMN_XMP_IMAGES,      /* into the image itself: JPEG, PNG, WebP and TIFF */
} limn_xmp_place;

/* A small image of the whole, upright, in its own shape. */
typedef struct limn_thumbnail {
    uint32_t width, height;
    uint8_t pixels[]; /* [height, width, 3] RGB */
} limn_thumbnail;

/* An image that was captioned, as the hook below gets it. */
typedef struct limn_annotated {
    const char *path;                /* as it was found */
    const char *relative;            /* the end of `path`: below the folder that was named */
    const char *name;                /* in the output */
    bool is_named;                   /* by the caller or a list, not found in a folder */
    const limn_captions *found;      /* all that the search returned */
    const limn_captions *written;    /* those that are written, with prefix and suffix; no items if
                                      * all were below min_confidence */
    const limn_thumbnail *thumbnail; /* NULL unless asked for */
} limn_annotated;

/* The library for XMP, "exempi 2.6.3"; NULL when limn was built without it. */
const char *limn_xmp_library(void);

/* ---- a run --------------------------------------------------------------------------------- */

typedef struct limn_annotate_settings {
    limn_inputs inputs;

    const limn_model *model;
    const limn_options *options;    /* NULL: the defaults */
    const char *const *model_paths; /* [n_model_paths] the model's files: a run is not resumed with
                                     * others */
    size_t n_model_paths;
    const char *identity;    /* lines "NAME VALUE\n" with whatever else captions depend on, which
                              * must not change when the run is resumed; NULL: nothing */
    uint32_t n_threads;      /* images at once, 1 … 256; a single one is split among them */
    limn_decoders *decoders; /* NULL: images are decoded in this process */

    /* what is written of an image */
    uint32_t n_best; /* number of captions at most; 0: all found */
    const char *prefix,
        *suffix;          /* around each caption: UTF-8 without control characters, or NULL */
    float min_confidence; /* captions below it are left out; NAN (default): none is */
    bool has_confidence, has_signals; /* written too, where the format has a place for them */
    uint32_t n_alternatives; /* written for each token in JSONL; at most those of the options */

    /* where it goes */
    const char *output; /* a file, or a folder for archives; NULL or "-": output_fd */
    int output_fd;      /* default 1, standard output */
    limn_format format;
    const char *const *tar_endings; /* [n_tar_endings]: copies of the tars go to the folder
                                     * `output`, with a member NAME.EXT for each image */
    size_t n_tar_endings;
    const char *sidecar_extension; /* not NULL: a file beside each image, with this ending: "txt";
                                    * formats JSONL and text */
    const char
        *out_dir; /* not NULL: sidecars go below this folder, as the images are below theirs */
    bool is_sidecar_full; /* a.jpg.txt, not a.txt */
    limn_xmp_place xmp;   /* the best caption becomes the description in XMP, merged with what is
                           * there. `existing` then applies to descriptions that a person wrote;
                           * those of an earlier run are kept. LIMN_XMP_SIDECARS: sidecar_extension
                           * is that of the sidecars. LIMN_E_UNSUPPORTED: built without libexempi */
    const char *applied;  /* for XMP: a file of captions (common/io/captions.h), e.g. corrected
                           * ones, that are written instead of the model's; model is then NULL.
                           * They replace what limn wrote before, and then count as a person's */
    bool is_renewed;      /* for XMP: descriptions of earlier runs are replaced */
    bool has_backup;      /* for LIMN_XMP_IMAGES: the original image is kept as NAME_original */
    bool has_alt_text;    /* for XMP: the caption is also the alternative text */
    limn_existing existing;
    const char *separator; /* between what is there and an added caption; NULL: a line each */
    const char *errors;    /* a list of what failed: NAME, cause and detail, tabs between; replaces
                            * that of an earlier run */

    bool is_csv_safe; /* of CSV: ' before cells that a spreadsheet would take for formulas */

    bool is_dry_run; /* nothing is changed; what would be captioned goes to the hook `to_do` */
    bool is_forced;  /* resume even with another model or identity */
    bool is_strict;  /* the first failure ends the run */

    limn_annotate_hooks hooks;
    uint32_t thumbnail_side; /* pixels of the longer side at most; 0: no thumbnails */
    /* Called for each captioned image, from any thread; may be NULL. A failure status counts as the
     * image's failure. `ctx` is that of the hooks, here and below. */
    limn_status (*captioned)(void *ctx, const limn_annotated *image, limn_error *err);
    /* Called for each image that failed, in input order; may be NULL. An image whose sidecar or XMP
     * could not be written is reported later, after its `captioned`. A failure status ends the
     * run. */
    limn_status (*failed)(void *ctx, const char *name, const limn_error *failure, limn_error *err);
    /* Called by a dry run for each image that would be captioned, in input order, from one thread;
     * may be NULL. */
    void (*to_do)(void *ctx, const char *path);
} limn_annotate_settings;

limn_annotate_settings limn_annotate_settings_default(void);

/* LIMN_E_ARG: settings contradict each other. The model need not be set yet. limn_annotate calls
 * this too. */
limn_status limn_annotate_check(const limn_annotate_settings *settings, limn_error *err);

#define LIMN_N_STATUSES (LIMN_E_CRASHED + 1)

/* Numbers of images by outcome. */
typedef struct limn_account {
    size_t counts[LIMN_N_STATUSES]; /* in this run by limn_status: done, and failed by cause */
    size_t counts_before[LIMN_N_STATUSES]; /* in the interrupted run that this one resumed */
    size_t n_left_out;                     /* of those done in both, without a caption */
    size_t n_there;                        /* skipped: have results already */
    size_t n_siblings; /* of those: leave the caption to another file of the same photo */
    size_t n_to_do;    /* found by a dry run */
    limn_left_out left_out;
    bool is_resumed;
    bool can_go_on;      /* stopped early, and the same settings resume it */
    bool is_incomplete;  /* an output could not be written, as a message reported */
    bool is_pipe_closed; /* the reader of output_fd has closed it */
} limn_account;

/* Runs to the end of the inputs. An image that fails is counted and reported, but does not fail the
 * run. LIMN_E_ARG: settings contradict each other, or the outputs are in use by another run:
 * nothing was changed. LIMN_E_INTERRUPTED: a hook said so. LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_FORMAT
 * end it early; account->can_go_on says whether the same settings resume the run. *account is valid
 * in every case. */
limn_status limn_annotate(limn_account *account, const limn_annotate_settings *settings,
                          limn_error *err);

/* ---- taking captions back ------------------------------------------------------------------ */

/* Numbers of files by what became of them. */
typedef struct limn_undo_account {
    size_t n_restored; /* changed by nobody else: the bytes they had before limn */
    size_t n_removed;  /* sidecars that limn had made */
    size_t n_stripped; /* changed by others since, or between two runs of limn: only what limn
                        * wrote was removed */
    size_t n_failed;   /* as messages said */
} limn_undo_account;

/* Takes back what runs with `xmp` wrote into the images and sidecars (*.xmp) among the inputs, in
 * subfolders too. Of `settings`, it uses inputs, is_dry_run (then `to_do` gets the files that would
 * change) and hooks; `use` as in limn_decoders_start. May be interrupted, killed and called again.
 * LIMN_E_INTERRUPTED (hooks), LIMN_E_UNSUPPORTED (built without libexempi), LIMN_E_IO,
 * LIMN_E_NOMEM. */
limn_status limn_annotate_undo_xmp(limn_undo_account *account,
                                   const limn_annotate_settings *settings, limn_sandbox_use use,
                                   limn_error *err);

#endif
