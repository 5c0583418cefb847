"""Compare products with the fingerprints of their exposures.

The slit of an entry is found from the product alone: its exposure by the file name in the entry's
metadata, and the slit by its identity and its planes.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import InputError, list_some
from ..modes import FIXED_SLIT
from ..results import CAL, manifest_name
from ..sources.associations import Association
from .asdf_reader import canonical_text, first_sentence, get_node
from .fingerprints import (
    EXPOSURE_TYPE,
    ExposureFingerprints,
    SlitFingerprint,
    copied_texts,
    fingerprint_entry,
    flatten,
    get_planes,
)
from .fits_reader import Contents, read_file
from .opening import find_openable, open_model
from .schema import EXPOSURE_MODEL, PRODUCT_MODEL, card_values, find_wrong_cards, read_schema
from .verdicts import NO_JOINS, JoinLookup, Verdict, digest_file

#: Beginning of the part of HISTORY that joined products have.
JOINED = "Joined by the user"

#: Leaves at the top of a product's metadata that are not its first exposure's.
OWN_LEAVES = ("meta.date", "meta.filename", "meta.model_type", EXPOSURE_TYPE)

#: Keys of ``meta.instrument`` that products of one target of the joins differ in.
OPTICS = ("name", "filter", "grating", "pupil")


class Verifier:
    """Compares products with their exposures, by a folder of fingerprints.

    Products may name `associations` instead of those of their exposures. Verdicts carry the digest
    of the manifest of their product, if the folder of these is given.
    """

    def __init__(
        self,
        folder: str,
        associations: Iterable[Association] = (),
        joins: JoinLookup = NO_JOINS,
        manifests: str = "",
    ) -> None:
        self.folder = folder
        self.manifests = manifests
        self.joins = joins
        self.associations = {os.path.basename(asn.path): asn for asn in associations}
        self.exposures: dict[str, ExposureFingerprints | None] = {}
        self.defects: dict[str, str] = {}
        self.schema = read_schema(PRODUCT_MODEL)

    def verify(self, *paths: str) -> list[Verdict]:
        """Verify products."""
        verdicts = {path: Verdict(os.path.basename(path).removesuffix(CAL)) for path in paths}
        compared = [path for path, verdict in verdicts.items() if self.compare(path, verdict)]
        openable = find_openable(path for path in compared if not verdicts[path].errors)
        for path in compared:
            if path not in openable:
                with _report_errors(path, verdicts[path]):
                    self.open_product(path, verdicts[path])
        return list(verdicts.values())

    def compare(self, path: str, verdict: Verdict) -> bool:
        """Compare a product with its exposures; return whether it could be read to its end."""
        if self.manifests:
            manifest = os.path.join(self.manifests, manifest_name(verdict.product))
            verdict.digest = digest_file(manifest)
        with _report_errors(path, verdict):
            contents = read_file(path, {})
            verdict.planes = len(contents.hdus) - 1
            verdict.association = get_node(contents.tree, "meta.asn.table_name")
            optics = (get_node(contents.tree, f"meta.instrument.{key}") for key in OPTICS)
            verdict.optics = " ".join(map(str, optics))
            verdict.errors.extend(self.find_errors(path, contents, verdict.slits))
            return True
        return False

    def get_exposure(self, filename: Any) -> ExposureFingerprints | None:
        """Get the fingerprints of the exposure with this file name, or None."""
        if filename not in self.exposures:
            name = os.path.basename(str(filename)).removesuffix(".fits")
            path = os.path.join(self.folder, f"{name}.jsonl")
            exists = os.path.exists(path)
            self.exposures[filename] = ExposureFingerprints(path) if exists else None
        return self.exposures[filename]

    def open_product(self, path: str, verdict: Verdict) -> None:
        """Open a product; the cause of a failure may already be in its exposures."""
        try:
            invalid = open_model(path)
        except InputError as error:
            filenames = dict.fromkeys(filename for filename, _ in verdict.slits)
            unreadable = next(filter(self.open_exposure, filenames), None)
            if verdict.errors or not unreadable:
                verdict.errors.append(str(error))
            else:
                verdict.unverified.append(
                    f"has the bytes and the tree of its exposures, but {error}; "
                    f"{unreadable} {self.open_exposure(unreadable)}"
                )
        else:
            if invalid:
                # Its content was found equal to that of its exposures.
                verdict.notes.append(f"the schema refuses: {invalid}")

    def open_exposure(self, filename: str) -> str:
        """Open an exposure; return why it cannot be opened, or empty."""
        if filename not in self.defects:
            self.defects[filename] = ""
            if exposure := self.get_exposure(filename):
                try:
                    open_model(exposure.top["path"], EXPOSURE_MODEL)
                except InputError as error:
                    self.defects[filename] = str(error)
        return self.defects[filename]

    def find_errors(self, path: str, contents: Contents, slits: list[list[Any]]) -> Iterator[str]:
        """Find the errors of a product; add the slits that it was made from to `slits`."""
        tree, nodes = contents.tree, contents.tree.get("exposures")
        if not contents.clean:
            yield "has bytes after its ASDF tree"
        if contents.headers_edited:
            yield "its headers are not those that its tree was written with (_fits_hash)"
        if not (isinstance(nodes, list) and nodes):
            yield "its tree has no exposures"
            return
        numbers, order, types = contents.number_hdus(), [("PRIMARY", 1)], []
        for number, node in enumerate(nodes, 1):
            filename = get_node(node, "meta.filename")
            where = f"entry {number} ({filename})"
            try:
                entry = fingerprint_entry(number, node, contents, numbers)
            except InputError as error:
                yield f"{where}: {error}"
                continue
            order += [(name, number) for name in entry.planes]
            planes = get_planes(node)
            for plane in planes:
                array = contents.hdus[numbers[plane["source"]]].array
                described = plane.get("datatype"), plane.get("shape")
                if array and array != described:
                    one, other = ("{} {}".format(*pair) for pair in (array, described))
                    yield f"{where}: {plane['source'].name} is {one}, but {other} in its tree"
            if any(plane["source"].version != number for plane in planes):
                yield f"{where}: its tree names images of another entry"
            exposure = self.get_exposure(filename)
            if not exposure:
                yield f"{where}: the run has no such exposure"
                continue
            if number == 1:
                yield from self.compare_top(path, contents, exposure.top)
            if not (match := exposure.find(entry)):
                yield f"{where}: {entry.label} is not a slit of that exposure, nor are its images"
                continue
            position, slit = match
            slits.append([filename, position])
            types.append(slit.exposure_type or (exposure.top["kind"] if number == 1 else None))
            differences = [*_compare_entries(entry, slit)]
            for hdu, cards in entry.cards.items():
                values = card_values(self.schema.item, node, hdu)
                if number == 1:
                    for word, leaves in card_values(self.schema.top, tree, hdu).items():
                        values.setdefault(word, []).extend(leaves)
                words = find_wrong_cards(cards, slit.cards.get(hdu, {}), values)
                differences += [f"card {word} of {hdu}" for word in words]
            if not self.has_same_association(entry.asn, slit.asn, filename):
                differences.append("meta.asn")
            if differences:
                what = list_some(differences)
                yield f"entry {number}, {slit.label} of {filename}: differs in {what}"
        types = [name for name in types if name]
        if types and get_node(tree, EXPOSURE_TYPE) != types[-1]:
            yield f"meta.exposure.type at its top is not {types[-1]}"
        if order != [(hdu.name, hdu.version) for hdu in contents.hdus]:
            yield "its HDUs are not those that its tree names, or in another order"
        yield from self.compare_joins(nodes, contents)

    def compare_joins(self, nodes: list[Any], contents: Contents) -> Iterator[str]:
        """Check that entries belong to one source, or to one target of the user's joins."""
        keys = ("meta.filename", "name", "source_id", "source_name", EXPOSURE_TYPE)
        targets = {self.joins.find_target(*(get_node(node, k) for k in keys)) for node in nodes}
        if len(targets) > 1:
            yield "its entries are of several targets of the joins, or some of none"
        elif targets == {None} and not _is_one_source(nodes):
            ids = sorted({str(get_node(node, "source_id")) for node in nodes})
            yield f"its entries are of several sources: {list_some(ids)}"
        history = contents.hdus[0].header.get("HISTORY", ())
        if any(line.startswith(JOINED) for line in history) != (targets != {None}):
            yield "its HISTORY wrongly says whether it is joined"

    def has_same_association(self, asn: Any, own: Any, filename: str) -> bool:
        """Whether the association is the exposure's own, or one of the run that contains it."""
        if canonical_text(asn) == canonical_text(own):
            return True
        association = self.associations.get(get_node(asn, "table_name"))
        if not association or filename not in map(os.path.basename, association.science):
            return False
        changed = {"table_name": os.path.basename(association.path)}
        if association.pool:
            changed["pool_name"] = association.pool
        expected = (own if isinstance(own, dict) else {}) | changed
        return canonical_text(asn) == canonical_text(expected)

    def compare_top(self, path: str, contents: Contents, first: dict[str, Any]) -> Iterator[str]:
        """Compare the top of a product with its first exposure."""
        tree, primary, filename = contents.tree, contents.hdus[0], first["filename"]
        names = {"meta.filename": os.path.basename(path), "meta.model_type": PRODUCT_MODEL}
        for key, value in names.items():
            if get_node(tree, key) != value:
                yield f"{key} at its top is not {value}"
        leaves = flatten({"meta": tree.get("meta", {})})
        # What no schema knows is kept if the exposure's pipeline is newer than the installed one.
        paths = {keyword.path for keyword in self.schema.top} | leaves.keys()
        expected = {leaf: text for leaf, text in first["meta"].items() if leaf in paths}
        differences = [
            leaf
            for leaf in _differing(leaves, expected)
            if leaf not in OWN_LEAVES and not leaf.startswith("meta.asn.")
        ]
        # Unknown keys at the top of an exposure's tree are not copied.
        copied = copied_texts(tree)
        keys = {"cal_logs", *copied}
        expected = {key: text for key, text in first["tree"].items() if key in keys}
        differences += _differing(copied, expected)
        if not self.has_same_association(get_node(tree, "meta.asn"), first["asn"], filename):
            differences.append("meta.asn")
        if differences:
            yield f"the top of its tree differs from {filename} in {list_some(differences)}"
        values = card_values(self.schema.top, tree, "PRIMARY")
        words = list(find_wrong_cards(primary.cards, first["cards"], values))
        if primary.array or words:
            yield f"its PRIMARY header differs from {filename}: {list_some(words) or 'it has data'}"


