"""A list of HDUs that finds without a search what astropy finds with one."""

import pytest
from astropy.io import fits

from exp_to_source.hdus import IndexedHduList

KEYS = ["PRIMARY", "sci", ("SCI", 1), ("sci", 2), ("SCI", 2), ("DQ", 1), 0, 3, -1, ("PRIMARY", 1)]


def test_finds_what_astropy_finds():
    names = [("SCI", 1), ("SCI", 2), ("DQ", 1), ("SCI", 1)]
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(name=name, ver=ver) for name, ver in names)]
    plain, indexed = fits.HDUList(hdus), IndexedHduList(hdus[:3])
    for hdu in hdus[3:]:
        indexed.append(hdu)
    assert [indexed[key] is plain[key] for key in KEYS] == [True] * len(KEYS)
    with pytest.raises(KeyError):
        indexed["SCI", 3]
