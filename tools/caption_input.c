#include "tools/caption_input.h"

#include "common/text/plural.h"
#include "tools/message.h"

limn_status limn_caption_input_read(limn_caption_file *out, const char *path,
                                    const limn_caption_reading *how, limn_error *err)
{
    LIMN_TRY(limn_caption_file_read(out, path, how, err));
    if (out->note) limn_message_warning("%s: %s", path, out->note);
    if (out->n_rejected)
        limn_message_warning(
            "%s: %zu %s left out (--keep-rejected keeps them)", path, out->n_rejected,
            limn_plural(out->n_rejected, "caption that is marked is_rejected or is_precanned is",
                        "captions that are marked is_rejected or is_precanned are"));
    if (out->n_without_image)
        limn_message_warning("left out: %zu %s without an image, such as %s", out->n_without_image,
                             limn_plural(out->n_without_image, "text file", "text files"),
                             out->without_image);
    return LIMN_OK;
}
