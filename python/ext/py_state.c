/* State: captions of images, one call at a time. */
#include "python/ext/binding.h"

#include <stdlib.h>
#include <string.h>

typedef struct state_object {
    PyObject_HEAD PyObject *model;
    const limn_model *limn; /* in `model` */
    limn_options options;
    limn_state *state;
    const limn_captions *last; /* from the state's last call; NULL: it gave none */
    size_t input_bytes, n_features;
    binding_feeder feeder;
    atomic_bool is_stopping;
    atomic_flag is_busy;
} state_object;

/* ---- creation -------------------------------------------------------------------------------- */

static void finish(state_object *self)
{
    limn_state_destroy(&self->state);
    if (self->model) limn_options_finish(&self->options);
    Py_CLEAR(self->model);
}

/* limn_options.progress */
static bool goes_on(void *ctx, uint32_t step, uint32_t max_steps)
{
    state_object *self = ctx;
    (void)step;
    (void)max_steps;
    return !atomic_load(&self->is_stopping);
}

/* Takes the model and the options; returns false with an exception set on error. */
static bool start(state_object *self, PyObject *model, PyObject *pairs, unsigned n_threads,
                  const binding_state *state)
{
    limn_model_info info;
    limn_error err = { 0 };
    limn_status s;
    if (!(self->limn = binding_model_of(model, state))) return false;
    self->model = Py_NewRef(model);
    self->options = limn_options_default();
    if (!binding_set_options(&self->options, pairs, state)) return false;
    self->options.progress = goes_on;
    self->options.progress_ctx = self;
    limn_model_get_info(self->limn, &info);
    self->input_bytes = info.input_bytes;
    self->n_features = info.n_features;
    Py_BEGIN_ALLOW_THREADS s =
        limn_state_create(&self->state, self->limn, &self->options, n_threads, &err);
    Py_END_ALLOW_THREADS if (s) binding_raise(state, &err);
    return !s;
}

/* State(model: Model, options: sequence of (name, value), n_threads: int) */
static PyObject *state_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *model, *pairs;
    unsigned n_threads;
    if (!binding_no_keywords(keywords) ||
        !PyArg_ParseTuple(args, "OOI", &model, &pairs, &n_threads))
        return NULL;
    state_object *self =
        (state_object *)(void *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (!self) return NULL;
    atomic_flag_clear(&self->is_busy);
    if (!start(self, model, pairs, n_threads, PyType_GetModuleState(type))) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void state_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    finish((state_object *)object);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

/* For calls that caption or encode, once entered. */
static void begin_call(state_object *self)
{
    self->last = NULL;
    atomic_store(&self->is_stopping, false);
}

/* The functions that caption_many calls may load images meanwhile; no other thread may. */
static bool enter_to_load(state_object *self, const binding_state *state)
{
    if (!binding_is_feeder(&self->feeder) && !binding_enter(&self->is_busy, state)) return false;
    self->last = NULL;
    return true;
}

static void leave_after_loading(state_object *self)
{
    if (!binding_is_feeder(&self->feeder)) binding_leave(&self->is_busy);
}

/* ---- images to inputs ------------------------------------------------------------------------ */

/* Decodes the bytes of an image file, in this process or another. */
static limn_status decode(state_object *self, limn_decoders *decoders, const atomic_bool *stopping,
                          const char *bytes, size_t size, uint8_t *input, limn_error *err)
{
    limn_status s;
    Py_BEGIN_ALLOW_THREADS s =
        decoders ? limn_decoders_load(decoders, self->limn, self->options.max_pixels, bytes, size,
                                      input, stopping, err)
                 : limn_state_load(self->state, bytes, size, input, NULL, NULL, err);
    Py_END_ALLOW_THREADS return s;
}

/* load(data: bytes, decoders: Decoders | None) -> bytes */
static PyObject *state_load(PyObject *object, PyObject *args)
{
    state_object *self = (state_object *)object;
    const binding_state *state = binding_state_of(object);
    PyObject *data, *decoders_object;
    limn_decoders *decoders = NULL;
    const atomic_bool *stopping = NULL;
    limn_error err = { 0 };
    if (!PyArg_ParseTuple(args, "O!O", &PyBytes_Type, &data, &decoders_object)) return NULL;
    if (decoders_object != Py_None &&
        !(decoders = binding_decoders_of(decoders_object, state, &stopping)))
        return NULL;
    PyObject *input = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)self->input_bytes);
    if (!input || !enter_to_load(self, state)) {
        Py_XDECREF(input);
        return NULL;
    }
    const limn_status s =
        decode(self, decoders, stopping, PyBytes_AsString(data), (size_t)PyBytes_Size(data),
               (uint8_t *)PyBytes_AsString(input), &err);
    leave_after_loading(self);
    if (s == LIMN_OK) return input;
    Py_DECREF(input);
    return binding_raise(state, &err);
}

