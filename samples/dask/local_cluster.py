"""A cluster on this machine: `local_cluster.py FOLDER OUT`. Run by the tests."""

import sys

from distributed import Client, LocalCluster

import limn.dask

if __name__ == "__main__":
    images, out = sys.argv[1:]
    with LocalCluster(n_workers=1, threads_per_worker=limn.default_threads(), dashboard_address=":0") as cluster, \
            Client(cluster) as client:
        run = limn.dask.caption(images, out, client=client, chunk=256)
        run.progress()
        print(run.result())
    limn.dask.merge(out, f"{out.rstrip('/')}.jsonl")
