"""Parts of an index: what all slits of an exposure have in common, and a record of each slit."""

import os
import struct
from collections.abc import Iterable, Iterator

from ..errors import InputError
from ..formats.cards import Value, apply_plan
from ..formats.casting import Cast, cast_data
from ..formats.checksums import DIGEST_SIZE, checksum
from ..formats.indices import new_digest
from ..formats.layouts import SlitLayout, encode_metadata
from ..formats.rows import encode_rows
from ..formats.summaries import SlitSummary
from ..formats.template import apply_replacements, quote
from ..modes import EXPOSURE_TYPES, guess_exposure_type
from .exposure import Exposure, mismatch_error
from .fitsfile import HDU
from .headers import exposure_cards, plane_plans, primary_cards
from .keywords import table
from .nodes import Leaf, Node, at, leaves, mapping, merge, nest, value_at
from .planes import find_cast, product_datatype
from .slit import Slit
from .tree import Tree

#: Identity of an exposure: name in the index, path in its metadata.
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
    "filename": "filename",
    "visit": "observation.visit_number",
    "visit_group": "observation.visit_group",
    "sequence": "observation.sequence_id",
    "activity": "observation.activity_id",
    "exposure_number": "observation.exposure_number",
    "segment": "exposure.segment_number",
    "start": "exposure.start_time",
    "target": "target.proposer_name",
    "target_type": "target.type",
    "source_catalog": "source_catalog",
    "msa_file": "instrument.msa_metadata_file",
}

#: Likewise, in the metadata of its first slit, which has them for all: footprint, unit of pixels.
FIRST_SLIT = {"s_region": "wcsinfo.s_region", "unit": "bunit_data"}

#: Top-level metadata that products write themselves.
OWN_KEYS = frozenset({"asn", "date", "exposure", "filename", "model_type"})

#: Number of lines along the dispersion that are read, evenly spread over the slit.
LINES = 3


def identity(tree: Tree) -> dict[str, str]:
    """Collect the identity of an exposure, as text; empty if it is not known."""
    values = {name: value_at(tree.meta, place) for name, place in IDENTITY.items()}
    first = tree.slits[0].node
    values |= {name: value_at(first, f"meta.{place}") for name, place in FIRST_SLIT.items()}
    target = sky_position(value_at(tree.meta, "target.ra"), value_at(tree.meta, "target.dec"))
    known = {name: "" if value is None else str(value) for name, value in values.items()}
    kind = known["exposure_type"] or exposure_type(tree, first)
    return known | {
        "target_position": target,
        "exposure_type": kind,
        "stated_type": known["exposure_type"],
    }


def exposure_type(tree: Tree, slit: Node) -> str:
    """EXP_TYPE of a slit, or otherwise of its exposure, or otherwise by instrument and slit."""
    stated = value_at(slit, "meta.exposure.type") or value_at(tree.meta, "exposure.type")
    if stated is not None:
        return str(stated)
    instrument = value_at(tree.meta, "instrument.name")
    return guess_exposure_type(str(instrument), str(value_at(slit, "name"))) or ""


def encode_common(exposure: Exposure) -> bytes:
    """Encode what every entry takes from the exposure: its metadata, as YAML."""
    name = os.path.basename(exposure.path)
    return encode_rows((exposure.tree.common | {"filename": quote(name)}).items())


