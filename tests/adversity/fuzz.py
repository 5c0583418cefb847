"""Random damage to the parts of an exposure, and cases of it within bounds."""

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from limits import limited_time
from mutators import move_block
from tiny import CARD, Parts, judge

from exp_to_source.errors import InputError
from exp_to_source.formats.manifests import read_manifest
from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure
from exp_to_source.naming import is_product_name
from exp_to_source.sources.families import GroupingOptions, read_exposures
from exp_to_source.sources.listing import list_sources
from exp_to_source.sources.products import Product, manifest
from exp_to_source.tables import read_products

SEED = int(os.environ.get("FUZZ_SEED", "0"))

#: Bound of one case.
SECONDS = 5

NAME = "jw00009001001_03101_00001_nrs1_cal"

VALUES = [
    *("0", "1", "2", "3", "-1", "-32", "64", "999", "1000000000000000000", "9" * 69, "1.0", "1E9"),
    *("T", "F", "", "x", "'", "''", "'SCI'", "'DQ'", "'ASDF'", "'sci'", "'MultiSlitModel'"),
    *("'a/b'", "'../../x'", "'$(touch x)'", "'{source_id}'", "'it''s'", "nan", "inf"),
    *("1_0", "(1,2)", "\xe9", "'\n'", "\t", "'NRS_MSASPEC'", "'NIS_WFSS'", "'&'", "'PRIMARY'"),
]  # fmt: skip
TOKENS = [
    *("~", "''", '""', "[]", "{}", "0", "-1", "2", "3", "99", "1.5", ".nan", "-.inf", "0b_", "._"),
    *("1:99:99", "0x_", "9" * 30, "true", "*id001", "*id002", "&id001 1", "&id009 x", "*id009"),
    *("fits:SCI,1", "fits:SCI,2", "fits:DQ,2", "'fits:SCI,1'", "fits:ASDF,1", "http://x/y", "a: b"),
    *("- x", "[1, 2", "{a: b", "!core/ndarray-1.1.0", "!!str 5", "! 5", "!x", "!<a b> c", "a, b"),
    *("[a, {b: c}]", "'\x85'", "\u2028", "'a\n\n b'", "|", "#", "---", "...", "%TAG ! x", "é", "?"),
    *("\udcff", "\x00", '"\\x7f\\u2028\\uFEFF\\0"', "\U0001f600", "<<", "\t", ": x", "NRS_MSASPEC"),
    *("&a [*a]", "[" * 300, "{a: " * 300, "- " * 300, "x" * 2000, "? x"),
]  # fmt: skip


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


def told(error: InputError, *names: str) -> str:
    """Check that an error is one sentence about one of these files."""
    text = str(error)
    assert "\n" not in text and any(name in text for name in names), text
    assert len(text) < 1000, text
    return "refused"


def make_manifest(index: Path, *, turned: bool) -> bytes:
    """Manifest of a product of all slits of an exposure."""
    (exposure,) = read_exposures([str(index)], GroupingOptions())
    slits = exposure.slits[::-1] if turned else exposure.slits
    return manifest(Product("x", 1, "s", None, slits))


def list_names(index: Path) -> list[str]:
    """Names of the products of an exposure."""
    results = index.parent / "results"
    table = str(results / "sources.tsv")
    list_sources([str(index)], table)
    return read_products(table)


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
        return told(error, str(path))
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


