"""Find the exposures and associations of a program at MAST.

Interface: astroquery documentation, "MAST Queries (astroquery.mast)"; columns: MAST API, "CAOM
Field Descriptions" and "Products Field Descriptions".
"""

import re
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..errors import InputError, pluralize
from ..modes import MODES
from ..naming import parse_exposure_name
from ..units import format_size

_ASSOCIATION = re.compile(r"jw(\d{5})-o(\d{3})_\d{8}t\d{6}_spec3_(\d{5})_asn\.json")

#: Number of the observation in the name of what MAST calls an observation: an exposure or product.
_OBSERVATION = re.compile(r"jw\d{5}(?:-o)?(\d{3})")

#: Observations whose products are requested at a time: those of grisms have thousands of products.
BATCH = 20


class Product(NamedTuple):
    """A file at MAST.

    Attributes
    ----------
    name : str
        Its name.
    address : str
        Its URI.
    size : int
        Bytes.
    is_public : bool
        Whether it can be downloaded without a token.
    """

    name: str
    address: str
    size: int
    is_public: bool


def find_products(program: int, observation: int | None, mode: str | None) -> list[Product]:
    """Find the exposures of a program that can be regrouped, and level 3 associations of them.

    Parameters
    ----------
    program : int
        Number of the program.
    observation : int, optional
        Number of the observation; by default all.
    mode : str, optional
        Key of `modes.MODES`; by default all.

    Returns
    -------
    list of Product
        Exposures by name, then the newest version of each association of an observation.

    Raises
    ------
    InputError
        If astroquery is not installed, MAST does not respond, or has no such exposures.
    """
    try:
        from astroquery.exceptions import NoResultsWarning, RemoteServiceError
        from astroquery.mast import Observations
        from requests.exceptions import RequestException
    except ModuleNotFoundError:
        raise InputError(
            "astroquery is not installed; 'make find' or 'pip install astroquery' installs it"
        ) from None
    where = f"program {program}" + (f", observation {observation}" if observation else "")
    products: dict[str, Product] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoResultsWarning)
            observations = Observations.query_criteria(
                obs_collection="JWST",
                proposal_id=str(program),
                instrument_name=[m.archive_name for key, m in MODES.items() if mode in (None, key)],
                calib_level=[2, 3],
            )
            ids = [str(row["obsid"]) for row in observations if _is_of(row, observation)]
            for first in range(0, len(ids), BATCH):
                rows = Observations.get_product_list(ids[first : first + BATCH])
                products |= {product.name: product for product in _parse(rows)}
    except (RequestException, RemoteServiceError, TimeoutError) as error:
        raise InputError(
            f"MAST does not respond ({type(error).__name__}); run the command again later"
        ) from None
    names = [*_choose(products, program, observation)]
    if not any(name.endswith(".fits") for name in names):
        raise InputError(
            f"{where}: MAST has no *_cal.fits of {mode or 'the modes that can be regrouped'}; "
            "correct the numbers, or look at https://mast.stsci.edu"
        )
    return [products[name] for name in names]


def _is_of(row: Any, observation: int | None) -> bool:
    """Whether products of what MAST calls an observation may be of the observation of a program."""
    number = _OBSERVATION.match(str(row["obs_id"]))
    return not (observation and number) or int(number[1]) == observation


def _parse(rows: Any) -> Iterator[Product]:
    for row in rows:
        yield Product(
            str(row["productFilename"]),
            str(row["dataURI"]),
            # Masked where MAST has none.
            int(row["size"] or 0),
            str(row["dataRights"]) == "PUBLIC",
        )


def _choose(names: Any, program: int, observation: int | None) -> Iterator[str]:
    """Choose exposures, and of each association the newest, whose name is the last."""
    wanted = f"{program:05d}", f"{observation:03d}" if observation else ""
    associations: dict[tuple[str, ...], str] = {}
    for name in sorted(names):
        exposure = parse_exposure_name(name.removesuffix(".fits"))
        association = _ASSOCIATION.fullmatch(name)
        fields = exposure or (association.groups() if association else ("", ""))
        if fields[0] != wanted[0] or wanted[1] not in ("", fields[1]):
            continue
        if association:
            associations[association.groups()] = name
        elif exposure and exposure[-1] == "cal":
            yield name
    yield from associations.values()


def summarize(products: list[Product]) -> str:
    """Count products, with their size, and those that need a token."""
    exposures = [product for product in products if product.name.endswith(".fits")]
    associations = pluralize(len(products) - len(exposures), "association")
    size = format_size(sum(product.size for product in exposures))
    locked = sum(not product.is_public for product in exposures)
    note = f"; {locked} not public yet, which need $MAST_API_TOKEN" if locked else ""
    return f"{pluralize(len(exposures), 'exposure')} ({size}), {associations}{note}"
