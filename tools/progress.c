#include "tools/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tools/verbosity.h"

static const char *progress_unit;
static bool progress_is_on, progress_is_shown;
static double progress_began, progress_drawn;

bool limn_progress_is_wanted(void)
{
    return limn_verbosity_get() >= LIMN_NORMAL && isatty(STDERR_FILENO);
}

void limn_progress_start(const char *unit)
{
    progress_unit = unit;
    progress_is_on = limn_progress_is_wanted();
    progress_began = limn_clock_seconds();
    progress_drawn = progress_began;
}

static void put_time_left(double seconds)
{
    const unsigned long s = (unsigned long)seconds;
    if (s >= 3600)
        fprintf(stderr, ", %lu h %02lu min left", s / 3600, s / 60 % 60);
    else if (s >= 60)
        fprintf(stderr, ", %lu min %02lu s left", s / 60, s % 60);
    else
        fprintf(stderr, ", %lu s left", s);
}

/* Whether a line is to be drawn now. */
static bool is_due(double *now)
{
    *now = limn_clock_seconds();
    if (!progress_is_on || *now - progress_drawn < 0.1) return false;
    progress_drawn = *now;
    return true;
}

void limn_progress_show(const char *line)
{
    double now;
    if (!is_due(&now)) return;
    flockfile(stderr);
    limn_progress_erase();
    fputs(line, stderr);
    fflush(stderr);
    progress_is_shown = true;
    funlockfile(stderr);
}

void limn_progress_update(size_t n_done, size_t n_failed, size_t n_total)
{
    double now;
    if (!is_due(&now)) return;
    flockfile(stderr);
    limn_progress_erase();
    fprintf(stderr, "%zu", n_done);
    if (n_total) fprintf(stderr, " of %zu", n_total);
    fprintf(stderr, " %s, %.1f/s", progress_unit, (double)n_done / (now - progress_began));
    if (n_failed) fprintf(stderr, ", %zu failed", n_failed);
    if (n_total > n_done && n_done)
        put_time_left((now - progress_began) / (double)n_done * (double)(n_total - n_done));
    fflush(stderr);
    progress_is_shown = true;
    funlockfile(stderr);
}

void limn_progress_erase(void)
{
    flockfile(stderr);
    if (progress_is_shown) fputs("\r\033[K", stderr);
    progress_is_shown = false;
    funlockfile(stderr);
}