def damage_cards(rng: random.Random, content: bytes, parts: Parts) -> bytes:
    """Remove, repeat, exchange or change cards; sometimes let `_fits_hash` say that all is well."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        cards, _ = rng.choice(parts.hdus)
        place = rng.randrange(len(cards))
        card = cards[place]
        match rng.randrange(8):
            case 0:
                del cards[place]
            case 1:
                cards.insert(rng.randrange(len(cards) + 1), card)
            case 2:
                cards.insert(rng.randrange(len(cards)), cards.pop(place))
            case 3:
                cards[place] = card[:8].lower() + card[8:]
            case 4:
                word = rng.choice(
                    [*rng.choice(parts.hdus)[0], b"GROUPS  ", b"EXTVER  ", b"CONTINUE"]
                )
                cards[place] = word[:8] + card[8:]
            case 5:
                word = rng.choice(["PCOUNT", "GCOUNT", "BSCALE", "HIERARCH a", ""])
                cards.insert(place, f"{word:8}= {rng.choice(VALUES)}".encode("latin-1"))
            case _:
                cards[place] = card[:10] + rng.choice(VALUES).rjust(rng.choice([1, 20])).encode(
                    "latin-1"
                )
        cards[:] = [card[:CARD].ljust(CARD) for card in cards]
    return parts.join(true_hash=rng.random() < 0.5, true_size=rng.random() < 0.7)


def damage_hdus(rng: random.Random, content: bytes, parts: Parts) -> bytes:
    """Drop, repeat or exchange HDUs, or change what they are called."""
    hdus = parts.hdus
    for _ in range(rng.choice([1, 1, 2])):
        one, other = rng.randrange(len(hdus)), rng.randrange(len(hdus))
        match rng.randrange(6):
            case 0:
                del hdus[one]
                if not hdus:
                    return b""
            case 1:
                hdus.insert(other, (list(hdus[one][0]), hdus[one][1]))
            case 2:
                hdus[one], hdus[other] = hdus[other], hdus[one]
            case 3:
                hdus[one] = hdus[one][0], hdus[other][1]
            case _:
                word = rng.choice(["EXTVER", "EXTVER", "EXTNAME"])
                text = rng.choice(VALUES + ["1", "2", "3", "'SCI'"] * 5)
                card = f"{word:8}= {text:>20}"[:CARD].ljust(CARD).encode("latin-1")
                cards = hdus[one][0]
                cards[:] = [c for c in cards if not c.startswith(word.encode())] + [card]
    return parts.join(true_hash=rng.random() < 0.7)


def damage_tree(rng: random.Random, content: bytes, parts: Parts) -> bytes:
    """Drop, repeat, exchange or edit lines of the YAML document."""
    lines = parts.lines
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        line = lines[place]
        match rng.randrange(10):
            case 0:
                del lines[place]
            case 1:
                lines.insert(rng.choice([place, other]), line)
            case 2:
                lines[place], lines[other] = lines[other], line
            case 3:
                lines[place] = rng.choice([" ", "  ", "- ", "\t"]) + line
            case 4:
                lines[place] = line[rng.choice([1, 2]) :]
            case 5:
                lines[place] = line.replace("id001", "id002").replace("&", rng.choice("*&"))
            case 6:
                words = line.split(" ")
                words[rng.randrange(len(words))] = rng.choice(TOKENS)
                lines[place] = " ".join(words)
            case 7:
                lines.insert(
                    place, " " * rng.choice([0, 2, 4, 6, 8]) + f"new: {rng.choice(TOKENS)}"
                )
            case _:
                key, colon, _ = line.partition(":")
                lines[place] = f"{key}{colon} {rng.choice(TOKENS)}"
        if not lines:
            break
    return parts.join(true_hash=rng.random() < 0.7)


def damage_blocks(rng: random.Random, content: bytes, parts: Parts) -> bytes:
    """Drop, repeat or exchange the blocks of arrays, or edit their headers."""
    blocks = parts.blocks
    one, other = rng.randrange(len(blocks)), rng.randrange(len(blocks))
    if (way := rng.randrange(6)) < 4:
        move_block(rng, blocks, one, other, way)
    else:
        data = bytearray(blocks[one])
        place, size = rng.choice([(0, 4), (4, 2), (6, 4), (10, 4), (14, 8), (22, 8), (30, 8)])
        new = rng.choice([0, 1, 16, 47, 49, 100, 2880, (1 << 8 * size) - 1])
        data[place : place + size] = (new % (1 << 8 * size)).to_bytes(size)
        blocks[one] = bytes(data)
    return parts.join(true_hash=True)
