"""Products of the jwst package, and where ours differ from them."""

import io
import struct
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asdf
import numpy as np
import pytest
from adversity.judge import judge
from asdf.util import load_yaml
from astropy.io import fits
from jwst.exp_to_source import exp_to_source
from stdatamodels.fits_support import fits_hash
from stdatamodels.jwst import datamodels
from stdatamodels.jwst.datamodels import MultiSlitModel

from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.associations import Association
from exp_to_source.sources.families import GroupingOptions
from exp_to_source.sources.join_table import Joins
from exp_to_source.sources.joining import NO_JOINS
from exp_to_source.sources.listing import list_sources
from exp_to_source.tables import read_sources
from exp_to_source.verify.fingerprints import fingerprint_exposure
from exp_to_source.verify.products import Verifier

CARD = 80
BLOCK_MAGIC = b"\xd3BLK"
BLOCK_HEADER = struct.Struct(">I4sQQQ16s")
ABSENT = "(absent)"

#: Grouping of jwst; exposures may be copies of one.
AS_JWST = GroupingOptions(group_by="source_name", on_doubt="warn")

#: Top of the tree: what depends on the software and the time of writing.
NOT_COMPARED = ("asdf_library", "history", "_fits_hash")


class Difference(NamedTuple):
    """A place where two products differ, and what they have there."""

    place: str
    ours: Any
    official: Any


class Product(NamedTuple):
    """Content of a product, as far as it is compared."""

    cards: list[tuple[str, list[str]]]
    data: list[bytes]
    tree: dict[str, Any]
    source: tuple[int, str]


def simulated(folder, edit=None, **options):
    """Simulate exposures of small slits; `edit` takes each data model to save and its number."""

    def on_save(model, path):
        if edit:
            edit(model, model.meta.dither.position_number)
        save(model, path)

    save = MultiSlitModel.on_save
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MultiSlitModel, "on_save", on_save)
        return simulate(Simulation(shape=(4, 6), **options), folder / "exposures")


def differences(
    paths: list[Path],
    folder: Path,
    association: Association | None = None,
    opened: bool = False,
) -> list[Difference]:
    """Regroup exposures in both ways and compare the products.

    Parameters
    ----------
    paths : list of Path
        The exposures.
    folder : Path
        Where to work.
    association : Association, optional
        Of these exposures.
    opened : bool
        Whether to open the first of our products as a data model, too, which takes a second.
    """
    associations = [association] if association else []
    ours = {}
    for path in regroup(paths, folder / "ours", associations, options=GroupingOptions()):
        product = read_product(path)
        ours[product.source] = path, product
    found = []
    for model in regroup_officially(paths, association):
        entry = model.exposures[0]
        path, product = ours.pop((entry.source_id, (entry.source_name or "").strip()))
        official = folder / "official" / path.name
        official.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Cards that are too long for their comment.
            model.save(official)
        found += compare(product, read_product(official))
        if opened:
            check_opens(path, model)
            opened = False
    assert not ours
    return found


def regroup(
    paths: list[Path],
    folder: Path,
    associations: Iterable[Association] = (),
    joins: Joins = NO_JOINS,
    options: GroupingOptions = AS_JWST,
) -> list[Path]:
    """Make our products."""
    indices = [folder / "index" / f"{path.stem}.txt" for path in paths]
    for path, index in zip(paths, indices, strict=True):
        index_exposure(str(path), str(index))
    table = folder / "sources.tsv"
    list_sources(map(str, indices), str(table), associations, options=options, joins=joins)
    products = []
    for name in read_sources(str(table)):
        products.append(folder / "products" / f"{name}_cal.fits")
        manifest = str(folder / "manifests" / f"{name}.txt")
        gather_source(manifest, str(products[-1]), str(folder / "index"))
    return products


def regroup_officially(
    paths: list[Path], association: Association | None
) -> list[datamodels.MultiExposureModel]:
    """Regroup exposures as calwebb_spec3 does, which first names the association in each."""
    with warnings.catch_warnings(), asdf.config_context() as config:
        warnings.simplefilter("ignore")
        config.validate_on_read = False  # For the sake of time.
        exposures = [datamodels.open(path) for path in paths]
        if association:
            for exposure in exposures:
                exposure.meta.asn.table_name = Path(association.path).name
                exposure.meta.asn.pool_name = association.pool
        return list(exp_to_source(exposures).values())


def read_product(path: Path) -> Product:
    """Read a product, and check that its hash is that of its headers."""
    raw = path.read_bytes()
    cards, data = [], []
    with fits.open(path) as hdus:
        for hdu in hdus:
            place = hdu.fileinfo()
            header, content = raw[place["hdrLoc"] : place["datLoc"]], place["datLoc"]
            if hdu.name == "ASDF":
                document = raw[content : content + hdu.header["NAXIS1"]]
                continue
            images = [header[at : at + CARD].decode() for at in range(0, len(header), CARD)]
            images = images[: images.index("END".ljust(CARD))]
            images = [image for image in images if image[:8].strip() not in ("DATE", "HISTORY")]
            cards.append((f"{hdu.name},{hdu.ver}", images))
            data.append(raw[content : content + place["datSpan"]])
        tree = load_yaml(io.BytesIO(document), tagged=True)
        assert tree["_fits_hash"] == fits_hash(hdus)
    for key in NOT_COMPARED:
        tree.pop(key, None)
    del tree["meta"]["date"]
    first = tree["exposures"][0]
    source = first["source_id"], str(first.get("source_name") or "").strip()
    return Product(cards, data, plain(tree, read_blocks(document)), source)


