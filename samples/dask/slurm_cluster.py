"""Slurm, through dask-jobqueue: `slurm_cluster.py FOLDER OUT`, on a machine that may submit jobs. FOLDER and OUT are on
storage that all nodes see. Written from dask-jobqueue's documentation; not tested, as we have no Slurm."""

import sys

from dask_jobqueue import SLURMCluster
from distributed import Client

import limn.dask

if __name__ == "__main__":
    images, out = sys.argv[1:]
    cluster = SLURMCluster(cores=16, processes=1, memory="4GB", walltime="01:00:00",
                           worker_extra_args=["--lifetime", "55m", "--lifetime-stagger", "4m"])
    cluster.adapt(minimum=0, maximum=50)  # nodes are added when there is work, and leave before their time is up
    with Client(cluster) as client:
        run = limn.dask.caption(images, out, client=client, chunk=1024, retries=10)
        run.progress(every=30)
        print(run.result())
    limn.dask.merge(out, f"{out.rstrip('/')}.jsonl")
