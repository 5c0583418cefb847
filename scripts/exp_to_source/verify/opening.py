"""Open files as users do: as data models of stdatamodels, including the WCS."""

import gc
import io
import warnings
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import asdf
import numpy as np
import yaml
from asdf.exceptions import ValidationError
from astropy.io import fits

from ..errors import InputError
from ..hdus import IndexedHduList
from .asdf_reader import (
    CONSTRUCTOR,
    LOADER,
    YAML_TAG,
    find_tree_end,
    first_sentence,
    read_blocks,
)
from .schema import PRODUCT_MODEL

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def find_openable(paths: Iterable[str]) -> set[str]:
    """Find products that certainly open, are valid by the schema, and whose every WCS evaluates.

    Parameters
    ----------
    paths : iterable of str
        Products whose content was found to be that of their exposures.

    Returns
    -------
    set of str
        Those of which `open_model` need not be called: it would find no fault. Of the others it
        may find one, or none.

    Notes
    -----
    Most of the time to open a product is its WCSs', whose parts are nearly all equal. So these are
    cut out of the trees of the products, which are opened without, and opened as one ASDF file, in
    which equal parts are one node with aliases.
    """
    from stdatamodels.jwst import datamodels

    shared: dict[bytes, _WcsFile] = {}
    openable: set[str] = set()
    # Any reader or converter may raise any error; `open_model` reports it.
    with warnings.catch_warnings(action="ignore"):
        for path in paths:
            with suppress(Exception), fits.open(path, memmap=False) as hdus:
                data = hdus["ASDF"].data.field(0).reshape(-1)
                content = data.tobytes()
                end = find_tree_end(content)
                preamble = content[: content.index(b"%YAML")]
                root = yaml.compose(content[:end], Loader=LOADER)
                wcs_file = shared.setdefault(preamble, _WcsFile(preamble))
                wcs_file.cut(root, [block for block, _ in read_blocks(path, content, end)])
                text = preamble + _serialize(root)
                # The blocks, and the index of their offsets, stay where they are.
                data[:end] = np.frombuffer(text.ljust(end, b"\0"), np.uint8)
                indexed = IndexedHduList(hdus)
                with getattr(datamodels, PRODUCT_MODEL)(indexed, strict_validation=True) as model:
                    model.validate()
                wcs_file.paths.append(path)
            # Of the model, which is full of cycles.
            gc.collect(0)
        for wcs_file in shared.values():
            with suppress(Exception):
                wcs_file.evaluate()
                openable.update(wcs_file.paths)
    return openable


class _WcsFile:
    """ASDF file of the WCSs of several products, in which equal collections are one node."""

    def __init__(self, preamble: bytes) -> None:
        self.preamble = preamble
        self.paths: list[str] = []
        self.wcs: list[Any] = []
        self.collections: dict[tuple[Any, ...], Any] = {}
        self.blocks: dict[bytes, int] = {}

    def cut(self, root: Any, blocks: list[bytes]) -> None:
        """Move each WCS of the tree of a product to this file."""
        done: dict[Any, Any] = {}
        for exposures in _get_values(root, "exposures"):
            for meta in (meta for entry in exposures.value for meta in _get_values(entry, "meta")):
                self.wcs += [self.share(wcs, blocks, done) for wcs in _get_values(meta, "wcs")]
                meta.value = [pair for pair in meta.value if pair[0].value != "wcs"]

    def share(self, node: Any, blocks: list[bytes], done: dict[Any, Any]) -> Any:
        """Return the node of this file that equals a node; `done` has those of its document."""
        if isinstance(node, yaml.ScalarNode):
            return node
        if node not in done:
            is_mapping = isinstance(node, yaml.MappingNode)
            if "/core/ndarray-" in node.tag:
                for source in _get_values(node, "source"):
                    if source.tag == f"{YAML_TAG}int":
                        block = blocks[CONSTRUCTOR.construct_yaml_int(source)]
                        source.value = str(self.blocks.setdefault(block, len(self.blocks)))
            parts = [part for pair in node.value for part in pair] if is_mapping else node.value
            parts = [self.share(part, blocks, done) for part in parts]
            node.value = list(zip(*[iter(parts)] * 2, strict=True)) if is_mapping else parts
            # Scalars are as cheap as aliases.
            keys = [(p.tag, p.value) if isinstance(p, yaml.ScalarNode) else id(p) for p in parts]
            done[node] = self.collections.setdefault((node.id, node.tag, *keys), node)
        return done[node]

    def evaluate(self) -> None:
        """Build each WCS, validate it as data models do, and evaluate it."""
        key = yaml.ScalarNode(f"{YAML_TAG}str", "wcs")
        sequence = yaml.SequenceNode(f"{YAML_TAG}seq", self.wcs)
        root = yaml.MappingNode(f"{YAML_TAG}map", [(key, sequence)])
        content = b"".join((self.preamble, _serialize(root), *self.blocks))
        with asdf.open(io.BytesIO(content), ignore_missing_extensions=True) as file:
            file.validate()
            for wcs in file["wcs"]:
                wcs(*[1.0] * wcs.pixel_n_dim, with_bounding_box=False)


def _get_values(node: Any, key: str) -> list[Any]:
    return [value for name, value in node.value if name.value == key]


def _serialize(root: Any) -> bytes:
    """Write a tree as text, with an anchor and aliases for each node that it has repeatedly."""
    text: bytes = yaml.serialize(
        root,
        None,
        _DUMPER,
        explicit_start=True,
        explicit_end=True,
        version=(1, 1),
        encoding="utf-8",
    )
    return text


def open_model(path: str, model: str = PRODUCT_MODEL) -> str:
    """Open a file as its users do, and use each WCS; return what the schema does not accept."""
    try:
        _use_model(path, model, strict_validation=True)
    except ValidationError as invalid:
        # Users open it without validation; errors are then those of schemas within the tree.
        try:
            _use_model(path, model)
        except ValidationError as error:
            raise InputError(f"cannot be opened ({first_sentence(error)})") from None
        paragraph = str(invalid).split("\n\n")[0].splitlines()
        return " ".join(paragraph[1:] or paragraph)
    return ""


def _use_model(path: str, model: str, **options: bool) -> None:
    from stdatamodels.jwst import datamodels

    try:
        with warnings.catch_warnings(action="ignore"), datamodels.open(path, **options) as opened:
            opened.validate()
            model_type = type(opened).__name__
            for entry in getattr(opened, "exposures", ()) or getattr(opened, "slits", ()):
                _use_wcs(entry)
    except (ValidationError, InputError, MemoryError):
        raise
    except Exception as error:
        # Each library of converters raises different errors.
        raise InputError(f"cannot be opened ({first_sentence(error)})") from None
    if model_type != model:
        raise InputError(f"opens as a {model_type}")


def _use_wcs(entry: Any) -> None:
    if entry.meta.hasattr("wcs"):
        try:
            wcs = entry.meta.wcs
            wcs(*[1.0] * wcs.forward_transform.n_inputs, with_bounding_box=False)
        except MemoryError:
            raise
        except Exception as error:
            # A tag without a converter leaves a mapping instead of a WCS or of a part of it.
            raise InputError(f"has a WCS of no use ({first_sentence(error)})") from None
