#include "models/option_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/status.h"
#include "common/text/edit_distance.h"
#include "common/text/file_name.h"

/* ---- reading ------------------------------------------------------------------------------ */

/* Whether strtod read all of `text`, and it is decimal: no "inf", "nan", "0x1p3" or white space. */
static bool is_decimal(const char *text, const char *end)
{
    return end != text && !*end && strspn(text, "+-.0123456789eE") == strlen(text);
}

static limn_status out_of_range(const limn_option *o, const char *text, limn_error *err)
{
    return limn_fail(err, LIMN_E_ARG, "%s: %s is not in %.16g … %.16g", o->name, text, o->min,
                     o->max);
}

static limn_status read_whole(uint64_t *out, const limn_option *o, const char *text,
                              limn_error *err)
{
    const char *digits = *text == '-' ? text + 1 : text;
    const size_t n_digits = strspn(digits, "0123456789");
    unsigned long long value;
    if (!n_digits || digits[n_digits])
        return limn_fail(err, LIMN_E_ARG, "%s: '%s' is not a whole number", o->name, text);
    if (digits != text) return out_of_range(o, text, err);
    errno = 0;
    value = strtoull(text, NULL, 10);
    if (errno || (double)value < o->min || (double)value > o->max)
        return out_of_range(o, text, err);
    *out = value;
    return LIMN_OK;
}

static limn_status read_count(uint32_t *out, const limn_option *o, const char *text,
                              limn_error *err)
{
    uint64_t whole;
    LIMN_TRY(read_whole(&whole, o, text, err));
    *out = (uint32_t)whole;
    return LIMN_OK;
}

static limn_status read_real(float *out, const limn_option *o, const char *text, limn_error *err)
{
    char *end;
    const double value = strtod(text, &end);
    if (!is_decimal(text, end))
        return limn_fail(err, LIMN_E_ARG, "%s: '%s' is not a number", o->name, text);
    if (!(value >= o->min && value <= o->max)) return out_of_range(o, text, err);
    *out = (float)value;
    return LIMN_OK;
}

/* The index of `text` among names, NULL after the last. */
static limn_status read_name(unsigned *out, const limn_option *o, const char *const *names,
                             const char *text, limn_error *err)
{
    char all[256] = "";
    for (unsigned i = 0; names[i]; i++) {
        const size_t used = strlen(all);
        if (!strcmp(names[i], text)) {
            *out = i;
            return LIMN_OK;
        }
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    return limn_fail(err, LIMN_E_ARG, "%s: '%s' is not one of %s", o->name, text, all);
}

static limn_status read_flag(bool *out, const limn_option *o, const char *text, limn_error *err)
{
    static const char *const names[] = { "no", "yes", NULL };
    unsigned index = 1;
    if (text) LIMN_TRY(read_name(&index, o, names, text, err));
    *out = index == 1;
    return LIMN_OK;
}

static limn_status read_bit(unsigned *out, const limn_option *o, const char *text, limn_error *err)
{
    bool is_set;
    LIMN_TRY(read_flag(&is_set, o, text, err));
    *out = is_set ? *out | o->bit : *out & ~o->bit;
    return LIMN_OK;
}

static limn_status read_item(limn_option_list *list, const limn_option *o, const char *text,
                             limn_error *err)
{
    const char **items = limn_realloc(list->items, list->n_items + 1, sizeof *items);
    if (!items) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", o->name);
    items[list->n_items++] = text;
    list->items = items;
    return LIMN_OK;
}

limn_status limn_option_read(void *settings, const limn_option *o, const char *text,
                             limn_error *err)
{
    void *field = (char *)settings + o->offset;
    switch (o->type) {
    case LIMN_OPT_FLAG: return read_flag(field, o, text, err);
    case LIMN_OPT_BIT: return read_bit(field, o, text, err);
    default: break;
    }
    if (!text) return limn_fail(err, LIMN_E_ARG, "%s needs %s", o->name, o->argument);
    switch (o->type) {
    case LIMN_OPT_COUNT: return read_count(field, o, text, err);
    case LIMN_OPT_SIZE: return read_whole(field, o, text, err);
    case LIMN_OPT_REAL: return read_real(field, o, text, err);
    case LIMN_OPT_CHOICE: return read_name(field, o, o->choices, text, err);
    case LIMN_OPT_LIST: return read_item(field, o, text, err);
    default: *(const char **)field = text; return LIMN_OK;
    }
}

/* ---- writing ------------------------------------------------------------------------------ */

double limn_option_number(const void *settings, const limn_option *o)
{
    const void *field = (const char *)settings + o->offset;
    switch (o->type) {
    case LIMN_OPT_COUNT: return *(const uint32_t *)field;
    case LIMN_OPT_SIZE: return (double)*(const uint64_t *)field;
    case LIMN_OPT_REAL: return (double)*(const float *)field;
    default: return *(const unsigned *)field;
    }
}

static void append_text(limn_buffer *out, const limn_option *o, const char *text)
{
    limn_buffer_printf(out, "%s ", o->name);
    limn_file_name_append_line(out, text ? text : "");
    limn_buffer_append_text(out, "\n");
}

static void append_number(limn_buffer *out, const limn_option *o, const void *settings)
{
    const double value = limn_option_number(settings, o);
    if (!(value >= o->min && value <= o->max)) /* NaN too */
        append_text(out, o, "default");
    else if (o->type == LIMN_OPT_REAL)
        limn_buffer_printf(out, "%s %.9g\n", o->name, value);
    else
        limn_buffer_printf(out, "%s %" PRIu64 "\n", o->name, (uint64_t)value);
}

static void append_choice(limn_buffer *out, const limn_option *o, unsigned value)
{
    unsigned i = 0;
    while (o->choices[i] && i != value) i++;
    append_text(out, o, o->choices[i] ? o->choices[i] : "default");
}

static void append_list(limn_buffer *out, const limn_option *o, const limn_option_list *list)
{
    for (size_t i = 0; i < list->n_items; i++) append_text(out, o, list->items[i]);
}

void limn_option_append_value(limn_buffer *out, const void *settings, const limn_option *o)
{
    const void *field = (const char *)settings + o->offset;
    switch (o->type) {
    case LIMN_OPT_FLAG: append_text(out, o, *(const bool *)field ? "yes" : "no"); return;
    case LIMN_OPT_BIT:
        append_text(out, o, *(const unsigned *)field & o->bit ? "yes" : "no");
        return;
    case LIMN_OPT_CHOICE: append_choice(out, o, *(const unsigned *)field); return;
    case LIMN_OPT_TEXT: append_text(out, o, *(const char *const *)field); return;
    case LIMN_OPT_LIST: append_list(out, o, field); return;
    default: append_number(out, o, settings); return;
    }
}

/* ---- names -------------------------------------------------------------------------------- */

bool limn_option_has_name(const limn_option *o, const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!o->name[i] || o->name[i] != (name[i] == '_' ? '-' : name[i])) return false;
    return !o->name[size];
}

void limn_near_name_consider(limn_near_name *best, const limn_option *o, const char *mistaken)
{
    const size_t size = strlen(mistaken);
    const bool is_beginning = size > 2 && !strncmp(o->name, mistaken, size);
    const size_t d = is_beginning ? 1 : limn_edit_distance(o->name, mistaken);
    if (o->help && d < best->distance) *best = (limn_near_name){ o->name, d };
}
