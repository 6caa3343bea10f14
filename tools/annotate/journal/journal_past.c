#include "tools/annotate/journal/journal_past.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/text/file_name.h"

/* One line while it is read. */
typedef struct journal_line {
    char letter;
    const char *fields; /* [size] after letter and space */
    size_t size;
    const char *second; /* [second_size] after the first tab; NULL without */
    size_t second_size;
} journal_line;

static void notes_clear(limn_journal_past *past)
{
    for (size_t i = 0; i < past->n_notes; i++) {
        limn_free(past->notes[i].name);
        limn_free(past->notes[i].text);
    }
    past->n_notes = 0;
}

void limn_journal_past_finish(limn_journal_past *past)
{
    notes_clear(past);
    limn_free(past->notes);
    limn_free(past->state);
    limn_free(past->errors_state);
    limn_name_set_finish(&past->done);
    limn_name_set_finish(&past->before);
    limn_buffer_finish(&past->lines);
    *past = (limn_journal_past){ 0 };
}

static limn_status fail_line(limn_error *err, const char *line, size_t size)
{
    return limn_fail(err, LIMN_E_FORMAT, "'%.*s' is not a line of a journal",
                     size < 80 ? (int)size : 80, line);
}

/* ---- lines ------------------------------------------------------------------------------ */

static bool split(journal_line *out, const char *line, size_t size)
{
    if (size < 2 || line[1] != ' ') return false;
    *out = (journal_line){ .letter = line[0], .fields = line + 2, .size = size - 2 };
    out->second = memchr(out->fields, '\t', out->size);
    if (out->second) {
        const char *end = out->fields + out->size;
        out->size = (size_t)(out->second - out->fields);
        out->second++;
        out->second_size = (size_t)(end - out->second);
    }
    return true;
}

/* The cause of a failure by its name. */
static limn_status status_named(const char *name, size_t size)
{
    for (int s = LIMN_OK + 1; s < LIMN_N_STATUSES; s++) {
        const char *candidate = limn_status_name((limn_status)s);
        if (strlen(candidate) == size && !memcmp(candidate, name, size)) return (limn_status)s;
    }
    return LIMN_E_IO;
}

