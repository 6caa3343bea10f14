#include "common/text/image_name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <utf8proc.h>

#include "common/image/format.h"
#include "common/text/path.h"

size_t limn_image_name_stem(const char *name, size_t size)
{
    size_t dot = size;
    while (dot > 0 && name[dot - 1] != '.' && name[dot - 1] != '/') dot--;
    if (dot < 2 || name[dot - 1] == '/' || name[dot - 2] == '/') return size;
    return limn_image_format_of_ending(name + dot, size - dot) ? dot - 1 : size;
}

bool limn_image_name_has_ending(const char *name)
{
    return limn_image_name_stem(name, strlen(name)) < strlen(name);
}

bool limn_image_name_endings_agree(const char *a, const char *b)
{
    const char *ending_a = a + limn_image_name_stem(a, strlen(a));
    const char *ending_b = b + limn_image_name_stem(b, strlen(b));
    return !*ending_a || !*ending_b || strcasecmp(ending_a, ending_b) == 0;
}

/* Where the digits of a number begin that is a stem [size bytes], or ends one of COCO's names; NULL
 * where it is no number. */
static const char *number_of(const char *stem, size_t size)
{
    size_t at = size;
    while (at > 0 && isdigit((unsigned char)stem[at - 1])) at--;
    if (at == size) return NULL;
    if (at == 0 || (stem[at - 1] == '_' && strncasecmp(stem, "coco_", 5) == 0)) return stem + at;
    return NULL;
}

void limn_image_name_key(limn_buffer *out, const char *name)
{
    const char *last = limn_path_last(name);
    size_t size = limn_image_name_stem(last, strlen(last));
    const char *number = number_of(last, size);
    if (number) {
        size -= (size_t)(number - last);
        for (last = number; size > 1 && *last == '0'; size--) last++;
    }
    limn_buffer_clear(out);
    limn_buffer_append(out, last, size);
}

/* The last component, also behind a backslash. */
static const char *last_of_any(const char *name)
{
    const char *last = limn_path_last(name), *back = strrchr(last, '\\');
    return back && back[1] ? back + 1 : last;
}

/* Appends text in a normal form, and in one case when `is_folded`; as it is where it is no UTF-8.
 */
static void append_composed(limn_buffer *out, const char *text, bool is_folded)
{
    const utf8proc_option_t options = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
                                      (is_folded ? UTF8PROC_CASEFOLD : 0);
    utf8proc_uint8_t *composed = NULL;
    const utf8proc_ssize_t size =
        utf8proc_map((const utf8proc_uint8_t *)text, 0, &composed, options);
    limn_buffer_append_text(out, size >= 0 ? (const char *)composed : text);
    free(composed);
}

void limn_image_name_fold(limn_buffer *out, const char *name)
{
    limn_buffer key = { 0 };
    limn_image_name_key(&key, last_of_any(name));
    limn_buffer_clear(out);
    append_composed(out, key.bytes ? key.bytes : "", true);
    out->has_failed |= key.has_failed;
    limn_buffer_finish(&key);
}

/* ---- differences -------------------------------------------------------------------------- */

static bool is_zero_padded(const char *name)
{
    const char *last = last_of_any(name);
    const char *number = number_of(last, limn_image_name_stem(last, strlen(last)));
    return number && number[0] == '0' && number[1];
}

/* The composed key: what is left of names with equal folds is then their case. */
static void append_composed_key(limn_buffer *out, const char *name)
{
    limn_buffer key = { 0 };
    limn_image_name_key(&key, last_of_any(name));
    append_composed(out, key.bytes ? key.bytes : "", false);
    limn_buffer_finish(&key);
}

static bool differ_in_case(const char *a, const char *b)
{
    const char *ending_a = a + limn_image_name_stem(a, strlen(a));
    const char *ending_b = b + limn_image_name_stem(b, strlen(b));
    limn_buffer key_a = { 0 }, key_b = { 0 };
    append_composed_key(&key_a, a);
    append_composed_key(&key_b, b);
    const bool keys_differ = key_a.bytes && key_b.bytes && strcmp(key_a.bytes, key_b.bytes) != 0;
    limn_buffer_finish(&key_a);
    limn_buffer_finish(&key_b);
    return keys_differ || (strcmp(ending_a, ending_b) != 0 && strcasecmp(ending_a, ending_b) == 0);
}

static bool differ_in_ending(const char *a, const char *b)
{
    return strcasecmp(a + limn_image_name_stem(a, strlen(a)),
                      b + limn_image_name_stem(b, strlen(b))) != 0;
}

static bool differ_in_zeros(const char *a, const char *b)
{
    return is_zero_padded(a) != is_zero_padded(b);
}

static bool differ_in_slashes(const char *a, const char *b)
{
    return !strchr(a, '\\') != !strchr(b, '\\');
}

/* Whether composing changes a text. */
static bool is_decomposed(const char *text)
{
    limn_buffer composed = { 0 };
    append_composed(&composed, text, false);
    const bool result = composed.bytes && strcmp(composed.bytes, text) != 0;
    limn_buffer_finish(&composed);
    return result;
}

static bool differ_in_form(const char *a, const char *b)
{
    return is_decomposed(a) != is_decomposed(b);
}

void limn_image_name_difference(limn_buffer *out, const char *a, const char *b)
{
    static const struct {
        bool (*differ)(const char *a, const char *b);
        const char *what;
    } kinds[] = {
        { differ_in_ending, "the ending" },
        { differ_in_zeros, "zeros in front" },
        { differ_in_case, "upper and lower case" },
        { differ_in_slashes, "backslashes" },
        { differ_in_form, "Unicode's normal form (NFC, NFD)" },
    };
    limn_buffer_clear(out);
    limn_buffer_append_text(out, "");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].differ(a, b))
            limn_buffer_printf(out, "%s%s", out->size > 0 ? ", " : "", kinds[i].what);
}
