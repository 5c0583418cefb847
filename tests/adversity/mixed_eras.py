"""Regroup exposures of each pair of eras, and have a judge compare the products with jwst's.

    python tests/adversity/mixed_eras.py --data FOLDER

Prints matrices of eras, as Markdown. See README.md.
"""

import argparse
import csv
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "scripts")]

import numpy as np  # noqa: E402
from eras import ERAS, MODES  # noqa: E402
from judge import judge, quiet  # noqa: E402
from jwst_reference import open_quietly  # noqa: E402
from snake import Workflow  # noqa: E402
from steps import regroup  # noqa: E402
from subjects import Subject, real  # noqa: E402
from tiny import value  # noqa: E402

#: Letter of each outcome that may be.
LETTERS = {
    "equal": "=",
    "equal under today's names": "b",
    "differs with a remark": "r",
    "refused": "s",
    "jwst refuses, ours opens": "j",
    "opens nowhere, nor does its exposure": "n",
}

#: Letters of what must never be, and of what was not tried.
WRONG, UNTRIED = "X", " "

#: Ways to regroup two exposures: by the steps of the project; by a run of the workflow; by one in
#: which a table joins two programs, of eras that have the same ids.
STEPS = "steps"
RUNS = {"workflow": ("1.8.2", "3.0.0"), "joined": ("1.16.1", "3.0.0")}

#: What the second exposure is changed to be where programs are joined; names of sources stay, as
#: jwst groups by them.
PROGRAM = {r"\bjw10006": "jw10007", r"(PROGRAM = '|program_number: ')10006\b": r"\g<1>10007"}

#: What background slitlets of before jwst 1.15 are called since.
TODAYS_NAMES = {
    r"'background_(\d+)'": r"'10006_BKG\1'  ",
    r"source_name: background_": "source_name: 10006_BKG",
}

#: Difference that the judge finds in a product of both names.
OTHER_NAMES = re.compile(r"entries: [^/]*\bbackground_\d+ [^/]*/")


@dataclass
class Case:
    """Two exposures that were regrouped, and what became of them."""

    way: str
    mode: str
    first: str
    second: str
    outcome: str = ""
    products: int = 0
    details: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from others."""
        return self.way, self.mode, self.first, self.second

    @property
    def letter(self) -> str:
        """Letter of its outcome."""
        return LETTERS.get(self.outcome, WRONG)


class Trial:
    """What all cases are tried with: exposures by mode and era, and a folder."""

    def __init__(self, subjects: list[Subject], folder: Path) -> None:
        self.folder = folder
        self.subjects: dict[tuple[str, str], list[Subject]] = {}
        for subject in subjects:
            era, mode = ("", *subject.kind.split("/"))[-2:]
            self.subjects.setdefault((mode, era), []).append(subject)

    def run(self, case: Case) -> None:
        """Try a case."""
        # Where an era has two exposures, the one is the first, the other the second of a pair.
        pair = (self.subjects[case.mode, case.first][0], self.subjects[case.mode, case.second][-1])
        slits = sum(
            value(cards, "EXTNAME") == "SCI" for subject in pair for cards, _ in subject.parts.hdus
        )
        paths = self.write(pair, PROGRAM if case.way == "joined" else {})
        products, remarks = self.regroup(case, paths)
        if case.outcome:
            return
        case.products = len(products)
        self.judge(case, paths, products, remarks)
        if case.details and all(OTHER_NAMES.match(d) for d in case.details):
            # For jwst background slitlets are two sources, under the two names of one.
            paths = self.write(pair, TODAYS_NAMES)
            self.judge(case, paths, *self.regroup(case, paths))
            case.outcome = case.outcome.replace("equal", "equal under today's names")
        if case.letter not in "jn" and (found := list(faults(products, slits))):
            case.outcome, case.details = "faulty", found + case.details

    def write(self, pair: tuple[Subject, Subject], changes: dict[str, str]) -> list[Path]:
        """Write exposures of which header, tree and name say that they are two of one observation.

        Changes are made to the second, but for those of names.
        """
        folder = self.empty("exposures")
        paths = []
        for number, subject in enumerate(pair, 1):
            here = {r"(?<=\d_)\d{5}(?=_\w+_cal\.fits)": f"{number:05}"}
            here |= changes if number == 2 or changes is TODAYS_NAMES else {}
            parts = subject.parts.copy()
            parts.lines = [replaced(line, here) for line in parts.lines]
            parts.hdus = [
                ([replaced(card.decode("latin-1"), here).encode("latin-1") for card in cards], data)
                for cards, data in parts.hdus
            ]
            paths.append(folder / replaced(subject.name, here))
            paths[-1].write_bytes(parts.join(true_hash=True))
        return paths

    def empty(self, name: str) -> Path:
        """Make a folder, or make it empty."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir(parents=True)
        return self.folder / name

    def regroup(self, case: Case, paths: list[Path]) -> tuple[list[Path], list[str]]:
        """Write products; return them with the diagnostics."""
        if case.way != STEPS:
            return self.run_workflow(case, paths), []
        made = regroup(paths, self.folder / "results")
        if made.error:
            case.outcome, case.details = "refused", [made.error]
        return made.products, made.remarks

    def run_workflow(self, case: Case, paths: list[Path]) -> list[Path]:
        """Make products, verdicts, report and quick looks by a run, which has to succeed."""
        folder = self.empty("work")
        work = Workflow(folder, {"exposures": str(paths[0].parent)})
        if case.way == "joined":
            work.make("sources")
            ids = {f"{row['class']}{row['source_id'].lstrip('-')}": None for row in work.sources}
            lines = [f"{source}\t{source}\n" for source in ids]
            (folder / "joins.tsv").write_text("source_id\ttarget\n" + "".join(lines))
            work.config["joins"] = "joins.tsv"
        result = work.run("verify", "report", "quicklook")
        if result.status:
            case.outcome, case.details = "failed", result.text.splitlines()[-5:]
            return []
        results = folder / "results"
        with (results / "verify.tsv").open(newline="") as file:
            statuses = {
                row["product"]: row["status"] for row in csv.DictReader(file, delimiter="\t")
            }
        wrong = [f"{name}: {status}" for name, status in statuses.items() if status != "sound"]
        names = [row["product"] for row in work.sources]
        wrong += [f"no status of {name}" for name in names if name not in statuses]
        looks = [results / "quicklook" / f"{name}.png" for name in names]
        wrong += [
            f"no {path.name}" for path in (*looks, results / "report.html") if not path.exists()
        ]
        if case.way == "joined":
            wrong += [f"{row['product']}: not joined" for row in work.sources if not row["joined"]]
        if wrong:
            case.outcome, case.details = "faulty", wrong
        return [results / "products" / f"{name}_cal.fits" for name in names]

    def judge(
        self, case: Case, paths: list[Path], products: list[Path], remarks: list[str]
    ) -> None:
        """Compare products with those of jwst."""
        verdict = judge(paths, products, self.empty("official"), remarks)
        case.outcome, case.details = verdict.outcome, verdict.details


