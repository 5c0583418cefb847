"""The report: what it tells, and that nothing in it can be harmful."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_up import make_up_run
from pages import Page
from snake import ROOT

from exp_to_source.errors import InputError
from exp_to_source.quicklook.sums import Spectrum
from exp_to_source.report import page as report
from exp_to_source.report.coverage import (
    Bin,
    Coverage,
    Exposure,
    histogram,
    read_coverage,
    round_step,
    setting,
)
from exp_to_source.report.images import png
from exp_to_source.report.measure import packed
from exp_to_source.sources.families import Slit
from exp_to_source.sources.products import Product, manifest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
HARMFUL = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>"


def write(results: Path, name: str = "report.html") -> str:
    """Write the report of a run by its script; return the page."""
    script = [sys.executable, "-W", "error", ROOT / "scripts" / "write_report.py"]
    done = subprocess.run([*script, results / name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (results / name).read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_up_run(tmp_path, sources=12, exposures=6, made=12)


def names(results: Path) -> list[str]:
    return sorted(path.stem for path in (results / "manifests").iterdir())


def test_coverage_tells_absence_from_another_setting(run: Path):
    page = Page(write(run))
    assert (
        page.data["settings"]
        == ["nrs1 f170lp-g235m 10006-o010"] * 3 + ["nrs2 f170lp-g235m 10006-o010"] * 3
    )
    assert [name[-8:] for name in page.data["exposures"]] == ["nrs1_cal"] * 3 + ["nrs2_cal"] * 3
    lines = dict(zip(page.data["products"], page.data["coverage"], strict=True))
    for source, line in zip(range(1, 13), (lines[name] for name in names(run)), strict=True):
        expected = ""
        for detector in (0, 1):
            elsewhere = source % 3 == detector
            for number in range(detector, 6, 2):
                there = (source * 7 + number * 3) % 10
                expected += "." if elsewhere else "1" if there else "-"
        assert line == expected
    assert "-" in "".join(lines.values())


def test_several_slits_and_exposures_that_are_none_of_the_run(run: Path):
    exposures = [Exposure("a", "x", "1", []), Exposure("b", "y", "1", [])]
    folder = run / "some"
    folder.mkdir()
    slits = [Slit(exposure, "d", 1, "", "", 1, 1) for exposure in ["a"] * 12 + ["gone"]]
    (folder / "p.txt").write_bytes(manifest(Product("p", 1, "s", None, slits)))
    assert read_coverage(["p"], exposures, str(folder)) == {"p": Coverage("9.", [0] * 12 + [-1])}


def test_settings_are_told_apart():
    exposure = {
        "program": "1", "observation": "2", "instrument": "NIRCAM", "detector": "",
        "filter": "F356W", "grating": "", "pupil": "GRISMR", "subarray": "FULL",
    }  # fmt: skip
    assert setting(exposure) == "nircam f356w-grismr 1-o2"
    assert setting(exposure | {"subarray": "SUB8", "detector": "NRCA5"}).endswith("1-o2 sub8")
    assert setting(exposure | {"program": ""}) == "nircam f356w-grismr ?-o2"


def test_histograms():
    assert histogram([]) == []
    assert histogram([3]) == [Bin(3, 4, 1)]
    assert histogram([1, 1, 3]) == [Bin(1, 2, 2), Bin(2, 3, 0), Bin(3, 4, 1)]
    many = histogram([0, 99, 100, 2400])
    assert (many[0], many[-1]) == (Bin(0, 100, 2), Bin(2400, 2500, 1))
    assert sum(bar.count for bar in many) == 4
    assert [round_step(least) for least in (0, 1, 1.1, 5, 6, 11, 21)] == [1, 1, 2, 5, 10, 20, 50]


def test_problems_are_told(run: Path):
    first, second, third, fourth, *_ = names(run)
    (run / "products" / f"{first}_cal.fits").unlink()
    log = run.parent / "logs" / "gather_source" / f"{first}.log"
    log.parent.mkdir(parents=True)
    log.write_text("gather_source: a_cal.fits: changed since it was indexed; run again\n")
    (run / "skipped.tsv").write_text("exposure\tpath\treason\nb\tb.fits\tb.fits: truncated\n")
    remarks = [
        ("warning", "", "", "something"),
        ("note", "x", "/data/x.fits", "keywords are left out: <b>"),
        ("note", "y", "/data/y.fits", "keywords are left out: <b>"),
    ]
    (run / "remarks.tsv").write_text(
        "level\texposure\tpath\tremark\n" + "".join("\t".join(row) + "\n" for row in remarks)
    )
    rows = [(second, "damaged", "pixels differ"), (third, "sound", "ok"), (fourth, "sound", "ok")]
    (run / "verify.tsv").write_text(
        "product\texposures\tplanes\tstatus\tverdict\n"
        + "".join(f"{name}\t1\t1\t{status}\t{verdict}\n" for name, status, verdict in rows)
    )
    later = os.stat(run / "verify.tsv").st_mtime + 10
    os.utime(run / "products" / f"{third}_cal.fits", (later, later))
    page = Page(write(run))
    for words in (
        "1 verdict of damage", f"{second}: pixels differ", "1 product not made",
        "a_cal.fits: changed since it was indexed", "1 exposure skipped", "b.fits: truncated",
        "2 exposures: keywords are left out: <b>", "something", "absent from exposures",
        "11 of 12", "1 of 12 sound",
    ):  # fmt: skip
        assert words in page.text, words
    assert page.row(third)["verdict"] == "made again since"
    marks = dict(zip(page.data["products"], page.data["marks"], strict=True))
    assert "missing" in marks[first]
    assert "damaged" in marks[second]


def test_nothing_to_tell(tmp_path: Path):
    results = make_up_run(tmp_path, sources=1, exposures=1, made=1)
    page = Page(write(results))
    assert "None found." in page.text
    assert "not yet" in page.text


def test_verdicts_on_what_is_not_there_any_more_do_not_count(run: Path):
    """They are on products that are not chosen, were made again, or are gone."""
    first, second, third, *_ = names(run)
    proof = run / "verify.tsv"
    rows = [(name, "damaged") for name in (first, second, "gone", "(none)")]
    rows.append((third, "sound"))
    proof.write_text(
        "product\texposures\tplanes\tstatus\tverdict\n"
        + "".join(f"{name}\t1\t1\t{status}\tok\n" for name, status in rows)
    )
    later = os.stat(proof).st_mtime + 10
    os.utime(run / "products" / f"{first}_cal.fits", (later, later))
    os.utime(run / "sources.tsv", (later, later))
    (run / "products" / f"{second}_cal.fits").unlink()
    page = Page(write(run))
    assert "of damage" not in page.text
    assert "verified1 of 12 sound" in page.text.replace("\n", "")
    os.utime(run / "products" / f"{third}_cal.fits", (later, later))
    page = Page(write(run))
    assert "verifiednot yet" in page.text.replace("\n", "")
    labels = [column["label"] for column in page.data["columns"]]
    assert "status" not in labels and "verdict" in labels
    rows_there = [row for row in (run / "sources.tsv").read_text().splitlines() if third not in row]
    (run / "sources.tsv").write_text("\n".join(row for row in rows_there if first not in row))
    page = Page(write(run))
    assert "verdict" not in [column["label"] for column in page.data["columns"]]
    proof.write_text(
        "product\texposures\tplanes\tstatus\tverdict\n"
        + "".join(f"{name}\t1\t1\tsound\tok\n" for name in names(run))
    )
    assert "verified9 of 10 sound" in Page(write(run)).text.replace("\n", "")


def test_names_from_headers_do_no_harm(run: Path):
    table = (run / "sources.tsv").read_text().replace("10006_5", HARMFUL)
    (run / "sources.tsv").write_text(table)
    (run / "request" / "report-0.txt").write_text(json.dumps({HARMFUL: HARMFUL}))
    (run / "skipped.tsv").write_text(f"exposure\tpath\treason\nb\tb\t{HARMFUL}\n")
    html = write(run)
    page = Page(html)
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert images == [{"alt": ""}]
    assert page.text.count(HARMFUL) >= 2
    assert HARMFUL in [page.row(name)["name"] for name in names(run)]
    assert not any(name.startswith("on") for _, about in page.elements for name in about)
    policy = next(a["content"] for _, a in page.elements if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy


def test_columns_are_taken_by_name(run: Path):
    lines = (run / "sources.tsv").read_text().splitlines()
    extra = [lines[0] + "\tdetectors\tjoined_by"] + [f"{line}\tnrs1\ta, b" for line in lines[1:]]
    (run / "sources.tsv").write_text("\n".join(extra) + "\n")
    row = Page(write(run)).row(names(run)[0])
    assert (row["detectors"], row["joined by"]) == ("nrs1", "a, b")


def test_page_needs_nothing_but_itself(run: Path):
    html = write(run)
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in html
    assert "url(" not in html
    for tag, attributes in Page(html).elements:
        assert tag not in ("link", "iframe", "object", "base")
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#")


def test_same_input_gives_the_same_bytes(run: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000.5")
    first = write(run)
    assert write(run) == first
    assert "Written 2001-09-09 01:46:40 UTC" in first
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    now = write(run)
    assert now != first
    date = re.compile(r"Written [-0-9]+ [:0-9]+ UTC")
    assert date.sub("", now) == date.sub("", first)


def test_quick_looks_are_part_of_the_page_where_they_are_few(
    run: Path, monkeypatch: pytest.MonkeyPatch
):
    (run / "quicklook").mkdir()
    first, second, *_ = names(run)
    for name in (first, second, "gone"):
        (run / "quicklook" / f"{name}.png").write_bytes(b"picture")
    assert Page(write(run)).data["looks"] == ["cGljdHVyZQ=="] * 2 + [0] * 10
    monkeypatch.setattr(report, "EMBEDDED", 13)
    assert report.read_looks(str(run), names(run)) == [1, 1] + [0] * 10


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("request/sources-0.txt", "request: has no request for sources; run the workflow first"),
        ("sources.tsv", "sources.tsv: there is no source list; run 'snakemake sources' first"),
        ("index/jw10006010001_03101_00001_nrs1_cal.txt", "no such index; run again"),
    ],
)
def test_what_is_missing_is_told_in_a_sentence(file: str, sentence: str, run: Path):
    (run / file).unlink()
    script = [sys.executable, ROOT / "scripts" / "write_report.py", run / "report.html"]
    done = subprocess.run(script, capture_output=True, text=True)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.startswith("write_report: ")
    assert done.stderr.count("\n") == 1
    assert not (run / "report.html").exists()


def test_damaged_manifest_is_an_error(run: Path):
    (run / "manifests" / f"{names(run)[0]}.txt").write_text("{}")
    with pytest.raises(InputError, match="damaged; delete the file"):
        requests = [str(run / "request" / f"{what}-0.txt") for what in ("sources", "report")]
        report.write_report(str(run / "r.html"), str(run), str(run / "logs"), *requests)


def test_five_thousand_sources(tmp_path: Path):
    results = make_up_run(tmp_path, sources=5000, exposures=20, made=4990)
    code = (
        "import re, runpy, sys; runpy.run_path(sys.argv[0], run_name='__main__');"
        # Of this program alone: what getrusage tells begins with that of the process before.
        "print(re.search(r'VmHWM:\\s+([0-9]+)', open('/proc/self/status').read())[1])"
    )
    script = str(ROOT / "scripts" / "write_report.py")
    code = f"import sys; sys.argv = [{script!r}, {str(results / 'report.html')!r}]\n{code}"
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200_000
    assert (results / "report.html").stat().st_size < 1_000_000
    if not CHROMIUM:
        pytest.skip("NO BROWSER: the page of 5,000 sources was written, but NOT shown")
    dom = dump(results / "report.html", tmp_path)
    assert dom.count("<tr>") == 51
    assert "1 to 50 of 5,000" in dom


def dump(path: Path, scratch: Path) -> str:
    """Document of a page after its scripts ran, which they have to do without a complaint."""
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
            *(f"--user-data-dir={scratch / 'browser'}", "--virtual-time-budget=5000"),
            *("--dump-dom", path.absolute().as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "CONSOLE" not in done.stderr
    return done.stdout


@pytest.mark.skipif(not CHROMIUM, reason="NO BROWSER: the scripts of the report were NOT run")
def test_scripts_run_in_a_browser(run: Path, tmp_path: Path):
    table = (run / "sources.tsv").read_text().replace("10006_5", "<script>alert(1)</script>")
    (run / "sources.tsv").write_text(table)
    write(run)
    dom = dump(run / "report.html", tmp_path)
    assert dom.count("<tr>") == 13
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in dom
    assert "1 to 12 of 12" in dom
    assert f'href="products/{names(run)[0]}_cal.fits"' in dom
    assert re.search(r'<canvas id="map"[^>]* width="[1-9][0-9]+"', dom)


def act(path: Path, code: str) -> str:
    """What a page says after some code, in which it is `page`, ran with it on a phone's width."""
    frame = path.parent / "frame.html"
    frame.write_text(
        f"<iframe id=f width=390 height=844 src='{path.name}'></iframe><p id=o></p><script>"
        "f.onload = () => { const page = f.contentWindow; const find = (id) => "
        f"page.document.getElementById(id); {code} }}</script>"
    )
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-web-security"),
            *(f"--user-data-dir={path.parent / 'browser'}", "--allow-file-access-from-files"),
            *("--virtual-time-budget=5000", "--dump-dom", frame.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    return re.search(r'<p id="o">([^<]*)', done.stdout)[1]


@pytest.mark.skipif(not CHROMIUM, reason="NO BROWSER: the width of the report was NOT measured")
def test_phone_needs_no_sideways_scroll(run: Path):
    write(run)
    said = act(
        run / "report.html",
        "const root = page.document.documentElement;"
        "o.textContent = `${root.scrollWidth} ${root.clientWidth}`;",
    )
    width, available = map(int, said.split())
    assert width <= available <= 390


@pytest.mark.skipif(not CHROMIUM, reason="NO BROWSER: the width of the report was NOT measured")
def test_entries_of_a_source_move_sideways_on_a_phone(run: Path):
    """Their cells neither run together nor are cut off."""
    add_figures(run)
    write(run)
    said = act(
        run / "report.html",
        """
        find("table").querySelector(".view button").click();
        const scroll = find("view-body").querySelector(".scroll");
        const cells = [...scroll.querySelectorAll("th, td")];
        o.textContent = [scroll.scrollWidth > scroll.clientWidth,
          cells.every((cell) => cell.scrollWidth <= cell.clientWidth),
          cells.every((cell) => cell.getClientRects()[0].height < 40),
          find("view-body").scrollWidth <= find("view-body").clientWidth].join(" ");
        """,
    )
    assert said == "true true true true"


@pytest.mark.skipif(not CHROMIUM, reason="NO BROWSER: the scripts of the report were NOT run")
def test_search_sort_and_keys(run: Path):
    write(run)
    said = act(
        run / "report.html",
        """
        const products = () => [...find("table").tBodies[0].rows].map(
          (row) => row.cells[0].textContent).join(" ");
        const press = (key) => find("map").dispatchEvent(
          new page.KeyboardEvent("keydown", { key }));
        const said = [];
        find("query").value = "_1";
        find("query").dispatchEvent(new page.Event("input"));
        said.push(products());
        find("table").tHead.querySelector("button").click();
        find("table").tHead.querySelector("button").click();
        said.push(products(), find("count").textContent);
        press("ArrowDown");
        press("ArrowRight");
        press("ArrowDown");
        said.push(find("readout").textContent);
        o.textContent = said.join("; ");
        """,
    )
    falling, second = "12 11 10 1", names(run)[10]
    assert said == (
        f"1 10 11 12; {falling}; 4 of 12 sources; "
        f"{second} in jw10006010001_03101_00002_nrs1_cal: 1 slit (row 2 of 4)"
    )


def add_figures(results: Path) -> None:
    """Give the sources of a run what is measured of products."""
    line = packed(Spectrum(np.linspace(1, 2, 60), np.arange(60.0), np.ones(60), "µJy"), 60)
    (results / "measured").mkdir()
    with (results / "measured" / "0.jsonl").open("w") as file:
        for number, name in enumerate(names(results)):
            about = {
                "product": name, "position": [10 + number / 100, -5 + number / 200],
                "snr": 3.0 * number, "usable": 98.5, "entries": [["MJy", 30, 400, 1]], "total": 1,
                "images": [base64.b64encode(png(np.ones((4, 9), "u1"))).decode()], "sum": line,
            }  # fmt: skip
            file.write(json.dumps(about) + "\n")


def test_figures_are_in_the_table(run: Path):
    add_figures(run)
    page = Page(write(run))
    row = page.row(names(run)[4])
    assert [row[key] for key in ("RA (°)", "Dec (°)", "S/N", "usable (%)")] == [
        *("10.04000", "-4.98000", "12.0", "98.5"),
    ]
    assert row["class"] == "source"
    place = page.data["products"].index(names(run)[4])
    assert page.data["spectra"][place]["unit"] == "µJy"
    assert page.data["entries"][place][0][1:] == ["MJy", 30, 400, 1]
    assert page.data["extracted"] == [0] * 12
    assert "Nothing is absent" not in page.text


def test_coverage_is_a_line_where_nothing_is_absent(tmp_path: Path):
    html = write(make_up_run(tmp_path, sources=3, exposures=1, made=3))
    assert "Nothing is absent: each source is in all exposures of its setting." in Page(html).text
    assert "<details>\n<summary>Map" in html


@pytest.mark.skipif(not CHROMIUM, reason="NO BROWSER: the scripts of the report were NOT run")
def test_view_sky_and_csv(run: Path):
    add_figures(run)
    write(run)
    said = act(
        run / "report.html",
        """
        const said = [];
        page.URL.createObjectURL = (blob) => { page.saved = blob; return "#"; };
        find("csv").click();
        find("table").querySelector(".view button").click();
        said.push(find("view").open, find("view-body").querySelectorAll("img").length,
          find("view-body").querySelectorAll("svg.plot path").length,
          find("view-body").querySelector("h3").textContent.split("_")[1],
          find("view-body").querySelector("pre").textContent.includes("datamodels.open"));
        find("view-next").click();
        said.push(find("view-body").querySelector("h3").textContent.split("_")[1]);
        find("view").close();
        const sky = find("sky");
        const box = sky.getBoundingClientRect();
        /* The last source is farthest east, at the left, and north. */
        const far = page.skyLayout().at.at(-1);
        const at = { clientX: box.left + far[0], clientY: box.top + far[1] };
        sky.dispatchEvent(new page.PointerEvent("pointermove", at));
        said.push(far[0] < box.width / 3, far[1] < box.height / 2);
        said.push(find("sky-readout").textContent);
        sky.dispatchEvent(new page.MouseEvent("click", at));
        said.push(page.document.querySelectorAll("tr.picked").length);
        page.saved.text().then((text) => {
          said.push(text.split("\\r\\n").length, text.startsWith("id,"));
          o.textContent = said.join("; ");
        });
        """,
    )
    assert said == (
        "true; 1; 2; s000000001; true; s000000002; true; true; "
        "10006_12, source, S/N 33.0, 3 exposures; 1; 14; true"
    )
