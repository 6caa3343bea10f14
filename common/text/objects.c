#include "common/text/objects.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/text/objects_words.h"
#include "common/text/string_table.h"

enum {
    MAX_PHRASE_SIZE = 64, /* bytes; the table's phrases and their variants fit (tested) */
    FIRST_VEHICLE = 1,    /* bicycle … boat */
    LAST_VEHICLE = 8,
    FIRST_ANIMAL = 14, /* bird … giraffe */
    LAST_ANIMAL = 23,
    ORANGE = 49,
};

struct limn_object_lexicon {
    limn_string_table phrases;
    uint8_t *objects; /* [phrases.n_strings] */
    size_t capacity;
    size_t max_words; /* of a phrase */
};

/* ---- names -------------------------------------------------------------------------------- */

const char *limn_object_name(size_t object)
{
    static const char *const names[LIMN_N_OBJECTS] = {
        "person",        "bicycle",      "car",
        "motorcycle",    "airplane",     "bus",
        "train",         "truck",        "boat",
        "traffic light", "fire hydrant", "stop sign",
        "parking meter", "bench",        "bird",
        "cat",           "dog",          "horse",
        "sheep",         "cow",          "elephant",
        "bear",          "zebra",        "giraffe",
        "backpack",      "umbrella",     "handbag",
        "tie",           "suitcase",     "frisbee",
        "skis",          "snowboard",    "sports ball",
        "kite",          "baseball bat", "baseball glove",
        "skateboard",    "surfboard",    "tennis racket",
        "bottle",        "wine glass",   "cup",
        "fork",          "knife",        "spoon",
        "bowl",          "banana",       "apple",
        "sandwich",      "orange",       "broccoli",
        "carrot",        "hot dog",      "pizza",
        "donut",         "cake",         "chair",
        "couch",         "potted plant", "bed",
        "dining table",  "toilet",       "tv",
        "laptop",        "mouse",        "remote",
        "keyboard",      "cell phone",   "microwave",
        "oven",          "toaster",      "sink",
        "refrigerator",  "book",         "clock",
        "vase",          "scissors",     "teddy bear",
        "hair drier",    "toothbrush",
    };
    return names[object];
}

bool limn_object_by_name(size_t *object, const char *name, size_t size)
{
    for (size_t c = 0; c < LIMN_N_OBJECTS; c++) {
        const char *expected = limn_object_name(c);
        size_t i = 0;
        while (i < size && (name[i] == expected[i] || (name[i] == '_' && expected[i] == ' '))) i++;
        if (i < size || expected[i]) continue;
        *object = c;
        return true;
    }
    return false;
}

/* ---- the lexicon -------------------------------------------------------------------------- */

typedef struct phrase {
    char text[MAX_PHRASE_SIZE];
    size_t size;
} phrase;

static void phrase_append(phrase *p, const char *bytes, size_t size)
{
    if (p->size + size > sizeof p->text) size = sizeof p->text - p->size;
    memcpy(p->text + p->size, bytes, size);
    p->size += size;
}

static size_t count_words(const phrase *p)
{
    size_t n = 1;
    for (size_t i = 0; i < p->size; i++) n += p->text[i] == ' ';
    return n;
}

/* The first meaning of a phrase is kept: entries of the table itself take precedence over derived
 * ones. */
static limn_status add(limn_object_lexicon *lexicon, const phrase *p, uint8_t object,
                       limn_error *err)
{
    uint32_t number;
    const size_t n_words = count_words(p);
    if (limn_string_table_find(&number, &lexicon->phrases, p->text, p->size)) return LIMN_OK;
    LIMN_TRY(limn_string_table_add(&number, &lexicon->phrases, p->text, p->size, err));
    if (!limn_grow((void **)&lexicon->objects, &lexicon->capacity, (size_t)number + 1, 1))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    lexicon->objects[number] = object;
    if (n_words > lexicon->max_words) lexicon->max_words = n_words;
    return LIMN_OK;
}

static bool ends_with(const phrase *p, const char *end)
{
    const size_t size = strlen(end);
    return p->size > size && memcmp(p->text + p->size - size, end, size) == 0;
}

