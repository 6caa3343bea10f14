#include "tools/annotate/sinks/sink_shards.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/journal/part_file.h"
#include "tools/annotate/sinks/shard_claims.h"
#include "tools/annotate/sinks/shard_tar.h"
#include "tools/annotate/sinks/tar_names.h"
#include "common/text/file_name.h"

typedef struct shards_sink {
    limn_sink sink;
    const char *folder;
    const limn_writer *writer;
    const char *const *endings; /* [n_endings]; 0: one file of records for each archive */
    size_t n_endings;
    const limn_output_owners *siblings; /* borrowed */
    limn_shard_claims claims;
    /* The current archive; `archive` is NULL when there is none. */
    char *archive;
    limn_part_file part;
    limn_shard_tar *tar; /* NULL without endings */
    bool has_records;
    size_t broken_number; /* an archive whose results are dropped; 0: none */
} shards_sink;

/* ---- one archive --------------------------------------------------------------------------- */

static void forget_archive(shards_sink *f)
{
    limn_shard_tar_close(&f->tar);
    limn_free(f->archive);
    f->archive = NULL;
}

/* Drops the current archive, leaving no file. */
static void drop_archive(shards_sink *f)
{
    limn_part_file_remove(&f->part);
    forget_archive(f);
}

static limn_status open_tar(shards_sink *f, size_t n_members, uint64_t position, limn_error *err)
{
    if (!f->n_endings) return LIMN_OK;
    return limn_shard_tar_open(&f->tar, f->archive, f->endings, f->n_endings, n_members, position,
                               err);
}

static limn_status open_archive(shards_sink *f, const limn_shard_claim *claim, limn_error *err)
{
    limn_status s;
    LIMN_TRY(limn_folder_make_above(claim->output, err));
    LIMN_TRY(limn_part_file_create(&f->part, claim->output, 0, err));
    f->has_records = false;
    f->archive = limn_strdup(claim->archive);
    s = f->archive ? open_tar(f, 0, 0, err) : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s != LIMN_OK) drop_archive(f);
    return s;
}

static limn_status append_text(shards_sink *f, const char *text, limn_error *err)
{
    return text ? limn_part_file_write(&f->part, text, strlen(text), err) : LIMN_OK;
}

/* Gives the current archive's file its final name. */
static limn_status finish_archive(shards_sink *f, limn_error *err)
{
    limn_status s;
    if (!f->archive) return LIMN_OK;
    LIMN_TRY(limn_sink_record(&f->sink, err));
    s = f->tar           ? limn_shard_tar_finish(f->tar, &f->part, err)
        : f->has_records ? append_text(f, f->writer->foot, err)
                         : LIMN_OK;
    if (s == LIMN_OK) s = limn_part_file_commit(&f->part, err);
    if (s == LIMN_OK) forget_archive(f);
    return s;
}

static limn_status add_result(shards_sink *f, const limn_pipeline_result *r, limn_error *err)
{
    const char *name = r->input->path + r->input->archive_size + 1;
    if (f->tar)
        return limn_shard_tar_add(f->tar, &f->part, name, r->error ? NULL : r->out->bytes,
                                  r->out->size, err);
    if (!r->out->size) return LIMN_OK;
    LIMN_TRY(append_text(f, f->has_records ? f->writer->separator : f->writer->head, err));
    f->has_records = true;
    return limn_part_file_write(&f->part, r->out->bytes, r->out->size, err);
}

/* ---- the sink ------------------------------------------------------------------------------ */

static limn_status find_claim(shards_sink *f, const limn_dirwalk_entry *input,
                              const limn_shard_claim **out, limn_error *err)
{
    LIMN_TRY(limn_shard_claims_find(&f->claims, input, out, err));
    if (f->n_endings && !strcasecmp((*out)->archive + input->archive_size - 4, ".zip"))
        return limn_fail(err, LIMN_E_ARG, "is in a zip archive; --tar is for tars");
    return LIMN_OK;
}

static limn_status look(limn_sink *s, const limn_dirwalk_entry *input, bool *is_there,
                        limn_error *err)
{
    shards_sink *f = (shards_sink *)s;
    const limn_shard_claim *claim;
    LIMN_TRY(find_claim(f, input, &claim, err));
    const bool is_sibling = limn_output_owners_has(f->siblings, limn_tar_sibling_key(input->path));
    s->n_siblings += is_sibling;
    *is_there = claim->was_there || is_sibling;
    return LIMN_OK;
}

