"""Ray Data: `ray_data.py FOLDER`. Each actor has a captioner, and gets rows in batches. Uses at least one actor, and
leaves a CPU for reading."""

import sys

import ray

import limn


class AddCaptions:
    def __init__(self):
        self.captioner = limn.Captioner()

    def __call__(self, batch):
        results = self.captioner.caption_many(list(batch["bytes"]), threads=1)
        return {"path": batch["path"], "caption": [None if r.error else str(r.caption) for r in results]}


if __name__ == "__main__":
    ray.init(num_cpus=2, log_to_driver=False)
    data = ray.data.read_binary_files(sys.argv[1], include_paths=True, file_extensions=["jpg"])
    for row in data.map_batches(AddCaptions, concurrency=(1, 2), batch_size=8).take_all():
        print(row["path"], row["caption"], sep="\t")
