"""What the log of Snakemake says of a run, event by event: what was asked for, what failed."""

import re
from collections import Counter
from typing import Any, NamedTuple

#: How Snakemake says that it ends before its time: Ctrl-C, or a signal that asks for it.
INTERRUPTED = ("Terminating processes on user request", "Will exit after finishing currently")

#: Longest reason, in lines: it may have a line for each product.
MAX_LINES = 30

#: The sentence that a script ends with begins with its name.
_SENTENCE = re.compile(r"[a-z][a-z0-9_]*: ")

#: The kinds of reason for which a job runs, each followed by its files.
_KINDS = re.compile(r"(?:^|; )([A-Z][^:;]*)")

#: What the log of a job ends with that was interrupted from the keyboard.
_STOPPED = re.compile(r"KeyboardInterrupt|[a-z][a-z0-9_]*: interrupted\b.*")


class Failure(NamedTuple):
    """A job that failed.

    Attributes
    ----------
    rule : str
        Its rule.
    outputs : tuple of str
        Files that it did not make.
    log : str
        Path of its log.
    """

    rule: str
    outputs: tuple[str, ...]
    log: str


class Events:
    """Collects what a run tells, whatever of it is printed.

    Attributes
    ----------
    rules : set of str
        Rules of its jobs, as far as these are known at its start.
    failures : dict of Failure
        Jobs that failed, by their number.
    refusals : list of str
        Sentences about what was asked for and cannot be.
    is_local : bool
        Whether jobs run where Snakemake does, on its cores.
    is_running : bool
        Whether jobs are being run: how they ended is told at the end.
    """

    def __init__(self) -> None:
        self.rules: set[str] = set()
        self.failures: dict[int, Failure] = {}
        self.refusals: list[str] = []
        self.is_running = False
        self.is_local = False
        self._planned: Counter[tuple[str, str]] = Counter()
        self._was_told_to_end = False

    @property
    def interrupted(self) -> bool:
        """Whether the run was interrupted; Snakemake takes a refusal for an interrupt."""
        return self._was_told_to_end and not self.refusals

    def hear(self, record: Any) -> bool:
        """Note a record of the log; true, so that it may be a filter that leaves all through."""
        event = getattr(getattr(record, "event", None), "name", "")
        if event == "RUN_INFO":
            self.rules.update(record.stats)
        elif event == "RESOURCES_INFO":
            self.is_local = self.is_local or getattr(record, "cores", None) is not None
        elif event == "JOB_INFO" and not self.is_running:
            why = ", ".join(_KINDS.findall(record.reason or "")).lower()
            self._planned[record.rule_name, why] += 1
        elif event == "JOB_ERROR":
            log = record.log[0] if record.log else ""
            self.failures[record.jobid] = Failure(record.rule_name, tuple(record.output), log)
        elif event == "JOB_FINISHED":
            # It may have been tried again.
            self.failures.pop(record.job_id, None)
        elif str(record.msg).startswith(INTERRUPTED):
            self._was_told_to_end = True
        return True

    def plan(self) -> list[str]:
        """Say how many jobs of each rule would run, and why: a line for each reason."""
        if not self._planned:
            return []
        lines = [
            f"{count:8} {rule}: {why}" if why else f"{count:8} {rule}"
            for (rule, why), count in self._planned.most_common()
        ]
        return ["Jobs by reason:", *lines]

    def reasons(self) -> dict[int, str]:
        """Return the sentence for each job that failed, but was not interrupted."""
        said = {}
        for number, failure in self.failures.items():
            text = _read(failure.log)
            # An interrupt from the keyboard also reaches jobs, which may not have begun to write.
            if text.strip() or not self.interrupted:
                said[number] = reason_in(text, failure.rule, failure.log)
        return {number: reason for number, reason in said.items() if reason}


def reason_in(text: str, rule: str, log: str) -> str:
    """Find the sentence that says why a job failed in its log.

    Parameters
    ----------
    text : str
        Content of the log.
    rule : str
        Rule of the job.
    log : str
        Path of the log.

    Returns
    -------
    str
        The sentence, with its lists; or the last line with the path of the log. Empty if the job
        was interrupted.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return f"{rule}: ended without a word, as killed jobs do; its log is {log or 'missing'}"
    if _STOPPED.fullmatch(lines[-1]):
        return ""
    begin = max((n for n, line in enumerate(lines) if _SENTENCE.match(line)), default=None)
    if begin is None:
        return f"{rule}: {lines[-1].strip()} (see {log})"
    sentence = lines[begin:]
    if len(sentence) > MAX_LINES:
        sentence[MAX_LINES:] = [f"and {len(sentence) - MAX_LINES} lines more in {log}"]
    return "\n".join(sentence)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
