"""Transforms that no reader can make are refused when an exposure is indexed."""

from pathlib import Path

import pytest

from exp_to_source.errors import InputError
from exp_to_source.index.indexing import index_exposure
from exp_to_source.simulate.exposures import Simulation, simulate
from update_tables import format_tables


def test_tables_are_in_step_with_the_libraries():
    for path, text in format_tables().items():
        assert path.read_text(encoding="utf-8") == text, path


def test_transform_without_a_key(tmp_path: Path):
    (path,) = simulate(Simulation(exposures=1, sources=2, shape=(4, 8)), tmp_path)
    content, index = path.read_bytes(), tmp_path / "index.txt"
    for key, sentence in (
        (b"coefficients:", r"slit 2 .* asdf/transform/poly\S+ without coefficients"),
        (b"matrix:", r"slit 2 .* asdf/transform/affine-\S+ without matrix"),
        (b"steps:", r"slit 2 .* gwcs/wcs-\S+ without steps"),
        (b"extension_class:", r"asdf/core/extension_\S+ without extension_class"),
    ):
        start = content.rindex(key)
        path.write_bytes(content[:start] + b"other" + content[start + 5 :])
        with pytest.raises(InputError, match=sentence):
            index_exposure(str(path), str(index))
        assert not index.exists()
    path.write_bytes(content)
    index_exposure(str(path), str(index))
    assert index.exists()
