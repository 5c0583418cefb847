"""Damage to exposures: each mutator changes the parts of a file in one way.

A mutator takes random numbers and the parts of a sound exposure, which it changes in place.
`_fits_hash` and the size of the ASDF extension, which follow from the parts, are often made true.
"""

import random
import re
from collections.abc import Callable
from typing import Any

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
    *("9" * 69, "'", "'$(touch x)'", "'{source_id}'", "\xe9", "'\n'", "\t", "'long " + 60 * "x"),
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
    *("0b_", "._", "1:99:99", "0x_", "9" * 30, "*id002", "*id009", "http://x/y", "[1, 2", "{a: b"),
    *("!<a b> c", "'\x85'", "\u2028", "'a\n\n b'", "---", "...", "%TAG ! x", "?", "\udcff", "\x00"),
    *('"\\x7f\\u2028\\uFEFF\\0"', "\U0001f600", "<<", "\t", "&a [*a]", "[" * 300, "{a: " * 300),
    *("- " * 300, "? x", "x" * 2000),
]  # fmt: skip
NAMES = ["SCI", "DQ", "ERR", "WAVELENGTH", "VAR_FLAT", "BARSHADOW", "AREA", "WHT", "ASDF", "X"]
KEYWORDS = [
    *("SOURCEID", "SRCNAME", "SLTNAME", "EXTNAME", "EXTVER", "BITPIX", "NAXIS1", "NAXIS2", "BZERO"),
    *("BSCALE", "PCOUNT", "GCOUNT", "BUNIT", "EXP_TYPE", "PROGRAM", "FILTER", "DATAMODL"),
    *("SLITID", "SRCTYPE", "SPORDER", "TARGNAME", "PI_NAME", "HISTORY", "COMMENT", "CONTINUE"),
    *("CHECKSUM", "BLANK", "BUNIT", "RA_V1", "V3YANGLE", "SRCRA", "S_WCS", "CAL_VER"),
]  # fmt: skip


def damage(
    rng: random.Random, parts: Parts, mutators: list[Mutator], true_hash: float = 0.7
) -> bytes:
    """Return a damaged copy of an exposure, of which the hash is true with this probability."""
    parts = parts.copy()
    mutator = rng.choice(mutators)
    print(mutator.__name__)
    for _ in range(rng.choice([1, 1, 1, 1, 2, 3])):
        mutator(rng, parts)
    return parts.join(true_hash=rng.random() < true_hash, true_size=rng.random() < 0.9)


def damage_bytes(rng: random.Random, content: bytes) -> bytes:
    """Flip bits, or put other bytes in."""
    data = bytearray(content)
    # Most of a file is filler, in which nothing happens.
    places = [match.start() for match in re.finditer(rb"[^ \0]", content)]
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        place = rng.choice(places) if rng.random() < 0.9 else rng.randrange(len(data))
        if rng.random() < 0.5:
            data[place] ^= 1 << rng.randrange(8)
        else:
            data[place] = rng.choice(b"\0 '&*:,-[{!\n\r#09AZz\xff" + bytes([rng.randrange(256)]))
    return bytes(data)


def cut(rng: random.Random, content: bytes) -> bytes:
    """End the file too early, leave a piece out, or let something follow."""
    place = rng.randrange(len(content))
    if rng.random() < 0.3:
        place += -place % rng.choice([80, 2880])
    match rng.randrange(6):
        case 0 | 1 | 2:
            return content[:place]
        case 3:
            return content[:place] + content[place + rng.choice([1, 80, 2880, 5760]) :]
        case 4:
            return content[:place] + bytes(2880) + content[place + 2880 :]
    filler = [bytes(2880), b" " * 100, b"x" * 2880, content[:2880], rng.randbytes(300), content]
    return content + rng.choice(filler)


def pick_cards(rng: random.Random, parts: Parts) -> list[bytes]:
    """Pick the cards of an HDU: often those that say most, PRIMARY and SCI."""
    rich = [cards for cards, _ in parts.hdus if len(cards) > 20]
    return rng.choice(rich if rich and rng.random() < 0.6 else [cards for cards, _ in parts.hdus])


