#!/bin/sh
# Ours against PyPI's sacrebleu 2.6 over 5000 captions: every tokenizer, case and smoothing. By hand:
#
#     tests/diff/sacrebleu.sh BUILD PYTHON CAPTIONS.tsv
#
# PYTHON has sacrebleu and regex; CAPTIONS.tsv has lines name#k<TAB>caption, five of an image.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
expected=$(mktemp)
trap 'rm -f "$expected"' EXIT
"$2" "$root/tests/fixtures/make_sacrebleu.py" "$expected" "$3" 5000
LIMN_SOURCE_ROOT=$root LIMN_SACREBLEU_EXPECTED=$expected "$1/tests/unit/test_sacrebleu"
