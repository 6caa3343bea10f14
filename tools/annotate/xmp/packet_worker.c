#include "tools/annotate/xmp/packet_worker.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "common/base/mem.h"
#include "common/text/utf8.h"
#include "common/text/wide_encoding.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/sandbox/sandbox.h"

enum {
    N_CHILDREN = 2,
    MAX_MEMORY = 1 << 30, /* a tree takes some fifty times the bytes of its text */
    CPU_SECONDS = 20,
    CLOCK_SECONDS = 100,
    /* Bytes that a packet may grow by when it is written in another form: indentation, brackets,
     * room for other programs; and by so many times its own size. */
    MORE_BYTES = 64 << 10,
    MORE_TIMES = 4,
    MAX_TAGS = 1024,
};

struct limn_xmp_worker {
    limn_sandbox *sandbox; /* NULL: in this process */
    pthread_mutex_t mutex; /* then for one at a time */
};

/* ---- a request as bytes --------------------------------------------------------------------- */

/* In front of the texts, each with a NUL, and the packet. */
typedef struct head {
    uint32_t task, existing, is_embedded;
    uint32_t n_texts;  /* separator, caption, alt_text, confidence, model, and the tags */
    uint32_t is_there; /* a bit for each of the first five that is not NULL */
    uint32_t texts_size;
} head;

/* In front of the answer's packet. */
typedef struct tail {
    uint32_t author, is_changed;
    uint64_t size;
} tail;

enum { N_FIXED = 5 };
#define MAX_REQUEST (sizeof(head) + LIMN_XMP_MAX_TEXTS + LIMN_XMP_MAX_SIZE)

static void append_text(limn_buffer *out, const char *text)
{
    if (text) limn_buffer_append_text(out, text);
    limn_buffer_append(out, "", 1);
}