def make_card(keyword: str, value: str) -> bytes:
    """Make a card of a keyword and the text of its value."""
    return f"{keyword:8}= {value:>20}"[:CARD].ljust(CARD).encode("latin-1", "replace")


def pick_line(rng: random.Random, parts: Parts, pattern: str = ".") -> int:
    """Pick a line of YAML that has a pattern, or any; in half of cases not of a WCS."""
    fitting = [n for n, line in enumerate(parts.lines) if re.search(pattern, line)]
    if rng.random() < 0.5:
        # Metadata are a small part of the text, and the one in which products are made up.
        outside = [n for n in fitting if parts.lines[n].find(parts.lines[n].lstrip()) < 6]
        fitting = outside or fitting
    return rng.choice(fitting or range(len(parts.lines)))


def pick_key(rng: random.Random, parts: Parts) -> str:
    """Pick a key of the tree."""
    return rng.choice(re.findall(r"(\w+):", "\n".join(parts.lines)))


def edit_bytes(rng: random.Random, data: bytes) -> bytes:
    """Flip a bit, or put another byte in, mostly a printable one."""
    edited = bytearray(data)
    if edited:
        place = rng.randrange(len(edited))
        if rng.random() < 0.5:
            edited[place] ^= 1 << rng.randrange(8)
        else:
            edited[place] = rng.choice(PRINTABLE if rng.random() < 0.8 else ODD_BYTES)
    return bytes(edited)


def rearrange(rng: random.Random, items: list[Any], one: int, other: int) -> None:
    """Delete, repeat, exchange or move an item."""
    match rng.randrange(4):
        case 0:
            del items[one]
        case 1:
            items.insert(other, items[one])
        case 2:
            items[one], items[other] = items[other], items[one]
        case _:
            items.insert(other, items.pop(one))


def header_bytes(rng: random.Random, parts: Parts) -> None:
    cards = pick_cards(rng, parts)
    place = rng.randrange(len(cards))
    used = len(cards[place].rstrip()) or CARD
    cards[place] = edit_bytes(rng, cards[place][:used]) + cards[place][used:]


def card_value(rng: random.Random, parts: Parts) -> None:
    cards = pick_cards(rng, parts)
    place = rng.randrange(len(cards))
    # The value of another card, or one that no card has.
    new = make_card("", rng.choice(VALUES)) if rng.random() < 0.7 else rng.choice(cards)
    cards[place] = cards[place][:8] + new[8:]


def card_keyword(rng: random.Random, parts: Parts) -> None:
    cards = pick_cards(rng, parts)
    place = rng.randrange(len(cards))
    words = [
        rng.choice(KEYWORDS).ljust(8).encode(),
        rng.choice(cards)[:8],
        cards[place][:8].lower(),
    ]
    cards[place] = rng.choice(words) + cards[place][8:]


def card_added(rng: random.Random, parts: Parts) -> None:
    cards = pick_cards(rng, parts)
    keyword = rng.choice([rng.choice(KEYWORDS), rng.choice(cards)[:8].decode("latin-1")])
    cards.insert(rng.randrange(len(cards) + 1), make_card(keyword, rng.choice(VALUES)))


def cards_moved(rng: random.Random, parts: Parts) -> None:
    cards = pick_cards(rng, parts)
    rearrange(rng, cards, rng.randrange(len(cards)), rng.randrange(len(cards)))


def plane_bytes(rng: random.Random, parts: Parts) -> None:
    place = rng.randrange(len(parts.hdus) - 1)
    cards, data = parts.hdus[place]
    # Most of a small plane is filler, in which nothing happens.
    used = rng.randrange(1, 1 + max(len(data.rstrip(b"\0")), 1))
    parts.hdus[place] = cards, edit_bytes(rng, data[:used]) + data[used:]


def hdus_moved(rng: random.Random, parts: Parts) -> None:
    one, other = rng.randrange(len(parts.hdus)), rng.randrange(1, len(parts.hdus))
    # One that is repeated is damaged by itself.
    parts.hdus = parts.copy().hdus
    rearrange(rng, parts.hdus, one, other)


