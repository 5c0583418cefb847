"""A list of HDUs that finds without a search what astropy finds with one."""

import pytest
from astropy.io import fits

from exp_to_source.hdus import IndexedHduList

KEYS = ["PRIMARY", "sci", ("SCI", 1), ("sci", 2), ("SCI", 2), ("DQ", 1), 0, 3, -1, ("PRIMARY", 1)]
KEYS += [("ERR", 1), ("err ", 1)]


def test_finds_what_astropy_finds():
    names = [("SCI", 1), ("SCI", 2), ("DQ", 1), ("SCI", 1)]
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(name=name, ver=ver) for name, ver in names)]
    # As in a file that another program wrote.
    hdus.insert(1, fits.ImageHDU(name="ERR", ver=1))
    hdus[1].header["EXTNAME"] = " err"
    plain, indexed = fits.HDUList(hdus), IndexedHduList(hdus[:3])
    for hdu in hdus[3:]:
        indexed.append(hdu)
    assert [indexed[key] is plain[key] for key in KEYS] == [True] * len(KEYS)
    with pytest.raises(KeyError, match="not found"):
        indexed["SCI", 3]
