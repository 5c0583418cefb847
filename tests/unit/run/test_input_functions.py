"""Input functions of rules, with a source list and without Snakemake."""

import csv
import os
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from exp_to_source.run.configuration import check_configuration
from exp_to_source.run.input_functions import LISTINGS, InputFunctions, one_of
from exp_to_source.run.resolve import resolve_run

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


class RefusalError(Exception):
    """A sentence that ends the run."""


def refuse(sentence: str) -> NoReturn:
    raise RefusalError(sentence)


def write_table(name: str, rows: list[dict[str, str]]) -> None:
    with open(f"results/{name}", "w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), delimiter="\t")
        table.writeheader()
        table.writerows(rows)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working directory with two exposures, and a source list made of them."""
    monkeypatch.chdir(tmp_path)
    for name in ("a_cal.fits", "b_cal.fits"):
        Path(name).write_bytes(b"x")
    Path("results").mkdir()
    write_table("sources.tsv", ROWS)
    write_table("skipped.tsv", [{"exposure": "b_cal", "reason": "damaged"}])
    write_table("left_out.tsv", [{"product": "jw1_s00009_x", "reason": "not chosen"}])
    monkeypatch.setitem(LISTINGS, "results", SimpleNamespace(get=lambda: None))
    return tmp_path


def functions(is_module: bool = False, **config: object) -> InputFunctions:
    """Input functions of a run whose settings are those of the source list."""
    config = {"exposures": "*_cal.fits"} | config
    check_configuration(config)
    run = resolve_run(config, "results", [], is_module, lambda key: "")
    Path("results/settings.json").write_text(run.settings.to_json())
    return InputFunctions(run, is_module, refuse)


def product(name: str) -> SimpleNamespace | dict[str, str]:
    """Wildcards of a product."""
    association, source, setting = name.partition("s0000")[0], name[4:10], name[10:]
    return {"association": association, "source": source, "setting": setting}


def test_rows_of_products(folder: Path):
    inputs = functions()
    assert inputs.product_trigger(product(NAMES[2])) == "3"
    assert inputs.manifest(product(NAMES[2])) == f"results/manifests/{NAMES[2]}.txt"
    assert inputs.references(product(NAMES[2])) == "results/references/jw1_x.json"
    assert inputs.products() == [f"results/products/{name}_cal.fits" for name in NAMES]
    with pytest.raises(
        RefusalError, match=r"no such source \(did you mean 'jw1_s00004_x'\?\); see"
    ):
        inputs.row(product("jw1_s00008_x"))
    with pytest.raises(RefusalError, match="jw1_s00009_x: not chosen; to make it, change"):
        inputs.row(product("jw1_s00009_x"))


def test_spectra_are_of_the_classes_that_are_requested(folder: Path):
    inputs = functions(spec3_classes=["s"])
    assert [os.path.basename(path) for path in inputs.spectra({})] == [
        *("jw1_s00002_x_x1d.fits", "jw1_s00004_x_x1d.fits", "jw1_x_c1d.fits", "jw1_x_x1d.fits")
    ]
    assert inputs.all_references({}) == ["results/references/jw1_x.json"]
    family = SimpleNamespace(family="jw1_x")
    assert inputs.family_products(family) == [f"results/products/{NAMES[1]}_cal.fits"]
    assert inputs.family_spectra(family) == [f"results/spec3/{NAMES[1]}_x1d.fits"]
    with pytest.raises(RefusalError, match="jw2_x: no source of a grism in it is wanted"):
        inputs.family_products(SimpleNamespace(family="jw2_x"))


def test_batches_are_of_the_source_list_as_it_is(folder: Path):
    inputs = functions()
    first, second = inputs.all_batches("verdicts", 3)({})
    batch = SimpleNamespace(batch=Path(second).stem)
    assert inputs.batch(3)(batch) == [f"results/products/{NAMES[3]}_cal.fits"]
    write_table("sources.tsv", [*ROWS[:3], ROWS[3] | {"digest": "new"}])
    assert inputs.all_batches("verdicts", 3)({})[0] == first
    with pytest.raises(RefusalError, match="is a batch of other products"):
        inputs.batch(3)(batch)


def test_a_rule_without_the_others(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(LISTINGS, "results")
    with pytest.raises(RefusalError, match=r"write 'use rule \* from' this workflow before it"):
        functions().products()


def test_a_list_of_other_settings_ends_the_run(folder: Path):
    inputs = functions()
    Path("results/settings.json").write_text("{}")
    with pytest.raises(RefusalError, match="other settings or exposures"):
        inputs.products()


def test_skipped_exposures_have_no_fingerprints(folder: Path):
    assert functions().fingerprints({}) == ["results/verify/exposures/a_cal.jsonl"]


def test_the_report_updates_quick_looks_that_exist(folder: Path):
    Path("results/quicklook").mkdir()
    Path(f"results/quicklook/{NAMES[1]}.png").touch()
    assert functions().shown_quicklooks({}) == [f"results/quicklook/{NAMES[1]}.png"]
    assert functions(quicklook=True).shown_quicklooks({}) == functions().quicklooks()


def test_what_is_shown_but_not_made_is_a_reason_to_run_again(folder: Path):
    inputs = functions()
    triggers = (
        inputs.spectrum_trigger,
        *(inputs.shown_spectra_trigger, inputs.verdicts_trigger, inputs.remarks_trigger),
        inputs.exposures_trigger,
    )
    before = [trigger(product(NAMES[0])) for trigger in triggers]
    Path("results/spec3").mkdir()
    Path(f"results/spec3/{NAMES[0]}_x1d.fits").touch()
    Path("results/verify.tsv").touch()
    Path("results/remarks.tsv").write_text("level\tremark\nwarning\tx\n")
    Path("a_cal.fits").write_bytes(b"xy")
    after = [trigger(product(NAMES[0])) for trigger in triggers]
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_exposures_of_a_module_count_if_they_are_replaced(folder: Path):
    wildcards = SimpleNamespace(exposure="a_cal")
    assert functions(is_module=True).exposure_trigger(wildcards) == ""
    assert functions().exposure_trigger(wildcards).startswith("a_cal.fits 1 ")
    assert functions().exposure(wildcards) == "a_cal.fits"


def test_jobs_that_must_not_fail(folder: Path):
    wildcards = product(NAMES[0])
    option = f"--record-failure results/failures/spec3/{NAMES[0]}.txt"
    assert functions().failure_option(wildcards, "spec3") == option
    assert functions(is_module=True).failure_option(wildcards) == ""


def test_place_of_crds(folder: Path):
    assert functions().crds_options({}, {}) == ""
    assert functions(crds_path="a b").crds_options({}, {}) == "'--crds-path=a b'"


def test_patterns_of_words():
    assert one_of(["a.b", "c"]) == r"a\.b|c"
    assert one_of([]) == "(?!)"
