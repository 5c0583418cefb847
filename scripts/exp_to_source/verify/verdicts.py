"""Results of verification, for each product and for all together."""

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import InputError, list_some
from ..files import atomic_write, write_all
from ..modes import FIXED_SLIT_IDS
from ..naming import parse_product_name
from ..results import LEFT_OUT, SOURCES, VERIFICATION, product_path
from ..sources.associations import Association
from ..sources.choosing import ALL_SOURCES, SourceFilter, choose
from ..sources.source_list import Source, read_source_list
from ..tables import read_table, write_table
from .claims import NO_CLAIMS, Claims

COLUMNS = ("product", "exposures", "planes", "status", "verdict")

#: Values of a status. `UNPROVED` products have no damage, but cannot be opened, as their exposures
#: cannot be opened.
SOUND, UNPROVED, DAMAGED = "sound", "unproved", "damaged"

#: In place of a product, in the row of what is wrong with all together.
NO_PRODUCT = "(none)"


class Verdict(NamedTuple):
    """Result of the verification of a product.

    Attributes
    ----------
    product : str
        Its name, without ``_cal``.
    planes : int
        Number of its planes.
    slits : list
        File name of the exposure and number of the slit, for each entry whose slit was found.
    association : str or None
        Name of its association's file.
    damages, doubts, notes : list of str
        Errors; what could not be verified; other remarks.
    """

    product: str
    planes: int
    slits: list[list[Any]]
    association: str | None
    damages: list[str]
    doubts: list[str]
    notes: list[str]

    @classmethod
    def of(cls, product: str, *damages: str) -> "Verdict":
        """Verdict on a product, or a name, with damages only."""
        return cls(product, 0, [], None, [*damages], [], [])

    @property
    def status(self) -> str:
        """Status of the product."""
        if self.damages:
            return DAMAGED
        return UNPROVED if self.doubts else SOUND

    def row(self) -> dict[str, Any]:
        """Row of the table."""
        words = list_some(self.damages or self.doubts or ["ok", *self.notes], "; ")
        exposures = len({str(filename) for filename, _ in self.slits})
        values = (self.product, exposures, self.planes, self.status, " ".join(words.split()))
        return dict(zip(COLUMNS, values, strict=True))


def write_verdicts(path: str, verdicts: Iterable[Verdict]) -> None:
    """Write verdicts, one per line."""
    with atomic_write(path) as file:
        for verdict in verdicts:
            write_all(file, json.dumps(verdict).encode() + b"\n")


def read_verdicts(path: str) -> list[Verdict]:
    """Read verdicts written by `write_verdicts`."""
    with open(path, "rb") as file:
        return [Verdict(*json.loads(line)) for line in file]


class Slit(NamedTuple):
    """Slit of an exposure: a label for people, and its identity, with the types of its file."""

    label: str
    name: Any = None
    source_id: Any = None
    source_name: Any = None
    kind: Any = None

    def traits(self) -> set[tuple[str, Any]]:
        """Keys that identify its source: id, name, and for a fixed slit, the slit's name."""
        name = "" if self.source_name is None else str(self.source_name)
        found: set[tuple[str, Any]] = {("name", name.lower())}
        if isinstance(self.source_id, int):
            found.add(("id", self.source_id))
        if str(self.name).upper() in FIXED_SLIT_IDS:
            found.add(("slit", self.name))
        return {(key, value) for key, value in found if value != ""}


def read_slits(path: str) -> tuple[str, list[Slit]]:
    """File name and slits of an exposure, from its fingerprints."""
    with open(path, "rb") as file:
        top = json.loads(file.readline())
    return top["filename"], [Slit(label, *who) for label, _, _, _, *who in top["slits"]]


