"""Damage exposures at random, regroup them, and have a judge compare the products with jwst's.

    python tests/adversity/mutants.py --count 20000 --seed 1 --workers 2

Each mutant follows from the seed and its number alone. See README.md.
"""

import argparse
import json
import multiprocessing
import multiprocessing.connection
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "scripts")]

from judge import SHUT, is_refused_in_vain, judge  # noqa: E402
from limits import limited_memory, limited_time  # noqa: E402
from mutators import MUTATORS  # noqa: E402
from subjects import Subject, real, simulated  # noqa: E402

from exp_to_source.errors import InputError, exit_on_user_error  # noqa: E402
from exp_to_source.gather.product import gather_source  # noqa: E402
from exp_to_source.index.indexing import index_exposure  # noqa: E402
from exp_to_source.simulate.modes import MODES  # noqa: E402
from exp_to_source.sources.listing import list_sources  # noqa: E402
from exp_to_source.tables import read_sources  # noqa: E402
from exp_to_source.verify.opening import open_model  # noqa: E402

#: Bounds of what the project may take for one mutant, and of what the judge may take besides.
SECONDS, MEMORY = 60, 1 << 30
PATIENCE = 240

#: Mutants that one worker process makes; then another one begins, as jwst keeps memory.
LIFETIME = 400

#: Share of mutants with unchanged products that are judged all the same.
SAMPLED = 0.1

OUTCOMES = (
    "refused",
    "refused by policy",
    "refused in vain",
    "equal, unchanged",
    "equal",
    "differs with a remark",
    "jwst refuses, ours opens",
    "opens nowhere, with a remark",
    "differs silently",
    "opens nowhere",
    "opens nowhere, verify says so",
    "no sentence",
    "over bounds",
    "judge failed",
)

#: What needs no look.
HARMLESS = ("refused", "refused by policy", "equal, unchanged", "equal")

#: What must never be.
FORBIDDEN = ("refused in vain", "differs silently", "opens nowhere", "no sentence", "over bounds")

#: Damage that is refused though jwst, which does not look at it, makes the product of a sound file:
#: see "Rejected exposures" in docs/reliability.md.
POLICY = re.compile(
    "damaged ASDF extension|has a damaged header|truncated|bytes without a header"
    "|(with|has) (other|different|several) (content|values)|twice in one place|the anchor .* twice"
    "|another description in the tree|in its header and .* in the tree"
)


@dataclass
class Case:
    """A mutant, and what became of it."""

    number: int
    mutator: str = ""
    subject: str = ""
    true_hash: bool = True
    outcome: str = ""
    details: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0


@dataclass
class Regrouped:
    """What the project made: products by name, and its remarks; or its sentence."""

    products: dict[str, bytes] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    sentence: str = ""


class TooSlowError(BaseException):
    """The project took too long."""


def regroup(paths: list[Path], folder: Path) -> Regrouped:
    """Regroup exposures by the steps of the project: index, list, gather."""
    made = Regrouped()
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    table = str(results / "sources.tsv")
    try:
        with exit_on_user_error("mutants"):
            indices = []
            for path in paths:
                indices.append(str(results / "index" / f"{path.stem}.txt"))
                diagnostics = index_exposure(str(path), indices[-1])
                made.remarks += [remark.text for remark in diagnostics]
            made.remarks += list_sources(indices, table)
            for name in read_sources(table):
                product = results / "products" / f"{name}_cal.fits"
                manifest = str(results / "manifests" / f"{name}.txt")
                gather_source(manifest, str(product), str(results / "index"))
                made.products[product.name] = product.read_bytes()
    except SystemExit as error:
        made.sentence = str(error)
    return made


