/* The page that shows how an image's captions came about: one HTML file that needs no other. */
#ifndef LIMN_TOOLS_EXPLAIN_EXPLAIN_PAGE_H
#define LIMN_TOOLS_EXPLAIN_EXPLAIN_PAGE_H

#include "common/base/buffer.h"
#include "models/captioner.h"
#include "tools/annotate/annotate.h"

typedef struct limn_explanation {
    const char *name; /* of the image; need not be UTF-8 */
    const limn_thumbnail *image;
    const limn_captions *captions; /* with search, attention and alternatives */
    const limn_model *model;
    const char *model_name, *settings; /* said at the foot: the model's file, the search */
    bool is_sampled;                   /* captions were drawn, not searched for */
} limn_explanation;

/* Appends the page. LIMN_E_NOMEM. */
limn_status limn_explain_page_append(limn_buffer *out, const limn_explanation *e, limn_error *err);

/* Its data as JSON (explain.js reads it):
 *
 *   grid        [width, height]; layers, heads: their numbers; sampled: whether
 *   steps       of each step its hypotheses: {p: parent, t: token, l: logprob of the token}, and of
 *               those of which more is told {e: entropy, a: [[token, logprob], …], m: number in
 *               maps}: what was predicted after them, and where the network looked for it
 *   captions    {text, logprob, score, rows, tokens: [[token, logprob], …], ended}
 *   maps        base64 of u16 [n, layers, heads, height, width], 65535 = 1
 */
limn_status limn_explain_data_append(limn_buffer *out, const limn_explanation *e, limn_error *err);

#endif
