"""Exposures in a bucket, downloaded by a rule of a workflow that uses ours.

They have an environment of their own, of which EXP_TO_SOURCE_S3_PYTHON names the Python; `make
test-s3` sets both.
"""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.io import fits
from snake import FINISHED, ROOT, Workflow

from exp_to_source.errors import InputError
from exp_to_source.fetch.download import fetch
from exp_to_source.simulate.exposures import Simulation, simulate

PYTHON = os.environ.get("EXP_TO_SOURCE_S3_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="run by make test-s3")

GUIDE = (ROOT / "docs" / "module.md").read_text(encoding="utf-8")
DOWNLOAD = next(
    text for text in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if "storage.s3" in text
)
CONSUMER = f"""
configfile: "config.yaml"

module exp_to_source:
    snakefile: "{ROOT}/Snakefile"
    config: config
    prefix: "regrouped"

use rule * from exp_to_source as exp_*

{DOWNLOAD.replace("BUCKET/FOLDER", "archive/jwst")}
"""
PUT = """
import os, sys
import boto3
client = boto3.client("s3", endpoint_url=sys.argv[1])
client.create_bucket(Bucket="archive")
for path in sys.argv[2:]:
    name = f"jwst/{os.path.basename(path)}"
    client.upload_file(path, "archive", name, ExtraArgs={"ACL": "public-read"})
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a local server with the protocol of S3."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            for _ in range(600):
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            run.terminate()


def put(server: str, *paths: Path) -> None:
    subprocess.run([PYTHON, "-c", PUT, server, *map(str, paths)], check=True)


def snakemake(folder: Path, server: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, "-m", "snakemake", "-c2", *words, "--storage-s3-endpoint-url", server]
    return subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_exposures_in_a_bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    paths = simulate(Simulation(shape=(4, 8)), tmp_path / "local")
    plain = Workflow(tmp_path / "plain", {"exposures": tmp_path / "local"})
    plain.make()
    put(server, *paths)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "Snakefile").write_text(CONSUMER)
    lines = [f"- data/{path.name}\n" for path in paths]
    (folder / "config.yaml").write_text("exposures:\n" + "".join(lines))

    done = snakemake(folder, server, "exp_all")
    assert done.returncode == 0, done.stdout
    jobs = FINISHED.findall(done.stdout)
    assert [jobs.count(name) for name in ("download", "exp_gather_source")] == [3, 5]
    found = (folder / "regrouped" / "results" / "products").iterdir()
    assert {path.name: path.read_bytes() for path in found} == plain.products
    assert "Nothing to be done" in snakemake(folder, server, "exp_all").stdout

    # Times on S3 are whole seconds.
    time.sleep(1.5)
    with fits.open(paths[1], mode="update") as hdus:
        hdus["SCI", 3].data[0, 0] = 42
    put(server, paths[1])
    jobs = FINISHED.findall(snakemake(folder, server, "exp_all").stdout)
    names = ("download", "exp_index_exposure", "exp_list_sources", "exp_gather_source")
    assert [jobs.count(name) for name in names] == [1, 1, 1, 1]


def test_objects_at_addresses_are_fetched_without_keys(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server)
    path = tmp_path / "x_cal.fits"
    path.write_bytes(b"SIMPLE  = T" + bytes(2 << 20))
    put(server, path)
    lines: list[str] = []
    fetched, part = tmp_path / "exposures" / path.name, tmp_path / "exposures" / f"{path.name}.part"
    part.parent.mkdir()
    part.write_bytes(path.read_bytes()[: 3 << 19])
    fetch(f"s3://archive/jwst/{path.name}", str(fetched), lines.append)
    assert fetched.read_bytes() == path.read_bytes()
    assert lines[0] == f"{path.name}: continues after 1.6 MB"
    with pytest.raises(InputError, match="404 NOT FOUND; correct the address"):
        fetch("s3://archive/jwst/gone_cal.fits", str(fetched), lines.append)


def test_results_in_a_bucket_are_refused(server: str, tmp_path: Path):
    path = simulate(Simulation(exposures=1, shape=(4, 8)), tmp_path)[0]
    storage = ["--default-storage-provider", "s3", "--default-storage-prefix", "s3://archive/x"]
    words = ["-s", str(ROOT / "Snakefile"), *storage, "--config", f"exposures={path}"]
    done = snakemake(tmp_path, server, *words)
    assert done.returncode == 1
    assert "exp-to-source: --default-storage-provider is not supported" in done.stdout
    assert "Traceback" not in done.stdout
