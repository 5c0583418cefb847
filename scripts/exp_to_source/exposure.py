"""One exposure: what it is, which slits it has, and where everything of each slit lies."""

import hashlib
import os
from dataclasses import dataclass
from typing import Any

from . import FORMAT
from .asdffile import Extension, read_extension
from .asdfslit import Slit
from .asdftree import Tree, UnusualLayoutError, parse
from .cards import planned_cards
from .errors import InputError
from .fitsfile import HDU, scan
from .fragments import apply_edits, quoted
from .grouping import exposure_name
from .headers import exposure_cards, left_out, plane_plans, primary_cards
from .index import DIGEST_SIZE, line, new_digest, seal, stamp, write_failure, write_index
from .keywords import table
from .nodes import Leaf, Node, at, mapping, merge, nest, value_at
from .normalise import normalise
from .spectral import wavelength_range

#: Exposure types whose exposures hold many sources (jwst 3.0, calwebb_spec3).
EXPOSURE_TYPES = ("NRS_MSASPEC", "NRS_FIXEDSLIT", "NRC_WFSS", "NIS_WFSS", "MIR_WFSS")

#: What others ask of an exposure: name in the index, path in its metadata.
IDENTITY = {
    "program": "observation.program_number",
    "observation": "observation.observation_number",
    "instrument": "instrument.name",
    "detector": "instrument.detector",
    "filter": "instrument.filter",
    "grating": "instrument.grating",
    "pupil": "instrument.pupil",
    "subarray": "subarray.name",
    "exposure_type": "exposure.type",
    "version": "calibration_software_version",
}

#: Top-level metadata that products write themselves.
OWN_KEYS = frozenset({"asn", "date", "exposure", "filename", "model_type"})

BUFFER = 1 << 20


@dataclass(slots=True)
class Exposure:
    """A file open for indexing, and what it holds."""

    path: str
    file: int
    hdus: list[HDU]
    extension: Extension
    tree: Tree
    rewritten: bool


