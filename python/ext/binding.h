/* What the sources of the extension _limn share: the limited API of Python 3.11, the module's
 * state, errors, and conversion of values.
 *
 * Rules. No object of this module can be called by two threads at once: each has a flag, and a call
 * that finds it set raises. The GIL is released around everything that takes longer than a
 * conversion. */
#ifndef LIMN_PYTHON_EXT_BINDING_H
#define LIMN_PYTHON_EXT_BINDING_H

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "models/captioner.h"
#include "tools/annotate/annotate.h"

/* ---- module ---------------------------------------------------------------------------------- */

typedef struct binding_state {
    PyObject *make_error; /* limn._errors.make(kind, detail): an exception */
    PyTypeObject *model_type, *decoders_type;
} binding_state;

/* The state of the module that self's type belongs to. */
binding_state *binding_state_of(PyObject *self);

extern PyType_Spec binding_model_spec, binding_decoders_spec, binding_state_spec,
    binding_scorer_spec, binding_metrics_spec;

/* ---- errors ---------------------------------------------------------------------------------- */

/* The exception that limn._errors makes of err, not raised; NULL with another exception set on
 * error. */
PyObject *binding_error(const binding_state *state, const limn_error *err);
/* Raises it; returns NULL. */
PyObject *binding_raise(const binding_state *state, const limn_error *err);
/* The same for a call that should not have been made. */
PyObject *binding_refuse(const binding_state *state, const char *detail);

/* ---- one call at a time ---------------------------------------------------------------------- */

/* Returns false with an exception set when another thread is in a call of the same object. */
bool binding_enter(atomic_flag *is_busy, const binding_state *state);
void binding_leave(atomic_flag *is_busy);

/* ---- values ---------------------------------------------------------------------------------- */

/* Returns false with an exception set if there are keywords. */
bool binding_no_keywords(PyObject *keywords);
/* None or bytes without NUL, borrowed; returns false with an exception set for anything else. */
bool binding_name(const char **out, PyObject *value);
/* A str as UTF-8 without NUL, borrowed from it; NULL with an exception set for anything else. */
const char *binding_text(PyObject *value);
/* A str from UTF-8; invalid bytes become U+FFFD. */
PyObject *binding_str(const char *text);

/* Sets options from a sequence of pairs (name, value), where value is a str or None. Returns false
 * with an exception set on error. */
bool binding_set_options(limn_options *options, PyObject *pairs, const binding_state *state);

/* Returns a pair: ((text, logprob, score, confidence or None, ((token, logprob), …), n_drawn), …)
 * and ((name, set, probability), …). */
PyObject *binding_captions(const limn_captions *captions, const limn_model *model);

/* Their JSON line, as bytes; `name` may be NULL. NULL with an exception set on error. */
PyObject *binding_json(const limn_captions *captions, const limn_model *model,
                       const limn_options *options, const char *name, const binding_state *state);

/* ---- many images ----------------------------------------------------------------------------- */

/* The thread that is in a callback of binding_caption_many. Guarded by the GIL. */
typedef struct binding_feeder {
    pthread_t thread;
    bool is_inside;
} binding_feeder;

bool binding_is_feeder(const binding_feeder *feeder);

/* What binding_caption_many works with: a state, its model and options, `next` and `done`, which
 * are called, and a flag that ends the call at the next step once it is true. All borrowed. */
typedef struct binding_many {
    limn_state *model_state;
    const limn_model *model;
    const limn_options *options;
    size_t input_bytes;
    PyObject *next, *done;
    binding_feeder *feeder;
    atomic_bool *is_stopping;
} binding_many;

/* State.caption_many, entered by its caller; see _limn.pyi. Holds the GIL only while it calls. */
PyObject *binding_caption_many(const binding_many *many, const binding_state *state);

/* ---- objects that other types use ------------------------------------------------------------ */

/* The model in a Model; NULL with an exception set for other objects. */
const limn_model *binding_model_of(PyObject *object, const binding_state *state);

/* The decoding processes in a Decoders; NULL with an exception set when the object is something
 * else or belongs to another process. *stopping is for limn_decoders_load. */
limn_decoders *binding_decoders_of(PyObject *object, const binding_state *state,
                                   const atomic_bool **stopping);

#endif