static limn_status encode(limn_buffer *out, const limn_xmp_request *r, const char *packet,
                          size_t size, limn_error *err)
{
    const char *const fixed[N_FIXED] = { r->separator, r->caption, r->alt_text, r->confidence,
                                         r->model };
    head h = { .task = (uint32_t)r->task,
               .existing = (uint32_t)r->existing,
               .is_embedded = r->is_embedded,
               .n_texts = (uint32_t)(N_FIXED + r->n_tags) };
    if (r->n_tags > MAX_TAGS)
        return limn_fail(err, LIMN_E_LIMIT, "%zu tags, but XMP gets at most %d", r->n_tags,
                         MAX_TAGS);
    limn_buffer_append(out, &h, sizeof h);
    for (uint32_t i = 0; i < N_FIXED; i++) {
        h.is_there |= (uint32_t)(fixed[i] != NULL) << i;
        append_text(out, fixed[i]);
    }
    for (size_t i = 0; i < r->n_tags; i++) append_text(out, r->tags[i]);
    if (out->has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    h.texts_size = (uint32_t)(out->size - sizeof h);
    if (h.texts_size > LIMN_XMP_MAX_TEXTS)
        return limn_fail(err, LIMN_E_LIMIT, "its caption is too long");
    memcpy(out->bytes, &h, sizeof h);
    limn_buffer_append(out, packet, size);
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

/* The request in `bytes`, which this program has encoded; `tags` has room for MAX_TAGS. */
static limn_xmp_request decode(const head *h, const char *texts, const char **tags)
{
    const char *fixed[N_FIXED] = { NULL };
    for (uint32_t i = 0; i < h->n_texts; i++, texts += strlen(texts) + 1)
        if (i >= N_FIXED)
            tags[i - N_FIXED] = texts;
        else if (h->is_there >> i & 1)
            fixed[i] = texts;
    return (limn_xmp_request){ .task = (limn_xmp_task)h->task,
                               .is_embedded = h->is_embedded != 0,
                               .existing = (limn_existing)h->existing,
                               .separator = fixed[0],
                               .caption = fixed[1],
                               .alt_text = fixed[2],
                               .confidence = fixed[3],
                               .model = fixed[4],
                               .tags = tags,
                               .n_tags = h->n_texts - N_FIXED };
}

/* ---- in a child ------------------------------------------------------------------------------ */

static limn_status give_answer(uint8_t *out, size_t out_size, const limn_xmp_answer *answer,
                               limn_error *err)
{
    const tail t = { (uint32_t)answer->author, answer->is_changed, answer->packet.size };
    if (answer->packet.size > out_size - sizeof t)
        return limn_fail(err, LIMN_E_LIMIT, "its XMP would become too large");
    memcpy(out, &t, sizeof t);
    if (answer->packet.size) memcpy(out + sizeof t, answer->packet.bytes, answer->packet.size);
    return LIMN_OK;
}

/* exempi starts, and asks for what it needs only the first time. */
static limn_status warm_up(limn_error *err)
{
    const limn_xmp_request request = { .task = LIMN_XMP_WRITE, .caption = "a", .model = "m" };
    limn_xmp_answer answer = { 0 }, again = { 0 };
    limn_status s = limn_xmp_packet_run(&answer, &request, NULL, 0, err);
    if (s == LIMN_OK)
        s = limn_xmp_packet_run(&again, &request, answer.packet.bytes, answer.packet.size, err);
    if (s == LIMN_OK) (void)limn_xmp_packet_run(&again, &request, "no XML", 6, NULL);
    limn_buffer_finish(&answer.packet);
    limn_buffer_finish(&again.packet);
    return s;
}

static limn_status work(uint8_t *out, size_t out_size, const void *bytes, size_t size,
                        const void *settings, limn_error *err)
{
    static const char *tags[MAX_TAGS];
    limn_xmp_answer answer = { 0 };
    head h;
    limn_status s;
    if (!settings) return warm_up(err);
    memcpy(&h, bytes, sizeof h);
    const char *texts = (const char *)bytes + sizeof h, *packet = texts + h.texts_size;
    const limn_xmp_request request = decode(&h, texts, tags);
    s = limn_xmp_packet_run(&answer, &request, packet, size - sizeof h - h.texts_size, err);
    if (s == LIMN_OK) s = give_answer(out, out_size, &answer, err);
    limn_buffer_finish(&answer.packet);
    return s;
}

/* ---- the caller's side ----------------------------------------------------------------------- */

/* Room for the answer to a request of so many bytes. */
static size_t answer_size(size_t request_size)
{
    return sizeof(tail) + MORE_TIMES * request_size + MORE_BYTES;
}

#if defined(__linux__)
/* expat seeds its hash tables; exempi tells standard error, which is closed, about bad XML. */
static const int more_calls[] = { SYS_getrandom, SYS_write };
#else
static const int more_calls[] = { 0 };
#endif

static limn_status start_sandbox(limn_xmp_worker *w, limn_sandbox_use use,
                                 const limn_annotate_hooks *hooks, limn_error *err)
{
    const limn_sandbox_settings settings = {
        .work = work,
        .n_children = N_CHILDREN,
        .max_size = MAX_REQUEST,
        .max_out_size = answer_size(MAX_REQUEST),
        .max_memory = MAX_MEMORY,
        .max_cpu_seconds = CPU_SECONDS,
        .max_seconds = CLOCK_SECONDS,
        .more_calls = more_calls,
        .n_more_calls = sizeof more_calls / sizeof *more_calls,
    };
    limn_error reason = { 0 };
    if (use == LIMN_SANDBOX_OFF || limn_sandbox_is_watched()) return LIMN_OK;
    const limn_status s = limn_sandbox_start(&w->sandbox, &settings, &reason);
    if (s == LIMN_OK) return s;
    if (use == LIMN_SANDBOX_ON) return limn_fail(err, s, "no sandbox for XMP: %s", reason.text);
    limn_hooks_message(hooks, LIMN_ANNOTATE_WARNING, "XMP is read without a sandbox: %s",
                       reason.text);
    return LIMN_OK;
}

limn_status limn_xmp_worker_start(limn_xmp_worker **out, limn_sandbox_use use,
                                  const limn_annotate_hooks *hooks, limn_error *err)
{
    limn_xmp_worker *w;
    *out = NULL;
    LIMN_TRY(limn_xmp_packet_prepare(err)); /* the children have it, too */
    w = limn_calloc(1, sizeof *w);
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    pthread_mutex_init(&w->mutex, NULL);
    const limn_status s = start_sandbox(w, use, hooks, err);
    *out = w;
    if (s != LIMN_OK) limn_xmp_worker_stop(out);
    return s;
}

void limn_xmp_worker_stop(limn_xmp_worker **worker)
{
    limn_xmp_worker *w = worker ? *worker : NULL;
    if (!w) return;
    limn_sandbox_stop(&w->sandbox);
    pthread_mutex_destroy(&w->mutex);
    limn_free(w);
    *worker = NULL;
}

static bool has_declaration(const char *packet, size_t size)
{
    static const char *const words[] = { "<!DOCTYPE", "<!ENTITY" };
    for (const char *p = packet; size && (p = memchr(p, '<', size - (size_t)(p - packet))); p++)
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (size - (size_t)(p - packet) >= strlen(words[i]) &&
                !memcmp(p, words[i], strlen(words[i])))
                return true;
    return false;
}

/* What need not be given to the library. */
static limn_status check(const char *packet, size_t size, limn_error *err)
{
    const char *wide = limn_wide_encoding(packet, size);
    if (size > LIMN_XMP_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "its XMP has %zu bytes, more than %zu", size,
                         LIMN_XMP_MAX_SIZE);
    if (wide)
        return limn_fail(err, LIMN_E_FORMAT,
                         "its XMP is %s, not UTF-8; iconv -f %s -t UTF-8 converts a sidecar", wide,
                         wide);
    if (limn_utf8_valid_size(packet, size) != size)
        return limn_fail(err, LIMN_E_FORMAT, "its XMP has invalid UTF-8 at byte %zu",
                         limn_utf8_valid_size(packet, size));
    if (has_declaration(packet, size))
        return limn_fail(err, LIMN_E_FORMAT,
                         "its XMP declares a document type or entities, which is not allowed");
    return LIMN_OK;
}

static limn_status take_answer(limn_xmp_answer *answer, const uint8_t *out, size_t out_size,
                               limn_error *err)
{
    tail t;
    memcpy(&t, out, sizeof t);
    if (t.size > out_size - sizeof t || t.author > LIMN_XMP_CORRECTED)
        return limn_fail(err, LIMN_E_CRASHED, "the process that reads XMP did not answer");
    answer->author = (limn_xmp_author)t.author;
    answer->is_changed = t.is_changed != 0;
    limn_buffer_append(&answer->packet, out + sizeof t, (size_t)t.size);
    return answer->packet.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

static limn_status run_in_sandbox(limn_xmp_worker *w, limn_xmp_answer *answer,
                                  const limn_xmp_request *request, const char *packet, size_t size,
                                  limn_error *err)
{
    limn_buffer bytes = { 0 };
    uint8_t *out = NULL;
    size_t out_size = sizeof(tail);
    limn_status s = encode(&bytes, request, packet, size, err);
    if (request->task != LIMN_XMP_LOOK) out_size = answer_size(bytes.size);
    if (s == LIMN_OK) out = limn_calloc(1, out_size);
    if (s == LIMN_OK && !out) s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s == LIMN_OK)
        s = limn_sandbox_run(w->sandbox, out, out_size, bytes.bytes, bytes.size, "", 1, NULL, err);
    if (s == LIMN_OK) s = take_answer(answer, out, out_size, err);
    limn_buffer_finish(&bytes);
    limn_free(out);
    return s;
}

limn_status limn_xmp_worker_run(limn_xmp_worker *w, limn_xmp_answer *answer,
                                const limn_xmp_request *request, const char *packet, size_t size,
                                limn_error *err)
{
    limn_status s;
    *answer = (limn_xmp_answer){ 0 };
    LIMN_TRY(check(packet, size, err));
    if (w->sandbox) return run_in_sandbox(w, answer, request, packet, size, err);
    pthread_mutex_lock(&w->mutex);
    s = limn_xmp_packet_run(answer, request, packet, size, err);
    pthread_mutex_unlock(&w->mutex);
    return s;
}
