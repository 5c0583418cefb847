"""Make the files here of the full set: of each era and mode the first exposure, compressed."""

import argparse
import gzip
from pathlib import Path


def main() -> None:
    """Read the command line, write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="folder of the full set: eras/*/*, shared_wcs")
    source = parser.parse_args().source
    for folder in (*sorted(source.glob("eras/*/*")), source / "shared_wcs"):
        first = min(folder.glob("*_cal.fits"))
        packed = Path(__file__).parent / folder.relative_to(source) / f"{first.name}.gz"
        packed.parent.mkdir(parents=True, exist_ok=True)
        packed.write_bytes(gzip.compress(first.read_bytes(), 9, mtime=0))


if __name__ == "__main__":
    main()
