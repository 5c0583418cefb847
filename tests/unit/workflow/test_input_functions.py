"""Input functions of rules, with a source list and without Snakemake."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from exp_to_source.results import product_path, spectrum_path
from exp_to_source.tables import write_table
from exp_to_source.workflow.configuration import check_configuration
from exp_to_source.workflow.input_functions import LISTINGS, InputFunctions, one_of
from exp_to_source.workflow.resolve import resolve_run

NAMES = [f"jw1_s0000{number}_x" for number in range(1, 5)]
ROWS = [
    {
        "product": name,
        "digest": f"{number}",
        "class": "sb"[number % 2],
        "family": "jw1_x",
        "exposure_type": "NRC_WFSS" if number < 3 else "NRS_MSASPEC",
    }
    for number, name in enumerate(NAMES, 1)
]


def fail(message: str) -> NoReturn:
    raise RuntimeError(message)


def write_rows(name: str, *rows: dict[str, str]) -> None:
    write_table(f"results/{name}", list(rows[0]), rows)


@pytest.fixture(autouse=True)
def results(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source list made of the exposures in the folder."""
    Path("results").mkdir()
    write_rows("sources.tsv", *ROWS)
    write_rows("skipped.tsv", {"exposure": "b_cal", "reason": "damaged"})
    write_rows("left_out.tsv", {"product": "jw1_s00009_x", "reason": "not chosen"})
    monkeypatch.setitem(LISTINGS, "results", SimpleNamespace(get=lambda: None))


def functions(is_module: bool = False, **config: object) -> InputFunctions:
    """Input functions of a run whose settings are those of the source list."""
    config = {"exposures": "*_cal.fits"} | config
    check_configuration(config)
    run = resolve_run(config, "results", [], is_module, lambda key: "")
    Path("results/settings.json").write_text(run.settings.to_json())
    return InputFunctions(lambda: run, is_module, fail)


def product(name: str) -> dict[str, str]:
    """Wildcards of a product."""
    return {"association": "jw1_", "source": name[4:10], "setting": "_x"}


EXPOSURE, PRODUCT = SimpleNamespace(exposure="a_cal"), product(NAMES[0])


def test_rows_of_products():
    inputs, wildcards = functions(), product(NAMES[2])
    assert inputs.product_trigger(wildcards) == "3"
    assert inputs.manifest(wildcards) == f"results/manifests/{NAMES[2]}.txt"
    assert inputs.references(wildcards) == "results/references/jw1_x.json"
    assert inputs.products() == [f"results/products/{name}_cal.fits" for name in NAMES]
    for name, sentence in (
        ("jw1_s00008_x", r"no such source \(did you mean 'jw1_s00004_x'\?\); see"),
        ("jw1_s00009_x", "jw1_s00009_x: not chosen; to make it, change"),
    ):
        with pytest.raises(RuntimeError, match=sentence):
            inputs.row(product(name))


def test_spectra_are_of_the_classes_that_are_requested():
    inputs = functions(spec3_classes=["s"])
    spectra = ["spec3/jw1_s00002_x_x1d.fits", "spec3/jw1_s00004_x_x1d.fits"]
    families = ["spectra/jw1_x_x1d.fits", "spec3/jw1_x_c1d.fits", "spec3/jw1_x_x1d.fits"]
    assert inputs.spectra({}) == [f"results/{name}" for name in (*spectra, *families)]
    family = SimpleNamespace(family="jw1_x")
    assert inputs.family_files("slit", spectrum_path, "x1d")(family) == [f"results/{spectra[1]}"]
    assert inputs.family_files("grism", spectrum_path, "x1d")(family) == [f"results/{spectra[0]}"]
    assert inputs.all_references({}) == ["results/references/jw1_x.json"]
    products = inputs.family_files("grism", product_path)
    assert products(family) == [f"results/products/{NAMES[1]}_cal.fits"]
    with pytest.raises(RuntimeError, match="jw2_x: no source of a grism in it is wanted"):
        products(SimpleNamespace(family="jw2_x"))


