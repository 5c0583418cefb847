"""What the hooks of a run do: check the folder, watch signals, report how it ended."""

import atexit
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from threading import Thread
from typing import Any, NoReturn

from .. import FORMAT, __version__
from .. import results as names
from ..errors import PROGRAM, InputError
from ..failures import failed_files, forget_failures, read_failures, remove_failed_files
from ..files import check_writable, date_now, file_state, remove_temporary_files, write_file
from .inputs import count_files
from .resolve import Run
from .summary import (
    COMPLETE,
    FAILED,
    INTERRUPTED,
    RunSummary,
    file_states,
    format_summary,
    requested_targets,
    summarize,
)

#: Rules whose jobs may be killed, and what they make; their logs have the same names.
OUTPUTS: dict[str, Callable[[str, str], str]] = {
    "fetch_exposure": names.fetched_path,
    "prepare_exposure": names.prepared_path,
    "index_exposure": names.index_path,
    "gather_source": names.product_path,
    "draw_quicklook": names.quicklook_path,
    "extract_spectrum": lambda results, name: names.spectrum_path(results, name, "x1d"),
}

KILLED = "ended without a message: killed (memory, time limit, scancel), or as Snakemake says above"


class Session:
    """One run of Snakemake, in a folder of results, from the start of its first job to its end."""

    def __init__(self, results: str) -> None:
        self.results = results = os.path.abspath(results)
        self.logs = os.path.join(os.path.dirname(results), "logs")
        self.errors: list[str] = []
        self.is_running = self.is_interrupted = False

    def start(self) -> None:
        """Check the folder of the results, and remove what killed runs left.

        This run now has the lock of the folder: no other run is active in it.
        """
        check_writable(self.results)
        # Snakemake would remove a product there, and fail with a traceback.
        if os.path.isdir(products := f"{self.results}/{names.PRODUCTS}"):
            check_writable(products)
        remove_temporary_files(self.results)
        forget_failures(self.results)
        self.time = time.time()
        self.states = file_states(self.results)
        self.log_states = dict(self._logs())
        self.is_running = True
        for number in (signal.SIGINT, signal.SIGTERM):
            self._watch(number)

    def _watch(self, number: signal.Signals) -> None:
        """Note a signal that ends the run, before its present handler handles it."""
        handler = signal.getsignal(number)
        if not callable(handler):
            return

        def interrupt(*arguments: Any) -> None:
            self.is_interrupted = True
            if number == signal.SIGTERM:
                # Snakemake's handler takes a lock, and waits for ever if the signal interrupted the
                # thread that has it (docs/explanation/upstream.md).
                Thread(target=handler, args=arguments).start()
            else:
                handler(*arguments)

        signal.signal(number, interrupt)

    def fail(self, message: str) -> NoReturn:
        """End the run; Snakemake does not report an exit after its start: `end` does."""
        message = f"{PROGRAM}: {message}"
        if self.is_running:
            self.errors.append(message)
        else:
            print(message, file=sys.stderr)
        sys.exit(1)

    def end(
        self, failed: bool, run: Run, config: Mapping[str, Any], defaults: Mapping[str, Any]
    ) -> bool:
        """Report how the run ended, and keep it in ``summary.json``.

        `failed` is whether a job failed, `defaults` are the settings of the shipped file. Return
        whether anything failed, though perhaps no job did (see `failures`).
        """
        lost = [*failed_files(self.results)]
        remove_failed_files(self.results)
        # Jobs with a message first, as only some reasons are printed.
        jobs = sorted(self._failed_jobs(), key=lambda job: KILLED in job[0]) if failed else []
        lost += [path for _, path in jobs if path]
        # Last, as tables of spectra fail for them.
        recorded = read_failures(self.results)
        reasons = [*(reason for reason, _ in jobs), *recorded, *self.errors]
        ended = FAILED if failed or reasons else COMPLETE
        if self.is_interrupted and not self.errors:
            ended = INTERRUPTED
        summary = summarize(
            RunSummary(
                self.results,
                requested_targets(sys.argv[1:]),
                ended,
                list(dict.fromkeys(reasons)),
                time.time() - self.time,
            ),
            self.states,
            {*lost},
            run.has_these_settings(),
            config["spec3_classes"],
        )
        notes = count_files(run.items, self.results)
        changed = {key: value for key, value in config.items() if value != defaults[key]}
        try:
            self._write(summary, changed)
        except (InputError, OSError) as error:
            # Such as a full disk, which is among the reasons, too.
            notes.append(f"{self.results}/{names.SUMMARY} could not be written: {error}")
        # After what Snakemake prints at its end.
        atexit.register(print, "\n".join(format_summary(summary, notes)), file=sys.stderr)
        return ended != COMPLETE

    def _write(self, summary: RunSummary, settings: Mapping[str, Any]) -> None:
        content = summary._asdict() | {
            "seconds": round(summary.seconds, 3),
            "date": date_now(),
            "quicklooks": summary.quicklooks._asdict(),
            "spectra": summary.spectra._asdict(),
            "settings": settings,
            "versions": {
                "exp_to_source": __version__,
                "format": FORMAT,
                "snakemake": version("snakemake"),
                "python": platform.python_version(),
            },
        }
        text = f"{json.dumps(content, indent=1, default=str)}\n"
        write_file(os.path.join(summary.results, names.SUMMARY), text.encode())

    def _logs(self) -> Iterator[tuple[str, Any]]:
        """Yield the path and state of each log of a job."""
        for folder, _, files in os.walk(self.logs):
            paths = (os.path.join(folder, file) for file in files)
            yield from ((path, file_state(path)) for path in paths)

    def _failed_jobs(self) -> Iterator[tuple[str, str]]:
        """Yield why each job of this run failed, and the file that it did not make, if known."""
        for path, state in self._logs():
            if state == self.log_states.get(path):
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read().split("\n")
            last = next((line for line in reversed(lines) if line), "")
            rule, name = os.path.split(os.path.relpath(path, self.logs))
            output = OUTPUTS[rule](self.results, name[:-4]) if rule in OUTPUTS else ""
            is_lost = bool(output) and not os.path.exists(output)
            starts = [n for n, line in enumerate(lines) if line.startswith(PROGRAM)]
            if self.is_interrupted and last.endswith(": interrupted"):
                continue
            if starts:
                yield "\n".join(lines[starts[-1] :]).rstrip("\n"), output
            elif any(line.startswith("Traceback (most") for line in lines):
                yield f"{path}: {last}", output
            elif is_lost and not self.is_interrupted:
                yield f"{path}: the job {KILLED}", output
