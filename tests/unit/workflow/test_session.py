"""The hooks of a run: why jobs failed, by their logs and what they did not make."""

import json
import os
import signal
from importlib.metadata import version
from pathlib import Path
from threading import Event, Lock
from types import SimpleNamespace

import pytest

from exp_to_source.workflow import session
from exp_to_source.workflow.session import KILLED, Session

SENTENCE = "exp-to-source gather: a_cal.fits: truncated; get it again"
CONFIG = {"spec3_classes": ["s"]}
RUN = SimpleNamespace(has_these_settings=lambda: True, items=[])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A run that has started, with a log and a product of an earlier one."""
    monkeypatch.setattr("sys.argv", ["snakemake"])
    # What is printed at the exit of Python.
    monkeypatch.setattr(session.atexit, "register", lambda print, text, file: print(text))
    write(tmp_path, "logs/gather_source/old.log", SENTENCE)
    write(tmp_path, "results/products/old_cal.fits", "x")
    run = Session(str(tmp_path / "results"))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    run.start()
    yield run
    signal.signal(signal.SIGINT, before)


def write(folder: Path, name: str, text: str = "") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def end(run: Session, failed: bool = True, has_failed: bool = True) -> dict[str, object]:
    defaults = CONFIG | {"group_by": "auto"}
    assert run.end(failed, RUN, CONFIG | {"group_by": "source_id"}, defaults) is has_failed
    return json.loads(Path(run.results, "summary.json").read_text())


def test_the_last_lines_are_the_reasons(run: Session, tmp_path: Path, capsys):
    for name, text in (
        ("gather_source/a", f"warning: x\n{SENTENCE}\n"),
        ("gather_source/b", ""),
        ("gather_source/c", "Traceback (most recent call last):\nKeyError: 1\n"),
        ("extract_spectrum/d", "2026-11-29 stpipe INFO Step running\n"),
        ("gather_source/e", "warning: y\n"),
    ):
        write(tmp_path, f"logs/{name}.log", text)
    write(tmp_path, "results/products/e_cal.fits", "made")
    summary, logs = end(run), tmp_path / "logs"
    assert set(summary["reasons"]) == {
        SENTENCE,
        f"{logs}/gather_source/b.log: the job {KILLED}",
        f"{logs}/gather_source/c.log: KeyError: 1",
        f"{logs}/extract_spectrum/d.log: the job {KILLED}",
    }
    assert (summary["ended"], len(summary["reasons"])) == ("failed", 4)
    # Those that say most are the first, as only some are printed.
    assert [KILLED in reason for reason in summary["reasons"]] == [False, False, True, True]
    assert capsys.readouterr().out.splitlines()[-1] in summary["reasons"]


def test_a_reason_may_have_several_lines(run: Session, tmp_path: Path, capsys):
    lines = ["exp-to-source check: 1 of 2 rows are damaged:", "a: differs"]
    write(tmp_path, "logs/verify.log", "\n".join(["note", SENTENCE, *lines, ""]))
    assert end(run)["reasons"] == ["\n".join(lines)]
    assert capsys.readouterr().out.splitlines()[-2:] == lines


def test_an_interrupted_run_is_not_a_failed_one(run: Session, tmp_path: Path, capsys):
    write(tmp_path, "logs/gather_source/b.log")
    write(tmp_path, "logs/index_exposure/c.log", "exp-to-source index: interrupted\n")
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    summary = end(run)
    assert (summary["ended"], summary["reasons"]) == ("interrupted", [])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "interrupted; run the same command again to continue"


def test_termination_is_handled_where_it_interrupts_who_has_the_lock(tmp_path: Path):
    """As Snakemake's scheduler has, most of the time."""
    lock, handled = Lock(), Event()

    def handle(number: int, frame: object) -> None:
        with lock:
            handled.set()

    before = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    signal.signal(signal.SIGTERM, handle)
    run = Session(str(tmp_path / "results"))
    run.start()
    with lock:
        os.kill(os.getpid(), signal.SIGTERM)
        assert not handled.wait(0.1)
    assert handled.wait(10) and run.is_interrupted
    for number, handler in before:
        signal.signal(number, handler)


def test_errors_are_reported_at_the_end_once_the_run_has_started(run: Session, capsys):
    with pytest.raises(SystemExit):
        run.fail("no such source")
    assert capsys.readouterr().err == ""
    assert end(run)["reasons"] == ["exp-to-source: no such source"]
    with pytest.raises(SystemExit):
        Session(run.results).fail("at once")
    assert capsys.readouterr().err == "exp-to-source: at once\n"


def test_recorded_failures_fail_a_run_whose_jobs_all_succeeded(run: Session, tmp_path: Path):
    write(tmp_path, "results/failures/f.txt", f"{SENTENCE}\n")
    write(tmp_path, "results/products/f_cal.fits")
    summary = end(run, failed=False)
    assert (summary["ended"], summary["reasons"]) == ("failed", [SENTENCE])
    assert not (tmp_path / "results" / "products" / "f_cal.fits").exists()


def test_a_complete_run_keeps_its_settings_and_versions(run: Session):
    summary = end(run, failed=False, has_failed=False)
    assert (summary["ended"], summary["settings"]) == ("complete", {"group_by": "source_id"})
    assert summary["versions"]["snakemake"] == version("snakemake")
