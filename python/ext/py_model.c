/* Model: a model, or an ensemble, opened once and shared by threads; and Decoders. */
#include "python/ext/binding.h"

#include <string.h>
#include <unistd.h>

typedef struct model_object {
    PyObject_HEAD limn_model *model;
} model_object;

const limn_model *binding_model_of(PyObject *object, const binding_state *state)
{
    if (PyObject_TypeCheck(object, state->model_type)) return ((model_object *)object)->model;
    PyErr_SetString(PyExc_TypeError, "a Model is needed");
    return NULL;
}

/* ---- opening --------------------------------------------------------------------------------- */

enum { MAX_MODELS = 64 };

/* Opens paths [n]. */
static limn_status open_paths(limn_model **out, const char *const *paths, size_t n, const char *cpu,
                              limn_error *err)
{
    limn_status s;
    Py_BEGIN_ALLOW_THREADS s = n == 1 ? limn_model_open(out, paths[0], cpu, err)
                                      : limn_model_open_ensemble(out, paths, n, cpu, err);
    Py_END_ALLOW_THREADS return s;
}

/* Model(paths: tuple of bytes, cpu: str | None) */
static PyObject *model_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    const binding_state *state = PyType_GetModuleState(type);
    PyObject *paths;
    const char *cpu, *texts[MAX_MODELS];
    limn_error err = { 0 };
    limn_model *model = NULL;
    if (!binding_no_keywords(keywords) ||
        !PyArg_ParseTuple(args, "O!z", &PyTuple_Type, &paths, &cpu))
        return NULL;
    const Py_ssize_t n = PyTuple_Size(paths);
    if (n < 1 || n > MAX_MODELS) return binding_refuse(state, "1 to 64 models make an ensemble");
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!binding_name(&texts[i], PyTuple_GetItem(paths, i))) return NULL;
        if (!texts[i]) return binding_refuse(state, "a model's path is None");
    }
    if (open_paths(&model, texts, (size_t)n, cpu, &err)) return binding_raise(state, &err);
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    model_object *self = (model_object *)(void *)alloc(type, 0);
    if (self)
        self->model = model;
    else
        limn_model_close(&model);
    return (PyObject *)self;
}

static void model_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    limn_model_close(&((model_object *)object)->model);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

/* ---- information ----------------------------------------------------------------------------- */

static PyObject *model_info(PyObject *self, PyObject *unused)
{
    limn_model_info i;
    (void)unused;
    limn_model_get_info(((model_object *)self)->model, &i);
    return Py_BuildValue(
        "{s:I,s:I,s:n,s:I,s:I,s:I,s:d,s:I,s:I,s:I,s:I,s:I,s:s,s:s,s:I,s:O,s:n,s:I}", "input_width",
        i.input_width, "input_height", i.input_height, "input_bytes", (Py_ssize_t)i.input_bytes,
        "n_models", i.n_models, "n_tokens", i.n_tokens, "max_words", i.max_words, "length_penalty",
        (double)i.length_penalty, "n_layers", i.n_layers, "n_heads", i.n_heads, "n_prefix",
        i.n_prefix, "grid_width", i.grid_width, "grid_height", i.grid_height, "encoder", i.encoder,
        "cpu_level", i.cpu_level, "n_tags", i.n_tags, "has_confidence",
        i.has_confidence ? Py_True : Py_False, "n_features", (Py_ssize_t)i.n_features,
        "feature_dim", i.feature_dim);
}

static PyObject *model_knows(PyObject *self, PyObject *text)
{
    const char *words = binding_text(text);
    return words ? PyBool_FromLong(limn_model_knows(((model_object *)self)->model, words)) : NULL;
}

static PyObject *model_token(PyObject *self, PyObject *number)
{
    const unsigned long id = PyLong_AsUnsignedLong(number);
    const char *text = NULL;
    if (PyErr_Occurred()) return NULL;
    if (id <= UINT32_MAX) text = limn_model_token(((model_object *)self)->model, (uint32_t)id);
    if (text) return binding_str(text);
    PyErr_SetString(PyExc_IndexError, "no such token");
    return NULL;
}

static PyMethodDef model_methods[] = {
    { "info", model_info, METH_NOARGS, NULL },
    { "knows", model_knows, METH_O, NULL },
    { "token", model_token, METH_O, NULL },
    { 0 },
};

static PyType_Slot model_slots[] = {
    { Py_tp_new, model_new },
    { Py_tp_dealloc, model_dealloc },
    { Py_tp_methods, model_methods },
    { 0 },
};

PyType_Spec binding_model_spec = {
    .name = "limn._limn.Model",
    .basicsize = sizeof(model_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = model_slots,
};

/* ---- Decoders -------------------------------------------------------------------------------- */

typedef struct decoders_object {
    PyObject_HEAD limn_decoders *decoders;
    pid_t owner;
    atomic_bool is_stopping;
} decoders_object;

limn_decoders *binding_decoders_of(PyObject *object, const binding_state *state,
                                   const atomic_bool **stopping)
{
    decoders_object *self = (decoders_object *)object;
    if (!PyObject_TypeCheck(object, state->decoders_type)) {
        PyErr_SetString(PyExc_TypeError, "Decoders are needed");
        return NULL;
    }
    if (self->owner != getpid()) {
        binding_refuse(state, "decoders of another process: after a fork, start new ones");
        return NULL;
    }
    *stopping = &self->is_stopping;
    return self->decoders;
}

/* Decoders(n: int, max_pixels: int, program: bytes): the path of limn-sandbox */
static PyObject *decoders_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    const binding_state *state = PyType_GetModuleState(type);
    unsigned n;
    unsigned long long max_pixels;
    const char *program;
    limn_error err = { 0 };
    limn_decoders *decoders = NULL;
    limn_status s;
    if (!binding_no_keywords(keywords) || !PyArg_ParseTuple(args, "IKy", &n, &max_pixels, &program))
        return NULL;
    if (n < 1 || n > 1024) return binding_refuse(state, "decoders: 1 to 1024");
    Py_BEGIN_ALLOW_THREADS s = limn_decoders_start_program(&decoders, program, n, max_pixels, &err);
    Py_END_ALLOW_THREADS if (s) return binding_raise(state, &err);
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    decoders_object *self = (decoders_object *)(void *)alloc(type, 0);
    if (self) {
        self->decoders = decoders;
        self->owner = getpid();
    } else {
        limn_decoders_stop(&decoders);
    }
    return (PyObject *)self;
}

/* Ends work in progress within two seconds, with an error. */
static PyObject *decoders_stop(PyObject *self, PyObject *unused)
{
    (void)unused;
    atomic_store(&((decoders_object *)self)->is_stopping, true);
    return Py_NewRef(Py_None);
}

/* In a child of fork() the processes belong to the parent, so they are left alone. */
static void decoders_dealloc(PyObject *object)
{
    decoders_object *self = (decoders_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->owner == getpid()) limn_decoders_stop(&self->decoders);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyMethodDef decoders_methods[] = {
    { "stop", decoders_stop, METH_NOARGS, NULL },
    { 0 },
};

static PyType_Slot decoders_slots[] = {
    { Py_tp_new, decoders_new },
    { Py_tp_dealloc, decoders_dealloc },
    { Py_tp_methods, decoders_methods },
    { 0 },
};

PyType_Spec binding_decoders_spec = {
    .name = "limn._limn.Decoders",
    .basicsize = sizeof(decoders_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = decoders_slots,
};
