/* Metrics: scores of captions against references, one call at a time. */
#include "python/ext/binding.h"

#include <stdlib.h>

#include "models/metrics_choice.h"

typedef struct metrics_object {
    PyObject_HEAD limn_metrics *metrics;
    atomic_flag is_busy;
} metrics_object;

/* Metrics(set: int, meteor_folder: bytes | None); `set` has the bit 1 << metric of each metric that
 * will be asked for. */
static PyObject *metrics_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    const binding_state *state = PyType_GetModuleState(type);
    PyObject *folder_object;
    const char *folder;
    limn_metrics *metrics = NULL;
    limn_error err = { 0 };
    limn_status s;
    unsigned set;
    if (!binding_no_keywords(keywords) || !PyArg_ParseTuple(args, "IO", &set, &folder_object) ||
        !binding_name(&folder, folder_object))
        return NULL;
    Py_BEGIN_ALLOW_THREADS s = limn_metrics_create_for(&metrics, set, folder, &err);
    Py_END_ALLOW_THREADS if (s) return binding_raise(state, &err);
    metrics_object *self =
        (metrics_object *)(void *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self) {
        self->metrics = metrics;
        atomic_flag_clear(&self->is_busy);
    } else {
        limn_metrics_destroy(&metrics);
    }
    return (PyObject *)self;
}

static void metrics_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    limn_metrics_destroy(&((metrics_object *)object)->metrics);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

/* ---- adding ---------------------------------------------------------------------------------- */

/* Adds an image; `texts` [n] are its references, which the tuple `references` owns. */
static PyObject *add_texts(metrics_object *self, const char *caption, const char **texts,
                           PyObject *references, int are_tokens, const binding_state *state)
{
    const Py_ssize_t n = PyTuple_Size(references);
    limn_error err = { 0 };
    limn_status s;
    for (Py_ssize_t i = 0; i < n; i++)
        if (!(texts[i] = binding_text(PyTuple_GetItem(references, i)))) return NULL;
    if (!binding_enter(&self->is_busy, state)) return NULL;
    Py_BEGIN_ALLOW_THREADS s = (are_tokens ? limn_metrics_add_tokens : limn_metrics_add)(
        self->metrics, caption, texts, (size_t)n, &err);
    Py_END_ALLOW_THREADS binding_leave(&self->is_busy);
    return s ? binding_raise(state, &err) : Py_NewRef(Py_None);
}

/* add(caption: str, references: tuple of str, are_tokens: bool) */
static PyObject *metrics_add(PyObject *object, PyObject *args)
{
    PyObject *caption, *references, *result;
    const char *text;
    int are_tokens;
    if (!PyArg_ParseTuple(args, "OO!p", &caption, &PyTuple_Type, &references, &are_tokens) ||
        !(text = binding_text(caption)))
        return NULL;
    const char **texts = calloc((size_t)PyTuple_Size(references) + 1, sizeof *texts);
    if (!texts) return PyErr_NoMemory();
    result = add_texts((metrics_object *)object, text, texts, references, are_tokens,
                       binding_state_of(object));
    free((void *)texts);
    return result;
}

/* tokenize(caption: str) -> str */
static PyObject *metrics_tokenize(PyObject *object, PyObject *caption)
{
    metrics_object *self = (metrics_object *)object;
    const binding_state *state = binding_state_of(object);
    const char *text = binding_text(caption), *tokens;
    limn_error err = { 0 };
    PyObject *result;
    if (!text || !binding_enter(&self->is_busy, state)) return NULL;
    result = limn_metrics_tokenize(self->metrics, text, &tokens, &err) ? binding_raise(state, &err)
                                                                       : binding_str(tokens);
    binding_leave(&self->is_busy);
    return result;
}

/* ---- scores ---------------------------------------------------------------------------------- */

