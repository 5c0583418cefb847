"""Mistakes of users, from settings to permissions, each end in one sentence with a remedy.

False inputs are in test_bad_inputs, interruptions and full disks in test_interruptions.
"""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from snake import ROOT, Workflow

from exp_to_source.cli import main, make_parsers
from exp_to_source.errors import InputError
from exp_to_source.workflow.configuration import check_configuration, read_configfile
from exp_to_source.workflow.inputs import find_exposures

COMMAND = (sys.executable, ROOT / "scripts" / "exp-to-source")

#: What makes permissions count for root, too.
AS_USER = () if os.geteuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search")

Close = Callable[[Path, int], None]


def run(*command: object, cwd: Path = ROOT) -> tuple[int, str]:
    """Exit status of a command, and its last line on standard error."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, (done.stderr.splitlines() or [""])[-1]


def fail(*arguments: object) -> str:
    """Sentence in which a subcommand ends."""
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments)])
    gc.enable()  # Some switch it off.
    assert isinstance(caught.value.code, str)
    return caught.value.code


# Settings.


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "demo: true\nexposure: x\n",
            ", line 2: unknown key 'exposure' .did you mean 'exposures'.*; the keys are",
        ),
        ("5: x\n", ", line 1: unknown key 5; the keys are exposures, "),
        ("# note\n\ngroup_by: name\n", ", line 3: group_by cannot be 'name'. What makes slits one"),
        ("group_by:\n", ", line 1: group_by cannot be empty. What"),
        ("min_exposures: 0\n", ", line 1: min_exposures cannot be 0. Sources that fewer"),
        ("demo: 'yes'\n", ", line 1: demo cannot be 'yes'. Simulate"),
        ("exposures:\n- a\n-  5\n", r", line 3: exposures\[1\] cannot be 5. Exposure-based"),
        ("yes: x\n", ": unknown key True; the keys are"),
        ("exposures: ''\n", ", line 1: exposures cannot be ''. Exposure-based"),
        ('{"source_id_digits": 7}', ", line 1: source_id_digits cannot be 7. Digits"),
    ],
)
def test_wrong_settings_are_located_by_file_and_line(tmp_path: Path, text: str, sentence: str):
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=f"^{path}{sentence}") as caught:
        check_configuration(read_configfile(str(path)), [str(path)])
    assert "\n" not in str(caught.value)


def test_the_last_of_several_files_counts(tmp_path: Path):
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
def test_settings_that_are_not_yaml(tmp_path: Path, content: bytes, sentence: str):
    path = tmp_path / "my.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^{path}{sentence}") as caught:
        read_configfile(str(path))
    assert "\n" not in str(caught.value)


def test_words_of_yaml_on_the_command_line():
    config = {"quicklook": "true", "demo": "false"}
    check_configuration(config)
    assert (config["quicklook"], config["demo"]) == (True, False)
    with pytest.raises(InputError, match=r"^configuration: quicklook cannot be 'perhaps'"):
        check_configuration({"quicklook": "perhaps"})


def test_settings_can_be_checked_by_themselves(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("demo: true\n")
    bad.write_text("demo: true\nquicklook: &a [*a]\n")
    assert fail("check-config", good, bad).startswith(f"exp-to-source check-config: {bad}, line 2:")
    assert capsys.readouterr().out == f"{good}: valid\n"


def test_files_of_settings_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """They are named in full: the user is in another folder, with files of the same names."""
    work = Workflow(tmp_path / "work", {"sources": 60})
    own = work.folder / "config" / "config.yaml"
    own.parent.mkdir(parents=True)

    def error(*options: str, **config: object) -> str:
        result = work.run("-n", *options, **config)
        assert "Traceback" not in result.text
        assert not (work.folder / "results").exists()
        return result.text if result.status else ""

    own.write_text("exposure: x\n")
    assert f"exp-to-source: {own}, line 1: unknown key 'exposure'" in error()
    own.write_text("quicklook: false\nexposures: gone\n")
    assert (
        f"'gone' does not exist; correct the setting 'exposures' in {own}, line 2, or the working"
    ) in error()
    # Above the defaults, below other files and values of the command line.
    own.write_text("demo: true\ngroup_by: name\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    Path("my.yaml").write_text("\ngroup_by: id\n")
    other = f"exp-to-source: {tmp_path}/my.yaml, line 2: group_by cannot be 'id'"
    assert other in error("--configfile=my.yaml")
    assert not error("--configfile=my.yaml", group_by="source_id")
    own.unlink()
    own.symlink_to("gone.yaml")
    assert f"exp-to-source: {own}: No such file" in error()


def test_settings_of_a_module_and_of_the_clone(tmp_path: Path):
    """A module has its own only; those of the clone are the defaults, which are read once."""
    work = Workflow(tmp_path / "work", {"x_y": 1}, tmp_path / "work")
    (work.folder / "config").mkdir(parents=True)
    (work.folder / "config" / "config.yaml").write_text("mine: 1\n")
    (work.folder / "Snakefile").write_text(
        f'module m:\n    snakefile: "{ROOT}/Snakefile"\n'
        '    config: {"demo": True}\nuse rule * from m as m_*\n'
    )
    result = work.run("-n", "m_simulate_exposures")
    assert result.status == 0, result.text
    clone = Workflow(tmp_path / "clone", {"demo": True})
    clone.folder.mkdir()
    (clone.folder / "config").symlink_to(ROOT / "config")
    result = clone.run("-n")
    assert result.status == 0, result.text
    assert result.text.count("is extended by additional config") == 1


def test_shipped_settings_that_were_broken(tmp_path: Path):
    root = tmp_path / "exp_to_source"
    for folder in ("config", "scripts", "workflow"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "Snakefile", root)
    (root / "config" / "config.yaml").write_text("exposures: [\n")
    result = Workflow(tmp_path / "work", {"demo": True}, root).run("-n")
    assert result.status == 1
    assert f"exp-to-source: {root}/config/config.yaml, line 2: not YAML: " in result.text
    assert "Traceback" not in result.text


# Targets and files.


def test_product_that_does_not_exist(work: Workflow, tmp_path: Path):
    """Before the first job, or when the sources were listed."""
    fresh = Workflow(tmp_path / "fresh", {"exposures": work.folder / "data"})
    for run in (work, fresh):
        result = run.run("results/products/jw10006-o010_s00064_nirspec_f170lp-g235m_cal.fits")
        assert result.status == 1
        assert result.text.splitlines()[-1].endswith(
            "jw10006-o010_s00064_nirspec_f170lp-g235m: the exposures have no such source (did you "
            "mean 'jw10006-o010_s00063_nirspec_f170lp-g235m'?); see results/sources.tsv"
        )
        assert "interrupted" not in result.text


def test_wrong_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    sentence = f"matches no file; correct the setting 'exposures', or the working .* {tmp_path}$"
    with pytest.raises(InputError, match=f"^exposures: 'data/\\*_cal.fits' {sentence}"):
        find_exposures(["data/*_cal.fits"])


def test_source_list_that_was_edited(work: Workflow):
    (work.folder / "results" / "sources.tsv").write_bytes(b"PK\3\4")
    result = work.run()
    assert result.status == 1
    assert result.text.splitlines()[-1] == (
        "exp-to-source: results/sources.tsv: not a source list any more; delete it and run again"
    )


def test_settings_of_the_last_run_are_repeated(work: Workflow, tmp_path: Path):
    text = Workflow(tmp_path / "new", {}).run("-n").text
    assert "exp-to-source: no exposures: set 'exposures' or" in text
    assert text.endswith(f"{tmp_path}/new is empty: is --directory right?\n")
    work.config = {}
    result = work.run("report")
    assert result.status == 1
    first, line = result.text.splitlines()[-2:]
    own = work.folder / "config" / "config.yaml"
    assert first.startswith(f"exp-to-source: no exposures: the last run in {work.folder} had ")
    assert first.endswith(f"write them into {own}")
    assert line == "exposures: data"
    own.parent.mkdir()
    own.write_text(line)
    assert work.run("-n").status == 0


def test_cores_by_default(work: Workflow):
    command = work.command("sources")
    at = command.index("--cores")
    del command[at : at + 2]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"Provided cores: {len(os.sched_getaffinity(0))}" in done.stderr


def test_exposure_that_is_not_one(work: Workflow):
    bad = work.folder / "data" / "bad_cal.fits"
    bad.write_bytes(b"hello")
    result = work.run()
    assert result.status == 1
    last = result.text.splitlines()[-1]
    assert last.startswith("exp-to-source index: data/bad_cal.fits: ")
    assert last.endswith(", or set 'on_bad_exposure: skip' to go on without it")


def test_interrupted_from_the_keyboard(tmp_path: Path):
    work = Workflow(tmp_path / "work", {"demo": True})
    running = subprocess.Popen(
        work.command(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # If the tests run in the background of a shell, they ignore it, and so would Snakemake.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not (work.folder / "logs" / "simulate_exposures.log").exists():
        time.sleep(0.05)
        assert running.poll() is None
    # Snakemake now waits for the job: seldom, it loses an interrupt while it starts one.
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    _, text = running.communicate()
    assert running.returncode == 1, text
    assert "Traceback" not in text and "failed" not in text
    assert text.splitlines()[-1] == "interrupted; run the same command again to continue"
    summary = json.loads((work.folder / "results" / "summary.json").read_text())
    assert (summary["ended"], summary["reasons"]) == ("interrupted", [])


# Software and permissions.


def test_old_python(tmp_path: Path):
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


def test_old_snakemake(tmp_path: Path):
    pretend = (
        "import sys, snakemake, snakemake.common; "
        "snakemake.__version__ = snakemake.common.__version__ = '8.30.0'; "
        "from snakemake.cli import main; main(sys.argv[1:])"
    )
    options = ("--snakefile", ROOT / "Snakefile", "--directory", tmp_path, "--cores", "1")
    status, last = run(sys.executable, "-c", pretend, *options)
    assert status == 1
    assert "Expecting Snakemake version 9.19 or higher (you are currently using 8.30.0)" in last


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("index", "x", "y"), "{} has no package 'yaml'; set the env"),
        (("check-config", "x"), "{} has no package 'yaml'; set the env"),
        (("simulate", "x"), "{} has no package 'numpy'; set the env"),
        (("fingerprint", "x", "y"), "{} has no package 'yaml'; set the env"),
        (("spec3", "x"), "the jwst package is not installed; 'make spec3' or 'pip install jwst'"),
    ],
)
def test_missing_packages(arguments: tuple[str, ...], sentence: str):
    status, last = run(sys.executable, "-S", *COMMAND[1:], *arguments)
    assert status == 1
    start = f"exp-to-source {arguments[0]}: {sentence.format(sys.executable)}"
    assert last.startswith(start)


@pytest.fixture
def close() -> Iterator[Close]:
    """Function that takes permissions away, until the test is over."""
    changed = []

    def close(path: Path, mode: int) -> None:
        changed.append((path, path.stat().st_mode))
        path.chmod(mode)

    yield close
    for path, mode in reversed(changed):
        if path.exists():
            path.chmod(mode)


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        (".", 0o555), ("results", 0o000), ("results", 0o555), ("results/index", 0o000),
        ("results/sources.tsv", 0o000),
    ],
)  # fmt: skip
def test_permissions(work: Workflow, tmp_path: Path, close: Close, path: str, mode: int):
    if "/" not in path:
        work = Workflow(tmp_path / "new", {"exposures": work.folder / "data"})
        (work.folder / path).mkdir(parents=True)
    closed = work.folder / path
    close(closed, mode)
    status, last = run(*AS_USER, *work.command())
    assert status == 1
    assert last.startswith(("exp-to-source: results", f"exp-to-source: {work.folder}"))
    remedy = "or choose a working directory that you may write to"
    if closed.is_file():
        remedy = "so that you can read it"
    assert last.endswith(f"Permission denied; change its permissions, {remedy}")


def test_products_that_cannot_be_written(work: Workflow, close: Close):
    """Before the first job: Snakemake would remove old ones, and fail with a traceback."""
    folder = work.folder / "results" / "products"
    close(folder, 0o555)
    status, last = run(*AS_USER, *work.command("--forcerun=gather_source"))
    assert status == 1
    assert last.startswith(f"exp-to-source: {folder}: Permission denied; change its perm")
    manifest = next((work.folder / "results" / "manifests").iterdir())
    product = folder / f"{manifest.stem}.fits"
    status, last = run(*AS_USER, *COMMAND, "gather", manifest, product)
    assert status == 1
    assert last.startswith(f"exp-to-source gather: {product}: Permission denied; chan")


def test_exposure_that_cannot_be_read(work: Workflow, tmp_path: Path, close: Close):
    exposure = next((work.folder / "data").iterdir())
    close(exposure, 0o000)
    status, last = run(*AS_USER, *COMMAND, "index", exposure, tmp_path / "x.txt")
    remedy = "Permission denied; change its permissions, so that you can read it"
    assert (status, last) == (1, f"exp-to-source index: {exposure}: {remedy}")


# The command line.


# "run" is Snakemake, in the place of this process.
@pytest.mark.parametrize("name", ["", *sorted(make_parsers()[1].keys() - {"run"})])
def test_commands_have_help(name: str, capsys: pytest.CaptureFixture[str]):
    words = name.split()
    for option, status in {"--help": 0, "--nonsense": 2}.items():
        with pytest.raises(SystemExit) as caught:
            main([*words, option])
        assert caught.value.code == status
    out, err = capsys.readouterr()
    start = " ".join(["exp-to-source", *words])
    assert out.startswith(f"usage: {start} ")
    assert err.splitlines()[-1].startswith(f"{start}: error: ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("check-config gone", "gone: No such file or directory; bring it back, or correct"),
        ("sources gone", "gone: there is no source list; run 'snakemake sources' first"),
        ("report gone x/y.html", "gone: No such file or directory; bring it back"),
        ("gather gone x", "gone: No such file or directory; bring it back"),
        ("index gone x", "gone: no such file; correct"),
        ("fingerprint gone x", "gone: No such file or directory; bring it back"),
        ("list gone x", "gone: No such file or directory; bring it back"),
        ("simulate README.md", "README.md: File exists; it must be a folder"),
        ("simulate x --absent foo:1", "mos has no image foo; choose from"),
        ("spec3 gone", "gone: no such file; correct its path"),
    ],
)
def test_commands_end_in_a_sentence(
    arguments: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("README.md").touch()
    command, *words = arguments.split()
    assert fail(command, *words).startswith(f"exp-to-source {command}: {sentence}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--program", "0"), ("--sources", "-1"), ("--shape", "0", "5"), ("--version", "x"),
        ("--detectors", "x"), ("--fixed-slits", "x"), ("--primary-slit", "x"), ("--mode", "ifu"),
    ],
)  # fmt: skip
def test_simulations_that_make_no_sense(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as caught:
        main(["simulate", "x", *arguments])
    assert caught.value.code == 2
    assert f"error: argument {arguments[0]}: " in capsys.readouterr().err


def test_reader_that_has_seen_enough(finished: Workflow):
    """As ``| head -1`` does."""
    table = finished.folder / "results" / "sources.tsv"
    reading, writing = os.pipe()
    os.close(reading)
    command = [*map(str, COMMAND), "sources", str(table)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
