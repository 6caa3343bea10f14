#include "tools/train/train_defaults.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "models/option_value.h"
#include "models/train/training_settings.h"

enum { VALUE_SIZE = 32, N_STAGES = LIMN_STAGE_REWARD + 1 };

static bool is_number(const limn_option *o)
{
    return o->type == LIMN_OPT_COUNT || o->type == LIMN_OPT_SIZE || o->type == LIMN_OPT_REAL;
}

static bool is_of_stage(const limn_option *o)
{
    const size_t begin = offsetof(limn_training_settings, given);
    return o->offset >= begin && o->offset < begin + sizeof(limn_stage_settings);
}

/* False where nothing is set: the value is out of its range. */
static bool put_value(char out[VALUE_SIZE], const limn_training_settings *settings,
                      const limn_option *o)
{
    const double value = limn_option_number(settings, o);
    if (is_number(o) && !(value >= o->min && value <= o->max)) return false;
    if (is_number(o))
        snprintf(out, VALUE_SIZE, "%g", value);
    else
        snprintf(out, VALUE_SIZE, "%s", o->choices[(size_t)value]);
    return true;
}

/* One value where the stages have the same, or only one has any; or each stage's. */
static void put_stages(char *out, size_t size, const limn_option *o)
{
    char values[N_STAGES][VALUE_SIZE];
    const limn_stage_settings unset = limn_stage_settings_unset();
    size_t n_set = 0, n_equal = 0, used = 0, last = 0;
    for (size_t s = 0; s < N_STAGES; s++) {
        limn_training_settings settings = { .seed = 0 };
        settings.given = limn_stage_settings_resolve((limn_stage)s, &unset);
        if (!put_value(values[s], &settings, o)) snprintf(values[s], VALUE_SIZE, "0");
        n_equal += !strcmp(values[s], values[0]);
        n_set += strcmp(values[s], "0") != 0;
        if (strcmp(values[s], "0") != 0) last = s;
    }
    if (n_equal == N_STAGES || n_set == 1) {
        snprintf(out, size, "%s", values[last]);
        return;
    }
    for (size_t s = 0; s < N_STAGES && used < size; s++)
        used += (size_t)snprintf(out + used, size - used, "%s%s %s", s ? ", " : "",
                                 limn_stage_names[s], values[s]);
}

static bool is_told(const limn_option *o)
{
    return o->default_value || strstr(o->help, "(default") ||
           (!is_number(o) && o->type != LIMN_OPT_CHOICE);
}

void limn_train_help(char *out, size_t size, const limn_option *row, size_t training_at)
{
    const limn_training_settings settings = limn_training_settings_default();
    char text[128] = "";
    limn_option o = *row; /* within the settings of training */
    o.offset = row->offset - training_at;
    bool has_default = row->offset >= training_at && o.offset < sizeof settings && !is_told(row);
    if (has_default && is_of_stage(&o))
        put_stages(text, sizeof text, &o);
    else if (has_default)
        has_default = put_value(text, &settings, &o);
    snprintf(out, size, has_default ? "%s (default %s)" : "%s", row->help, text);
}
