"""Limits within which a test case must end, and random cases within them."""

import os
import random
import resource
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from exp_to_source.errors import InputError


class TooSlowError(BaseException):
    """Something took too long; nothing on the way catches this."""


@contextmanager
def limited_memory(more: int) -> Iterator[None]:
    """Bound the memory of the process to what it has by now, and so many bytes more."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + more, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


@contextmanager
def limited_time(seconds: float) -> Iterator[None]:
    """Raise `TooSlowError` in what takes longer."""

    def stop(*_: object) -> None:
        raise TooSlowError(seconds)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run_cases(
    count: int, case: Callable[[random.Random], str], seconds: float, memory: int = 4 << 30
) -> Counter[str]:
    """Run cases, each with random numbers of its own, within bounds; count their outcomes.

    The numbers are the same each time, unless FUZZ_SEED is set.
    """
    outcomes: Counter[str] = Counter()
    start = os.environ.get("FUZZ_SEED", "0")
    for number in range(count):
        try:
            with limited_memory(memory), limited_time(seconds):
                outcomes[case(random.Random(f"{start} {number}"))] += 1
        except Exception as error:
            error.add_note(f"in case {number}, FUZZ_SEED={start}")
            raise
    print(outcomes)
    return outcomes


def check_message(error: InputError, *names: str) -> str:
    """Check that an error is one sentence about one of these files."""
    text = str(error)
    assert "\n" not in text and any(name in text for name in names), text
    assert len(text) < 1000, text
    return "refused"
