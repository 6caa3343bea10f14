#!/bin/sh
# Gives a model its confidence (limn --confidence), fitted to its captions of Flickr8k's dev split and of general
# photos, neither of which it was trained on.
#
#     models/fit_confidence.sh BIN MODEL FLICKR8K COCO_DEV WORK OUT
#
# BIN: folder of limn's tools. MODEL: the model file, with its tags. FLICKR8K: images/, captions.token.txt, dev.txt.
# COCO_DEV: images/, captions.token.txt. WORK: a folder for captions and fits, which are kept by the checksum of
# model and options, so that the script goes on where it was stopped. OUT: the new model file; it is replaced.
# LIMN_FLAGS: further options of limn, e.g. "--guidance 1.5", where the fit is to be for captions found so.
set -eu

if [ $# -ne 6 ]; then
    sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" >&2
    exit 1
fi
bin=$1 model=$2 flickr8k=$3 coco=$4 work=$5 out=$6
sum=$({ cat "$model"; printf '%s' "${LIMN_FLAGS:-}"; } | cksum | cut -d ' ' -f 1)
mkdir -p "$work"

# caption NAME PATH : signals of the captions of PATH, in $work/NAME-SUM.jsonl.
# shellcheck disable=SC2086  # LIMN_FLAGS is a list of words
caption() {
    "$bin/limn" ${LIMN_FLAGS:-} --model "$model" --signals --format jsonl -o "$work/$1-$sum.jsonl" "$2"
}

sed "s|^|$flickr8k/images/|" "$flickr8k/dev.txt" | caption flickr8k -
caption coco "$coco/images"
"$bin/limn-eval" --refs "$coco/captions.token.txt" --hyps "$work/coco-$sum.jsonl" \
    --also "$flickr8k/captions.token.txt:$work/flickr8k-$sum.jsonl" --allow-missing --fit "$work/fit-$sum.json"
"$bin/limn-convert" "$model" --confidence "$work/fit-$sum.json" --force -o "$out"
