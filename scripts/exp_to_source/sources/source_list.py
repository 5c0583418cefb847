"""The source list: a row for each product, in TSV, and in ECSV with types and units."""

from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from ..results import ecsv_path
from ..tables import write_table

# Types of columns, with their names in ECSV and units; other columns are text.
Number = Annotated[int, "int64"]
Bytes = Annotated[int, "int64", "byte"]
Pixels = Annotated[int | None, "int64", "pix"]
Microns = Annotated[float | None, "float64", "um"]


class Source(NamedTuple):
    """A source, as one product has it: a row of the source list.

    Fields are columns, in their order (docs/how-to/see.md); ``class_`` is the column ``class``.
    Several names are separated by commas. None and empty texts are values that the exposures do not
    have.
    """

    product: str
    source_id: Number
    class_: str
    source_name: str = ""
    slit_name: str = ""
    exposures: Number = 0
    slits: Number = 0
    planes: Number = 0
    bytes: Bytes = 0
    digest: str = ""
    joined: str = ""
    detectors: str = ""
    wavelength_min: Microns = None
    wavelength_max: Microns = None
    rows: Pixels = None
    columns: Pixels = None
    exposure_type: str = ""
    family: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the source; a name may itself contain commas."""
        return tuple(dict.fromkeys((self.source_name, *self.source_name.split(","))))

    @property
    def slit_names(self) -> tuple[str, ...]:
        """Names of its slits."""
        return tuple(dict.fromkeys((self.slit_name, *self.slit_name.split(","))))

    def to_row(self) -> dict[str, Any]:
        """Convert to values by column."""
        return dict(zip(COLUMNS, self, strict=True))


COLUMNS = tuple(field.rstrip("_") for field in Source._fields)


def write_source_list(table: str, sources: Iterable[Source]) -> None:
    """Write a source list in ECSV (astropy's APE 6, version 1.0), and then `table`, in TSV."""
    rows = [source.to_row() for source in sources]
    head = ["%ECSV 1.0", "---", "delimiter: ','", "datatype:"]
    for name, hint in zip(COLUMNS, Source.__annotations__.values(), strict=True):
        datatype, *units = getattr(hint, "__metadata__", ("string",))
        unit = "".join(f", unit: {unit}" for unit in units)
        head.append(f"- {{name: {name}{unit}, datatype: {datatype}}}")
    write_table(ecsv_path(table), COLUMNS, rows, ",", "".join(f"# {line}\n" for line in head))
    write_table(table, COLUMNS, rows)
