#include "tools/vocabulary/vocab_summary.h"

#include <string.h>

static const char *plural(const limn_vocab *vocab)
{
    return limn_vocab_tokenizer(vocab)->name;
}

/* Uses of the tokens with at least min_count uses, as a share of all uses in percent. */
static double unknown_percent(const limn_vocab_source *s, uint64_t min_count)
{
    uint64_t n_uses = 0;
    for (size_t i = 0; i < s->n_tokens && s->tokens[i].count >= min_count; i++)
        n_uses += s->tokens[i].count;
    return s->n_uses ? 100.0 - 100.0 * (double)n_uses / (double)s->n_uses : 0.0;
}

static void print_table(FILE *out, const limn_vocab_source *s, const char *unit)
{
    static const uint64_t minimums[] = { 1, 2, 3, 5, 10, 20, 50 };
    const int width = strlen(unit) > 8 ? (int)strlen(unit) : 8;
    fprintf(out, "\nmin-count %*s   <unk> %%\n", width, unit);
    for (size_t i = 0; i < sizeof minimums / sizeof *minimums; i++)
        fprintf(out, "%9llu %*zu %9.2f\n", (unsigned long long)minimums[i], width,
                limn_vocab_source_n_frequent(s, minimums[i]), unknown_percent(s, minimums[i]));
}

static void print_counts(FILE *out, const limn_vocab_source *s, const char *unit)
{
    fprintf(out, "%-14s %llu, %zu different\n", unit, (unsigned long long)s->n_uses,
            s->n_tokens + s->n_unfit);
    if (s->n_unfit) fprintf(out, "left out       %zu %s that no token can be\n", s->n_unfit, unit);
}

static void print_coverage(FILE *out, const limn_vocab_source *s, const limn_vocab *vocab)
{
    const double percent = 100 * limn_vocab_source_coverage(s, vocab);
    fprintf(out, "coverage       %.2f %% of all uses; %.2f %% are <unk>\n", percent, 100 - percent);
}

static size_t n_added(const limn_vocab_builder *b)
{
    size_t n = 0;
    for (size_t i = 0; i < limn_vocab_builder_n_sources(b); i++)
        n += limn_vocab_builder_source(b, i)->n_added;
    return n;
}

/* "7 tokens: 4 special, 3 words", without the end of the line. */
static void print_size(FILE *out, const limn_vocab_summary *s, const char *unit)
{
    const size_t n = limn_vocab_n_tokens(s->vocab), n_new = n_added(s->builder);
    fprintf(out, "vocabulary     %zu tokens: ", n);
    if (s->n_old)
        fprintf(out, "%zu old, %zu new %s", s->n_old, n_new, unit);
    else
        fprintf(out, "%zu special, %zu %s", n - n_new, n_new, unit);
}

/* The tokens that an old vocabulary lacked, as many as fit a line. */
static void print_new(FILE *out, const limn_vocab_summary *s)
{
    const size_t n = limn_vocab_n_tokens(s->vocab);
    size_t width = 15, i = s->n_old;
    if (!s->n_old || i == n) return;
    fputs("new           ", out);
    for (; i < n; i++) {
        const char *token = limn_vocab_text(s->vocab, (uint32_t)i);
        width += strlen(token) + 1;
        if (width > 68 && i > s->n_old) break;
        fprintf(out, " %s", token);
    }
    if (i < n) fprintf(out, " and %zu more", n - i);
    fputc('\n', out);
}

static void print_only_source(FILE *out, const limn_vocab_summary *s, const char *unit)
{
    const limn_vocab_source *source = limn_vocab_builder_source(s->builder, 0);
    print_counts(out, source, unit);
    print_size(out, s, unit);
    fprintf(out, " with at least %llu use%s\n", (unsigned long long)source->min_count,
            source->min_count > 1 ? "s" : "");
    print_new(out, s);
    print_coverage(out, source, s->vocab);
    print_table(out, source, unit);
}

static void print_source(FILE *out, const limn_vocab_source *source, const limn_vocab *vocab,
                         const char *unit)
{
    fprintf(out, "\nminimum        %llu in %zu captions\n", (unsigned long long)source->min_count,
            source->n_captions);
    print_counts(out, source, unit);
    fprintf(out, "added          %zu %s\n", source->n_added, unit);
    print_coverage(out, source, vocab);
    print_table(out, source, unit);
}

void limn_vocab_summary_print(FILE *out, const limn_vocab_summary *s)
{
    const size_t n_sources = limn_vocab_builder_n_sources(s->builder);
    const char *unit = plural(s->vocab);
    if (n_sources == 1) {
        print_only_source(out, s, unit);
        return;
    }
    print_size(out, s, unit);
    fputc('\n', out);
    print_new(out, s);
    for (size_t i = 0; i < n_sources; i++)
        print_source(out, limn_vocab_builder_source(s->builder, i), s->vocab, unit);
}
