#include "tools/train/train_plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "tools/message.h"
#include "tools/train/plan_images.h"
#include "models/train/stage_run.h"

static void print_data(const limn_training_data *d)
{
    const limn_training_set *t = &d->train;
    printf("images       %zu to train on, %zu for development\n", t->n_images, d->dev.n_images);
    printf("captions     %zu to train on, %zu for development\n", t->n_captions, d->dev.n_captions);
    printf("words        %zu tokens in the vocabulary; of %zu words in captions "
           "%.2f %% are not in "
           "it\n",
           limn_vocab_n_tokens(d->vocab), t->n_words,
           t->n_words ? 100.0 * (double)t->n_unknown / (double)t->n_words : 0.0);
    printf("encoder      %s, %u pixels\n", d->config.encoder.family, d->config.encoder.input.width);
    printf("decoder      %u layers of width %u, %u heads\n", d->config.decoder.n_layers,
           d->config.decoder.dim, d->config.decoder.n_heads);
    if (d->config.decoder.n_tag_slots > 0)
        printf("tags         the %u most probable of %u, given to the decoder\n",
               d->config.decoder.n_tag_slots, d->config.decoder.n_tags);
}

static void print_time(double seconds)
{
    if (seconds < 90)
        printf("%.0f s", seconds);
    else if (seconds < 5400)
        printf("%.0f min", seconds / 60);
    else
        printf("%.1f h", seconds / 3600);
}

static limn_status print_stage(double *total, const limn_training_data *d,
                               const limn_stage_settings *s, limn_pool *pool, limn_error *err)
{
    uint64_t n_steps;
    size_t bytes;
    double seconds;
    LIMN_TRY(limn_stage_n_steps(&n_steps, d, s, err));
    LIMN_TRY(limn_stage_bytes(&bytes, d, s, err));
    LIMN_TRY(limn_stage_step_seconds(&seconds, d, s, pool, err));
    printf("%-12s %u epochs, %" PRIu64 " steps of %u images, up to %.1f GB, about ",
           limn_stage_names[s->stage], s->n_epochs, n_steps, s->n_images, (double)bytes / 1e9);
    print_time(seconds * (double)n_steps);
    printf("\n");
    *total += seconds * (double)n_steps;
    return LIMN_OK;
}

limn_status limn_train_plan_print(const limn_training_data *d, limn_pool *pool, limn_error *err)
{
    limn_stage_settings stages[LIMN_TRAINING_MAX_STAGES];
    const size_t n = limn_training_stages(stages, d->settings);
    double total = 0;
    LIMN_TRY(limn_plan_images_check(d, err));
    if (d->settings->images.captions && d->dev.n_images == 0)
        limn_message_warning("there are no development images to choose the model by; use "
                             "--dev-share 0.2 or --dev LIST");
    print_data(d);
    for (size_t i = 0; i < n; i++) LIMN_TRY(print_stage(&total, d, &stages[i], pool, err));
    printf("in total     about ");
    print_time(total);
    printf(", not counting the reading of images and the scoring of development images\n");
    return LIMN_OK;
}