def index_exposure(path: str, output: str) -> list[str]:
    """Write the index of an exposure.

    Reads every byte of the file once and keeps no more than its ASDF extension in memory.

    Parameters
    ----------
    path : str
        A MultiSlitModel saved as FITS.
    output : str
        The index to write.

    Returns
    -------
    list of str
        Remarks: what products will not have, and which detours were needed.

    Raises
    ------
    InputError
        If it is not a sound exposure-based product of a kind that can be regrouped.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file; mend the list of exposures or bring it back")
    name = exposure_name(path)
    file = os.open(path, os.O_RDONLY)
    try:
        hdus = scan(file, path)
        check_kind(path, hdus)
        extension = read_extension(file, path, hdus)
        exposure = Exposure(path, file, hdus, extension, *read_tree(path, hdus, extension))
        planes, strangers = claim_planes(exposure)
        common, top = line(common_record(exposure)), line(top_record(exposure))
        slits = slit_records(exposure, planes, common, top)
        first = {"format": FORMAT, "exposure": name, "path": path} | stamp(file)
        first |= identity(exposure.tree)
        text = exposure.tree.text if exposure.rewritten else ""
        write_index(output, first, common, top, slits, text)
        return remarks(exposure, strangers)
    except (ValueError, RecursionError) as error:
        # Values are read where they are needed, so a damaged one can turn up anywhere.
        what = "nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(
            f"{path}: damaged: {what}; make the file again with the pipeline"
        ) from None
    finally:
        os.close(file)


def index_or_reason(path: str, output: str) -> list[str]:
    """Write the index of an exposure, or in its place why there is none.

    Parameters
    ----------
    path, output : str
        As of `index_exposure`.

    Returns
    -------
    list of str
        Remarks; the reason is one.
    """
    try:
        return index_exposure(path, output)
    except InputError as error:
        reason = str(error)
        write_failure(output, exposure_name(path), path, reason)
        return [f"skipped: {reason}"]


def check_kind(path: str, hdus: list[HDU]) -> None:
    """Refuse what is not an exposure of many slits."""
    model, kind = hdus[0].header.get("DATAMODL"), hdus[0].header.get("EXP_TYPE")
    if model != "MultiSlitModel":
        what = f"a {model}" if model else "a file without DATAMODL"
        raise InputError(
            f"{path}: {what}, not a MultiSlitModel; only exposure-based cal products "
            "(*_cal.fits, *_mbsub.fits of stage 2) can be regrouped"
        )
    if hdus[0].shape:
        raise InputError(
            f"{path}: PRIMARY holds data, which is not so in a MultiSlitModel; "
            "make the file again with the pipeline"
        )
    if kind not in EXPOSURE_TYPES:
        raise InputError(
            f"{path}: EXP_TYPE is {kind}; only exposures of {', '.join(EXPOSURE_TYPES)} "
            "can be regrouped"
        )


def identity(tree: Tree) -> dict[str, str | None]:
    """Collect what others ask of an exposure, as text."""
    values = {name: value_at(tree.meta, place) for name, place in IDENTITY.items()}
    return {name: None if value is None else str(value) for name, value in values.items()}


def read_tree(path: str, hdus: list[HDU], extension: Extension) -> tuple[Tree, bool]:
    """Read the ASDF tree, and say whether its text had to be written anew.

    That is so where it is laid out in another way than asdf's, and where headers were edited
    after the tree was written: then `_fits_hash` is not theirs, and they count.
    """
    digest = hashlib.sha256()
    for hdu in hdus:
        if hdu.name != "ASDF":
            digest.update(hdu.header.raw)
    n_blocks = len(extension.blocks)
    try:
        tree = parse(extension.text, path, n_blocks)
        if value_at(tree.top, "_fits_hash") == digest.hexdigest():
            return tree, False
    except UnusualLayoutError:
        pass
    try:
        text = normalise(extension.text, path, hdus, digest.hexdigest())
        return parse(text, path, n_blocks), True
    except UnusualLayoutError:
        raise InputError(
            f"{path}: its ASDF tree is not built as a MultiSlitModel's; "
            "make the file again with the pipeline"
        ) from None


def claim_planes(exposure: Exposure) -> tuple[list[list[HDU]], set[str]]:
    """Find the HDUs that the tree of each slit names.

    Returns
    -------
    list of list of HDU
        Planes of each slit, in the order of the file.
    set of str
        Names of HDUs that no slit names and no schema knows.

    Raises
    ------
    InputError
        If tree and HDUs disagree.
    """
    free: dict[tuple[str, int], HDU] = {}
    for hdu in exposure.hdus[1:]:
        if hdu.name != "ASDF" and free.setdefault((hdu.name, hdu.version), hdu) is not hdu:
            raise disagree(exposure, f"{hdu.name},{hdu.version} occurs twice")
    planes = []
    for number, slit in enumerate(exposure.tree.slits, 1):
        own = []
        for array in slit.arrays:
            hdu = free.pop((array.name, array.version), None)
            if hdu is None or hdu.version != number:
                raise disagree(
                    exposure,
                    f"slit {number} names {array.name},{array.version}, which is missing "
                    "or another slit's",
                )
            if hdu.header.get("XTENSION") != "IMAGE":
                raise disagree(exposure, f"{array.name},{array.version} is no image")
            if array.shape not in (None, hdu.shape):
                raise disagree(
                    exposure,
                    f"{array.name},{array.version} has shape {hdu.shape} in its header and "
                    f"{array.shape} in the tree",
                )
            own.append(hdu)
        if len({hdu.name for hdu in own}) < max(len(own), 1):
            raise disagree(exposure, f"slit {number} has no planes, or two of one name")
        planes.append(sorted(own, key=lambda hdu: hdu.start))
    for name, version in free:
        if name in table().planes.values():
            raise disagree(exposure, f"{name},{version} belongs to no slit")
    return planes, {name or "(no name)" for name, _ in free}


def disagree(exposure: Exposure, what: str) -> InputError:
    """Tell that headers and tree of an exposure contradict each other."""
    return InputError(
        f"{exposure.path}: headers and ASDF tree disagree: {what}; "
        "make the file again with the pipeline"
    )


def common_record(exposure: Exposure) -> dict[str, Any]:
    """Collect what every entry takes from the exposure: its metadata, as YAML text."""
    name = os.path.basename(exposure.path)
    return {"meta": exposure.tree.common | {"filename": quoted(name)}}


def top_record(exposure: Exposure) -> dict[str, Any]:
    """Collect what a product takes from its first exposure: PRIMARY, the top of the tree.

    Of the metadata, as `DataModel.update` does, only leaves that have a keyword.
    """
    tree, meta, primary = exposure.tree, exposure.tree.meta, exposure.hdus[0].header
    sci = next((hdu for hdu in exposure.hdus if (hdu.name, hdu.version) == ("SCI", 1)), None)
    paths = [word.path.removeprefix("meta.") for word in table().product]
    kept = nest({path: leaf for path in paths if isinstance(leaf := at(meta, path), Leaf)})
    return {
        "primary": primary_cards(meta, primary),
        "sci": exposure_cards(meta, primary, sci, tree.slits[0].node),
        "meta": _rendered(kept, OWN_KEYS),
        "exposure": _rendered(at(kept, "exposure"), frozenset({"type"})),
        "asn": _rendered(at(kept, "asn")),
        "type": value_at(meta, "exposure.type"),
        "tree": _rendered(tree.top, frozenset({"meta", "history", "_fits_hash"})),
        "extensions": _text(at(tree.top, "history.extensions")),
        "preamble": exposure.extension.preamble,
    }


def _rendered(node: Node | None, without: frozenset[str] = frozenset()) -> dict[str, str]:
    return {key: part.render() for key, part in mapping(node).items() if key not in without}


def _text(node: Node | None) -> str | None:
    return node.render() if node else None


def slit_records(exposure: Exposure, planes: list[list[HDU]], common: bytes, top: bytes) -> Any:
    """Head and record of each slit (see `index`), its bytes read for the digest."""
    text = exposure.tree.text
    position = 0 if exposure.rewritten else exposure.extension.start
    last = 0
    for slit, own in zip(exposure.tree.slits, planes, strict=True):
        position += len(text[last : slit.start].encode())
        size = len(text[slit.start : slit.end].encode())
        blocks = [exposure.extension.blocks[number] for number in slit.blocks]
        plans = plane_plans(exposure.tree.meta, slit.node, own)
        digest = new_digest(seal(common), seal(top))
        for hdu, plan in zip(own, plans, strict=True):
            digest.update(planned_cards(hdu.header.raw, plan))
            update_from(digest, exposure, hdu.data_start, hdu.end - hdu.data_start)
        digest.update(apply_edits(text[slit.start : slit.end], slit.edits).encode())
        kind = value_at(slit.node, "meta.exposure.type")
        asn = merged_asn(slit.node, exposure.tree.meta)
        digest.update(line([slit.own, asn, kind, [block.digest for block in blocks]]))
        record = {
            "planes": [
                [hdu.start, hdu.data_start - hdu.start, hdu.end - hdu.data_start, plan]
                for hdu, plan in zip(own, plans, strict=True)
            ],
            "text": [int(exposure.rewritten), position, size],
            "edits": slit.edits,
            "blocks": [(block.start, block.size) for block in blocks],
            "own": slit.own,
            "asn": asn,
            "type": kind,
        }
        yield [digest.hexdigest()[:DIGEST_SIZE], *describe(exposure, slit, own)], record
        position += size
        last = slit.end


def merged_asn(slit: Node, meta: Node) -> dict[str, str] | None:
    """Collect what an entry says of its association, None where slit and exposure have none."""
    found = [node for node in (at(slit, "meta.asn"), at(meta, "asn")) if node]
    return _rendered(merge(found[0], found[-1])) if found else None


def describe(exposure: Exposure, slit: Slit, planes: list[HDU]) -> list[Any]:
    """Tell what the source list needs of a slit.

    These are id, names, exposure type, count and size of planes, shape, range of wavelengths.
    """
    node = slit.node
    source_id = value_at(node, "source_id")
    if source_id is not None and type(source_id) is not int:
        raise InputError(
            f"{exposure.path}: SOURCEID of slit {value_at(node, 'name')!s:.40} is "
            f"{source_id!r:.40}, not a whole number; make the file again with the pipeline"
        )
    names = [str(value_at(node, key) or "").strip() for key in ("source_name", "name")]
    if not all(name.isprintable() for name in names):
        raise InputError(
            f"{exposure.path}: SRCNAME or SLTNAME of a slit is {names!s:.80}, which is not "
            "printable; make the file again with the pipeline"
        )
    kind = value_at(node, "meta.exposure.type") or value_at(exposure.tree.meta, "exposure.type")
    if kind not in EXPOSURE_TYPES:
        raise disagree(exposure, f"EXP_TYPE of slit {names[1]:.40} is {kind!s:.40} in the tree")
    named = {hdu.name: hdu for hdu in planes}
    vertical = value_at(node, "meta.wcsinfo.dispersion_direction") == 2
    wavelengths = None
    if "WAVELENGTH" in named:
        wavelengths = wavelength_range(exposure.file, named["WAVELENGTH"], vertical)
    size = sum(hdu.end - hdu.start for hdu in planes)
    return [source_id, *names, kind, len(planes), size, planes[0].shape, wavelengths]


def update_from(digest: Any, exposure: Exposure, start: int, size: int) -> None:
    """Add part of the file to a digest."""
    while size:
        data = os.pread(exposure.file, min(size, BUFFER), start)
        if not data:
            raise InputError(f"{exposure.path}: became shorter while it was read; run again")
        digest.update(data)
        start += len(data)
        size -= len(data)


def remarks(exposure: Exposure, strangers: set[str]) -> list[str]:
    """Tell a user what products will lack, and which detours were needed."""
    said = []
    if exposure.rewritten:
        said.append("headers were edited after the ASDF tree was written (or it is an old file): "
                    "the headers' values are used")  # fmt: skip
    known = {word.name for word in (*table().product, *table().entry)}
    words = set().union(
        *(left_out(hdu.header, known) for hdu in exposure.hdus if hdu.name != "ASDF")
    )
    if words:
        said.append(f"keywords that no schema knows are left out: {', '.join(sorted(words))}")
    if strangers:
        said.append(f"HDUs that no slit uses are left out: {', '.join(sorted(strangers))}")
    return said
