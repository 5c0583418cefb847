"""Random damage to an exposure, and cases of it within bounds."""

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import mutators
from limits import limited_time
from mutators import MUTATORS
from tiny import Parts, judge

from exp_to_source.errors import InputError
from exp_to_source.formats.manifests import read_manifest
from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure
from exp_to_source.naming import is_product_name
from exp_to_source.sources.families import GroupingOptions, read_exposures
from exp_to_source.sources.listing import list_sources
from exp_to_source.sources.products import Product, manifest
from exp_to_source.tables import read_sources

SEED = int(os.environ.get("FUZZ_SEED", "0"))

#: Bound of one case.
SECONDS = 5

NAME = "jw00009001001_03101_00001_nrs1_cal"

# Besides those of the campaign, whose mutants depend on its lists.
mutators.VALUES += [
    *("9" * 69, "'", "'../../x'", "'$(touch x)'", "'{source_id}'", "\xe9", "'\n'", "\t"),
]  # fmt: skip
mutators.TOKENS += [
    *("0b_", "._", "1:99:99", "0x_", "9" * 30, "*id002", "*id009", "http://x/y", "[1, 2", "{a: b"),
    *("!<a b> c", "'\x85'", "\u2028", "'a\n\n b'", "---", "...", "%TAG ! x", "?", "\udcff", "\x00"),
    *('"\\x7f\\u2028\\uFEFF\\0"', "\U0001f600", "<<", "\t", "&a [*a]", "[" * 300, "{a: " * 300),
    *("- " * 300, "? x"),
]  # fmt: skip

#: Mutators by the part of a file that they damage.
DAMAGES = {
    "cards": [name for name in MUTATORS if name.startswith(("card", "header"))],
    "hdus": [name for name in MUTATORS if name.startswith("hdu")],
    "tree": [
        *("yaml_bytes", "key_misspelt", "tag_changed", "number_changed", "anchor_changed"),
        *("value_changed", *(name for name in MUTATORS if name.startswith("line"))),
    ],
    "blocks": [name for name in MUTATORS if name.startswith("block")],
}


def damage_part(name: str) -> Callable[[random.Random, bytes, Parts], bytes]:
    """Return a function that damages a part of an exposure, see `DAMAGES`."""

    def damage(rng: random.Random, content: bytes, parts: Parts) -> bytes:
        MUTATORS[rng.choice(DAMAGES[name])](rng, parts)
        return parts.join(true_hash=rng.random() < 0.7, true_size=rng.random() < 0.9)

    return damage


def run_cases(kind: str, count: int, case: Callable[[random.Random], str]) -> Counter[str]:
    """Run cases, each with random numbers of its own; count their outcomes."""
    outcomes: Counter[str] = Counter()
    for number in range(count):
        try:
            with limited_time(SECONDS, AssertionError(f"more than {SECONDS} s")):
                outcomes[case(random.Random(f"{SEED} {kind} {number}"))] += 1
        except Exception as error:
            error.add_note(f"in case {number} of {kind}, FUZZ_SEED={SEED}")
            raise
    assert outcomes.total() == count
    return outcomes


def check_message(error: InputError, *names: str) -> str:
    """Check that an error is one sentence about one of these files."""
    text = str(error)
    assert "\n" not in text and any(name in text for name in names), text
    assert len(text) < 1000, text
    return "refused"


def make_manifest(index: Path, *, turned: bool) -> bytes:
    """Make the manifest of a product of all slits of an exposure."""
    (exposure,) = read_exposures([str(index)], GroupingOptions())
    slits = exposure.slits[::-1] if turned else exposure.slits
    return manifest(Product("x", 1, "s", None, slits))


def list_names(index: Path) -> list[str]:
    """List the names of the products of an exposure."""
    results = index.parent / "results"
    table = str(results / "sources.tsv")
    list_sources([str(index)], table)
    return list(read_sources(table))


def regroup(folder: Path, content: bytes) -> str:
    """Regroup an exposure with this content, and judge the result."""
    path, index = folder / f"{NAME}.fits", folder / f"{NAME}.txt"
    request, product = folder / "x.txt", folder / "product_cal.fits"
    path.write_bytes(content)
    index.unlink(missing_ok=True)
    try:
        index_exposure(str(path), str(index))
    except InputError as error:
        assert not index.exists()
        return check_message(error, str(path))
    try:
        assert all(map(is_product_name, list_names(index)))
        request.write_bytes(make_manifest(index, turned=True))
    except InputError as error:
        # Conflicts between sources are listed one a line.
        assert NAME in str(error)
        return "refused by the source list"
    gather_source(str(request), str(product), str(folder))
    count = len(read_manifest(str(request)).slits)
    judge(product, [(path.name, content, number) for number in reversed(range(count))])
    return "right"


def damage_bytes(rng: random.Random, content: bytes, parts: Parts) -> bytes:
    """Flip bits, or put other bytes in."""
    data = bytearray(content)
    # Most of a file is filler, in which nothing happens.
    places = [n for n, byte in enumerate(content) if byte not in b" \0"]
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        place = rng.choice(places) if rng.random() < 0.9 else rng.randrange(len(data))
        if rng.random() < 0.5:
            data[place] ^= 1 << rng.randrange(8)
        else:
            data[place] = rng.choice(b"\0 '&*:,-[{!\n\r#09AZz\xff" + bytes([rng.randrange(256)]))
    return bytes(data)


def cut(rng: random.Random, content: bytes, parts: Parts) -> bytes:
    """End the file too early, leave a piece out, or let something follow."""
    place = rng.randrange(len(content))
    if rng.random() < 0.3:
        place += -place % rng.choice([80, 2880])
    choice = rng.randrange(6)
    if choice < 3:
        return content[:place]
    if choice == 3:
        return content[:place] + content[place + rng.choice([1, 80, 2880, 5760]) :]
    if choice == 4:
        return content[:place] + bytes(2880) + content[place + 2880 :]
    filler = [bytes(2880), b" " * 100, b"x" * 2880, content[:2880], rng.randbytes(300), content]
    return content + rng.choice(filler)
