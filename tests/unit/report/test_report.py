"""The report: its content, its scripts, and that names from headers do no harm."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_run import write_fake_run
from pages import Page

from exp_to_source.errors import InputError
from exp_to_source.quicklook.spectra import Spectrum
from exp_to_source.report import views
from exp_to_source.report.coverage import Bin, Coverage, compute_histogram, read_coverage, round_up
from exp_to_source.report.exposures import ExposureSummary, name_setting
from exp_to_source.report.images import encode_png
from exp_to_source.report.measure import encode
from exp_to_source.report.page import write_report
from exp_to_source.results import spectrum_digest_path, spectrum_path
from exp_to_source.sources.entries import write_entries
from exp_to_source.sources.families import Slit
from exp_to_source.sources.products import Product
from exp_to_source.tables import read_table

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
BROWSER = pytest.mark.skipif(not CHROMIUM, reason="NO BROWSER: the report was NOT shown")
HARMFUL = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>"


def write(results: Path, settings: dict[str, Any] | None = None) -> str:
    """Write the report of a run; return the page."""
    output = results / "report.html"
    exposures = sorted(path.stem for path in (results / "index").iterdir())
    measured = map(str, results.glob("measured/*.jsonl"))
    logs = str(results.parent / "logs")
    write_report(str(output), str(results), logs, settings or {}, exposures, measured)
    return output.read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_fake_run(tmp_path, sources=12, exposures=6, made=12)


def names(results: Path) -> list[str]:
    return sorted(path.stem for path in (results / "manifests").iterdir())


def test_coverage_distinguishes_absence_from_another_setting(run: Path):
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
                present = (source * 7 + number * 3) % 10
                expected += "." if elsewhere else "1" if present else "-"
        assert line == expected
    assert "-" in "".join(lines.values())


def test_several_slits_and_exposures_that_are_none_of_the_run(run: Path):
    exposures = [ExposureSummary("a", "x"), ExposureSummary("b", "y")]
    slits = [
        Slit(exposure, "d", 1, "", "1", "", 1, 1, shutter_state="x")
        for exposure in ["a"] * 12 + ["gone"]
    ]
    write_entries(f"{run}/exposures.tsv", [Product("p", 1, "s", None, slits)])
    entries = [(0, "1", "x")] * 12 + [(-1, "1", "x")]
    assert read_coverage(str(run), exposures) == {"p": Coverage("9.", entries)}


def test_settings_are_distinguished():
    exposure = {
        "program": "1", "observation": "2", "instrument": "NIRCAM", "detector": "",
        "filter": "F356W", "grating": "", "pupil": "GRISMR", "subarray": "FULL",
    }  # fmt: skip
    assert name_setting(exposure) == "nircam f356w-grismr 1-o2"
    assert name_setting(exposure | {"subarray": "SUB8", "detector": "NRCA5"}).endswith("1-o2 sub8")
    assert name_setting(exposure | {"program": ""}) == "nircam f356w-grismr ?-o2"


def test_histograms():
    assert compute_histogram([]) == []
    assert compute_histogram([3]) == [Bin(3, 4, 1)]
    assert compute_histogram([1, 1, 3]) == [Bin(1, 2, 2), Bin(2, 3, 0), Bin(3, 4, 1)]
    many = compute_histogram([0, 99, 100, 2400])
    assert (many[0], many[-1]) == (Bin(0, 100, 2), Bin(2400, 2500, 1))
    assert sum(bar.number for bar in many) == 4
    assert [round_up(number) for number in (0, 1, 1.1, 5, 6, 11, 21)] == [1, 1, 2, 5, 10, 20, 50]


def test_problems_are_listed(run: Path):
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
    digests = read_digests(run)
    rows = [(second, "damaged", "pixels differ"), (third, "sound", "ok"), (fourth, "sound", "ok")]
    (run / "verify.tsv").write_text(
        "product\texposures\tplanes\tstatus\tverdict\tdigest\n"
        + "".join(
            f"{name}\t1\t1\t{status}\t{text}\t{digests[name]}\n" for name, status, text in rows
        )
    )
    table = (run / "sources.tsv").read_text()
    (run / "sources.tsv").write_text(table.replace(digests[third], "0123456789abcdef"))
    page = Page(write(run))
    for words in (
        "1 verification failed", f"{second}: pixels differ", "1 product missing",
        "a_cal.fits: changed since it was indexed", "1 exposure skipped", "b.fits: truncated",
        "2 exposures: keywords are left out: <b>", "something", "absent from exposures",
        "11 of 12", "1 of 12 sound",
    ):  # fmt: skip
        assert words in page.text, words
    assert page.row(third)["verdict"] == "product changed since"
    marks = dict(zip(page.data["products"], page.data["marks"], strict=True))
    assert "missing" in marks[first]
    assert "damaged" in marks[second]


def test_no_problems_and_nothing_absent(tmp_path: Path):
    html = write(write_fake_run(tmp_path, sources=3, exposures=1, made=3))
    text = Page(html).text
    assert "None found." in text
    assert "not yet" in text
    assert "Nothing is absent: each source is in all exposures of its setting." in text
    assert "<details>\n<summary>Map" in html


def test_names_from_headers_do_no_harm(run: Path):
    table = (run / "sources.tsv").read_text().replace("10006_5", HARMFUL)
    (run / "sources.tsv").write_text(table)
    (run / "skipped.tsv").write_text(f"exposure\tpath\treason\nb\tb\t{HARMFUL}\n")
    html = write(run, {HARMFUL: HARMFUL})
    page = Page(html)
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert images == [{"alt": ""}]
    assert page.text.count(HARMFUL) >= 2
    assert HARMFUL in [page.row(name)["name"] for name in names(run)]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    policy = next(a["content"] for _, a in page.elements if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy


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


def test_only_current_pictures_are_shown_within_the_page_if_they_are_few(
    run: Path, monkeypatch: pytest.MonkeyPatch
):
    (run / "quicklook").mkdir()
    first, second, third, *_ = names(run)
    digests = read_digests(run)
    for name, digest in ((first, digests[first]), (second, digests[first]), (third, None)):
        text = f"tEXtDigest\0{digest}" if digest else "picture"
        (run / "quicklook" / f"{name}.png").write_text(text)
    encoded = base64.b64encode(f"tEXtDigest\0{digests[first]}".encode()).decode()
    assert Page(write(run)).data["quicklooks"] == [encoded] + [0] * 11
    monkeypatch.setattr(views, "MAX_QUICKLOOKS", 13)
    assert views.read_quicklooks(str(run), digests) == [1] + [0] * 11


def test_spectrum_of_an_earlier_product_is_marked(run: Path, monkeypatch: pytest.MonkeyPatch):
    first, second, third, *_ = names(run)
    digests = read_digests(run)
    spectrum = Spectrum(np.arange(1.0, 4), np.ones(3), np.ones(3), "Jy")
    paths = [spectrum_path(str(run), name, "x1d") for name in (first, second, third)]
    monkeypatch.setattr(views, "read_extracted", lambda path: [spectrum] * (path in paths))
    for name, digest in ((first, digests[first]), (second, digests[first])):
        path = Path(spectrum_digest_path(str(run), name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{digest} {hashlib.sha256(b'').hexdigest()}\n")
        Path(spectrum_path(str(run), name, "x1d")).touch()
    add_measurements(run)
    data = Page(write(run)).data
    assert data["extracted"] == ["current", "earlier", "earlier"] + [""] * 9
    # The sum of its cut-outs instead.
    assert [line["unit"] for (line,) in data["spectra"][:3]] == ["Jy", "µJy", "µJy"]


def test_measurements_of_an_earlier_product_are_not_shown(run: Path):
    add_measurements(run)
    path = run / "measured" / "0.jsonl"
    first, second, *_ = names(run)
    digests = read_digests(run)
    path.write_text(path.read_text().replace(digests[first], digests[second]))
    page = Page(write(run))
    assert page.row(first)["S/N"] == page.row(first)["usable (%)"] == ""
    assert page.row(second)["S/N"] == "3.0"
    assert page.data["images"][0] == [] and page.data["spectra"][0] == []


def test_a_missing_index_is_an_error(run: Path):
    exposures = [path.stem for path in (run / "index").iterdir()]
    (run / "index" / f"{exposures[0]}.txt").unlink()
    with pytest.raises(InputError, match="no such index; run again"):
        write_report(str(run / "report.html"), str(run), "logs", {}, exposures, [])
    assert not (run / "report.html").exists()


def test_five_thousand_sources(tmp_path: Path):
    results = write_fake_run(tmp_path, sources=5000, exposures=10, made=4990)
    code = (
        "import re; from pathlib import Path; from test_report import write;"
        f"write(Path({str(results)!r}));"
        # Of this program alone: the maximum of getrusage begins with that of the process before.
        "print(re.search(r'VmHWM:\\s+([0-9]+)', open('/proc/self/status').read())[1])"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment, check=True
    )
    assert int(done.stdout) < 200_000
    assert (results / "report.html").stat().st_size < 1_100_000
    if not CHROMIUM:
        pytest.skip("NO BROWSER: the page of 5,000 sources was written, but NOT shown")
    dom = dump(results / "report.html", tmp_path)
    assert dom.count("<tr>") == 51
    assert "1 to 50 of 5,000" in dom


def dump(page: Path, folder: Path, *options: str) -> str:
    """Return the document of a page after its scripts ran without an error."""
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
            *(f"--user-data-dir={folder / 'browser'}", "--virtual-time-budget=5000", *options),
            *("--dump-dom", page.absolute().as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "CONSOLE" not in done.stderr
    return done.stdout


def act(path: Path, code: str) -> str:
    """Run code on a page, in which it is `page`, with a phone's width; return its output."""
    frame = path.parent / "frame.html"
    frame.write_text(
        f"<iframe id=f width=390 height=844 src='{path.name}'></iframe><p id=o></p><script>"
        "f.onload = async () => { const page = f.contentWindow; const find = (id) => "
        f"page.document.getElementById(id); const output = []; {code}; "
        "o.textContent = output.join('; ') }</script>"
    )
    options = ("--disable-web-security", "--allow-file-access-from-files")
    return re.search(r'<p id="o">([^<]*)', dump(frame, path.parent, *options))[1]


