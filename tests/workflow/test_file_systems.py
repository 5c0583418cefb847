"""File systems as clusters have them: links, coarse times, folders that cannot be written."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from snake import Result, Workflow, change_slit

ROOT_USER = os.geteuid() == 0
SOURCE = "jw10006-o010_s00061_nirspec_f170lp-g235m_cal.fits"
ONE_CHANGED = {"index_exposure": 1, "list_sources": 1, "gather_source": 1}


@pytest.fixture(scope="module")
def changed(finished: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A finished run of the same exposures, but for one slit of one that is two days old."""
    work = finished.copy(tmp_path_factory.mktemp("changed") / "work")
    second = sorted((work.folder / "data").iterdir())[1]
    time = second.stat().st_mtime - 86400
    change_slit(second, 61)
    assert work.make() == ONE_CHANGED
    os.utime(second, (time, time))
    differ = [name for name in work.products if work.products[name] != finished.products[name]]
    assert differ == [SOURCE]
    return work


def link_files(data: Path, folder: Path) -> None:
    for path in data.iterdir():
        (folder / path.name).unlink()
        (folder / path.name).symlink_to(path)


def link_folder(data: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(data)


def replace_files(data: Path, folder: Path) -> None:
    """As a backup is restored, times and all."""
    shutil.copytree(data, folder, dirs_exist_ok=True)


@pytest.mark.parametrize("replace", [link_files, link_folder, replace_files])
def test_older_files_take_the_place_of_exposures(
    work: Workflow, changed: Workflow, replace: Callable[[Path, Path], None]
):
    replace(changed.folder / "data", work.folder / "data")
    assert work.make() == ONE_CHANGED
    assert work.products == changed.products


def test_ways_to_name_exposures(work: Workflow, finished: Workflow):
    """Nobody may write to them."""
    data = Path(shutil.move(work.folder / "data", work.folder.parent))
    for path in (*data.iterdir(), data):
        path.chmod(0o555 if path == data else 0o444)
    (work.folder / "here").mkdir()
    (work.folder / "link").symlink_to("../data")
    for given in (data, "../data", "link/*_cal.fits", "here/../link"):
        work.config["exposures"] = given
        assert work.make() == {"index_exposure": 3, "list_sources": 1}
    assert work.products == finished.products
    data.chmod(0o755)


def mounted(script: str, command: list[str], **environment: str) -> Result:
    """Run a command after mounts that no other process sees."""
    unshare = ["unshare", "--mount"] if ROOT_USER else ["unshare", "--mount", "--map-root-user"]
    done = subprocess.run(
        [*unshare, "sh", "-ec", f'{script}\nexec "$@"', "sh", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
    )
    return Result(done.returncode, done.stdout)


@pytest.fixture
def mounts() -> None:
    """Skip where mounts are not permitted."""
    result = mounted("mount -t tmpfs none /mnt", ["true"])
    if result.status:
        pytest.skip(f"NOT TESTED, as mounts are not permitted: {result.text}")


def test_read_only_file_systems(mounts: None, finished: Workflow, tmp_path: Path):
    """Not even root can write to exposures and folders for temporary files, as on some nodes."""
    work = Workflow(tmp_path / "work", {"exposures": "data"})
    data = shutil.copytree(finished.folder / "data", work.folder / "data")
    places = [place for place in ("/tmp", "/var/tmp", "/dev/shm") if os.path.isdir(place)]

    def mount(place: object, mode: str) -> str:
        return f"mount --bind '{place}' '{place}'\nmount -o remount,bind,{mode} '{place}'\n"

    script = "".join(mount(place, "ro") for place in places)
    script += f"{mount(work.folder, 'rw')}{mount(data, 'ro')}cd '{work.folder}'"
    for place in (data, *places):
        assert "Read-only" in mounted(script, ["touch", f"{place}/x"], TMPDIR="/tmp").text
    result = mounted(script, work.command(), TMPDIR="/tmp")
    assert result.status == 0, result.text
    assert work.products == finished.products
    names = {path.name for path in work.folder.iterdir()}
    assert names == {"data", "results", "logs", ".snakemake"}


def test_times_of_whole_seconds(mounts: None, finished: Workflow, tmp_path: Path):
    """On ext3 with small inodes, where times have no fractions."""
    image, place = tmp_path / "image", tmp_path / "place"
    place.mkdir()
    make = ["mke2fs", "-q", "-t", "ext3", "-I", "128", str(image), "64M"]
    script = f"mount -o loop '{image}' '{place}'"
    if shutil.which("mke2fs") is None or subprocess.run(make, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("NOT TESTED: no mke2fs")
    if (result := mounted(script, ["true"])).status:
        pytest.skip(f"NOT TESTED, as loop devices are not permitted: {result.text}")

    work = Workflow(place / "work", {"exposures": "data"})
    data = f"{work.folder}/data"
    mounted(script, ["sh", "-ec", f"mkdir {work.folder}; cp -r {finished.folder}/data {data}"])
    times = [sys.executable, "-c", f"import os; print(os.stat({data!r}).st_mtime_ns % 10**9)"]
    assert mounted(script, times).text == "0\n"

    count = len(finished.products)
    result = mounted(script, work.command())
    assert result.status == 0, result.text
    assert f": {count} new\n" in result.text
    same = ["diff", "-r", f"{work.folder}/results/products", f"{finished.folder}/results/products"]
    assert mounted(script, same) == Result(0, "")
    assert mounted(script, work.command()).jobs == {}
    change = (
        "import pathlib, time; from snake import change_slit; time.sleep(1)\n"
        f"change_slit(sorted(pathlib.Path({data!r}).iterdir())[1], 61)"
    )
    path = os.pathsep.join(sys.path)
    assert mounted(script, [sys.executable, "-c", change], PYTHONPATH=path) == Result(0, "")
    result = mounted(script, work.command())
    assert result.jobs == ONE_CHANGED
    assert f": 1 rebuilt, {count - 1} unchanged\n" in result.text
