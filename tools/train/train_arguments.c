#define _XOPEN_SOURCE 700 /* realpath */
#include "tools/train/train_arguments.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"

#define MAX_SIZE ((size_t)1 << 20) /* bytes of run.json */

limn_status limn_train_arguments_write(const char *path, int argc, char **argv, limn_error *err)
{
    char folder[PATH_MAX];
    json_t *list = json_array();
    char *text = NULL;
    bool is_utf8 = getcwd(folder, sizeof folder) != NULL;
    for (int i = 0; i < argc && is_utf8; i++)
        is_utf8 = json_array_append_new(list, json_string(argv[i])) == 0;
    json_t *object = is_utf8 ? json_pack("{s:s, s:s, s:O}", "version", LIMN_VERSION, "folder",
                                         folder, "arguments", list)
                             : NULL;
    if (object) text = json_dumps(object, JSON_INDENT(1));
    const limn_status status = text ? limn_file_replace(path, text, strlen(text), err)
                                    : limn_fail(err, LIMN_E_ARG,
                                                "the current folder or an argument is not valid "
                                                "UTF-8, so the run couldn't be resumed; rename it");
    free(text);
    json_decref(object);
    json_decref(list);
    return status;
}

static limn_status take_arguments(limn_train_arguments *a, const limn_json_node *root,
                                  limn_error *err)
{
    limn_json_node list;
    size_t n;
    LIMN_TRY(limn_json_array(&list, &n, root, "arguments", err));
    a->argv = limn_calloc(n + 1, sizeof *a->argv);
    if (!a->argv) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu arguments", n);
    for (size_t i = 0; i < n; i++) {
        const limn_json_node item = limn_json_at(&list, i);
        const char *text;
        LIMN_TRY(limn_json_as_string(&text, &item, err));
        if (!(a->argv[i] = limn_strdup(text)))
            return limn_fail(err, LIMN_E_NOMEM, "no memory for an argument");
        a->argc++;
    }
    return LIMN_OK;
}

static limn_status parse(limn_train_arguments *a, const char *text, size_t size, limn_error *err)
{
    json_t *document = NULL;
    const char *folder;
    LIMN_TRY(limn_json_parse(&document, text, size, err));
    const limn_json_node root = limn_json_root(document);
    limn_status status = limn_json_string(&folder, &root, "folder", err);
    if (status == LIMN_OK) status = take_arguments(a, &root, err);
    if (status == LIMN_OK && chdir(folder) != 0)
        status =
            limn_fail(err, LIMN_E_IO, "%s, where the run was started: %s", folder, strerror(errno));
    json_decref(document);
    return status;
}

limn_status limn_train_arguments_read(limn_train_arguments *a, const char *run, limn_error *err)
{
    limn_buffer path = { 0 };
    unsigned char *text = NULL;
    size_t size;
    char *absolute = realpath(run, NULL);
    *a = (limn_train_arguments){ .run = absolute ? limn_strdup(absolute) : NULL };
    free(absolute);
    if (!a->run) return limn_fail(err, LIMN_E_ARG, "%s: %s", run, strerror(errno));
    limn_buffer_printf(&path, "%s/run.json", a->run);
    limn_status status = path.has_failed ? limn_fail(err, LIMN_E_NOMEM, "no memory for a name")
                                         : limn_file_read(&text, &size, path.bytes, MAX_SIZE, err);
    if (status == LIMN_OK) {
        status = parse(a, (const char *)text, size, err);
        if (status != LIMN_OK) limn_error_prefix(err, "%s", path.bytes);
    }
    limn_free(text);
    limn_buffer_finish(&path);
    return status;
}

void limn_train_arguments_finish(limn_train_arguments *a)
{
    for (int i = 0; i < a->argc; i++) limn_free(a->argv[i]);
    limn_free(a->argv);
    limn_free(a->run);
    *a = (limn_train_arguments){ 0 };
}
