"""Damage to exposures: each mutator changes the parts of a file in one way, in one or some places.

A mutator takes random numbers and the parts of a sound exposure, which it changes in place. What
follows from the parts, `_fits_hash` and the size of the ASDF extension, is made true or not by
whoever joins them.
"""

import random
import re
from collections.abc import Callable

from tiny import CARD, Parts

Mutator = Callable[[random.Random, Parts], None]

PRINTABLE = bytes(range(32, 127))
ODD_BYTES = b"\0\t\n\r\x7f\x80\xe9\xff"

VALUES = [
    *("0", "1", "2", "3", "-1", "-32", "64", "999", "1000000000000000000", "9" * 25, "1.0", "1E9"),
    *("1.5D3", "-0.0", ".5", "5.", "1e400", "T", "F", "", "x", "''", "'   '", "'SCI'", "'DQ'"),
    *("'ASDF'", "'sci'", "'MultiSlitModel'", "'a/b'", "'../../x'", "'it''s'", "nan", "NaN", "inf"),
    *("1_0", "(1,2)", "'NRS_MSASPEC'", "'NRS_FIXEDSLIT'", "'NIS_WFSS'", "'&'", "'PRIMARY'"),
    *("'NONE'", "'null'", "'true'", "'12'", "'1.5'", "'POINT'", "'  x'", "'x  '", "'N/A'"),
    "'long " + 60 * "x",
]  # fmt: skip
TOKENS = [
    *("~", "null", "''", '""', "[]", "{}", "0", "-1", "2", "3", "99", "1.5", ".nan", "-.inf"),
    *("1e5", "1.0e+5", "0x1F", "017", "0b1", "1_000", "1:30", "true", "True", "no", "NO", "'1'"),
    *("2020-01-01", "2020-01-01T00:00:00", "1.", ".5", "+1", "=", "'true'", "'null'", "x y", "N/A"),
    *("é", "'é'", '"\\u00e9"', '"a\\nb"', "[1, 2]", "{a: 1}", "[a, {b: c}]", "fits:SCI,1"),
    *("fits:SCI,2", "fits:DQ,1", "fits:ASDF,1", "!!str 5", "!core/ndarray-1.1.0 [1.0, 2.0]", "! 5"),
    *("!!float 5", "!!int '5'", "!!null ''", "!!binary aGk=", "!!set {a}", "!!omap []", "<<: x"),
    *("!core/complex-1.0.0 1+2j", "!unit/unit-1.0.0 m", "!x y", "NRS_MSASPEC", "MultiSlitModel"),
    *("|", "#", "a: b", "- x", "*id001", "&id001 1", "&new x", "NRS_FIXEDSLIT", "POINT"),
    "x" * 2000,
]  # fmt: skip
NAMES = ["SCI", "DQ", "ERR", "WAVELENGTH", "VAR_FLAT", "BARSHADOW", "AREA", "WHT", "ASDF", "X"]
KEYWORDS = [
    *("SOURCEID", "SRCNAME", "SLTNAME", "EXTNAME", "EXTVER", "BITPIX", "NAXIS1", "NAXIS2", "BZERO"),
    *("BSCALE", "PCOUNT", "GCOUNT", "BUNIT", "EXP_TYPE", "PROGRAM", "FILTER", "DATAMODL"),
    *("SLITID", "SRCTYPE", "SPORDER", "TARGNAME", "PI_NAME", "HISTORY", "COMMENT", "CONTINUE"),
    *("CHECKSUM", "BLANK", "BUNIT", "RA_V1", "V3YANGLE", "SRCRA", "S_WCS", "CAL_VER"),
]  # fmt: skip


def some(rng: random.Random) -> range:
    """How many places to damage: mostly one."""
    return range(rng.choice([1, 1, 1, 1, 2, 3]))


def cards_of(rng: random.Random, parts: Parts) -> list[bytes]:
    """Pick the cards of an HDU: often those that say most, PRIMARY and SCI."""
    rich = [cards for cards, _ in parts.hdus if len(cards) > 20]
    return rng.choice(rich if rich and rng.random() < 0.6 else [cards for cards, _ in parts.hdus])


def card_of(keyword: str, value: str) -> bytes:
    """Card of a keyword and the text of its value."""
    return f"{keyword:8}= {value:>20}"[:CARD].ljust(CARD).encode("latin-1")


