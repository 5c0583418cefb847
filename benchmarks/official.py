"""Regroup exposures with the jwst package, each phase timed: the reference of the benchmark.

One process, as the step of the pipeline is: all exposures are opened, regrouped, then saved.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PHASES = ("import", "open", "regroup", "save")


def main(report: Path, folder: Path, paths: list[str]) -> None:
    """Regroup, and write wall and CPU seconds of each phase, and the version of stdatamodels.

    Parameters
    ----------
    report : pathlib.Path
        JSON file to write.
    folder : pathlib.Path
        Where to save the products.
    paths : list of str
        The exposures, in order.
    """
    times: dict[str, Any] = {}

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        times[name] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}

    with phase("import"):
        import stdatamodels
        from jwst.exp_to_source import exp_to_source
        from stdatamodels.jwst import datamodels
    with phase("open"):
        exposures = [datamodels.open(path) for path in paths]
    with phase("regroup"):
        products = exp_to_source(exposures)
    with phase("save"):
        for key, product in products.items():
            product.save(str(folder / f"{key}_cal.fits"))
    times["stdatamodels"] = stdatamodels.__version__
    report.write_text(json.dumps(times))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
