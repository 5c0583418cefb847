"""Random damage ends in one sentence, or does no harm.

Each case damages an exposure, an index or a manifest and regroups it. It must end in an
`InputError`, or in products that are right by the judgement of `tiny`, which shares no code with
the library; within `SECONDS` and `MEMORY`. Cases follow from their numbers alone. For a longer
run, or others, by hand::

    FUZZ_CASES=200000 FUZZ_SEED=1 pytest tests/adversity/test_fuzz.py
"""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fuzz import (
    NAME,
    check_message,
    cut,
    damage_bytes,
    damage_part,
    list_names,
    make_manifest,
    regroup,
    run_cases,
)
from limits import limited_memory
from tiny import judge, split, write_tiny

from exp_to_source.errors import InputError
from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure

CASES = int(os.environ.get("FUZZ_CASES", "4000"))

#: Bound of one case.
MEMORY = 400 << 20


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder in memory, where the machine has that."""
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="fuzz", dir=parent))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def exposure(folder: Path) -> bytes:
    """Content of a sound exposure."""
    return write_tiny(folder / f"{NAME}.fits")


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    """Bound memory."""
    with limited_memory(MEMORY):
        yield


@pytest.mark.parametrize(
    ("name", "damage", "share"),
    [
        ("bytes", damage_bytes, 0.2),
        ("cut", cut, 0.1),
        ("cards", damage_part("cards"), 0.15),
        ("hdus", damage_part("hdus"), 0.1),
        ("tree", damage_part("tree"), 0.2),
        ("blocks", damage_part("blocks"), 0.05),
    ],
)
def test_damaged_exposures(
    folder: Path, exposure: bytes, name: str, damage: Callable, share: float
):
    whole = split(exposure)
    assert whole.join(true_hash=True) == exposure

    def case(rng: random.Random) -> str:
        return regroup(folder, damage(rng, exposure, whole.copy()))

    outcomes = run_cases(name, int(CASES * share), case)
    assert outcomes["right"] and outcomes["refused"]


def test_exposures_that_change_between_index_and_gather(
    folder: Path, exposure: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    gather, path = prepare(folder, exposure)

    def case(rng: random.Random) -> str:
        damage = rng.choice([damage_bytes, damage_bytes, cut])
        path.write_bytes(damage(rng, exposure, split(exposure)))
        if rng.random() < 0.02:
            path.unlink()
        return gather(str(path))

    outcomes = run_cases("change", CASES // 10, case)
    assert outcomes["right"] and outcomes["refused"]


@pytest.mark.parametrize("kind", ["index", "manifest"])
def test_damaged_indices_and_manifests(
    folder: Path, exposure: bytes, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    gather, _ = prepare(folder, exposure)
    index = folder / f"{NAME}.txt"
    path = index if kind == "index" else folder / "x.txt"
    sound, names = path.read_bytes(), list_names(index)

    def case(rng: random.Random) -> str:
        path.write_bytes(damage_rows(rng, sound))
        outcome = gather(str(path))
        if kind == "index":
            try:
                assert list_names(path) == names
            except InputError as error:
                check_message(error, str(path))
        return outcome

    outcomes = run_cases(kind, CASES // 20, case)
    assert outcomes["refused"]


def prepare(folder: Path, content: bytes) -> tuple[Callable[[str], str], Path]:
    """Index and gather a sound exposure; give a function that gathers again, and its path."""
    path, product = folder / f"{NAME}.fits", folder / "products" / "product_cal.fits"
    path.write_bytes(content)
    index_exposure(str(path), str(folder / f"{NAME}.txt"))
    request = folder / "x.txt"
    request.write_bytes(make_manifest(folder / f"{NAME}.txt", turned=False))
    gather_source(str(request), str(product), str(folder))
    judge(product, [(path.name, content, 0), (path.name, content, 1)])
    expected = product.read_bytes()

    def gather(named: str) -> str:
        product.unlink(missing_ok=True)
        try:
            gather_source(str(request), str(product), str(folder))
        except InputError as error:
            assert list(product.parent.iterdir()) == []
            return check_message(error, named, str(folder / f"{NAME}.txt"))
        assert product.read_bytes() == expected
        return "right"

    return gather, path


def damage_rows(rng: random.Random, sound: bytes) -> bytes:
    """Flip bits of rows, cut or exchange rows, or change a field; the seals stay as they are."""
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
        case _:
            for _ in range(rng.choice([1, 1, 2, 8])):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            return bytes(data)
