"""Level 3 associations: the exposures of a product, and its name.

Format: jwst documentation, "Associations"; only the first product is used, as in calwebb_spec3.
After jwst 3.0.0, associations of WFSS name the spectra of exposures (``_x1d``), which have the
same sources as the ``_cal`` from which they were extracted.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from ..diagnostics import Diagnostic
from ..errors import InputError, list_some
from ..naming import MAX_PRODUCT_NAME, check_path, fill_template, is_product_name
from ..results import CAL, MBSUB

#: Values of ``exptype`` in associations of the archive, and of ``asn_from_list``.
MEMBER_TYPES = {
    *("science", "background", "target_acquisition", "sourcecat", "segmap", "direct_image"),
    *("imprint", "psf", "selfcal", "autoflat", "autowave", "dark", "flat", "engineering"),
}


class Association(NamedTuple):
    """Content of an association for regrouping; paths are relative to the working directory."""

    path: str
    #: Template of its products' names.
    template: str
    science: list[str]
    background: list[str]
    #: Name of the pool it was generated from.
    pool: str | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def name(self) -> str:
        """Name of the association: that of its file."""
        return os.path.splitext(os.path.basename(self.path))[0]

    @property
    def members(self) -> list[str]:
        """Exposures, and then spectra of the background."""
        return [*self.science, *self.background]


def read_association(path: str, is_fetched: bool = False) -> Association:
    """Read a level 3 spectroscopic association with science members.

    One without a type, as ``asn_from_list`` writes it, is taken for one if the names of its members
    are those of exposures. Of one that is fetched, members need not exist yet.
    """
    check_path(path)
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such association; correct `associations` or bring it back")
    content = _load(path)
    if not (isinstance(content, dict) and content.keys() & {"asn_type", "products"}):
        raise InputError(f"{path}: not an association; associations of type 'spec3' are needed")
    asn_type = content.get("asn_type") or "None"
    if asn_type not in ("spec3", "None"):
        raise InputError(
            f"{path}: its asn_type is {asn_type!r:.40}; name level 3 associations only, of type "
            "'spec3' (*_spec3_*asn.json)"
        )
    products = content.get("products")
    if not (isinstance(products, list) and products and isinstance(products[0], dict)):
        raise InputError(f"{path}: has no products; make the association again")
    name, entries = products[0].get("name"), products[0].get("members")
    if not isinstance(name, str) or not isinstance(entries, list):
        raise InputError(f"{path}: its product has no name or no members; make it again")
    template = _parse_template(path, name)
    members = [_parse_member(path, entry) for entry in entries]
    science = [file for member_type, file in members if _is_science(member_type)]
    if not science:
        types = ", ".join(map(repr, dict(members))) or "none"
        raise InputError(
            f"{path}: has no science members (their exptypes: {types}); there is nothing to regroup"
        )
    unusual = [file for file in science if not file.endswith((CAL, MBSUB))]
    if asn_type != "spec3" and unusual:
        raise InputError(
            f"{path}: has no asn_type, and its member {unusual[0]!r} is not called *{CAL} or "
            f"*{MBSUB}; correct one of them"
        )
    exposures = [_find_exposure(path, member, is_fetched) for member in science]
    files: dict[str, str] = {}
    for member in exposures:
        file = os.path.realpath(member)
        if file in files:
            also = f", also as {files[file]!r}" if files[file] != member else ""
            raise InputError(f"{path}: names {member!r} twice{also}; leave one out")
        files[file] = member
    pool = content.get("asn_pool")
    diagnostics = [Diagnostic("warning", text) for text in _warn_unknown_types(members)]
    notes = _list_notes(science, exposures, products[1:], members)
    diagnostics += (Diagnostic("note", text) for text in notes)
    return Association(
        path,
        template,
        exposures,
        [file for member_type, file in members if member_type.lower() == "background"],
        pool if isinstance(pool, str) and pool.isprintable() else None,
        tuple(Diagnostic(level, f"{path}: {text}") for level, text in diagnostics),
    )


def _load(path: str) -> Any:
    """Load JSON, or YAML, which some pipelines write, too."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
        with suppress(json.JSONDecodeError):
            return json.loads(text)
        # Imported only here, as commands report what they lack once they are at work.
        import yaml

        return yaml.safe_load(text)
    except (OSError, ImportError, MemoryError):
        raise
    except Exception:
        # PyYAML raises many if a value does not have the type of its tag.
        raise InputError(
            f"{path}: not a JSON file, nor YAML; an association (*_asn.json) is needed"
        ) from None


