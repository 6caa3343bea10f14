#include "tools/page/page.h"

#include <string.h>

#include "common/io/fileio.h"

/* made into arrays at build */
extern const char limn_page_css[], limn_cards_css[], limn_cards_js[];

static const limn_page_part common_parts[] = {
    { "page.css", limn_page_css, NULL },
    { "cards.css", limn_cards_css, NULL },
    { "cards.js", limn_cards_js, NULL },
};

void limn_page_escape(limn_buffer *out, const char *text)
{
    for (; *text; text++) switch (*text) {
        case '<': limn_buffer_append_text(out, "&lt;"); break;
        case '>': limn_buffer_append_text(out, "&gt;"); break;
        case '&': limn_buffer_append_text(out, "&amp;"); break;
        case '"': limn_buffer_append_text(out, "&quot;"); break;
        case '\'': limn_buffer_append_text(out, "&#39;"); break;
        default: limn_buffer_append(out, text, 1);
        }
}

void limn_page_append_json(limn_buffer *out, const char *json)
{
    for (size_t n; *json; json += n) {
        n = strcspn(json, "<");
        limn_buffer_append(out, json, n);
        if (json[n] == '<') {
            limn_buffer_append_text(out, "\\u003c");
            n++;
        }
    }
}

static bool is_named(const char *part, const char *name, size_t size)
{
    return strlen(part) == size && memcmp(part, name, size) == 0;
}

static const limn_page_part *find(const limn_page_part *parts, size_t n_parts, const char *name,
                                  size_t size)
{
    for (size_t i = 0; i < n_parts; i++)
        if (is_named(parts[i].name, name, size)) return &parts[i];
    return NULL;
}

/* name [size bytes] as the template has it. */
static limn_status append_part(limn_buffer *out, const char *name, size_t size,
                               const limn_page_part *parts, size_t n_parts, void *ctx,
                               limn_error *err)
{
    const limn_page_part *part =
        find(common_parts, sizeof common_parts / sizeof *common_parts, name, size);
    if (!part) part = find(parts, n_parts, name, size);
    if (!part) return limn_fail(err, LIMN_E_ARG, "the page has no part \"%.*s\"", (int)size, name);
    if (!part->text) return part->append(out, ctx, err);
    limn_buffer_append_text(out, part->text);
    return LIMN_OK;
}

limn_status limn_page_fill(limn_buffer *out, const char *template, const limn_page_part *parts,
                           size_t n_parts, void *ctx, limn_error *err)
{
    for (const char *name, *end; (name = strstr(template, "{{")); template = end + 2) {
        limn_buffer_append(out, template, (size_t)(name - template));
        name += 2;
        end = strstr(name, "}}");
        LIMN_TRY(append_part(out, name, (size_t)(end - name), parts, n_parts, ctx, err));
    }
    limn_buffer_append_text(out, template);
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory for a page") : LIMN_OK;
}

limn_status limn_page_write(const char *path, bool is_given, const char *template,
                            const limn_page_part *parts, size_t n_parts, void *ctx, limn_error *err)
{
    limn_buffer page = { 0 };
    limn_status s = limn_page_fill(&page, template, parts, n_parts, ctx, err);
    if (s == LIMN_OK)
        s = is_given ? limn_file_replace_given(path, page.bytes, page.size, err)
                     : limn_file_replace(path, page.bytes, page.size, err);
    limn_buffer_finish(&page);
    return s;
}
