"""A judge of products: what jwst makes of the same exposures, compared with ours.

Nothing of exp_to_source is used here, only astropy, asdf, stdatamodels and jwst.
"""

import io
import logging
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from asdf.util import load_yaml
from astropy.io import fits
from jwst.exp_to_source import exp_to_source
from stdatamodels.fits_support import fits_hash
from stdatamodels.jwst import datamodels

CARD = 80

#: Outcome of products that cannot be opened, like their exposures, without a warning.
SHUT = "opens nowhere, nor does its exposure"

ABSENT = "(absent)"

#: What depends on software and time of writing, or is meant to differ: see differences.md in docs.
OWN_CARDS = ("DATE", "HISTORY")
OWN_KEYS = ("asdf_library", "history", "_fits_hash")


@dataclass
class Verdict:
    """What the judge found.

    Attributes
    ----------
    outcome : str
        A word or two, see README.md.
    details : list of str
        What differs, or why something cannot be opened.
    shut : list of Path
        Products that cannot be opened.
    """

    outcome: str
    details: list[str] = field(default_factory=list)
    shut: list[Path] = field(default_factory=list)


@dataclass
class Product:
    """A product: its tree, and all that is compared by its place."""

    tree: dict[str, Any]
    content: dict[str, Any]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells a product from others: its entries' exposures, ids, names and orders."""
        keys = []
        for entry in self.tree["exposures"]:
            name = str(entry.get("source_name") or "").strip()
            order = entry["meta"].get("wcsinfo", {}).get("spectral_order")
            identity = entry["meta"].get("filename"), entry.get("source_id"), entry.get("name")
            keys.append(" ".join(map(str, (*identity, name, order))))
        return tuple(keys)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence log and warnings about damaged files."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def judge(exposures: list[Path], ours: list[Path], folder: Path, remarks: list[str]) -> Verdict:
    """Compare products of exposures with those of jwst.

    Parameters
    ----------
    exposures : list of Path
        The exposures.
    ours : list of Path
        The products that are to be judged.
    folder : Path
        Where to save the products of jwst.
    remarks : list of str
        Warnings and notes about the exposures; a difference that they mention is not silent.
    """
    with quiet():
        try:
            official = exp_to_source([datamodels.open(path) for path in exposures])
        except Exception as error:
            return alone(ours, remarks, f"jwst: {reason(error)}")
        saved, models, failed = [], [], []
        for number, model in enumerate(official.values()):
            try:
                saved.append(read(Path(model.save(folder / f"{number}.fits"))))
                models.append(model)
            except Exception as error:
                failed.append(f"jwst saves no product: {reason(error)}")
        return compare_all(ours, saved, models, failed, exposures, remarks)


def is_refused_in_vain(exposures: list[Path], sound: list[Path], folder: Path) -> bool:
    """Whether jwst makes of damaged exposures, which were refused, the products of sound ones."""
    outcome = judge(exposures, sound, folder, []).outcome
    return outcome == "equal" and len(list(folder.iterdir())) == len(sound)


def alone(ours: list[Path], remarks: list[str], why: str) -> Verdict:
    """Judge products that jwst does not make: can they be opened?"""
    shut = {path: failure for path in ours if (failure := cannot_open(path))}
    details = [*(f"{path.name}: {failure}" for path, failure in shut.items()), why]
    if not shut:
        return Verdict("jwst refuses, ours opens", details)
    if any("open" in remark for remark in remarks):
        return Verdict("opens nowhere, with a remark", details)
    return Verdict(SHUT, details, list(shut))


