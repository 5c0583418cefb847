"""Source ids of a catalogue, for example made from an image."""

import re
import warnings

from ..errors import InputError

#: Names of the column of ids, the most specific first; case is ignored.
ID_COLUMNS = ("source_id", "sourceid", "src_id", "srcid", "number", "label", "id")

#: Formats by extension; others are guessed.
FORMATS = {"csv": "ascii.csv", "ecsv": "ascii.ecsv", "tsv": "ascii.tab"}
FORMATS |= dict.fromkeys(("fit", "fits"), "fits")

_WHOLE = re.compile(r"\s*([+-]?[0-9]+)(?:\.0*)?\s*", re.ASCII)


def read_catalog(path: str) -> list[int]:
    """Read the source ids of a catalogue, each once, in its order.

    It is any table that astropy can read, with a column of `ID_COLUMNS`; rows without an id are
    ignored.
    """
    from astropy.table import Table

    kind = FORMATS.get(path.lower().rpartition(".")[2], "ascii")
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
    except Exception as error:
        # Each reader raises different errors.
        if isinstance(error, OSError) and error.errno:
            raise
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{path}: cannot be read as a table ({kind}: {why:.120}); tab-separated (.tsv), .csv, "
            ".ecsv and .fits tables can be"
        ) from None
    columns = {name.lower(): name for name in reversed(table.colnames)}
    name = next((columns[name] for name in ID_COLUMNS if name in columns), None)
    if name is None:
        raise InputError(
            f"{path}: none of its columns ({', '.join(table.colnames)}) is called "
            f"{', '.join(ID_COLUMNS[:-1])} or {ID_COLUMNS[-1]}; rename the one that has the ids"
        )
    column, ids = table[name], []
    # The first whole number that has the same value as the next, in the column's type.
    limit = 2 ** {2: 11, 4: 24}.get(column.dtype.itemsize, 53)
    for value in column.tolist():
        # Columns of floating-point numbers have NaN where they have no value.
        if value in (None, "") or str(value) == "nan":
            continue
        match = _WHOLE.fullmatch(str(value))
        if not match:
            raise InputError(
                f"{path}: its column {name!r} has {value!r:.40}, which is not a whole number; "
                "source ids are needed, correct it or rename the column that has them"
            )
        if isinstance(value, float) and abs(value) >= limit:
            raise InputError(
                f"{path}: its column {name!r} has {value:.0f} as {column.dtype.name}, which is not "
                "exact; save the ids as integers"
            )
        ids.append(int(match[1]))
    if not ids:
        raise InputError(
            f"{path}: has no ids in its column {name!r}; correct the setting 'catalog'"
        )
    return list(dict.fromkeys(ids))
