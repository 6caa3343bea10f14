#include "tools/annotate/xmp/packet.h"

#include <exempi/xmp.h>
#include <exempi/xmpconsts.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tools/annotate/xmp/packet_module.h"

#define NS LIMN_XMP_NAMESPACE

/* Where a property has texts for x-default and one other language, exempi makes the other one equal
 * to the first: it does not get to see that name. */
#define X_DEFAULT "x-default"
#define MASKED "x-default-limn"
#define OF_X_DEFAULT "[?xml:lang=\"" MASKED "\"]"

enum { PATH_SIZE = 128 };

/* A packet while it is worked on. */
typedef struct packet {
    XmpPtr xmp;
    XmpStringPtr text; /* of the last property read */
    bool has_failed;   /* exempi refused a change, or memory ran out */
} packet;

/* A property with a text for each language. */
typedef struct localized {
    const char *schema, *name;
    const char *written, *displaced; /* limn's notes about it */
} localized;

static const localized description = { NS_DC, "description", "Description", "Displaced" };
static const localized alt_text = { NS_IPTC4XMP, "AltTextAccessibility", "AltText",
                                    "DisplacedAltText" };

/* ---- properties ------------------------------------------------------------------------- */

/* A copy of a property's value, which the caller frees; NULL when there is none. */
static char *get(packet *p, const char *schema, const char *path)
{
    char *copy;
    if (!xmp_get_property(p->xmp, schema, path, p->text, NULL)) return NULL;
    copy = limn_strdup(xmp_string_cstr(p->text));
    p->has_failed = p->has_failed || !copy;
    return copy;
}

static void set(packet *p, const char *schema, const char *path, const char *value)
{
    if (!xmp_set_property(p->xmp, schema, path, value, 0)) p->has_failed = true;
}

static void set_note(packet *p, const char *name, const char *value)
{
    if (value) set(p, NS, name, value);
}

static bool is_blank(const char *text)
{
    return !text || !text[strspn(text, " \t\r\n")];
}

/* ---- texts in languages ------------------------------------------------------------------ */

static void path_of(char path[PATH_SIZE], const localized *l, const char *rest)
{
    snprintf(path, PATH_SIZE, "%s%s", l->name, rest);
}

/* The text for every language. */
static char *get_default(packet *p, const localized *l)
{
    char path[PATH_SIZE];
    uint32_t shape = 0;
    if (xmp_get_property(p->xmp, l->schema, l->name, p->text, &shape) && XMP_IS_PROP_SIMPLE(shape))
        return get(p, l->schema, l->name); /* without languages, as it should not be */
    path_of(path, l, OF_X_DEFAULT);
    return get(p, l->schema, path);
}

/* Whether there is a text in any language, or one in a shape that the property should not have. */
static bool has_text(packet *p, const localized *l)
{
    uint32_t shape = 0;
    if (!xmp_get_property(p->xmp, l->schema, l->name, p->text, &shape)) return false;
    if (XMP_IS_PROP_SIMPLE(shape)) return !is_blank(xmp_string_cstr(p->text));
    if (!XMP_IS_PROP_ARRAY(shape)) return true;
    for (int i = 1; xmp_get_array_item(p->xmp, l->schema, l->name, i, p->text, NULL); i++)
        if (!is_blank(xmp_string_cstr(p->text))) return true;
    return false;
}

/* Makes room for the text for every language, in front of those for others. */
static void insert_default(packet *p, const localized *l, const char *value)
{
    char path[PATH_SIZE];
    uint32_t shape = 0;
    if (xmp_get_property(p->xmp, l->schema, l->name, p->text, &shape) && !XMP_IS_PROP_ARRAY(shape))
        xmp_delete_property(p->xmp, l->schema, l->name);
    const bool is_done =
        xmp_has_property(p->xmp, l->schema, l->name)
            ? xmp_set_array_item(p->xmp, l->schema, l->name, 1, value, XMP_PROP_ARRAY_INSERT_BEFORE)
            : xmp_append_array_item(p->xmp, l->schema, l->name, XMP_PROP_ARRAY_IS_ALTTEXT, value,
                                    0);
    p->has_failed = p->has_failed || !is_done;
    path_of(path, l, "[1]/?xml:lang");
    set(p, l->schema, path, MASKED);
}