class Campaign:
    """What every mutant is made of."""

    def __init__(self, seed: int, subjects: list[Subject], folder: Path, only: list[str]) -> None:
        self.seed, self.subjects, self.folder = seed, subjects, folder
        self.mutators = only or list(MUTATORS)
        self.sound: dict[tuple[str, ...], dict[str, bytes]] = {}

    def make(self, number: int) -> tuple[Case, list[Subject], list[bytes], random.Random]:
        """Make a mutant: exposures of which the first is damaged, and mostly alone."""
        rng = random.Random(f"{self.seed} {number}")
        kinds = sorted({subject.kind for subject in self.subjects})
        kind = rng.choice(kinds)
        subject = rng.choice([subject for subject in self.subjects if subject.kind == kind])
        name = rng.choice(self.mutators)
        case = Case(number, name, subject.kind, rng.random() < 0.5)
        chosen, contents = [subject], [self.damage(rng, subject, name, case.true_hash)]
        if rng.random() < 0.2:
            others = [
                other
                for other in self.subjects
                if other.family == subject.family and other.name != subject.name
            ]
            if others:
                other = rng.choice(others)
                both = rng.random() < 0.5
                second = rng.choice(self.mutators) if both else ""
                content = other.parts.copy().join(true_hash=True)
                if both:
                    content = self.damage(rng, other, second, case.true_hash)
                chosen.append(other)
                contents.append(content)
                case.mutator = "pair"
                case.subject += f" {name} + {other.kind} {second or 'sound'}"
        return case, chosen, contents, rng

    @staticmethod
    def damage(rng: random.Random, subject: Subject, name: str, true_hash: bool) -> bytes:
        """Content of a damaged exposure."""
        parts = subject.parts.copy()
        MUTATORS[name](rng, parts)
        return parts.join(true_hash=true_hash, true_size=rng.random() < 0.9)

    def write(self, subjects: list[Subject], contents: list[bytes]) -> list[Path]:
        """Write exposures to where they are regrouped, in the order of their names."""
        folder = self.folder / "exposures"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for subject, content in zip(subjects, contents, strict=True):
            (folder / subject.name).write_bytes(content)
        return sorted(folder.iterdir())

    def products_of_sound(self, subjects: list[Subject]) -> dict[str, bytes]:
        """Products of the exposures before they were damaged."""
        key = tuple(f"{subject.kind} {subject.name}" for subject in subjects)
        if key not in self.sound:
            contents = [subject.parts.join(true_hash=True) for subject in subjects]
            self.sound[key] = regroup(self.write(subjects, contents), self.folder).products
        return self.sound[key]

    def would_be_equal(self, paths: list[Path], products: dict[str, bytes]) -> bool:
        """Whether jwst makes the products of the sound exposures of refused ones."""
        folder = self.folder / "sound"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in products.items():
            (folder / name).write_bytes(content)
        (folder / "official").mkdir()
        try:
            # jwst may read a damaged file without end.
            with limited_time(SECONDS, TooSlowError()):
                return is_refused_in_vain(paths, sorted(folder.glob("*.fits")), folder / "official")
        except TooSlowError:
            return False

    def run(self, number: int, keep: bool = False) -> Case:
        """Make a mutant, regroup it, have it judged."""
        case, subjects, contents, rng = self.make(number)
        before = self.products_of_sound(subjects)
        paths = self.write(subjects, contents)
        start = time.perf_counter()
        try:
            with limited_memory(MEMORY), limited_time(SECONDS, TooSlowError()):
                made = regroup(paths, self.folder)
        except TooSlowError:
            case.outcome, case.details = "over bounds", [f"more than {SECONDS} s"]
            return case
        except Exception:
            case.outcome, case.details = "no sentence", traceback.format_exc().splitlines()[-3:]
            return case
        finally:
            case.seconds = round(time.perf_counter() - start, 3)
        case.remarks = made.remarks
        if made.sentence:
            memory = "not enough memory" in made.sentence
            case.outcome = "over bounds" if memory else "refused"
            case.details = [made.sentence]
            if not memory and self.would_be_equal(paths, before):
                policy = POLICY.search(made.sentence)
                case.outcome = "refused by policy" if policy else "refused in vain"
            return case
        changed = [name for name, data in made.products.items() if before.get(name) != data]
        if not changed and made.products.keys() == before.keys() and rng.random() >= SAMPLED:
            case.outcome = "equal, unchanged"
            return case
        products = self.folder / "results" / "products"
        official = self.folder / "official"
        shutil.rmtree(official, ignore_errors=True)
        official.mkdir()
        try:
            verdict = judge(
                paths, [products / name for name in changed or before], official, made.remarks
            )
            case.outcome, case.details = verdict.outcome, verdict.details
        except Exception:
            case.outcome, case.details = "judge failed", traceback.format_exc().splitlines()[-4:]
        if case.outcome == SHUT:
            reported = all(map(refused_by_verify, verdict.shut))
            case.outcome = "opens nowhere, verify says so" if reported else "opens nowhere"
        return case


