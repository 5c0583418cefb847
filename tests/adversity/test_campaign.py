"""Damage exposures at random, regroup them, and have a judge compare the products with jwst's.

By default a few exposures of the mode that jwst opens fastest. EXP_TO_SOURCE_MUTANTS sets the
number of mutants of each mode and era, see README.md.
"""

import os
import random
import re
import shutil
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jwst_reference
import pytest
from adversity.judge import SHUT, Verdict, is_refused_in_vain, judge
from damage import MUTATORS, damage
from eras import DATA
from limits import TooSlowError, limited_memory, limited_time, run_cases
from subjects import Subject, real, simulated

from exp_to_source.errors import InputError, exit_on_user_error
from exp_to_source.simulate.modes import MODES
from exp_to_source.sources.families import DEFAULT_OPTIONS
from exp_to_source.tables import read_table
from exp_to_source.verify.opening import open_model

MUTANTS = os.environ.get("EXP_TO_SOURCE_MUTANTS")
SLITS = int(os.environ.get("EXP_TO_SOURCE_SLITS", "1"))
FOLDER = Path(os.environ.get("EXP_TO_SOURCE_DATA", DATA))

REAL = {path.parent.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*_cal.fits*")}
KINDS = [*(f"simulated {mode}" for mode in MODES), *sorted(REAL)] if MUTANTS else []

#: Bounds of what the project may take for one mutant, and of what the judge may take besides.
SECONDS, MEMORY = 60, 1 << 30
PATIENCE = 240

#: Share of mutants with unchanged products that are judged all the same.
SAMPLED = 0.1

#: What must never be.
FORBIDDEN = ("refused in vain", "differs silently", "opens nowhere", "over bounds")

#: Damage that is refused though jwst, which does not look at it, makes the product of a sound file:
#: see "Rejected exposures" in docs/reliability.md.
POLICY = re.compile(
    "damaged ASDF extension|has a damaged header|truncated|bytes without a header"
    "|(with|has) (other|different|several) (content|values)|twice in one place|the anchor .* twice"
    "|another description in the tree|in its header and .* in the tree"
)


class Made(NamedTuple):
    """What the project made: products, and its remarks; or its error."""

    products: list[Path]
    remarks: list[str]
    error: str = ""


def regroup(paths: list[Path], results: Path) -> Made:
    """Regroup exposures by the steps of the project."""
    shutil.rmtree(results, ignore_errors=True)
    try:
        with exit_on_user_error("regroup"):
            products = jwst_reference.regroup(paths, results, options=DEFAULT_OPTIONS)
    except SystemExit as error:
        return Made([], [], str(error))
    return Made(products, [row["remark"] for row in read_table(f"{results}/remarks.tsv")])


class Campaign:
    """Sound exposures of a kind, others that go with them, and a folder to work in."""

    def __init__(self, kind: str, subjects: list[Subject], folder: Path) -> None:
        self.subjects = [subject for subject in subjects if subject.kind == kind]
        self.others, self.folder = subjects, folder
        self.products_of_sound = cache(self._products_of_sound)

    def empty(self, name: str) -> Path:
        """Make a folder, or make it empty."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir()
        return self.folder / name

    def write(self, contents: dict[str, bytes]) -> list[Path]:
        """Write exposures to where they are regrouped, in the order of their names."""
        folder = self.empty("exposures")
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        return sorted(folder.iterdir())

    def _products_of_sound(self, *numbers: int) -> dict[str, bytes]:
        """Products of the exposures before they were damaged."""
        chosen = [self.others[number] for number in numbers]
        paths = self.write({one.name: one.parts.join(true_hash=True) for one in chosen})
        made = regroup(paths, self.folder / "results")
        return {path.name: path.read_bytes() for path in made.products}

    def run(self, rng: random.Random) -> str:
        """Damage an exposure, mostly alone, regroup it, have the result judged."""
        subject = rng.choice(self.subjects)
        chosen = [subject]
        contents = {subject.name: damage(rng, subject.parts, MUTATORS, 0.5)}
        others = [
            other
            for other in self.others
            if other.family == subject.family and other.name != subject.name
        ]
        if others and rng.random() < 0.2:
            chosen.append(rng.choice(others))
            sound = chosen[1].parts.join(true_hash=True)
            damaged = damage(rng, chosen[1].parts, MUTATORS, 0.5)
            contents[chosen[1].name] = rng.choice([sound, damaged])
        before = self.products_of_sound(*map(self.others.index, chosen))
        verdict = self.judge(rng, self.write(contents), before)
        print(f"{subject.kind}: {verdict.outcome}, {verdict.details}")
        assert verdict.outcome not in FORBIDDEN
        return verdict.outcome

    def judge(self, rng: random.Random, paths: list[Path], before: dict[str, bytes]) -> Verdict:
        """Regroup exposures and judge products, or the error."""
        try:
            with limited_memory(MEMORY), limited_time(SECONDS):
                made = regroup(paths, self.folder / "results")
        except TooSlowError:
            return Verdict("over bounds", [f"more than {SECONDS} s"])
        official = self.empty("official")
        products = {path.name: path.read_bytes() for path in made.products if path.exists()}
        changed = [
            path for path in made.products if products.get(path.name) != before.get(path.name)
        ]
        if "not enough memory" in made.error:
            return Verdict("over bounds", [made.error])
        unchanged = not (made.error or changed) and products.keys() == before.keys()
        if unchanged and rng.random() >= SAMPLED:
            return Verdict("equal, unchanged")
        try:
            # jwst may read a damaged file without end.
            with limited_time(PATIENCE):
                if made.error:
                    folder = self.empty("sound")
                    for name, content in before.items():
                        (folder / name).write_bytes(content)
                    if not is_refused_in_vain(paths, sorted(folder.iterdir()), official):
                        return Verdict("refused", [made.error])
                    reason = "by policy" if POLICY.search(made.error) else "in vain"
                    return Verdict(f"refused {reason}", [made.error])
                verdict = judge(paths, changed or made.products, official, made.remarks)
        except TooSlowError:
            return Verdict("refused" if made.error else "not judged", [made.error])
        if verdict.outcome == SHUT:
            reported = all(map(refused_by_verify, verdict.shut))
            verdict.outcome = "opens nowhere, verify says so" if reported else "opens nowhere"
        return verdict


def refused_by_verify(path: Path) -> bool:
    """Whether `verify` ends in an error about a product that cannot be opened."""
    try:
        open_model(str(path))
    except InputError:
        return True
    return False


#: The data models leave files open that they cannot read.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS or ["simulated miri-wfss"])
def test_no_mutant_differs_silently_or_opens_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    mode = kind.removeprefix("simulated ")
    if mode == kind:
        subjects = [one for one in real(FOLDER, SLITS) if one.family == Path(kind).name]
    else:
        subjects = simulated(tmp_path / "data", mode, SLITS)
    campaign = Campaign(kind, subjects, tmp_path)
    outcomes = run_cases(int(MUTANTS or 30), campaign.run, 2 * PATIENCE, 8 << 30)
    assert MUTANTS or outcomes.keys() >= {"refused", "equal"}
