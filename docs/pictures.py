"""Redraw the pictures in the documents: simulate, run the workflow, and take screenshots.

It needs a browser (Chromium) for those of the report, and the jwst package for the spectrum.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from astropy.io import fits
from PIL import Image

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).with_name("images")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SOURCE = "jw10006-o010_s00059_nirspec_f170lp-g235m"


def main() -> None:
    """Redraw all pictures."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        sys.exit("pictures: no browser is installed; install Chromium")
    with tempfile.TemporaryDirectory() as folder:
        data, work = Path(folder, "data"), Path(folder, "work")
        run("scripts/exp-to-source", "simulate", data, "--exposures=6", "--sources=60",
            "--realistic", "--shape", "26", "700")  # fmt: skip
        run("-m", "snakemake", "--cores", "2", "--quiet", "all", "--snakefile", ROOT / "Snakefile",
            "--directory", work, f"results/quicklook/{SOURCE}.png", "report",
            "--config", f"exposures={data}")  # fmt: skip
        save(work / "results" / "quicklook" / f"{SOURCE}.png", IMAGES / "quicklook.png")
        page = work / "results" / "report.html"
        for name, height, script in (
            ("report", 1480, ""),
            ("source", 1130, f"openView(data.products.indexOf('{SOURCE}'))"),
        ):
            take(browser, page, Path(folder, f"{name}.png"), height, script)
            save(Path(folder, f"{name}.png"), IMAGES / f"{name}.png")
        # Last, so that the others are drawn without spectra.
        make_spectrum(data, work)
        draw_spectrum(work / "results" / "spec3" / SOURCE, Path(folder, "spectrum.png"))
        save(Path(folder, "spectrum.png"), IMAGES / "spectrum.png")


def run(*command: object) -> None:
    """Run Python in the root of the clone."""
    subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=True, capture_output=True)


def make_spectrum(data: Path, work: Path) -> None:
    """Make the spectrum of the source."""
    run("-m", "snakemake", "--cores", "2", "--quiet", "all", "--snakefile", ROOT / "Snakefile",
        "--directory", work, f"results/spec3/{SOURCE}_x1d.fits",
        "--config", f"exposures={data}", "offline=true")  # fmt: skip


def draw_spectrum(stem: Path, picture: Path) -> None:
    """Draw a resampled cut-out above the spectrum extracted from it."""
    cutout = fits.getdata(f"{stem}_s2d.fits", "SCI")
    table = fits.getdata(f"{stem}_x1d.fits", "EXTRACT1D")
    wavelength = table["WAVELENGTH"]
    flux, error = (table[name] * 1e6 for name in ("FLUX", "FLUX_ERROR"))
    figure, (above, below) = plt.subplots(
        2, figsize=(9, 3.6), sharex=True, height_ratios=(1, 3), layout="constrained"
    )
    above.pcolormesh(
        wavelength,
        np.arange(len(cutout)),
        np.arcsinh(cutout / np.nanpercentile(cutout, 99)),
        cmap="gray",
    )
    above.tick_params(bottom=False)
    above.set(yticks=[], title=f"{stem.name}: s2d and x1d")
    below.fill_between(wavelength, flux - error, flux + error, step="mid", color="#9ecae1")
    below.step(wavelength, flux, where="mid", color="#0b4f6c", linewidth=1)
    below.set(xlabel="wavelength (µm)", ylabel="flux (µJy)", xlim=wavelength[[0, -1]])
    figure.savefig(picture, dpi=100)


def take(browser: str, page: Path, picture: Path, height: int, script: str) -> None:
    """Take a picture of a page after a script ran in it."""
    html = page.read_text(encoding="utf-8")
    # The page runs no scripts but its own.
    html = re.sub("script-src '[^']*'", "script-src 'unsafe-inline'", html, count=1)
    copy = page.with_name("picture.html")
    copy.write_text(html.replace("<footer>", f"<script>{script}</script><footer>", 1), "utf-8")
    subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={page.parent / 'browser'}", f"--window-size=1240,{height}"),
            *("--virtual-time-budget=5000", f"--screenshot={picture}", copy.as_uri()),
        ],
        check=True,
        capture_output=True,
    )


def save(picture: Path, path: Path) -> None:
    """Save a picture with 256 colours, which takes half of the bytes."""
    Image.open(picture).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(
        path, optimize=True
    )
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