def refused_by_verify(path: Path) -> bool:
    """Whether `verify` ends in an error about a product that cannot be opened."""
    try:
        open_model(str(path))
    except InputError:
        return True
    return False


def work(campaign: Campaign, connection: Any, number: int) -> None:
    """Run the mutants whose numbers arrive, until there is none."""
    campaign.folder = campaign.folder / str(number)
    os.environ["SOURCE_DATE_EPOCH"] = "1"
    while (number := connection.recv()) is not None:
        connection.send(campaign.run(number))


@dataclass
class Worker:
    """A process that runs mutants, and what it is at."""

    process: Any
    connection: Any
    started: float = 0
    case: int | None = None
    done: int = 0


def run_all(campaign: Campaign, numbers: list[int], workers: int) -> Iterator[Case]:
    """Run mutants in processes, which are killed where they hang."""
    waiting = iter(numbers)
    running: list[Worker] = []
    begun = 0

    def begin() -> None:
        nonlocal begun
        begun += 1
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(
            target=work, args=(campaign, there, begun), daemon=True
        )
        process.start()
        there.close()
        running.append(Worker(process, here))
        hand_out(running[-1])

    def hand_out(worker: Worker) -> None:
        worker.case = next(waiting, None) if worker.done < LIFETIME else None
        worker.started = time.monotonic()
        worker.connection.send(worker.case)
        if worker.case is None:
            running.remove(worker)
            worker.process.join()
            if worker.done >= LIFETIME:
                begin()

    for _ in range(workers):
        begin()
    while running:
        ready = multiprocessing.connection.wait([w.connection for w in running], 5)
        for worker in list(running):
            lost = ""
            if worker.connection in ready:
                try:
                    yield worker.connection.recv()
                    worker.done += 1
                    hand_out(worker)
                except EOFError:
                    lost = "the process died"
            elif time.monotonic() - worker.started > PATIENCE:
                lost = f"more than {PATIENCE} s"
            if lost:
                worker.process.kill()
                worker.process.join()
                running.remove(worker)
                case = campaign.make(worker.case)[0]
                case.outcome, case.details = "over bounds", [lost]
                yield case
                begin()