@contextmanager
def _report_errors(path: str, verdict: Verdict) -> Iterator[None]:
    """Put what is raised into a verdict."""
    try:
        yield
    except MemoryError:
        raise
    except InputError as error:
        verdict.errors.append(str(error).removeprefix(f"{path}: "))
    except Exception as error:
        # In a damaged file any value may have another type than expected.
        what = f"{type(error).__name__}: {first_sentence(error)}"
        verdict.errors.append(f"cannot be verified ({what})")


def _is_one_source(nodes: list[Any]) -> bool:
    """Whether entries share an id or a name; for fixed slits, also that of the slit."""
    keys = ["source_id", "source_name"]
    if {get_node(node, EXPOSURE_TYPE) for node in nodes} == {FIXED_SLIT}:
        keys.append("name")
    values = ({get_node(node, key) for node in nodes} for key in keys)
    return any(len(ids) == 1 and not ids & {None, ""} for ids in values)


def _compare_entries(entry: SlitFingerprint, slit: SlitFingerprint) -> Iterator[str]:
    """Compare an entry with its slit, except for single cards."""
    if entry.planes.keys() != slit.planes.keys():
        yield f"images {', '.join(entry.planes)} instead of {', '.join(slit.planes)}"
    for name in entry.planes.keys() & slit.planes.keys():
        if entry.planes[name] != slit.planes[name]:
            yield f"data of {name}"
        if entry.arrays[name] != slit.arrays[name]:
            yield f"array of {name}"
    yield from _differing(entry.attributes, slit.attributes)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
