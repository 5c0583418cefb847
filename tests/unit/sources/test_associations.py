"""Associations of several pipelines, and what their members have become since."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from members import NAMES, TEMPLATE, write_association

from exp_to_source.errors import InputError
from exp_to_source.sources.associations import read_association

#: Value of a key that an association does not have.
DROP = "(none)"


def associate(
    folder: Path, *members: dict[str, Any], existing: Sequence[str] = ("cal", "cal"), **changes: Any
) -> str:
    """Write an association of the two exposures, and its files of these suffixes.

    Others of its keys, or of its product's, may have other values.
    """
    for name, suffix in zip(NAMES, existing, strict=True):
        (folder / f"{name}_{suffix}.fits").touch()
    path = Path(write_association(folder, changes.pop("suffix", "cal"), *changes.pop("others", ())))
    content = json.loads(path.read_text())
    product = content["products"][0]
    product["members"] += members
    for key, value in changes.items():
        (product if key in product else content)[key] = value
    path.write_text(json.dumps({key: value for key, value in content.items() if value != DROP}))
    return str(path)


def member(name: Any, exptype: Any = "science") -> dict[str, Any]:
    return {"expname": name, "exptype": exptype}


@pytest.mark.parametrize(
    ("suffix", "existing", "counts"),
    [
        ("cal", ("cal", "cal"), {}),
        ("mbsub", ("mbsub", "mbsub"), {}),
        ("x1d", ("cal", "cal"), {"cal": 2}),
        ("cal", ("cal", "mbsub"), {"mbsub": 1}),
        ("x1d", ("cal", "mbsub"), {"cal": 1, "mbsub": 1}),
    ],
)
def test_members_that_stand_for_others(tmp_path, suffix, existing, counts):
    """Whatever is beside members that exist."""
    for other in ("x1d", "cal", "mbsub") if existing == (suffix, suffix) else ():
        associate(tmp_path, existing=(other, other))
    path = associate(tmp_path, existing=existing, suffix=suffix)
    association = read_association(path)
    files = [f"{name}_{suffix}.fits" for name, suffix in zip(NAMES, existing, strict=True)]
    assert association.science == [str(tmp_path / file) for file in files]
    assert [d.text for d in association.diagnostics] == [
        f"{path}: {n} of its 2 members are called _{suffix}; the _{new} beside each is regrouped"
        for new, n in counts.items()
    ]


def test_spectra_without_their_exposures_or_beside_them(tmp_path):
    path = associate(tmp_path, suffix="x1d", existing=("x1d", "cal"))
    sentence = r"x1d.fits' is a spectrum, and its exposure '.*_cal.fits'"
    with pytest.raises(InputError, match=sentence):
        read_association(path)
    path = associate(tmp_path, member(f"{NAMES[0]}_cal.fits"), suffix="x1d")
    with pytest.raises(InputError, match="twice"):
        read_association(path)


@pytest.mark.parametrize("other", [{"name": "jw1-other", "members": []}, {}, "x"])
def test_only_the_first_product_is_made(tmp_path, other):
    ((_, remark),) = read_association(associate(tmp_path, others=[other])).diagnostics
    assert "only its first product is made, as in calwebb_spec3; left out: " in remark
    assert repr(other.get("name") if isinstance(other, dict) else None) in remark


def test_members_that_are_not_regrouped_need_not_exist_and_are_counted(tmp_path):
    """As in associations of the archive: target acquisitions are called cal, too."""
    images = [member(f"{name}-{n}_cal.fits", "target_acquisition") for n in "ab" for name in NAMES]
    path = associate(tmp_path, *images)
    association = read_association(path)
    assert len(association.science) == 2
    note = f"{path}: its 4 target_acquisition members are not regrouped"
    assert association.diagnostics == (("note", note),)
    others = ("background", "Background", "sourcecat", "segmap", "direct_image", "imprint")
    path = associate(tmp_path, *(member("x.fits", kind) for kind in others))
    association = read_association(path)
    assert association.background == [f"{tmp_path}/x.fits"] * 2
    ((_, remark),) = association.diagnostics
    assert "its 2 background and 1 sourcecat and 1 segmap and 1 direct_image and 1 impr" in remark
    assert remark.endswith("'prepare' subtracts the background from the science members")


@pytest.mark.parametrize(
    ("exptype", "is_science"),
    [("science ", False), ("scince", False), ("", True), ("Sci", True), (5, False), (None, False)],
)
def test_members_of_unknown_types(tmp_path, exptype, is_science):
    """Members may have absolute paths."""
    path = tmp_path / "c_cal.fits"
    path.touch()
    association = read_association(associate(tmp_path, member(str(path), exptype)))
    assert (association.science[-1] == str(path)) == is_science
    ((level, warning),) = association.diagnostics
    assert level == "warning"
    word = exptype if isinstance(exptype, str) else "None"
    what = "taken for science" if is_science else "left out"
    assert f"exptype {word!r} is not known, members that have it are {what}" in warning
    assert ": c_cal.fits; correct it" in warning


@pytest.mark.parametrize("way", ["./{}", "../{folder}/{}", "{path}/{}", "../link/{}", "sub/{}"])
def test_a_member_in_two_ways(tmp_path, way):
    folder = tmp_path / "exposures"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    name = f"{NAMES[0]}_cal.fits"
    (folder / "sub" / name).symlink_to(folder / name)
    other = way.format(name, folder=folder.name, path=folder)
    with pytest.raises(InputError, match=r"twice.*; leave one out$") as error:
        read_association(associate(folder, member(other)))
    assert f"'{folder / name}'" in str(error.value)


@pytest.mark.parametrize("kind", ["None", None, "", DROP])
def test_associations_without_a_type(tmp_path, kind):
    assert len(read_association(associate(tmp_path, asn_type=kind)).science) == 2
    (tmp_path / "x_rate.fits").touch()
    with pytest.raises(InputError, match=r"has no asn_type, and its member '.*x_rate.fits' is not"):
        read_association(associate(tmp_path, member("x_rate.fits"), asn_type=kind))


@pytest.mark.parametrize("name", [f"{TEMPLATE}.fits", f"{TEMPLATE}_cal", f"{TEMPLATE}_cal.fits"])
def test_endings_of_product_names(tmp_path, name):
    assert read_association(associate(tmp_path, name=name)).template == TEMPLATE


def test_yaml(tmp_path):
    content = read_association(associate(tmp_path))
    text = (tmp_path / "x_asn.json").read_text()
    for name, written in {
        "y_asn.yaml": yaml.safe_dump(json.loads(text)),
        # By its content, too: the pipeline reads JSON with a comma too many as YAML.
        "z_asn.json": text.replace("]}", ",]}"),
    }.items():
        path = tmp_path / name
        path.write_text(written)
        association = read_association(str(path))
        assert association == content._replace(path=str(path))
        assert association.name == name[:5]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"asn_type": "image3"}, "its asn_type is 'image3'; name level 3"),
        ({"asn_type": ["spec3"]}, r"its asn_type is \['spec3'\]"),
        ({"products": None}, "has no products"),
        ({"products": ["x"]}, "has no products"),
        ({"name": None}, "has no name or no members"),
        ({"members": None}, "has no name or no members"),
        ({"members": []}, "has no science members"),
        ({"members": ["x"]}, "a member has no expname"),
        ({"members": [member(5)]}, "a member has no expname"),
        ({"members": [{"expname": "x_cal.fits"}]}, "has no science members .* 'None'"),
        *(
            ({"members": [member(name)]}, "its member '.*' is not a file")
            for name in ("", "..", "\0", "/gone/x_cal.fits")
        ),
        *(
            ({"name": name}, "may have letters, digits, _")
            for name in (
                *("", "../../x", ".x", "{}", "{", "jw00009-o001_{source_id}_nirspec_..", "a b"),
                *("{source_id}_$(x)", "{source_id.x}_a", "{source_id}\n", "{source_id}_\u00e9"),
                *("/{source_id}", "jw00009-o001_{other}_nirspec_a", "{source_id}_{other}"),
            )
        ),
        ({"name": "jw00009-o001_{source_id}_nirspec_{source_id}"}, "has {source_id} twice"),
    ],
)
def test_associations_that_lie(tmp_path, changes, sentence):
    path = associate(tmp_path, **changes)
    with pytest.raises(InputError, match=sentence) as caught:
        read_association(path)
    assert str(caught.value).startswith(path) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("sentence", "contents"),
    [
        ("not a JSON file, nor YAML", (b"[" * 100000, b"\xff\xfe", b"{", b"a: b: c", b"? [a]: b")),
        ("not a JSON file, nor YAML", (b'{"a": ' + b"9" * 5000 + b"}", b"a: !!int x")),
        ("not a JSON file, nor YAML", (b"!!python/object:os.x {}",)),
        ("not an association", (b"", b"x", b"[[]]", b"5", b"{}", b"a: b")),
    ],
)
def test_associations_of_other_content(tmp_path, sentence, contents):
    path = tmp_path / "x_asn.json"
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(InputError, match=sentence):
            read_association(str(path))


def test_associations_that_are_no_files(tmp_path):
    for path in (tmp_path, tmp_path / "gone_asn.json"):
        with pytest.raises(InputError, match="no such association"):
            read_association(str(path))
    for name in ("x\n--table=y_asn.json", "a{b}_asn.json", "\udcff_asn.json"):
        with pytest.raises(InputError, match="cannot be part of paths"):
            read_association(f"{tmp_path}/{name}")


@pytest.mark.parametrize("pool", ["\ud800", "a\nb", 5, None])
def test_pools_that_are_no_names(tmp_path, pool):
    assert read_association(associate(tmp_path, asn_pool=pool)).pool is None
