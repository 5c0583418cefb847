"""File systems as clusters have them: links, coarse times, folders that cannot be written."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from snake import Result, Workflow, change_slit

from exp_to_source.simulate.exposures import Simulation, simulate

pytestmark = pytest.mark.usefixtures("fixed_date")

ROOT_USER = os.geteuid() == 0
SOURCE = "jw10006-o010_s00061_nirspec_f170lp-g235m_cal.fits"
ONE_CHANGED = {"index_exposure": 1, "list_sources": 1, "gather_source": 1}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A finished run; its exposures are a day old."""
    folder = tmp_path_factory.mktemp("plain") / "work"
    for path in simulate(
        Simulation(exposures=2, source_ids=(60, 61), shape=(4, 8)), folder / "data"
    ):
        set_age(path, days=1)
    work = Workflow(folder, {"exposures": "data"})
    work.make()
    return work


@pytest.fixture(scope="module")
def changed(plain: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A finished run of the same exposures, but for one slit of one that is two days old."""
    folder = tmp_path_factory.mktemp("changed") / "work"
    shutil.copytree(plain.folder / "data", folder / "data")
    second = sorted((folder / "data").iterdir())[1]
    change_slit(second, 61)
    set_age(second, days=2)
    work = Workflow(folder, {"exposures": "data"})
    work.make()
    differ = [name for name in plain.products if plain.products[name] != work.products[name]]
    assert differ == [SOURCE]
    return work


def set_age(path: Path, days: int) -> None:
    time = path.stat().st_ctime - days * 86400
    os.utime(path, (time, time))


def link_files(data: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for path in data.iterdir():
        (folder / path.name).unlink(missing_ok=True)
        (folder / path.name).symlink_to(path)


def link_folder(data: Path, folder: Path) -> None:
    folder.unlink(missing_ok=True)
    folder.symlink_to(data)


def replace_files(data: Path, folder: Path) -> None:
    """As a backup is restored, times and all."""
    shutil.copytree(data, folder, dirs_exist_ok=True)


WAYS = {"links to files": link_files, "link to the folder": link_folder, "copies": replace_files}


@pytest.fixture
def work(plain: Workflow, tmp_path: Path) -> Workflow:
    """A copy of the finished run, times and all."""
    return Workflow(shutil.copytree(plain.folder, tmp_path / "work"), dict(plain.config))


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_older_files_take_the_place_of_exposures(
    work: Workflow, changed: Workflow, way: Callable[[Path, Path], None]
):
    if way is link_folder:
        shutil.rmtree(work.folder / "data")
    way(changed.folder / "data", work.folder / "data")
    assert work.make() == ONE_CHANGED
    assert work.products == changed.products


def test_ways_to_name_exposures(work: Workflow, plain: Workflow):
    shutil.move(work.folder / "data", work.folder.parent)
    (work.folder / "here").mkdir()
    (work.folder / "link").symlink_to("../data")
    for path in (work.folder.parent / "data", "../data", "link/*_cal.fits", "here/../link"):
        work.config["exposures"] = path
        assert work.make() == {"index_exposure": 2, "list_sources": 1}
    assert work.products == plain.products
    assert work.make() == {}


def test_working_directory_that_moves(work: Workflow, plain: Workflow):
    """As where nodes have it mounted elsewhere: nothing that is stored has its path."""
    (work.folder / "results" / "products" / SOURCE).unlink()
    assert work.make() == {"gather_source": 1}
    assert work.products == plain.products


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


def test_exposures_without_permission_to_write(plain: Workflow, tmp_path: Path):
    work = Workflow(tmp_path / "work", {"exposures": "data"})
    data = Path(shutil.copytree(plain.folder / "data", work.folder / "data"))
    for path in (*data.iterdir(), data):
        path.chmod(0o555 if path == data else 0o444)
    work.make()
    assert work.products == plain.products
    data.chmod(0o755)


def test_read_only_file_systems(mounts: None, plain: Workflow, tmp_path: Path):
    """Not even root can write to exposures and folders for temporary files, as on some nodes."""
    work = Workflow(tmp_path / "work", {"exposures": "data"})
    data = shutil.copytree(plain.folder / "data", work.folder / "data")
    places = [place for place in ("/tmp", "/var/tmp", "/dev/shm") if os.path.isdir(place)]

    def mount(place: object, mode: str) -> str:
        return f"mount --bind '{place}' '{place}'\nmount -o remount,bind,{mode} '{place}'\n"

    script = "".join(mount(place, "ro") for place in places)
    script += f"{mount(work.folder, 'rw')}{mount(data, 'ro')}cd '{work.folder}'"
    for place in (data, *places):
        assert "Read-only" in mounted(script, ["touch", f"{place}/x"], TMPDIR="/tmp").text
    result = mounted(script, work.command(), TMPDIR="/tmp")
    assert result.status == 0, result.text
    assert work.products == plain.products
    names = {path.name for path in work.folder.iterdir()}
    assert names == {"data", "results", "logs", ".snakemake"}


def test_times_of_whole_seconds(mounts: None, plain: Workflow, tmp_path: Path):
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
    mounted(script, ["sh", "-ec", f"mkdir {work.folder}; cp -r {plain.folder}/data {data}"])
    times = [sys.executable, "-c", f"import os; print(os.stat({data!r}).st_mtime_ns % 10**9)"]
    assert mounted(script, times).text == "0\n"

    count = len(plain.products)
    result = mounted(script, work.command())
    assert result.status == 0, result.text
    assert f": {count} new\n" in result.text
    same = ["diff", "-r", f"{work.folder}/results/products", f"{plain.folder}/results/products"]
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
