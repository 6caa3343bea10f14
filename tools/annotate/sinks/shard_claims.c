#include "tools/annotate/sinks/shard_claims.h"

#include <string.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"

void limn_shard_claims_init(limn_shard_claims *c, const char *folder, const char *extension)
{
    *c = (limn_shard_claims){ .folder = folder, .extension = extension };
    pthread_mutex_init(&c->mutex, NULL);
}

static void free_claim(limn_shard_claim *claim)
{
    if (claim) {
        limn_free(claim->archive);
        limn_free(claim->output);
    }
    limn_free(claim);
}

void limn_shard_claims_finish(limn_shard_claims *c)
{
    for (size_t i = 0; i < c->n_items; i++) free_claim(c->items[i]);
    limn_free(c->items);
    pthread_mutex_destroy(&c->mutex);
}

/* Bytes of `name` [size] without its ".tar", ".tar.gz", ".tgz" or ".zip". */
static size_t stem_size(const char *name, size_t size)
{
    size_t n = size;
    while (n && name[n - 1] != '.') n--;
    n -= n > 0;
    if (size - n == 3 && n > 4) /* .gz */
        n -= 4;
    return n;
}

/* FOLDER/, where the archive is below the folder that was named, its stem, the extension. */
static char *make_output(const limn_shard_claims *c, const limn_dirwalk_entry *input)
{
    const char *archive = input->relative;
    const size_t below = (size_t)(input->relative - input->path);
    size_t size = input->archive_size - below;
    limn_buffer out = { 0 };
    if (!below) /* named itself */
        for (size_t i = 0; i < input->archive_size; i++)
            if (input->path[i] == '/') {
                archive = input->path + i + 1;
                size = input->archive_size - i - 1;
            }
    limn_buffer_append_text(&out, c->folder);
    if (!out.has_failed && out.size && out.bytes[out.size - 1] != '/')
        limn_buffer_append(&out, "/", 1);
    limn_buffer_append(&out, archive, stem_size(archive, size));
    limn_buffer_append_text(&out, c->extension);
    if (!out.has_failed) return out.bytes;
    limn_buffer_finish(&out);
    return NULL;
}

static limn_status add(limn_shard_claims *c, const limn_dirwalk_entry *input, limn_error *err)
{
    limn_shard_claim *claim = limn_calloc(1, sizeof *claim);
    void *items = c->items;
    const bool fits = claim && limn_grow(&items, &c->capacity, c->n_items + 1, sizeof *c->items);
    c->items = items;
    if (fits) {
        claim->number = input->archive_number;
        claim->archive = limn_strndup(input->path, input->archive_size);
        claim->output = make_output(c, input);
    }
    if (!fits || !claim->archive || !claim->output) {
        free_claim(claim);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    claim->was_there = !access(claim->output, F_OK);
    c->items[c->n_items++] = claim;
    return LIMN_OK;
}

static const limn_shard_claim *find_number(const limn_shard_claims *c, size_t number)
{
    for (size_t i = c->n_items; i-- > 0;)
        if (c->items[i]->number == number) return c->items[i];
    return NULL;
}

/* An earlier claim with the same output. */
static const limn_shard_claim *find_rival(const limn_shard_claims *c, const limn_shard_claim *claim)
{
    for (size_t i = 0; i < c->n_items && c->items[i] != claim; i++)
        if (!strcmp(c->items[i]->output, claim->output)) return c->items[i];
    return NULL;
}

static limn_status find(limn_shard_claims *c, const limn_dirwalk_entry *input,
                        const limn_shard_claim **out, limn_error *err)
{
    const limn_shard_claim *rival;
    *out = find_number(c, input->archive_number);
    if (!*out) {
        LIMN_TRY(add(c, input, err));
        *out = c->items[c->n_items - 1];
    }
    rival = find_rival(c, *out);
    if (rival)
        return limn_fail(err, LIMN_E_ARG,
                         "its results would go to %s, like those of %s, given earlier",
                         (*out)->output, rival->archive);
    return LIMN_OK;
}

limn_status limn_shard_claims_find(limn_shard_claims *c, const limn_dirwalk_entry *input,
                                   const limn_shard_claim **out, limn_error *err)
{
    limn_status s;
    if (!input->archive_size)
        return limn_fail(err, LIMN_E_ARG, "is not in an archive; -o FOLDER/ is for archives");
    pthread_mutex_lock(&c->mutex);
    s = find(c, input, out, err);
    pthread_mutex_unlock(&c->mutex);
    return s;
}