def hdu_data(rng: random.Random, parts: Parts) -> None:
    one, other = rng.randrange(1, len(parts.hdus)), rng.randrange(1, len(parts.hdus))
    parts.hdus[one] = parts.hdus[one][0], parts.hdus[other][1]


def hdu_renamed(rng: random.Random, parts: Parts) -> None:
    cards, _ = rng.choice(parts.hdus[1:])
    word = rng.choice(["EXTVER", "EXTNAME"])
    text = rng.choice("0123") if word == "EXTVER" else f"'{rng.choice(NAMES):8}'"
    cards[:] = [c for c in cards if not c.startswith(word.encode())] + [make_card(word, text)]


def hdu_added(rng: random.Random, parts: Parts) -> None:
    """An image, a table or nothing that no slit has, perhaps under a name that slits have."""
    words = {"XTENSION": "'IMAGE   '", "BITPIX": "8", "NAXIS": "0", "PCOUNT": "0", "GCOUNT": "1"}
    if rng.random() < 0.3:
        words = {"XTENSION": "'BINTABLE'", "BITPIX": "8", "NAXIS": "2", "NAXIS1": "4"}
        words |= {"NAXIS2": "0", "PCOUNT": "0", "GCOUNT": "1", "TFIELDS": "1", "TFORM1": "'J'"}
    words |= {"EXTNAME": f"'{rng.choice(NAMES):8}'", "EXTVER": rng.choice("1239")}
    cards = [make_card(*word) for word in words.items()]
    parts.hdus.insert(rng.randrange(1, len(parts.hdus) + 1), (cards, b""))


def yaml_bytes(rng: random.Random, parts: Parts) -> None:
    place = pick_line(rng, parts)
    data = edit_bytes(rng, parts.lines[place].encode("utf-8", "surrogateescape"))
    parts.lines[place] = data.decode("utf-8", "surrogateescape")


def lines_moved(rng: random.Random, parts: Parts) -> None:
    one, other = pick_line(rng, parts), pick_line(rng, parts)
    if rng.random() < 0.5:
        other = min(one + 1, len(parts.lines) - 1)
    rearrange(rng, parts.lines, one, other)


def line_added(rng: random.Random, parts: Parts) -> None:
    indent = " " * rng.choice([0, 2, 2, 4, 6, 8])
    key = rng.choice(["new", "wcsinfo", "_fits_hash", pick_key(rng, parts)])
    parts.lines.insert(pick_line(rng, parts), f"{indent}{key}: {rng.choice(TOKENS)}")


def line_indented(rng: random.Random, parts: Parts) -> None:
    place = pick_line(rng, parts)
    line = parts.lines[place]
    parts.lines[place] = rng.choice([f" {line}", f"  {line}", line[1:], line[2:], f"- {line}"])


def key_misspelt(rng: random.Random, parts: Parts) -> None:
    place = pick_line(rng, parts, r"^[- ]*\w+:")
    key, colon, rest = parts.lines[place].partition(":")
    at = rng.randrange(len(key))
    other = re.sub(r"\w+$", pick_key(rng, parts), key)
    added = key[:at] + rng.choice("abcxyz_") + key[at:]
    parts.lines[place] = rng.choice([key[:at] + key[at + 1 :], added, key.upper(), other])
    parts.lines[place] += colon + rest


def tag_changed(rng: random.Random, parts: Parts) -> None:
    tags = re.findall(r"!\S+", "\n".join(parts.lines))
    place = pick_line(rng, parts, r" !")
    if found := re.search(r"!\S+", parts.lines[place]):
        tag = found[0]
        other = [rng.choice(tags), tag[:-1] + rng.choice("0123456789"), f"!<{tag[1:]}>", ""]
        other += [tag.rpartition("-")[0] or "!", tag[: rng.randrange(1, len(tag))]]
        parts.lines[place] = parts.lines[place].replace(tag, rng.choice(other), 1)


