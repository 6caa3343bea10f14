"""webdataset: `webdataset_shards.py SHARD.tar …`, a caption for each sample. (`limn -o out/ SHARD.tar` writes new tars.)"""

import sys

import webdataset

import limn

captioner = limn.Captioner()


def add_caption(sample):
    name = sample["__key__"] + ".jpg"
    return {**sample, "txt": str(captioner.caption(sample["jpg"], name=name))}


if __name__ == "__main__":
    for sample in webdataset.WebDataset(sys.argv[1:], shardshuffle=False).map(add_caption):
        print(sample["__key__"] + ".jpg", sample["txt"], sep="\t")
