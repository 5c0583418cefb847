"""Products of the jwst package, and where ours differ from them."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asdf
import pytest
from adversity.judge import compare, compare_wcs, judge, read
from jwst.exp_to_source import exp_to_source
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

#: Grouping of jwst; exposures may be copies of one.
AS_JWST = GroupingOptions(group_by="source_name", on_doubt="warn")


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
) -> list[str]:
    """Regroup exposures in both ways and compare the products, down to images of cards.

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
        product = read(path, exact=True)
        ours[source_of(product.tree)] = path, product
    found = []
    (folder / "official").mkdir(parents=True)
    for model in regroup_officially(paths, association):
        path, product = ours.pop(source_of(model.instance))
        official = folder / "official" / path.name
        with warnings.catch_warnings(action="ignore"):  # Cards that are too long for their comment.
            model.save(official)
        found += compare(product, read(official, exact=True))
        if opened:
            with open_quietly(path) as opened_product:
                found += compare_wcs(opened_product, model)
            opened = False
    assert not ours
    return found


def source_of(tree: dict[str, Any]) -> tuple[int, str]:
    """Id and name of the source of a product."""
    entry = tree["exposures"][0]
    return entry["source_id"], (entry.get("source_name") or "").strip()


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


def assert_equal_to_jwst(paths: list[Path], products: list[Path], folder: Path) -> None:
    """Assert that products equal those of jwst, whatever the standards of their exposures."""
    official = folder / "official"
    official.mkdir()
    with asdf.config_context() as config:
        config.validate_on_read = False  # For the sake of time.
        verdict = judge(paths, products, official, remarks=[])
    assert (verdict.outcome, verdict.details) == ("equal", [])


def assert_verified(paths: list[Path], products: list[Path], folder: Path) -> list[str]:
    """Assert that `verify` finds no error and nothing that it cannot verify; return its notes."""
    for path in paths:
        fingerprint_exposure(str(path), str(folder / "fingerprints" / f"{path.stem}.jsonl"))
    verifier = Verifier(str(folder / "fingerprints"))
    results = verifier.verify(*map(str, products))
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
