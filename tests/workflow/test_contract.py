"""No run ends in success with results of another state of their inputs, whatever clocks show."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from sysconfig import get_path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from pages import Page
from snake import Result, Workflow, change_slit
from tiny import edit_tree

from exp_to_source.cli import main
from exp_to_source.quicklook.picture import draw_quicklook
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.tables import read_table

TARGETS = ("verify", "spec3", "quicklook", "report", "catalog")
NAME = "jw10006-o010_s{}_nirspec_f170lp-g235m"
DAY = 86400

#: Python of jobs, for which spectra are those of a file.
PYTHON = f"""#!/bin/sh
if [ "$2" = spec3 ]; then
    name=$(basename "$3" _cal.fits)
    mkdir -p "$5/digests" && cp x1d.fits "$5/${{name}}_x1d.fits"
    # After the options for folder, references, and digest.
    echo "$9 $(sha256sum < x1d.fits | cut -d " " -f 1)" > "$5/digests/$name.txt"
elif [ "$2" = references ]; then
    echo {{}} > "$4"
else
    exec {sys.executable} "$@"
fi
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A run of all targets on two exposures of two sources; the report before and after others.

    Headers of an exposure were edited after it was written.
    """
    folder = tmp_path_factory.mktemp("contract") / "work"
    simulation = Simulation(exposures=2, source_ids=(60, 61), shape=(8, 24))
    _, second = simulate(simulation, folder / "data")
    with fits.open(second, mode="update") as hdus:
        hdus["PRIMARY"].header["TITLE"] = "Edited"
        hdus["SCI", 1].header["SRCRA"] = 53.25
        del hdus["SCI", 2].header["SRCDEC"]
    spectrum = {"WAVELENGTH": np.arange(1.0, 4), "FLUX": np.ones(3), "FLUX_ERROR": np.ones(3)}
    table = fits.BinTableHDU(Table(spectrum), name="EXTRACT1D")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(folder / "x1d.fits")
    (folder / "python").write_text(PYTHON)
    (folder / "python").chmod(0o755)
    config = {"exposures": "data", "offline": True, "python": folder / "python"}
    work = Workflow(folder, config)
    regrouping = {"index_exposure": 2, "list_sources": 1, "gather_source": 2}
    written = {"write_report": 1, "write_catalog": 1}
    assert make(work, "report", "catalog") == regrouping | {"measure_products": 1} | written
    shown = page(work)
    assert "2 of 2" in shown.text
    assert '"data"' in shown.text
    assert "1.14.0 (2)" in shown.text
    assert shown.data["quicklooks"] == [0, 0]
    verifying = {"fingerprint_exposure": 2, "verify_products": 1, "list_verdicts": 1}
    spectra = {"extract_spectrum": 2, "stack_slit_spectra": 1}
    assert make(work, "verify", "spec3") == verifying | {"find_references": 1} | spectra
    assert make(work, "report", "catalog", "quicklook") == written | {"draw_quicklook": 2}
    assert "2 sound" in page(work).text
    assert page(work).data["extracted"] == ["current", "current"]
    return work


def make(work: Workflow, *targets: str, **config: object) -> Counter[str]:
    """Run targets; count the jobs that make files."""
    jobs = work.make(*targets, **config)
    return Counter({rule: count for rule, count in jobs.items() if rule not in TARGETS})


def exposures(work: Workflow) -> list[Path]:
    return sorted((work.folder / "data").iterdir())


def page(work: Workflow) -> Page:
    return Page((work.folder / "results" / "report.html").read_text())


def clock_back(work: Workflow) -> Workflow:
    """Date what was made of products, and products, later than all that is made from now on."""
    results = work.folder / "results"
    for folder in ("products", "spec3", "quicklook", "measured", "verify/products", "."):
        for path in filter(Path.is_file, (results / folder).iterdir()):
            if path.stem not in ("sources", "settings"):
                os.utime(path, (time.time() + DAY,) * 2)
    return work


def copy_without_times(work: Workflow) -> Workflow:
    """As `cp -r WORK WORK2` does."""
    other = work.folder.with_name("work2")
    return Workflow(shutil.copytree(work.folder, other, copy_function=shutil.copy), work.config)


@pytest.mark.parametrize("redate", [clock_back, copy_without_times])
def test_dates_hide_no_product_that_changed(work: Workflow, redate: Callable[[Workflow], Workflow]):
    for number in (60, 61):
        change_slit(exposures(work)[0], number)
    work.make("sources")
    work = redate(work)
    # Pictures and page that are drawn before spectra have none.
    jobs = make(work, "verify", "spec3", "catalog") + make(work, "quicklook", "report")
    for rule in ("gather_source", "extract_spectrum", "draw_quicklook"):
        assert jobs[rule] == 2
    for rule in ("verify_products", "list_verdicts", "measure_products", "write_report"):
        assert jobs[rule] == 1
    assert "2 sound" in page(work).text
    assert page(work).data["extracted"] == ["current", "current"]


def test_input_of_the_future_is_an_error_that_touch_mends(work: Workflow):
    """The clock went back, and the report shows a picture from before."""
    picture = work.folder / "results" / "quicklook" / f"{NAME.format('00060')}.png"
    os.utime(picture, (time.time() + DAY,) * 2)
    for _ in range(2):
        result = work.run("report", min_exposures=2)
        assert result.status == 1
        assert "older modification time" in result.text and picture.name in result.text
    os.utime(picture)
    assert make(work, "report", min_exposures=2) == {"write_report": 1}
    assert make(work, "report", min_exposures=2) == {}


def test_page_and_picture_have_no_spectrum_of_an_earlier_product(work: Workflow, tmp_path: Path):
    """The report updates the pictures that it shows."""
    change_slit(exposures(work)[0], 61)
    jobs = make(work, "report")
    assert (jobs["gather_source"], jobs["draw_quicklook"], jobs["write_report"]) == (1, 1, 1)
    assert page(work).data["extracted"] == ["current", "earlier"]
    name, results = NAME.format("00061"), work.folder / "results"
    (results / "spec3" / f"{name}_x1d.fits").unlink()
    product = results / "products" / f"{name}_cal.fits"
    draw_quicklook(str(product), str(tmp_path / "without.png"), str(results))
    drawn = (results / "quicklook" / f"{name}.png").read_bytes()
    assert drawn == (tmp_path / "without.png").read_bytes()


def test_other_sources(work: Workflow):
    """Batches have other products, and the table and the page only those."""
    jobs = {"list_sources": 1, "verify_products": 1, "list_verdicts": 1}
    jobs |= {"measure_products": 1, "write_report": 1}
    assert make(work, "verify", "report", sources=60) == jobs
    assert page(work).data["products"] == [NAME.format("00060")]
    table = work.folder / "results" / "verify.tsv"
    assert "s00061" not in table.read_text()
    # Those of all products are as they were.
    assert make(work, "verify", "report") == {
        "list_sources": 1,
        "list_verdicts": 1,
        "write_report": 1,
    }
    assert "2 sound" in page(work).text
    assert "s00061" in table.read_text()


def test_exposures_moved(work: Workflow):
    (work.folder / "data").rename(work.folder / "moved")
    work.config["exposures"] = "moved"
    jobs = make(work, *TARGETS)
    assert (jobs["index_exposure"], jobs["list_sources"], jobs["fingerprint_exposure"]) == (2, 1, 2)
    assert jobs["gather_source"] == jobs["extract_spectrum"] == jobs["draw_quicklook"] == 0


def test_workflow_fails_and_names_damaged_products(work: Workflow):
    product, other = (NAME.format(number) for number in ("00060", "00061"))
    path = work.folder / "results" / "products" / f"{product}_cal.fits"

    def read_states() -> dict[str, str]:
        rows = read_table(str(work.folder / "results" / "verify.tsv"))
        return {row["product"]: row["status"] for row in rows}

    assert read_states() == {product: "sound", other: "sound"}
    edit_tree(path, r"slitlet_id: \d", "slitlet_id: 9")
    result = work.run("verify")
    assert result.status == 1
    assert result.jobs == {"verify_products": 1, "list_verdicts": 1}
    *_, title, verdict = result.text.splitlines()
    assert title.startswith("exp-to-source check: 1 of 2 rows of results/verify.tsv are damaged; ")
    assert re.fullmatch(rf"{product}: entry .* differs in slitlet_id.*", verdict)
    assert read_states() == {product: "damaged", other: "sound"}
    path.unlink()
    jobs = ("gather_source", "verify_products", "list_verdicts", "verify")
    assert work.make("verify") == dict.fromkeys(jobs, 1)
    assert read_states() == {product: "sound", other: "sound"}


def test_pictures_on_demand_or_always_and_the_settings_in_the_report(
    work: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name = NAME.format("00060")
    picture = work.folder / "results" / "quicklook" / f"{name}.png"
    drawn = picture.read_bytes()
    picture.unlink()
    assert make(work) == {}
    work.config |= {"quicklook": True, "group_by": "source_id"}
    assert make(work) == {"list_sources": 1, "draw_quicklook": 1}
    assert picture.read_bytes() == drawn
    assert make(work, "report") == {"write_report": 1}
    shown = page(work)
    assert "source_id" in shown.text
    assert all(shown.data["quicklooks"])
    # By the command itself, which takes all measurements in the folder.
    monkeypatch.chdir(work.folder)
    main(["report", "results/settings.json", "results/report.html"])
    assert page(work).data == shown.data
    own = tmp_path / "own.html"
    done = work.run("report", f"--report={own}")
    assert done.status == 0, done.text
    for file in ("sources.tsv", "report.html", f"{name}.png"):
        assert f"Adding {file}" in done.text
    assert "one asinh stretch" in own.read_text()


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder of a group."""
    if os.geteuid():
        pytest.skip("NOT TESTED: only root can run as two users")
    with tempfile.TemporaryDirectory(prefix="exp_to_source-") as folder:
        os.chown(folder, 0, 2000)
        os.chmod(folder, 0o2775)
        yield Path(folder)