def table(cases: list[Case]) -> str:
    """Counts of outcomes by mutator, as Markdown."""
    counts = Counter((case.mutator, case.outcome) for case in cases)
    columns = [outcome for outcome in OUTCOMES if any(case.outcome == outcome for case in cases)]
    columns += [word for word in FORBIDDEN if word not in columns]
    rows = [["mutator", *columns], ["---"] + ["---:"] * len(columns)]
    for mutator in sorted({case.mutator for case in cases}):
        rows.append([mutator, *(str(counts[mutator, word]) for word in columns)])
    totals = Counter(case.outcome for case in cases)
    rows.append([f"all {len(cases)}", *(str(totals[word]) for word in columns)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def read_cases(path: Path) -> dict[int, Case]:
    """Cases of a campaign that was interrupted, by number."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {case.number: case for case in (Case(**json.loads(line)) for line in lines)}


def findings(cases: list[Case]) -> str:
    """Kinds of what needs a look, the most frequent first, each with numbers to repeat it by."""
    kinds: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        if case.outcome not in HARMLESS:
            kinds.setdefault((case.outcome, signature(case)), []).append(case)
    text = []
    for (outcome, _), alike in sorted(kinds.items(), key=lambda kind: -len(kind[1])):
        first = min(alike, key=lambda case: len(str(case.details)))
        by = Counter(case.mutator for case in alike).most_common(4)
        text.append(
            f"## {outcome}: {len(alike)}\n"
            f"By {', '.join(f'{name} {count}' for name, count in by)}. "
            f"`--only {first.number}` ({first.mutator}, {first.subject}, "
            f"`_fits_hash` {'true' if first.true_hash else 'not'}); also "
            f"{', '.join(str(case.number) for case in alike[:6])}\n\n"
            + "".join(f"- {detail[:400]}\n" for detail in first.details[:4])
            + "".join(f"- remark: {remark[:200]}\n" for remark in first.remarks)
        )
    return "\n".join(text)


def signature(case: Case) -> str:
    """What findings of one kind have in common."""
    text = case.details[0] if case.details else ""
    if case.outcome == "differs silently":
        types = re.findall(r"\b(str|int|float|bool|NoneType) ", text) if text[:5] == "card " else []
        return " ".join([*text.split(" ")[:1], *types]) if types else text.split(":")[0]
    text = case.details[-1] if "refuses" in case.outcome else re.sub(r"^\S+: ", "", text)
    return re.sub(r"'[^']*'|[0-9]+|\{.*|\[.*", "", text)[:70]


def main() -> None:
    """Read the command line, run mutants, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--count", type=int, default=1000, help="number of mutants")
    add("--first", type=int, default=0, help="number of the first one")
    add("--seed", type=int, default=1)
    add("--workers", type=int, default=2)
    add("--mode", action="append", choices=list(MODES), help="simulated exposures of these alone")
    add("--slits", type=int, default=2, help="of an exposure; each costs the judge a second")
    add(
        "--data",
        type=Path,
        default=HERE.parent / "data",
        help="folder of real exposures, at any depth, compressed or not",
    )
    add("--mutator", action="append", default=[], choices=list(MUTATORS), help="these only")
    add("--only", type=int, metavar="N", help="run this mutant alone, and keep its files")
    add("--output", type=Path, default=Path("campaign"), help="where findings and table go")
    arguments = parser.parse_args()
    output = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mutants", dir=shared) as temporary:
        folder = Path(temporary)
        subjects = simulated(folder / "data", arguments.mode or MODES, arguments.slits)
        if not arguments.mode:
            subjects += real(arguments.data, arguments.slits)
        campaign = Campaign(arguments.seed, subjects, folder, arguments.mutator)
        if arguments.only is not None:
            campaign.folder = output / str(arguments.only)
            os.environ["SOURCE_DATE_EPOCH"] = "1"
            print(json.dumps(asdict(campaign.run(arguments.only)), indent=1))
            return
        path = output / "cases.jsonl"
        done = read_cases(path)
        numbers = range(arguments.first, arguments.first + arguments.count)
        left = [number for number in numbers if number not in done]
        with path.open("a") as file:
            for case in run_all(campaign, left, arguments.workers):
                done[case.number] = case
                file.write(json.dumps(asdict(case)) + "\n")
                file.flush()
                if len(done) % 50 == 0:
                    (output / "findings.md").write_text(findings([*done.values()]))
    cases = [*done.values()]
    (output / "findings.md").write_text(findings(cases))
    text = table(cases)
    (output / "table.md").write_text(text)
    print(text)
    sys.exit(any(case.outcome in FORBIDDEN for case in cases))


if __name__ == "__main__":
    main()
