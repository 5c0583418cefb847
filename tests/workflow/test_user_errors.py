"""Mistakes of users, from settings to permissions, each end in one sentence that says what to do.

Inputs that lie are in test_bad_inputs, interruptions and full disks in test_interruptions.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from snake import ROOT, Workflow

from exp_to_source.errors import InputError
from exp_to_source.run.configuration import check_configuration, read_configfile
from exp_to_source.simulate.exposures import Simulation, simulate

SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))

#: What makes permissions count for root, too.
AS_USER = () if os.geteuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small exposures."""
    folder = tmp_path_factory.mktemp("data")
    simulate(Simulation(sources=2, exposures=1, shape=(4, 8)), folder)
    return folder


def run(*command: object, cwd: Path = ROOT) -> tuple[int, str]:
    """Exit status of a command, and the last line it says on standard error."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, (done.stderr.splitlines() or [""])[-1]


def script(name: str, *arguments: object, options: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run a script."""
    return run(sys.executable, *options, ROOT / "scripts" / f"{name}.py", *arguments)


# Settings.


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "demo: true\nexposure: x\n",
            ", line 2: unknown key 'exposure'; .* .did you mean 'exposures'",
        ),
        ("5: x\n", ", line 1: unknown key 5; the keys are exposures, "),
        ("# note\n\ngroup_by: name\n", ", line 3: group_by cannot be 'name'. What makes slits one"),
        ("group_by:\n", ", line 1: group_by cannot be empty. What"),
        ("demo: 'yes'\n", ", line 1: demo cannot be 'yes'. Simulate"),
        ("exposures:\n- a\n-  5\n", r", line 3: exposures\[1\] cannot be 5. Exposure-based"),
        ("yes: x\n", ": unknown key True; the keys are"),
        ("exposures: ''\n", ", line 1: exposures cannot be ''. Exposure-based"),
        ('{"source_id_digits": 7}', ", line 1: source_id_digits cannot be 7. Digits"),
    ],
)
def test_wrong_settings_are_told_by_file_and_line(tmp_path, text, sentence):
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=f"^{path}{sentence}") as caught:
        check_configuration(read_configfile(str(path)), [str(path)])
    assert "\n" not in str(caught.value)


def test_the_place_of_a_setting_is_told(tmp_path):
    one, other = str(tmp_path / "one.yaml"), str(tmp_path / "other.yaml")
    Path(one).write_text("group_by: name\n")
    Path(other).write_text("\n\ndemo: true\ngroup_by: id\n")
    with pytest.raises(InputError, match=f"^{other}, line 4: group_by cannot be 'id'"):
        check_configuration({"group_by": "id"}, [one, other])
    # On the command line, or by a workflow that this one is a module of.
    with pytest.raises(InputError, match=r"^configuration: group_by cannot be 'x'"):
        check_configuration({"group_by": "x"}, [one, other])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a: [b\nc: d\n", ", line 2: not YAML: while parsing a flow sequence, expected ',' or"),
        (b"a:\n\t- b\n", ", line 2: not YAML: .* found character '.t' that cannot start any"),
        (b"a: 'b\n", ", line 2: not YAML: .* found unexpected end of stream"),
        (b"a: !!x b\n", ", line 1: not YAML: could not determine a constructor"),
        (b"- a\n", ": has no keys; write settings as 'key: value'"),
        (b"", ": has no keys"),
        (b"\xff\xfe\xff", ": not a text in YAML"),
        (b"SIMPLE  =\0", ": not a text in YAML"),
    ],
)
def test_settings_that_are_no_yaml(tmp_path, content, sentence):
    path = tmp_path / "my.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^{path}{sentence}") as caught:
        read_configfile(str(path))
    assert "\n" not in str(caught.value)


