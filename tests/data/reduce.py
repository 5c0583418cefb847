"""Make the files here of the full set, compressed; of `eras` and `shared_wcs` the first ones."""

import argparse
import gzip
import lzma
from pathlib import Path


def main() -> None:
    """Read the command line, write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="folder of the full set, with the folders here")
    source = parser.parse_args().source
    for folder in (*sorted(source.glob("eras/*/*")), source / "shared_wcs"):
        first = min(folder.glob("*_cal.fits"))
        packed = Path(__file__).parent / folder.relative_to(source) / f"{first.name}.gz"
        packed.parent.mkdir(parents=True, exist_ok=True)
        packed.write_bytes(gzip.compress(first.read_bytes(), 9, mtime=0))
    for path in (*source.glob("eras_flight/*/*/*_cal.fits"), *source.glob("flight/*")):
        # gzip looks back by less than a slit, so it does not see that slits repeat metadata.
        packed = Path(__file__).parent / path.relative_to(source).with_name(f"{path.name}.xz")
        packed.parent.mkdir(parents=True, exist_ok=True)
        packed.write_bytes(lzma.compress(path.read_bytes(), preset=9))


if __name__ == "__main__":
    main()