def judge(
    verdicts: list[Verdict],
    exposures: Iterable[tuple[str, list[Slit]]],
    associations: list[Association],
    expected: dict[str, int],
    left_out: Mapping[str, tuple[Source, int]] = MappingProxyType({}),
    claims: Claims = NO_CLAIMS,
) -> list[Verdict]:
    """Find damage that shows only in all products together: slits that are lost or repeated.

    Parameters
    ----------
    verdicts : list of Verdict
        Of all products.
    exposures : iterable of (str, list of Slit)
        File names, and their slits.
    associations : list of Association
        Each has its own products.
    expected : dict
        Number of slits of each product, from the source list.
    left_out : mapping
        Product to its source and number of slits, for products that were not chosen.
    claims : Claims
        Of the user's table of joins.

    Returns
    -------
    list of Verdict
        The verdicts, with such damages added; if slits are lost, the last belongs to no product.
    """
    uses: dict[tuple[str, int], list[Verdict]] = {}
    for verdict in verdicts:
        if not verdict.damages and len(verdict.slits) != expected[verdict.product]:
            verdict.damages.append(
                f"has {len(verdict.slits)} entries, {expected[verdict.product]} in the source list"
            )
        for filename, number in verdict.slits:
            uses.setdefault((filename, number), []).append(verdict)
    families: dict[str, list[str | None]] = {}
    for association in associations:
        for path in association.science:
            name = os.path.basename(association.path)
            families.setdefault(os.path.basename(path), []).append(name)

    spare = {trait for source, _ in left_out.values() for trait in traits_of(source)}
    lost, spared = [], 0
    joined: dict[Any, set[str]] = {}
    for filename, slits in exposures:
        for number, slit in enumerate(slits, 1):
            label, traits = slit.label, slit.traits()
            wanted = Counter(families.get(filename, [None]))
            users = uses.get((filename, number), [])
            # The slits of an exposure without association are in products, whatever association it
            # names.
            found = Counter(user.association if filename in families else None for user in users)
            if target := claims.target(filename, *slit[1:]):
                # A joined slit is in one product, whatever the associations.
                wanted, found = Counter([None]), Counter(None for _ in users)
                traits |= claims.traits(target)
                for user in users:
                    joined.setdefault((target, _optics(user.product)), set()).add(user.product)
            if missing := (wanted - found).total():
                if traits & spare:
                    spared += missing
                else:
                    lost.append(f"{label} of {filename}")
            if found - wanted:
                products = list_some([user.product for user in users])
                for user in users:
                    user.damages.append(f"{label} of {filename} is in {products}")
    said = [
        f"{list_some(sorted(products))}: of one target of the joins, which is one product"
        for products in joined.values()
        if len(products) > 1
    ]
    if lost:
        said.append(
            f"lost: {len(lost)} slits are in no product that could be read: {list_some(lost)}"
        )
    if spared != (stated := sum(slits for _, slits in left_out.values())):
        said.append(f"{spared} slits are of sources left out, {stated} in the list of these")
    return [*verdicts, Verdict.of(NO_PRODUCT, *said)] if said else verdicts


def _optics(product: str) -> tuple[Any, ...]:
    """Instrument and optical elements of a product; a target has one product for each."""
    fields = parse_product_name(product)
    return (fields.instrument, fields.elements) if fields else (product,)


def traits_of(source: Source) -> set[tuple[str, Any]]:
    """Keys that identify the slits of a source (see `Slit.traits`)."""
    found: set[tuple[str, Any]] = {("id", source.source_id)}
    found |= {("name", name.lower()) for name in source.names}
    found |= {("slit", name) for name in source.slit_names}
    return {(key, value) for key, value in found if value != ""}


def read_rows(table: str) -> dict[str, tuple[Source, int]]:
    """Read source and number of slits of each product from a source list."""
    return {source.product: (source, source.slits) for source in read_source_list(table)}


