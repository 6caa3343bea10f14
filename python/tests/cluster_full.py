"""The cluster's tests at full length, and measurements that need an idle machine: cluster_full.py [--times]

LIMN_SOURCE_ROOT, LIMN_TOOL, LIMN_MODEL, LIMN_TINY_MODEL, LIMN_POISON and PYTHONPATH as `meson test` sets them. With
--times, only the measurements; each line says what is required: two workers against one, Dask against `limn --threads
2`, evaluate against pycocoevalcap, two threads against one, gaps in a thread that runs during captioning. Three
to four minutes on two idle cores.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

os.environ["LIMN_CLUSTER_FULL"] = "1"

import test_dask  # noqa: E402
from support import LIMN, MODEL, PHOTOS, SHARED  # noqa: E402

import limn  # noqa: E402
import limn.dask  # noqa: E402

CHUNK, N_CHUNKS = 256, 8  # the default size, and a number that two workers share evenly
WARM = 64  # images before time is taken


def tell(what, value, asked, holds):
    print(f"{'ok  ' if holds else 'MISS'} {what}: {value} (asked for: {asked})", flush=True)


def rate_of_workers(folder, n, names):
    """Captions per second of n workers with one thread each, once they are warm, with the settings recommended."""
    cluster = test_dask.Cluster(folder, n, settings=test_dask.SETTINGS)
    try:
        limn.dask.caption(names[:WARM], f"{folder}/warm-{n}", client=cluster.client, chunk=WARM // 4, model=MODEL) \
            .result()
        begin = time.monotonic()
        limn.dask.caption(names, f"{folder}/out-{n}", client=cluster.client, chunk=CHUNK, model=MODEL).result()
        return len(names) / (time.monotonic() - begin)
    finally:
        cluster.stop()


def seconds_of_limn(names, output):
    """Of the command line with two threads, with its start."""
    begin = time.monotonic()
    subprocess.run([LIMN, "--model", MODEL, "--threads", "2", "-q", "-o", output, "-"],
                   input="\n".join(names).encode(), check=True)
    return time.monotonic() - begin


def measure_workers():
    names = [PHOTOS[i % len(PHOTOS)] for i in range(CHUNK * N_CHUNKS)]
    with tempfile.TemporaryDirectory() as folder:
        one, two = (rate_of_workers(folder, n, names) for n in (1, 2))
        start = seconds_of_limn(names[:WARM], f"{folder}/warm.jsonl")
        alone = (len(names) - WARM) / (seconds_of_limn(names, f"{folder}/limn.jsonl") - start)
    tell("two workers against one", f"{two / one:.2f} times, {two:.1f} a second", ">= 1.8", two >= 1.8 * one)
    tell("Dask's share of the time against limn --threads 2", f"{alone / two - 1:.1%}", "<= 5 %", alone <= 1.05 * two)


def measure_threads():
    c = limn.Captioner(MODEL)

    def seconds(n, each):
        def work():
            for i in range(each):
                c.caption(PHOTOS[i % len(PHOTOS)])
        threads = [threading.Thread(target=work) for _ in range(n)]
        begin = time.monotonic()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return time.monotonic() - begin

    seconds(2, 20)
    one, two = seconds(1, 300), seconds(2, 150)
    tell("two Python threads against one", f"{one / two:.2f} times", ">= 1.8", one >= 1.8 * two)


def measure_gaps():
    c = limn.Captioner(MODEL)
    c.caption(PHOTOS[0])
    is_over, gaps = threading.Event(), []

    def tick():
        last = time.monotonic()
        while not is_over.is_set():
            time.sleep(0.001)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    ticker = threading.Thread(target=tick)
    ticker.start()
    for _ in c.caption_many((PHOTOS[i % len(PHOTOS)] for i in range(400)), threads=1):
        pass
    is_over.set()
    ticker.join()
    tell("longest gap of a thread beside captioning", f"{max(gaps) * 1000:.0f} ms", "<= 100 ms", max(gaps) <= 0.1)


def measure_evaluate():
    captions = SHARED / "data/flickr8k/captions.token.txt"
    try:
        from pycocoevalcap.bleu.bleu import Bleu
        from pycocoevalcap.cider.cider import Cider
        from pycocoevalcap.rouge.rouge import Rouge
        from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
    except ImportError:
        print("left out: pycocoevalcap is not installed")
        return
    if not captions.exists():
        print("left out: no captions of Flickr8k")
        return
    images = list(limn.read(captions).items())[:5000]
    refs, hyps = {k: v[1:] for k, v in images}, {k: v[:1] for k, v in images}
    begin = time.monotonic()
    limn.evaluate(refs, hyps)
    ours = time.monotonic() - begin
    begin = time.monotonic()
    tokenizer = PTBTokenizer()
    gts, res = ({k: [{"caption": t} for t in v] for k, v in d.items()} for d in (refs, hyps))
    gts, res = tokenizer.tokenize(gts), tokenizer.tokenize(res)
    for scorer in (Bleu(4), Rouge(), Cider()):
        scorer.compute_score(gts, res)
    theirs = time.monotonic() - begin
    tell("evaluate against pycocoevalcap with its tokenizer", f"{theirs / ours:.1f} times, {ours:.2f} s", ">= 20",
         theirs >= 20 * ours)


if __name__ == "__main__":
    if "--times" in sys.argv:
        for measure in (measure_evaluate, measure_threads, measure_gaps, measure_workers):
            measure()
    else:
        unittest.main(module=test_dask)
