#include "tools/annotate/decoders/decoder_modules.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/annotate/decoders/module_file.h"
#include "tools/annotate/sandbox/sandbox.h"

/* A module of this build, or why it is missing. */
typedef struct row {
    const char *formats; /* what the names of its formats in common/image/format.c are or end in,
                          * with a comma between */
    const char *file;
    bool is_built;
    const char *option; /* of Meson */
    const char *library, *package;
} row;

static const row rows[LIMN_N_MODULES] = {
    [LIMN_MODULE_TIFF] = { "TIFF", "limn_tiff.so", HAVE_TIFF, "tiff", "libtiff", "libtiff-dev" },
    [LIMN_MODULE_HEIF] = { "HEIC,HEIF,AVIF", "limn_heif.so", HAVE_HEIF, "heif", "libheif",
                           "libheif-dev libdav1d-dev" },
    [LIMN_MODULE_JXL] = { "JPEG XL", "limn_jxl.so", HAVE_JXL, "jxl", "libjxl", "libjxl-dev" },
    [LIMN_MODULE_RAW] = { " RAW file", "limn_raw.so", HAVE_RAW, "raw", "LibRaw", "libraw-dev" },
    [LIMN_MODULE_ICC] = { "", "limn_icc.so", HAVE_ICC, "icc", "Little CMS", "liblcms2-dev" },
};

/* ---- the table ----------------------------------------------------------------------------- */

static bool has_end(const char *text, const char *end, size_t end_size)
{
    const size_t size = strlen(text);
    return size >= end_size && !memcmp(text + size - end_size, end, end_size);
}

static bool reads(const row *r, const char *format)
{
    for (const char *at = r->formats; *at;) {
        const size_t n = strcspn(at, ",");
        if (has_end(format, at, n)) return true;
        at += n + (at[n] == ',');
    }
    return false;
}

limn_module_id limn_module_of_format(const limn_image_format *format)
{
    if (format->decode || format->kind == LIMN_IMAGE_NOT) return LIMN_MODULE_NONE;
    for (int id = 0; id < LIMN_N_MODULES; id++)
        if (reads(&rows[id], format->name)) return (limn_module_id)id;
    return LIMN_MODULE_NONE;
}

bool limn_module_is_built(limn_module_id id)
{
    return rows[id].is_built;
}

bool limn_format_is_read(const limn_image_format *format)
{
    if (!format) return false;
    const limn_module_id id = limn_module_of_format(format);
    return format->decode || (id != LIMN_MODULE_NONE && limn_module_is_built(id));
}

/* ---- opening ------------------------------------------------------------------------------- */

/* A module in this process. */
typedef struct opened {
    const limn_decoder_module *module; /* NULL: not opened yet, or `error` says why not */
    char error[256];
} opened;

static opened modules[LIMN_N_MODULES];
static bool are_only_prepared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards `modules` */

static void open_module(opened *o, const char *file)
{
    o->module = limn_module_open_file(file, LIMN_MODULE_SYMBOL, o->error, sizeof o->error);
    if (o->module && o->module->prepare) o->module->prepare();
}

/* Under the mutex. */
static void open_once(limn_module_id id)
{
    opened *o = &modules[id];
    if (rows[id].is_built && !o->module && !o->error[0]) open_module(o, rows[id].file);
}

limn_status limn_module_get(const limn_decoder_module **out, limn_module_id id, limn_error *err)
{
    const row *r = &rows[id];
    opened *o = &modules[id];
    *out = NULL;
    if (!r->is_built)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "not supported in this build, which has no %s (Debian: %s; Meson: "
                         "-D%s=enabled)",
                         r->library, r->package, r->option);
    pthread_mutex_lock(&mutex);
    if (!are_only_prepared) open_once(id);
    *out = o->module;
    pthread_mutex_unlock(&mutex);
    if (*out) return LIMN_OK;
    if (o->error[0])
        return limn_fail(err, LIMN_E_UNSUPPORTED, "its decoder can't be opened: %s", o->error);
    limn_sandbox_need(1u << id);
    return limn_fail(err, LIMN_E_UNSUPPORTED, "its decoder is not open");
}

void limn_modules_only_prepared(void)
{
    are_only_prepared = true;
}

/* The first time that glibc's qsort needs more than its stack, it asks how much memory there is. */
static int in_order(const void *a, const void *b)
{
    (void)a;
    (void)b;
    return 0;
}

void limn_modules_prepare(uint32_t parts)
{
    char numbers[4096] = "";
    qsort(numbers, sizeof numbers, 1, in_order);
    pthread_mutex_lock(&mutex);
    for (int id = 0; id < LIMN_N_MODULES; id++)
        if (parts >> id & 1) open_once((limn_module_id)id);
    pthread_mutex_unlock(&mutex);
}

void limn_module_describe(char *text, size_t size, limn_module_id id)
{
    const limn_decoder_module *module;
    limn_error error = { 0 };
    if (!rows[id].is_built)
        snprintf(text, size, "no %s", rows[id].library);
    else if (limn_module_get(&module, id, &error) == LIMN_OK)
        module->describe(text, size);
    else
        snprintf(text, size, "no %s (%s)", rows[id].library, error.text);
}