/* Leaves the texts for other languages alone, which exempi's own function for this changes too. */
static void set_default(packet *p, const localized *l, const char *value)
{
    char path[PATH_SIZE];
    path_of(path, l, OF_X_DEFAULT);
    if (xmp_has_property(p->xmp, l->schema, path))
        set(p, l->schema, path, value);
    else
        insert_default(p, l, value);
}

/* An array without items goes too. */
static void delete_if_empty(packet *p, const char *schema, const char *name)
{
    if (!xmp_get_array_item(p->xmp, schema, name, 1, p->text, NULL))
        xmp_delete_property(p->xmp, schema, name);
}

static void delete_default(packet *p, const localized *l)
{
    char path[PATH_SIZE];
    path_of(path, l, OF_X_DEFAULT);
    xmp_delete_property(p->xmp, l->schema, path);
    delete_if_empty(p, l->schema, l->name);
}

/* Whether the text is limn's, and nobody has changed it. */
static bool is_limns(packet *p, const localized *l)
{
    char *now = get_default(p, l), *written = get(p, NS, l->written);
    const bool is = now && written && !strcmp(now, written);
    limn_free(now);
    limn_free(written);
    return is;
}

/* Puts a text in the place of another one, with notes about both. */
static void put_text(packet *p, const localized *l, const char *text)
{
    char *before = get_default(p, l);
    set_default(p, l, text);
    set_note(p, l->written, text);
    set_note(p, l->displaced, is_blank(before) ? NULL : before);
    limn_free(before);
}

/* ---- taking back ------------------------------------------------------------------------ */

/* Whether the text that limn displaced was to be seen until now, beside limn's. */
static bool was_seen(packet *p, const localized *l)
{
    return l == &description && xmp_has_property(p->xmp, NS, "Place");
}

/* A person's text took the place of another one, which is not to be lost: both are kept. */
static void keep_both(packet *p, const localized *l, const char *displaced)
{
    char *now = get_default(p, l);
    limn_buffer both = { 0 };
    if (is_blank(now))
        set_default(p, l, displaced);
    else if (!strstr(now, displaced)) {
        limn_buffer_printf(&both, "%s\n%s", displaced, now);
        p->has_failed = p->has_failed || both.has_failed;
        if (!both.has_failed) set_default(p, l, both.bytes);
    }
    limn_buffer_finish(&both);
    limn_free(now);
}

/* is_given: a caption was given by a person, and so stays, with the text that it displaced, since
 * the note of that goes. */
static void take_back_text(packet *p, const localized *l, bool is_given)
{
    char *displaced = get(p, NS, l->displaced);
    if (is_given || !is_limns(p, l)) { /* a person's, perhaps by now */
        if (!is_blank(displaced) && !was_seen(p, l)) keep_both(p, l, displaced);
    } else if (displaced)
        set_default(p, l, displaced);
    else
        delete_default(p, l);
    limn_free(displaced);
}

/* The position of a tag in dc:subject; 0: it is not there. */
static int find_tag(packet *p, const char *tag)
{
    for (int i = 1; xmp_get_array_item(p->xmp, NS_DC, "subject", i, p->text, NULL); i++)
        if (!strcmp(xmp_string_cstr(p->text), tag)) return i;
    return 0;
}

static void take_back_tags(packet *p)
{
    for (int i = 1; xmp_get_array_item(p->xmp, NS, "Tags", i, p->text, NULL); i++) {
        char path[PATH_SIZE], *tag = limn_strdup(xmp_string_cstr(p->text));
        const int at = tag ? find_tag(p, tag) : 0;
        snprintf(path, sizeof path, "subject[%d]", at);
        if (at) xmp_delete_property(p->xmp, NS_DC, path);
        if (at) delete_if_empty(p, NS_DC, "subject");
        p->has_failed = p->has_failed || !tag;
        limn_free(tag);
    }
}

static const char *const notes[] = { "Description",      "Displaced", "Place",      "AltText",
                                     "DisplacedAltText", "Tags",      "Confidence", "Model" };
