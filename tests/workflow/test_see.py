"""What a person sees of a run: the table of sources, and how it ended."""

import os
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from snake import Workflow

from exp_to_source.cli import main
from exp_to_source.index.fitsfile import scan
from exp_to_source.index.records import wavelength_range
from exp_to_source.simulate.exposures import Simulation, simulate


def test_table_of_sources_and_the_end_of_a_run(tmp_path: Path):
    what = {"exposures": 2, "background": 1, "virtual": 1, "detectors": ("nrs1", "nrs2")}
    paths = simulate(Simulation(sources=3, shape=(4, 8), **what), tmp_path / "data")
    work = Workflow(tmp_path / "work", {"exposures": tmp_path / "data"}, printing=())
    results = work.folder / "results"
    result = work.run("sources", exclude="class:v", min_exposures=2)
    assert result.status == 0, result.text
    lines = result.text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("product "))
    assert lines[start].split() == [
        *("product", "id", "name", "class", "exposures", "slits"),
        *("detectors", "microns", "pixels", "size"),
    ]
    shown = [line.split() for line in lines[start + 1 : start + 5]]
    assert [row[3] for row in shown] == ["background", "source", "source", "source"]
    assert all(row[4:8] == ["4", "4", "nrs1,nrs2", "1.66-3.17"] for row in shown)
    assert lines[start + 5].startswith("4 sources, ")
    assert lines[start + 6] == "1 more left out, see results/left_out.tsv"
    assert lines[-2] == f"4 sources in {results}/sources.tsv, 1 left out by choice"
    assert lines[-1] == "next: the same command without 'sources' makes the products"
    assert not work.products

    # Without virtual slits, all shapes are those of the exposures; astropy has the units.
    shapes: dict[int, set[tuple[int, int]]] = {}
    for path in paths:
        with fits.open(path) as hdus:
            for hdu in hdus:
                if hdu.name == "SCI":
                    shapes.setdefault(hdu.header["SOURCEID"], set()).add(hdu.data.shape)
    table, rows = Table.read(results / "sources.ecsv"), work.sources
    assert table.colnames == list(rows[0])
    assert list(table["product"]) == [row["product"] for row in rows]
    for row in table:
        largest = tuple(max(sizes) for sizes in zip(*shapes[row["source_id"]], strict=True))
        assert (row["rows"], row["columns"]) == largest
    assert table["wavelength_min"].unit == table["wavelength_max"].unit == u.um
    assert table["bytes"].unit == u.byte
    assert table["rows"].unit == table["columns"].unit == u.pix
    assert list(table["bytes"]) == [int(row["bytes"]) for row in rows]
    assert max(table["wavelength_max"].to(u.nm).value) == pytest.approx(3170, abs=0.1)

    result = work.run()
    assert result.status == 0, result.text
    assert f"5 products in {results}/products (" in result.text
    assert ": 5 new\n" in result.text
    # The last line is ours: what to do next.
    assert result.text.splitlines()[-1].startswith("next: ")
    assert "gather_source" in result.text  # In the count of jobs.
    assert "Gathering" not in result.text
    next((results / "products").iterdir()).unlink()
    assert ": 1 new, 4 rebuilt\n" in work.run("--forcerun=gather_source").text


def test_long_lists_are_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    names = ("product", "source_id", "source_name", "class", "exposures", "slits", "detectors")
    names += ("wavelength_min", "wavelength_max", "rows", "columns", "bytes")
    values = ("p", "1", "a" * 40, "s", "2", "3", "", "", "", "", "", "1000000")
    text = "\t".join(names) + "\n" + ("\t".join(values) + "\n") * 5
    (tmp_path / "sources.tsv").write_text(text)
    main(["sources", str(tmp_path / "sources.tsv"), "--rows", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == [
        *("p", "1", "a" * 21 + "...", "source", "2", "3", "-", "-", "?x?", "1.0", "MB")
    ]
    assert lines[3:] == [
        "... and 3 more",
        f"5 sources, 5.0 MB; all columns: {tmp_path}/sources.tsv, sources.ecsv",
    ]


@pytest.mark.parametrize("vertical", [False, True])
def test_wavelengths_are_those_of_the_plane(vertical: bool, tmp_path: Path):
    """Tilted lines, with margins that have no wavelength."""
    rows, columns = np.mgrid[:9, :40]
    plane = (1 + columns / 10 + rows / 1000).astype(">f4")
    plane[:, :3] = np.nan
    plane[:, -2:] = 0
    expected = [plane[2, 3], plane[6, -3]]
    assert limits(plane.T if vertical else plane, vertical, tmp_path) == pytest.approx(expected)
    falling = plane[:, ::-1]
    assert limits(falling.T if vertical else falling, vertical, tmp_path) == pytest.approx(expected)
    assert limits(np.full((3, 4), np.nan, ">f4"), vertical, tmp_path) == ()
    assert limits(np.ones((3, 4), ">i4"), vertical, tmp_path) == ()
    assert limits(np.full((1, 1), 2.5, ">f4"), vertical, tmp_path) == (2.5, 2.5)


def limits(plane: np.ndarray, vertical: bool, folder: Path) -> tuple[float, ...]:
    path = folder / "plane.fits"
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ascontiguousarray(plane))])
    hdus.writeto(path, overwrite=True)
    file = os.open(path, os.O_RDONLY)
    try:
        _, image = scan(file, str(path))
        data = os.pread(file, image.data_size, image.data_start)
        return wavelength_range(data, image, vertical)
    finally:
        os.close(file)
