/* Scorer: log-probabilities of given captions, one call at a time. */
#include "python/ext/binding.h"

#include <stdlib.h>
#include <string.h>

#include "models/scorer.h"

typedef struct scorer_object {
    PyObject_HEAD PyObject *model;
    limn_scorer *scorer;
    size_t input_bytes;
    atomic_flag is_busy;
} scorer_object;

/* Scorer(model: Model, max_pixels: int); max_pixels 0: the default */
static PyObject *scorer_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    const binding_state *state = PyType_GetModuleState(type);
    PyObject *model_object;
    unsigned long long max_pixels;
    const limn_model *model;
    limn_model_info info;
    limn_error err = { 0 };
    if (!binding_no_keywords(keywords) ||
        !PyArg_ParseTuple(args, "OK", &model_object, &max_pixels) ||
        !(model = binding_model_of(model_object, state)))
        return NULL;
    scorer_object *self =
        (scorer_object *)(void *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (!self) return NULL;
    atomic_flag_clear(&self->is_busy);
    self->model = Py_NewRef(model_object);
    limn_model_get_info(model, &info);
    self->input_bytes = info.input_bytes;
    if (limn_scorer_create(&self->scorer, model, max_pixels, 1, &err) == LIMN_OK)
        return (PyObject *)self;
    Py_DECREF(self);
    return binding_raise(state, &err);
}

static void scorer_dealloc(PyObject *object)
{
    scorer_object *self = (scorer_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    limn_scorer_destroy(&self->scorer);
    Py_CLEAR(self->model);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

/* ---- scoring --------------------------------------------------------------------------------- */

/* A caption's words, and room for their scores: all in one block of memory. */
typedef struct scored {
    uint32_t *ids;
    float *with, *without; /* [n_words + 1] */
    PyObject *words;       /* a str, one space between two */
    size_t n_words;
} scored;

static void finish_scored(scored *s)
{
    free(s->ids);
    Py_CLEAR(s->words);
}

static bool make_room(scored *s, size_t n_words)
{
    s->n_words = n_words;
    s->ids = calloc(3 * n_words + 2, sizeof(float)); /* ids have the size of a float */
    if (!s->ids) {
        PyErr_NoMemory();
        return false;
    }
    s->with = (float *)(void *)(s->ids + n_words);
    s->without = s->with + n_words + 1;
    return true;
}

/* Splits a caption into words. */
static bool encode(scored *out, scorer_object *self, PyObject *caption, const binding_state *state)
{
    limn_words words;
    limn_error err = { 0 };
    const char *text = binding_text(caption);
    if (!text) return false;
    if (limn_scorer_encode(&words, self->scorer, text, &err)) {
        binding_raise(state, &err);
        return false;
    }
    if (!make_room(out, words.n_words)) return false;
    if (words.n_words) memcpy(out->ids, words.ids, words.n_words * sizeof *words.ids);
    out->words = binding_str(words.n_words ? words.texts : "");
    return out->words != NULL;
}

static PyObject *floats(const float *values, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *value = PyFloat_FromDouble((double)values[i]);
        if (!value || PyList_SetItem(list, (Py_ssize_t)i, value)) Py_CLEAR(list);
    }
    return list;
}

/* (words, logprobs, logprobs without the image) */
static PyObject *result_of(const scored *s)
{
    PyObject *with = floats(s->with, s->n_words + 1), *without = floats(s->without, s->n_words + 1);
    if (with && without) return Py_BuildValue("(ONN)", s->words, with, without);
    Py_XDECREF(with);
    Py_XDECREF(without);
    return NULL;
}

/* Scores one caption without the GIL; Python gets control back after each. */
static PyObject *score_one(scorer_object *self, const uint8_t *pixels, PyObject *caption,
                           const binding_state *state)
{
    scored s = { 0 };
    PyObject *result = NULL;
    limn_error err = { 0 };
    limn_status status;
    if (encode(&s, self, caption, state)) {
        const limn_score_job job = { s.ids, s.n_words, s.with, s.without };
        Py_BEGIN_ALLOW_THREADS status = limn_scorer_run(self->scorer, pixels, &job, 1, &err);
        Py_END_ALLOW_THREADS result = status ? binding_raise(state, &err) : result_of(&s);
    }
    finish_scored(&s);
    return result;
}

/* score(input: bytes, caption: str) -> (words, logprobs, logprobs_without) */
static PyObject *scorer_score(PyObject *object, PyObject *args)
{
    scorer_object *self = (scorer_object *)object;
    const binding_state *state = binding_state_of(object);
    PyObject *input, *caption, *result;
    if (!PyArg_ParseTuple(args, "O!O", &PyBytes_Type, &input, &caption)) return NULL;
    if ((size_t)PyBytes_Size(input) != self->input_bytes)
        return binding_refuse(state, "input: not what load gives for this model");
    if (!binding_enter(&self->is_busy, state)) return NULL;
    result = score_one(self, (const uint8_t *)PyBytes_AsString(input), caption, state);
    binding_leave(&self->is_busy);
    return result;
}

static PyMethodDef scorer_methods[] = {
    { "score", scorer_score, METH_VARARGS, NULL },
    { 0 },
};

static PyType_Slot scorer_slots[] = {
    { Py_tp_new, scorer_new },
    { Py_tp_dealloc, scorer_dealloc },
    { Py_tp_methods, scorer_methods },
    { 0 },
};

PyType_Spec binding_scorer_spec = {
    .name = "limn._limn.Scorer",
    .basicsize = sizeof(scorer_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = scorer_slots,
};
