/* The module _limn: its types, and the functions that belong to none of them. */
#include "python/ext/binding.h"

#include <stdlib.h>
#include <string.h>

#include "common/io/captions.h"
#include "models/option.h"
#include "tools/annotate/input/image_file.h"
#include "tools/environment.h"

binding_state *binding_state_of(PyObject *self)
{
    return PyType_GetModuleState(Py_TYPE(self));
}

/* ---- options --------------------------------------------------------------------------------- */

static const char *type_name(limn_option_type type)
{
    switch (type) {
    case LIMN_OPT_COUNT:
    case LIMN_OPT_SIZE: return "int";
    case LIMN_OPT_REAL: return "float";
    case LIMN_OPT_TEXT: return "str";
    case LIMN_OPT_CHOICE: return "choice";
    case LIMN_OPT_LIST: return "list";
    default: return "bool";
    }
}

static PyObject *choices_of(const limn_option *o)
{
    PyObject *all = PyList_New(0);
    for (size_t i = 0; all && o->choices && o->choices[i]; i++) {
        PyObject *name = binding_str(o->choices[i]);
        if (!name || PyList_Append(all, name)) Py_CLEAR(all);
        Py_XDECREF(name);
    }
    return all;
}

/* options() -> list of dict, one for each row of the table */
static PyObject *list_options(PyObject *module, PyObject *unused)
{
    PyObject *all = PyList_New(0);
    const limn_option *o;
    (void)module;
    (void)unused;
    for (size_t i = 0; all && (o = limn_option_at(i)); i++) {
        PyObject *choices = choices_of(o), *row = NULL;
        if (choices)
            row = Py_BuildValue("{s:s,s:s,s:z,s:s,s:z,s:s,s:d,s:d,s:N,s:z}", "name", o->name,
                                "type", type_name(o->type), "argument", o->argument, "help",
                                o->help, "detail", o->detail, "group", o->group, "min", o->min,
                                "max", o->max, "choices", choices, "default", o->default_value);
        if (!row || PyList_Append(all, row)) Py_CLEAR(all);
        Py_XDECREF(row);
    }
    return all;
}

/* check_options(pairs: sequence of (name, value)): raises if an option is wrong */
static PyObject *check_options(PyObject *module, PyObject *pairs)
{
    limn_options options = limn_options_default();
    const bool is_right = binding_set_options(&options, pairs, PyModule_GetState(module));
    limn_options_finish(&options);
    return is_right ? Py_NewRef(Py_None) : NULL;
}

/* ---- captions of files, failures ------------------------------------------------------------- */

/* (id, caption or None, number of the entry) */
static PyObject *record_of(const limn_caption_record *r)
{
    PyObject *id = binding_str(r->id);
    PyObject *caption = r->caption ? binding_str(r->caption) : Py_NewRef(Py_None);
    if (id && caption) return Py_BuildValue("(NNn)", id, caption, (Py_ssize_t)r->entry);
    Py_XDECREF(id);
    Py_XDECREF(caption);
    return NULL;
}

static PyObject *records_of(const limn_caption_file *file)
{
    PyObject *all = PyList_New((Py_ssize_t)file->n_records);
    for (size_t i = 0; all && i < file->n_records; i++) {
        PyObject *one = record_of(&file->records[i]);
        if (!one || PyList_SetItem(all, (Py_ssize_t)i, one)) Py_CLEAR(all);
    }
    return all;
}

/* read_captions(path: bytes) -> list of (id, caption, entry) */
static PyObject *read_captions(PyObject *module, PyObject *path)
{
    limn_caption_file file = { 0 };
    limn_error err = { 0 };
    const char *name;
    limn_status s;
    PyObject *all;
    if (!binding_name(&name, path)) return NULL;
    if (!name) return binding_refuse(PyModule_GetState(module), "a path is None");
    Py_BEGIN_ALLOW_THREADS s = limn_caption_file_read(&file, name, NULL, &err);
    Py_END_ALLOW_THREADS all =
        s ? binding_raise(PyModule_GetState(module), &err) : records_of(&file);
    limn_caption_file_finish(&file);
    return all;
}

/* The status of a kind; LIMN_E_ARG for an unknown one. */
static limn_status status_of(const char *kind)
{
    for (limn_status s = LIMN_E_NOMEM; s <= LIMN_E_CRASHED; s++)
        if (!strcmp(kind, limn_status_name(s))) return s;
    return LIMN_E_ARG;
}

