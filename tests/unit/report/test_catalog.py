"""The catalogue has what is known of each source, and nothing of an earlier state of it."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from fake_run import write_fake_run

from exp_to_source.quicklook.spectra import Spectrum
from exp_to_source.report.catalog import COLUMNS, write_catalog
from exp_to_source.report.measure import encode
from exp_to_source.results import quicklook_path, spectrum_digest_path, spectrum_path
from exp_to_source.tables import read_sources


def write_spectrum(results: Path, name: str, digest: str, flux: float) -> None:
    """Write a spectrum of constant flux density (Jy) with the digest of its product."""
    path = Path(spectrum_path(str(results), name, "x1d"))
    path.parent.mkdir(exist_ok=True)
    columns = {"WAVELENGTH": np.arange(1.0, 9), "FLUX": np.full(8, flux)}
    table = Table(columns | {"FLUX_ERROR": np.full(8, flux / 5)}, units={"FLUX": "Jy"})
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(table, name="EXTRACT1D")]).writeto(path)
    record = Path(spectrum_digest_path(str(results), name))
    record.parent.mkdir(exist_ok=True)
    record.write_text(f"{digest} {hashlib.sha256(path.read_bytes()).hexdigest()}\n")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Make five sources: with a spectrum of now, of earlier, a sum, a sum without unit, nothing."""
    results = write_fake_run(tmp_path, sources=5, exposures=4, made=5)
    digests = {name: row["digest"] for name, row in read_sources(f"{results}/sources.tsv").items()}
    first, second, third, fourth, _ = digests
    write_spectrum(results, first, digests[first], 2.5e-6)
    Path(spectrum_path(str(results), first, "s2d")).touch()
    write_spectrum(results, second, digests[first], 2.5e-6)
    (results / "quicklook").mkdir()
    for name in (first, second):
        text = f"tEXtDigest\0{digests[first]}"
        Path(quicklook_path(str(results), name)).write_text(text)
    lines = []
    for name, unit in ((third, "µJy"), (fourth, "DN/s")):
        spectrum = Spectrum(np.arange(1.0, 10), np.arange(-1.0, 8), np.ones(9), unit)
        measurement = {
            "product": name, "digest": digests[name], "snr": 3.0, "line_snr": None,
            "usable": 98.5, "sums": [encode(spectrum, 9)],
        }  # fmt: skip
        lines.append(json.dumps(measurement))
    (results / "0.jsonl").write_text("\n".join(lines))
    return results


def test_catalogue_joins_what_is_known(results: Path):
    path = results / "catalog.fits"
    write_catalog(str(path), f"{results}/sources.tsv", [f"{results}/0.jsonl"])
    table, sources = Table.read(path), Table.read(results / "sources.ecsv")
    assert table.colnames == [column.name for column in COLUMNS]
    for name in ("product", "source_id", "ra", "dec", "wavelength_max", "slits"):
        assert list(table[name]) == list(sources[name])
    units = {name: str(table[name].unit) for name in ("ra", "flux_density", "magnitude")}
    assert units == {"ra": "deg", "flux_density": "uJy", "magnitude": "mag"}
    assert table["flux_density"][0] == pytest.approx(2.5)
    # The zero point is 3631 Jy.
    assert table["magnitude"][0] == pytest.approx(-2.5 * np.log10(2.5e-6 / 3631), abs=1e-4)
    assert table["flux_density"][2] == pytest.approx(3, abs=1e-3)
    assert list(np.isnan(table["flux_density"].filled(np.nan))) == [False, True, False, True, True]
    assert list(table["flux_from"].filled("")) == ["x1d", "", "sum", "", ""]
    assert list(table["snr"][2:4]) == [3, 3] and table["snr"].mask[4]
    assert table["usable"][2] == 0.985
    for name in ("cal", "x1d", "s2d", "picture"):
        paths = [str(text) for text in table[name] if text and text is not np.ma.masked]
        assert len(paths) == (5 if name == "cal" else 1)
        assert all((results / text).exists() for text in paths)
    header = fits.getheader(path, 1)
    assert (header["EXTNAME"], header["RADESYS"]) == ("CATALOG", "ICRS")
    number = 1 + table.colnames.index("ra")
    assert header[f"TUCD{number}"] == "pos.eq.ra;meta.main"
    before = path.read_bytes()
    write_catalog(str(path), f"{results}/sources.tsv", [f"{results}/0.jsonl"])
    assert path.read_bytes() == before


def test_catalogue_of_no_sources(results: Path):
    table = results / "sources.tsv"
    table.write_text(f"{table.read_text().splitlines()[0]}\n")
    write_catalog(f"{results}/catalog.fits", str(table), [])
    assert len(Table.read(results / "catalog.fits")) == 0
