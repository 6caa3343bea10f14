#!/usr/bin/env python3
"""Compares limn's Penn Treebank tokens with those of the original, Stanford PTBTokenizer 3.4.1, on hard lines.

    compare_ptb.py PTB_LINES JAR [--seed N] [--lines N] [--show N]     differences; exit 4 when there is one
    compare_ptb.py PTB_LINES JAR --golden 1000 > tests/data/ptb/hard_lines.jsonl

PTB_LINES is build/tests/ptb/ptb_lines; JAR is stanford-corenlp-3.4.1.jar, which pycocoevalcap has in its folder
`tokenizer`. Needs Java; run by hand. Compares all tokens, and those that coco-caption's filter leaves.

The original reads past the end of a caption, so the next caption can change the tokens of this one (ptb_tokenizer.h).
Here each caption is followed by a line that changes none."""

import argparse
import json
import subprocess
import sys
import tempfile

from hard_lines import hard_lines

# A capital ends the sentence before it; the quotes end what an open tag could absorb.
BETWEEN = "Zzz ' \" % \" ' z"
PUNCTUATION = {"''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"}


def original(lines, jar):
    """All tokens of each line, as `java … -preserveLines -lowerCase` prints them."""
    with tempfile.NamedTemporaryFile() as file:
        file.write("".join(f"{line}\n{BETWEEN}\n" for line in lines).encode())
        file.flush()
        run = subprocess.run(["java", "-cp", jar, "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase", file.name],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    out = run.stdout.decode().split("\n")
    if len(out) != 2 * len(lines) + 1 or len(set(out[1::2])) > 1:
        sys.exit("the original took lines together: a line end or an open tag got into the hard lines")
    return out[:-1:2]


def limn(lines, program, what):
    """The tokens of each line, by limn's lexer."""
    run = subprocess.run([program, what], input="".join(line + "\n" for line in lines).encode(), stdout=subprocess.PIPE, check=True)
    return run.stdout.decode().split("\n")[:-1]


def coco(tokens):
    """What pycocoevalcap's PTBTokenizer keeps of a line of tokens."""
    return " ".join(token for token in tokens.rstrip().split(" ") if token not in PUNCTUATION)


def main():
    """Prints differences, or the golden file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("jar")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lines", type=int, default=20000)
    parser.add_argument("--show", type=int, default=40)
    parser.add_argument("--golden", type=int)
    args = parser.parse_args()
    lines = hard_lines(args.seed, args.golden or args.lines)
    wanted = original(lines, args.jar)
    if args.golden:
        for line, tokens in zip(lines, wanted):
            print(json.dumps({"line": line, "all": tokens, "coco": coco(tokens)}))
        return
    rows = zip(lines, wanted, limn(lines, args.program, "all"), limn(lines, args.program, "coco"))
    differ = [row for row in rows if row[2] != row[1] or row[3] != coco(row[1])]
    for line, tokens, ours, _ in differ[:args.show]:
        print(json.dumps({"line": line, "original": tokens, "limn": ours}, indent=1, ensure_ascii=False))
    print(f"{len(lines)} lines, {len(differ)} differ")
    sys.exit(4 if differ else 0)


if __name__ == "__main__":
    main()
