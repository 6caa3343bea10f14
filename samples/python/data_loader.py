"""PyTorch: `data_loader.py FOLDER`. Features of images, computed in the DataLoader's two worker processes."""

import sys
from pathlib import Path

from torch.utils.data import DataLoader, Dataset

import limn


class Features(Dataset):
    def __init__(self, folder):
        self.paths = sorted(map(str, Path(folder).glob("*.jpg")))
        self.captioner = limn.Captioner()

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        return self.paths[i], self.captioner.features(self.paths[i]), str(self.captioner.caption(self.paths[i]))


if __name__ == "__main__":
    for paths, features, captions in DataLoader(Features(sys.argv[1]), batch_size=4, num_workers=2):
        print(*(f"{path}\t{caption}" for path, caption in zip(paths, captions)), sep="\n")
        print(tuple(features.shape), file=sys.stderr)
