"""Verification finds every damage, names it, and accepts sound products."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from astropy.io import fits
from jwst.exp_to_source import exp_to_source
from jwst_reference import regroup
from stdatamodels.jwst import datamodels
from tiny import Parts, edit_tree, integer, remove_cards, set_card, set_tree, split, value

from exp_to_source.errors import InputError
from exp_to_source.index import exposure, headers, reader, records
from exp_to_source.index.datatypes import header_datatype
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.families import DEFAULT_OPTIONS
from exp_to_source.verify import products
from exp_to_source.verify.fingerprints import fingerprint_exposure
from exp_to_source.verify.products import Verifier

Damage = Callable[[Path], object]


class Run(NamedTuple):
    """Exposures, products and fingerprints of a run."""

    exposures: list[Path]
    products: list[Path]
    fingerprints: Path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on three exposures, the headers of one edited after it was written."""
    folder = tmp_path_factory.mktemp("run")
    paths = simulate(Simulation(sources=3, overlap="partial", shape=(4, 8)), folder / "data")
    with fits.open(paths[1], mode="update") as hdus:
        hdus["PRIMARY"].header["TITLE"] = "Edited"
        hdus["SCI", 1].header["SRCRA"] = 53.25
        del hdus["SCI", 2].header["SRCDEC"]
    fingerprints = folder / "exposures"
    for path in paths:
        fingerprint_exposure(str(path), str(fingerprints / f"{path.stem}.jsonl"))
    return Run(paths, regroup(paths, folder), fingerprints)


@pytest.fixture
def product(run: Run, tmp_path: Path) -> Path:
    """A copy of the product of the source that all exposures have."""
    return Path(shutil.copy(max(run.products, key=os.path.getsize), tmp_path))


@pytest.fixture
def verifier(run: Run) -> Verifier:
    """A verifier of that run."""
    return Verifier(str(run.fingerprints))


def change(name: str, version: int, edit: Callable[[Parts, int], object]) -> Damage:
    """Return what changes an HDU, by its number."""

    def damage(path: Path) -> None:
        parts = split(path.read_bytes())
        names = [(value(cards, "EXTNAME"), integer(cards, "EXTVER", 1)) for cards, _ in parts.hdus]
        edit(parts, names.index((name, version)))
        path.write_bytes(parts.join())

    return damage


def replace(old: bytes, new: bytes, name: str | None, version: int) -> Damage:
    """Return what replaces bytes in cards of an HDU."""

    def edit(parts: Parts, number: int) -> None:
        cards = b"".join(parts.hdus[number][0])
        assert old in cards
        parts.hdus[number] = ([cards.replace(old, new)], parts.hdus[number][1])

    return change(name, version, edit)


def flip(parts: Parts, number: int) -> None:
    """Flip a bit of the data of an HDU."""
    cards, data = parts.hdus[number]
    parts.hdus[number] = (cards, data[:5] + bytes([data[5] ^ 1]) + data[6:])


def edit_block(checksum: bool) -> Damage:
    """Edit the last block of a tree, and remove its checksum."""

    def change(path: Path) -> None:
        content = bytearray(path.read_bytes())
        # Not the first, which is an empty table.
        start = content.rindex(b"\xd3BLK")
        content[start + 60] ^= 1
        if checksum:
            content[start + 38 : start + 54] = bytes(16)
        path.write_bytes(content)

    return change


