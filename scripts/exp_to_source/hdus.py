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
            self._by_key.setdefault(_normalize(hdu.name, hdu.ver), hdu)

    def append(self, hdu: Any) -> None:
        """Append an HDU, whose name and version are final."""
        super().append(hdu)
        self._by_key.setdefault(_normalize(hdu.name, hdu.ver), hdu)

    def __getitem__(self, key: Any) -> Any:
        """Return the HDU of an index, a name, or a name and version."""
        if not isinstance(key, tuple) or key[0] == "PRIMARY":
            return super().__getitem__(key)
        # Data models look for each HDU before they make it, so absent ones are not searched either.
        hdu = self._by_key.get(_normalize(*key))
        if hdu is None:
            raise KeyError(f"Extension {key!r} not found.")
        return hdu


def _normalize(name: str, version: int) -> tuple[str, int]:
    """Return a key that is equal for names that astropy takes for equal."""
    return name.strip().upper(), version
