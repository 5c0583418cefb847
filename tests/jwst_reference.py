"""Products of the jwst package, and where ours differ from them."""

import io
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asdf
import numpy as np
import pytest
from adversity.judge import blocks_of, judge
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
        source, content = read_product(path)
        ours[source] = path, content
    found = []
    (folder / "official").mkdir(parents=True)
    for model in regroup_officially(paths, association):
        entry = model.exposures[0]
        path, content = ours.pop((entry.source_id, (entry.source_name or "").strip()))
        official = folder / "official" / path.name
        with warnings.catch_warnings(action="ignore"):  # Cards that are too long for their comment.
            model.save(official)
        _, theirs = read_product(official)
        places = dict.fromkeys((*content, *theirs))
        pairs = [(place, content.get(place, ABSENT), theirs.get(place, ABSENT)) for place in places]
        found += [Difference(*pair) for pair in pairs if pair[1] != pair[2]]
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


def read_product(path: Path) -> tuple[tuple[int, str], dict[str, Any]]:
    """Read a product: its source, and content by place; check its hash."""
    raw = path.read_bytes()
    content: dict[str, Any] = {"HDUs": []}
    with fits.open(path) as hdus:
        for hdu in hdus[:-1]:
            name, place = f"{hdu.name},{hdu.ver}", hdu.fileinfo()
            header = raw[place["hdrLoc"] : place["datLoc"]].decode().rstrip()
            images = [header[at : at + CARD].rstrip() for at in range(0, len(header), CARD)]
            images = [card for card in images if card[:8].strip() not in ("DATE", "HISTORY")]
            words = [card[:8].strip() for card in images]
            content["HDUs"].append(name)
            content[name] = words
            for word in words:
                cards = [card for card, other in zip(images, words, strict=True) if other == word]
                content[f"{name} {word}"] = "\n".join(cards)
            content[f"data of {name}"] = raw[place["datLoc"] : place["datLoc"] + place["datSpan"]]
        start = hdus[-1].fileinfo()["datLoc"]
        document = raw[start : start + hdus[-1].header["NAXIS1"]]
        tree = load_yaml(io.BytesIO(document), tagged=True)
        assert hdus[-1].name == "ASDF" and tree["_fits_hash"] == fits_hash(hdus)
    for key in NOT_COMPARED:
        tree.pop(key, None)
    del tree["meta"]["date"]
    first = tree["exposures"][0]
    source = first["source_id"], str(first.get("source_name") or "").strip()
    return source, content | dict(flatten("", tree, list(blocks_of(document))))


def flatten(place: str, node: Any, blocks: list[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield tags and values of a tree by place, in which blocks stand for their numbers."""
    tag = getattr(node, "_tag", "")
    if isinstance(node, (dict, list)):
        yield place, f"{type(node).__name__} of {len(node)} {tag}"
        for key, part in node.items() if isinstance(node, dict) else enumerate(node):
            if key == "source" and "ndarray" in tag and isinstance(part, int):
                part = blocks[part]
            inner = f"[{key}]" if isinstance(node, list) else f".{key}" if place else str(key)
            yield from flatten(place + inner, part, blocks)
    else:
        yield place, repr(node) + tag


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
