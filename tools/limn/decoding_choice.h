/* How `limn` is to find captions: what the command line says of it, and the options of the library
 * that it comes to. */
#ifndef LIMN_TOOLS_LIMN_DECODING_CHOICE_H
#define LIMN_TOOLS_LIMN_DECODING_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "models/captioner.h"
#include "tools/cli.h"

#define LIMN_COUNT_NOT_GIVEN UINT32_MAX
#define LIMN_SEED_NOT_GIVEN UINT64_MAX

/* What was not given has the values above, NAN, NULL or false. */
typedef struct decoding_choice {
    uint32_t beam, groups, candidates, top_k;
    float diversity, patience, temperature, top_p, min_p, typical;
    uint64_t seed;
    unsigned rerank; /* limn_rerank */
    bool is_sampling, is_distinct, has_good_endings;
    const char *start;
    limn_option_list required, banned, ban_files;
    limn_buffer ban_texts;   /* the files of banned words */
    const char **all_banned; /* [options->n_banned_words] */
} decoding_choice;

extern const char *const decoding_rerank_names[]; /* as limn_rerank, NULL after the last */

decoding_choice decoding_choice_default(void);
void decoding_choice_finish(decoding_choice *c); /* the lists are the parser's */

/* Sets the options of decoding, but for banned words. False when what was given contradicts itself,
 * which was said by the names of the command line. */
bool decoding_choice_apply(limn_options *options, const decoding_choice *c);

/* Sets the banned words: those given, and the lines of the files given. Lines that the model has no
 * words for are left out: it never writes them. LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_FORMAT. */
limn_status decoding_choice_ban(limn_options *options, decoding_choice *c, const limn_model *model,
                                limn_error *err);

#endif
