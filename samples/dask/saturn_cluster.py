"""A managed service, here Saturn Cloud: `saturn_cluster.py s3://BUCKET/PHOTOS/ s3://BUCKET/OUT`. The workers' container
image needs the wheels of limn-captioner and limn-model, distributed and s3fs. Written from the service's documentation;
not tested, as we have no account."""

import sys

from dask_saturn import SaturnCluster
from distributed import Client

import limn.dask

if __name__ == "__main__":
    images, out = sys.argv[1:]
    cluster = SaturnCluster(n_workers=6, nthreads=16)
    with Client(cluster) as client:
        client.wait_for_workers(3)
        run = limn.dask.caption(images, out, client=client, chunk=1024)
        run.progress(every=10)
        print(run.result())
    limn.dask.merge(out, f"{out.rstrip('/')}.jsonl")