/* failure_json(kind: str, detail: str, name: bytes) -> bytes */
static PyObject *failure_json(PyObject *module, PyObject *args)
{
    const char *kind, *detail, *name;
    limn_error failure = { 0 }, err = { 0 };
    size_t size = 0;
    if (!PyArg_ParseTuple(args, "ssy", &kind, &detail, &name)) return NULL;
    failure.code = status_of(kind);
    strncpy(failure.text, detail, sizeof failure.text - 1);
    if (limn_failure_json(&failure, name, NULL, 0, &size, &err))
        return binding_raise(PyModule_GetState(module), &err);
    char *text = malloc(size);
    if (!text) return PyErr_NoMemory();
    PyObject *line = limn_failure_json(&failure, name, text, size, &size, &err)
                         ? binding_raise(PyModule_GetState(module), &err)
                         : PyBytes_FromStringAndSize(text, (Py_ssize_t)size - 1);
    free(text);
    return line;
}

/* is_image_name(name: bytes) -> bool: by its ending */
static PyObject *is_image_name(PyObject *module, PyObject *name_object)
{
    const char *name;
    (void)module;
    if (!binding_name(&name, name_object)) return NULL;
    return PyBool_FromLong(name && limn_image_file_has_extension(name));
}

/* is_image_head(head: bytes) -> bool: by a file's first bytes */
static PyObject *is_image_head(PyObject *module, PyObject *head)
{
    char *bytes;
    Py_ssize_t size;
    (void)module;
    if (PyBytes_AsStringAndSize(head, &bytes, &size)) return NULL;
    return PyBool_FromLong(limn_image_file_has_magic((const unsigned char *)bytes, (size_t)size));
}

/* ---- about ----------------------------------------------------------------------------------- */

static PyObject *default_threads(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromUnsignedLong(limn_default_threads());
}

static PyObject *cpu_levels(PyObject *module, PyObject *unused)
{
    PyObject *all = PyList_New(0);
    (void)module;
    (void)unused;
    for (const char *const *level = limn_cpu_levels(); all && *level; level++) {
        PyObject *name = binding_str(*level);
        if (!name || PyList_Append(all, name)) Py_CLEAR(all);
        Py_XDECREF(name);
    }
    return all;
}

static PyMethodDef functions[] = {
    { "options", list_options, METH_NOARGS, NULL },
    { "check_options", check_options, METH_O, NULL },
    { "read_captions", read_captions, METH_O, NULL },
    { "failure_json", failure_json, METH_VARARGS, NULL },
    { "is_image_name", is_image_name, METH_O, NULL },
    { "is_image_head", is_image_head, METH_O, NULL },
    { "default_threads", default_threads, METH_NOARGS, NULL },
    { "cpu_levels", cpu_levels, METH_NOARGS, NULL },
    { 0 },
};

/* ---- the module ------------------------------------------------------------------------------ */

/* Adds a type; *kept (may be NULL) gets a reference. */
static bool add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **kept)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    const bool is_added = type && !PyModule_AddType(module, (PyTypeObject *)type);
    if (is_added && kept) *kept = (PyTypeObject *)Py_NewRef(type);
    Py_XDECREF(type);
    return is_added;
}

static int execute(PyObject *module)
{
    binding_state *state = PyModule_GetState(module);
    PyObject *errors = PyImport_ImportModule("limn._errors");
    if (!errors) return -1;
    state->make_error = PyObject_GetAttrString(errors, "make");
    Py_DECREF(errors);
    return state->make_error && add_type(module, &binding_model_spec, &state->model_type) &&
                   add_type(module, &binding_decoders_spec, &state->decoders_type) &&
                   add_type(module, &binding_state_spec, NULL) &&
                   add_type(module, &binding_scorer_spec, NULL) &&
                   add_type(module, &binding_metrics_spec, NULL) &&
                   !PyModule_AddStringConstant(module, "version", limn_version()) &&
                   !PyModule_AddIntConstant(module, "max_together", LIMN_MAX_TOGETHER)
               ? 0
               : -1;
}

static int clear(PyObject *module)
{
    binding_state *state = PyModule_GetState(module);
    Py_CLEAR(state->make_error);
    Py_CLEAR(state->model_type);
    Py_CLEAR(state->decoders_type);
    return 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    binding_state *state = PyModule_GetState(module);
    Py_VISIT(state->make_error);
    Py_VISIT(state->model_type);
    Py_VISIT(state->decoders_type);
    return 0;
}

static void finish(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {
    { Py_mod_exec, execute },
    { 0 },
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,  .m_name = "limn._limn", .m_size = sizeof(binding_state),
    .m_methods = functions, .m_slots = slots,       .m_traverse = traverse,
    .m_clear = clear,       .m_free = finish,
};

PyMODINIT_FUNC PyInit__limn(void);

PyMODINIT_FUNC PyInit__limn(void)
{
    return PyModuleDef_Init(&definition);
}
