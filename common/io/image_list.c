#include "common/io/image_list.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/path.h"
#include "common/text/word_counts.h"

#define MAX_LIST_SIZE ((size_t)1 << 30) /* bytes */

struct limn_image_list {
    limn_word_counts *names;
};

static limn_status add_lines(limn_image_list *list, char *text, limn_error *err)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        const char *name = limn_path_last(line);
        LIMN_TRY(limn_word_counts_add_word(list->names, name, strlen(name), err));
    }
    return LIMN_OK;
}

static limn_status read_into(limn_image_list *list, const char *path, limn_error *err)
{
    unsigned char *text = NULL;
    size_t size;
    LIMN_TRY(limn_word_counts_create(&list->names, err));
    LIMN_TRY(limn_file_read(&text, &size, path, MAX_LIST_SIZE, err));
    const limn_status status = add_lines(list, (char *)text, err);
    limn_free(text);
    return status;
}

limn_status limn_image_list_read(limn_image_list **out, const char *path, limn_error *err)
{
    *out = limn_calloc(1, sizeof **out);
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    const limn_status status = read_into(*out, path, err);
    if (status != LIMN_OK) limn_image_list_destroy(out);
    return status;
}

void limn_image_list_destroy(limn_image_list **list)
{
    if (!list || !*list) return;
    limn_word_counts_destroy(&(*list)->names);
    limn_free(*list);
    *list = NULL;
}

static bool has(const limn_image_list *list, const char *name)
{
    const char *last = name ? limn_path_last(name) : "";
    return limn_word_counts_of(list->names, last, strlen(last)) > 0;
}

bool limn_image_list_has(const limn_image_list *list, const char *id, const char *alias)
{
    return has(list, id) || has(list, alias);
}
