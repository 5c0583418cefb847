"""Slits are joined as the user's table says, or the run says what is wrong with it."""

from pathlib import Path

import pytest

from exp_to_source.errors import InputError
from exp_to_source.sources.families import Family, GroupingOptions, Slit
from exp_to_source.sources.join_table import Joins, read_joins
from exp_to_source.sources.joining import join_slits
from exp_to_source.sources.listing import describe_source
from exp_to_source.sources.products import make_products, manifest

HEAD = "exposure\tslit_name\tsource_id\tsource_name\ttarget\tproduct\n"
OPTICS = "nirspec_f170lp-g235m"


def slit(exposure: str, source_id: int, slit_name: str = "1", source_name: str = "") -> Slit:
    digest = f"{exposure}-{source_id}-{slit_name}"
    return Slit(exposure, digest, source_id, source_name, slit_name, "", 14, 100, optics=OPTICS)


def family(*slits: Slit, observation: int = 1, association: str | None = None) -> Family:
    about = {"table_name": association} if association else None
    return Family(f"jw01345-o{observation:03d}_{{source_id}}_{OPTICS}", 5, about, list(slits))


def table(folder: Path, *rows: str, name: str = "joins.tsv") -> Joins:
    path = folder / name
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return read_joins(str(path))


def products_of(joins: Joins, *families: Family, **options: str):
    grouping = GroupingOptions(**options)
    rest, joined = join_slits(families, joins, grouping)
    return make_products(rest, grouping, joined)


@pytest.fixture
def two() -> tuple[Family, Family]:
    """Two observations: source 61 is 72 in the second, which has another 61."""
    return (
        family(slit("a", 61, source_name="x_61"), slit("a", 62, "2"), slit("b", 61)),
        family(slit("c", 72), slit("c", 61, "2", "y_61"), observation=2),
    )


def test_observations_become_one_product(tmp_path: Path, two: tuple[Family, Family]):
    joins = table(tmp_path, "[ab]\t\t61\t\t61", "c\t\t72\t\t61")
    joined, other, last = products_of(joins, *two)
    assert [s.digest for s in joined.slits] == ["a-61-1", "b-61-1", "c-72-1"]
    assert joined.name == f"jw01345-o001_s00061_{OPTICS}"
    assert joined.joined == (joined.name, f"jw01345-o002_s00072_{OPTICS}")
    assert describe_source(joined, b"").joined == ",".join(joined.joined)
    assert (other.source_id, other.joined, describe_source(other, b"").joined) == (62, (), "")
    # The other 61 is another source of another observation, and stays so.
    assert last.name == f"jw01345-o002_s00061_{OPTICS}"
    assert manifest(joined) != manifest(joined._replace(joined=()))


@pytest.mark.parametrize(
    ("target", "source", "name"),
    [("99", (99, "s"), "x_61"), ("s00099", (99, "s"), "x_61"), ("b7", (7, "b"), "x_61"),
     ("-12", (-12, "v"), "x_61"), ("v00012", (-12, "v"), "x_61"), ("Vega", (61, "s"), "Vega"),
     ("X_61", (61, "s"), "X_61")],
)  # fmt: skip
def test_targets(tmp_path: Path, two: tuple[Family, Family], target: str, source, name: str):
    joins = table(tmp_path, f"[ab]\t\t61\t\t{target}", f"c\t1\t\t\t{target}")
    (product,) = (p for p in products_of(joins, *two) if p.joined)
    assert (product.source_id, product.class_) == source
    assert describe_source(product, b"").source_name.split(",")[0] == name


def test_slits_of_one_exposure_by_slit_name(tmp_path: Path):
    """Slit stepping: one object in several slits, each with an id of its own."""
    steps = family(*(slit("a", 10 + n, f"S200A{n}", "star") for n in (1, 2)), slit("a", 5, "x"))
    joins = table(tmp_path, "\ts200a*\t\t\t1")
    found = products_of(joins, steps)
    assert [(p.source_id, len(p.slits)) for p in found] == [(1, 2), (5, 1)]


def test_product_is_named_by_the_user(tmp_path: Path, two: tuple[Family, Family]):
    template = f"jw01345-c1001_{{source_id}}_{OPTICS}"
    joins = table(tmp_path, f"[ab]\t\t61\t\t61\t{template}", f"c\t\t72\t\t61\t{template}")
    assert products_of(joins, *two)[0].name == f"jw01345-c1001_s00061_{OPTICS}"
    joins = table(tmp_path, f"*\t1\t\t\t9\tjw01345-c1001_s00061_{OPTICS}_cal.fits")
    with pytest.raises(InputError, match=r"is not that of its target 9; correct one"):
        products_of(joins, *two)


@pytest.mark.parametrize(
    ("source_id", "joined"),
    [("45", "s00045"), ("S45", "s00045"), ("b045", "b00045"), ("-45.", "v00045"),
     ("v45", "v00045"), ("45.0", "s00045"), ("045", "s00045")],
)  # fmt: skip
def test_ids_match_their_class_only(tmp_path: Path, source_id: str, joined: str):
    slits = family(
        slit("a", 45, "1", "1345_45"), slit("a", 45, "2", "1345_BKG45"), slit("a", -45, "3")
    )
    (product,) = (
        p for p in products_of(table(tmp_path, f"\t\t{source_id}\t\t9"), slits) if p.joined
    )
    assert [name[13:19] for name in product.joined] == [joined]


