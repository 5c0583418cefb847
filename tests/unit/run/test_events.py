"""What is taken from the log of Snakemake."""

import logging
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

import pytest

from exp_to_source.run.events import MAX_LINES, Events, reason_in


class Event(Enum):
    """Names of events, as Snakemake has them."""

    RUN_INFO = 1
    JOB_ERROR = 2
    JOB_FINISHED = 3
    JOB_INFO = 4


def job_error(number: int, log: Path) -> SimpleNamespace:
    what = {"rule_name": "gather_source", "output": [f"{number}_cal.fits"], "log": [str(log)]}
    return SimpleNamespace(event=Event.JOB_ERROR, msg="", jobid=number, **what)


def test_failures_are_told_once_and_forgotten_if_the_job_is_tried_again(tmp_path: Path):
    events = Events()
    for number, text in enumerate(("gather_source: bad\n", "gather_source: late\n", "")):
        log = tmp_path / f"{number}.log"
        log.write_text(text)
        assert events.hear(job_error(number, log))
    assert events.hear(SimpleNamespace(event=Event.JOB_FINISHED, msg="", job_id=1))
    assert events.hear(SimpleNamespace(event=Event.RUN_INFO, msg="", stats={"all": 1, "total": 2}))
    said = events.reasons()
    assert said[0] == "gather_source: bad"
    assert said[2].startswith("gather_source: ended without a word")
    assert set(said) == {0, 2}
    assert "all" in events.rules
    assert not events.interrupted


def test_jobs_that_were_interrupted_did_not_fail(tmp_path: Path):
    events = Events()
    logs = ("x: interrupted\n", "Traceback\nKeyboardInterrupt\n", "", "gather_source: bad\n")
    for number, text in enumerate(logs):
        log = tmp_path / f"{number}.log"
        log.write_text(text)
        events.hear(job_error(number, log))
    said = "Terminating processes on user request, this might take some time."
    events.hear(logging.makeLogRecord({"msg": said}))
    assert events.interrupted
    assert events.reasons() == {3: "gather_source: bad"}


def test_a_refusal_is_no_interruption():
    events = Events()
    events.refusals.append("exp_to_source: no such source")
    events.hear(logging.makeLogRecord({"msg": "Terminating processes on user request"}))
    assert not events.interrupted


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a remark\nlist_sources: written:\n- 61: two names\n- 62: three\n", 1),
        ("list_sources: a remark\nlist_sources: what is wrong\n", 1),
        ("Traceback (most recent call last):\n  x\nKeyError: 'y'\n", "r: KeyError: 'y' (see l)"),
        ("\n \n", "r: ended without a word, as killed jobs do; its log is l"),
    ],
)
def test_reasons_in_logs(text: str, reason: str | int):
    if isinstance(reason, int):
        reason = "".join(text.splitlines(keepends=True)[reason:]).rstrip()
    assert reason_in(text, "r", "l") == reason


def test_long_reasons_are_cut():
    text = "verify: damaged:\n" + "jw-x: y\n" * 100
    lines = reason_in(text, "verify", "logs/verify.log").splitlines()
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == f"and {101 - MAX_LINES} lines more in logs/verify.log"


def test_jobs_of_a_dry_run_are_counted_by_rule_and_reason():
    events = Events()
    assert events.plan() == []
    missing = "Missing output files: results/products/a; Input files updated by another job: b: c"
    for rule, reason in (("gather_source", missing), ("gather_source", missing), ("all", "")):
        events.hear(SimpleNamespace(event=Event.JOB_INFO, msg="", rule_name=rule, reason=reason))
    assert events.plan() == [
        "Jobs by reason:",
        "       2 gather_source: missing output files, input files updated by another job",
        "       1 all",
    ]
