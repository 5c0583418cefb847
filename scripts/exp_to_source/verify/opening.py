"""Whether files open, as their users open them: as data models of stdatamodels, WCS included."""

import warnings
from typing import Any

from asdf.exceptions import ValidationError

from ..errors import InputError
from .readback import first_sentence

MODEL = "MultiExposureModel"


def open_model(path: str, model: str = MODEL) -> str:
    """Open a file as its users do, and use each WCS in it.

    Returns
    -------
    str
        What the schema refuses of it, or nothing.

    Raises
    ------
    InputError
        If it cannot be opened as such a model, or a WCS of it not be used.
    """
    try:
        _use_model(path, model, strict_validation=True)
    except ValidationError as refused:
        # Users open it without; what fails even so are the schemas of what is in the tree.
        try:
            _use_model(path, model)
        except ValidationError as error:
            raise InputError(f"cannot be opened ({first_sentence(error)})") from None
        paragraph = str(refused).split("\n\n")[0].splitlines()
        return " ".join(paragraph[1:] or paragraph)
    return ""


def _use_model(path: str, model: str, **options: bool) -> None:
    from stdatamodels.jwst import datamodels

    try:
        with (
            warnings.catch_warnings(action="ignore"),
            datamodels.open(path, **options) as opened,
        ):
            opened.validate()
            kind = type(opened).__name__
            for entry in getattr(opened, "exposures", ()) or getattr(opened, "slits", ()):
                _use_wcs(entry)
    except (ValidationError, InputError, MemoryError):
        raise
    except Exception as error:
        # Converters of a tree fail in as many ways as there are libraries of them.
        raise InputError(f"cannot be opened ({first_sentence(error)})") from None
    if kind != model:
        raise InputError(f"opens as a {kind}")


def _use_wcs(entry: Any) -> None:
    """Compute where in the sky a pixel is, for an entry that can tell."""
    if entry.meta.hasattr("wcs"):
        try:
            wcs = entry.meta.wcs
            wcs(*[1.0] * wcs.forward_transform.n_inputs, with_bounding_box=False)
        except MemoryError:
            raise
        except Exception as error:
            # A tag without a converter leaves a mapping in place of a WCS or of a part of it.
            raise InputError(f"has a WCS of no use ({first_sentence(error)})") from None
