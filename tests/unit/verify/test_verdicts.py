"""What only all products together show, and which verdicts are about the present products."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from exp_to_source.errors import InputError, list_some
from exp_to_source.sources.associations import Association
from exp_to_source.sources.join_table import read_joins
from exp_to_source.tables import read_table
from exp_to_source.verify.verdicts import (
    JoinLookup,
    SlitIdentity,
    Verdict,
    check_completeness,
    check_verdicts,
    current_results,
    list_verdicts,
    write_verdicts,
)


def verdict(product: str, *slits: tuple[str, int], **fields: str) -> Verdict:
    """Make the verdict on a product without errors."""
    return Verdict(product, planes=1, slits=[list(slit) for slit in slits], **fields)


def errors_of(*arguments: Any, **options: Any) -> dict[str, str]:
    """Check the completeness of verdicts; return the errors by product."""
    checked = check_completeness(*arguments, **options)
    return {result.product: list_some(result.errors) for result in checked if result.errors}


@pytest.mark.parametrize(
    ("slits", "messages"),
    [
        ([("a", 1), ("b", 1)], {}),
        (
            [("a", 1)],
            {"p": "has 1 entries, 2 in the source list", "(none)": "lost: 1 slits .* b1 of b"},
        ),
        ([("a", 1), ("a", 1)], {"p": "a1 of a is in p, p", "(none)": "b1 of b"}),
        ([("b", 1), ("a", 2)], dict.fromkeys("pq", "a2 of a is in p, q") | {"(none)": "a1 of a"}),
    ],
)
def test_lost_and_duplicated_slits(slits: list[tuple[str, int]], messages: dict[str, str]):
    exposures = [("a", [SlitIdentity("a1"), SlitIdentity("a2")]), ("b", [SlitIdentity("b1")])]
    verdicts = [verdict("p", *slits), verdict("q", ("a", 2))]
    errors = errors_of(verdicts, exposures, [], {"p": 2, "q": 1})
    assert errors.keys() == messages.keys()
    for product, message in messages.items():
        assert re.search(message, errors[product])


def test_slits_are_in_one_product_of_each_association():
    associations = [Association(f"/{x}", "", ["/data/a"], [], None) for x in ("one", "two")]
    exposures = [("a", [SlitIdentity("a1")])]
    for other, failed in (("two", []), ("one", ["one", "two", "(none)"])):
        products = [
            verdict(x, ("a", 1), association=y) for x, y in (("one", "one"), ("two", other))
        ]
        assert [*errors_of(products, exposures, associations, {"one": 1, "two": 1})] == failed


def test_slits_of_odd_types():
    assert SlitIdentity("x", 5, "61", 61.5, ["x"]).identity_keys() == {("name", "61.5")}
    assert SlitIdentity("x", {}, [1], {}, None).identity_keys() == {("name", "{}")}
    exposures = [("a", [SlitIdentity("a1", 1, None, 7, 3)])]
    assert errors_of([verdict("p", ("a", 1))], exposures, [], {"p": 1}) == {}


def left_out(source_id: int, name: str = "", slit_name: str = "", slits: int = 1) -> dict[str, str]:
    """Make a row of the list of sources that were not chosen."""
    values = (str(source_id), name, slit_name, str(slits))
    return dict(zip(("source_id", "source_name", "slit_name", "slits"), values, strict=True))


@pytest.mark.parametrize(
    "row",
    [left_out(100), left_out(7, "x,Vega"), left_out(7, "Vega"), left_out(7, "", "S200A1,S200A2")],
)
def test_verification_accounts_for_sources_left_out(row: dict[str, str]):
    slits = [
        SlitIdentity("a1", "1", 45, "1345_45"),
        SlitIdentity("a2", "S200A1", 100, "VEGA"),
        SlitIdentity("a3", "3", 9, ""),
    ]
    for count, errors in (
        (1, {"(none)": "0 slits are of sources left out, 1 in the list of these"}),
        (2, {}),
        (3, {"(none)": "lost: 1 slits are in no product that could be read: a3 of a"}),
    ):
        exposures = [("a", slits[:count])]
        assert errors_of([verdict("p", ("a", 1))], exposures, [], {"p": 1}, [row]) == errors


def test_verification_holds_products_to_the_table(tmp_path: Path):
    def look_up(target: str) -> JoinLookup:
        path = tmp_path / "joins.tsv"
        path.write_text(f"exposure\tsource_id\ttarget\na_*\t1\t{target}\nb_*\t2\t{target}\n")
        return JoinLookup(read_joins(str(path)))

    one, other = ("a_cal.fits", 1), ("b_cal.fits", 1)
    exposures = [(name, [SlitIdentity("x", "1", n)]) for name, n in (one, ("b_cal.fits", 2))]
    asn = [Association(f"/{x}", "", ["/d/a_cal.fits", "/d/b_cal.fits"], [], None) for x in "xy"]
    pair = [verdict("p", one, other)]
    assert errors_of(pair, exposures, asn, {"p": 2}, joins=look_up("9")) == {}
    rows = [left_out(8, "Vega", slits=2)]
    assert errors_of([], exposures, asn, {}, rows, look_up("Vega")) == {}
    # A target has one product of each optics, whatever it is called.
    error = "free, p: of one target of the joins, which is one product"
    for optics, errors in (("G395M", {}), ("G235M", {"(none)": error})):
        pair = [verdict("p", one, optics="G235M"), verdict("free", other, optics=optics)]
        expected = {"p": 1, "free": 1}
        assert errors_of(pair, exposures, [], expected, joins=look_up("9")) == errors


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of a run with two products, of an exposure with two slits."""
    (tmp_path / "products").mkdir()
    for name in "pq":
        (tmp_path / "products" / f"{name}_cal.fits").touch()
    slits = '["a1", "", "", 1, "1", 1, "x"], ["a2", "", "", 1, "2", 2, ""]'
    (tmp_path / "a.jsonl").write_text(f'{{"filename": "a", "slits": [{slits}]}}\n')
    write_sources(tmp_path, p="1", q="2")
    return tmp_path