def lines_at(rng: random.Random, parts: Parts, pattern: str = ".") -> int:
    """Place of a line of YAML that has a pattern, or of any; in half of cases not of a WCS."""
    fitting = [n for n, line in enumerate(parts.lines) if re.search(pattern, line)]
    if rng.random() < 0.5:
        # Metadata are a small part of the text, and the one in which products are made up.
        outside = [n for n in fitting if parts.lines[n].find(parts.lines[n].lstrip()) < 6]
        fitting = outside or fitting
    return rng.choice(fitting or range(len(parts.lines)))


def any_byte(rng: random.Random) -> int:
    """Pick a byte, mostly a printable one."""
    return rng.choice(PRINTABLE if rng.random() < 0.8 else ODD_BYTES)


def edit_bytes(rng: random.Random, data: bytes) -> bytes:
    """Put other bytes in, or flip bits."""
    edited = bytearray(data)
    for _ in some(rng) if data else ():
        place = rng.randrange(len(edited))
        if rng.random() < 0.5:
            edited[place] ^= 1 << rng.randrange(8)
        else:
            edited[place] = any_byte(rng)
    return bytes(edited)


def header_bytes(rng: random.Random, parts: Parts) -> None:
    cards = cards_of(rng, parts)
    place = rng.randrange(len(cards))
    used = len(cards[place].rstrip()) or CARD
    cards[place] = edit_bytes(rng, cards[place][:used]) + cards[place][used:]


def plane_bytes(rng: random.Random, parts: Parts) -> None:
    place = rng.randrange(len(parts.hdus) - 1)
    cards, data = parts.hdus[place]
    # Most of a small plane is filler, in which nothing happens.
    used = rng.randrange(1, 1 + max(len(data.rstrip(b"\0")), 1))
    parts.hdus[place] = cards, edit_bytes(rng, data[:used]) + data[used:]


def yaml_bytes(rng: random.Random, parts: Parts) -> None:
    place = lines_at(rng, parts)
    data = edit_bytes(rng, parts.lines[place].encode())
    parts.lines[place] = data.decode("utf-8", "surrogateescape")


def block_bytes(rng: random.Random, parts: Parts) -> None:
    for _ in range(1 if parts.blocks else 0):
        place = rng.randrange(len(parts.blocks))
        head, rest = parts.blocks[place][:54], parts.blocks[place][54:]
        parts.blocks[place] = head + edit_bytes(rng, rest)


