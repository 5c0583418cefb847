"""What is told of a run as a whole."""

import re
from pathlib import Path

import pytest

from exp_to_source.errors import InputError
from exp_to_source.index.indexing import index_exposure
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.associations import read_association
from exp_to_source.sources.families import GroupingOptions
from exp_to_source.sources.listing import list_sources

SLITS = {"mode": "fixed-slit", "fixed_slits": ("S200A1", "S200A2"), "primary_slit": "S200A2"}


def listed(folder: Path, paths: list[Path], options: GroupingOptions, associations=()) -> list[str]:
    indices = [str(folder / "index" / f"{path.stem}.txt") for path in paths]
    for path, index in zip(paths, indices, strict=True):
        index_exposure(str(path), index)
    return list_sources(indices, str(folder / "sources.tsv"), associations, options)


def fixed_slits(folder: Path, *versions: str) -> list[Path]:
    """An exposure of each version, of names that follow each other."""
    paths = []
    for number, version in enumerate(versions, 1):
        what = {"exposures": number, "version": version, "shape": (4, 8)}
        paths.append(simulate(Simulation(**SLITS, **what), folder / version)[-1])
    return paths


@pytest.mark.parametrize(
    ("versions", "fixed_slit_ids", "warned"),
    [
        (("1.11.4", "1.16.0"), "header", True),
        (("1.11.4", "1.16.0"), "table", False),
        (("1.16.0", "2.0.1"), "header", False),
        (("1.8.2", "1.11.4"), "header", False),
    ],
)
def test_fixed_slits_that_are_numbered_in_two_ways(
    tmp_path: Path, versions: tuple[str, ...], fixed_slit_ids: str, warned: bool
):
    options = GroupingOptions(fixed_slit_ids=fixed_slit_ids)
    messages = str(listed(tmp_path, fixed_slits(tmp_path, *versions), options))
    warning = "00001_nrs1_cal numbers its fixed slits as pipelines before 1.12 did"
    assert (warning in messages) == warned
    assert ("'fixed_slit_ids: table' makes one product of each slit" in messages) == warned


def test_exposures_in_and_beside_an_association(tmp_path: Path):
    """The remedy is not one that leads to the same conflict."""
    paths = simulate(Simulation(exposures=2, sources=2, shape=(4, 8), association=True), tmp_path)
    (table,) = tmp_path.glob("*_asn.json")
    exposures = [path for path in paths if path.suffix == ".fits"]
    association = read_association(str(table))
    association = association._replace(science=association.science[:1])
    with pytest.raises(InputError) as error:
        listed(tmp_path, exposures, GroupingOptions(), [association])
    assert "two groups" in str(error.value)
    assert "name all of them in one association" in str(error.value)
    assert "group_by" not in str(error.value)


def test_exposures_of_several_gratings_in_an_association(tmp_path: Path):
    what = {"mode": "mos", "sources": 1, "shape": (4, 8), "association": True}
    one, table = simulate(Simulation(**what, exposures=1), tmp_path / "one")
    elements = {"filter": "F100LP", "grating": "G140H"}
    other = simulate(Simulation(**what, exposures=2, elements=elements), tmp_path / "other")[1]
    association = read_association(str(table))._replace(science=[str(one), str(other)])
    said = "\n".join(listed(tmp_path, [one, other], GroupingOptions(), [association]))
    assert (
        f"{table.name}: its exposures have different optical elements ({one.stem}: "
        f"nirspec_f170lp-g235m, {other.stem}: nirspec_f100lp-g140h), and its products combine them"
    ) in said
    # Names of products have the elements if there is no association.
    assert "optical elements" not in str(listed(tmp_path, [one, other], GroupingOptions()))


def test_families_whose_spectra_would_be_in_one_table(tmp_path: Path):
    associations, paths = [], []
    for number, name in ((1, "My-{source_id}"), (2, "my_{source_id}")):
        what = {"mode": "niriss-wfss", "exposures": 1, "source_ids": (number,), "shape": (4, 8)}
        folder = tmp_path / str(number)
        *found, path = simulate(Simulation(**what, observation=number, association=True), folder)
        path.write_text(re.sub(r'"name": "[^"]*"', f'"name": "{name}"', path.read_text()))
        associations.append(read_association(str(path)))
        paths += found
    (warning,) = (
        text for text in listed(tmp_path, paths, GroupingOptions(), associations) if "one" in text
    )
    assert warning.startswith("spectra of My-{source_id} and my_{source_id} would be in one table")