/* Rows of a buffer; returns false with an exception set when it is too small. */
static bool take_pixels(limn_pixels *out, const Py_buffer *view, unsigned width, unsigned height,
                        Py_ssize_t stride, int is_bgr, const binding_state *state)
{
    *out = (limn_pixels){ view->buf, width, height, (size_t)stride,
                          is_bgr ? LIMN_PIXELS_BGR : LIMN_PIXELS_RGB };
    const size_t row = (size_t)width * 3;
    if (width && height && width <= 65535 && height <= 65535 && stride >= (Py_ssize_t)row &&
        (size_t)view->len >= row &&
        ((size_t)view->len - row) / (size_t)stride >= (size_t)height - 1)
        return true;
    binding_refuse(state, "pixels: the buffer is smaller than height rows of width * 3 bytes, or a "
                          "side is not in 1 to 65535");
    return false;
}

/* load_pixels(pixels: buffer, width: int, height: int, stride: int, is_bgr: bool) -> bytes */
static PyObject *state_load_pixels(PyObject *object, PyObject *args)
{
    state_object *self = (state_object *)object;
    const binding_state *state = binding_state_of(object);
    Py_buffer view;
    unsigned width, height;
    Py_ssize_t stride;
    int is_bgr;
    limn_pixels pixels;
    limn_error err = { 0 };
    limn_status s = LIMN_E_ARG;
    PyObject *input = NULL;
    if (!PyArg_ParseTuple(args, "y*IInp", &view, &width, &height, &stride, &is_bgr)) return NULL;
    const bool is_right = take_pixels(&pixels, &view, width, height, stride, is_bgr, state);
    if (is_right) input = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)self->input_bytes);
    if (input && enter_to_load(self, state)) {
        uint8_t *to = (uint8_t *)PyBytes_AsString(input);
        Py_BEGIN_ALLOW_THREADS s = limn_state_load_pixels(self->state, &pixels, to, &err);
        Py_END_ALLOW_THREADS leave_after_loading(self);
        if (s) binding_raise(state, &err);
    }
    PyBuffer_Release(&view);
    if (s) Py_CLEAR(input);
    return input;
}

/* ---- captions and features ------------------------------------------------------------------- */

/* The pixels in `input`, borrowed; NULL with an exception set when they don't fit this model. */
static const uint8_t *pixels_of(const state_object *self, PyObject *input,
                                const binding_state *state)
{
    if ((size_t)PyBytes_Size(input) == self->input_bytes)
        return (const uint8_t *)PyBytes_AsString(input);
    binding_refuse(state, "input: not what load gives for this model");
    return NULL;
}

/* caption(name: bytes | None, input: bytes) -> (captions, tags) */
static PyObject *state_caption(PyObject *object, PyObject *args)
{
    state_object *self = (state_object *)object;
    const binding_state *state = binding_state_of(object);
    PyObject *name_object, *input, *result;
    const char *name;
    const uint8_t *pixels;
    limn_error err = { 0 };
    limn_status s;
    if (!PyArg_ParseTuple(args, "OO!", &name_object, &PyBytes_Type, &input) ||
        !binding_name(&name, name_object) || !(pixels = pixels_of(self, input, state)) ||
        !binding_enter(&self->is_busy, state))
        return NULL;
    begin_call(self);
    Py_BEGIN_ALLOW_THREADS s =
        limn_state_caption_input(self->state, name, pixels, &self->last, &err);
    Py_END_ALLOW_THREADS if (s) self->last = NULL;
    result = s ? binding_raise(state, &err) : binding_captions(self->last, self->limn);
    binding_leave(&self->is_busy);
    return result;
}

