#include "models/eval/eval_objects.h"

#include <string.h>

#include "common/base/mem.h"

/* What reading captions needs. */
typedef struct reader {
    limn_object_lexicon *lexicon;
    limn_ptb ptb;
} reader;

static void finish_reader(reader *r)
{
    limn_object_lexicon_destroy(&r->lexicon);
    limn_ptb_finish(&r->ptb);
}

static limn_status read_caption(limn_object_mentions *out, reader *r,
                                const limn_eval_caption *caption, limn_error *err)
{
    const char *tokens;
    LIMN_TRY(limn_ptb_tokenize(&tokens, &r->ptb, caption->raw, strlen(caption->raw),
                               LIMN_PTB_ALL_TOKENS, err));
    limn_objects_find(out, r->lexicon, tokens);
    return LIMN_OK;
}

/* References that must name a person for one to be certain. */
enum { SURELY = 3 };

/* What an image's caption and its references name. */
typedef struct named_objects {
    limn_object_mentions caption;
    limn_object_set shown;
    bool shows_people;
    size_t n_with_person; /* references that name one, not only a crowd or a hand */
} named_objects;

static bool is_shown(const named_objects *p, size_t object)
{
    return limn_object_set_has(p->shown, object) ||
           (object == LIMN_OBJECT_PERSON && p->shows_people);
}

static limn_status read_image(named_objects *out, reader *r, const limn_eval_data *data,
                              size_t image, size_t rank, limn_error *err)
{
    const limn_eval_image *m = &data->images[image];
    *out = (named_objects){ .shows_people = false };
    LIMN_TRY(read_caption(&out->caption, r, limn_eval_hyp(data, image, rank), err));
    for (size_t i = 0; i < m->n_refs; i++) {
        limn_object_mentions ref;
        LIMN_TRY(read_caption(&ref, r, &data->refs[m->first_ref + i], err));
        out->shown.bits[0] |= ref.objects.bits[0];
        out->shown.bits[1] |= ref.objects.bits[1];
        out->shows_people = out->shows_people || ref.names_person;
        out->n_with_person += limn_object_set_has(ref.objects, LIMN_OBJECT_PERSON);
    }
    return LIMN_OK;
}

/* ---- the metric --------------------------------------------------------------------------- */

/* A row of statistics. */
enum {
    WITHOUT_PEOPLE, /* 1 when the references name nobody */
    FALSE_PEOPLE,   /* 1 when the caption names somebody nevertheless */
    MENTIONS,
    FALSE_MENTIONS,
    FALSE_CAPTION, /* 1 when any mention is false */
    SHOWN,         /* classes that the references name */
    FOUND,         /* of these, those that the caption names */
    NAMED,         /* classes that the caption names */
    NAMED_RIGHTLY, /* of these, those that a reference names */
    WITH_PEOPLE,   /* 1 when a reference names somebody */
    MISSED_PEOPLE, /* 1 when the caption names nobody nevertheless */
    SURE_PEOPLE,   /* 1 when three references or more name a person */
    MISSED_SURE_PEOPLE,
    N_STATS
};

static void fill_people(double *row, const named_objects *p)
{
    const bool is_sure = p->n_with_person >= SURELY;
    row[WITH_PEOPLE] = p->shows_people;
    row[MISSED_PEOPLE] = p->shows_people && !p->caption.names_person;
    row[SURE_PEOPLE] = is_sure;
    row[MISSED_SURE_PEOPLE] = is_sure && !p->caption.names_person;
}

static void fill_row(double *row, const named_objects *p)
{
    row[WITHOUT_PEOPLE] = !p->shows_people;
    row[FALSE_PEOPLE] = !p->shows_people && p->caption.names_person;
    row[MENTIONS] = (double)p->caption.n_mentions;
    for (size_t i = 0; i < p->caption.n_mentions; i++)
        row[FALSE_MENTIONS] += !is_shown(p, p->caption.mentions[i]);
    row[FALSE_CAPTION] = row[FALSE_MENTIONS] > 0;
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++) {
        const bool shown = limn_object_set_has(p->shown, c);
        const bool named = limn_object_set_has(p->caption.objects, c);
        row[SHOWN] += shown;
        row[FOUND] += shown && named;
        row[NAMED] += named;
        row[NAMED_RIGHTLY] += named && is_shown(p, c);
    }
    fill_people(row, p);
}