def compare_all(
    ours: list[Path],
    saved: list[Product],
    models: list[Any],
    failed: list[str],
    exposures: list[Path],
    remarks: list[str],
) -> Verdict:
    """Compare each of our products with that of jwst of the same slits."""
    theirs = {product.key: number for number, product in enumerate(saved)}
    found, unmatched = [], []
    for path in ours:
        try:
            product = read(path)
        except Exception as error:
            return Verdict("opens nowhere", [f"{path.name}: {reason(error)}"])
        number = theirs.get(product.key)
        if number is None:
            unmatched.append(path)
            found += [] if failed else [f"entries: {product.key} / {list(theirs)}"]
            continue
        found += compare(product, saved[number])
        try:
            with datamodels.open(path) as model:
                found += compare_wcs(model, models[number])
        except Exception as error:
            return Verdict("opens nowhere", [f"{path.name}: {reason(error)}", *found])
    if unmatched and failed:
        verdict = alone(unmatched, remarks, failed[0])
        if not found or verdict.outcome.startswith("opens nowhere"):
            return verdict
    found = [place for place in found if not meant(place, exposures)]
    if not found:
        return Verdict("equal")
    silent = [place for place in found if not mentioned(place, remarks)]
    return (
        Verdict("differs silently", silent) if silent else Verdict("differs with a remark", found)
    )


def cannot_open(path: Path) -> str:
    """Return why a product cannot be opened, or empty."""
    try:
        with datamodels.open(path) as model:
            for entry in model.exposures:
                for key in ("data", "dq", "err"):
                    np.asarray(getattr(entry, key, None))
    except Exception as error:
        return reason(error)
    return ""


def reason(error: Exception) -> str:
    """One line about an error."""
    return f"{type(error).__name__}: {str(error).strip()[:200]}".replace("\n", " ")


def read(path: Path, exact: bool = False) -> Product:
    """Read a product.

    Where nothing else is requested, values of cards count, not their images, nor versions of tags;
    file names and WCSs are left out.
    """
    raw = path.read_bytes()
    content: dict[str, Any] = {}
    with fits.open(path, memmap=False) as hdus:
        content["HDUs"] = [f"{hdu.name},{hdu.ver}" for hdu in hdus]
        for name, hdu in zip(content["HDUs"], hdus, strict=True):
            place = hdu.fileinfo()
            data = raw[place["datLoc"] : place["datLoc"] + hdu.size]
            if hdu.name == "ASDF":
                document = data[: hdu.header["NAXIS1"]]
                continue
            header = raw[place["hdrLoc"] : place["datLoc"]].decode("latin-1").rstrip()
            images = [header[at : at + CARD].rstrip() for at in range(0, len(header), CARD)]
            cards = [
                *((image[:8].strip(), image) for image in images if exact),
                *((c.keyword, f"{type(c.value).__name__} {c.value!r}")
                  for c in hdu.header.cards if not exact and c.keyword != "FILENAME"),
            ]  # fmt: skip
            content[f"cards {name}"] = [card for card in cards if card[0] not in OWN_CARDS]
            content[f"data {name}"] = data
        tree = load_yaml(io.BytesIO(document), tagged=True)
        assert not exact or tree["_fits_hash"] == fits_hash(hdus)
    for key in OWN_KEYS:
        tree.pop(key, None)
    tree["meta"].pop("date", None)
    if not exact:
        tree["meta"].pop("filename", None)
    content |= flatten("", tree, list(blocks_of(document)), exact)
    return Product(tree, content)


def blocks_of(document: bytes) -> Iterator[bytes]:
    """Contents of the internal blocks of an ASDF file."""
    end = re.search(rb"\n\.\.\.\r?\n", document)
    at = document.find(b"\xd3BLK", end.end()) if end else -1
    while at >= 0 and document.startswith(b"\xd3BLK", at):
        start = at + 6 + int.from_bytes(document[at + 4 : at + 6])
        allocated, used = (int.from_bytes(document[at + n : at + n + 8]) for n in (14, 22))
        yield document[start : start + used]
        at = start + allocated


def flatten(place: str, node: Any, blocks: list[bytes], exact: bool) -> Iterator[tuple[str, str]]:
    """Yield tags and values of a tree by place, in which blocks stand for their numbers."""
    tag = getattr(node, "_tag", "")
    if not exact:
        tag = re.sub(r"-[0-9.]+$", "", tag)
    if not exact and place.endswith("meta.wcs"):
        yield place, "WCS"
    elif isinstance(node, (dict, list)):
        is_list = isinstance(node, list)
        yield place, f"list of {len(node)} {tag}" if is_list else f"dict {tag}".rstrip()
        for key, part in enumerate(node) if is_list else node.items():
            if key == "source" and "ndarray" in tag and isinstance(part, int):
                part = blocks[part] if -len(blocks) <= part < len(blocks) else part
            inner = f"[{key}]" if is_list else f".{key}" if place else str(key)
            yield from flatten(place + inner, part, blocks, exact)
    elif tag.endswith("core/complex"):
        yield place, repr(complex(node.data))
    else:
        yield place, repr(node) + tag


