/* Captions that are not written since they are too likely wrong (--min-confidence), and which
 * pictures in work have none for that. */
#ifndef LIMN_TOOLS_LIMN_LEFT_OUT_H
#define LIMN_TOOLS_LIMN_LEFT_OUT_H

#include <pthread.h>
#include <stdbool.h>

#include "models/captioner.h"

/* The captions that are sure enough, of one worker's picture. Zero-initialise. */
typedef struct sure_captions {
    limn_captions captions;
    limn_caption *items; /* [capacity] */
    size_t capacity;
} sure_captions;

/* Replaces *captions, when any is less sure than `min`, by what is left, in the memory of `s`: it
 * has no items when none is. LIMN_E_NOMEM. */
limn_status sure_captions_choose(sure_captions *s, const limn_captions **captions, float min,
                                 limn_error *err);
void sure_captions_finish(sure_captions *s);

/* Paths of pictures between the worker that left them without a caption and the thread that puts
 * their results: as many as there are in work. */
typedef struct left_out_list {
    pthread_mutex_t mutex;
    char **paths; /* [n_paths] */
    size_t n_paths, capacity;
} left_out_list;

void left_out_init(left_out_list *l);
void left_out_finish(left_out_list *l);
limn_status left_out_add(left_out_list *l, const char *path, limn_error *err); /* LIMN_E_NOMEM */
/* Whether the path was added; it is then taken off. */
bool left_out_take(left_out_list *l, const char *path);

#endif
