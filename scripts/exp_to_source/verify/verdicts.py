"""Results of verification, for each product and for all together."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InputError, list_some
from ..files import write_file
from ..modes import FIXED_SLIT, FIXED_SLIT_IDS
from ..results import LEFT_OUT, SOURCES, VERIFICATION, product_path
from ..sources.associations import Association
from ..sources.join_table import Joins, SlitKey
from ..tables import read_sources, read_table, write_table

COLUMNS = ("product", "exposures", "planes", "status", "verdict", "digest")

#: Values of a status. `UNREADABLE` products equal their exposures, but cannot be opened, as these
#: cannot be opened.
OK, UNREADABLE, FAILED = "sound", "unproved", "damaged"

#: In place of a product, in the row of errors of all together.
NO_PRODUCT = "(none)"


class JoinLookup(NamedTuple):
    """The user's table of joins, searched by the metadata of slits."""

    joins: Joins
    fixed_slit_ids: str = "header"

    def find_target(
        self, filename: Any, name: Any, source_id: Any, source_name: Any, exposure_type: Any
    ) -> tuple[Any, str] | None:
        """Find the target of the joins that a slit belongs to; None if it is not joined."""
        name, source_name = str(name or "").strip(), str(source_name or "").strip()
        if self.fixed_slit_ids == "table" and exposure_type == FIXED_SLIT:
            source_id = FIXED_SLIT_IDS.get(name.upper(), source_id)
        exposure = os.path.basename(str(filename)).removesuffix(".fits")
        row = self.joins.find_row(SlitKey(exposure, name, source_id or 0, source_name))
        return row.key if row else None


#: No table.
NO_JOINS = JoinLookup(Joins())


@dataclass
class Verdict:
    """Result of the verification of a product."""

    product: str
    #: Digest of its manifest, as in the source list.
    digest: str = ""
    planes: int = 0
    #: File name of the exposure and number of the slit, for each entry whose slit was found.
    slits: list[list[Any]] = field(default_factory=list)
    #: Name of its association's file.
    association: str | None = None
    #: Its instrument and optical elements.
    optics: str = ""
    errors: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Status of the product."""
        return FAILED if self.errors else UNREADABLE if self.unverified else OK

    def to_row(self) -> dict[str, Any]:
        """Return the row of the table."""
        message = list_some(self.errors or self.unverified or ["ok", *self.notes], "; ")
        exposures = len({str(filename) for filename, _ in self.slits})
        values = (self.product, exposures, self.planes, self.status, " ".join(message.split()))
        return dict(zip(COLUMNS, (*values, self.digest), strict=True))


def write_verdicts(path: str, verdicts: Iterable[Verdict]) -> None:
    """Write verdicts, one per line."""
    lines = (json.dumps(vars(verdict)).encode() + b"\n" for verdict in verdicts)
    write_file(path, b"".join(lines))


class SlitIdentity(NamedTuple):
    """Slit of an exposure: a label for people, and its identity, with the types of its file."""

    label: str
    name: Any = None
    source_id: Any = None
    source_name: Any = None
    exposure_type: Any = None

    def identity_keys(self) -> set[tuple[str, Any]]:
        """Return keys of its source: id, name, and for a fixed slit, the slit's name."""
        keys: set[tuple[str, Any]] = set()
        if self.source_name not in (None, ""):
            keys.add(("name", str(self.source_name).lower()))
        if isinstance(self.source_id, int):
            keys.add(("id", self.source_id))
        if str(self.name).upper() in FIXED_SLIT_IDS:
            keys.add(("slit", self.name))
        return keys


def read_slits(path: str) -> tuple[str, list[SlitIdentity]]:
    """Read file name and slits of an exposure from its fingerprints."""
    with open(path, "rb") as file:
        top = json.loads(file.readline())
    return top["filename"], [SlitIdentity(label, *slit) for label, _, _, _, *slit in top["slits"]]


def _left_out_keys(row: Mapping[str, str]) -> set[tuple[str, Any]]:
    """Return keys of a source, as of its slits; names may contain commas."""
    keys: set[tuple[str, Any]] = {("id", int(row["source_id"]))}
    for key, text in (("name", row["source_name"].lower()), ("slit", row["slit_name"])):
        keys |= {(key, name) for name in (text, *text.split(",")) if name}
    return keys