def start_as(
    user: int, command: list[str], home: Path, umask: int = 0o002
) -> subprocess.Popen[str]:
    """Start a command as a user of the group."""
    home.mkdir(exist_ok=True)
    os.chown(home, user, 2000)
    return subprocess.Popen(
        command,
        cwd=home,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": get_path("purelib")}
        | {"HOME": str(home), "LOGNAME": home.name},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=user,
        group=2000,
        extra_groups=[],
        umask=umask,
    )


def wait(process: subprocess.Popen[str]) -> Result:
    text, _ = process.communicate()
    return Result(process.returncode, text)


def find_python(home: Path) -> str:
    """Find a Python that others may start."""
    for python in (sys.executable, "/usr/bin/python{}.{}".format(*sys.version_info)):
        with suppress(OSError):
            if wait(start_as(1001, [python, "-c", "import snakemake"], home)).status == 0:
                return python
    pytest.skip("NOT TESTED: other users cannot start this Python")


def test_two_users_of_a_group(shared: Path):
    """One after the other, at once, and with an umask that keeps the group out."""
    python = find_python(shared / "1001")
    paths = simulate(Simulation(exposures=2, source_ids=(60, 61), shape=(4, 8)), shared / "data")
    work = Workflow(shared / "work", {"exposures": shared / "data"})
    targets = ("verify", "quicklook")

    def start(user: int, umask: int = 0o002) -> subprocess.Popen[str]:
        command = [python, *work.command(*targets)[1:]]
        return start_as(user, command, shared / str(user), umask)

    def make(process: subprocess.Popen[str]) -> dict[str, int]:
        result = wait(process)
        assert result.status == 0, result.text
        return {rule: result.jobs[rule] for rule in result.jobs.keys() - {*targets}}

    assert make(start(1001))["gather_source"] == 2
    change_slit(paths[0], 61)
    other = start(1002, umask=0o022)
    locks = work.folder / ".snakemake" / "locks"
    while not any(path.stat().st_size for path in locks.glob("*.output.lock")):
        assert other.poll() is None
        time.sleep(0.01)
    other.send_signal(signal.SIGSTOP)
    refused = wait(start(1001))
    other.send_signal(signal.SIGCONT)
    assert refused.status == 1
    assert "make sure that no other Snakemake process" in refused.text
    assert make(other) == dict.fromkeys(
        (
            *("index_exposure", "list_sources", "gather_source", "fingerprint_exposure"),
            *("verify_products", "list_verdicts", "draw_quicklook"),
        ),
        1,
    )
    refused = wait(start(1001))
    assert refused.status == 1
    assert refused.text.endswith(
        ": belongs to another user, and you may not change it; have its owner run "
        f"'chmod -R g+w {work.folder}', and set 'umask 002' before runs there, or choose another "
        "working directory\n"
    )
    subprocess.run(["chmod", "-R", "g+w", work.folder], check=True)
    assert make(start(1001)) == {}
