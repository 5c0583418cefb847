"""Quick looks: what is in the picture."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from eras import write_legacy
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from snake import ROOT

from exp_to_source.errors import InputError
from exp_to_source.quicklook import layout
from exp_to_source.quicklook import picture as quicklook
from exp_to_source.quicklook.axes import wavelength_ticks
from exp_to_source.quicklook.cutouts import Cutout, read_entries
from exp_to_source.quicklook.layout import lay_out, make_captions, same_axis, width_of, wrapped
from exp_to_source.quicklook.picture import (
    NAN_COLOUR,
    UNUSABLE_COLOUR,
    colours,
    draw,
    draw_quicklook,
    stretch,
)

DO_NOT_USE, JUMP_DET = 1, 4
NAME = "jw10006-o010_s00061_nirspec_f170lp-g235m"


def write_product(
    path: Path,
    data: list[np.ndarray],
    dq: list[np.ndarray] | None = None,
    wavelength: list[np.ndarray] | None = None,
    **cards: Any,
) -> Path:
    """Write planes as a product has them; a slit's own cards may be lists, one item an entry."""
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["INSTRUME"] = "NIRSPEC"
    for n, pixels in enumerate(data):
        header = fits.Header({"SOURCEID": 61, "SLTNAME": "3", "BUNIT": "MJy"})
        header.update({k: v[n] if isinstance(v, list) else v for k, v in cards.items()})
        hdus.append(fits.ImageHDU(pixels.astype("f4"), header, name="SCI", ver=n + 1))
        for name, planes in (("DQ", dq), ("WAVELENGTH", wavelength)):
            if planes is not None:
                hdus.append(fits.ImageHDU(planes[n], name=name, ver=n + 1))
    fits.HDUList(hdus).writeto(path)
    return path


def a_cutout(data: np.ndarray, **other: Any) -> Cutout:
    about = {
        "number": 1, "exposure": "", "slit": "", "order": None, "unit": "",
        "unusable": np.zeros(data.shape, bool), "wavelengths": None, "turned": False,
    }  # fmt: skip
    return Cutout(**about | {"data": data.astype("f4")} | other)


def ramp(rows: int, columns: int, low: float = 1.0, high: float = 3.0) -> np.ndarray:
    return np.tile(np.linspace(low, high, columns, dtype="f4"), (rows, 1))


def texts(path: Path, exposures: list[str] | None = None) -> str:
    """All that a picture says."""
    entries = read_entries(str(path), exposures or [], layout.ROWS * layout.COLUMNS)
    with quicklook.matplotlib.rc_context(quicklook.STYLE):
        figure = draw(NAME, entries)
    titles = [axes.get_title(loc) for axes in figure.axes for loc in ("left", "right")]
    ticks = [label.get_text() for axes in figure.axes for label in axes.get_xticklabels()]
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    handles = [text.get_text() for legend in filter(None, legends) for text in legend.get_texts()]
    return "\n".join([*(text.get_text() for text in figure.texts), *titles, *ticks, *handles])


def test_planes_that_are_read(tmp_path: Path):
    dq = np.zeros((4, 6), "u4")
    dq[0, 0], dq[1, 1] = DO_NOT_USE | JUMP_DET, JUMP_DET
    wavelengths = ramp(4, 6)
    wavelengths[:, 0] = 0
    wavelengths[:2, 1] = np.nan
    path = write_product(
        tmp_path / "p.fits", [np.ones((4, 6))], [dq], [wavelengths],
        SRCNAME="10006_61", SPORDER=2, DISPAXIS=1,
    )  # fmt: skip
    entries = read_entries(str(path), ["jw1_nrs1_cal"], 5)
    assert (entries.source_id, entries.source_name, entries.total) == ("61", "10006_61", 1)
    (cutout,) = entries.cutouts
    assert (cutout.exposure, cutout.order, cutout.unit) == ("jw1_nrs1_cal", 2, "MJy")
    assert cutout.unusable.sum() == 1
    assert cutout.unusable[0, 0]
    assert np.isnan(cutout.wavelengths[0])
    assert cutout.wavelengths[1:] == pytest.approx([1.4, 1.8, 2.2, 2.6, 3.0])


