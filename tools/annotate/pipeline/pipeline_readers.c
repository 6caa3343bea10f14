/* Readers: from names to the bytes of image files, ahead of the workers. */
#include <string.h>

#include "common/base/mem.h"
#include "tools/annotate/input/image_file.h"
#include "tools/annotate/pipeline/pipeline_parts.h"

/* Waits for a free slot and for room to read ahead. NULL when no more names may be taken. */
static slot *wait_for_slot(pipeline *p)
{
    slot *s;
    pthread_mutex_lock(&p->mutex);
    while (!p->is_stopped &&
           (p->next - p->first == p->n_slots || p->n_unfinished == pipeline_max_unfinished(p) ||
            p->n_read_bytes >= LIMN_PIPELINE_READ_AHEAD))
        pthread_cond_wait(&p->changed, &p->mutex);
    s = p->is_stopped ? NULL : pipeline_slot_at(p, p->next);
    pthread_mutex_unlock(&p->mutex);
    return s;
}

static bool set_slot_input(slot *s, const limn_dirwalk_entry *input)
{
    const size_t size = strlen(input->path) + 1;
    void *block = s->path;
    const bool fits = limn_grow(&block, &s->path_capacity, size, 1);
    s->path = block;
    if (!fits) return false;
    memcpy(s->path, input->path, size);
    s->input = *input;
    s->input.path = s->path;
    s->input.relative = s->path + (input->relative - input->path);
    return true;
}

/* Takes the next name into a free slot; a failed name gets a slot with its error. NULL at the
 * end. */
static slot *take_name(pipeline *p)
{
    limn_dirwalk_entry entry;
    limn_status status;
    slot *s = wait_for_slot(p);
    bool is_interrupted, is_out_of_memory, is_end;
    if (!s) return NULL;
    s->error = (limn_error){ 0 };
    s->is_left_out = s->is_skipped = false;
    s->out.is_left_out = false;
    limn_buffer_clear(&s->out.bytes);
    status = limn_dirwalk_next(p->walk, &entry, &s->error);
    is_interrupted = status == LIMN_E_INTERRUPTED;
    is_out_of_memory = entry.path && !set_slot_input(s, &entry);
    is_end = is_interrupted || is_out_of_memory || !entry.path;
    pthread_mutex_lock(&p->mutex);
    p->is_interrupted = p->is_interrupted || is_interrupted;
    p->is_out_of_memory = p->is_out_of_memory || is_out_of_memory;
    p->is_stopped = p->is_stopped || is_end;
    p->next += !is_end;
    p->n_unfinished += !is_end;
    pipeline_set_step(p, s, is_end ? SLOT_FREE : SLOT_READING);
    pthread_mutex_unlock(&p->mutex);
    return is_end ? NULL : s;
}

/* Asks `want` about an input that has already failed: the failure may be known from an interrupted
 * run. */
static void look_at_failure(pipeline *p, slot *s)
{
    bool is_wanted = true;
    if (!p->stages->want || p->stages->want(p->ctx, &s->input, &is_wanted, NULL) || is_wanted)
        return;
    s->is_skipped = true;
    s->error = (limn_error){ 0 };
}

/* Sets is_left_out and is_skipped if there is nothing to read. */
static limn_status look_at_slot(pipeline *p, slot *s, limn_archive *archive)
{
    bool is_image = s->input.is_stream, is_wanted = true;
    limn_status status = LIMN_OK;
    if (archive)
        status = limn_image_member_is_image(&is_image, &s->input, archive, &s->error);
    else if (!is_image)
        status = limn_image_file_is_image(&is_image, s->path, s->input.is_named, &s->error);
    if (status != LIMN_OK) {
        look_at_failure(p, s);
        return status;
    }
    s->is_left_out = !is_image;
    if (is_image && p->stages->want)
        LIMN_TRY(p->stages->want(p->ctx, &s->input, &is_wanted, &s->error));
    s->is_skipped = !is_wanted;
    return LIMN_OK;
}

static limn_status read_bytes(pipeline *p, slot *s, limn_archive *archive)
{
    if (s->input.is_stream)
        return limn_dirwalk_read_stream(p->walk, &s->bytes, &s->size, LIMN_PIPELINE_MAX_FILE_SIZE,
                                        &s->error);
    if (archive)
        return limn_archive_read(archive, &s->bytes, &s->size, LIMN_PIPELINE_MAX_FILE_SIZE,
                                 &s->error);
    return limn_image_file_read(&s->bytes, &s->size, s->path, LIMN_PIPELINE_MAX_FILE_SIZE,
                                &p->is_stopping, &s->error);
}

static void read_slot(pipeline *p, slot *s, limn_archive *archive)
{
    limn_status status = s->error.code;
    if (status == LIMN_OK)
        status = look_at_slot(p, s, archive);
    else
        look_at_failure(p, s);
    if (status == LIMN_OK && !s->is_left_out && !s->is_skipped) status = read_bytes(p, s, archive);
    s->error.code = s->is_skipped ? LIMN_OK : status;
    pthread_mutex_lock(&p->mutex);
    p->n_read_bytes += s->size;
    pipeline_set_step(p, s, s->bytes ? SLOT_READ : SLOT_DONE);
    pthread_mutex_unlock(&p->mutex);
}

/* An archive member or a stream is read before the walk continues; files by several readers at
 * once. */
void *pipeline_reader_main(void *arg)
{
    pipeline *p = arg;
    slot *s;
    do {
        pthread_mutex_lock(&p->reading);
        s = take_name(p);
        limn_archive *archive = limn_dirwalk_archive(p->walk);
        const bool is_read_here = s && (archive || s->input.is_stream);
        if (is_read_here) read_slot(p, s, archive);
        pthread_mutex_unlock(&p->reading);
        if (s && !is_read_here) read_slot(p, s, NULL);
    } while (s);
    pthread_mutex_lock(&p->mutex);
    p->n_readers--;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}