def encode_top(exposure: Exposure) -> bytes:
    """Encode what a product takes from its first exposure: PRIMARY, the top of the tree.

    Rows are called like the attributes of `PrimaryCards`; ``sci``: the exposure's cards in SCI;
    ``tree``, ``meta``, ``exposure`` and ``asn``: key and YAML of the top of the tree and of its
    metadata; ``extensions``: YAML of what wrote it; ``preamble``: the lines before. As in
    `DataModel.update`, only leaves of the metadata that have a keyword; and those that no schema
    knows if the exposure's pipeline is newer than the table of keywords.
    """
    tree, meta, primary = exposure.tree, exposure.tree.meta, exposure.hdus[0].header
    sci = next((hdu for hdu in exposure.hdus if (hdu.name, hdu.version) == ("SCI", 1)), None)
    paths = [word.path.removeprefix("meta.") for word in table().product]
    kept = {path: leaf for path in paths if isinstance(leaf := at(meta, path), Leaf)}
    if exposure.is_newer:
        known = table().types.keys() | table().entry_types
        kept |= {path: leaf for path, leaf in leaves(meta).items() if f"meta.{path}" not in known}
    top = nest(kept)
    cards = primary_cards(meta, primary, exposure.is_newer)
    pairs = {
        "before": cards.before,
        "about_asn": cards.about_asn,
        "after": cards.after,
        "comment": cards.comments.items(),
        "sci": exposure_cards(meta, primary, sci, tree.slits[0].node),
        "tree": _rendered(tree.top, frozenset({"meta", "history", "_fits_hash"})).items(),
        "meta": _rendered(top, OWN_KEYS).items(),
        "exposure": _rendered(at(top, "exposure"), frozenset({"type"})).items(),
        "asn": _rendered(at(top, "asn")).items(),
    }
    rows: list[tuple[str, ...]] = [(name, *pair) for name, found in pairs.items() for pair in found]
    rows += [("section", cards.section), ("preamble", exposure.extension.preamble)]
    if extensions := at(tree.top, "history.extensions"):
        rows.append(("extensions", extensions.render()))
    return encode_rows(rows)


def _rendered(node: Node | None, without: frozenset[str] = frozenset()) -> dict[str, str]:
    return {key: part.render() for key, part in mapping(node).items() if key not in without}


def slit_records(
    exposure: Exposure, planes: list[list[HDU]], common: bytes, top: bytes
) -> Iterator[tuple[SlitSummary, SlitLayout]]:
    """Summary and layout of each slit, whose bytes are read for the digest."""
    text, meta = exposure.tree.text, leaves(exposure.tree.meta)
    keep_unknown = exposure.is_newer
    position = 0 if exposure.rewritten else exposure.extension.start
    last = 0
    for slit, own in zip(exposure.tree.slits, planes, strict=True):
        position += len(text[last : slit.start].encode())
        size = len(text[slit.start : slit.end].encode())
        blocks = [exposure.extension.blocks[number] for number in slit.blocks]
        plans = plane_plans(meta, slit.node, own, keep_unknown)
        casts = {place: cast for place, (hdu, _) in enumerate(plans) if (cast := find_cast(hdu))}
        digest = new_digest(checksum(common), checksum(top))
        for hdu, plan in plans:
            digest.update(apply_plan(hdu.header.raw, plan))
            for data in exposure.read(hdu.data_start, hdu.end - hdu.data_start):
                digest.update(data)
        for place, cast in casts.items():
            if cast[2] > 0:
                check_cast(exposure, plans[place][0], cast)
        digest.update(apply_replacements(text[slit.start : slit.end], slit.edits).encode())
        found = value_at(slit.node, "meta.exposure.type")
        kind = found if isinstance(found, str) else None
        asn = merged_asn(slit.node, exposure.tree.meta)
        digest.update(encode_metadata(slit.own, asn, kind))
        digest.update("".join(block.digest for block in blocks).encode())
        record = SlitLayout(
            planes=[
                (hdu.start, hdu.data_start - hdu.start, hdu.end - hdu.data_start, plan)
                for hdu, plan in plans
            ],
            casts={place: (plans[place][0].data_size, *cast) for place, cast in casts.items()},
            text=(exposure.rewritten, position, size),
            edits=slit.edits,
            blocks=[(block.start, block.size) for block in blocks],
            own=slit.own,
            asn=asn,
            type=kind,
        )
        digest_text = digest.hexdigest()[:DIGEST_SIZE]
        yield describe(digest_text, exposure, slit, [hdu for hdu, _ in plans]), record
        position += size
        last = slit.end


def check_cast(exposure: Exposure, hdu: HDU, cast: Cast) -> None:
    """Refuse a plane whose numbers the datatype of products cannot hold."""
    data = b"".join(exposure.read(hdu.data_start, hdu.data_size))
    try:
        cast_data(data, *cast)
    except ValueError as error:
        raise InputError(
            f"{exposure.path}: {hdu.name},{hdu.version} must be {product_datatype(hdu)}: {error}; "
            "correct the plane"
        ) from None


