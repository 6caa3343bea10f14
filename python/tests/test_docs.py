"""The Python examples in the documents, and the samples, as a user would run them. What needs a missing package is
skipped, with a message."""

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import MODEL, PHOTOS, ROOT, needs

BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
EXPECTED = dict(line.split("\t")[:2] for line in (ROOT / "samples/photos/captions.txt").read_text().splitlines())
CAPTIONS = {Path(name).name: text for name, text in EXPECTED.items()}


def setUpModule():
    """Puts the default model where an installation has it: in a package."""
    global _folder
    _folder = tempfile.TemporaryDirectory()
    package = Path(_folder.name) / "limn_model"
    package.mkdir()
    shutil.copy(ROOT / "python/model/limn_model/__init__.py", package)
    (package / Path(MODEL).name).symlink_to(MODEL)
    sys.path.insert(0, _folder.name)
    os.environ["PYTHONPATH"] = f"{_folder.name}:{os.environ.get('PYTHONPATH', '')}"


def tearDownModule():
    _folder.cleanup()


class DocumentTest(unittest.TestCase):
    def run_blocks(self, document):
        """Runs its blocks that have >>>, one after another, in a folder with photo.jpg."""
        text = "\n".join(b for b in BLOCK.findall((ROOT / document).read_text()) if ">>>" in b)
        test = doctest.DocTestParser().get_doctest(text, {}, document, document, 0)
        self.assertGreater(len(test.examples), 1)
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(ROOT / "samples/photos/kitten.jpg", Path(folder) / "photo.jpg")
            os.chdir(folder)
            try:
                runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
                self.assertEqual(runner.run(test).failed, 0)
            finally:
                os.chdir(before)

    @needs("numpy")
    def test_python_md(self):
        self.run_blocks("doc/python.md")

    def test_readme(self):
        self.run_blocks("README.md")


class SampleTest(unittest.TestCase):
    def run_sample(self, name, *arguments, cwd=None):
        run = subprocess.run([sys.executable, "-W", "ignore", str(ROOT / "samples" / name), *arguments],
                             capture_output=True, text=True, cwd=cwd, timeout=3000)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def assert_captions(self, text):
        found = {Path(line.split("\t")[0]).name: line.split("\t")[1] for line in text.splitlines() if "\t" in line}
        self.assertEqual(found, CAPTIONS)

    @needs("datasets")
    def test_datasets(self):
        self.assert_captions(self.run_sample("python/hf_datasets.py", str(ROOT / "samples/photos")))

    @needs("ray", "pyarrow")
    def test_ray(self):
        self.assert_captions(self.run_sample("python/ray_data.py", str(ROOT / "samples/photos")))

    @needs("pyspark", "pandas", "pyarrow")
    @unittest.skipUnless(shutil.which("java"), "left out: Spark needs java")
    def test_spark(self):
        self.assert_captions(self.run_sample("python/spark.py", str(ROOT / "samples/photos")))

    @needs("torch", "numpy")
    def test_data_loader(self):
        self.assert_captions(self.run_sample("python/data_loader.py", str(ROOT / "samples/photos")))

    @needs("webdataset")
    def test_webdataset(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["tar", "-cf", f"{folder}/a.tar", "-C", str(ROOT / "samples/photos"),
                            *(Path(p).name for p in PHOTOS)], check=True)
            self.assert_captions(self.run_sample("python/webdataset_shards.py", f"{folder}/a.tar"))

    @needs("distributed")
    def test_local_cluster(self):
        with tempfile.TemporaryDirectory() as folder:
            text = self.run_sample("dask/local_cluster.py", str(ROOT / "samples/photos"), f"{folder}/out", cwd=folder)
            self.assertIn(f"Summary(done={len(PHOTOS)}, failed=0, skipped=0", text)
            self.assertEqual(len(Path(f"{folder}/out.jsonl").read_text().splitlines()), len(PHOTOS))


class NotebookTest(unittest.TestCase):
    @needs("distributed", "nbclient", "nbformat", "ipykernel")
    def test_the_notebook(self):
        """samples/python/notebook.py as a notebook, executed headless."""
        import nbclient
        import nbformat
        source = (ROOT / "samples/python/notebook.py").read_text()
        cells = [cell.partition("\n")[2] for cell in source.split("\n# %%")[1:]]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        os.environ["LIMN_PHOTOS"] = str(ROOT / "samples/photos")
        with tempfile.TemporaryDirectory() as folder:
            nbclient.NotebookClient(notebook, timeout=3000, kernel_name="python3",
                                    resources={"metadata": {"path": folder}}).execute()
        text = json.dumps(notebook)
        for expected in ("a cat is sitting on a wooden bench", "CIDEr", f"Summary(done={len(PHOTOS)}"):
            self.assertIn(expected, text)


if __name__ == "__main__":
    unittest.main()
