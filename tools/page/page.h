/* Pages to look at that are one HTML file each: a template whose parts in {{double braces}} are
 * filled in, with style, script and data inside. They ask the network for nothing.
 *
 * Templates, styles and scripts are files of their own, made into arrays at build (embed.c);
 * page.css is what all pages look like: a page begins with {{page.css}} and adds its own.
 * {{cards.css}} and {{cards.js}} are for those that show images on cards. */
#ifndef LIMN_TOOLS_PAGE_PAGE_H
#define LIMN_TOOLS_PAGE_PAGE_H

#include "common/base/buffer.h"
#include "common/base/status.h"

/* A part of a template: what stands for {{name}}. */
typedef struct limn_page_part {
    const char *name;
    const char *text; /* as it is, e.g. a style; NULL: append gives it */
    limn_status (*append)(limn_buffer *out, void *ctx, limn_error *err);
} limn_page_part;

/* Appends a template filled in. Every {{name}} of it is in parts [n_parts] or is one of
 * those above.
 * LIMN_E_NOMEM, and what the parts return. */
limn_status limn_page_fill(limn_buffer *out, const char *template, const limn_page_part *parts,
                           size_t n_parts, void *ctx, limn_error *err);
/* Replaces the file at `path` by the page; of a path that the user gave (`is_given`), a link is
 * followed. As above, and LIMN_E_IO. */
limn_status limn_page_write(const char *path, bool is_given, const char *template,
                            const limn_page_part *parts, size_t n_parts, void *ctx,
                            limn_error *err);

/* Appends text with <, >, &, " and ' made harmless. */
void limn_page_escape(limn_buffer *out, const char *text);
/* Appends JSON such that nothing in it can end the script element that it stands in. */
void limn_page_append_json(limn_buffer *out, const char *json);

#endif
