/* realpath is of X/Open, not of the base of POSIX. */
#define _XOPEN_SOURCE 700

#include "tools/page/page_link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"

/* The folder that a path is in, resolved; to be freed with free(). NULL: there is none. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? limn_strndup(path, (size_t)(slash - path) + 1) : limn_strdup(".");
    char *resolved = folder ? realpath(folder, NULL) : NULL;
    limn_free(folder);
    return resolved;
}

static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~/", c);
}

static void append_encoded(limn_buffer *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (is_plain((unsigned char)*c))
            limn_buffer_append(out, c, 1);
        else
            limn_buffer_printf(out, "%%%02X", (unsigned char)*c);
    }
}

/* Length of the folders that two resolved folders begin with, each a whole name. */
static size_t common_length(const char *a, const char *b)
{
    size_t i = 0, end = 0;
    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/') end = i;
    if ((!a[i] || a[i] == '/') && (!b[i] || b[i] == '/')) end = i;
    return end;
}

/* From folder to folder, with a slash at the end of each name. */
static void append_way(limn_buffer *out, const char *from, const char *to)
{
    const size_t common = common_length(from, to);
    for (const char *c = from + common; *c; c++)
        if (*c == '/' && c[1]) limn_buffer_append_text(out, "../");
    to += common;
    to += *to == '/';
    if (!*to) return;
    append_encoded(out, to);
    limn_buffer_append_text(out, "/");
}

bool limn_page_append_link(limn_buffer *out, const char *page, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode)) return false;
    char *from = folder_of(page), *to = folder_of(path);
    const bool is_known = from && to;
    if (is_known) {
        limn_buffer_append_text(out, "./"); /* a colon in the name is no scheme */
        append_way(out, from, to);
        append_encoded(out, slash ? slash + 1 : path);
    }
    free(from);
    free(to);
    return is_known;
}