def test_settings_can_be_checked_by_themselves(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("demo: true\n")
    bad.write_text("demo: [\n")
    assert script("check_configuration", good) == (0, "")
    status, said = script("check_configuration", good, bad)
    assert (status, said.split(": ")[:2]) == (1, ["check_configuration", f"{bad}, line 2"])
    status, said = script("check_configuration", tmp_path / "gone.yaml")
    assert status == 1
    assert said.endswith("gone.yaml: No such file or directory; bring it back, or correct the path")


def test_files_of_settings_in_a_run(tmp_path):
    """Broken ones are refused by Snakemake, before the workflow has a say."""
    work = Workflow(tmp_path / "work", {"demo": True})
    path = tmp_path / "my.yaml"
    path.write_text("group_by: name\n")
    result = work.run(f"--configfile={path}")
    assert result.status == 1
    assert f"exp_to_source: {path}, line 1: group_by cannot be 'name'" in result.text
    path.write_text("group_by: [\n")
    result = work.run(f"--configfile={path}")
    assert result.status == 1
    assert "Config file is not valid JSON or YAML" in result.text
    result = work.run(f"--configfile={path}.gone")
    assert result.status == 1
    assert "No such file or directory: " in result.text.strip().splitlines()[-1]


def test_files_of_settings_are_named_in_full(data, tmp_path, monkeypatch):
    """The user is in another folder, with files of settings of the same name."""
    work = Workflow(tmp_path / "work", {"sources": 60})
    own = work.folder / "config" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("exposure: x\n")
    assert f"exp_to_source: {own}, line 1: unknown key 'exposure'" in work.run("-n").text
    own.write_text("quicklook: false\nexposures: gone\n")
    said = (
        f"'gone' does not exist; correct the setting 'exposures' in {own}, line 2, or the working"
    )
    assert said in work.run("-n").text
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    Path("my.yaml").write_text("group_by: name\n")
    said = f"exp_to_source: {tmp_path}/my.yaml, line 1: group_by cannot be 'name'"
    assert said in work.run("-n", "--configfile=my.yaml").text


def test_shipped_settings_that_were_broken(tmp_path):
    root = tmp_path / "exp_to_source"
    keep = shutil.ignore_patterns(".*", "tests", "benchmarks", "demo", "docs", "results")
    shutil.copytree(ROOT, root, ignore=keep)
    (root / "config" / "config.yaml").write_text("exposures: [\n")
    result = Workflow(tmp_path / "work", {"demo": True}, root).run()
    assert result.status == 1
    assert f"exp_to_source: {root}/config/config.yaml, line 2: not YAML: " in result.text
    assert "Traceback" not in result.text


# What is asked for.


def test_targets_that_are_none(data, tmp_path):
    work = Workflow(tmp_path / "work", {"exposures": data})
    assert "'60'; to choose sources, write --config sources=60\n" in work.run("60").text
    for target in ("nonsense", "results/products/jw10006-o010_s61_nirspec_f170lp-g235m_cal.fits"):
        result = work.run(target)
        assert result.status == 1
        assert f"No rule to produce {target}" in result.text
    result = work.run("results/products/jw10006-o010_s00062_nirspec_f170lp-g235m_cal.fits")
    assert result.status == 1
    assert (
        "jw10006-o010_s00062_nirspec_f170lp-g235m: the exposures have no such source "
        "(did you mean 'jw10006-o010_s00060_nirspec_f170lp-g235m'?); see results/sources.tsv"
    ) in result.text
    fresh = Workflow(tmp_path / "fresh", {"exposures": data})
    result = fresh.run("results/products/jw10006-o010_s00062_nirspec_f170lp-g235m_cal.fits")
    assert result.status == 1
    assert "the exposures have no such source" in result.text.splitlines()[-1]
    assert "Terminating" not in result.text and "interrupted" not in result.text


def test_wrong_working_directory(tmp_path):
    (tmp_path / "work").mkdir()
    result = Workflow(tmp_path / "work", {"exposures": "data/*_cal.fits"}).run()
    assert result.status == 1
    assert result.text.splitlines()[-1] == (
        "exp_to_source: exposures: 'data/*_cal.fits' matches no file; correct the setting "
        f"'exposures', or the working directory {tmp_path}/work"
    )
    snakemake = (sys.executable, "-m", "snakemake", "--cores", "1")
    status, said = run(*snakemake, cwd=tmp_path)
    assert status == 1
    assert said.startswith("Error: No Snakefile found")


def test_source_list_that_was_edited(data, tmp_path):
    work = Workflow(tmp_path / "work", {"exposures": data})
    work.make("results/sources.tsv")
    for content in (b"", b"PK\3\4", b"\xff\xfe", b"name\tid\nx\t1\n"):
        (work.folder / "results" / "sources.tsv").write_bytes(content)
        result = work.run()
        assert result.status == 1
        assert result.text.splitlines()[-1] == (
            "exp_to_source: results/sources.tsv: not a source list any more; "
            "delete it and run again"
        )


# Where it runs.


def test_old_python(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    old = tmp_path / "python3.9"
    pretend = "import sys; sys.version_info = (3, 9); exec(sys.argv[2])"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretend}" "$@"\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["make", f"PYTHON={old}", ".venv/bin/python"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Python 3.11 or later is needed: make PYTHON=python3.12\n")
    assert not (tmp_path / ".venv").exists()


