#include "models/train/development.h"

#include "common/base/mem.h"

static void fill(limn_development *dev, const limn_training_data *d)
{
    const limn_training_set *set = &d->dev;
    for (size_t i = 0; i < set->n_images; i++) {
        const size_t first = set->first_captions[i];
        dev->names[i] = limn_training_set_name(set, i);
        dev->references[2 * i] = set->texts[first];
        if (set->first_captions[i + 1] > first + 1)
            dev->references[2 * i + 1] = set->texts[first + 1];
    }
}

static limn_status open(limn_development *dev, const limn_training_data *d, limn_error *err)
{
    const size_t n = d->dev.n_images;
    dev->names = limn_calloc(n, sizeof *dev->names);
    dev->references = limn_calloc(n, 2 * sizeof *dev->references);
    if (!dev->names || !dev->references)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for development images");
    fill(dev, d);
    LIMN_TRY(limn_cached_images_find(&dev->pixels, &d->pixels, dev->names, n, err));
    const limn_dev_images images = { .n_images = n,
                                     .pixels = limn_cached_images_source(&dev->pixels),
                                     .first_references = d->dev.first_captions,
                                     .references = d->dev.texts,
                                     .kind = limn_vocab_kind(d->vocab) };
    return limn_dev_set_create(&dev->set, &images, err);
}

limn_status limn_development_open(limn_development *dev, const limn_training_data *d,
                                  limn_error *err)
{
    *dev = (limn_development){ .set = NULL };
    if (d->dev.n_images == 0) return LIMN_OK;
    const limn_status status = open(dev, d, err);
    if (status != LIMN_OK) limn_development_close(dev);
    return status;
}

void limn_development_close(limn_development *dev)
{
    limn_dev_set_destroy(&dev->set);
    limn_cached_images_finish(&dev->pixels);
    limn_free(dev->names);
    limn_free(dev->references);
    *dev = (limn_development){ .set = NULL };
}
