"""Reports on the progress of a run."""

import time
from collections.abc import Callable, Sequence

#: Seconds to the first line, growth factor of the pause, and the longest pause.
FIRST, GROWTH, LONGEST = 5.0, 1.5, 60.0

#: Failures that are told at once.
MAX_FAILURES = 10

UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "bytes"))


class Progress:
    """Counts jobs, and returns a line at growing intervals, so that logs stay short.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.pause = FIRST
        self.said = self.since = clock()
        self.before = self.total = self.failures = 0

    def step(self, done: int, total: int) -> str:
        """Count a finished job.

        Parameters
        ----------
        done, total : int
            Number of jobs that are finished, and of all.

        Returns
        -------
        str
            The line to print, empty if it is too early.
        """
        now = self.clock()
        if total != self.total:
            # Jobs of another kind were added: the rate measured before does not apply to them.
            self.total, self.before, self.since = total, done, now
        if now - self.said < self.pause or done in (self.before, total):
            return ""
        self.said = now
        self.pause = min(self.pause * GROWTH, LONGEST)
        rate = (done - self.before) / (now - self.since)
        left = format_time((total - done) / rate)
        return f"{done} of {total} jobs done, {rate:.3g} a second, about {left} left"

    def failure(self, rule: str, logs: Sequence[str]) -> str:
        """Count a job that failed.

        Parameters
        ----------
        rule : str
            Its rule.
        logs : sequence of str
            Paths of its logs.

        Returns
        -------
        str
            The line to print, empty if many have failed before.
        """
        self.failures += 1
        if self.failures > MAX_FAILURES:
            return ""
        others = "; further failures are told at the end" * (self.failures == MAX_FAILURES)
        return f"failed: {rule}, see {', '.join(logs) or 'the log of the run'}{others}"


def format_time(seconds: float) -> str:
    """Format a time as ``2 min 5 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if whole >= 10 else f"{seconds:.1f} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def format_size(size: int) -> str:
    """Format a size in bytes as ``2.4 MB``."""
    factor, unit = next((f, u) for f, u in UNITS if size >= f or f == 1)
    return f"{size / factor:.1f} {unit}" if factor > 1 else f"{size} bytes"