def test_batches_are_of_the_source_list_as_it_is():
    inputs = functions()
    first, second = inputs.all_batches("verdicts", 3)({})
    batch, products = SimpleNamespace(batch=Path(second).stem), inputs.products_trigger({})
    assert inputs.batch(3)(batch) == [f"results/products/{NAMES[3]}_cal.fits"]
    write_rows("sources.tsv", *ROWS[:3], ROWS[3] | {"digest": "new"})
    same, other = inputs.all_batches("verdicts", 3)({})
    assert same == first and other != second and inputs.products_trigger({}) != products
    with pytest.raises(RuntimeError, match="is a batch of other products"):
        inputs.batch(3)(batch)


def test_a_rule_without_the_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(LISTINGS, "results")
    with pytest.raises(RuntimeError, match=r"write 'use rule \* from' this workflow before it"):
        functions().products()


def test_a_list_of_other_settings_ends_the_run(monkeypatch: pytest.MonkeyPatch):
    inputs = functions(min_exposures=2)
    functions()
    with pytest.raises(RuntimeError, match=r"other settings or exposures.*--forcerun list_sources"):
        inputs.products()
    monkeypatch.setattr("sys.argv", ["snakemake", "--batch"])
    inputs = functions(min_exposures=2)
    functions()
    with pytest.raises(RuntimeError, match="--batch divides the products of a source list"):
        inputs.products()


def test_the_report_updates_quick_looks_that_exist():
    Path("results/quicklook").mkdir()
    Path(f"results/quicklook/{NAMES[1]}.png").touch()
    assert functions().shown_quicklooks({}) == [f"results/quicklook/{NAMES[1]}.png"]
    assert functions(quicklook=True).shown_quicklooks({}) == functions().quicklooks()


def test_what_is_shown_but_not_made_is_a_reason_to_run_again():
    inputs = functions()
    shown = inputs.shown_trigger(spectrum_path, "x1d")
    before = inputs.spectrum_trigger(PRODUCT), shown(PRODUCT)
    Path("results/spec3").mkdir()
    Path(f"results/spec3/{NAMES[0]}_x1d.fits").touch()
    assert inputs.spectrum_trigger(PRODUCT) != before[0] and shown(PRODUCT) != before[1]
    digests = {inputs.report_trigger({})}
    Path("results/verify.tsv").touch()
    digests.add(inputs.report_trigger({}))
    Path("results/remarks.tsv").write_text("level\tremark\nwarning\tx\n")
    digests.add(inputs.report_trigger({}))
    Path("a_cal.fits").write_bytes(b"xy")
    assert len(digests | {inputs.report_trigger({})}) == 4


@pytest.mark.parametrize(
    ("config", "name", "arguments", "expected"),
    [
        # Skipped exposures have none.
        ({}, "fingerprints", [{}], ["results/verify/exposures/a_cal.jsonl"]),
        # Those of a module count if they are replaced.
        ({"is_module": True}, "exposure_trigger", [EXPOSURE], ""),
        # Jobs that must not fail.
        ({}, "failure_option", [PRODUCT, "spec3"],
         f"--record-failure results/failures/spec3/{NAMES[0]}.txt"),
        ({"is_module": True}, "failure_option", [PRODUCT], ""),
        ({}, "crds_options", [{}, {}], ""),
        ({"crds_path": "a b"}, "crds_options", [{}, {}], "'--crds-path=a b'"),
    ],
)  # fmt: skip
def test_functions_of_wildcards(config: dict[str, Any], name: str, arguments: list[Any], expected):
    assert getattr(functions(**config), name)(*arguments) == expected


def test_exposures_of_the_user_count_by_their_state():
    assert functions().exposure_trigger(EXPOSURE).startswith("a_cal.fits 1 ")


def test_patterns_of_words():
    assert one_of(["a.b", "c"]) == r"a\.b|c"
    assert one_of([]) == "(?!)"
