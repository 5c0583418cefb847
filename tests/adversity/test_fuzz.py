"""Random damage ends in one sentence, or does no harm.

Each case damages an exposure, an index, a manifest or a product. It must end in an `InputError`, or
in products that are right by the judgement of `tiny`, which shares no code with the library, or in
a verdict of `verify`; within `SECONDS` and `MEMORY`. For a longer run, or others, by hand::

    FUZZ_CASES=200000 FUZZ_SEED=1 pytest tests/adversity/test_fuzz.py
"""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from damage import MUTATORS, PARTS, cut, damage, damage_bytes
from limits import check_message, run_cases
from tiny import Parts, judge, split, write_tiny

from exp_to_source.errors import InputError
from exp_to_source.formats.manifests import read_manifest
from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure
from exp_to_source.naming import is_product_name
from exp_to_source.sources.families import GroupingOptions, read_exposures
from exp_to_source.sources.listing import list_sources
from exp_to_source.sources.products import Product, manifest
from exp_to_source.tables import read_sources
from exp_to_source.verify.fingerprints import fingerprint_exposure
from exp_to_source.verify.products import Verifier
from exp_to_source.verify.verdicts import check_completeness, read_slits

CASES = int(os.environ.get("FUZZ_CASES", "1000"))

#: Bounds of one case.
SECONDS, MEMORY = 5, 400 << 20

NAME = "jw00009001001_03101_00001_nrs1_cal"