def write_sources(results: Path, **digests: str) -> None:
    """Write a source list of products with these digests."""
    rows = [f"{name}\t{digest}\t1\n" for name, digest in digests.items()]
    (results / "sources.tsv").write_text("product\tdigest\tslits\n" + "".join(rows))


def list_states(results: Path, *verdicts: Verdict) -> dict[str, str]:
    """List these verdicts; return the messages by product."""
    write_verdicts(str(results / "batch.jsonl"), verdicts)
    list_verdicts(
        table=str(results / "verify.tsv"),
        verdicts=[str(results / "batch.jsonl")],
        fingerprints=[str(results / "a.jsonl")],
        associations=[],
        sources=str(results / "sources.tsv"),
    )
    rows = read_table(str(results / "verify.tsv"))
    return {row["product"]: row["verdict"] for row in rows}


def test_verdicts_on_other_states_are_not_listed(results: Path):
    current = [verdict("p", ("a", 1), digest="1"), verdict("q", ("a", 2), digest="2")]
    earlier = [verdict("p", ("b", 1), digest="0"), verdict("gone", ("a", 2), digest="3")]
    assert list_states(results, *earlier, *current) == {"p": "ok", "q": "ok"}
    assert "2 products are sound" in check_verdicts(str(results / "verify.tsv"))
    sources = (results / "sources.tsv").read_text()
    (results / "sources.tsv").write_text("product\tdigest\np\t1\nq\tnew\n")
    with pytest.raises(InputError, match=r"verify.tsv: is of another source list; delete it"):
        check_verdicts(str(results / "verify.tsv"))
    (results / "sources.tsv").write_text(sources)
    assert list_states(results, current[0], *earlier) == {
        "p": "ok",
        "q": "its present state was not verified; run 'snakemake verify'",
    }
    with pytest.raises(
        InputError,
        match=r"1 of 2 rows of .* are damaged; delete .* without 'verify':\nq: its present state",
    ):
        check_verdicts(str(results / "verify.tsv"))


def test_only_results_about_present_products_are_current(results: Path):
    def read_results() -> dict[str, tuple[str, str]]:
        return {name: tuple(result) for name, result in current_results(str(results)).items()}

    assert read_results() == {}
    list_states(results, verdict("p", ("a", 1), digest="1"), verdict("q", ("b", 1), digest="2"))
    lost = "lost: 1 slits are in no product that could be read: a2 of a"
    expected = {"p": ("sound", "ok"), "q": ("sound", "ok"), "(none)": ("damaged", lost)}
    assert read_results() == expected
    # Other clocks do not matter, other manifests do.
    write_sources(results, p="1", q="3")
    os.utime(results / "sources.tsv", (0, 0))
    changed = ("", "product changed since")
    assert read_results() == {"p": ("sound", "ok"), "q": changed}
    (results / "products" / "q_cal.fits").unlink()
    assert read_results() == {"p": ("sound", "ok")}
    write_sources(results, r="1")
    assert read_results() == {}
    (results / "sources.tsv").unlink()
    assert read_results() == {}