def replaced(text: str, changes: dict[str, str]) -> str:
    """Text in which patterns are replaced."""
    for pattern, new in changes.items():
        text = re.sub(pattern, new, text)
    return text


def faults(products: list[Path], slits: int) -> Iterator[str]:
    """Find which products do not open, or have no WCS that works; and whether slits are missing."""
    entries = 0
    for path in products:
        try:
            with quiet(), open_quietly(path) as model:
                for number, entry in enumerate(model.exposures):
                    entries += 1
                    # Grism exposures of 1.8.2 have no WCS; that theirs is missing the judge tells.
                    if not entry.meta.hasattr("wcs"):
                        continue
                    rows, columns = entry.data.shape
                    if not np.isfinite(entry.meta.wcs(columns / 2, rows / 2)).any():
                        yield f"{path.name}: the WCS of entry {number} gives no number"
        except Exception as error:
            yield f"{path.name}: {error!r}"
    if entries != slits:
        yield f"{entries} entries of {slits} slits"


def cases_of(trial: Trial, ways: list[str]) -> Iterator[Case]:
    """All cases of these ways."""
    for way in ways:
        for mode in MODES[::-1]:
            eras = [era for era in ERAS if (mode, era) in trial.subjects]
            pairs = [RUNS[way]] if way in RUNS else [(a, b) for a in eras for b in eras]
            for first, second in pairs:
                if {first, second} <= {*eras}:
                    yield Case(way, mode, first, second)


def matrices(cases: list[Case]) -> str:
    """Letters of outcomes by era and mode, and counts, as Markdown."""
    found = {case.key: case for case in cases}
    text = ["First exposure of a pair: rows; second: columns.\n"]
    for mode in dict.fromkeys(case.mode for case in cases if case.way == STEPS):
        firsts = {case.first for case in cases if (case.way, case.mode) == (STEPS, mode)}
        eras = [era for era in ERAS if era in firsts]
        text += [f"\n| {mode} | {' | '.join(eras)} |\n", f"| --- {'| :-: ' * len(eras)}|\n"]
        for first in eras:
            row = [found.get((STEPS, mode, first, second)) for second in eras]
            letters = " | ".join(case.letter if case else UNTRIED for case in row)
            text.append(f"| {first} | {letters} |\n")
    text += [
        "\n| way | mode | cases | products | outcomes |\n",
        "| --- | --- | ---: | ---: | --- |\n",
    ]
    for way, mode in dict.fromkeys((case.way, case.mode) for case in cases):
        alike = [case for case in cases if (case.way, case.mode) == (way, mode)]
        counts = Counter(f"{case.outcome} ({case.letter})" for case in alike)
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        products = sum(case.products for case in alike)
        text.append(f"| {way} | {mode} | {len(alike)} | {products} | {outcomes} |\n")
    for case in cases:
        if case.details:
            text.append(f"\n- {' '.join(case.key)}: {case.details[0][:400]}")
    return "".join(text)


def main() -> None:
    """Read the command line, try all cases, print the matrices."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        default=HERE.parent / "data",
        help="folder of exposures, <era>/<mode>/*_cal.fits at any depth, compressed or not",
    )
    add("--slits", type=int, default=2, help="of an exposure; each costs the judge a second")
    add("--way", action="append", choices=[*RUNS, STEPS], help="these only")
    add("--output", type=Path, default=Path("mixed_eras"), help="where cases and matrices go")
    arguments = parser.parse_args()
    os.environ["SOURCE_DATE_EPOCH"] = "1"
    output = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    path = output / "cases.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    done = {case.key: case for case in (Case(**json.loads(line)) for line in lines)}
    with tempfile.TemporaryDirectory(prefix="eras") as temporary, path.open("a") as file:
        trial = Trial(real(arguments.data, arguments.slits), Path(temporary))
        for case in cases_of(trial, arguments.way or [*RUNS, STEPS]):
            if case.key not in done:
                trial.run(case)
                done[case.key] = case
                file.write(json.dumps(asdict(case)) + "\n")
                file.flush()
    text = matrices([*done.values()])
    (output / "matrices.md").write_text(text)
    print(text)
    sys.exit(any(case.letter == WRONG for case in done.values()))


if __name__ == "__main__":
    main()
