"""Transforms that no reader can make are refused when an exposure is indexed."""

import re
from pathlib import Path

import pytest

from exp_to_source.errors import InputError
from exp_to_source.index.indexing import index_exposure
from exp_to_source.simulate.exposures import Simulation, simulate
from update_tables import format_tables


def test_tables_are_in_step_with_the_libraries():
    for path, text in format_tables().items():
        assert path.read_text(encoding="utf-8") == text, path


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("coefficients:", "coefficiants:", r"slit 2 .* asdf/transform/poly\S+ without coeff"),
        ("matrix:", "matrox:", r"slit 2 .* asdf/transform/affine-\S+ without matrix"),
        ("steps:", "stops:", r"slit 2 .* gwcs/wcs-\S+ without steps"),
        ("extension_class:", "extension_klass:", r"asdf/core/extension_\S+ without extension_c"),
    ],
)
def test_transform_without_a_key(right: str, wrong: str, said: str, tmp_path: Path):
    (path,) = simulate(Simulation(exposures=1, sources=2, shape=(4, 8)), tmp_path)
    content, index = path.read_bytes(), tmp_path / "index.txt"
    assert index_exposure(str(path), str(index)) is not None
    index.unlink()
    start = content.rindex(right.encode())
    path.write_bytes(content[:start] + wrong.encode() + content[start + len(right) :])
    with pytest.raises(InputError) as error:
        index_exposure(str(path), str(index))
    assert re.search(said, str(error.value)), error.value
    assert not index.exists()
