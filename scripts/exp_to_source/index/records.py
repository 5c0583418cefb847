"""Parts of an index: what all slits of an exposure have in common, and a record of each slit."""

import os
import sys
from array import array
from collections.abc import Container, Iterable, Iterator, Sequence

from ..errors import InputError
from ..formats.cards import Value, apply_plan
from ..formats.casting import Cast, cast_data
from ..formats.indices import new_digest
from ..formats.layouts import SlitLayout, encode_metadata
from ..formats.rows import DIGEST_SIZE, checksum, encode_rows
from ..formats.summaries import SlitSummary
from ..formats.template import apply_replacements, quote
from ..modes import EXPOSURE_TYPES, guess_exposure_type
from .datatypes import find_cast, product_datatype
from .exposure import Exposure
from .fitsfile import HDU
from .headers import exposure_cards, plan_headers, primary_cards
from .keywords import table
from .nodes import Node, Scalar, SlitTree, at, flatten, mapping, merge, nest, value_at
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
PRODUCT_TOP_KEYS = frozenset({"asn", "date", "exposure", "filename", "model_type"})

#: Number of lines along the dispersion that are looked at, evenly spread over the slit.
LINES = 3


def identify(tree: Tree) -> dict[str, str]:
    """Collect the identity of an exposure, as text; empty if it is not known."""
    first = tree.slits[0].node
    values = {name: value_at(tree.meta, path) for name, path in IDENTITY.items()}
    values |= {name: value_at(first, f"meta.{path}") for name, path in FIRST_SLIT.items()}
    identity = {name: "" if value is None else str(value) for name, value in values.items()}
    target = sky_position(value_at(tree.meta, "target.ra"), value_at(tree.meta, "target.dec"))
    stated = identity["exposure_type"]
    return identity | {
        "target_position": target,
        "exposure_type": stated or exposure_type(tree, first),
        "stated_type": stated,
    }


def exposure_type(tree: Tree, slit: Node) -> str:
    """Return EXP_TYPE of a slit, or otherwise of its exposure, or by instrument and slit."""
    stated = value_at(slit, "meta.exposure.type") or value_at(tree.meta, "exposure.type")
    if stated is not None:
        return str(stated)
    instrument = value_at(tree.meta, "instrument.name")
    return guess_exposure_type(str(instrument), str(value_at(slit, "name"))) or ""


def encode_exposure_metadata(exposure: Exposure) -> bytes:
    """Encode what every entry takes from the exposure: its metadata, as YAML."""
    filename = quote(os.path.basename(exposure.path))
    return encode_rows((exposure.tree.exposure_metadata | {"filename": filename}).items())


def encode_primary_metadata(exposure: Exposure) -> bytes:
    """Encode what a product takes from its first exposure: PRIMARY, the top of the tree.

    Rows are called like the keys of `primary_cards`; ``sci``: the exposure's cards in SCI;
    ``tree``, ``meta``, ``exposure`` and ``asn``: key and YAML of the top of the tree and of its
    metadata; ``extensions``: YAML of what wrote it; ``preamble``: the lines before. As in
    `DataModel.update`, only scalars of the metadata that have a keyword; and those that no schema
    knows if the exposure's pipeline is newer than the table of keywords.
    """
    tree, meta, primary = exposure.tree, exposure.tree.meta, exposure.hdus[0].header
    sci = next((hdu for hdu in exposure.hdus if str(hdu) == "SCI,1"), None)
    paths = [keyword.path.removeprefix("meta.") for keyword in table().product]
    scalars = {path: scalar for path in paths if isinstance(scalar := at(meta, path), Scalar)}
    if exposure.is_newer:
        in_schema = table().types.keys() | table().entry_types
        flat = flatten(meta)
        scalars |= {path: flat[path] for path in flat if f"meta.{path}" not in in_schema}
    top = nest(scalars)
    groups: dict[str, Iterable[Sequence[str]]] = {
        **primary_cards(meta, primary, exposure.is_newer),
        "sci": exposure_cards(meta, primary, sci, tree.slits[0].node),
        "tree": _render_items(tree.root, {"meta", "history", "_fits_hash"}).items(),
        "meta": _render_items(top, PRODUCT_TOP_KEYS).items(),
        "exposure": _render_items(at(top, "exposure"), {"type"}).items(),
        "asn": _render_items(at(top, "asn")).items(),
        "preamble": [(exposure.extension.preamble,)],
    }
    if extensions := at(tree.root, "history.extensions"):
        groups["extensions"] = [(extensions.render(),)]
    return encode_rows((name, *fields) for name, rows in groups.items() for fields in rows)


def _render_items(node: Node | None, without: Container[str] = ()) -> dict[str, str]:
    return {key: value.render() for key, value in mapping(node).items() if key not in without}


