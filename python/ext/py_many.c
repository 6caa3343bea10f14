/* Many images captioned together, between two Python functions. */
#include "python/ext/binding.h"

/* A call in progress. */
typedef struct many_call {
    const binding_many *many;
    const binding_state *state;
    PyThreadState *thread;                                /* while the GIL is free */
    PyObject *error_type, *error_value, *error_traceback; /* what was raised; type NULL: nothing */
} many_call;

bool binding_is_feeder(const binding_feeder *feeder)
{
    return feeder->is_inside && pthread_equal(feeder->thread, pthread_self());
}

/* ---- the GIL --------------------------------------------------------------------------------- */

static void take_gil(many_call *c)
{
    PyEval_RestoreThread(c->thread);
    c->many->feeder->thread = pthread_self();
    c->many->feeder->is_inside = true;
}

/* Keeps an exception that is set for the end of the call, and makes the call end soon. */
static void free_gil(many_call *c)
{
    c->many->feeder->is_inside = false;
    if (PyErr_Occurred()) {
        PyErr_Fetch(&c->error_type, &c->error_value, &c->error_traceback);
        atomic_store(c->many->is_stopping, true);
    }
    c->thread = PyEval_SaveThread();
}

/* ---- the two ends ---------------------------------------------------------------------------- */

/* An item of `next`: (image, name or None, input). Returns false with an exception set for anything
 * else. */
static bool read_item(const many_call *c, PyObject *item, limn_source_image *out)
{
    PyObject *input;
    if (!PyTuple_Check(item) || PyTuple_Size(item) != 3 ||
        !PyBytes_Check(input = PyTuple_GetItem(item, 2))) {
        PyErr_SetString(PyExc_TypeError, "next: an item is (image, name, input)");
        return false;
    }
    if (!binding_name(&out->name, PyTuple_GetItem(item, 1))) return false;
    if ((size_t)PyBytes_Size(input) != c->many->input_bytes) {
        binding_refuse(c->state, "input: not what load gives for this model");
        return false;
    }
    out->input = (const uint8_t *)PyBytes_AsString(input);
    out->image = item; /* with its reference, until it is done */
    return true;
}

static bool next_image(void *ctx, limn_source_image *out)
{
    many_call *c = ctx;
    bool is_there = false;
    if (c->error_type) return false;
    take_gil(c);
    PyObject *item = PyObject_CallNoArgs(c->many->next);
    if (item && item != Py_None) is_there = read_item(c, item, out);
    if (!is_there) Py_XDECREF(item);
    free_gil(c);
    return is_there;
}

/* (captions, tags, line), or the error; NULL with an exception set. */
static PyObject *outcome_of(const many_call *c, const char *name, const limn_captions *captions,
                            const limn_error *failure)
{
    if (failure) return binding_error(c->state, failure);
    PyObject *line = binding_json(captions, c->many->model, c->many->options, name, c->state);
    PyObject *found = line ? binding_captions(captions, c->many->model) : NULL, *outcome = NULL;
    if (found)
        outcome =
            Py_BuildValue("(OOO)", PyTuple_GetItem(found, 0), PyTuple_GetItem(found, 1), line);
    Py_XDECREF(found);
    Py_XDECREF(line);
    return outcome;
}

static void image_done(void *ctx, void *image, const limn_captions *captions,
                       const limn_error *failure)
{
    many_call *c = ctx;
    PyObject *item = image, *outcome, *result = NULL;
    const char *name;
    take_gil(c);
    if (!c->error_type && binding_name(&name, PyTuple_GetItem(item, 1)) &&
        (outcome = outcome_of(c, name, captions, failure))) {
        result =
            PyObject_CallFunctionObjArgs(c->many->done, PyTuple_GetItem(item, 0), outcome, NULL);
        Py_DECREF(outcome);
    }
    Py_XDECREF(result);
    Py_DECREF(item);
    free_gil(c);
}

/* ---- the call -------------------------------------------------------------------------------- */

PyObject *binding_caption_many(const binding_many *many, const binding_state *state)
{
    many_call call = { .many = many, .state = state };
    const limn_caption_source source = { .ctx = &call, .next = next_image, .done = image_done };
    limn_error err = { 0 };
    call.thread = PyEval_SaveThread();
    const limn_status s = limn_state_caption_many(many->model_state, &source, &err);
    PyEval_RestoreThread(call.thread);
    if (call.error_type) {
        PyErr_Restore(call.error_type, call.error_value, call.error_traceback);
        return NULL;
    }
    return s ? binding_raise(state, &err) : Py_NewRef(Py_None);
}