enum { N_NOTES = sizeof notes / sizeof *notes };

static bool has_notes(packet *p)
{
    for (size_t i = 0; i < N_NOTES; i++)
        if (xmp_has_property(p->xmp, NS, notes[i])) return true;
    return false;
}

/* Another caption that a person gives (without a model) replaces the first. */
static void take_back(packet *p, const limn_xmp_request *r)
{
    const bool is_undone = r->task == LIMN_XMP_STRIP;
    const bool is_given = (is_undone || r->model) && !xmp_has_property(p->xmp, NS, "Model");
    take_back_text(p, &description, is_given);
    take_back_text(p, &alt_text, is_given);
    take_back_tags(p);
    for (size_t i = 0; i < N_NOTES; i++) xmp_delete_property(p->xmp, NS, notes[i]);
}

/* ---- writing ------------------------------------------------------------------------------ */

static limn_xmp_author author_of(packet *p)
{
    if (is_limns(p, &description))
        return xmp_has_property(p->xmp, NS, "Model") ? LIMN_XMP_MACHINE : LIMN_XMP_CORRECTED;
    return has_text(p, &description) ? LIMN_XMP_PERSON : LIMN_XMP_NOBODY;
}

/* Where the caption goes: "after", "before", or NULL: in the place of what is there. The caller
 * frees it. */
static char *place_of(packet *p, const limn_xmp_request *r)
{
    if (r->existing == LIMN_EXISTING_OVERWRITE) return NULL;
    if (r->existing == LIMN_EXISTING_APPEND) return limn_strdup("after");
    if (r->existing == LIMN_EXISTING_PREPEND) return limn_strdup("before");
    return is_limns(p, &description) ? get(p, NS, "Place") : NULL;
}

static void put_description(packet *p, const limn_xmp_request *r, const char *place)
{
    const char *separator = r->separator ? r->separator : "\n";
    char *before = get_default(p, &description);
    limn_buffer text = { 0 };
    if (!place || is_blank(before))
        limn_buffer_append_text(&text, r->caption);
    else if (!strcmp(place, "before"))
        limn_buffer_printf(&text, "%s%s%s", r->caption, separator, before);
    else
        limn_buffer_printf(&text, "%s%s%s", before, separator, r->caption);
    p->has_failed = p->has_failed || text.has_failed;
    if (!text.has_failed) put_text(p, &description, text.bytes);
    if (place && !is_blank(before)) set_note(p, "Place", place);
    limn_buffer_finish(&text);
    limn_free(before);
}

static void append_item(packet *p, const char *schema, const char *name, const char *value)
{
    if (!xmp_append_array_item(p->xmp, schema, name, XMP_PROP_VALUE_IS_ARRAY, value, 0))
        p->has_failed = true;
}

/* Those that are not there yet. */
static void add_tags(packet *p, const limn_xmp_request *r)
{
    for (size_t i = 0; i < r->n_tags; i++) {
        if (find_tag(p, r->tags[i])) continue;
        append_item(p, NS_DC, "subject", r->tags[i]);
        append_item(p, NS, "Tags", r->tags[i]);
    }
}

static void put_caption(packet *p, const limn_xmp_request *r)
{
    char *place = place_of(p, r);
    take_back(p, r); /* what an earlier run wrote */
    put_description(p, r, place);
    if (r->alt_text && (!has_text(p, &alt_text) || r->existing == LIMN_EXISTING_OVERWRITE))
        put_text(p, &alt_text, r->alt_text);
    add_tags(p, r);
    set_note(p, "Confidence", r->confidence);
    set_note(p, "Model", r->model);
    limn_free(place);
}

/* ---- packets ------------------------------------------------------------------------------- */

/* Whether nothing is in it. */
static bool is_empty(packet *p)
{
    XmpIteratorPtr i = xmp_iterator_new(p->xmp, "", "", XMP_ITER_JUSTCHILDREN);
    const bool is = i && !xmp_iterator_next(i, NULL, NULL, NULL, NULL);
    if (i) xmp_iterator_free(i);
    return is;
}

