"""Files that the source list leaves, with few and with many products."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from fake_run import write_fake_run

from exp_to_source.index.indexing import index_exposure
from exp_to_source.results import spectrum_path, stack_path
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources import listing
from exp_to_source.sources.entries import find_corners
from exp_to_source.tables import read_sources


def indices(results: Path) -> list[str]:
    return [str(path) for path in sorted((results / "index").iterdir())]


@pytest.mark.parametrize("sources", [5, 2 * listing.PARALLEL_THRESHOLD])
def test_each_product_has_a_manifest_before_the_table_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: int
):
    results = write_fake_run(tmp_path, sources, 4)
    table, manifests = results / "new.tsv", results / "manifests"
    before = {path.name: path.read_bytes() for path in manifests.iterdir()}
    last = max(before)
    for path in manifests.iterdir():
        path.unlink()
    real = listing.write_file

    def full(path: str, content: bytes):
        if path.endswith(last):
            raise OSError(28, "No space left on device", path)
        real(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(listing, "write_file", full)
        with pytest.raises(OSError, match="No space left"):
            listing.list_sources(indices(results), str(table))
    assert not table.exists()
    listing.list_sources(indices(results), str(table))
    assert {path.name: path.read_bytes() for path in manifests.iterdir()} == before
    assert {f"{name}.txt" for name in read_sources(str(table))} == before.keys()
    said, *_ = listing.list_sources(indices(results), str(table))
    assert "; 0 new or changed" in said


def test_what_the_tables_have_from_headers_of_slits(tmp_path: Path):
    paths = simulate(
        Simulation(sources=2, background=1, virtual=1, exposures=2, shape=(4, 8)), tmp_path
    )
    with fits.open(paths[0]) as hdus:
        headers = {hdu.header["SOURCEID"]: hdu.header for hdu in hdus if hdu.name == "SCI"}
    files = [f"{tmp_path}/{path.stem}.txt" for path in paths]
    for path, file in zip(paths, files, strict=True):
        index_exposure(str(path), file)
    listing.list_sources(files, f"{tmp_path}/sources.tsv")
    table = Table.read(tmp_path / "sources.ecsv")
    assert table["ra"].unit == table["dec"].unit == "deg"
    assert list(table["class"]) == ["b", "s", "s", "v"]
    for row in table:
        header, is_source = headers[row["source_id"]], row["class"] == "s"
        expected = [header["SRCRA"], header["SRCDEC"]] if is_source else [None] * 2
        assert [None if np.ma.is_masked(x) else x for x in row["ra", "dec"]] == expected
        assert row["source_type"] == header["SRCTYPE"]
        assert row["exposure_names"] == ",".join(path.stem for path in paths)
    entries = Table.read(tmp_path / "exposures.tsv", format="ascii.tab")
    assert list(entries["product"]) == [name for name in table["product"] for _ in paths]
    assert list(entries["exposure"]) == 4 * [path.stem for path in paths]
    row, header = entries[3], headers[table["source_id"][1]]
    expected = [header["SLTNAME"], header["SHUTSTA"], header["SRCRA"], header["SRCDEC"]]
    assert [str(row["slit_name"]), *row["shutter_state", "ra", "dec"]] == expected
    assert list(row["entry", "detector", "dither"]) == [2, "nrs1", 2]
    with fits.open(paths[1]) as hdus:
        assert row["exposure_time"] == hdus[0].header["EFFEXPTM"]
    lines = (tmp_path / "regions.reg").read_text().splitlines()
    assert len([line for line in lines if line.startswith("polygon(")]) == 8
    place = f"point({header['SRCRA']},{header['SRCDEC']}) #"
    (point,) = (line for line in lines if line.startswith(place))
    assert f" text={{{header['SOURCEID']}}} tag={{{row['product']}}}" in point


def test_spectra_of_groups_that_no_longer_exist_are_moved(tmp_path: Path):
    table = tmp_path / "sources.tsv"
    table.write_text("product\tfamily\na\tgone\nb\tstill\n")
    spectra = [
        *(Path(stack_path(str(tmp_path), family)) for family in ("gone", "still")),
        *(Path(spectrum_path(str(tmp_path), "gone", kind)) for kind in ("c1d", "x1d")),
    ]
    for path in spectra[:3]:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    listing.retire_tables(str(table), ["still", "new"])
    assert [path.exists() for path in spectra] == [False, True, False, False]
    stale = {path.name for path in (tmp_path / "stale").iterdir()}
    assert stale == {"gone_x1d.fits", "gone_c1d.fits"}
    for content in (b"\xff", b"product\n"):
        table.write_bytes(content)
        listing.retire_tables(str(table), [])


def test_corners_of_a_footprint():
    region = "POLYGON ICRS  10.0 -1 10.1 -1.0 10.1 1e-05"
    assert find_corners(region) == "10.0,-1,10.1,-1.0,10.1,1e-05"
    for other in ("", f"{region} 10", "CIRCLE ICRS 10 -1 0.1", "POLYGON ICRS 10 nan 11 1 12 1"):
        assert find_corners(other) == ""
