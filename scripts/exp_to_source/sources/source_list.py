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

    Fields are columns, in their order; ``class_`` is the column ``class``. Several names are
    separated by commas. None and empty texts are values that the exposures do not have.
    """

    #: Name of the product, without ``_cal``.
    product: str
    #: SOURCEID, or that of the target of a join.
    source_id: Number
    #: ``s`` source, ``b`` background slitlet, ``v`` virtual slit.
    class_: str
    #: SRCNAMEs and SLTNAMEs.
    source_name: str = ""
    slit_name: str = ""
    #: Number of each.
    exposures: Number = 0
    slits: Number = 0
    planes: Number = 0
    #: Size of the planes with their headers.
    bytes: Bytes = 0
    #: Digest of the manifest.
    digest: str = ""
    #: Products that there would be, had the user not joined their slits.
    joined: str = ""
    #: Detectors of its exposures.
    detectors: str = ""
    #: Range of wavelengths.
    wavelength_min: Microns = None
    wavelength_max: Microns = None
    #: Largest shape of its slits.
    rows: Pixels = None
    columns: Pixels = None
    #: EXP_TYPE of its first slit.
    exposure_type: str = ""
    #: What the products of one template have in common.
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