static phrase plural_of(phrase p)
{
    const char before_y = ends_with(&p, "y") ? p.text[p.size - 2] : 'a';
    if (!strchr("aeiou", before_y)) {
        p.size--;
        phrase_append(&p, "ies", 3);
    } else if (ends_with(&p, "s") || ends_with(&p, "x") || ends_with(&p, "ch") ||
               ends_with(&p, "sh")) {
        phrase_append(&p, "es", 2);
    } else {
        phrase_append(&p, "s", 1);
    }
    return p;
}

static limn_status add_prefixed(limn_object_lexicon *lexicon, const char *const *prefixes, phrase p,
                                uint8_t object, limn_error *err)
{
    for (; *prefixes; prefixes++) {
        phrase whole = { .size = 0 };
        phrase_append(&whole, *prefixes, strlen(*prefixes));
        phrase_append(&whole, " ", 1);
        phrase_append(&whole, p.text, p.size);
        LIMN_TRY(add(lexicon, &whole, object, err));
    }
    return LIMN_OK;
}

/* Adds animals by age, sex or family ("baby …"), "passenger …" vehicles, and toy animals and
 * vehicles, which name no object. */
static limn_status add_variants(limn_object_lexicon *lexicon, phrase p, uint8_t object,
                                limn_error *err)
{
    static const char *const of_age[] = { "baby",
                                          "adult",
                                          "mother",
                                          "father",
                                          "mama",
                                          "mommy",
                                          "mom",
                                          "daddy",
                                          "male",
                                          "female",
                                          "mother and baby",
                                          "mom and baby",
                                          "adult and baby",
                                          "adult and young",
                                          NULL };
    static const char *const toys[] = { "toy", "stuffed", "plush", "stuffed toy", "ceramic", NULL };
    static const char *const models[] = { "toy", "model", "play", NULL };
    static const char *const carriers[] = { "passenger", "commuter", NULL };
    const bool is_animal = object >= FIRST_ANIMAL && object <= LAST_ANIMAL;
    if (is_animal || object == LIMN_OBJECT_BEAST) {
        LIMN_TRY(add_prefixed(lexicon, of_age, p, object, err));
        return add_prefixed(lexicon, toys, p, LIMN_OBJECT_NONE, err);
    }
    if (object < FIRST_VEHICLE || object > LAST_VEHICLE) return LIMN_OK;
    LIMN_TRY(add_prefixed(lexicon, models, p, LIMN_OBJECT_NONE, err));
    return add_prefixed(lexicon, carriers, p, object, err);
}

static limn_status add_itself(limn_object_lexicon *lexicon, phrase p, uint8_t object,
                              limn_error *err)
{
    return add(lexicon, &p, object, err);
}

static limn_status add_plural(limn_object_lexicon *lexicon, phrase p, uint8_t object,
                              limn_error *err)
{
    const phrase plural = plural_of(p);
    return add(lexicon, &plural, object, err);
}

static limn_status add_plural_variants(limn_object_lexicon *lexicon, phrase p, uint8_t object,
                                       limn_error *err)
{
    return add_variants(lexicon, plural_of(p), object, err);
}

typedef limn_status add_fn(limn_object_lexicon *lexicon, phrase p, uint8_t object, limn_error *err);

static limn_status add_words(limn_object_lexicon *lexicon, const limn_object_words *entry,
                             add_fn *add_phrase, limn_error *err)
{
    const char *words = entry->words;
    while (*words) {
        const size_t size = strcspn(words, ",");
        phrase p = { .size = 0 };
        phrase_append(&p, words, size);
        LIMN_TRY(add_phrase(lexicon, p, entry->object, err));
        words += size + (words[size] ? 2 : 0);
    }
    return LIMN_OK;
}

limn_status limn_object_lexicon_create(limn_object_lexicon **out, limn_error *err)
{
    static add_fn *const passes[] = { add_itself, add_plural, add_variants, add_plural_variants };
    limn_object_lexicon *lexicon = limn_calloc(1, sizeof *lexicon);
    limn_status status = LIMN_OK;
    *out = lexicon;
    if (!lexicon) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t k = 0; k < sizeof passes / sizeof *passes; k++)
        for (size_t i = 0; status == LIMN_OK && i < limn_object_n_words; i++)
            status = add_words(lexicon, &limn_object_words_table[i], passes[k], err);
    if (status != LIMN_OK) limn_object_lexicon_destroy(out);
    return status;
}

