#!/bin/sh
# Trains a captioner on a made-up set, from images to captions, in under a minute:
#
#     samples/train_toy.sh [FOLDER]     FOLDER must be new; default: a temporary one
#
# Draws 500 images of coloured shapes with captions, trains a small decoder on the features of the
# default model's encoder, has it caption 60 images that it never saw, and compares these captions
# with the truth. Fails unless nearly all are right. Needs a build (tools/dev build) in build/, or
# where LIMN_BUILD_DIR says.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=${LIMN_BUILD_DIR:-$root/build}
model=$root/models/limn-default.safetensors
threads=${LIMN_THREADS:+--threads $LIMN_THREADS}

if [ $# -gt 0 ]; then
    folder=$1
    mkdir "$folder"
else
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
mkdir "$folder/train" "$folder/test"
encoder=$folder/encoder.safetensors
"$build/tools/limn-convert" "$model" -q --encoder-only --dtype f16 -o "$encoder" # training takes no int8

"$build/samples/draw_shapes" "$folder/train" 500
"$build/samples/draw_shapes" "$folder/test" 60 2

# The encoder of an existing model, and a new, small decoder for few words. One view per image,
# since a flipped triangle is never drawn; no dropout, since overfitting is no concern here.
# shellcheck disable=SC2086 # splits into an option and its argument
"$build/tools/limn-train" --images "$folder/train" --captions "$folder/train/captions.tsv" \
    --encoder "$encoder" --stage features --min-count 1 --layers 2 --dim 64 --heads 4 \
    --epochs 12 --batch 16 --views 1 --rate 3e-3 --dropout 0 --label-smoothing 0 \
    --run "$folder/run" -o "$folder/toy.safetensors" $threads

"$build/tools/limn" --model "$folder/toy.safetensors" -o "$folder/captions.txt" "$folder"/test/*.ppm
sed -n 's|.*/\([0-9]*\.ppm\)|\1|; 1,5p' "$folder/captions.txt"
"$build/tools/limn-eval" --refs "$folder/test/captions.tsv" --hyps "$folder/captions.txt" \
    --metrics bleu,cider --assert 'Bleu_4>=0.95'