def test_optical_elements_stay_apart(tmp_path: Path):
    other = slit("b", 7)._replace(optics="nirspec_f290lp-g395m")
    families = family(slit("a", 7)), Family("jw01345-o001_{source_id}_nirspec_f290lp-g395m", 5,
                                            None, [other])  # fmt: skip
    found = products_of(table(tmp_path, "\t\t7\t\t8"), *families)
    assert [(p.name[-12:], len(p.slits)) for p in found] == [
        ("f170lp-g235m", 1),
        ("f290lp-g395m", 1),
    ]


def test_joined_slits_are_no_contradictions(tmp_path: Path):
    odd = family(slit("a", 1, source_name="one"), slit("b", 1, source_name="other"))
    with pytest.raises(InputError, match="one id, 2 names"):
        products_of(Joins(), odd)
    assert len(products_of(table(tmp_path, "\t\t1\t\t1"), odd)) == 1


def test_associations(tmp_path: Path):
    mine, shared = slit("a", 1), slit("b", 2)
    first = family(mine, association="x_asn.json")
    second = family(shared, observation=2, association="y_asn.json")
    (product,) = products_of(table(tmp_path, "\t*\t\t\t9"), first, second)
    # Of two associations, the entries keep what their exposures say.
    assert product.association is None
    (product,) = products_of(table(tmp_path, "a\t*\t\t\t9"), first)
    assert product.association == {"table_name": "x_asn.json"}
    both = family(shared, mine, observation=3, association="z_asn.json")
    with pytest.raises(InputError, match=r"line 2: .* is a member of several associations"):
        products_of(table(tmp_path, "\t*\t\t\t9"), first, both)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (["a\t\t63\t\t1"], r"tsv, line 2: takes no slit; near misses: a slit 1 \(SOURCEID 61"),
        (["d*\t\t61\t\t1"], r"line 2: no exposure is called 'd\*'; they are a, b, c; correct"),
        (["a\t\t61\t\t1", "\t1\t\t\t1"], r"line 2 and .*line 3 both take slit 1 \(.* 61\) of a"),
        (["b\t\t61\t\t62"], r"line 2: its target 62 is a source of its own: a slit 2 \(.* 62"),
        (["a\t2\t\t\tx_61"], r"its target x_61 is a source of its own: a slit 1 "),
        (["a\t\t61\t\t7", f"c\t\t72\t\t8\tjw01345-o001_s00008_{OPTICS}",
          f"b\t\t61\t\t9\tjw01345-o001_s00062_{OPTICS}"], r"line 4: its product .* is not that of"),
        ([f"a\t\t61\t\t7\tjw01345-o001_s00007_{OPTICS}",
          f"c\t\t72\t\ts07\tjw01345-o001_{{source_id}}_{OPTICS}"],
         "give one of the joins another target or product"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit(
    rows: list[str], sentence: str, tmp_path: Path, two: tuple[Family, Family]
):
    with pytest.raises(InputError, match=sentence):
        products_of(table(tmp_path, *rows), *two)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("source_id\ttarget\tx\n1\t2\t3\n", "line 2: has 'x', which is not a column; these are"),
        ("source_id\ttarget\n1\t2\t3\n", "line 2: has more cells than there are columns"),
        ("source_id\ttarget\n1\n", "line 2: has no target; write the id"),
        ("target\n1\n", "line 2: names no slits; fill in slit_name, source_id"),
        *((f"source_id\ttarget\n{text}\t2\n", f"line 2: source_id '{text}' is not an id, ")
          for text in ("1x", "61.5", "inf", "True", "1345_61")),
        ("source_id\ttarget\tproduct\n1\t2\t../m\n", "line 2: '../m' is not a valid product name"),
        ("source_id\ttarget\tproduct\n1\t2\tjw{\n", "line 2: 'jw{' is not a valid product name"),
        (f"source_id\ttarget\tproduct\n1\t2\t\n3\t2\tjw01345-o001_s00002_{OPTICS}\n",
         "line 3: target 2 has a product in one row and none in another"),
        ('source_id\ttarget\n"1\n2"\t3\n', "line 2: source_id is not text; write one name"),
        ("source_id\ttarget\n\n# none\n", "has no rows; add some"),
        ("", "has no rows; add some"),
        ('source_id\ttarget\n"1\t2\n', "not a table of one row a line"),
        ("a: [", "yaml: not a YAML file"),
        ("[" * 5000, "yaml: not a YAML file"),
        ("a: 1", "yaml: not a list of mappings"),
        ("- {source_id: 1, target: [2]}", "yaml, row 1: target is not text"),
        ("- {source_id: 1, to: 2}", "yaml, row 1: has 'to', which is not a column"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_read(text: str, sentence: str, tmp_path: Path):
    path = tmp_path / f"joins.{'yaml' if sentence.startswith('yaml') else 'tsv'}"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_joins(str(path))


def test_tables_of_every_form_are_alike(tmp_path: Path):
    rows = []
    for name, text in (
        ("a.csv", "source_name,target,exposure\n1345_61,00062,x_cal.fits\n"),
        ("a.tsv", "source_name\ttarget\texposure\n1345_61\t00062\tx_cal\n"),
        ("a.yaml", "- {source_name: 1345_61, target: 00062, exposure: /data/x_cal.fits}\n"),
    ):
        (tmp_path / name).write_text(text)
        rows += read_joins(str(tmp_path / name)).rows
    assert len({row._replace(location="") for row in rows}) == 1
    assert (rows[0].source_name, rows[0].key) == ("1345_61", (("s", 62), ""))