@BROWSER
def test_search_sort_and_keys(run: Path):
    write(run)
    output = act(
        run / "report.html",
        """
        const products = () => [...find("table").tBodies[0].rows].map(
          (row) => row.cells[0].textContent).join(" ");
        const press = (key) => find("map").dispatchEvent(
          new page.KeyboardEvent("keydown", { key }));
        find("query").value = "_1";
        find("query").dispatchEvent(new page.Event("input"));
        output.push(products());
        find("table").tHead.querySelector("button").click();
        find("table").tHead.querySelector("button").click();
        output.push(products(), find("count").textContent);
        press("ArrowDown");
        press("ArrowRight");
        press("ArrowDown");
        output.push(find("readout").textContent);
        """,
    )
    descending, second = "12 11 10 1", names(run)[10]
    assert output == (
        f"1 10 11 12; {descending}; 4 of 12 sources; "
        f"{second} in jw10006010001_03101_00002_nrs1_cal: 1 slit (row 2 of 4)"
    )


def read_digests(results: Path) -> dict[str, str]:
    """Read the digests of the products in the source list."""
    return {row["product"]: row["digest"] for row in read_table(str(results / "sources.tsv"))}


def add_measurements(results: Path) -> None:
    """Write measurements of the products of a run."""
    spectrum = encode(Spectrum(np.linspace(1, 2, 60), np.arange(60.0), np.ones(60), "µJy"), 60)
    png = base64.b64encode(encode_png(np.ones((4, 9), "u1"))).decode()
    image = {"png": png, "range": [1, 2], "grey": [-1, 9, 3], "unit": "µJy", "rows": [0.5]}
    (results / "measured").mkdir()
    with (results / "measured" / "0.jsonl").open("w") as file:
        for number, (name, digest) in enumerate(sorted(read_digests(results).items())):
            measurement = {
                "product": name, "digest": digest, "snr": 3.0 * number, "usable": 98.5,
                "sums": [spectrum], "entries": [["MJy", 30, 400, 1]], "images": [image],
            }  # fmt: skip
            if not number:
                measurement["sums"] = [spectrum, spectrum | {"unit": "DN/s", "order": 2}]
            file.write(json.dumps(measurement) + "\n")