def test_old_snakemake(tmp_path):
    pretend = (
        "import sys, snakemake, snakemake.common; "
        "snakemake.__version__ = snakemake.common.__version__ = '8.30.0'; "
        "from snakemake.cli import main; main(sys.argv[1:])"
    )
    options = ("--snakefile", ROOT / "Snakefile", "--directory", tmp_path, "--cores", "1")
    status, said = run(sys.executable, "-c", pretend, *options)
    assert status == 1
    assert "Expecting Snakemake version 9.19 or higher (you are currently using 8.30.0)" in said


@pytest.mark.parametrize(
    ("name", "package", "arguments"),
    [
        ("index_exposure", "yaml", ("x", "y")),
        ("check_configuration", "yaml", ("x",)),
        ("simulate_exposures", "numpy", ("x",)),
        ("fingerprint_exposure", "asdf", ("x", "y")),
        ("verify_products", "astropy", ("x", "--products", "y", "--fingerprints", "z")),
    ],
)
def test_missing_packages(name, package, arguments):
    status, said = script(name, *arguments, options=("-S",))
    assert status == 1
    assert said.startswith(f"{name}: {sys.executable} has no package {package!r}; set the env")


@pytest.mark.parametrize("name", ["run_spec3", "find_references"])
def test_without_jwst_there_are_no_spectra(name: str):
    status, said = script(
        name, "x", *(["y", "--table=z"] if name == "find_references" else []), options=("-S",)
    )
    assert status == 1
    assert "the jwst package is not installed; install it by 'make spec3'" in said


@pytest.fixture
def closed(tmp_path):
    """A function that takes permissions away, until the test is over."""
    changed = []

    def close(path: Path, mode: int) -> None:
        changed.append((path, path.stat().st_mode))
        path.chmod(mode)

    yield close
    for path, mode in reversed(changed):
        if path.exists():
            path.chmod(mode)


@pytest.mark.parametrize(
    ("place", "mode"),
    [
        (".", 0o555), ("results", 0o000), ("results", 0o555), ("results/products", 0o555),
        ("results/index", 0o000), ("results/sources.tsv", 0o000),
    ],
)  # fmt: skip
def test_permissions(data, tmp_path, closed, place, mode):
    work = Workflow(tmp_path / "work", {"exposures": data})
    if "/" in place:
        work.make("results/sources.tsv")
    path = work.folder / place
    if not path.exists():
        path.mkdir(parents=True)
    closed(path, mode)
    status, said = run(*AS_USER, *work.command())
    assert status == 1
    assert said.startswith(("exp_to_source: results", f"exp_to_source: {work.folder}: "))
    remedy = "or choose a working directory that you may write to"
    if path.is_file():
        remedy = "so that you can read it"
    assert said.endswith(f"Permission denied; change its permissions, {remedy}")


def test_exposures_that_cannot_be_read(data, tmp_path, closed):
    (exposure,) = shutil.copytree(data, tmp_path / "data").glob("*.fits")
    closed(exposure, 0o000)
    script = ROOT / "scripts" / "index_exposure.py"
    status, said = run(*AS_USER, sys.executable, script, exposure, tmp_path / "x.txt")
    assert status == 1
    remedy = "change its permissions, so that you can read it"
    assert said == f"index_exposure: {exposure}: Permission denied; {remedy}"


def test_products_that_cannot_be_written(data, tmp_path, closed):
    """Before the first job: Snakemake would remove old ones, and fail with a traceback."""
    work = Workflow(tmp_path / "work", {"exposures": data})
    work.make()
    folder = work.folder / "results" / "products"
    closed(folder, 0o555)
    status, said = run(*AS_USER, *work.command("--forcerun=gather_source"))
    assert status == 1
    assert said.startswith("exp_to_source: results/products: Permission denied; change its perm")
    manifest = next((work.folder / "results" / "manifests").iterdir())
    script = ROOT / "scripts" / "gather_source.py"
    status, said = run(*AS_USER, sys.executable, script, manifest, folder / f"{manifest.stem}.fits")
    assert status == 1
    assert said.startswith(f"gather_source: {folder}/{manifest.stem}.fits: Permission denied; chan")
    # Nothing is written there.
    status, said = run(*AS_USER, *work.command("report"))
    assert (status, said) == (0, f"report: {work.folder}/results/report.html")


