"""Source ids of a catalogue, for example made from an image."""

import os
import warnings

from ..errors import InputError

#: Names of the column of ids, the most specific first; case is ignored.
ID_COLUMNS = ("source_id", "sourceid", "src_id", "srcid", "number", "label", "id")

#: Formats by extension; others are guessed.
FORMATS = {
    ".csv": "ascii.csv",
    ".ecsv": "ascii.ecsv",
    ".fit": "fits",
    ".fits": "fits",
    ".tsv": "ascii.tab",
}


def read_catalog(path: str) -> list[int]:
    """Read the source ids of a catalogue, each once, in its order.

    Parameters
    ----------
    path : str
        Table with a column of `ID_COLUMNS`: tab-separated, CSV, ECSV, FITS, or another that astropy
        can read; rows without an id are ignored.

    Raises
    ------
    InputError
        If it cannot be read, has no such column, or the column has no valid ids.
    """
    from astropy.table import Table

    kind = FORMATS.get(os.path.splitext(path)[1].lower(), "ascii")
    # Spreadsheets write a byte order mark at the start.
    options = {} if kind == "fits" else {"encoding": "utf-8-sig"}
    try:
        with warnings.catch_warnings(action="ignore"):
            table = Table.read(path, format=kind, **options)
        if not table.colnames:
            raise ValueError("no columns")
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: not a text in UTF-8; save it again, or as .fits where it is a FITS table"
        ) from None
    except OSError as error:
        if error.errno:
            raise
        raise _unreadable(path, kind, error) from None
    except Exception as error:
        # Each reader raises different errors.
        raise _unreadable(path, kind, error) from None
    columns = {name.lower(): name for name in reversed(table.colnames)}
    name = next((columns[name] for name in ID_COLUMNS if name in columns), None)
    if name is None:
        raise InputError(
            f"{path}: none of its columns ({', '.join(table.colnames)}) is called "
            f"{', '.join(ID_COLUMNS[:-1])} or {ID_COLUMNS[-1]}; rename the one that has the ids"
        )
    try:
        ids = [_whole(value) for value in table[name].tolist() if value not in (None, "")]
    except (TypeError, ValueError):
        raise InputError(
            f"{path}: its column {name!r} has values that are no whole numbers; source ids are "
            "needed, correct it or rename the column that has them"
        ) from None
    if not ids:
        raise InputError(
            f"{path}: has no ids in its column {name!r}; correct the setting 'catalog'"
        )
    return list(dict.fromkeys(ids))


def _whole(value: str | float) -> int:
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError(value)
    return number


def _unreadable(path: str, kind: str, error: Exception) -> InputError:
    why = (str(error).strip() or type(error).__name__).splitlines()[0]
    return InputError(
        f"{path}: cannot be read as a table ({kind}: {why:.120}); tab-separated (.tsv), .csv, "
        ".ecsv and .fits tables can be"
    )
