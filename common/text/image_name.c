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

/* Without a URL's query: "a.jpg?width=640" is "a.jpg". */
static size_t size_without_query(const char *name)
{
    for (const char *mark = strchr(name, '?'); mark; mark = strchr(mark + 1, '?')) {
        const size_t size = (size_t)(mark - name);
        if (limn_image_name_stem(name, size) < size) return size;
    }
    return strlen(name);
}

/* ".jpg", *size bytes; "" without one. */
static const char *ending_of(size_t *size, const char *name)
{
    const size_t whole = size_without_query(name), stem = limn_image_name_stem(name, whole);
    *size = whole - stem;
    return name + stem;
}

static bool have_one_ending(const char *a, const char *b)
{
    size_t size_a, size_b;
    const char *ending_a = ending_of(&size_a, a), *ending_b = ending_of(&size_b, b);
    return size_a == size_b && strncasecmp(ending_a, ending_b, size_a) == 0;
}

bool limn_image_name_endings_agree(const char *a, const char *b)
{
    size_t size_a, size_b;
    ending_of(&size_a, a);
    ending_of(&size_b, b);
    return !size_a || !size_b || have_one_ending(a, b);
}

/* Where the last component [*size, without a query] begins. */
static const char *last_part(size_t *size, const char *name)
{
    const size_t whole = size_without_query(name);
    size_t at = whole;
    while (at > 0 && name[at - 1] != '/') at--;
    *size = whole - at;
    return name + at;
}

/* Where the digits at the end of a stem [size bytes] begin; `size` without any. */
static size_t digits_at(const char *stem, size_t size)
{
    size_t at = size;
    while (at > 0 && isdigit((unsigned char)stem[at - 1])) at--;
    return at;
}

/* Where the number begins that makes up a stem [size bytes] or ends one of COCO's names; NULL when
 * there is none. */
static const char *number_of(const char *stem, size_t size)
{
    const size_t at = digits_at(stem, size);
    if (at == size) return NULL;
    if (at == 0 || (stem[at - 1] == '_' && strncasecmp(stem, "coco_", 5) == 0)) return stem + at;
    return NULL;
}

/* A number that pandas has made a fraction, "391895.0", without its end. */
static size_t size_of_whole_number(const char *stem, size_t size)
{
    const bool is_one =
        size > 2 && memcmp(stem + size - 2, ".0", 2) == 0 && digits_at(stem, size - 2) == 0;
    return is_one ? size - 2 : size;
}

void limn_image_name_key(limn_buffer *out, const char *name)
{
    size_t size;
    const char *last = last_part(&size, name);
    size = size_of_whole_number(last, limn_image_name_stem(last, size));
    const char *number = number_of(last, size);
    if (number) {
        size -= (size_t)(number - last);
        for (last = number; size > 1 && *last == '0'; size--) last++;
    }
    limn_buffer_clear(out);
    limn_buffer_append(out, last, size);
}

/* The last component, with backslashes as separators too. */
static const char *last_of_any(const char *name)
{
    const char *last = limn_path_last(name), *back = strrchr(last, '\\');
    return back && back[1] ? back + 1 : last;
}

/* Appends text in a normal form, and in one case when `is_folded`; unchanged where it is not
 * UTF-8. */
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

/* Where a dataset's number after words begins, as in "VizWiz_val_00000001": six digits or more, the
 * first a zero. NULL when there is none. */
static const char *number_behind_words(const char *stem)
{
    const size_t size = strlen(stem), at = digits_at(stem, size);
    return at > 0 && size - at >= 6 && stem[at] == '0' && stem[at - 1] == '_' ? stem + at : NULL;
}

void limn_image_name_fold(limn_buffer *out, const char *name)
{
    limn_buffer key = { 0 };
    limn_image_name_key(&key, last_of_any(name));
    const char *number = key.bytes ? number_behind_words(key.bytes) : NULL;
    if (number)
        while (*number == '0' && number[1]) number++;
    limn_buffer_clear(out);
    append_composed(out, number ? number : key.bytes ? key.bytes : "", true);
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

/* Bytes of the words before a number in the key; 0 where there are none. */
static size_t words_size(limn_buffer *key, const char *name)
{
    limn_image_name_key(key, last_of_any(name));
    const char *number = key->bytes ? number_behind_words(key->bytes) : NULL;
    return number ? (size_t)(number - key->bytes) : 0;
}

static bool differ_in_words(const char *a, const char *b)
{
    limn_buffer key_a = { 0 }, key_b = { 0 };
    const size_t size_a = words_size(&key_a, a), size_b = words_size(&key_b, b);
    const bool differ =
        size_a != size_b || (size_a && strncasecmp(key_a.bytes, key_b.bytes, size_a) != 0);
    limn_buffer_finish(&key_a);
    limn_buffer_finish(&key_b);
    return differ;
}

static bool differ_in_case(const char *a, const char *b)
{
    size_t size_a, size_b;
    const char *ending_a = ending_of(&size_a, a), *ending_b = ending_of(&size_b, b);
    limn_buffer key_a = { 0 }, key_b = { 0 };
    append_composed_key(&key_a, a);
    append_composed_key(&key_b, b);
    const bool keys_differ = key_a.bytes && key_b.bytes && strcmp(key_a.bytes, key_b.bytes) != 0 &&
                             !differ_in_words(a, b);
    limn_buffer_finish(&key_a);
    limn_buffer_finish(&key_b);
    return keys_differ || (have_one_ending(a, b) && memcmp(ending_a, ending_b, size_a) != 0);
}

static bool differ_in_ending(const char *a, const char *b)
{
    return !have_one_ending(a, b);
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
        { differ_in_ending, "the extension" },
        { differ_in_zeros, "zeros in front" },
        { differ_in_words, "what stands before the number (which may not be the image's id, as of "
                           "VizWiz: take a file that has both, with images and annotations)" },
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