@pytest.mark.parametrize("dispaxis", [2, None])
def test_dispersion_along_columns_is_turned(dispaxis: int | None, tmp_path: Path):
    data = np.arange(24.0).reshape(6, 4)
    cards = {"DISPAXIS": dispaxis} if dispaxis else {}
    path = write_product(tmp_path / "p.fits", [data], wavelength=[ramp(4, 6).T.copy()], **cards)
    (cutout,) = read_entries(str(path), [], 5).cutouts
    assert cutout.turned
    assert cutout.data.tolist() == data.T.tolist()
    assert cutout.wavelengths == pytest.approx(np.linspace(1, 3, 6))
    assert "rows and columns exchanged" in make_captions([cutout])[0]


def test_bad_pixels_have_colours_of_their_own():
    data = np.array([[0.0, 1.0, 2.0, np.nan]])
    cutout = a_cutout(data, unusable=np.array([[False, True, False, True]]))
    image = colours(cutout, stretch([cutout]))[0]
    assert image[1] == pytest.approx(to_rgb(UNUSABLE_COLOUR))
    assert image[3] == pytest.approx(to_rgb(NAN_COLOUR))
    for grey in (image[0], image[2]):
        assert grey[0] == grey[1] == grey[2]


def test_one_stretch_for_all_from_what_is_usable():
    faint, bright = a_cutout(np.linspace(0, 1, 100)[None]), a_cutout(np.linspace(9, 10, 100)[None])
    norm = stretch([faint, bright])
    assert norm.vmin < 0.1
    assert norm.vmax > 9.9
    hot = a_cutout(np.array([[1e9, np.nan, 1.0]]), unusable=np.array([[True, False, False]]))
    assert stretch([faint, hot]).vmax <= 1
    for nothing in (np.full((2, 2), np.nan), np.ones((2, 2))):
        norm = stretch([a_cutout(nothing)])
        assert norm.vmin < norm.vmax


def test_ticks_are_round_and_where_they_should_be():
    rising = np.linspace(1.66, 3.17, 400)
    ticks, places = wavelength_ticks(rising, 8)
    assert len(ticks) <= 9
    assert ticks == pytest.approx(np.round(ticks, 1))
    assert np.interp(places, np.arange(400), rising) == pytest.approx(ticks)
    falling = rising[::-1].copy()
    falling[:10] = falling[-10:] = np.nan
    ticks, places = wavelength_ticks(falling, 8)
    assert falling[np.round(places).astype(int)] == pytest.approx(ticks, abs=0.003)
    assert np.all(np.diff(places) < 0)
    for none in (np.full(5, np.nan), np.array([2.0]), np.full(5, 2.0)):
        assert wavelength_ticks(none, 8)[0].size == 0


def test_titles_are_never_cut(tmp_path: Path):
    name = "W" * 150
    path = write_product(tmp_path / "p.fits", [np.ones((3, 5))] * 30, SRCNAME=name, SLTNAME=name)
    said = texts(path, [f"{name}{n:02}_cal" for n in range(30)])
    assert "…" not in said
    assert said.replace("\n", "").count(name) == 1 + 2 * 30
    words = ["one", "two three", "x" * 300]
    lines = wrapped(words, 120, 8)
    assert "".join(lines).replace(layout.SEPARATOR, "") == "".join(words)
    assert max(width_of(line, 8) for line in lines) <= 120


def test_legends_name_what_occurs(tmp_path: Path):
    plain = [np.ones((4, 6))]
    said = texts(write_product(tmp_path / "a.fits", plain))
    assert "NaN" not in said and "DO_NOT_USE" not in said and "expected" not in said
    dq = np.zeros((4, 6), "u4")
    dq[0, 0] = DO_NOT_USE
    said = texts(write_product(tmp_path / "b.fits", plain, [dq]))
    assert "NaN" not in said and "DO_NOT_USE" in said
    hole = np.ones((4, 6))
    hole[0, 0] = np.nan
    said = texts(write_product(tmp_path / "c.fits", [hole], [dq]))
    assert "NaN" in said and "DO_NOT_USE" not in said


