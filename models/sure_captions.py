#!/usr/bin/env python3
"""Of a model's own captions of photos, those to train the next model on; TSV, NAME#K and caption.

    models/sure_captions.py OWN.jsonl OBJECTS.tsv > captions.txt

OWN.jsonl: limn --n-best N --confidence. OBJECTS.tsv: what a detector sees in the photos. Photos in which it is not half
sure of a person give up to five captions of confidence 0.5 or more that name nobody; then follow the others: three to
five captions of 0.7 or more. Photos that could not be captioned are passed over.
"""
import argparse
import json
import pathlib
import re
import sys

PEOPLE = re.compile(r"\b(man|men|woman|women|person|people|boy|boys|girl|girls|child|children|player|players|kid|kids|"
                    r"baby|skier|skateboarder|surfer|batter|rider|crowd|lady|guy|someone|hand|hands)\b")


def with_people(objects):
    """Names of the photos that show a person at 0.5 or more."""
    names = set()
    for line in objects.read_text().splitlines():
        name, _, boxes = line.partition("\t")
        scores = [float(box.rsplit(":", 1)[1]) for box in boxes.split() if box.startswith("person:")]
        if max(scores, default=0) >= 0.5:
            names.add(name)
    return names


def put(name, captions):
    for k, caption in enumerate(captions[:5]):
        print(f"{name}#{k}\t{caption}")


def read_own(path):
    """Names of the photos, and the caption and confidence of each of their captions."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            item = json.loads(line)
            if "error" not in item:
                rated = [(c["caption"], c["confidence"]) for c in item["captions"]]
                yield item["file"].rsplit("/", 1)[-1], rated
        except (ValueError, KeyError, TypeError):
            sys.exit(f"{path}: line {number} is not one of limn --format jsonl --n-best N --confidence")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("own", type=pathlib.Path)
    parser.add_argument("objects", type=pathlib.Path)
    options = parser.parse_args()
    people, later = with_people(options.objects), []
    for name, rated in read_own(options.own):
        if name in people:
            later.append((name, [c for c, sure in rated if sure >= 0.7]))
        else:
            put(name, [c for c, sure in rated if sure >= 0.5 and not PEOPLE.search(c)])
    for name, captions in later:
        if len(captions) >= 3:
            put(name, captions)


if __name__ == "__main__":
    main()