def test_columns_of_the_source_list_and_measurements_are_in_the_table(run: Path):
    lines = (run / "sources.tsv").read_text().splitlines()
    extra = [lines[0] + "\tnumbers\tjoined_by"] + [f"{line}\t1\ta, b" for line in lines[1:]]
    (run / "sources.tsv").write_text("\n".join(extra) + "\n")
    add_measurements(run)
    page = Page(write(run))
    row = page.row(names(run)[4])
    assert (row["numbers"], row["joined by"]) == ("1", "a, b")
    numeric = {column["label"]: column["numeric"] for column in page.data["columns"]}
    assert numeric["numbers"] and numeric["S/N"] and not numeric["joined by"]
    assert [row[key] for key in ("RA (°)", "Dec (°)", "S/N", "usable (%)")] == [
        *("10.05000", "-4.97500", "12.0", "98.5")
    ]
    assert row["class"] == "source"
    index = page.data["products"].index(names(run)[4])
    assert page.data["spectra"][index][0]["unit"] == "µJy"
    assert page.data["entries"][index][0][1:] == ["5", "", "MJy", 30, 400, 1]
    assert page.data["extracted"] == [""] * 12
    assert "Nothing is absent" not in page.text


@BROWSER
def test_page_in_a_browser(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """On a phone, only the entries of a source move sideways; no cell is cut off."""
    table = (run / "sources.tsv").read_text().replace("10006_5", "<script>alert(1)</script>")
    # The last two are at one place.
    (run / "sources.tsv").write_text(table.replace("10.12\t-4.94\t", "10.11\t-4.945\t"))
    add_measurements(run)

    def make_views(*arguments: Any) -> dict[str, Any]:
        content = views.make_views(*arguments)
        return content | {"resampled": content["images"]}

    monkeypatch.setattr("exp_to_source.report.page.make_views", make_views)
    write(run)
    output = act(
        run / "report.html",
        """
        const root = page.document.documentElement;
        const element = (id) => find(id).outerHTML;
        output.push(page.document.querySelectorAll("tr").length,
          element("table").includes("&lt;script&gt;alert(1)&lt;/script&gt;"),
          root.outerHTML.includes("1 to 12 of 12"),
          root.outerHTML.includes('href="products/FIRST_cal.fits"'),
          find("map").getAttribute("width") > 0);
        output.push(root.scrollWidth <= root.clientWidth, root.clientWidth <= 390);
        page.URL.createObjectURL = (blob) => { page.saved = blob; return "#"; };
        find("csv").click();
        const body = find("view-body");
        find("table").querySelector(".view button").click();
        const scroll = body.querySelector(".scroll");
        const cells = [...scroll.querySelectorAll("th, td")];
        output.push(scroll.scrollWidth > scroll.clientWidth,
          cells.every((cell) => cell.scrollWidth <= cell.clientWidth),
          cells.every((cell) => cell.getClientRects()[0].height < 40),
          body.scrollWidth <= body.clientWidth);
        output.push(find("view").open, body.querySelectorAll("image").length,
          body.querySelectorAll("svg.plot path:not(.mark)").length,
          body.querySelectorAll("svg.plot:not(.strip)").length,
          body.querySelectorAll(".greys").length,
          body.querySelector("h3").textContent.split("_")[1],
          body.querySelector("pre").textContent.includes("datamodels.open"));
        const field = body.querySelector("[type=number]");
        for (const z of ["1.5", ""]) {
          field.value = z;
          field.dispatchEvent(new page.Event("input"));
          output.push(body.querySelectorAll(".lines text").length);
        }
        find("view-next").click();
        output.push(body.querySelector("h3").textContent.split("_")[1]);
        find("view").close();
        const sky = find("sky");
        /* The last two sources are farthest east, at the left, and north. */
        const far = page.skyLayout().at.at(-1);
        const send = (type) => {
          const { left, top } = sky.getBoundingClientRect();
          const at = { clientX: left + far[0], clientY: top + far[1] };
          sky.dispatchEvent(new page.PointerEvent(type, at));
        };
        send("pointermove");
        output.push(far[0] < sky.clientWidth / 3, far[1] < sky.clientHeight / 2);
        output.push(find("sky-readout").textContent);
        for (let k = 0; k < 3; k += 1) {
          send("click");
          const picked = [...page.document.querySelectorAll("tr.picked")];
          output.push(picked.map((row) => row.cells[0].textContent).join());
        }
        const text = await page.saved.text();
        output.push(text.split("\\r\\n").length, text.startsWith("id,"));
        """.replace("FIRST", names(run)[0]),
    )
    assert output.split("; ") == [
        *("13", "true", "true", "true", "true", *["true"] * 6),
        *("true", "2", "4", "2", "2", "s000000001", "true", "10", "0", "s000000002"),
        *("true", "true"),
        "10006_11, source, S/N 30.0, 5 exposures, 1 more here: click again for the next",
        *("11", "12", "11", "14", "true"),
    ]