/* json(name: bytes | None) -> bytes: the captions of the last call */
static PyObject *state_json(PyObject *object, PyObject *name_object)
{
    state_object *self = (state_object *)object;
    const binding_state *state = binding_state_of(object);
    const char *name;
    if (!binding_name(&name, name_object)) return NULL;
    if (!binding_enter(&self->is_busy, state)) return NULL;
    PyObject *line = self->last ? binding_json(self->last, self->limn, &self->options, name, state)
                                : binding_refuse(state, "json: the last call gave no captions");
    binding_leave(&self->is_busy);
    return line;
}

/* caption_many(next, done): see _limn.pyi */
static PyObject *state_caption_many(PyObject *object, PyObject *args)
{
    state_object *self = (state_object *)object;
    const binding_state *state = binding_state_of(object);
    binding_many many = { .model = self->limn,
                          .model_state = self->state,
                          .options = &self->options,
                          .input_bytes = self->input_bytes,
                          .feeder = &self->feeder,
                          .is_stopping = &self->is_stopping };
    if (!PyArg_ParseTuple(args, "OO", &many.next, &many.done)) return NULL;
    if (!PyCallable_Check(many.next) || !PyCallable_Check(many.done)) {
        PyErr_SetString(PyExc_TypeError, "next and done are functions");
        return NULL;
    }
    if (!binding_enter(&self->is_busy, state)) return NULL;
    begin_call(self);
    PyObject *result = binding_caption_many(&many, state);
    binding_leave(&self->is_busy);
    return result;
}

/* stop(): ends the call that another thread makes, at its next step */
static PyObject *state_stop(PyObject *self, PyObject *unused)
{
    (void)unused;
    atomic_store(&((state_object *)self)->is_stopping, true);
    return Py_NewRef(Py_None);
}

/* encode(input: bytes, out: writable buffer of n_features floats) */
static PyObject *state_encode(PyObject *object, PyObject *args)
{
    state_object *self = (state_object *)object;
    const binding_state *state = binding_state_of(object);
    PyObject *input;
    Py_buffer out;
    const uint8_t *pixels;
    limn_error err = { 0 };
    limn_status s = LIMN_E_ARG;
    if (!PyArg_ParseTuple(args, "O!w*", &PyBytes_Type, &input, &out)) return NULL;
    if ((size_t)out.len != self->n_features * sizeof(float) || (uintptr_t)out.buf % sizeof(float)) {
        binding_refuse(state, "out: not n_features aligned floats");
    } else if ((pixels = pixels_of(self, input, state)) && binding_enter(&self->is_busy, state)) {
        begin_call(self);
        Py_BEGIN_ALLOW_THREADS s = limn_state_encode(self->state, pixels, out.buf, &err);
        Py_END_ALLOW_THREADS binding_leave(&self->is_busy);
        if (s) binding_raise(state, &err);
    }
    PyBuffer_Release(&out);
    return s ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef state_methods[] = {
    { "load", state_load, METH_VARARGS, NULL },
    { "load_pixels", state_load_pixels, METH_VARARGS, NULL },
    { "caption", state_caption, METH_VARARGS, NULL },
    { "caption_many", state_caption_many, METH_VARARGS, NULL },
    { "stop", state_stop, METH_NOARGS, NULL },
    { "json", state_json, METH_O, NULL },
    { "encode", state_encode, METH_VARARGS, NULL },
    { 0 },
};

static PyType_Slot state_slots[] = {
    { Py_tp_new, state_new },
    { Py_tp_dealloc, state_dealloc },
    { Py_tp_methods, state_methods },
    { 0 },
};

PyType_Spec binding_state_spec = {
    .name = "limn._limn.State",
    .basicsize = sizeof(state_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = state_slots,
};