def slit_layouts(
    exposure: Exposure, matched: list[list[HDU]], exposure_metadata: bytes, primary_metadata: bytes
) -> Iterator[tuple[SlitSummary, SlitLayout]]:
    """Yield summary and layout of each slit, whose bytes are read for the digest."""
    tree, blocks = exposure.tree, exposure.extension.blocks
    text, meta = tree.text, flatten(tree.meta)
    seals = checksum(exposure_metadata), checksum(primary_metadata)
    keep_unknown = exposure.is_newer
    position = 0 if exposure.normalised else exposure.extension.start
    last = 0
    for slit, slit_hdus in zip(tree.slits, matched, strict=True):
        position += len(text[last : slit.start].encode())
        size = len(text[slit.start : slit.end].encode())
        plans = plan_headers(meta, slit.node, slit_hdus, keep_unknown)
        hdus = [hdu for hdu, _ in plans]
        casts = {number: cast for number, hdu in enumerate(hdus) if (cast := find_cast(hdu))}
        digest, wavelengths = new_digest(*seals), b""
        for hdu, plan in plans:
            digest.update(apply_plan(hdu.header.raw, plan))
            for data in exposure.read(hdu.data_start, hdu.end - hdu.data_start):
                digest.update(data)
                if hdu.name == "WAVELENGTH":
                    wavelengths += data
        for number, cast in casts.items():
            if cast[2] > 0:
                check_cast(exposure, hdus[number], cast)
        digest.update(apply_replacements(text[slit.start : slit.end], slit.replacements).encode())
        stated = value_at(slit.node, "meta.exposure.type")
        own_type = stated if isinstance(stated, str) else None
        asns = [node for node in (at(slit.node, "meta.asn"), at(tree.meta, "asn")) if node]
        asn = _render_items(merge(asns[0], asns[-1])) if asns else None
        digest.update(encode_metadata(slit.overrides, asn, own_type))
        digest.update("".join(blocks[number].digest for number in slit.blocks).encode())
        layout = SlitLayout(
            hdus=[
                (hdu.start, hdu.data_start - hdu.start, hdu.end - hdu.data_start, plan)
                for hdu, plan in plans
            ],
            casts={number: (hdus[number].data_size, *cast) for number, cast in casts.items()},
            text=(bool(exposure.normalised), position, size),
            replacements=slit.replacements,
            blocks=[(blocks[number].start, blocks[number].size) for number in slit.blocks],
            overrides=slit.overrides,
            asn=asn,
            type=own_type,
        )
        name = digest.hexdigest()[:DIGEST_SIZE]
        yield summarize_slit(name, exposure, slit, hdus, wavelengths), layout
        position += size
        last = slit.end


def check_cast(exposure: Exposure, hdu: HDU, cast: Cast) -> None:
    """Check that the datatype of products can hold the numbers of an image."""
    data = b"".join(exposure.read(hdu.data_start, hdu.data_size))
    try:
        cast_data(data, *cast)
    except ValueError as error:
        raise InputError(
            f"{exposure.path}: {hdu} must be {product_datatype(hdu)}: {error}; correct the image"
        ) from None


def summarize_slit(
    digest: str, exposure: Exposure, slit: SlitTree, hdus: list[HDU], wavelengths: bytes
) -> SlitSummary:
    """Summarize a slit, for the source list; `wavelengths` are the data of that image."""
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
    source_name, slit_name = names
    slit_type = exposure_type(exposure.tree, node)
    if slit_type not in EXPOSURE_TYPES:
        raise exposure.mismatch(
            f"EXP_TYPE of slit {slit_name:.40} is {slit_type or 'absent':.40} in the tree"
        )
    vertical = value_at(node, "meta.wcsinfo.dispersion_direction") == 2
    image = next((hdu for hdu in hdus if hdu.name == "WAVELENGTH"), None)
    meta = exposure.tree.meta
    stated = (
        value_at(node, "meta.wcsinfo.s_region"),
        value_at(node, "source_type"),
        value_at(node, "shutter_state"),
        value_at(node, "meta.wcsinfo.spectral_order"),
        value_at(node, "dither_position") or value_at(meta, "dither.position_number"),
        value_at(node, "meta.exposure.exposure_time") or value_at(meta, "exposure.exposure_time"),
    )
    return SlitSummary(
        digest,
        source_id,
        source_name,
        slit_name,
        slit_type,
        len(hdus),
        sum(hdu.end - hdu.start for hdu in hdus),
        hdus[0].shape,
        wavelength_range(wavelengths, image, vertical) if image else (),
        sky_position(value_at(node, "source_ra"), value_at(node, "source_dec")),
        *("" if value is None else str(value) for value in stated),
    )


def sky_position(ra: Value, dec: Value) -> str:
    """Format a position in the sky; empty if it is not known, which pipelines write as 0, 0."""
    if isinstance(ra, int | float) and isinstance(dec, int | float) and (ra or dec):
        return f"{ra % 360} {dec}" if abs(ra) <= 360 and abs(dec) <= 90 else ""
    return ""


def wavelength_range(data: bytes, image: HDU, vertical: bool) -> tuple[float, ...]:
    """Determine the wavelengths at both ends of some lines along the dispersion.

    Wavelengths (microns; NaN or 0 for pixels without one) rise or fall along a line, so its ends
    are its extremes. The result is the shortest and the longest to six digits; empty if no line has
    any. Light is dispersed along columns if `vertical`.
    """
    if len(image.shape) != 2 or 0 in image.shape or image.header.get("BITPIX") != -32:
        return ()
    rows, columns = image.shape
    pixels = array("f", data[: image.data_size])
    if sys.byteorder == "little":
        pixels.byteswap()
    limits = []
    for number in range(1, LINES + 1):
        if vertical:
            line = pixels[columns * number // (LINES + 1) :: columns]
        else:
            start = rows * number // (LINES + 1) * columns
            line = pixels[start : start + columns]
        for ordered in (line, reversed(line)):
            if wavelength := next((p for p in ordered if 0 < p < float("inf")), None):
                limits.append(wavelength)
    return tuple(float(f"{limit:.6g}") for limit in (min(limits), max(limits))) if limits else ()