def misplaced(
    chosen: Iterable[Source], left_out: Iterable[Source], source_filter: SourceFilter
) -> str:
    """Report sources that are made or left out against the user's choice; empty if none."""
    made, others = list(chosen), {source.product for source in left_out}
    unwanted = choose([*made, *left_out], source_filter)[0].keys()
    wrong = sorted(unwanted ^ others)
    return f"made or left out against the choice: {list_some(wrong)}" if wrong else ""


def list_verdicts(
    table: str,
    verdicts: Iterable[str],
    fingerprints: Iterable[str],
    associations: list[Association],
    sources: str,
    source_filter: SourceFilter = ALL_SOURCES,
    claims: Claims = NO_CLAIMS,
) -> None:
    """Write the verdict on each product of a run.

    Parameters
    ----------
    table : str
        File to write.
    verdicts, fingerprints : iterable of str
        Files of the verdicts, and of the fingerprints of all exposures.
    associations : list of Association
        Associations of the run.
    sources : str
        The source list; ``left_out.tsv`` beside it, if any, lists the sources that were not chosen.
    source_filter : SourceFilter
        Which sources the user wants.
    claims : Claims
        Of the user's table of joins.
    """
    found = [verdict for path in verdicts for verdict in read_verdicts(path)]
    chosen = read_rows(sources)
    left_out = read_rows(os.path.join(os.path.dirname(sources), LEFT_OUT))
    sizes = {name: slits for name, (_, slits) in chosen.items()}
    judged = judge(found, map(read_slits, fingerprints), associations, sizes, left_out, claims)
    made, others = ([source for source, _ in rows.values()] for rows in (chosen, left_out))
    if wrong := misplaced(made, others, source_filter):
        judged.append(Verdict.of(NO_PRODUCT, wrong))
    write_table(table, COLUMNS, (verdict.row() for verdict in judged))


def check_verdicts(table: str) -> str:
    """Summarise a table of verdicts in a sentence.

    Parameters
    ----------
    table : str
        As `list_verdicts` wrote it.

    Returns
    -------
    str
        The number of sound products, in a sentence.

    Raises
    ------
    InputError
        If something is damaged, or a product could not be opened.
    """
    rows = read_table(table)
    by_status = {
        status: [f"{row['product']}: {row['verdict']}" for row in rows if row["status"] == status]
        for status in (SOUND, UNPROVED, DAMAGED)
    }
    if damaged := by_status[DAMAGED]:
        lines = [f"{len(damaged)} of {len(rows)} rows of {table} are damaged:", *damaged]
        raise InputError("\n".join(lines))
    if unproved := by_status[UNPROVED]:
        said = (
            f"{len(unproved)} of {len(rows)} products in {table} could not be proved to open, as "
            "exposures of theirs do not open either; fetch these again:"
        )
        raise InputError("\n".join([said, *unproved]))
    return f"{table}: {len(by_status[SOUND])} products are sound"


class Told(NamedTuple):
    """Verdict on a product; without a status if the product was made since."""

    status: str = ""
    words: str = ""


def standing_verdicts(results: str, products: Collection[str]) -> dict[str, Told]:
    """Read the verdicts of the last verification that are on what is there now.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    products : collection of str
        Names of the products in the source list. Verdicts on others, and on products that do not
        exist any more, are left out.

    Returns
    -------
    dict
        Product to verdict; `NO_PRODUCT` to that on all together, unless they were listed since.
    """
    path = os.path.join(results, VERIFICATION)
    subjects = {name: product_path(results, name) for name in products}
    subjects[NO_PRODUCT] = os.path.join(results, SOURCES)
    verdicts = {}
    for row in read_table(path):
        subject = subjects.get(row["product"], "")
        if not os.path.exists(subject):
            continue
        if os.stat(subject).st_mtime <= os.stat(path).st_mtime:
            verdicts[row["product"]] = Told(row.get("status", ""), row["verdict"])
        elif row["product"] != NO_PRODUCT:
            verdicts[row["product"]] = Told("", "made again since")
    return verdicts