/* Appends `text` [size] with one word for another. */
static void append_replaced(limn_buffer *out, const char *text, size_t size, const char *word,
                            const char *other)
{
    const size_t n = strlen(word);
    size_t done = 0;
    for (size_t i = 0; i + n <= size; i++) {
        if (memcmp(text + i, word, n) != 0) continue;
        limn_buffer_append(out, text + done, i - done);
        limn_buffer_append_text(out, other);
        done = i + n;
        i = done - 1;
    }
    limn_buffer_append(out, text + done, size - done);
}

/* Every property is an element, in the order that exempi reads them in again, so that a packet that
 * is read and written once more has the same bytes. */
static void serialize(packet *p, limn_buffer *out, bool is_embedded)
{
    if (!xmp_serialize(p->xmp, p->text, is_embedded ? 0 : XMP_SERIAL_OMITPACKETWRAPPER, 0)) {
        p->has_failed = true;
        return;
    }
    append_replaced(out, xmp_string_cstr(p->text), xmp_string_len(p->text), MASKED, X_DEFAULT);
}

static limn_status run(limn_xmp_answer *answer, packet *p, const limn_xmp_request *r,
                       const char *bytes, size_t size, limn_error *err)
{
    answer->author = author_of(p);
    if (r->task == LIMN_XMP_LOOK || (r->task == LIMN_XMP_STRIP && !has_notes(p))) return LIMN_OK;
    if (r->task == LIMN_XMP_WRITE)
        put_caption(p, r);
    else
        take_back(p, r);
    if (!is_empty(p)) serialize(p, &answer->packet, r->is_embedded);
    if (answer->packet.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (p->has_failed)
        return limn_fail(err, LIMN_E_FORMAT,
                         "a caption can't be added to its XMP (exempi error %d)", xmp_get_error());
    answer->is_changed =
        answer->packet.size != size || (size && memcmp(answer->packet.bytes, bytes, size) != 0);
    return LIMN_OK;
}

/* Once a process. */
static limn_status initialize(packet *p, limn_error *err)
{
    static bool is_done;
    if (is_done) return LIMN_OK;
    if (!xmp_init() || !xmp_register_namespace(NS, "limn", p->text))
        return limn_fail(err, LIMN_E_NOMEM, "exempi can't be started (error %d)", xmp_get_error());
    is_done = true;
    return LIMN_OK;
}

static limn_status parse(packet *p, const char *bytes, size_t size, limn_error *err)
{
    limn_buffer masked = { 0 };
    append_replaced(&masked, bytes, size, MASKED, "");
    if (masked.size != size) {
        limn_buffer_finish(&masked);
        return limn_fail(err, LIMN_E_UNSUPPORTED, "its XMP contains the word " MASKED);
    }
    limn_buffer_clear(&masked);
    append_replaced(&masked, bytes, size, X_DEFAULT, MASKED);
    if (!masked.has_failed) p->xmp = size ? xmp_new(masked.bytes, masked.size) : xmp_new_empty();
    limn_buffer_finish(&masked);
    if (p->xmp) return LIMN_OK;
    return limn_fail(err, LIMN_E_FORMAT, "its XMP can't be read (exempi error %d)",
                     xmp_get_error());
}

/* exempi makes of a plain text of Dublin Core one for every language, by the name that is masked in
 * what it read. */
static void mask_default(packet *p, const localized *l)
{
    char path[PATH_SIZE], *language;
    path_of(path, l, "[1]/?xml:lang");
    language = get(p, l->schema, path);
    if (language && !strcmp(language, X_DEFAULT)) set(p, l->schema, path, MASKED);
    limn_free(language);
}

static limn_status run_packet(limn_xmp_answer *answer, const limn_xmp_request *request,
                              const char *bytes, size_t size, limn_error *err)
{
    packet p = { .text = xmp_string_new() };
    limn_status s = initialize(&p, err);
    if (s == LIMN_OK) s = parse(&p, bytes, size, err);
    if (s == LIMN_OK) mask_default(&p, &description);
    if (s == LIMN_OK) s = run(answer, &p, request, bytes, size, err);
    if (p.xmp) xmp_free(p.xmp);
    xmp_string_free(p.text);
    return s;
}

const limn_xmp_module limn_xmp_module_here = { .run = run_packet };
