#include "models/train/false_objects.h"

#include "common/base/mem.h"
#include "common/text/objects.h"

enum { TEXT_CAPACITY = 4096 };

struct limn_false_objects {
    const limn_vocab *vocab;
    limn_object_lexicon *lexicon;
    limn_object_set *named; /* [n_images] by references */
};

static limn_object_set named_by(const limn_false_objects *f, const uint32_t *ids, size_t n)
{
    char text[TEXT_CAPACITY];
    limn_object_mentions mentions;
    limn_vocab_join(text, sizeof text, f->vocab, ids, n);
    limn_objects_find(&mentions, f->lexicon, text);
    if (mentions.names_person) limn_object_set_add(&mentions.objects, LIMN_OBJECT_PERSON);
    return mentions.objects;
}

static void look_through(limn_false_objects *f, const limn_references *r, size_t image)
{
    for (size_t c = r->first_captions[image]; c < r->first_captions[image + 1]; c++) {
        const size_t first = r->offsets[c];
        const limn_object_set set = named_by(f, r->tokens + first, r->offsets[c + 1] - first);
        f->named[image].bits[0] |= set.bits[0];
        f->named[image].bits[1] |= set.bits[1];
    }
}

limn_status limn_false_objects_create(limn_false_objects **out, const limn_vocab *vocab,
                                      const limn_references *references, limn_error *err)
{
    limn_false_objects *f = limn_calloc(1, sizeof *f);
    *out = f;
    if (!f) return limn_fail(err, LIMN_E_NOMEM, "no memory for the objects of references");
    f->vocab = vocab;
    f->named = limn_calloc(references->n_images, sizeof *f->named);
    const limn_status status =
        f->named ? limn_object_lexicon_create(&f->lexicon, err)
                 : limn_fail(err, LIMN_E_NOMEM, "no memory for the objects of references");
    if (status != LIMN_OK) {
        limn_false_objects_destroy(out);
        return status;
    }
    for (size_t i = 0; i < references->n_images; i++) look_through(f, references, i);
    return LIMN_OK;
}

void limn_false_objects_destroy(limn_false_objects **p)
{
    limn_false_objects *f = p ? *p : NULL;
    if (!f) return;
    limn_object_lexicon_destroy(&f->lexicon);
    limn_free(f->named);
    limn_free(f);
    *p = NULL;
}

size_t limn_false_objects_count(const limn_false_objects *f, size_t image, const uint32_t *ids,
                                size_t n)
{
    const limn_object_set set = named_by(f, ids, n);
    size_t count = 0;
    for (size_t i = 0; i < LIMN_N_OBJECTS; i++)
        count += limn_object_set_has(set, i) && !limn_object_set_has(f->named[image], i);
    return count;
}