/* score(metric: int, n_trials: int, seed: int) -> (value, low, high) */
static PyObject *metrics_score(PyObject *object, PyObject *args)
{
    metrics_object *self = (metrics_object *)object;
    const binding_state *state = binding_state_of(object);
    unsigned metric, n_trials;
    unsigned long long seed;
    limn_metric_score score;
    limn_error err = { 0 };
    limn_status s;
    if (!PyArg_ParseTuple(args, "IIK", &metric, &n_trials, &seed) ||
        !binding_enter(&self->is_busy, state))
        return NULL;
    Py_BEGIN_ALLOW_THREADS s =
        limn_metrics_score(self->metrics, (limn_metric)metric, n_trials, seed, &score, &err);
    Py_END_ALLOW_THREADS binding_leave(&self->is_busy);
    if (s) return binding_raise(state, &err);
    return Py_BuildValue("(ddd)", score.value, score.low, score.high);
}

static PyObject *list_of(const double *values, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *value = PyFloat_FromDouble(values[i]);
        if (!value || PyList_SetItem(list, (Py_ssize_t)i, value)) Py_CLEAR(list);
    }
    return list;
}

/* image_scores(metric: int) -> list of float */
static PyObject *metrics_image_scores(PyObject *object, PyObject *args)
{
    metrics_object *self = (metrics_object *)object;
    const binding_state *state = binding_state_of(object);
    unsigned metric;
    limn_error err = { 0 };
    limn_status s = LIMN_E_NOMEM;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "I", &metric) || !binding_enter(&self->is_busy, state)) return NULL;
    const size_t n = limn_metrics_n_images(self->metrics);
    double *values = calloc(n + 1, sizeof *values);
    if (values) {
        Py_BEGIN_ALLOW_THREADS s =
            limn_metrics_image_scores(self->metrics, (limn_metric)metric, values, &err);
        Py_END_ALLOW_THREADS result = s ? binding_raise(state, &err) : list_of(values, n);
    } else {
        PyErr_NoMemory();
    }
    binding_leave(&self->is_busy);
    free(values);
    return result;
}

/* Takes both flags, or neither, with an exception set. */
static bool enter_both(metrics_object *a, metrics_object *b, const binding_state *state)
{
    if (!binding_enter(&a->is_busy, state)) return false;
    if (a == b || binding_enter(&b->is_busy, state)) return true;
    binding_leave(&a->is_busy);
    return false;
}

/* compare(baseline: Metrics, metric: int, n_trials: int, seed: int) -> (value, low, high, p) */
static PyObject *metrics_compare(PyObject *object, PyObject *args)
{
    metrics_object *self = (metrics_object *)object, *other;
    const binding_state *state = binding_state_of(object);
    PyObject *baseline;
    unsigned metric, n_trials;
    unsigned long long seed;
    limn_metric_difference d;
    limn_error err = { 0 };
    limn_status s;
    if (!PyArg_ParseTuple(args, "O!IIK", Py_TYPE(object), &baseline, &metric, &n_trials, &seed))
        return NULL;
    other = (metrics_object *)baseline;
    if (!enter_both(self, other, state)) return NULL;
    Py_BEGIN_ALLOW_THREADS s = limn_metrics_compare(self->metrics, other->metrics,
                                                    (limn_metric)metric, n_trials, seed, &d, &err);
    Py_END_ALLOW_THREADS binding_leave(&self->is_busy);
    if (other != self) binding_leave(&other->is_busy);
    if (s) return binding_raise(state, &err);
    return Py_BuildValue("(dddd)", d.value, d.low, d.high, d.p);
}

static PyMethodDef metrics_methods[] = {
    { "add", metrics_add, METH_VARARGS, NULL },
    { "tokenize", metrics_tokenize, METH_O, NULL },
    { "score", metrics_score, METH_VARARGS, NULL },
    { "image_scores", metrics_image_scores, METH_VARARGS, NULL },
    { "compare", metrics_compare, METH_VARARGS, NULL },
    { 0 },
};

static PyType_Slot metrics_slots[] = {
    { Py_tp_new, metrics_new },
    { Py_tp_dealloc, metrics_dealloc },
    { Py_tp_methods, metrics_methods },
    { 0 },
};

PyType_Spec binding_metrics_spec = {
    .name = "limn._limn.Metrics",
    .basicsize = sizeof(metrics_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = metrics_slots,
};
