/* Internals of the pipeline: its slots, and what readers and workers share. Only the sources of
 * this folder include this. */
#ifndef LIMN_TOOLS_ANNOTATE_PIPELINE_PIPELINE_PARTS_H
#define LIMN_TOOLS_ANNOTATE_PIPELINE_PIPELINE_PARTS_H

#include <pthread.h>

#include "tools/annotate/pipeline.h"

typedef enum slot_step {
    SLOT_FREE = 0,
    SLOT_READING, /* held by a reader */
    SLOT_READ,
    SLOT_LOADING, /* a worker has it */
    SLOT_LOADED,
    SLOT_RUNNING, /* a worker has it */
    SLOT_DONE,    /* held by the caller's thread */
} slot_step;

/* One image in progress. `step` is guarded by the mutex; the rest belongs to whoever holds the
 * slot. */
typedef struct slot {
    limn_pipeline_image image; /* as run_many sees it; the first member */
    slot_step step;
    char *path; /* input.path, owned */
    size_t path_capacity;
    limn_dirwalk_entry input;
    bool is_left_out, is_skipped;
    unsigned char *bytes; /* [size] of the file; NULL before reading and after loading */
    size_t size;
    uint8_t *pixels; /* [input_size], while it is loaded; NULL before and after */
    limn_pipeline_output out;
    limn_error error;
} slot;

typedef struct pipeline {
    const limn_pipeline_stages *stages;
    void *ctx;
    const limn_pipeline_settings *settings;
    limn_dirwalk *walk;
    int wake[2]; /* a pipe: readable once waiting for a list must stop; -1: no list */

    pthread_mutex_t reading; /* held to take the next name; taken before `mutex` */
    pthread_mutex_t mutex;   /* guards all that follows, and the steps of the slots */
    pthread_cond_t changed;
    slot *slots; /* [n_slots]; image i is in slot i % n_slots */
    size_t n_slots;
    size_t first, next;  /* images first … next-1 are in progress or wait to be put */
    size_t n_unfinished; /* slots READING … RUNNING */
    size_t n_loaded;     /* slots LOADING or LOADED */
    size_t n_idle;       /* workers that wait */
    uint8_t **pixels;    /* [n_pixels] buffers not in use by a slot */
    size_t n_pixels;
    size_t n_read_bytes;
    size_t n_readers; /* still running */
    bool is_stopped;  /* take no more names */
    bool is_interrupted, is_out_of_memory;
    atomic_bool is_stopping; /* for those waiting for a file's bytes */

    bool is_asked_to_stop; /* by a hook; the caller's thread alone */
} pipeline;

/* The slot of an image that is in progress or waits to be put. */
slot *pipeline_slot_at(pipeline *p, size_t image);
/* Limit on images read ahead or in progress. */
size_t pipeline_max_unfinished(const pipeline *p);
/* Call with the mutex held. */
void pipeline_set_step(pipeline *p, slot *s, slot_step step);

/* A reader thread, of the pipeline that is its argument. */
void *pipeline_reader_main(void *arg);

#endif
