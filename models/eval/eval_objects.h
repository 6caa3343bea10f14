/* Hallucinated objects: those that captions name and their references do not.
 *
 * As CHAIR (Rohrbach et al. 2018), with what references name as the truth: an image shows the
 * classes of COCO (common/text/objects.h) that any of its references names. The metric's keys, all
 * shares from 0 to 1:
 *   False_person  captions that name a person, of the images whose references name none
 *   CHAIR_s       captions that name a class which no reference names
 *   CHAIR_i       mentions of a class which no reference names, of all mentions
 *   Miss_person   captions that name nobody, of the images where a reference names a person
 *   Miss_person3  the same, of the images where three references or more name the class "person"
 *   Miss_object   classes that the caption doesn't name, of those that the references name
 *   Obj_recall    classes that the caption names too: 1 - Miss_object
 *   Person_F1     harmonic mean of precision and recall of naming a person, over images
 *   Object_F1     likewise of naming a class, over images and classes; recall is Obj_recall
 * A share of nothing is 0. Where references name people without saying "person" ("a crowd", "a
 * hand"), a person in the caption is not false. The words are always those of the PTB tokenizer,
 * whatever --tokenizer says. */
#ifndef LIMN_MODELS_EVAL_EVAL_OBJECTS_H
#define LIMN_MODELS_EVAL_EVAL_OBJECTS_H

#include <jansson.h>

#include "common/text/objects.h"
#include "models/eval/eval.h"

/* One class, or people, over all images; the best caption of each counts. */
typedef struct limn_eval_object_count {
    size_t n_shown;  /* images whose references name it */
    size_t n_found;  /* of these, captions that name it */
    size_t n_absent; /* images whose references don't name it */
    size_t n_false;  /* of these, captions that name it */
} limn_eval_object_count;

typedef struct limn_eval_objects {
    limn_eval_object_count classes[LIMN_N_OBJECTS];
    limn_eval_object_count people; /* "person" and all other words for people */
    limn_object_set *made_up;      /* [n_images] classes that only the caption names */
} limn_eval_objects;

/* LIMN_E_NOMEM, LIMN_E_FORMAT (invalid UTF-8). */
limn_status limn_eval_objects_measure(limn_eval_objects *out, const limn_eval_data *data,
                                      limn_error *err);
void limn_eval_objects_finish(limn_eval_objects *objects); /* accepts a zeroed one */

/* A line for each class that captions name and references don't, the most frequent first. */
void limn_eval_objects_render_text(limn_buffer *out, const limn_eval_objects *objects);
/* {"people": {"shown", "found", "absent", "false", "false_rate", "recall"}, "classes": {NAME: the
 * same}} with the classes that anybody names. A new reference. */
json_t *limn_eval_objects_json(const limn_eval_objects *objects);
/* The names of an image's classes that only its caption names: an array. A new reference. */
json_t *limn_eval_objects_made_up_json(const limn_eval_objects *objects, size_t image);
/* A table of the same lines for the page of --report. */
void limn_eval_objects_render_html(limn_buffer *out, const limn_eval_objects *objects);

#endif