/* Whether the member is in the current archive. */
static bool is_in_work(const shards_sink *f, const limn_dirwalk_entry *input)
{
    return f->archive && strlen(f->archive) == input->archive_size &&
           !memcmp(f->archive, input->path, input->archive_size);
}

/* A result that is about an archive as a whole. */
static void put_failed_archive(shards_sink *f, const limn_dirwalk_entry *input)
{
    if (!f->archive || strcmp(f->archive, input->path) != 0) return;
    f->sink.is_incomplete = true;
    drop_archive(f);
}

/* The fault is in the tar, not the output: it gets no copy, and the run continues. */
static limn_status give_up_tar(shards_sink *f, size_t number, const limn_error *reason,
                               limn_error *err)
{
    if (reason->code != LIMN_E_TRUNCATED && reason->code != LIMN_E_FORMAT)
        return limn_fail(err, reason->code, "%s", reason->text);
    limn_hooks_message(f->sink.hooks, LIMN_ANNOTATE_ERROR, "%s; no copy of it is written",
                       reason->text);
    f->sink.is_incomplete = true;
    f->broken_number = number;
    drop_archive(f);
    return LIMN_OK;
}

/* Called at the end of the current archive. */
static limn_status end_archive(shards_sink *f, limn_error *err)
{
    limn_error reason = { 0 };
    return finish_archive(f, &reason) == LIMN_OK ? LIMN_OK : give_up_tar(f, 0, &reason, err);
}

static limn_status put_member(shards_sink *f, const limn_pipeline_result *r, limn_error *err)
{
    const limn_shard_claim *claim;
    limn_error reason = { 0 };
    limn_status s = LIMN_OK;
    if (find_claim(f, r->input, &claim, NULL) || (claim->was_there && !is_in_work(f, r->input)))
        return LIMN_OK; /* refused by `look`, or done when the last run was killed */
    if (!is_in_work(f, r->input)) {
        LIMN_TRY(end_archive(f, err));
        s = open_archive(f, claim, &reason);
    }
    if (s == LIMN_OK) s = add_result(f, r, &reason);
    return s == LIMN_OK ? LIMN_OK : give_up_tar(f, r->input->archive_number, &reason, err);
}

static limn_status put(limn_sink *s, const limn_pipeline_result *r, limn_error *err)
{
    shards_sink *f = (shards_sink *)s;
    if (!r->input->archive_size) {
        put_failed_archive(f, r->input);
        return LIMN_OK;
    }
    return f->broken_number == r->input->archive_number ? LIMN_OK : put_member(f, r, err);
}

/* "-", or how far the tar is, whether there are records, the sizes of the two paths, that of the
 * file's state, and then these, escaped, with nothing between. */
static limn_status checkpoint(limn_sink *s, limn_journal *journal, limn_buffer *state,
                              limn_error *err)
{
    shards_sink *f = (shards_sink *)s;
    size_t n_members = 0;
    uint64_t position = 0;
    (void)journal;
    if (!f->archive) {
        limn_buffer_append_text(state, "-");
        return LIMN_OK;
    }
    LIMN_TRY(limn_part_file_sync(&f->part, err));
    if (f->tar) limn_shard_tar_position(f->tar, &n_members, &position);
    limn_buffer paths = { 0 }, file = { 0 };
    limn_file_name_append_line(&paths, f->archive);
    const size_t archive_size = paths.size;
    limn_file_name_append_line(&paths, f->part.path);
    limn_part_file_append_state(&f->part, &file);
    limn_buffer_printf(state, "%zu %" PRIu64 " %d %zu %zu %s", n_members, position, f->has_records,
                       archive_size, file.size, paths.has_failed ? "" : paths.bytes);
    limn_buffer_append(state, file.bytes, file.size);
    state->has_failed = state->has_failed || paths.has_failed || file.has_failed;
    limn_buffer_finish(&paths);
    limn_buffer_finish(&file);
    return LIMN_OK;
}

/* What a checkpoint wrote. */
typedef struct past_state {
    size_t n_members;
    uint64_t position;
    int has_records;
    limn_buffer archive, output;
    const char *file;
} past_state;

