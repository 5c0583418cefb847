"""Open files as users do: as data models of stdatamodels, including the WCS."""

import warnings
from typing import Any

from asdf.exceptions import ValidationError

from ..errors import InputError
from .asdf_reader import first_sentence
from .schema import PRODUCT_MODEL


def open_model(path: str, model: str = PRODUCT_MODEL) -> str:
    """Open a file as its users do, and use each WCS; return what the schema does not accept."""
    try:
        _use_model(path, model, strict_validation=True)
    except ValidationError as invalid:
        # Users open it without validation; errors are then those of schemas within the tree.
        try:
            _use_model(path, model)
        except ValidationError as error:
            raise InputError(f"cannot be opened ({first_sentence(error)})") from None
        paragraph = str(invalid).split("\n\n")[0].splitlines()
        return " ".join(paragraph[1:] or paragraph)
    return ""


def _use_model(path: str, model: str, **options: bool) -> None:
    from stdatamodels.jwst import datamodels

    try:
        with warnings.catch_warnings(action="ignore"), datamodels.open(path, **options) as opened:
            opened.validate()
            model_type = type(opened).__name__
            for entry in getattr(opened, "exposures", ()) or getattr(opened, "slits", ()):
                _use_wcs(entry)
    except (ValidationError, InputError, MemoryError):
        raise
    except Exception as error:
        # Each library of converters raises different errors.
        raise InputError(f"cannot be opened ({first_sentence(error)})") from None
    if model_type != model:
        raise InputError(f"opens as a {model_type}")


def _use_wcs(entry: Any) -> None:
    if entry.meta.hasattr("wcs"):
        try:
            wcs = entry.meta.wcs
            wcs(*[1.0] * wcs.forward_transform.n_inputs, with_bounding_box=False)
        except MemoryError:
            raise
        except Exception as error:
            # A tag without a converter leaves a mapping instead of a WCS or of a part of it.
            raise InputError(f"has a WCS of no use ({first_sentence(error)})") from None