def check_completeness(
    verdicts: list[Verdict],
    exposures: Iterable[tuple[str, list[SlitIdentity]]],
    associations: list[Association],
    expected: Mapping[str, int],
    left_out: Sequence[Mapping[str, str]] = (),
    joins: JoinLookup = NO_JOINS,
) -> list[Verdict]:
    """Find errors that only all products together show: slits that are lost or repeated.

    Each association has its own products. `exposures` are file names with their slits, `expected`
    is the number of slits by product, `left_out` has the rows of sources that were not chosen. If
    slits are lost, the last verdict that is returned belongs to no product.
    """
    users: dict[tuple[str, int], list[Verdict]] = {}
    for verdict in verdicts:
        if not verdict.errors and len(verdict.slits) != expected[verdict.product]:
            verdict.errors.append(
                f"has {len(verdict.slits)} entries, {expected[verdict.product]} in the source list"
            )
        for filename, number in verdict.slits:
            users.setdefault((filename, number), []).append(verdict)
    tables: dict[str, list[str | None]] = {}
    for association in associations:
        for path in association.science:
            name = os.path.basename(association.path)
            tables.setdefault(os.path.basename(path), []).append(name)
    left_out_keys = {key for row in left_out for key in _left_out_keys(row)}
    lost, unused = [], 0
    joined: dict[Any, set[str]] = {}
    for filename, slits in exposures:
        for number, slit in enumerate(slits, 1):
            keys = slit.identity_keys()
            products = users.get((filename, number), [])
            wanted = Counter(tables.get(filename, [None]))
            # The slits of an exposure without association are in products, whatever association it
            # names.
            used = Counter(user.association if filename in tables else None for user in products)
            if target := joins.find_target(filename, *slit[1:]):
                # A joined slit is in one product, whatever the associations.
                wanted, used = Counter([None]), Counter(None for _ in products)
                source, _ = target
                keys.add(("name", source) if isinstance(source, str) else ("id", source[1]))
                for user in products:
                    joined.setdefault((target, user.optics), set()).add(user.product)
            if missing := (wanted - used).total():
                if keys & left_out_keys:
                    unused += missing
                else:
                    lost.append(f"{slit.label} of {filename}")
            if used - wanted:
                names = list_some(user.product for user in products)
                for user in products:
                    user.errors.append(f"{slit.label} of {filename} is in {names}")
    errors = [
        f"{list_some(sorted(names))}: of one target of the joins, which is one product"
        for names in joined.values()
        if len(names) > 1
    ]
    if lost:
        errors.append(
            f"lost: {len(lost)} slits are in no product that could be read: {list_some(lost)}"
        )
    if unused != (listed := sum(int(row["slits"]) for row in left_out)):
        errors.append(f"{unused} slits are of sources left out, {listed} in the list of these")
    return [*verdicts, Verdict(NO_PRODUCT, errors=errors)] if errors else verdicts


def list_verdicts(
    table: str,
    verdicts: Iterable[str],
    fingerprints: Iterable[str],
    associations: list[Association],
    sources: str,
    joins: JoinLookup = NO_JOINS,
) -> None:
    """Write a table of the verdict on each product of a run, and on all together.

    `verdicts` and `fingerprints` are files; verdicts on another state of a product are ignored.
    Beside the source list, ``left_out.tsv`` has the sources that were not chosen.
    """
    rows = read_sources(sources)
    current: dict[str, Verdict] = {}
    for path in verdicts:
        for line in Path(path).read_bytes().splitlines():
            verdict = Verdict(**json.loads(line))
            if verdict.digest == rows.get(verdict.product, {}).get("digest"):
                current[verdict.product] = verdict
    error = "its present state was not verified; run 'snakemake verify'"
    results = [current.get(name) or Verdict(name, errors=[error]) for name in rows]
    # What is in products without a verdict is not known.
    if len(current) == len(rows):
        expected = {name: int(row["slits"]) for name, row in rows.items()}
        left_out = read_table(os.path.join(os.path.dirname(sources), LEFT_OUT))
        slits = map(read_slits, fingerprints)
        results = check_completeness(results, slits, associations, expected, left_out, joins)
    if results and results[-1].product == NO_PRODUCT:
        results[-1].digest = digest_file(sources)
    write_table(table, COLUMNS, (verdict.to_row() for verdict in results))


def digest_file(path: str) -> str:
    """Compute the digest of a manifest, or of another small file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def check_verdicts(table: str) -> str:
    """Count the sound products in a table of verdicts; raise `InputError` if others are not."""
    rows = read_table(table)
    digests = {row["product"]: row["digest"] for row in rows}
    listed = read_table(os.path.join(os.path.dirname(table), SOURCES))
    # Of a product that was not verified, there is none.
    if any(digests.get(row["product"]) not in ("", row["digest"]) for row in listed):
        raise InputError(f"{table}: is of another source list; delete it and run again")
    bad = [row for row in rows if row["status"] not in (OK, UNREADABLE)]
    fault = f"rows of {table} are damaged; delete their products and rerun without 'verify'"
    if not bad:
        bad = [row for row in rows if row["status"] == UNREADABLE]
        fault = (
            f"products in {table} could not be proved to open, as exposures of theirs do not open "
            "either; fetch these again"
        )
    if bad:
        lines = [f"{row['product']}: {row['verdict']}" for row in bad]
        raise InputError("\n".join([f"{len(bad)} of {len(rows)} {fault}:", *lines]))
    return f"{table}: {len(rows)} products are sound"


class Result(NamedTuple):
    """Status of a product and its verdict; without a status if the product changed since."""

    status: str = ""
    message: str = ""


def current_results(results: str) -> dict[str, Result]:
    """Read the last results, by product, on those that are in the source list and exist.

    `NO_PRODUCT` has the result on all together, unless the sources were listed since.
    """
    path, sources = os.path.join(results, VERIFICATION), os.path.join(results, SOURCES)
    rows = read_table(path)
    digests = {row["product"]: row.get("digest") for row in read_table(sources)} if rows else {}
    current = {}
    for row in rows:
        name, result = row["product"], Result(row["status"], row["verdict"])
        if name == NO_PRODUCT:
            if digests and row.get("digest") == digest_file(sources):
                current[name] = result
        elif name in digests and os.path.exists(product_path(results, name)):
            same = row.get("digest") == digests[name]
            current[name] = result if same else Result(message="product changed since")
    return current