#: The data models leave files open that they cannot read.
LEFT_OPEN = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Trial:
    """A sound exposure, and the files that it is regrouped by."""

    def __init__(self, folder: Path) -> None:
        self.path, self.index = folder / f"{NAME}.fits", folder / f"{NAME}.txt"
        self.request, self.product = folder / "x.txt", folder / "products" / "product_cal.fits"
        self.content = write_tiny(self.path)
        self.parts = split(self.content)

    def damage(self, rng: random.Random) -> bytes:
        """Damage bytes of the exposure, or a part of it."""
        if rng.random() < 0.2:
            return damage_bytes(rng, self.content)
        return damage(rng, self.parts, MUTATORS)

    def list_names(self) -> list[str]:
        """List the names of the products of the exposure."""
        table = str(self.path.parent / "results" / "sources.tsv")
        list_sources([str(self.index)], table)
        return list(read_sources(table))

    def write_manifest(self, turned: bool = False) -> None:
        """Write the manifest of a product of all slits."""
        (exposure,) = read_exposures([str(self.index)], GroupingOptions())
        slits = exposure.slits[::-1] if turned else exposure.slits
        self.request.write_bytes(manifest(Product("x", 1, "s", None, slits)))

    def gather(self) -> None:
        gather_source(str(self.request), str(self.product), str(self.index.parent))

    def regroup(self, content: bytes) -> str:
        """Regroup an exposure with this content, and judge the result."""
        self.path.write_bytes(content)
        self.index.unlink(missing_ok=True)
        try:
            index_exposure(str(self.path), str(self.index))
        except InputError as error:
            assert not self.index.exists()
            return check_message(error, str(self.path))
        try:
            assert all(map(is_product_name, self.list_names()))
            self.write_manifest(turned=True)
        except InputError as error:
            # Conflicts between sources are listed one a line.
            assert NAME in str(error)
            return "refused by the source list"
        self.gather()
        numbers = reversed(range(len(read_manifest(str(self.request)).slits)))
        judge(self.product, [(self.path.name, content, number) for number in numbers])
        return "right"

    def gather_again(self, expected: bytes, changed: Path) -> str:
        """Gather after a file changed: the product is as before, or there is none."""
        self.product.unlink(missing_ok=True)
        try:
            self.gather()
        except InputError as error:
            assert list(self.product.parent.iterdir()) == []
            return check_message(error, str(changed), str(self.index))
        assert self.product.read_bytes() == expected
        return "right"

    def verify(self) -> str:
        """Fingerprint the exposure, verify its product, return the status."""
        fingerprints = self.path.parent / "fingerprints" / f"{NAME}.jsonl"
        try:
            fingerprint_exposure(str(self.path), str(fingerprints))
        except InputError as error:
            return check_message(error, str(self.path))
        (verdict,) = Verifier(str(fingerprints.parent)).verify(str(self.product))
        sizes = {verdict.product: len(verdict.slits)}
        checked, *_ = check_completeness([verdict], [read_slits(str(fingerprints))], [], sizes)
        assert "\n" not in checked.to_row()["verdict"]
        return checked.status


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """A trial in memory, where the machine has such a folder."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="fuzz", dir=parent))
    yield Trial(folder)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("kind", "share"),
    [("bytes", 0.2), ("cut", 0.1), ("cards", 0.15), ("hdus", 0.1), ("tree", 0.2), ("blocks", 0.05)],
)
def test_damaged_exposures(trial: Trial, kind: str, share: float):
    assert trial.parts.join(true_hash=True) == trial.content

    def case(rng: random.Random) -> str:
        if kind in PARTS:
            return trial.regroup(damage(rng, trial.parts, PARTS[kind]))
        return trial.regroup({"bytes": damage_bytes, "cut": cut}[kind](rng, trial.content))

    outcomes = run_cases(int(CASES * share), case, SECONDS, MEMORY)
    assert outcomes["right"] and outcomes["refused"]


@pytest.fixture
def gathered(trial: Trial) -> Callable[[Path], str]:
    """Function that gathers again after a file changed, once a sound product was gathered."""
    index_exposure(str(trial.path), str(trial.index))
    trial.write_manifest()
    trial.gather()
    judge(trial.product, [(trial.path.name, trial.content, number) for number in (0, 1)])
    expected = trial.product.read_bytes()
    return lambda changed: trial.gather_again(expected, changed)


def test_exposures_that_change_between_index_and_gather(
    trial: Trial, gathered: Callable[[Path], str]
):
    def case(rng: random.Random) -> str:
        damaged = rng.choice([damage_bytes, damage_bytes, cut])(rng, trial.content)
        trial.path.write_bytes(damaged)
        if rng.random() < 0.02:
            trial.path.unlink()
        return gathered(trial.path)

    outcomes = run_cases(CASES // 4, case, SECONDS, MEMORY)
    assert outcomes["right"] and outcomes["refused"]


@pytest.mark.parametrize("kind", ["index", "manifest"])
def test_damaged_indices_and_manifests(trial: Trial, gathered: Callable[[Path], str], kind: str):
    path = trial.index if kind == "index" else trial.request
    sound, names = path.read_bytes(), trial.list_names()

    def case(rng: random.Random) -> str:
        path.write_bytes(damage_rows(rng, sound))
        outcome = gathered(path)
        if kind == "index":
            try:
                assert trial.list_names() == names
            except InputError as error:
                check_message(error, str(path))
        return outcome

    assert run_cases(CASES // 5, case, SECONDS, MEMORY)["refused"]


def damage_rows(rng: random.Random, sound: bytes) -> bytes:
    """Flip bits of rows, cut or exchange rows, or change a field; the checksum stays."""
    data = bytearray(sound)
    lines = sound.splitlines(keepends=True)
    number = rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            return sound[: rng.randrange(len(sound))]
        case 1:
            other = rng.choice(lines)
            changes = [b"", other, lines[number] * 2, b"\t" * 60000, b"\n", b"seal\n"]
            lines[number] = rng.choice(changes)
            return b"".join(lines)
        case 2:
            # Most often in one of the first rows, which say where everything is.
            number = rng.choice([0, rng.randrange(min(len(lines), 30)), number])
            fields = lines[number].rstrip(b"\n").split(b"\t")
            values = [b"", b"0", b"-1", b"1" + b"0" * 18, b"9" * 5000, b"x", b"\\", b"\xff"]
            fields[rng.randrange(len(fields))] = rng.choice(values)
            lines[number] = b"\t".join(fields) + b"\n"
            return b"".join(lines)
    for _ in range(rng.choice([1, 1, 2, 8])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


@LEFT_OPEN
def test_damaged_products_of_two_sources(trial: Trial):
    assert trial.regroup(trial.content) == "right"
    sound = trial.product.read_bytes()
    parts: Parts = split(sound)

    def case(rng: random.Random) -> str:
        damaged = [damage_bytes(rng, sound), damage(rng, parts, MUTATORS)]
        trial.product.write_bytes(rng.choice(damaged))
        return trial.verify()

    assert run_cases(CASES // 125, case, SECONDS).keys() == {"damaged"}


@LEFT_OPEN
def test_products_of_damaged_exposures(trial: Trial):
    def case(rng: random.Random) -> str:
        outcome = trial.regroup(trial.damage(rng))
        return trial.verify() if outcome == "right" else "not made"

    outcomes = run_cases(CASES // 60, case, SECONDS)
    assert outcomes["not made"] and outcomes["damaged"]
