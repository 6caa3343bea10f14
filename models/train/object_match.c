#include "models/train/object_match.h"

#include "common/base/mem.h"
#include "common/text/objects.h"

enum { TEXT_CAPACITY = 4096 };

struct limn_shown_objects {
    const limn_vocab *vocab;
    limn_object_lexicon *lexicon;
    limn_object_set *named; /* [n_images] by references */
};

static limn_object_set named_by(const limn_shown_objects *s, const uint32_t *ids, size_t n)
{
    char text[TEXT_CAPACITY];
    limn_object_mentions mentions;
    limn_vocab_join(text, sizeof text, s->vocab, ids, n);
    limn_objects_find(&mentions, s->lexicon, text);
    if (mentions.names_person) limn_object_set_add(&mentions.objects, LIMN_OBJECT_PERSON);
    return mentions.objects;
}

static void look_through(limn_shown_objects *s, const limn_references *r, size_t image)
{
    for (size_t c = r->first_captions[image]; c < r->first_captions[image + 1]; c++) {
        const size_t first = r->offsets[c];
        const limn_object_set set = named_by(s, r->tokens + first, r->offsets[c + 1] - first);
        s->named[image].bits[0] |= set.bits[0];
        s->named[image].bits[1] |= set.bits[1];
    }
}

limn_status limn_shown_objects_create(limn_shown_objects **out, const limn_vocab *vocab,
                                      const limn_references *references, limn_error *err)
{
    limn_shown_objects *s = limn_calloc(1, sizeof *s);
    *out = s;
    if (!s) return limn_fail(err, LIMN_E_NOMEM, "no memory for the objects of references");
    s->vocab = vocab;
    s->named = limn_calloc(references->n_images, sizeof *s->named);
    const limn_status status =
        s->named ? limn_object_lexicon_create(&s->lexicon, err)
                 : limn_fail(err, LIMN_E_NOMEM, "no memory for the objects of references");
    if (status != LIMN_OK) {
        limn_shown_objects_destroy(out);
        return status;
    }
    for (size_t i = 0; i < references->n_images; i++) look_through(s, references, i);
    return LIMN_OK;
}

void limn_shown_objects_destroy(limn_shown_objects **p)
{
    limn_shown_objects *s = p ? *p : NULL;
    if (!s) return;
    limn_object_lexicon_destroy(&s->lexicon);
    limn_free(s->named);
    limn_free(s);
    *p = NULL;
}

static limn_object_set both(limn_object_set a, limn_object_set b)
{
    return (limn_object_set){ { a.bits[0] & b.bits[0], a.bits[1] & b.bits[1] } };
}

static size_t count(limn_object_set set)
{
    size_t n = 0;
    for (size_t i = 0; i < LIMN_N_OBJECTS; i++) n += limn_object_set_has(set, i);
    return n;
}

static double f1(size_t n_both, size_t n_named, size_t n_shown)
{
    return n_named + n_shown > 0 ? 2 * (double)n_both / (double)(n_named + n_shown) : 1;
}

limn_object_match limn_shown_objects_match(const limn_shown_objects *s, size_t image,
                                           const uint32_t *ids, size_t n)
{
    const limn_object_set named = named_by(s, ids, n), shown = s->named[image];
    const size_t n_both = count(both(named, shown));
    const size_t names_person = limn_object_set_has(named, LIMN_OBJECT_PERSON);
    const size_t shows_person = limn_object_set_has(shown, LIMN_OBJECT_PERSON);
    return (limn_object_match){
        .n_false = count(named) - n_both,
        .object_f1 = f1(n_both - (names_person & shows_person), count(named) - names_person,
                        count(shown) - shows_person),
        .person_f1 = f1(names_person & shows_person, names_person, shows_person),
    };
}
