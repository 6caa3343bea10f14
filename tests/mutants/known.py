"""Mutants that once survived, or that a test was written against: each must be caught by its tests."""

from collections import namedtuple

Mutant = namedtuple("Mutant", "what file old new tests")

KNOWN = [
    Mutant("failures are dropped when the journal is written anew", "tools/annotate/journal/journal_past.c",
           'strchr("*+-", text[at])', 'strchr("*+", text[at])', ["journal", "annotate_resume"]),
    Mutant("the same dropout mask at every step", "models/train/trainer.c",
           "limn_rng_stream(s->seed, &batch->step, sizeof batch->step).key", "s->seed", ["trainer_steps"]),
    Mutant("the reward's loss is not scaled by 1 - share", "models/train/trainer.c",
           "(1 - t->settings.cross_entropy_share) /", "1.0F /", ["trainer_steps"]),
    Mutant("cross-entropy is not scaled by its share", "models/train/trainer.c",
           "t->reward ? s->cross_entropy_share : 1", "1", ["trainer_steps"]),
    Mutant("threads of a pool keep the host's rounding", "common/base/pool.c",
           "limn_float_env_enter();", ";", ["float_env"]),
    Mutant("the host's rounding is not put back", "common/base/float_env.c",
           "fesetenv(&env->caller);", "(void)env;", ["float_env"]),
    Mutant("a tie of captions is a victory", "models/eval/eval_retrieval.c",
           "1.0 / (double)n_best", "1.0", ["eval_measures"]),
    Mutant("an image is its own rival", "models/eval/eval_retrieval.c",
           "out[i] >= image", "0", ["eval_measures"]),
    Mutant("captions of text alone are others than the batch says", "models/train/batches.c",
           "b->captions[0] = p->image;", "b->captions[1] = p->image;", ["batches"]),
    Mutant("sources are not mixed within an epoch", "models/train/batches.c",
           "shuffle(b->order, n, &rng);", ";", ["batches"]),
    Mutant("an image is drawn for with another's tags", "models/train/reward.c",
           "image * r->config.n_tag_slots", "image / r->config.n_tag_slots", ["reward"]),
    Mutant("classes beyond the 64th are forgotten", "models/train/object_match.c",
           "bits[1] |= set.bits[1]", "bits[1] |= set.bits[0]", ["reward"]),
    Mutant("the clipped norm is not PyTorch's", "models/train/adamw.c", "norm + 1e-6", "norm - 1e-6", ["adamw"]),
    Mutant("consensus compares tokens, not words", "models/consensus.c",
           "status == LIMN_OK && limn_vocab_classes(vocab)", "status == LIMN_OK && 0", ["consensus"]),
]