def read_blocks(document: bytes) -> list[bytes]:
    """Contents of the internal blocks of an ASDF file."""
    blocks = []
    position = document.index(b"\n...\n") + 5
    while document[position : position + 4] == BLOCK_MAGIC:
        size = int.from_bytes(document[position + 4 : position + 6])
        _, _, allocated, used, _, _ = BLOCK_HEADER.unpack_from(document, position + 6)
        position += 6 + size
        blocks.append(document[position : position + used])
        position += allocated
    return blocks


def plain(node: Any, blocks: list[bytes]) -> Any:
    """Tree of mappings, lists and text, in which tags count and blocks stand for their numbers."""
    tag = getattr(node, "_tag", "")
    if isinstance(node, dict):
        parts = {key: plain(value, blocks) for key, value in node.items()}
        if "ndarray" in tag and isinstance(node["source"], int):
            parts["source"] = blocks[node["source"]].hex()
        return parts | {"tag": tag}
    if isinstance(node, list):
        return [plain(value, blocks) for value in node] + [tag]
    return repr(node) + tag


def compare(ours: Product, official: Product) -> list[Difference]:
    """Tell the differences of two products."""
    names = [[name for name, _ in product.cards] for product in (ours, official)]
    if names[0] != names[1]:
        return [Difference("HDUs", *names)]
    found = []
    for (name, images), (_, others) in zip(ours.cards, official.cards, strict=True):
        found += compare_cards(name, images, others)
    for name, data, other in zip(names[0], ours.data, official.data, strict=True):
        if data != other:
            found.append(Difference(f"data of {name}", len(data), len(other)))
    return [*found, *compare_trees("", ours.tree, official.tree)]


def compare_cards(name: str, ours: list[str], official: list[str]) -> Iterator[Difference]:
    """Tell the differences of two headers: of their order if it differs, else card by card."""
    keywords = [[image[:8].strip() for image in images] for images in (ours, official)]
    if keywords[0] != keywords[1]:
        only = [
            [image for image in a if image not in b]
            for a, b in ((ours, official), (official, ours))
        ]
        yield Difference(name, *only)
        return
    for image, other in zip(ours, official, strict=True):
        if image != other:
            yield Difference(f"{name} {image[:8].strip()}", image.strip(), other.strip())


def compare_trees(place: str, ours: Any, official: Any) -> Iterator[Difference]:
    """Tell the differences of two trees."""
    if isinstance(ours, dict) and isinstance(official, dict):
        for key in sorted(ours.keys() | official.keys()):
            parts = ours.get(key, ABSENT), official.get(key, ABSENT)
            yield from compare_trees(f"{place}.{key}", *parts)
    elif isinstance(ours, list) and isinstance(official, list) and len(ours) == len(official):
        for number, parts in enumerate(zip(ours, official, strict=True)):
            yield from compare_trees(f"{place}[{number}]", *parts)
    elif ours != official:
        yield Difference(place.removeprefix("."), ours, official)


def check_opens(path: Path, official: datamodels.MultiExposureModel) -> None:
    """Check that a product is valid, and that its WCSs give the values of the official ones."""
    with datamodels.open(path, strict_validation=True) as model:
        assert type(model) is datamodels.MultiExposureModel
        model.validate()
        assert len(model.exposures) == len(official.exposures)
        for entry, other in zip(model.exposures, official.exposures, strict=True):
            rows, columns = entry.data.shape
            points = np.mgrid[0 : columns : columns / 2, 0 : rows : rows / 2]
            world, expected = (
                np.array([np.asarray(axis, float) for axis in wcs(*points)])
                for wcs in (entry.meta.wcs, other.meta.wcs)
            )
            assert np.isfinite(world).any()
            assert world.tobytes() == expected.tobytes()


def assert_equal_to_jwst(paths: list[Path], products: list[Path], folder: Path) -> None:
    """Assert that products equal those of jwst, whatever the standards of their exposures."""
    official = folder / "official"
    official.mkdir()
    verdict = judge(paths, products, official, remarks=[])
    assert (verdict.outcome, verdict.details) == ("equal", [])


def assert_verified(paths: list[Path], products: list[Path], folder: Path) -> list[str]:
    """Assert that `verify` finds no error and nothing that it cannot verify; return its notes."""
    for path in paths:
        fingerprint_exposure(str(path), str(folder / "fingerprints" / f"{path.stem}.jsonl"))
    verifier = Verifier(str(folder / "fingerprints"))
    results = [verifier.verify(str(product)) for product in products]
    for result in results:
        assert (result.errors, result.unverified) == ([], [])
    return [note for result in results for note in result.notes]


def open_quietly(path: Path) -> datamodels.MultiExposureModel:
    """Open a product with all checks; it must be valid and not warn."""
    with warnings.catch_warnings(action="error"):
        model = datamodels.open(path, strict_validation=True)
        model.validate()
    assert type(model) is datamodels.MultiExposureModel
    return model
