/* The best captions of 200 photos with beams of 1, 3 and 5, from their JPEG bytes, against those
 * that PyTorch found with the same weights. */
#include "tests/golden/golden.h"

#include <math.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"
#include "models/captioner.h"

enum { MAX_LINE = 1 << 16 };

typedef struct tally {
    size_t n_photos, n_same, n_close; /* close: another caption whose logprob is within 1e-3 */
} tally;

static void check_photo(tally *sum, limn_state *state, const limn_json_node *line, const char *beam)
{
    limn_json_node captions, best;
    const limn_captions *ours;
    const char *image, *caption;
    double logprob;
    size_t n;
    limn_error err = { 0 };
    must(limn_json_string(&image, line, "image", &err), &err);
    must(limn_json_array(&captions, &n, line, beam, &err), &err);
    best = limn_json_at(&captions, 0);
    must(limn_json_string(&caption, &best, "caption", &err), &err);
    must(limn_json_number(&logprob, &best, "logprob", -1000, 0, &err), &err);
    must(limn_state_caption_file(state, shared_path("data/flickr8k/images", image), &ours, &err),
         &err);
    const bool is_same = strcmp(ours->items[0].text, caption) == 0;
    const bool is_close = fabs(ours->items[0].logprob - logprob) <= 1e-3;
    sum->n_photos++;
    sum->n_same += is_same;
    sum->n_close += is_close;
    if (!is_same || !is_close)
        print_message("%s %s: \"%s\" %.5f, expected \"%s\" %.5f\n", beam, image,
                      ours->items[0].text, ours->items[0].logprob, caption, logprob);
}

static tally caption_all(const limn_model *model, unsigned beam_size)
{
    char beam[8], *line = malloc(MAX_LINE);
    limn_options options = limn_options_default();
    limn_state *state;
    limn_error err = { 0 };
    tally sum = { 0 };
    FILE *lines = fopen(shared_path("reference", "captions.jsonl"), "r");
    assert_non_null(lines);
    options.beam_size = beam_size;
    snprintf(beam, sizeof beam, "beam%u", beam_size);
    must(limn_state_create(&state, model, &options, 1, &err), &err);
    while (fgets(line, MAX_LINE, lines)) {
        json_t *document;
        must(limn_json_parse(&document, line, strlen(line), &err), &err);
        const limn_json_node root = limn_json_root(document);
        check_photo(&sum, state, &root, beam);
        json_decref(document);
    }
    limn_state_destroy(&state);
    fclose(lines);
    free(line);
    return sum;
}

static void test_best_captions(void **state)
{
    static const unsigned beam_sizes[] = { 1, 3, 5 };
    limn_model *model;
    limn_error err = { 0 };
    (void)state;
    must(limn_model_open(&model, golden_model(), NULL, &err), &err);
    for (size_t i = 0; i < 3; i++) {
        const tally sum = caption_all(model, beam_sizes[i]);
        print_message("beam %u: %zu of %zu captions identical, %zu logprobs within 1e-3\n",
                      beam_sizes[i], sum.n_same, sum.n_photos, sum.n_close);
        assert_true(sum.n_photos >= 200);
        assert_true(sum.n_same >= 0.98 * (double)sum.n_photos);
        assert_int_equal(sum.n_close, sum.n_photos);
    }
    limn_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_best_captions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
