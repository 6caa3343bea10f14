#include "tools/annotate/captioning/apply_captions.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/captions.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/input/image_file.h"
#include "tools/annotate/input/inputs.h"

/* An image of the file of captions. */
typedef struct entry {
    const char *id, *caption;
    size_t position; /* of entries with one id the last counts; of the captions in it the first */
} entry;

typedef struct applier {
    limn_caption_job *job;
    const limn_pipeline_stages *stages;
    limn_pipeline_counts *counts;
    entry *entries; /* [n_entries], by id */
    size_t n_entries;
    limn_dirwalk *walk;
    limn_buffer record;
    size_t n_found, n_missing; /* images with and without a caption in the file */
} applier;

/* ---- the captions --------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    const int order = strcmp(x->id, y->id);
    return order ? order : (x->position > y->position) - (x->position < y->position);
}

static limn_status index_captions(applier *a, const limn_caption_file *file, limn_error *err)
{
    size_t n = 0;
    a->entries = limn_calloc(file->n_records, sizeof *a->entries);
    if (!a->entries) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < file->n_records; i++) {
        const limn_caption_record *r = &file->records[i];
        const bool is_first = !i || file->records[i - 1].entry != r->entry ||
                              strcmp(file->records[i - 1].id, r->id) != 0;
        if (is_first) a->entries[n++] = (entry){ r->id, r->caption, i };
    }
    qsort(a->entries, n, sizeof *a->entries, compare);
    for (size_t i = 0; i < n; i++) {
        if (a->n_entries && !strcmp(a->entries[a->n_entries - 1].id, a->entries[i].id))
            a->n_entries--;
        a->entries[a->n_entries++] = a->entries[i];
    }
    return LIMN_OK;
}

static int compare_id(const void *id, const void *item)
{
    return strcmp(id, ((const entry *)item)->id);
}

/* The caption of an image, by its path as it was found or below the folder that was named; NULL:
 * there is none. */
static const char *find_caption(const applier *a, const limn_dirwalk_entry *input)
{
    const char *const ids[] = { input->path, input->relative };
    for (size_t i = 0; i < 2; i++) {
        const entry *e = bsearch(ids[i], a->entries, a->n_entries, sizeof *e, compare_id);
        if (e) return e->caption && *e->caption ? e->caption : NULL;
    }
    return NULL;
}

/* ---- images --------------------------------------------------------------------------------- */

static limn_status put(applier *a, const limn_dirwalk_entry *input, const limn_error *failure,
                       limn_error *err)
{
    const limn_pipeline_result result = { .input = input, .error = failure, .out = &a->record };
    if (failure)
        a->counts->n_failed++;
    else
        a->counts->n_done++;
    return a->stages->put(a->job, &result, err);
}

static limn_status is_image(bool *is, const limn_dirwalk_entry *input, limn_error *err)
{
    struct stat st;
    *is = limn_image_file_has_extension(input->path);
    if (input->archive_size) return LIMN_OK;
    if (stat(input->path, &st)) return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    return limn_image_file_is_image(is, input->path, input->is_named, err);
}

/* Whether the image gets the caption; the record is then made. A failure is the image's. */
static limn_status make_record(applier *a, const limn_dirwalk_entry *input, bool *is_wanted,
                               limn_error *err)
{
    const char *text;
    *is_wanted = false;
    LIMN_TRY(is_image(is_wanted, input, err));
    if (!*is_wanted) return LIMN_OK;
    *is_wanted = false;
    text = find_caption(a, input);
    a->n_found += text != NULL;
    a->n_missing += text == NULL;
    if (!text) return LIMN_OK;
    const limn_caption caption = { .text = text, .confidence = NAN };
    const limn_captions captions = { .items = &caption, .n_items = 1 };
    const limn_record record = { .path = input->path, .captions = &captions };
    limn_buffer_clear(&a->record);
    a->job->writer->render(&a->record, &record);
    if (a->record.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return a->stages->want(a->job, input, is_wanted, err);
}

static limn_status visit_next(applier *a, limn_dirwalk_entry *input, limn_error *err)
{
    limn_error reason = { 0 };
    bool is_wanted = false;
    if (!limn_hooks_keep_going(&a->job->settings->hooks))
        return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
    limn_status s = limn_dirwalk_next(a->walk, input, &reason);
    if (s == LIMN_OK && !input->path) return LIMN_OK;
    if (s == LIMN_OK) s = make_record(a, input, &is_wanted, &reason);
    if (s == LIMN_E_NOMEM || s == LIMN_E_INTERRUPTED) return limn_fail(err, s, "%s", reason.text);
    if (s != LIMN_OK) return put(a, input, &reason, err);
    return is_wanted ? put(a, input, NULL, err) : LIMN_OK;
}

static limn_status walk(applier *a, const limn_inputs *inputs, limn_error *err)
{
    const limn_dirwalk_settings how = limn_inputs_walk_settings(inputs, -1);
    limn_dirwalk_entry input = { .path = "" };
    limn_status s = limn_dirwalk_create(&a->walk, inputs->names, inputs->n_names, &how, err);
    while (s == LIMN_OK && input.path) s = visit_next(a, &input, err);
    if (a->walk) a->counts->left_out = limn_inputs_left_out(a->walk);
    limn_dirwalk_destroy(&a->walk);
    return s;
}

limn_status limn_apply_captions(limn_pipeline_counts *counts, limn_caption_job *job,
                                const limn_inputs *inputs, limn_error *err)
{
    const limn_annotate_settings *s = job->settings;
    applier a = { .job = job,
                  .counts = counts,
                  .stages = s->is_dry_run ? &limn_caption_dry_stages : &limn_caption_stages };
    limn_caption_file file = { 0 };
    limn_status status = limn_caption_file_read(&file, s->applied, NULL, err);
    if (status == LIMN_OK) status = index_captions(&a, &file, err);
    if (status == LIMN_OK) status = walk(&a, inputs, err);
    if (status == LIMN_OK && a.n_missing)
        limn_hooks_message(&s->hooks, LIMN_ANNOTATE_WARNING,
                           "%s: has no caption for %zu of %zu images", s->applied, a.n_missing,
                           a.n_missing + a.n_found);
    limn_caption_file_finish(&file);
    limn_buffer_finish(&a.record);
    limn_free(a.entries);
    return status;
}