static limn_status measure(double *stats, const limn_eval_data *data, size_t rank,
                           const limn_eval_settings *settings, limn_error *err)
{
    reader r = { 0 };
    limn_status status = limn_object_lexicon_create(&r.lexicon, err);
    (void)settings;
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++) {
        named_objects p;
        status = read_image(&p, &r, data, i, rank, err);
        if (status == LIMN_OK) fill_row(stats + i * N_STATS, &p);
    }
    finish_reader(&r);
    return status;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* The harmonic mean of precision and recall. */
static double f1(double precision, double recall)
{
    return share(2 * precision * recall, precision + recall);
}

static double f1_of_people(const double *stats)
{
    const double n_right = stats[WITH_PEOPLE] - stats[MISSED_PEOPLE];
    return f1(share(n_right, n_right + stats[FALSE_PEOPLE]), share(n_right, stats[WITH_PEOPLE]));
}

static void score(double *out, const double *stats, size_t n_images,
                  const limn_eval_settings *settings)
{
    (void)settings;
    out[0] = share(stats[FALSE_PEOPLE], stats[WITHOUT_PEOPLE]);
    out[1] = share(stats[FALSE_CAPTION], (double)n_images);
    out[2] = share(stats[FALSE_MENTIONS], stats[MENTIONS]);
    out[3] = share(stats[MISSED_PEOPLE], stats[WITH_PEOPLE]);
    out[4] = share(stats[MISSED_SURE_PEOPLE], stats[SURE_PEOPLE]);
    out[5] = share(stats[SHOWN] - stats[FOUND], stats[SHOWN]);
    out[6] = share(stats[FOUND], stats[SHOWN]);
    out[7] = f1_of_people(stats);
    out[8] = f1(share(stats[NAMED_RIGHTLY], stats[NAMED]), out[6]);
}

static void sign(limn_buffer *out, const limn_eval_settings *settings)
{
    (void)settings;
    limn_buffer_append_text(out, "objects:coco80,refs");
}

static void print(limn_buffer *out, const double *stats, const limn_eval_data *data,
                  const limn_eval_settings *settings)
{
    (void)data;
    (void)settings;
    limn_buffer_printf(out, "people       %.0f of %.0f captions where no reference names any\n",
                       stats[FALSE_PEOPLE], stats[WITHOUT_PEOPLE]);
    limn_buffer_printf(out, "no people    %.0f of %.0f captions where a reference names some\n",
                       stats[MISSED_PEOPLE], stats[WITH_PEOPLE]);
}

const limn_eval_metric limn_eval_object_names = {
    .name = "objects",
    .keys = { "False_person", "CHAIR_s", "CHAIR_i", "Miss_person", "Miss_person3", "Miss_object",
              "Obj_recall", "Person_F1", "Object_F1" },
    .n_keys = 9,
    .n_stats = N_STATS,
    .best_key = 6,
    .n_lower_better = 6,
    .measure = measure,
    .score = score,
    .sign = sign,
    .print = print,
};

/* ---- each class --------------------------------------------------------------------------- */

static void count(limn_eval_object_count *c, bool is_shown_here, bool is_named)
{
    c->n_shown += is_shown_here;
    c->n_found += is_shown_here && is_named;
    c->n_absent += !is_shown_here;
    c->n_false += !is_shown_here && is_named;
}

static void add_image(limn_eval_objects *out, const named_objects *p, size_t image)
{
    count(&out->people, p->shows_people, p->caption.names_person);
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++) {
        const bool is_named = limn_object_set_has(p->caption.objects, c);
        count(&out->classes[c], is_shown(p, c), is_named);
        if (is_named && !is_shown(p, c)) limn_object_set_add(&out->made_up[image], c);
    }
}

limn_status limn_eval_objects_measure(limn_eval_objects *out, const limn_eval_data *data,
                                      limn_error *err)
{
    reader r = { 0 };
    limn_status status;
    *out = (limn_eval_objects){ .made_up = NULL };
    out->made_up = limn_calloc(data->n_images, sizeof *out->made_up);
    if (!out->made_up)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu images", data->n_images);
    status = limn_object_lexicon_create(&r.lexicon, err);
    for (size_t i = 0; status == LIMN_OK && i < data->n_images; i++) {
        named_objects p;
        status = read_image(&p, &r, data, i, 0, err);
        if (status == LIMN_OK) add_image(out, &p, i);
    }
    finish_reader(&r);
    if (status != LIMN_OK) limn_eval_objects_finish(out);
    return status;
}

void limn_eval_objects_finish(limn_eval_objects *objects)
{
    limn_free(objects->made_up);
    *objects = (limn_eval_objects){ .made_up = NULL };
}
