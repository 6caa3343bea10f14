#include "tools/convert/convert_published.h"

#include <stdio.h>
#include <string.h>

#include "models/convert/published/plain_image.h"
#include "models/convert/published/published.h"
#include "tools/message.h"

static void report(const char *output, const published *p, limn_tensor_dtype dtype)
{
    const limn_model_config *c = &p->config;
    if (limn_verbosity_get() < LIMN_NORMAL) return;
    printf("%s: %s, %s %u x %u, decoder of %u layers, %zu tokens, %zu tensors, weights %s\n",
           output, p->kind->name, c->encoder.family, c->encoder.input.width,
           c->encoder.input.height, c->decoder.n_layers, limn_vocab_n_tokens(p->vocab), p->n_specs,
           limn_tensor_dtype_name(dtype));
    if (p->sources.known) printf("%s: known: %s\n", output, p->sources.known);
}

/* Each line of the notes as a message. */
static void tell_notes(const char *notes)
{
    for (const char *end; notes && (end = strchr(notes, '\n')); notes = end + 1)
        limn_message_warning("%.*s", (int)(end - notes), notes);
}

static limn_status look_at_plain_image(const char *output, limn_error *err)
{
    double mean;
    LIMN_TRY(plain_image_logprob(&mean, output, err));
    if (limn_verbosity_get() >= LIMN_NORMAL)
        printf("%s: mean log-probability of a token for a plain image: %.2f\n", output, mean);
    if (mean < PLAIN_IMAGE_LEAST)
        limn_message_warning(
            "%s: its caption of a plain image has a mean log-probability per token of %.2f, "
            "expected more than %g: weights or configuration may be wrong",
            output, mean, PLAIN_IMAGE_LEAST);
    return LIMN_OK;
}

limn_status convert_published(const char *output, const char *input, const char *vocab,
                              limn_tensor_dtype dtype, limn_error *err)
{
    published p;
    LIMN_TRY(published_open(&p, input, vocab, err));
    limn_status s = published_write(output, &p, dtype, err);
    if (s == LIMN_OK) {
        report(output, &p, dtype);
        tell_notes(p.notes.bytes);
    }
    published_close(&p); /* before the model is opened: both at once would be twice the memory */
    return s == LIMN_OK ? look_at_plain_image(output, err) : s;
}
