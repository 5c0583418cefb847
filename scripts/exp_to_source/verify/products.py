"""Comparing products with the fingerprints of their exposures.

The slit of an entry is found from the product alone: its exposure by the file name in the entry's
metadata, and the slit by its identity and its planes.
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from astropy.io import fits

from ..errors import InputError, list_some
from ..modes import FIXED_SLIT
from ..results import CAL
from ..sources.associations import Association
from .claims import NO_CLAIMS, Claims
from .fingerprints import (
    NOT_COPIED,
    Entry,
    Fingerprints,
    Keyword,
    at,
    describe,
    keywords,
    leaves,
    places_of,
    sources,
)
from .opening import MODEL, open_model
from .readback import Contents, Source, first_sentence, form, read_file
from .verdicts import Verdict

#: Beginning of the part of HISTORY that joined products have.
JOINED = "Joined by the user"

#: Leaves at the top of a product's metadata that are not its first exposure's.
OWN_LEAVES = ("meta.date", "meta.filename", "meta.model_type", "meta.exposure.type")


class Verifier:
    """Compares products with their exposures.

    Parameters
    ----------
    folder : str
        Folder of the fingerprints.
    associations : iterable of Association
        Associations that products may name instead of those of their exposures.
    claims : Claims
        Claims of the user's table of joins.
    """

    def __init__(
        self,
        folder: str,
        associations: Iterable[Association] = (),
        claims: Claims = NO_CLAIMS,
    ) -> None:
        self.folder = folder
        self.claims = claims
        self.associations = {os.path.basename(asn.path): asn for asn in associations}
        self.exposures: dict[str, Fingerprints | None] = {}
        self.defects: dict[str, str] = {}
        self.top, self.item = keywords(MODEL)

    def verify(self, path: str) -> Verdict:
        """Verify a product."""
        verdict = Verdict.of(os.path.basename(path).removesuffix(CAL))
        try:
            contents = read_file(path)
            verdict = verdict._replace(
                planes=len(contents.planes) - 1,
                association=at(contents.tree, ("meta", "asn", "table_name")),
            )
            verdict.damages.extend(self.damages(path, contents, verdict.slits))
            self.open(path, verdict)
        except MemoryError:
            raise
        except InputError as error:
            verdict.damages.append(str(error).removeprefix(f"{path}: "))
        except Exception as error:
            # In a damaged file any value may have another type than expected.
            what = f"{type(error).__name__}: {first_sentence(error)}"
            verdict.damages.append(f"cannot be verified ({what})")
        return verdict

    def exposure(self, filename: Any) -> Fingerprints | None:
        """Fingerprints of the exposure with this file name, or None."""
        if filename not in self.exposures:
            name = os.path.basename(str(filename)).removesuffix(".fits")
            path = os.path.join(self.folder, f"{name}.jsonl")
            self.exposures[filename] = Fingerprints(path) if os.path.exists(path) else None
        return self.exposures[filename]

    def open(self, path: str, verdict: Verdict) -> None:
        """Open a product; the cause of a failure may already be in its exposures."""
        try:
            refused = open_model(path)
        except InputError as error:
            filenames = dict.fromkeys(filename for filename, _ in verdict.slits)
            closed = next(filter(self.defect, filenames), None)
            if verdict.damages or not closed:
                verdict.damages.append(str(error))
            else:
                verdict.doubts.append(
                    f"has the bytes and the tree of its exposures, but {error}; "
                    f"{closed} {self.defect(closed)}"
                )
        else:
            if refused:
                # Its content was found equal to that of its exposures.
                verdict.notes.append(f"the schema refuses: {refused}")

    def defect(self, filename: str) -> str:
        """Say why an exposure cannot be opened; empty if it can be."""
        if filename not in self.defects:
            self.defects[filename] = ""
            if exposure := self.exposure(filename):
                try:
                    open_model(exposure.top["path"], "MultiSlitModel")
                except InputError as error:
                    self.defects[filename] = str(error)
        return self.defects[filename]

    def damages(self, path: str, contents: Contents, slits: list[list[Any]]) -> Iterator[str]:
        """Find what is wrong with a product, and the slits that it was made from."""
        tree, nodes = contents.tree, contents.tree.get("exposures")
        if not contents.clean:
            yield "has bytes after its ASDF tree"
        if tree.get("_fits_hash") != contents.hash:
            yield "its headers are not those that its tree was written with (_fits_hash)"
        if not (isinstance(nodes, list) and nodes):
            yield "its tree has no exposures"
            return
        places, order, kinds = places_of(contents), [("PRIMARY", 1)], []
        for number, node in enumerate(nodes, 1):
            filename = at(node, ("meta", "filename"))
            where = f"entry {number} ({filename})"
            try:
                entry = describe(number, node, contents, places)
            except InputError as error:
                yield f"{where}: {error}"
                continue
            order += [(name, number) for name in entry.planes]
            for what in misread(node, contents, places):
                yield f"{where}: {what}"
            if any(source.version != number for source in sources(node)):
                yield f"{where}: its tree names planes of another entry"
            exposure = self.exposure(filename)
            if not exposure:
                yield f"{where}: the run has no such exposure"
                continue
            if number == 1:
                yield from self.compare_top(path, contents, exposure.top)
            if not (found := exposure.find(entry)):
                yield f"{where}: {entry.label} is no slit of that exposure, nor are its planes"
                continue
            place, slit = found
            slits.append([filename, place])
            kinds.append(slit.kind or exposure.top["kind"] if number == 1 else slit.kind)
            differences = [
                *compare_entries(entry, slit),
                *self.compare_cards(number, node, contents, entry, slit),
            ]
            if not self.same_association(entry.asn, slit.asn, filename):
                differences.append("meta.asn")
            if differences:
                what = list_some(differences)
                yield f"entry {number}, {slit.label} of {filename}: differs in {what}"
        kinds = [kind for kind in kinds if kind]
        if kinds and at(tree, ("meta", "exposure", "type")) != kinds[-1]:
            yield f"meta.exposure.type at its top is not {kinds[-1]}"
        if order != [(plane.name, plane.version) for plane in contents.planes]:
            yield "its HDUs are not those that its tree names, or in another order"
        yield from self.compare_joins(nodes, contents)

    def compare_joins(self, nodes: list[Any], contents: Contents) -> Iterator[str]:
        """Check that entries belong to one source, or to one target of the user's joins."""
        keys = ("meta.filename", "name", "source_id", "source_name", "meta.exposure.type")
        values = [[at(node, tuple(key.split("."))) for key in keys] for node in nodes]
        targets = {self.claims.target(*slit) for slit in values}
        if len(targets) > 1:
            yield "its entries are of several targets of the joins, or some of none"
        elif targets == {None} and not _one_source(nodes):
            ids = sorted({str(at(node, ("source_id",))) for node in nodes})
            yield f"its entries are of several sources: {list_some(ids)}"
        history = contents.planes[0].header.get("HISTORY", ())
        if any(line.startswith(JOINED) for line in history) != (targets != {None}):
            yield "its HISTORY wrongly says whether it is joined"

    def same_association(self, asn: Any, own: Any, filename: str) -> bool:
        """Whether the association is the exposure's own, or one of the run that contains it."""
        if form(asn) == form(own):
            return True
        association = self.associations.get(at(asn, ("table_name",)))
        if not association or filename not in map(os.path.basename, association.science):
            return False
        changed = {"table_name": os.path.basename(association.path)}
        if association.pool:
            changed["pool_name"] = association.pool
        return form(asn) == form((own if isinstance(own, dict) else {}) | changed)

    def compare_top(self, path: str, contents: Contents, first: dict[str, Any]) -> Iterator[str]:
        """Compare the top of a product with its first exposure."""
        tree, primary = contents.tree, contents.planes[0]
        filename = first["filename"]
        own = {("meta", "filename"): os.path.basename(path), ("meta", "model_type"): MODEL}
        for place, value in own.items():
            if at(tree, place) != value:
                yield f"{'.'.join(place)} at its top is not {value}"

        def copied(leaf: str) -> bool:
            return leaf not in OWN_LEAVES and not leaf.startswith("meta.asn.")

        known = {".".join(word.path) for word in self.top}
        there = {".".join(p): form(value) for p, value in leaves({"meta": tree.get("meta", {})})}
        # What no schema knows is kept if the exposure's pipeline is newer than the installed one.
        known |= there.keys()
        meta = {leaf: value for leaf, value in first["meta"].items() if leaf in known}
        rest = {key: form(value) for key, value in tree.items() if key not in NOT_COPIED}
        differences = [leaf for leaf in _differing(there, meta) if copied(leaf)]
        # Unknown keys at the top of an exposure's tree are not copied.
        wanted = {"cal_logs", *rest}
        differences += _differing(rest, {k: v for k, v in first["tree"].items() if k in wanted})
        if not self.same_association(at(tree, ("meta", "asn")), first["asn"], filename):
            differences.append("meta.asn")
        if differences:
            yield f"the top of its tree differs from {filename} in {list_some(differences)}"
        values = _values(self.top, tree, "PRIMARY")
        words = list(_wrong_cards(primary.cards, first["cards"], values))
        if primary.array or words:
            yield f"its PRIMARY header differs from {filename}: {list_some(words) or 'it has data'}"

    def compare_cards(
        self, number: int, node: Any, contents: Contents, entry: Entry, slit: Entry
    ) -> Iterator[str]:
        """Find cards of an entry that come neither from its slit nor from its tree."""
        for name, cards in entry.cards.items():
            values = _values(self.item, node, name)
            if number == 1:
                for word, there in _values(self.top, contents.tree, name).items():
                    values.setdefault(word, []).extend(there)
            for word in _wrong_cards(cards, slit.cards.get(name, {}), values):
                yield f"card {word} of {name}"