static bool parse_state(past_state *p, const char *state)
{
    size_t archive_size, file_size, size;
    int at = 0;
    if (sscanf(state, "%zu %" SCNu64 " %d %zu %zu %n", &p->n_members, &p->position, &p->has_records,
               &archive_size, &file_size, &at) != 5)
        return false;
    state += at;
    size = strlen(state);
    if (file_size > size || archive_size > size - file_size) return false;
    p->file = state + size - file_size;
    return limn_file_name_append_unescaped(&p->archive, state, archive_size) &&
           limn_file_name_append_unescaped(&p->output, state + archive_size,
                                           size - file_size - archive_size) &&
           (limn_buffer_append(&p->archive, "", 0), limn_buffer_append(&p->output, "", 0),
            !p->archive.has_failed && !p->output.has_failed);
}

static limn_status resume(shards_sink *f, const past_state *p, limn_error *err)
{
    limn_buffer part = { 0 };
    limn_status s;
    limn_buffer_printf(&part, "%s.part", p->output.bytes);
    const bool is_complete =
        !part.has_failed && access(part.bytes, F_OK) && !access(p->output.bytes, F_OK);
    limn_buffer_finish(&part);
    if (is_complete) return LIMN_OK; /* it was renamed after the checkpoint */
    LIMN_TRY(limn_part_file_resume(&f->part, p->output.bytes, p->file, err));
    f->archive = limn_strdup(p->archive.bytes);
    f->has_records = p->has_records != 0;
    s = f->archive ? open_tar(f, p->n_members, p->position, err)
                   : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s != LIMN_OK) {
        limn_part_file_close(&f->part);
        forget_archive(f);
    }
    return s;
}

static limn_status begin(limn_sink *s, const char *state, limn_name_set *before, limn_error *err)
{
    shards_sink *f = (shards_sink *)s;
    past_state p = { 0 };
    limn_status status = LIMN_OK;
    (void)before;
    if (!state || !strcmp(state, "-")) return LIMN_OK;
    status = parse_state(&p, state) ? resume(f, &p, err)
                                    : limn_fail(err, LIMN_E_FORMAT, "'%s' is not a state", state);
    limn_buffer_finish(&p.archive);
    limn_buffer_finish(&p.output);
    return status;
}

static limn_status end(limn_sink *s, limn_error *err)
{
    return end_archive((shards_sink *)s, err);
}

static limn_status complete(limn_sink *s, const char *state, limn_error *err)
{
    (void)s;
    (void)state;
    (void)err;
    return LIMN_OK; /* `end` gave the last file its name */
}

static limn_status leave(limn_sink *s, limn_error *err)
{
    shards_sink *f = (shards_sink *)s;
    (void)err;
    limn_part_file_close(&f->part);
    forget_archive(f);
    return LIMN_OK;
}

static void discard(limn_sink *s)
{
    drop_archive((shards_sink *)s);
}

static void destroy(limn_sink *s)
{
    shards_sink *f = (shards_sink *)s;
    limn_part_file_close(&f->part);
    forget_archive(f);
    limn_shard_claims_finish(&f->claims);
    limn_free(f);
}

static const limn_sink_methods methods = {
    .look = look,
    .begin = begin,
    .put = put,
    .checkpoint = checkpoint,
    .end = end,
    .complete = complete,
    .leave = leave,
    .discard = discard,
    .destroy = destroy,
};

bool limn_output_is_folder(const char *path)
{
    struct stat st;
    const size_t size = path ? strlen(path) : 0;
    return size && (path[size - 1] == '/' || (!stat(path, &st) && S_ISDIR(st.st_mode)));
}

limn_status limn_sink_shards_create(limn_sink **out, const char *folder, const limn_writer *writer,
                                    const char *const *endings, size_t n_endings,
                                    const limn_output_owners *siblings, limn_error *err)
{
    limn_buffer journal = { 0 };
    shards_sink *f;
    struct stat st;
    *out = NULL;
    limn_buffer_printf(&journal, "%s/limn.limn-run", folder);
    if (journal.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_status s = limn_folder_make_above(journal.bytes, err);
    if (s == LIMN_OK && (stat(folder, &st) || !S_ISDIR(st.st_mode)))
        s = limn_fail(err, LIMN_E_ARG, "%s: is not a folder", folder);
    f = s == LIMN_OK ? limn_calloc(1, sizeof *f) : NULL;
    if (!f) {
        limn_buffer_finish(&journal);
        return s == LIMN_OK ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : s;
    }
    f->sink.methods = &methods;
    f->sink.journal_path = journal.bytes;
    f->folder = folder;
    f->writer = writer;
    f->endings = endings;
    f->n_endings = n_endings;
    f->siblings = siblings;
    limn_shard_claims_init(&f->claims, folder, n_endings ? ".tar" : writer->extension);
    *out = &f->sink;
    return LIMN_OK;
}