def number_changed(rng: random.Random, parts: Parts) -> None:
    place = pick_line(rng, parts, r"[ \[]-?\d")
    line = parts.lines[place]
    if numbers := list(re.finditer(r"(?<=[ \[])-?\d[\d.e+-]*", line)):
        number = rng.choice(numbers)
        text = number[0]
        at = rng.randrange(len(text))
        new = [
            text[:at] + rng.choice("0123456789") + text[at + 1 :],
            text[:at] + rng.choice(".e-_+:x ") + text[at + 1 :],
            rng.choice(["0", "-1", "2", "1e400", ".nan", "1e10", "1.0", "10000000", "0.0", "'1'"]),
            *(f"'{text}'", f"{text}.0", f"-{text}"),
        ]
        parts.lines[place] = line[: number.start()] + rng.choice(new) + line[number.end() :]


def anchor_changed(rng: random.Random, parts: Parts) -> None:
    new = rng.choice(re.findall(r"[&*](\w+)", "\n".join(parts.lines)) or ["id001"])
    if rng.random() < 0.2:
        place = pick_line(rng, parts, r": \S")
        parts.lines[place] = f"{parts.lines[place].partition(': ')[0]}: *{new}"
        return
    place = pick_line(rng, parts, r"[&*]\w+")
    changes = [(r"(?<=[&*])\w+", new), (r"&\w+ ?", ""), (r"[&*]\w+", f"*{new}")]
    changes.append((r"[&*]\w+", f"&{new}x"))
    parts.lines[place] = re.sub(*rng.choice(changes), parts.lines[place], count=1)


def value_changed(rng: random.Random, parts: Parts) -> None:
    place = pick_line(rng, parts, r"^[- ]*\w+:")
    anchor = f"&{rng.choice('abc')} " if rng.random() < 0.2 else ""
    parts.lines[place] = f"{parts.lines[place].partition(':')[0]}: {anchor}{rng.choice(TOKENS)}"


def block_bytes(rng: random.Random, parts: Parts) -> None:
    if parts.blocks:
        place = rng.randrange(len(parts.blocks))
        head, rest = parts.blocks[place][:54], parts.blocks[place][54:]
        parts.blocks[place] = head + edit_bytes(rng, rest)


def block_header(rng: random.Random, parts: Parts) -> None:
    if parts.blocks:
        number = rng.randrange(len(parts.blocks))
        data = bytearray(parts.blocks[number])
        fields = [(0, 4), (4, 2), (6, 4), (10, 4), (14, 8), (22, 8), (30, 8), (38, 16)]
        place, size = rng.choice(fields)
        old, end = int.from_bytes(data[place : place + size]), 1 << 8 * size
        new = rng.choice([0, 1, 16, 47, 49, 100, 2880, old + 1, old - 1, old ^ 8, end - 1])
        data[place : place + size] = (new % end).to_bytes(size)
        parts.blocks[number] = bytes(data)


def blocks_moved(rng: random.Random, parts: Parts) -> None:
    if blocks := parts.blocks:
        one, other = rng.randrange(len(blocks)), rng.randrange(len(blocks))
        if rng.random() < 0.25:
            blocks.insert(one, rng.choice([b"\0", bytes(80), b"x", b"\n", b"\xd3", b"\xd3BLK"]))
        else:
            rearrange(rng, blocks, one, other)


#: Mutators by the part of a file that they damage; those that do several things repeatedly.
PARTS: dict[str, list[Mutator]] = {
    "cards": [
        *(header_bytes, card_value, card_keyword, card_added),
        *(cards_moved, cards_moved, cards_moved),
    ],
    "planes": [plane_bytes],
    "hdus": [hdus_moved, hdus_moved, hdus_moved, hdu_data, hdu_renamed, hdu_added],
    "tree": [
        *(yaml_bytes, lines_moved, lines_moved, lines_moved, line_added, line_indented),
        *(key_misspelt, tag_changed, number_changed, anchor_changed, value_changed),
    ],
    "blocks": [block_bytes, block_header, blocks_moved],
}

MUTATORS = [mutator for mutators in PARTS.values() for mutator in mutators]
