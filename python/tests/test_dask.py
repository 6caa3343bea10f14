"""A cluster of `dask worker` processes gives the same bytes as one machine, whatever dies on the way.

Short versions; cluster_full.py runs them at full length.
"""

import asyncio
import contextlib
import os
import pickle
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
from pathlib import Path

import limn

from support import LIMN, MODEL, PHOTOS, ROOT, TINY, needs

FULL = bool(os.environ.get("LIMN_CLUSTER_FULL"))
HERE = Path(__file__).parent
SETTINGS = ROOT / "samples/dask/distributed.yaml"
POISON = os.environ["LIMN_POISON"]
WAIT = 7200 if FULL else 1800  # seconds until what takes a few is taken to hang: even a machine at work ends before

try:
    from distributed import Client

    import limn.dask
except ImportError:
    Client = None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tearDownModule():
    if ClusterTest._gentle is not None:
        ClusterTest._gentle.stop()
        shutil.rmtree(ClusterTest._gentle.folder, ignore_errors=True)


class Cluster:
    """A scheduler and workers as separate processes, which a test may kill."""

    def __init__(self, folder, n_workers=2, threads=1, options=(), preload="", settings=None):
        self.folder = Path(folder)
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.options = ["--nthreads", str(threads), "--no-dashboard", *options]
        self.processes = []
        self.preload = preload
        self.settings = {} if settings is None else {"DASK_CONFIG": str(settings)}
        self.log = open(self.folder / "cluster.log", "ab")
        self.scheduler = self.start("scheduler", "--host", self.address, "--no-dashboard")
        self.workers = [self.start_worker() for _ in range(n_workers)]
        self.client = Client(self.address, timeout=WAIT)
        self.client.wait_for_workers(n_workers, timeout=WAIT)

    def start(self, kind, *arguments, **more):
        environment = dict(os.environ, DASK_LOGGING__DISTRIBUTED="warning",
                           DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1", **self.settings, **more)
        process = subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_" + kind, *arguments],
                                   env=environment, stdout=self.log, stderr=self.log, cwd=self.folder,
                                   start_new_session=True)
        self.processes.append(process)
        return process

    def start_worker(self, *more, **environment):
        return self.start("worker", self.address, *self.options, "--local-directory", str(self.folder), *more,
                          LD_PRELOAD=self.preload, **environment)

    def pids(self):
        """The worker processes proper, children of their nannies."""
        return list(self.client.run(os.getpid).values())

    def stop(self):
        with contextlib.suppress(Exception):
            self.client.close(timeout=2)
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.log.close()

    def logged(self):
        return (self.folder / "cluster.log").read_text(errors="replace")