def compare(ours: Product, official: Product) -> Iterator[str]:
    """Find the differences of two products, which were read alike."""
    for place in dict.fromkeys((*ours.content, *official.content)):
        one, other = (product.content.get(place, ABSENT) for product in (ours, official))
        if one == other:
            continue
        if place == "HDUs":
            yield f"HDUs: {one} / {other}"
            return
        if place.startswith("data "):
            yield f"{place}: {len(one)} / {len(other)}"
        elif not place.startswith("cards "):
            yield f"{place}: {one[:80]} / {other[:80]}"
        elif [word for word, _ in one] != [word for word, _ in other]:
            sides = ((one, other), (other, one))
            pair = (str([card for card in a if card not in b][:5]) for a, b in sides)
            yield f"{place}: {' / '.join(pair)}"
        else:
            for (word, value), (_, expected) in zip(one, other, strict=True):
                if value != expected and not as_near_as_written(value, expected):
                    yield f"card {place[6:]} {word}: {value} / {expected}"


def as_near_as_written(one: str, other: str) -> bool:
    """Whether two numbers differ in the last of the digits that jwst 1.8 wrote on cards."""
    if not one.startswith("float ") or not other.startswith("float "):
        return False
    return math.isclose(float(one[6:]), float(other[6:]), rel_tol=1e-13)


def compare_wcs(ours: Any, official: Any) -> Iterator[str]:
    """Find where WCSs give other values."""
    for number, (entry, other) in enumerate(zip(ours.exposures, official.exposures, strict=True)):
        one, two = world(entry), world(other)
        if one != two:
            yield f"wcs [{number}]: {one[:80]!r} / {two[:80]!r}"


def world(entry: Any) -> str | bytes:
    """Coordinates of some pixels, or why there are none."""
    wcs = getattr(entry.meta, "wcs", None)
    if wcs is None:
        return "no WCS"
    points = np.mgrid[0:8:3.0, 0:4:1.5]
    try:
        return np.array([np.asarray(axis, float) for axis in wcs(*points)]).tobytes()
    except Exception as error:
        return type(error).__name__


def meant(place: str, exposures: list[Path]) -> bool:
    """Whether a difference is one of those that are listed in docs/explanation/differences.md."""
    if re.search(r"exposures\[\d+\]\.meta\.date: ", place):
        # Where a tree has none, jwst takes the time of opening, we what the header has.
        return True
    if place.endswith(": (absent) / dict"):
        return True
    if re.search(r"exposures\[\d+\]\.meta\.wcsinfo", place) or re.match("cards? SCI", place):
        return any(b"\n  wcsinfo:" in path.read_bytes() for path in exposures)
    # A fixed slit in a single MOS exposure.
    return bool(re.match("card PRIMARY,1 EXP_TYPE: str 'NRS_FIXEDSLIT' / str 'NRS_MSASPEC'", place))


def mentioned(place: str, remarks: list[str]) -> bool:
    """Whether remarks mention what a difference is about, or say that nothing is sure."""
    if any("libraries do not know" in remark or "may drop" in remark for remark in remarks):
        return True
    if place.startswith("entries:"):
        # Which slits are of one source, and which exposures of one kind.
        return any(re.search("no SRCNAME|, which counts", remark) for remark in remarks)
    words = re.findall(r"[A-Za-z_][A-Za-z0-9_]{2,}", place)
    mentioned_words = {word.lower() for remark in remarks for word in re.findall(r"\w+", remark)}
    words = [word.lower() for word in words if word.lower() not in COMMON]
    # Names of keywords are short.
    return any(
        word == other or word.startswith(f"{other}_") for word in words for other in mentioned_words
    )


#: Words of places that say nothing about what differs.
COMMON = {"tree", "cards", "data", "hdus", "meta", "exposures", "str", "int", "float", "bool"}
COMMON |= {"list", "dict", "the", "and", "sci", "primary", "none", "absent", "wcs", "entries"}
