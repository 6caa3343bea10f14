# shellcheck shell=sh disable=SC2154
# Steps of the scripts that make models, which read it with `.`; they set bin, flickr8k, general, coco_text,
# coco_unlabelled, work and dev, the list of photos that a run is measured by.

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
    ls "$general/images" >"$work/general.txt.part"
    mv "$work/general.txt.part" "$work/general.txt"
}

# names OUT CAPTIONS : the photos that a caption file names.
names() {
    cut -d '#' -f 1 "$2" | uniq >"$1.part"
    mv "$1.part" "$1"
}

# train NAME SET OPTIONS... : a run of limn-train in $work/run-NAME, to $work/NAME.safetensors, on the
# images and captions of $work/train-SET.txt and $work/captions-SET.txt.
train() {
    name=$1 set=$2
    shift 2
    if [ -e "$work/$name.safetensors" ]; then
        return
    elif [ -e "$work/run-$name/run.json" ]; then
        "$bin/limn-train" --resume "$work/run-$name"
    else
        "$bin/limn-train" --images "$work/images" --captions "$work/captions-$set.txt" \
            --train "$work/train-$set.txt" --dev "$dev" --cache "$work/cache-$set" \
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

# mean NAME MODEL... : the mean of the models' weights; one that is named twice counts twice.
mean() (
    out=$work/$1.safetensors
    shift
    for model in "$@"; do
        set -- "$@" "$work/$model.safetensors"
        shift
    done
    make "$out" "$bin/limn-convert" --average "$@" -o "$out"
)

# tag NAME OPTIONS... : the model of a run with objects, $work/tagged-NAME.safetensors; options are limn-convert's.
tag() {
    name=$1
    shift
    make "$work/seen-$name.npy" "$bin/limn-preprocess" --model "$work/$name.safetensors" --features -q \
        -o "$work/seen-$name" "$coco_unlabelled/images"
    make "$work/tagged-$name.safetensors" "$bin/limn-convert" "$work/$name.safetensors" \
        --objects "$coco_unlabelled/objects.tsv" --features "$work/seen-$name" "$@" \
        -o "$work/tagged-$name.safetensors"
}

# finish NAME OUT OPTIONS... : the model of a run with objects and a confidence; options are limn-convert's.
finish() {
    name=$1 finished=$2
    shift 2
    tag "$name" "$@"
    make "$finished" "$(dirname "$0")/fit_confidence.sh" "$bin" "$work/tagged-$name.safetensors" "$flickr8k" \
        "$general" "$work/confidence" "$finished"
}

# own : the set `own`, Flickr8k and the first model's captions of general photos.
own() {
    "$(dirname "$0")/sure_captions.py" "$work/own.jsonl" "$coco_unlabelled/objects.tsv" \
        >"$work/own-captions.txt"
    names "$work/own-names.txt" "$work/own-captions.txt"
    join "$work/train-own.txt" "$work/train-paired.txt" "$work/own-names.txt"
    join "$work/captions-own.txt" "$work/captions-paired.txt" "$work/own-captions.txt"
}