def card_character(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        cards = cards_of(rng, parts)
        place = rng.randrange(len(cards))
        used = [n for n in range(10, CARD) if cards[place][n : n + 1] not in (b" ", b"'", b"/")]
        if used:
            at = rng.choice(used[:20])
            new = bytes([rng.choice(b"0123456789.-+ABCXYZabcxyz_'/ ")])
            cards[place] = cards[place][:at] + new + cards[place][at + 1 :]


def card_value(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        cards = cards_of(rng, parts)
        place = rng.randrange(len(cards))
        cards[place] = card_of(cards[place][:8].decode("latin-1"), rng.choice(VALUES))


def cards_swapped(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        cards = cards_of(rng, parts)
        one, other = rng.randrange(len(cards)), rng.randrange(len(cards))
        if rng.random() < 0.5:
            cards[one], cards[other] = cards[other], cards[one]
        else:
            # The values alone.
            cards[one], cards[other] = (
                cards[one][:8] + cards[other][8:],
                cards[other][:8] + cards[one][8:],
            )


def card_duplicated(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        cards = cards_of(rng, parts)
        card = rng.choice(cards)
        if rng.random() < 0.5:
            card = card_of(card[:8].decode("latin-1"), rng.choice(VALUES))
        cards.insert(rng.randrange(len(cards) + 1), card)


def card_deleted(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        cards = cards_of(rng, parts)
        del cards[rng.randrange(len(cards))]


def card_keyword(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        cards = cards_of(rng, parts)
        place = rng.randrange(len(cards))
        word = (
            rng.choice(KEYWORDS) if rng.random() < 0.6 else rng.choice(cards)[:8].decode("latin-1")
        )
        if rng.random() < 0.2:
            word = cards[place][:8].decode("latin-1").lower()
        cards[place] = word.ljust(8).encode("latin-1")[:8] + cards[place][8:]


def card_added(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        cards = cards_of(rng, parts)
        card = card_of(rng.choice(KEYWORDS), rng.choice(VALUES))
        cards.insert(rng.randrange(len(cards) + 1), card)


def hdu_deleted(rng: random.Random, parts: Parts) -> None:
    del parts.hdus[rng.randrange(len(parts.hdus))]


def hdu_duplicated(rng: random.Random, parts: Parts) -> None:
    cards, data = rng.choice(parts.hdus)
    parts.hdus.insert(rng.randrange(1, len(parts.hdus) + 1), (list(cards), data))


def hdus_swapped(rng: random.Random, parts: Parts) -> None:
    hdus = parts.hdus
    one, other = rng.randrange(1, len(hdus)), rng.randrange(1, len(hdus))
    match rng.randrange(3):
        case 0:
            hdus[one], hdus[other] = hdus[other], hdus[one]
        case 1:
            hdus[one] = hdus[one][0], hdus[other][1]
        case _:
            hdus.insert(other, hdus.pop(one))


def hdu_renamed(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        cards, _ = rng.choice(parts.hdus[1:])
        word = rng.choice(["EXTVER", "EXTNAME"])
        text = rng.choice("0123") if word == "EXTVER" else f"'{rng.choice(NAMES):8}'"
        cards[:] = [c for c in cards if not c.startswith(word.encode())] + [card_of(word, text)]


def hdu_added(rng: random.Random, parts: Parts) -> None:
    """An image, a table or nothing that no slit has, perhaps under a name that slits have."""
    kind = rng.choice(["IMAGE", "IMAGE", "BINTABLE"])
    words = [
        ("XTENSION", f"'{kind:8}'"),
        ("BITPIX", "8"),
        ("NAXIS", "0" if kind == "IMAGE" else "2"),
    ]
    if kind == "BINTABLE":
        words += [("NAXIS1", "4"), ("NAXIS2", "0")]
    words += [("PCOUNT", "0"), ("GCOUNT", "1")]
    words += [("TFIELDS", "1"), ("TFORM1", "'J'"), ("TTYPE1", "'a'")] if kind == "BINTABLE" else []
    words += [("EXTNAME", f"'{rng.choice(NAMES):8}'"), ("EXTVER", rng.choice("1239"))]
    cards = [card_of(*word) for word in words]
    parts.hdus.insert(rng.randrange(1, len(parts.hdus) + 1), (cards, b""))


def line_deleted(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        del parts.lines[lines_at(rng, parts)]


def line_duplicated(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        place = lines_at(rng, parts)
        parts.lines.insert(rng.choice([place, lines_at(rng, parts)]), parts.lines[place])


def lines_swapped(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        one, other = lines_at(rng, parts), lines_at(rng, parts)
        if rng.random() < 0.5:
            other = min(one + 1, len(parts.lines) - 1)
        parts.lines[one], parts.lines[other] = parts.lines[other], parts.lines[one]


def key_misspelt(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        place = lines_at(rng, parts, r"^[- ]*\w+:")
        key, colon, rest = parts.lines[place].partition(":")
        at = rng.randrange(len(key))
        match rng.randrange(4):
            case 0:
                key = key[:at] + key[at + 1 :]
            case 1:
                key = key[:at] + rng.choice("abcxyz_") + key[at:]
            case 2:
                key = key.upper()
            case _:
                words = [re.search(r"(\w+):", line) for line in parts.lines]
                word = rng.choice([word[1] for word in words if word])
                key = re.sub(r"\w+$", word, key)
        parts.lines[place] = key + colon + rest


def tag_changed(rng: random.Random, parts: Parts) -> None:
    tags = re.findall(r"!\S+", "\n".join(parts.lines)) or ["!x"]
    for _ in some(rng):
        place = lines_at(rng, parts, r" !")
        if found := re.search(r"!\S+", parts.lines[place]):
            tag = found[0]
            other = [
                rng.choice(tags),
                tag[:-1] + rng.choice("0123456789"),
                tag.rpartition("-")[0] or "!",
                "",
                tag[: rng.randrange(1, len(tag))],
                f"!<{tag[1:]}>",
            ]
            parts.lines[place] = parts.lines[place].replace(tag, rng.choice(other), 1)


def number_changed(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        place = lines_at(rng, parts, r"[ \[]-?\d")
        numbers = list(re.finditer(r"(?<=[ \[])-?\d[\d.e+-]*", parts.lines[place]))
        if not numbers:
            continue
        number = rng.choice(numbers)
        text = number[0]
        at = rng.randrange(len(text))
        new = rng.choice(
            [
                text[:at] + rng.choice("0123456789") + text[at + 1 :],
                text[:at] + rng.choice(".e-_+:x ") + text[at + 1 :],
                rng.choice(
                    ["0", "-1", "2", "1e400", ".nan", "1e10", "1.0", "10000000", "0.0", "'1'"]
                ),
                f"'{text}'",
                f"{text}.0",
                f"-{text}",
            ]
        )
        line = parts.lines[place]
        parts.lines[place] = line[: number.start()] + new + line[number.end() :]


def anchor_changed(rng: random.Random, parts: Parts) -> None:
    text = "\n".join(parts.lines)
    names = re.findall(r"[&*](\w+)", text) or ["id001"]
    for _ in some(rng):
        place = lines_at(rng, parts, r"[&*]\w+")
        line = parts.lines[place]
        new = rng.choice(names)
        match rng.randrange(5):
            case 0:
                line = re.sub(r"([&*])\w+", rf"\g<1>{new}", line, count=1)
            case 1:
                line = re.sub(r"&\w+ ?", "", line, count=1)
            case 2:
                line = re.sub(r"[&*]\w+", f"*{new}", line, count=1)
            case 3:
                line = re.sub(r"[&*]\w+", f"&{new}x", line, count=1)
            case _:
                place = lines_at(rng, parts, r": \S")
                key, _, _ = parts.lines[place].partition(": ")
                line = f"{key}: *{new}"
        parts.lines[place] = line


def value_changed(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        place = lines_at(rng, parts, r"^[- ]*\w+:")
        key = parts.lines[place].partition(":")[0]
        token = rng.choice(TOKENS)
        anchor = f"&{rng.choice('abc')} " if rng.random() < 0.2 else ""
        parts.lines[place] = f"{key}: {anchor}{token}"


def line_added(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        place = lines_at(rng, parts)
        indent = " " * rng.choice([0, 2, 2, 4, 6, 8])
        words = [re.search(r"(\w+):", line) for line in parts.lines]
        key = rng.choice(["new", "wcsinfo", "_fits_hash", rng.choice([w[1] for w in words if w])])
        parts.lines.insert(place, f"{indent}{key}: {rng.choice(TOKENS)}")


def line_indented(rng: random.Random, parts: Parts) -> None:
    for _ in some(rng):
        place = lines_at(rng, parts)
        line = parts.lines[place]
        parts.lines[place] = rng.choice([f" {line}", f"  {line}", line[1:], line[2:], f"- {line}"])


def block_header(rng: random.Random, parts: Parts) -> None:
    if parts.blocks:
        number = rng.randrange(len(parts.blocks))
        data = bytearray(parts.blocks[number])
        place, size = rng.choice(
            [(0, 4), (4, 2), (6, 4), (10, 4), (14, 8), (22, 8), (30, 8), (38, 16)]
        )
        old = int.from_bytes(data[place : place + size])
        new = rng.choice(
            [0, 1, 16, 47, 49, 100, 2880, old + 1, old - 1, old ^ 8, (1 << 8 * size) - 1]
        )
        data[place : place + size] = (new % (1 << 8 * size)).to_bytes(size)
        parts.blocks[number] = bytes(data)


def blocks_moved(rng: random.Random, parts: Parts) -> None:
    blocks = parts.blocks
    if blocks:
        one, other = rng.randrange(len(blocks)), rng.randrange(len(blocks))
        move_block(rng, blocks, one, other, rng.randrange(4))


def move_block(rng: random.Random, blocks: list[bytes], one: int, other: int, way: int) -> None:
    """Drop, repeat or exchange a block, or put something before it."""
    match way:
        case 0:
            del blocks[one]
        case 1:
            blocks.insert(other, blocks[one])
        case 2:
            blocks[one], blocks[other] = blocks[other], blocks[one]
        case _:
            blocks.insert(one, rng.choice([b"\0", bytes(80), b"x", b"\n", b"\xd3", b"\xd3BLK"]))


#: All of them, by name.
MUTATORS: dict[str, Mutator] = {
    mutator.__name__: mutator
    for mutator in (
        *(header_bytes, plane_bytes, yaml_bytes, block_bytes),
        *(card_character, card_value, cards_swapped, card_duplicated, card_deleted, card_keyword),
        *(card_added, hdu_deleted, hdu_duplicated, hdus_swapped, hdu_renamed, hdu_added),
        *(line_deleted, line_duplicated, lines_swapped, key_misspelt, tag_changed, number_changed),
        *(anchor_changed, value_changed, line_added, line_indented, block_header, blocks_moved),
    )
}
