#include "models/convert/published/published.h"

#include "common/base/mem.h"
#include "models/convert/published/published_parts.h"
#include "models/convert/published/siblings.h"

/* Opens a checkpoint of BLIP's or VirTex's own program. */
static limn_status open_checkpoint(published *p, const char *vocab, limn_error *err)
{
    LIMN_TRY(sibling_check_file(p->path, err));
    LIMN_TRY(weight_files_add(&p->weights, &p->tensors, p->path, err));
    LIMN_TRY(tensor_list_sort(&p->tensors, err));
    LIMN_TRY(source_record_add(&p->sources, vocab, err));
    if (tensor_list_find(&p->tensors, "model.visual_encoder.cls_token"))
        return published_blip_pth(p, vocab, err);
    if (tensor_list_find(&p->tensors, "model.textual.embedding.words.weight"))
        return published_virtex_pth(p, vocab, err);
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "%s: is not a checkpoint of BLIP (model.visual_encoder.cls_token) or VirTex "
                     "(model.textual.embedding.words.weight), which --vocab is for",
                     p->path);
}

static limn_status finish_opening(published *p, limn_error *err)
{
    limn_status s = tensor_list_sort(&p->tensors, err);
    if (s == LIMN_OK) {
        p->config.has_decoder = true;
        p->config.decoder.n_tokens = (uint32_t)limn_vocab_n_tokens(p->vocab);
        p->config.decoder.specials = *limn_vocab_specials(p->vocab);
        s = published_check_tensors(p, err);
    }
    if (s != LIMN_OK) {
        limn_error_prefix(err, "%s", p->path);
        return s;
    }
    for (size_t i = 0; i < p->weights.n_items; i++)
        LIMN_TRY(source_record_add(&p->sources, p->weights.items[i].path, err));
    return p->notes.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

limn_status published_open(published *out, const char *path, const char *vocab, limn_error *err)
{
    *out = (published){ .path = path };
    limn_status s = vocab ? open_checkpoint(out, vocab, err) : published_open_folder(out, err);
    if (s == LIMN_OK) s = finish_opening(out, err);
    if (s != LIMN_OK) published_close(out);
    return s;
}

void published_close(published *p)
{
    tensor_list_finish(&p->tensors);
    weight_files_close(&p->weights);
    source_record_finish(&p->sources);
    limn_vocab_destroy(&p->vocab);
    limn_free(p->specs);
    limn_buffer_finish(&p->notes);
    *p = (published){ .kind = NULL };
}