static limn_status add_note(limn_journal_past *past, const char *name, const journal_line *line,
                            limn_error *err)
{
    limn_journal_note note = { limn_strdup(name),
                               limn_strndup(line->second ? line->second : "", line->second_size) };
    if (note.name && note.text &&
        limn_grow((void **)&past->notes, &past->notes_capacity, past->n_notes + 1, sizeof note)) {
        past->notes[past->n_notes++] = note;
        return LIMN_OK;
    }
    limn_free(note.name);
    limn_free(note.text);
    return limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

/* A line with a name, which counts: those after the last checkpoint are read for notes only. */
static limn_status read_name(limn_journal_past *past, const journal_line *line, limn_buffer *name,
                             bool counts, limn_error *err)
{
    limn_buffer_clear(name);
    if (!limn_file_name_append_unescaped(name, line->fields, line->size))
        return fail_line(err, line->fields, line->size);
    limn_buffer_append(name, "", 0);
    if (name->has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (line->letter == '~') return counts ? LIMN_OK : add_note(past, name->bytes, line, err);
    if (!counts) return LIMN_OK;
    if (line->letter == '*') return limn_name_set_add(&past->before, name->bytes, name->size, err);
    past->n_left_out += line->letter == '+' && line->second;
    past->counts[line->letter == '+' ? LIMN_OK : status_named(line->second, line->second_size)]++;
    return limn_name_set_add(&past->done, name->bytes, name->size, err);
}

/* NULL for NULL. */
static bool set_text(char **out, const char *text, size_t size)
{
    limn_free(*out);
    *out = text ? limn_strndup(text, size) : NULL;
    return !text || *out;
}

static limn_status read_line(limn_journal_past *past, const char *text, size_t size,
                             limn_buffer *name, bool counts, limn_error *err)
{
    journal_line line;
    if (!split(&line, text, size) || !strchr("*+-~@!", line.letter))
        return fail_line(err, text, size);
    if (line.letter != '@' && line.letter != '!') return read_name(past, &line, name, counts, err);
    past->is_complete = line.letter == '!';
    if (!set_text(&past->state, line.fields, line.size) ||
        !set_text(&past->errors_state, line.second, line.second_size))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return LIMN_OK;
}

/* ---- all of it -------------------------------------------------------------------------- */

/* The bytes of `text` to the end of the last whole line that begins with `letters`; 0 for none. */
static size_t end_of_last(const char *text, size_t size, const char *letters)
{
    size_t end = 0;
    for (size_t at = 0; at < size;) {
        const char *stop = memchr(text + at, '\n', size - at);
        if (!stop) break;
        if (strchr(letters, text[at]) && text[at]) end = (size_t)(stop - text) + 1;
        at = (size_t)(stop - text) + 1;
    }
    return end;
}

/* The bytes of the header; 0 when it is incomplete. */
static size_t header_size(const char *text, size_t size)
{
    static const char end[] = "\n" LIMN_JOURNAL_BEGIN "\n";
    const char *found = size ? strstr(text, end) : NULL;
    return found ? (size_t)(found - text) + sizeof end - 1 : 0;
}

static limn_status read_lines(limn_journal_past *past, const char *text, size_t size,
                              size_t counting_size, limn_error *err)
{
    limn_buffer name = { 0 };
    limn_status s = LIMN_OK;
    for (size_t at = 0; at < size && s == LIMN_OK;) {
        const char *stop = memchr(text + at, '\n', size - at);
        if (!stop) break;
        const bool counts = at < counting_size;
        s = read_line(past, text + at, (size_t)(stop - text) - at, &name, counts,
                      counts ? err : NULL);
        if (s == LIMN_E_FORMAT && !counts) /* debris of a power cut */
            s = LIMN_OK;
        at = (size_t)(stop - text) + 1;
    }
    limn_buffer_finish(&name);
    return s;
}

/* Keeps the lines for the journal's next version. */
static void keep_lines(limn_journal_past *past, const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *stop = memchr(text + at, '\n', size - at);
        const size_t end = (size_t)(stop - text) + 1;
        if (strchr("*+-", text[at])) limn_buffer_append(&past->lines, text + at, end - at);
        at = end;
    }
}

limn_status limn_journal_past_read(limn_journal_past *past, const char *text, size_t size,
                                   const char *path, limn_error *err)
{
    const size_t header = header_size(text, size), magic = sizeof LIMN_JOURNAL_MAGIC - 1;
    size_t counting;
    limn_status s;
    if (memcmp(text, LIMN_JOURNAL_MAGIC, size < magic ? size : magic))
        return limn_fail(err, LIMN_E_FORMAT,
                         "%s: exists and is not a journal; remove it or choose another name", path);
    if (!header) return LIMN_OK;
    past->is_resumed = true;
    text += header;
    size -= header;
    counting = end_of_last(text, size, "@!");
    s = read_lines(past, text, size, counting, err);
    if (s == LIMN_OK) keep_lines(past, text, counting);
    if (s == LIMN_OK && past->lines.has_failed) s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    return s;
}

/* The size of a header line as shown in messages, without "= ". */
static int shown_size(const char *line)
{
    return (int)strcspn(line, "\n") - 2;
}

limn_status limn_journal_check_header(const char *text, const limn_buffer *header, const char *path,
                                      limn_error *err)
{
    const char *now = header->bytes;
    while (*now && !strncmp(text, now, strcspn(now, "\n") + 1)) {
        text += strcspn(text, "\n") + 1;
        now += strcspn(now, "\n") + 1;
    }
    if (!*now) return LIMN_OK;
    if (*text != '=' || *now != '=')
        return limn_fail(err, LIMN_E_ARG,
                         "%s: was left by another version of limn; use --force to resume anyway",
                         path);
    return limn_fail(
        err, LIMN_E_ARG,
        "%s: the interrupted run had '%.*s', this one has '%.*s'; use --force to resume anyway",
        path, shown_size(text), text + 2, shown_size(now), now + 2);
}