def tree_edit(pattern: str, replacement: str) -> Damage:
    return lambda path: edit_tree(path, pattern, replacement)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (tree_edit(r"(\n +offset: -?\d\.)[0-8]", r"\g<1>9"), r"entry 3, .*meta\.wcs$"),
        (edit_block(checksum=False), "a block of its ASDF extension is damaged"),
        (edit_block(checksum=True), r"meta\.wcs"),
        (tree_edit(r"slitlet_id: \d", "slitlet_id: 9"), "entry 3, .*slitlet_id"),
        (tree_edit(r"(\n    instrument: .*)NRS1", r"\1NRS2"), "entry 3, .*instrument"),
        (tree_edit("_00003_nrs1", "_00007_nrs1"), "has no such exposure"),
        (tree_edit(r"(\n  telescope: )JWST", r"\1HST_"), r"top of its tree .*meta\.telescope"),
        (tree_edit("fits:SCI,3", "fits:SCI,2"), "names images of another entry"),
        (tree_edit("fits:SCI,3", "fits:SCI,4"), "has no SCI,4"),
        (tree_edit(r"\nexposures:\n", r"\n[xposures:\n"), "damaged ASDF tree"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "has bytes after its"),
        (lambda path: os.truncate(path, 100_000), "is truncated"),
        (lambda path: os.truncate(path, path.stat().st_size - 2880), "truncated"),
        (lambda path: path.write_bytes(b""), "cannot be read as FITS"),
        (lambda path: path.unlink(), "is missing"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_damage_is_named(damage: Damage, message: str, product: Path, verifier: Verifier):
    damage(product)
    (verdict,) = verifier.verify(str(product))
    assert verdict.status == "damaged"
    assert re.search(message, verdict.to_row()["verdict"]), verdict


def test_damaged_hdus_are_all_named(product: Path, verifier: Verifier):
    """A flipped bit, a value, a comment, the structure of an HDU, and the PRIMARY header."""
    for damage in (
        change("DQ", 2, flip),
        replace(b"BUNIT   = 'MJy", b"BUNIT   = 'mJy", "SCI", 2),
        replace(b"/ Slit name", b"/ slit name", "SCI", 2),
        replace(b"BZERO   =           2147483648", b"BZERO   =           2147483647", "DQ", 3),
        replace(b"TITLE   = 'A simulated", b"TITLE   = 'Another one", None, 1),
    ):
        damage(product)
    errors = verifier.verify(str(product))[0].errors
    messages = (
        r"\(_fits_hash\)$",
        r"its PRIMARY header differs from jw\w+.fits: TITLE$",
        r"entry 2, slit 2 .* of jw\w+_00002_\w+.fits: differs in data of DQ, card SLTNAME of SCI, "
        "card BUNIT of SCI$",
        r"entry 3 \(.*\): .* in its tree$",
        "entry 3, .*: differs in array of DQ$",
    )
    assert len(errors) == len(messages), errors
    for error, message in zip(errors, messages, strict=True):
        assert re.search(message, error), error


def test_products_of_the_pipeline_are_sound(run: Run, product: Path, verifier: Verifier):
    models = [datamodels.open(path) for path in run.exposures]
    common = exp_to_source(models)["10006_61"]
    common.save(product)
    for model in (*models, common):
        model.close()
    assert verifier.verify(str(product))[0].to_row()["verdict"] == "ok"


def test_sound_products_are_opened_together(
    run: Run, product: Path, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
):
    """Only a product that is not sound is opened alone."""
    opened: list[str] = []
    monkeypatch.setattr(products, "open_model", lambda path: opened.append(path) or "")
    change("DQ", 2, flip)(product)
    verdicts = verifier.verify(*map(str, [*run.products, product]))
    assert [verdict.status for verdict in verdicts] == [*["sound"] * len(run.products), "damaged"]
    assert opened == [str(product)]


def add_hdu(parts: Parts) -> None:
    cards, data = parts.hdus[1]
    words = (b"XTENSION", b"BITPIX", b"NAXIS", b"PCOUNT", b"GCOUNT", b"EXTNAME", b"EXTVER")
    own = [card.replace(b"'SCI", b"'OWN") for card in cards if card.startswith(words)]
    parts.hdus.append((own, data))


def remove_value(parts: Parts) -> None:
    set_tree("ra_v1: [-+.0-9e]+", "ra_v1: .nan")(parts)
    remove_cards(0, b"RA_V1 ")(parts)


#: What is odd in an exposure, the status of its product then, and the message.
ODDITIES = {
    "an HDU after the tree": (add_hdu, "sound", "ok"),
    "an attribute of no schema": (set_tree(r"\nslits:", r"\nown: 1\nslits:"), "sound", "ok"),
    "NaN without a card": (remove_value, "sound", "ok"),
    "a name in lower case": (set_card(1, "EXTNAME = 'sci     '"), "sound", "ok"),
    "a key of a transform": (
        set_tree("coefficients:", "coefficiants:"), "unproved", "cannot be opened .*coefficien"
    ),
    "a tag": (set_tree("transform/shift-", "transform/shoft-"), "unproved", "cannot be opened"),
    "WCS": (
        set_tree(r"( +)wcs: !(?s:.)*?(?=\n\1\w)", r"\1wcs: {a: 1}"), "unproved", "WCS of no use"
    ),
    "another type": (
        set_card(1, "BITPIX  =                   32"),
        "damaged", r"SCI is int32 \[4, 8\], but float32 \[4, 8\] in its tree",
    ),
}  # fmt: skip


@pytest.mark.parametrize("oddity", ODDITIES)
def test_odd_exposures(oddity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    change, status, message = ODDITIES[oddity]
    # What the index refuses today must not be let pass by its judge.
    monkeypatch.setattr(reader, "required_keys", dict)
    monkeypatch.setattr(exposure, "describe_mismatch", lambda *_: None)
    monkeypatch.setattr(exposure, "find_cast", lambda *_: None)
    monkeypatch.setattr(records, "find_cast", lambda *_: None)
    monkeypatch.setattr(headers, "product_datatype", lambda hdu: header_datatype(hdu.header))
    (path,) = simulate(Simulation(exposures=1, sources=1, shape=(4, 8)), tmp_path)
    parts = split(path.read_bytes())
    change(parts)
    path.write_bytes(parts.join(true_hash=True))
    (product,) = regroup([path], tmp_path, options=DEFAULT_OPTIONS)
    fingerprint_exposure(str(path), str(tmp_path / "exposures" / f"{path.stem}.jsonl"))
    (verdict,) = Verifier(str(tmp_path / "exposures")).verify(str(product))
    assert verdict.status == status
    assert re.search(message, verdict.to_row()["verdict"])


def test_exposure_that_cannot_be_read(run: Run, tmp_path: Path):
    path = Path(shutil.copy(run.exposures[0], tmp_path))
    os.truncate(path, 50_000)
    with pytest.raises(InputError, match="is truncated"):
        fingerprint_exposure(str(path), str(tmp_path / "x.jsonl"))