def _one_source(nodes: list[Any]) -> bool:
    """Whether entries share an id or a name; for fixed slits, also that of the slit."""
    fixed = {at(node, ("meta", "exposure", "type")) for node in nodes} == {FIXED_SLIT}
    for key in ("source_id", "source_name", *(("name",) if fixed else ())):
        values = {at(node, (key,)) for node in nodes}
        if len(values) == 1 and not values & {None, ""}:
            return True
    return False


def compare_entries(entry: Entry, slit: Entry) -> Iterator[str]:
    """Compare an entry with its slit, except for single cards."""
    if entry.planes.keys() != slit.planes.keys():
        yield f"planes {', '.join(entry.planes)} instead of {', '.join(slit.planes)}"
    for name in entry.planes.keys() & slit.planes.keys():
        if entry.planes[name] != slit.planes[name]:
            yield f"data of {name}"
        if entry.arrays[name] != slit.arrays[name]:
            yield f"array of {name}"
    yield from _differing(entry.attributes, slit.attributes)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))


def _values(words: list[Keyword], tree: Any, hdu: str) -> dict[str, list[Any]]:
    """Values of a tree for the keywords of an HDU."""
    values: dict[str, list[Any]] = {}
    for word in words:
        if word.hdu == hdu:
            values.setdefault(word.name, []).append(at(tree, word.path))
    return values


