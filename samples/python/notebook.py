# # Captions from a notebook
#
# `jupytext --to notebook notebook.py` makes a notebook from this file, as the tests do: each block is a cell. Set
# `photos` to a folder of images.

# %%
import os
import tempfile
from pathlib import Path

import limn

photos = os.environ.get("LIMN_PHOTOS", "samples/photos")
work = Path(tempfile.mkdtemp())

# %% caption
captioner = limn.Captioner(confidence=True)
results = list(captioner.caption_many(sorted(Path(photos).glob("*.jpg"))))
captions = {Path(r.name).name: str(r.caption) for r in results if not r.error}

# %% look: the least certain first
for r in sorted(results, key=lambda r: r.caption.confidence):
    print(f"{r.caption.confidence:.2f}  {Path(r.name).name:16} {r.caption}")

# %% correct
corrected = {**captions, "kitten.jpg": "a kitten looking over a board"}
(work / "captions.tsv").write_text("".join(f"{name}\t{text}\n" for name, text in corrected.items()))

# %% evaluate: the captions against the corrected ones
scores = limn.evaluate(work / "captions.tsv", captions, metrics=["Bleu_4", "ROUGE_L", "CIDEr"])
print(scores)
print(min(zip(scores.per_item["ROUGE_L"], scores.ids)))

# %% run on a cluster
from distributed import Client, LocalCluster

import limn.dask

cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
client = Client(cluster)
run = limn.dask.caption(photos, str(work / "out"), client=client, chunk=4, confidence=True)
run.progress()
print(run.result())
limn.dask.merge(str(work / "out"), str(work / "captions.jsonl"))
client.close()
cluster.close()

# %% the same bytes
lines = (work / "captions.jsonl").read_bytes().splitlines()
assert lines == [r.line for r in results]
