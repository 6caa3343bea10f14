/* Values and errors between C and Python. */
#include "python/ext/binding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---------------------------------------------------------------------------------- */

PyObject *binding_error(const binding_state *state, const limn_error *err)
{
    PyObject *detail = binding_str(err->text), *exception = NULL;
    if (detail)
        exception =
            PyObject_CallFunction(state->make_error, "sO", limn_status_name(err->code), detail);
    Py_XDECREF(detail);
    return exception;
}

PyObject *binding_raise(const binding_state *state, const limn_error *err)
{
    PyObject *exception = binding_error(state, err);
    if (exception) PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_XDECREF(exception);
    return NULL;
}

PyObject *binding_refuse(const binding_state *state, const char *detail)
{
    limn_error err = { .code = LIMN_E_ARG };
    strncpy(err.text, detail, sizeof err.text - 1);
    return binding_raise(state, &err);
}

/* ---- one call at a time ---------------------------------------------------------------------- */

bool binding_enter(atomic_flag *is_busy, const binding_state *state)
{
    if (!atomic_flag_test_and_set(is_busy)) return true;
    binding_refuse(state, "in use by another thread: each thread needs an object of its own");
    return false;
}

void binding_leave(atomic_flag *is_busy)
{
    atomic_flag_clear(is_busy);
}

/* ---- values ---------------------------------------------------------------------------------- */

bool binding_no_keywords(PyObject *keywords)
{
    if (!keywords || !PyDict_Size(keywords)) return true;
    PyErr_SetString(PyExc_TypeError, "no keywords are taken");
    return false;
}

bool binding_name(const char **out, PyObject *value)
{
    char *text;
    *out = NULL;
    if (value == Py_None) return true;
    if (PyBytes_AsStringAndSize(value, &text, NULL)) return false;
    *out = text;
    return true;
}

const char *binding_text(PyObject *value)
{
    Py_ssize_t size;
    const char *text;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "a str is needed, not %R", (PyObject *)Py_TYPE(value));
        return NULL;
    }
    text = PyUnicode_AsUTF8AndSize(value, &size);
    if (text && strlen(text) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "a text has a NUL character");
        return NULL;
    }
    return text;
}

PyObject *binding_str(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* One pair (name, value). */
static bool set_option(limn_options *options, PyObject *pair, const binding_state *state)
{
    PyObject *name, *value;
    const char *name_text, *value_text = NULL;
    limn_error err = { 0 };
    if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "an option is a tuple of its name and value");
        return false;
    }
    name = PyTuple_GetItem(pair, 0);
    value = PyTuple_GetItem(pair, 1);
    if (!(name_text = binding_text(name))) return false;
    if (value != Py_None && !(value_text = binding_text(value))) return false;
    if (limn_options_set(options, name_text, value_text, &err) == LIMN_OK) return true;
    binding_raise(state, &err);
    return false;
}

bool binding_set_options(limn_options *options, PyObject *pairs, const binding_state *state)
{
    PyObject *items = PySequence_Tuple(pairs);
    bool is_set = items != NULL;
    for (Py_ssize_t i = 0; is_set && i < PyTuple_Size(items); i++)
        is_set = set_option(options, PyTuple_GetItem(items, i), state);
    Py_XDECREF(items);
    return is_set;
}

/* ---- results --------------------------------------------------------------------------------- */

/* Takes the reference to `item`; returns false if `item` is NULL or can't be stored. */
static bool put(PyObject *tuple, size_t i, PyObject *item)
{
    return item && !PyTuple_SetItem(tuple, (Py_ssize_t)i, item);
}

static PyObject *tokens_of(const limn_caption *caption, const limn_model *model)
{
    PyObject *tokens = PyTuple_New((Py_ssize_t)caption->n_tokens);
    for (size_t i = 0; tokens && i < caption->n_tokens; i++) {
        PyObject *text = binding_str(limn_model_token(model, caption->tokens[i]));
        if (!text ||
            !put(tokens, i, Py_BuildValue("(Nd)", text, (double)caption->token_logprobs[i])))
            Py_CLEAR(tokens);
    }
    return tokens;
}

static PyObject *caption_of(const limn_caption *c, const limn_model *model)
{
    PyObject *text = binding_str(c->text), *tokens = tokens_of(c, model);
    PyObject *confidence =
        isnan(c->confidence) ? Py_NewRef(Py_None) : PyFloat_FromDouble(c->confidence);
    if (text && tokens && confidence)
        return Py_BuildValue("(NddNNI)", text, c->logprob, c->score, confidence, tokens,
                             (unsigned)c->n_drawn);
    Py_XDECREF(text);
    Py_XDECREF(tokens);
    Py_XDECREF(confidence);
    return NULL;
}

static PyObject *items_of(const limn_captions *captions, const limn_model *model)
{
    PyObject *items = PyTuple_New((Py_ssize_t)captions->n_items);
    for (size_t i = 0; items && i < captions->n_items; i++)
        if (!put(items, i, caption_of(&captions->items[i], model))) Py_CLEAR(items);
    return items;
}

static PyObject *tags_of(const limn_captions *captions)
{
    PyObject *tags = PyTuple_New((Py_ssize_t)captions->n_tags);
    for (size_t i = 0; tags && i < captions->n_tags; i++) {
        const limn_tag *t = &captions->tags[i];
        if (!put(tags, i, Py_BuildValue("(ssd)", t->name, t->set, (double)t->probability)))
            Py_CLEAR(tags);
    }
    return tags;
}

PyObject *binding_captions(const limn_captions *captions, const limn_model *model)
{
    PyObject *items = items_of(captions, model), *tags = tags_of(captions);
    if (items && tags) return Py_BuildValue("(NN)", items, tags);
    Py_XDECREF(items);
    Py_XDECREF(tags);
    return NULL;
}

/* The line, allocated with malloc; NULL on error: see err. */
static char *render(const limn_captions *captions, const limn_model *model,
                    const limn_options *options, const char *name, size_t *size, limn_error *err)
{
    char *text = NULL;
    if (limn_captions_json(captions, model, options, name, NULL, 0, size, err)) return NULL;
    text = malloc(*size);
    if (text && !limn_captions_json(captions, model, options, name, text, *size, size, err))
        return text;
    if (!text) *err = (limn_error){ LIMN_E_NOMEM, "out of memory" };
    free(text);
    return NULL;
}

PyObject *binding_json(const limn_captions *captions, const limn_model *model,
                       const limn_options *options, const char *name, const binding_state *state)
{
    size_t size = 0;
    limn_error err = { 0 };
    char *text = render(captions, model, options, name, &size, &err);
    PyObject *line =
        text ? PyBytes_FromStringAndSize(text, (Py_ssize_t)size - 1) : binding_raise(state, &err);
    free(text);
    return line;
}