def settings_of(tree, above=()):
    """The leaves of a tree of settings: (name with dots, value)."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from settings_of(value, (*above, key))
        else:
            yield ".".join((*above, key)), value


class LongestGap:
    """How long this process, which has little to do, had to wait for the processor at most."""

    def __enter__(self):
        self.seconds, self._is_over = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._tick)
        self._thread.start()
        return self

    def _tick(self):
        last = time.monotonic()
        while not self._is_over.wait(0.05):
            now = time.monotonic()
            self.seconds, last = max(self.seconds, now - last), now

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()


def command_line(names, output, *options):
    """What limn writes for these names on one machine."""
    subprocess.run([LIMN, "--model", TINY, "-q", "-o", str(output), *options, "-"],
                   input="\n".join(names).encode(), check=False)
    return Path(output).read_bytes()


class ClusterTest(unittest.TestCase):
    _gentle = None

    @classmethod
    def gentle(cls):
        """The cluster shared by all tests that leave it as it is: two workers with one thread each."""
        if ClusterTest._gentle is None:
            ClusterTest._gentle = Cluster(tempfile.mkdtemp(prefix="limn-cluster-"))
        return ClusterTest._gentle

    def setUp(self):
        if Client is None:
            self.skipTest("left out: distributed is not installed")
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.clusters = []

    def tearDown(self):
        for cluster in self.clusters:
            cluster.stop()
        self._folder.cleanup()

    def cluster(self, *arguments, **more):
        cluster = Cluster(self.folder, *arguments, **more)
        self.clusters.append(cluster)
        return cluster

    def images(self, n):
        """Names of n images, links to a few files; some are broken or missing."""
        bad = ROOT / "tests/data/bad"
        sources = [*PHOTOS, str(bad / "truncated50.jpg"), str(bad / "text.jpg")]
        where = self.folder / "in"
        where.mkdir()
        names = []
        for i in range(n):
            name = where / f"{i:06}.jpg"
            if i % 50 != 49:
                name.symlink_to(sources[i % len(sources)])
            names.append(str(name))
        return names

    def expected(self, names):
        return command_line(names, self.folder / "expected.jsonl")

    def start(self, cluster, names, output="out", chunk=8, **options):
        return limn.dask.caption(names, str(self.folder / output), client=cluster.client, chunk=chunk, model=TINY,
                                 **options)

    def merged(self, output="out"):
        to = self.folder / f"{output}.merged.jsonl"
        limn.dask.merge(str(self.folder / output), str(to), overwrite=True)
        return to.read_bytes()

    def wait_for_parts(self, n, is_alive, output="out"):
        """Waits until n chunks are done, or the run has ended."""
        deadline = time.monotonic() + WAIT
        while is_alive() and len(list((self.folder / output).glob("part-*"))) < n:
            self.assertLess(time.monotonic(), deadline, "no chunk is done")
            time.sleep(0.02)

    def assert_no_leftovers(self, output="out"):
        self.assertEqual([p.name for p in (self.folder / output).iterdir()
                          if p.name.startswith((".", "piece-"))], [])


class BytesTest(ClusterTest):
    def test_1_same_bytes(self):
        names = self.images(60)
        expected = self.expected(names)
        for threads in (1, 2):
            cluster = self.gentle() if threads == 1 else self.cluster(2, threads)
            for chunk in (1, 7, 64):
                output = f"out-{threads}-{chunk}"
                run = self.start(cluster, names, output, chunk)
                summary = run.result(WAIT)
                self.assertEqual(self.merged(output), expected)
                self.assertEqual(summary.done + summary.failed, len(names))
                self.assertEqual(summary.failed, expected.count(b'"error":{'))
                self.assertEqual(Path(summary.errors).read_bytes().count(b"\n"), summary.failed)

    def test_folders_patterns_and_restarts(self):
        names = self.images(20)
        Path(names[3]).with_name("notes.txt").write_text("no image")
        subprocess.run([LIMN, "--model", TINY, "-q", "-r", "-o", str(self.folder / "e.jsonl"),
                        str(self.folder / "in")], check=False)
        cluster = self.gentle()
        self.start(cluster, str(self.folder / "in"), chunk=3).result(WAIT)
        self.assertEqual(self.merged(), (self.folder / "e.jsonl").read_bytes())
        (self.folder / "out/part-000001.jsonl").unlink()
        again = self.start(cluster, str(self.folder / "in"), chunk=3).result(WAIT)
        self.assertEqual(again.done + again.failed + again.skipped, 20)
        self.assertTrue(0 < again.done <= 3 < again.skipped)
        self.assertEqual(self.merged(), (self.folder / "e.jsonl").read_bytes())
        self.start(cluster, str(self.folder / "in/*.jpg"), "glob").result(WAIT)
        with self.assertRaises(limn.OptionError):
            self.start(cluster, str(self.folder / "in/*.none"), "none")

    def test_tars(self):
        import tarfile
        names = self.images(9)
        shard = self.folder / "a.tar"
        with tarfile.open(shard, "w", dereference=True) as tar:
            for name in names[:8]:
                tar.add(name, Path(name).name)
        subprocess.run([LIMN, "--model", TINY, "-q", "-o", str(self.folder / "e.jsonl"), str(shard), names[0]],
                       check=False)
        self.start(self.gentle(), [str(shard), names[0]]).result(WAIT)
        self.assertEqual(self.merged(), (self.folder / "e.jsonl").read_bytes())

    def test_13_fsspec(self):
        import fsspec
        names = [str(Path(p).resolve()) for p in PHOTOS]
        cluster = self.gentle()
        self.start(cluster, [f"file://{n}" for n in names]).result(WAIT)
        lines = self.merged().replace(b'"file":"file://', b'"file":"')
        self.assertEqual(lines, self.expected(names))
        from distributed import LocalCluster
        with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0") as local, \
                Client(local) as client:
            memory = fsspec.filesystem("memory")
            for name in names:
                memory.pipe_file(f"/photos{name}", Path(name).read_bytes())
            limn.dask.caption("memory://photos/**/*.jpg", "memory://out", client=client, model=TINY,
                              sandbox=False).result(WAIT)
            limn.dask.merge("memory://out", "memory://merged.jsonl")
            found = memory.cat_file("/merged.jsonl").replace(b'"file":"memory:///photos', b'"file":"')
        self.assertEqual(found.replace(b'"file":"memory://photos', b'"file":"'), self.expected(sorted(names)))

    @needs("pandas")
    def test_frames(self):
        import dask.dataframe as dd
        import pandas as pd
        frame = pd.DataFrame({"image": [PHOTOS[0], "/nowhere.jpg",
                                        {"bytes": Path(PHOTOS[1]).read_bytes(), "path": None}], "n": [1, 2, 3]})
        c = limn.Captioner(TINY)
        expected = [str(c.caption(PHOTOS[0])), None, str(c.caption(PHOTOS[1]))]
        found = limn.dask.caption_frame(frame, "image", c)
        self.assertEqual(list(found), expected)
        paths = dd.from_pandas(pd.DataFrame({"image": PHOTOS}), npartitions=3)
        paths["caption"] = limn.dask.map_partitions(paths, column="image", model=TINY)
        self.assertEqual(list(paths.compute(scheduler="threads")["caption"]), [str(c.caption(p)) for p in PHOTOS])


    def test_settings(self):
        """Workers take the settings that samples/dask recommends, all of which exist, and write the same bytes."""
        import dask.config
        import yaml
        names = self.images(20)
        cluster = self.cluster(1, settings=SETTINGS)
        for key, value in settings_of(yaml.safe_load(SETTINGS.read_text())):
            self.assertIsNotNone(dask.config.get(key))  # a default
            self.assertEqual(list(cluster.client.run(dask.config.get, key).values()), [value], key)
        self.start(cluster, names).result(WAIT)
        self.assertEqual(self.merged(), self.expected(names))


class KillTest(ClusterTest):
    def test_2_workers_are_killed(self):
        names = self.images(400 if FULL else 150)
        expected = self.expected(names)
        cluster = self.cluster(3)
        chance = random.Random(7)
        run = self.start(cluster, names, chunk=4, retries=10)
        for i, n_killed in enumerate((1, 2, 2) if not FULL else (1, 1, 1, 2, 2, 1, 2)):
            self.wait_for_parts(4 * i + 1, run._thread.is_alive)
            time.sleep(0.2 * chance.random())
            pids = cluster.pids()
            for pid in chance.sample(pids, min(n_killed, len(pids))):
                os.kill(pid, signal.SIGKILL)
        run.result(WAIT)
        self.assertEqual(self.merged(), expected)
        self.assert_no_leftovers()

    def test_2_the_client_is_killed(self):
        names = self.images(150)
        expected = self.expected(names)
        cluster = self.cluster(2)
        code = ("import limn.dask, sys; from distributed import Client\n"
                "limn.dask.caption(sys.argv[4:], sys.argv[2], client=Client(sys.argv[1]), chunk=4, model=sys.argv[3])"
                ".result()")
        client = subprocess.Popen([sys.executable, "-c", code, cluster.address, str(self.folder / "out"), TINY, *names])
        self.wait_for_parts(5, lambda: client.poll() is None)
        client.kill()
        client.wait()
        summary = self.start(cluster, names, chunk=4).result(WAIT)
        self.assertGreater(summary.skipped, 0)
        self.assertEqual(self.merged(), expected)
        self.assert_no_leftovers()

    def without_scheduler(self, kill):
        """Starts a run on a cluster, whose scheduler is killed by kill(cluster, run); the run ends with an error, and
        another one goes on."""
        names = self.images(150)
        expected = self.expected(names)
        cluster = self.cluster(2)
        if not FULL:
            self.addCleanup(setattr, limn.dask, "_LOST_SECONDS", limn.dask._LOST_SECONDS)
            limn.dask._LOST_SECONDS = 4.0
        run = self.start(cluster, names, chunk=2)
        kill(cluster, run)
        with self.assertRaisesRegex(limn.Error, "^no scheduler"):
            run.result(WAIT)
        cluster.stop()
        self.start(self.cluster(2), names, chunk=2).result(WAIT)
        self.assertEqual(self.merged(), expected)
        self.assert_no_leftovers()

    def test_2_the_scheduler_is_killed(self):
        def kill(cluster, run):
            self.wait_for_parts(1, run._thread.is_alive)
            os.killpg(cluster.scheduler.pid, signal.SIGKILL)
        self.without_scheduler(kill)

    def test_2_the_scheduler_does_not_answer(self):
        def kill(cluster, run):
            async def never(**_):
                os.killpg(cluster.scheduler.pid, signal.SIGKILL)
                await asyncio.sleep(3600)
            run._client.scheduler.ncores = never
        self.without_scheduler(kill)


class TroubleTest(ClusterTest):
    def poisoned(self, n):
        """Names of n images, the sixth of which kills the process that decodes it; and what is expected of the
        others."""
        from PIL import Image
        names = self.images(n)
        expected = self.expected(names).splitlines()
        Path(names[5]).unlink()
        Image.new("RGB", (13, 13), "red").save(names[5])
        return names, expected

    def assert_all_but_the_sixth(self, expected):
        lines = self.merged().splitlines()
        self.assertIn(b'"kind":"crashed"', lines[5])
        self.assertEqual(lines[:5] + lines[6:], expected[:5] + expected[6:])
        self.assert_no_leftovers()

    @needs("PIL")
    def test_3_poison_in_the_sandbox(self):
        """An image kills the decoder: there is an error line, and no worker dies."""
        names, expected = self.poisoned(24)
        cluster = self.cluster(2, preload=POISON)
        before = sorted(cluster.pids())
        self.start(cluster, names, sandbox=True).result(WAIT)
        self.assert_all_but_the_sixth(expected)
        self.assertEqual(sorted(cluster.pids()), before)

    @needs("PIL")
    def test_3_poison_in_the_worker(self):
        """An image kills the worker: halving finds it, and the other captions are the same."""
        names, expected = self.poisoned(24)
        cluster = self.cluster(2, preload=POISON)
        summary = self.start(cluster, names, chunk=4, sandbox=False).result(WAIT)
        self.assert_all_but_the_sixth(expected)
        self.assertEqual(summary.done + summary.failed, len(names))

    def of_no_cluster(self):
        """A run without its thread, the tasks that it submits, and a future of which a worker died."""
        class KilledWorker(Exception):
            pass

        run, submitted = limn.dask.Run.__new__(limn.dask.Run), []
        run._job, run._tries, run._retries, run._flying, run._todo, run._pieces = "job", {}, 1, {}, [], {}
        run._suspects, run._accused, run._submit = [], set(), lambda *task: submitted.append(task)
        future = unittest.mock.Mock(key="key", status="error")
        future.exception.return_value = KilledWorker()
        return run, submitted, future, KilledWorker

    def test_3_pieces_joined_on_a_dying_worker(self):
        """Joining, of which no image is to blame, is tried again as often as any other chunk."""
        run, submitted, future, killed = self.of_no_cluster()
        work, *arguments = task = limn.dask.join_pieces, limn.dask.Chunk(0, (), 0, 4), "job", "pieces"
        run._flying = {"key": (future, work, arguments[0], arguments[1:])}
        run._take(future)
        self.assertEqual(submitted, [task])
        run._flying = {"key": (future, work, arguments[0], arguments[1:])}
        self.assertRaises(killed, run._take, future)

    def test_3_an_image_that_was_with_the_poison(self):
        """An image fails, and an archive ends the run, when a worker dies of it alone."""
        for is_archive in (False, True):
            run, submitted, future, _ = self.of_no_cluster()
            chunk = limn.dask.Chunk(7, ("a",), 1, 2, is_archive)
            run._flying = {"key": (future, limn.dask.caption_chunk, chunk, ())}
            run._take(future)
            run._flying["other"] = None
            run._fill()
            self.assertEqual((submitted, run._pieces[7]), ([], {}))
            del run._flying["other"]
            run._fill()
            self.assertEqual(submitted, [(limn.dask.caption_chunk, chunk, "job", chunk)])
            run._flying = {"key": (future, limn.dask.caption_chunk, chunk, ())}
            if is_archive:
                self.assertRaisesRegex(limn.Crashed, "workers die of it", run._take, future)
            else:
                run._take(future)
                self.assertIn(b"crashed", run._pieces[7][1])

    def test_4_a_full_disk(self):
        names = self.images(30)
        cluster = self.cluster(1, options=("--preload", str(HERE / "full_disk.py")))
        with self.assertRaisesRegex(OSError, "No space left"):
            self.start(cluster, names, "full", retries=1).result(WAIT)
        self.assertEqual([p.name for p in (self.folder / "full").iterdir() if "part" in p.name], [])
        with self.assertRaisesRegex(OSError, "/proc/limn"):  # nobody can write there
            limn.dask.caption(names, "/proc/limn", client=cluster.client, model=TINY)

    def test_6_many_names(self):
        """Chunks in flight are bounded, and so is the client's memory."""
        n = 100_000 if FULL else 3000
        names = [f"{self.folder}/gone/{i:08}.jpg" for i in range(n)]
        cluster = self.gentle()

        def resident(pid):
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096

        cluster.client.run(os.getpid)
        before = resident(os.getpid())
        run = self.start(cluster, names, chunk=64)
        self.assertEqual(run.result(WAIT).failed, n)
        self.assertLessEqual(run.n_in_flight_max, 4)
        self.assertLess(resident(os.getpid()) - before, 100 << 20)
        self.assertLess(resident(cluster.scheduler.pid), 300 << 20)
        self.assertNotIn("large graph", cluster.logged())

    def test_7_and_8_heartbeats_and_memory(self):
        names = [PHOTOS[i % len(PHOTOS)] for i in range(10_000 if FULL else 100)]
        cluster = self.cluster(1, options=("--memory-limit", "256MB"))
        with LongestGap() as gap:
            summary = limn.dask.caption(names, str(self.folder / "out"), client=cluster.client, chunk=32, model=MODEL) \
                .result(WAIT)
        self.assertEqual(summary.done, len(names))
        if gap.seconds < 1:  # else the machine itself stood still
            self.assertNotIn("unresponsive", cluster.logged())
        self.assertNotIn("exceeded 95% memory", cluster.logged())

    def test_9_pickles(self):
        c = limn.Captioner(MODEL, beam=2)
        self.assertLess(len(pickle.dumps(c)), 1000)
        cluster = self.gentle()
        n = cluster.client.submit(open_many_times, pickle.dumps(c)).result()
        self.assertEqual(n, 1)

    def test_10_another_limn_is_refused(self):
        names = self.images(10)
        cluster = self.cluster(2)
        cluster.client.run(pretend_version, "9.9.9")
        with self.assertRaisesRegex(limn.OptionError, "9.9.9"):
            self.start(cluster, names)

    def test_10_levels_of_cpus_may_differ(self):
        names = self.images(30)
        for level in limn.cpu_levels():
            self.start(self.gentle(), names, f"out-{level}", cpu=level).result(WAIT)
            self.assertEqual(self.merged(f"out-{level}"), self.expected(names))
            (self.folder / "expected.jsonl").unlink()

    def test_a_worker_without_limn(self):
        cluster = self.cluster(1)
        cluster.client.run(hide_limn)
        with self.assertRaisesRegex(limn.OptionError, "has no limn"):
            self.start(cluster, PHOTOS)

    def test_11_threads(self):
        """A worker with 4 threads captions with 4, one for each of its tasks, and never with more."""
        names = self.images(8 * 8)
        for name in names[::8]:  # every chunk waits for its first image, until somebody writes it
            Path(name).unlink()
            os.mkfifo(name)
        cluster = self.cluster(1, 4)
        run = self.start(cluster, names, chunk=8)
        writers = [threading.Thread(target=Path(name).write_bytes, args=[Path(PHOTOS[0]).read_bytes()], daemon=True)
                   for name in names[::8]]
        counts = []
        deadline = time.monotonic() + WAIT
        while run._thread.is_alive():
            self.assertLess(time.monotonic(), deadline, counts)
            counts += cluster.client.run(count_limn_threads).values()
            if counts[-5:] == 5 * [4] and writers[0].ident is None:
                for writer in writers:
                    writer.start()
            time.sleep(0.05)
        self.assertGreater(run.result(WAIT).done, 8)
        self.assertEqual(max(counts), 4)

    def test_12_adaptive_workers_with_lifetimes(self):
        names = self.images(150)
        expected = self.expected(names)
        options = ("--lifetime", "5s", "--lifetime-stagger", "2s", "--lifetime-restart")
        cluster = self.cluster(2, options=options)
        self.start(cluster, names, chunk=2, retries=20).result(WAIT)
        self.assertEqual(self.merged(), expected)

    def test_another_run_is_refused(self):
        names = self.images(10)
        cluster = self.gentle()
        self.start(cluster, names).result(WAIT)
        for what, change in (("options", {"beam": 2}), ("chunk", {"chunk": 3})):
            with self.assertRaisesRegex(limn.OptionError, what):
                self.start(cluster, names, **change)
        with self.assertRaisesRegex(limn.OptionError, "names"):
            self.start(cluster, names[::-1])
        with self.assertRaisesRegex(limn.OptionError, "already"):
            limn.dask.merge(str(self.folder / "out"), names[0])
        (self.folder / "out/part-000000.jsonl").unlink()
        with self.assertRaisesRegex(limn.OptionError, "missing"):
            self.merged()
        with self.assertRaises(TypeError):
            self.start(cluster, names, "x", baem=2)
        with self.assertRaises(limn.Error):
            limn.dask.caption(names, str(self.folder / "y"), client=cluster.client, model="/nowhere")


# ---- functions that run on workers


def open_many_times(data):
    return len({id(c._shared) for c in [pickle.loads(data) for _ in range(1000)]})


def pretend_version(version):
    import limn._limn
    limn._limn.version = version


def hide_limn():
    for name in [m for m in sys.modules if m == "limn" or m.startswith("limn.")]:
        del sys.modules[name]
    sys.path_importer_cache.clear()
    sys.path[:] = [p for p in sys.path if not os.path.isdir(os.path.join(p, "limn"))]


def count_limn_threads():
    return sum(t.name == "limn" for t in threading.enumerate())


if __name__ == "__main__":
    unittest.main()
