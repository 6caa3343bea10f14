"""Hugging Face datasets: `hf_datasets.py FOLDER`, captions in two processes. The captioner is pickled as a recipe."""

import sys
from pathlib import Path

import datasets

import limn

captioner = limn.Captioner()


def add_captions(batch):
    results = captioner.caption_many((image["bytes"] for image in batch["image"]), threads=1)
    return {"caption": [None if r.error else str(r.caption) for r in results]}


if __name__ == "__main__":
    paths = sorted(map(str, Path(sys.argv[1]).glob("*.jpg")))
    data = datasets.Dataset.from_dict({"image": [{"path": p, "bytes": Path(p).read_bytes()} for p in paths],
                                       "file": paths})
    data = data.map(add_captions, batched=True, batch_size=4, num_proc=2)
    for row in data:
        print(row["file"], row["caption"], sep="\t")