void limn_object_lexicon_destroy(limn_object_lexicon **lexicon)
{
    if (!lexicon || !*lexicon) return;
    limn_string_table_finish(&(*lexicon)->phrases);
    limn_free((*lexicon)->objects);
    limn_free(*lexicon);
    *lexicon = NULL;
}

/* ---- looking up --------------------------------------------------------------------------- */

static bool is_gap(char byte)
{
    return byte == ' ' || byte == '-';
}

static const char *skip_gaps(const char *text)
{
    while (is_gap(*text)) text++;
    return text;
}

static const char *end_of_word(const char *word)
{
    while (*word && !is_gap(*word)) word++;
    return word;
}

/* The meaning of the longest phrase that begins at `word`; *end is just past it. */
static uint8_t find_longest(const char **end, const limn_object_lexicon *lexicon, const char *word)
{
    uint8_t object = LIMN_OBJECT_NONE;
    phrase p = { .size = 0 };
    *end = end_of_word(word);
    for (size_t n = 0; n < lexicon->max_words && *word; n++) {
        const char *word_end = end_of_word(word);
        uint32_t number;
        if ((size_t)(word_end - word) + 1 > sizeof p.text - p.size) break;
        if (n > 0) phrase_append(&p, " ", 1);
        phrase_append(&p, word, (size_t)(word_end - word));
        if (limn_string_table_find(&number, &lexicon->phrases, p.text, p.size)) {
            object = lexicon->objects[number];
            *end = word_end;
        }
        word = skip_gaps(word_end);
    }
    return object;
}

/* Whether the first word of `text` is one of `words`, each of which has a space at either side. */
static bool is_one_of(const char *words, const char *text)
{
    const size_t size = (size_t)(end_of_word(text) - text);
    for (const char *at = words; size > 0 && (at = strchr(at, ' ')) && *++at;)
        if (strncmp(at, text, size) == 0 && at[size] == ' ') return true;
    return false;
}

static bool is_colour(const char *word)
{
    return is_one_of(" red blue green yellow white black brown gray grey pink purple orange silver "
                     "gold golden tan beige teal ",
                     word);
}

/* Whether "orange" at `word`, after the words `before` [2] (the last first, "" for none), is the
 * fruit. */
static bool is_fruit(const char *word, const char *const before[2])
{
    const char *next = skip_gaps(end_of_word(word));
    if (is_one_of(" in is are was wearing bright neon light dark all very burnt painted colored ",
                  before[0]) ||
        is_colour(before[0]) || (is_one_of(" and or ", before[0]) && is_colour(before[1])))
        return false;
    if (is_one_of(" and or ", next)) return !is_colour(skip_gaps(end_of_word(next)));
    return !*next ||
           is_one_of(" slice slices peel peels half halves wedge wedges section sections segment "
                     "segments fruit fruits on in with is are sits sitting that which to at next "
                     "beside by from being cut sliced hanging hangs laying lying near inside for "
                     "has placed resting growing while as a an the over under behind . , ",
                     next);
}

static void mention(limn_object_mentions *out, uint8_t object)
{
    if (object == LIMN_OBJECT_PERSON || object == LIMN_OBJECT_HINT) out->names_person = true;
    if (object >= LIMN_N_OBJECTS) return;
    limn_object_set_add(&out->objects, object);
    if (out->n_mentions < LIMN_OBJECTS_MAX_MENTIONS) out->mentions[out->n_mentions++] = object;
}

void limn_objects_find(limn_object_mentions *out, const limn_object_lexicon *lexicon,
                       const char *tokens)
{
    const char *before[2] = { "", "" };
    *out = (limn_object_mentions){ .n_mentions = 0 };
    for (const char *word = skip_gaps(tokens); *word;) {
        const char *end;
        const uint8_t object = find_longest(&end, lexicon, word);
        const bool is_orange = object == ORANGE && end - word == 6; /* not "oranges" */
        if (!is_orange || is_fruit(word, before)) mention(out, object);
        before[1] = before[0];
        before[0] = word;
        word = skip_gaps(end);
    }
}