# Exit codes.


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_tell_how_they_are_used(name):
    assert script(name, "--help")[0] == 0
    status, said = script(name, "--nonsense")
    assert status == 2
    assert said.startswith(f"{name}.py: error: ")


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("show_sources", ("gone",), "gone: there is no source list; run 'snakemake sources' first"),
        ("write_report", ("x/y.html",), "x/sources.tsv: there is no source list; run 'snakemake"),
        ("gather_source", ("gone", "x"), "gone: No such file or directory; bring it back"),
        ("index_exposure", ("gone", "x"), "gone: no such file; correct"),
        (
            "fingerprint_exposure",
            ("gone", "x"),
            "gone: No such file or directory; bring it back",
        ),
        ("list_sources", ("gone", "--table", "x"), "gone: no such index; run again"),
        ("simulate_exposures", ("README.md",), "README.md: File exists; it must be a folder"),
        ("simulate_exposures", ("x", "--absent", "foo:1"), "mos has no image foo; choose from"),
        ("run_spec3", ("gone",), "gone: no such file; correct its path"),
    ],
)
def test_scripts_end_in_a_sentence(name, arguments, sentence):
    status, said = script(name, *arguments)
    assert status == 1
    assert said.startswith(f"{name}: {sentence}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--program", "0"), ("--sources", "-1"), ("--shape", "0", "5"), ("--version", "x"),
        ("--detectors", "x"), ("--fixed-slits", "x"), ("--primary-slit", "x"), ("--mode", "ifu"),
    ],
)  # fmt: skip
def test_simulations_that_make_no_sense(arguments):
    status, said = script("simulate_exposures", "x", *arguments)
    assert status == 2
    assert f"argument {arguments[0]}: invalid" in said


def test_exit_codes_of_snakemake(data, tmp_path):
    work = Workflow(tmp_path / "work", {"exposures": data})
    assert work.run("--nonsense").status == 2
    bad = tmp_path / "bad_cal.fits"
    bad.write_bytes(b"hello")
    result = work.run(exposures=f"['{data}','{bad}']")
    assert result.status == 1
    assert result.text.endswith(", or set 'on_bad_exposure: skip' to go on without it\n")
    assert work.run(exposures=f"['{data}','{bad}']", on_bad_exposure="skip").status == 0
    assert work.run().status == 0
    assert work.run().status == 0


def test_interrupted_from_the_keyboard(tmp_path):
    work = Workflow(tmp_path / "work", {"demo": True})
    running = subprocess.Popen(
        work.command(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    while not (work.folder / "logs" / "simulate_exposures.log").exists():
        time.sleep(0.05)
        assert running.poll() is None
    # Snakemake now waits for the job: seldom, it loses an interrupt while it starts one.
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 1, said
    assert "Traceback" not in said and "failed" not in said
    line = "interrupted before the sources were listed; the same command goes on"
    assert said.splitlines()[-1] == line
    summary = json.loads((work.folder / "results" / "summary.json").read_text())
    assert (summary["ended"], summary["reasons"]) == ("interrupted", [])


def test_later_commands_are_told_what_the_last_run_had(data, tmp_path):
    work = Workflow(tmp_path / "work", {})
    said = work.run("-n").text
    assert "no exposures: set 'exposures' or" in said
    assert said.endswith(f"{work.folder} is empty: is --directory right?\n")
    work.make("sources", exposures=data, sources="60")
    result = work.run("report")
    assert result.status == 1
    first, *lines = result.text.splitlines()[-3:]
    own = work.folder / "config" / "config.yaml"
    assert first.startswith(f"exp_to_source: no exposures: the last run in {work.folder} had ")
    assert first.endswith(f"write them into {own}")
    assert lines == [f"exposures: {data}", "sources: 60"]
    own.parent.mkdir()
    own.write_text("\n".join(lines))
    assert work.make("report")["gather_source"] == 1


def test_files_that_are_named_from_elsewhere(data, tmp_path):
    work = Workflow(tmp_path / "work", {"exposures": data})
    result = work.run("work/results/sources.tsv")
    assert result.status == 1
    last = result.text.splitlines()[-1]
    assert last.startswith("exp_to_source: files are named by their paths below --directory; the")
    assert last.endswith(f" --config exposures={data} -- results/sources.tsv")


def test_all_cores_unless_said_otherwise(data, tmp_path):
    work = Workflow(tmp_path / "work", {"exposures": data}, printing=())
    command = work.command("sources")
    at = command.index("--cores")
    assert "Provided cores: 2\n" in work.run("sources").text
    shutil.rmtree(work.folder)
    del command[at : at + 2]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"Provided cores: {len(os.sched_getaffinity(0))}" in done.stderr


def test_files_of_a_folder_that_are_passed_over(data, tmp_path):
    folder = shutil.copytree(data, tmp_path / "data")
    (folder / "jw10006010001_03101_00001_nrs1_rate.fits").touch()
    result = Workflow(tmp_path / "work", {"exposures": folder}).run("sources")
    what = "1 file found, 1 passed over: 1 not *_cal.fits or *_mbsub.fits"
    assert f"\n{folder}: {what}\n" in result.text
