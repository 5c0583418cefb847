"""The steps of the project, and random cases of them within bounds."""

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from limits import limited_memory, limited_time

from exp_to_source.errors import InputError, exit_on_user_error
from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure
from exp_to_source.sources.listing import list_sources
from exp_to_source.tables import read_sources


class TooSlowError(BaseException):
    """Something took too long; nothing on the way catches this."""


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
            with limited_memory(memory), limited_time(seconds, TooSlowError(seconds)):
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


@dataclass
class Regrouped:
    """What the project made: products, and its remarks; or its error."""

    products: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    error: str = ""


def regroup(paths: list[Path], results: Path) -> Regrouped:
    """Regroup exposures by the steps of the project: index, list, gather."""
    made = Regrouped()
    shutil.rmtree(results, ignore_errors=True)
    table = str(results / "sources.tsv")
    try:
        with exit_on_user_error("regroup"):
            indices = [str(results / "index" / f"{path.stem}.txt") for path in paths]
            for path, index in zip(paths, indices, strict=True):
                made.remarks += [remark.text for remark in index_exposure(str(path), index)]
            made.remarks += list_sources(indices, table)
            for name in read_sources(table):
                made.products.append(results / "products" / f"{name}_cal.fits")
                manifest = str(results / "manifests" / f"{name}.txt")
                gather_source(manifest, str(made.products[-1]), str(results / "index"))
    except SystemExit as error:
        made.error = str(error)
    return made