def _wrong_cards(
    cards: dict[str, str], inputs: dict[str, str], values: dict[str, list[Any]]
) -> Iterator[str]:
    """Find keywords whose card is neither the input's nor new from another value of the tree."""
    for word, image in cards.items():
        same = inputs.get(word) == image
        # A keyword that the tree has elsewhere, as of a newer schema, is as unknown as any other.
        if word in values and any(there is not None for there in values[word]):
            value = fits.Card.fromstring(image).value
            given = _value_of(inputs[word]) if word in inputs else None
            # A value of a type that the schema does not accept may equal the tree's: T and 1.
            made = type(given) is not type(value) or not _agree(given, value)
            # Products have no such card; a comment may be the reason.
            input_image = inputs.get(word, "")
            made |= not (input_image.isascii() and input_image.isprintable())
            if not (any(_agree(value, there) for there in values[word]) and (same or made)):
                yield word
        elif not same:
            yield word
    for word, there in values.items():
        if word not in cards and any(map(_fits_in_card, there)):
            yield word


def _value_of(image: str) -> Any:
    """Value of a card; None if astropy cannot read it."""
    try:
        return fits.Card.fromstring(image).value
    except fits.VerifyError:
        return None


def _fits_in_card(value: Any) -> bool:
    """Whether FITS can hold a leaf of a tree; other leaves are only in the tree."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return False
    text = str(value)
    return text.isascii() and text.isprintable()


def _agree(card: Any, value: Any) -> bool:
    """Whether a card and a leaf of a tree, which may have more digits, have the same value."""
    if isinstance(card, float) and isinstance(value, int | float):
        return math.isclose(card, value, rel_tol=1e-12)
    if isinstance(card, str):
        return value is not None and card.rstrip() == str(value).rstrip()
    return bool(card == value)


def misread(
    node: dict[str, Any], contents: Contents, places: Mapping[Source, int]
) -> Iterator[str]:
    """Find planes that open as other arrays than the tree describes."""
    for part in node.values():
        source = part.get("source") if isinstance(part, dict) else None
        if isinstance(source, Source) and (found := contents.planes[places[source]].array):
            described = part.get("datatype"), part.get("shape")
            if found != described:
                texts = ["{} {}".format(*array) for array in (found, described)]
                yield f"{source.name} is {texts[0]}, but {texts[1]} in its tree"