def _parse_member(path: str, entry: Any) -> tuple[str, str]:
    """Parse the type of a member, and its file, relative to the working directory."""
    if not (isinstance(entry, dict) and isinstance(entry.get("expname"), str)):
        raise InputError(f"{path}: a member has no expname; make the association again")
    member_type = entry.get("exptype")
    file = os.path.join(os.path.dirname(path), entry["expname"])
    return member_type if isinstance(member_type, str) else "None", file


def _is_science(member_type: str) -> bool:
    """Whether Spec3Pipeline regroups members of a type: it is the beginning of 'science' there."""
    return "science".startswith(member_type.lower())


def _list_notes(
    science: list[str],
    exposures: list[str],
    other_products: list[Any],
    members: Iterable[tuple[str, str]],
) -> Iterator[str]:
    """List what is regrouped in place of science members, and what is not regrouped."""
    suffixes = Counter(
        tuple(file.removesuffix(".fits").rpartition("_")[2] for file in pair)
        for pair in zip(science, exposures, strict=True)
        if pair[0] != pair[1]
    )
    for (old, new), count in suffixes.items():
        yield (
            f"{count} of its {len(science)} members are called _{old}; the _{new} beside each is "
            "regrouped"
        )
    if other_products:
        names = [item.get("name") if isinstance(item, dict) else None for item in other_products]
        texts = ", ".join(repr(name) if isinstance(name, str) else "None" for name in names)
        yield (
            f"only its first product is made, as in calwebb_spec3; left out: {texts}; give each an "
            "association of its own"
        )
    counts = Counter(member_type.lower() for member_type, _ in members)
    types = [name for name in counts if name in MEMBER_TYPES and name != "science"]
    if parts := [f"{counts[name]} {name}" for name in types]:
        text = f"its {' and '.join(parts)} members are not regrouped"
        if "background" in counts:
            text += "; the setting 'prepare' subtracts the background from the science members"
        yield text


def _warn_unknown_types(members: Iterable[tuple[str, str]]) -> Iterator[str]:
    files: dict[str, list[str]] = {}
    for member_type, file in members:
        if member_type.lower() not in MEMBER_TYPES:
            files.setdefault(member_type, []).append(os.path.basename(file))
    for member_type, names in files.items():
        what = "taken for science" if _is_science(member_type) else "left out"
        yield (
            f"exptype {member_type!r} is not known, members that have it are {what}, as "
            f"in the pipeline: {list_some(names)}; correct it, for example to 'science'"
        )


def _find_exposure(path: str, member: str, may_be_missing: bool) -> str:
    """Find the exposure of a member: that of a spectrum; itself, or what it was renamed to."""
    stem, suffix, _ = member.rpartition("_x1d.fits")
    exposure = f"{stem}{CAL}" if suffix else member
    stem, suffix, _ = exposure.rpartition(CAL)
    subtracted = [f"{stem}{MBSUB}"] if suffix else []
    for file in (exposure, *subtracted):
        if os.path.isfile(file):
            return file
    if may_be_missing:
        return exposure
    if exposure != member:
        raise InputError(
            f"{path}: its member {member!r} is a spectrum, and its exposure {exposure!r} is not a "
            "file; put it there, or correct the association"
        )
    raise InputError(f"{path}: its member {member!r} is not a file; bring it back or correct it")


def _parse_template(path: str, name: str) -> str:
    """Parse the template of the names of products, without the ending of a file."""
    template = name.removesuffix(".fits").removesuffix("_cal")
    if template.count("{source_id}") > 1:
        raise InputError(
            f"{path}: its product's name {name!r} has {{source_id}} twice; leave one out"
        )
    if not is_product_name(fill_template(template, "s00001", ["s200a1"])):
        raise InputError(
            f"{path}: its product's name {template!r:.300} may have letters, digits, _ . + - "
            "(a letter or digit first, no two dots in a row), {source_id} and {slit_name} only, "
            f"and {MAX_PRODUCT_NAME} characters at most; rename it"
        )
    return template
