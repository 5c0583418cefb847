"""A list of HDUs that finds them in a dictionary."""

from collections.abc import Iterable
from typing import Any

from astropy.io import fits


class IndexedHduList(fits.HDUList):  # type: ignore[misc] # astropy has no types
    """A list that finds an HDU by name and version without a search.

    astropy compares the key with each HDU, which for all images or keywords of all slits takes time
    that grows with the square of their number. Names and versions of the HDUs must be final.
    """

    def __init__(self, hdus: Iterable[Any]) -> None:
        super().__init__(list(hdus))
        self._by_key: dict[tuple[str, int], Any] = {}
        for hdu in self:
            self._by_key.setdefault((hdu.name, hdu.ver), hdu)

    def append(self, hdu: Any) -> None:
        """Append an HDU, whose name and version are final."""
        super().append(hdu)
        self._by_key.setdefault((hdu.name, hdu.ver), hdu)

    def __getitem__(self, key: Any) -> Any:
        """Return the HDU of an index, a name, or a name and version."""
        if not isinstance(key, tuple) or key[0] == "PRIMARY":
            return super().__getitem__(key)
        name, version = key
        # Also of an HDU that is not there, which data models look for before they make it.
        return self._by_key[name.upper(), version]
