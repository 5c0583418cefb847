"""Files that the source list leaves, with few and with many products."""

from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_run import write_fake_run

from exp_to_source.sources import listing
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
    real = listing.atomic_write

    @contextmanager
    def full(path: str):
        if path.endswith(last):
            raise OSError(28, "No space left on device", path)
        with real(path) as file:
            yield file

    with monkeypatch.context() as patch:
        patch.setattr(listing, "atomic_write", full)
        with pytest.raises(OSError, match="No space left"):
            listing.list_sources(indices(results), str(table))
    assert not table.exists()
    listing.list_sources(indices(results), str(table))
    assert {path.name: path.read_bytes() for path in manifests.iterdir()} == before
    assert {f"{name}.txt" for name in read_sources(str(table))} == before.keys()
    said, *_ = listing.list_sources(indices(results), str(table))
    assert "; 0 new or changed" in said