def merged_asn(slit: Node, meta: Node) -> dict[str, str] | None:
    """Collect an entry's metadata about its association; None if slit and exposure have none."""
    found = [node for node in (at(slit, "meta.asn"), at(meta, "asn")) if node]
    return _rendered(merge(found[0], found[-1])) if found else None


def describe(digest: str, exposure: Exposure, slit: Slit, planes: list[HDU]) -> SlitSummary:
    """Make the head of a slit, for the source list."""
    node = slit.node
    source_id = value_at(node, "source_id")
    if source_id is not None and type(source_id) is not int:
        raise InputError(
            f"{exposure.path}: SOURCEID of slit {value_at(node, 'name')!s:.40} is "
            f"{source_id!r:.40}, not an integer; correct it in the header of SCI"
        )
    names = [str(value_at(node, key) or "").strip() for key in ("source_name", "name")]
    if not all(name.isprintable() for name in names):
        raise InputError(
            f"{exposure.path}: SRCNAME or SLTNAME of a slit is {names!s:.80}, which is not "
            "printable; correct it in the header of SCI"
        )
    kind = exposure_type(exposure.tree, node)
    if kind not in EXPOSURE_TYPES:
        raise mismatch_error(
            exposure, f"EXP_TYPE of slit {names[1]:.40} is {kind or 'absent':.40} in the tree"
        )
    source_name, slit_name = names
    named = {hdu.name: hdu for hdu in planes}
    vertical = value_at(node, "meta.wcsinfo.dispersion_direction") == 2
    wavelengths: tuple[float, ...] = ()
    if "WAVELENGTH" in named:
        wavelengths = wavelength_range(exposure.file, named["WAVELENGTH"], vertical)
    size = sum(hdu.end - hdu.start for hdu in planes)
    return SlitSummary(
        digest,
        source_id,
        source_name,
        slit_name,
        kind,
        len(planes),
        size,
        planes[0].shape,
        wavelengths,
        sky_position(value_at(node, "source_ra"), value_at(node, "source_dec")),
        str(value_at(node, "meta.wcsinfo.s_region") or ""),
    )


def sky_position(*degrees: Value) -> str:
    """Format a place in the sky; empty if it is not known, which pipelines write as 0, 0."""
    if all(isinstance(angle, int | float) and -360 <= angle <= 360 for angle in degrees):
        return " ".join(map(str, degrees)) if any(degrees) else ""
    return ""


def wavelength_range(file: int, plane: HDU, vertical: bool) -> tuple[float, ...]:
    """Find the wavelengths at both ends of some lines along the dispersion.

    Wavelengths rise or fall along a line, so its ends are its extremes, and few bytes are read.

    Parameters
    ----------
    file : int
        The exposure, open.
    plane : HDU
        A WAVELENGTH plane: microns, 32-bit floating point, NaN or 0 for pixels without one.
    vertical : bool
        Whether light is dispersed along columns.

    Returns
    -------
    tuple of float
        Shortest and longest wavelength in microns, to six digits; empty if no line has any.
    """
    if len(plane.shape) != 2 or 0 in plane.shape or plane.header.get("BITPIX") != -32:
        return ()
    rows, columns = plane.shape
    across, along = (columns, rows) if vertical else (rows, columns)
    # Bytes from one pixel of a line to the next, and from one line to the next.
    step, stride = (4 * columns, 4) if vertical else (4, 4 * columns)
    found = []
    for number in range(1, LINES + 1):
        start = plane.data_start + across * number // (LINES + 1) * stride
        places = range(start, start + along * step, step)
        for order in (places, places[::-1]):
            pixels = (struct.unpack(">f", os.pread(file, 4, place))[0] for place in order)
            found += _first(pixels)
    return tuple(float(f"{limit:.6g}") for limit in (min(found), max(found))) if found else ()


def _first(pixels: Iterable[float]) -> list[float]:
    """Return a list with the first pixel that has a wavelength, empty if none has."""
    return next(([pixel] for pixel in pixels if 0 < pixel < float("inf")), [])