def test_axes_that_agree_are_labelled_once():
    axis = np.linspace(1, 3, 50)
    one, same = (a_cutout(np.ones((5, 50)), wavelengths=axis + d) for d in (0, 0.001))
    other = a_cutout(np.ones((5, 50)), wavelengths=axis + 0.1)
    assert same_axis(one, same)
    assert not same_axis(one, other)
    assert not same_axis(one, one._replace(wavelengths=None))
    panels, _ = lay_out([one, same, other])
    assert [panel.labelled for panel in panels] == [False, True, True]


@pytest.mark.parametrize("count", [1, 2, 13, 36, 100])
def test_panels_do_not_overlap_and_stay_inside(count: int):
    shapes = [(3, 400), (500, 300), (30, 412)]
    panels, height = lay_out([a_cutout(np.ones(shapes[n % 3])) for n in range(count)][:36])
    columns: dict[float, list[Any]] = {}
    for panel in panels:
        columns.setdefault(panel.left, []).append(panel)
        assert panel.left + panel.width <= layout.WIDTH
        assert panel.height >= layout.LEAST_HEIGHT
    assert len(columns) <= layout.COLUMNS
    for own in columns.values():
        for above, below in pairwise(own):
            assert above.top + above.height + layout.CAPTION <= below.top
        assert own[-1].top + own[-1].height < height - layout.FOOT


def test_many_entries_are_counted(tmp_path: Path):
    names = [f"jw10006010001_03101_{n:05}_nrs1_cal" for n in range(1, 101)]
    path = write_product(tmp_path / "p.fits", [np.ones((3, 5))] * 100)
    said = texts(path, names)
    assert "64 more entries are not shown" in said
    assert "100 entries" in said
    assert "exposures jw10006010001" in said
    assert "36  03101_00036_nrs1  ·  slit 3" in said
    assert "00037" not in said


def test_what_is_strange_is_said(tmp_path: Path):
    planes = [np.full((3, 5), np.nan), np.ones((3, 5))]
    units = {"BUNIT": ["MJy", "MJy/sr"], "SPORDER": [1, 2], "SRCNAME": "a$b^{c"}
    said = texts(write_product(tmp_path / "p.fits", planes, **units), ["one_cal", "two_cal"])
    for words in ("all NaN", "no wavelengths", "MJy/sr", "order 2", "a$b^{c", "several units"):
        assert words in said
    assert "4 px" in said
    assert "1  one" in said


def test_wavelength_axis_has_a_unit(tmp_path: Path):
    path = write_product(tmp_path / "p.fits", [np.ones((3, 90))], wavelength=[ramp(3, 90)])
    assert "3 µm" in texts(path).splitlines()


def test_same_input_gives_the_same_bytes(tmp_path: Path):
    path = write_product(
        tmp_path / f"{NAME}_cal.fits", [ramp(9, 90)] * 2, wavelength=[ramp(9, 90)] * 2
    )
    pictures = []
    for n in range(2):
        draw_quicklook(str(path), str(tmp_path / f"{n}.png"))
        pictures.append((tmp_path / f"{n}.png").read_bytes())
    assert pictures[0] == pictures[1]
    assert b"tEXt" not in pictures[0]
    assert b"tIME" not in pictures[0]
    assert imread(tmp_path / "0.png").shape[1] == layout.WIDTH


def test_what_is_no_product_is_told_in_a_sentence(tmp_path: Path):
    empty = tmp_path / "empty.fits"
    fits.PrimaryHDU().writeto(empty)
    with pytest.raises(InputError, match=r"empty\.fits: has no SCI extension"):
        draw_quicklook(str(empty), str(tmp_path / "a.png"))
    (tmp_path / "text.fits").write_text("text")
    script = [sys.executable, ROOT / "scripts" / "draw_quicklook.py"]
    for name in ("text.fits", "gone.fits"):
        done = subprocess.run(
            [*script, tmp_path / name, tmp_path / "a.png"], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert done.stderr.startswith(f"draw_quicklook: {tmp_path / name}: ")
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "a.png").exists()


def test_legacy_exposure(tmp_path: Path):
    entries = read_entries(str(write_legacy(tmp_path)[0]), [], 9)
    assert entries.total == 5
    assert [cutout.data.shape[0] for cutout in entries.cutouts] == [6, 7, 6, 7, 6]
    assert "NIRSPEC" in entries.setting
