"""Names of the exposures of a run; conflicts between them end it before any job."""

import os
from collections.abc import Collection, Container, Iterable
from typing import NamedTuple

from ..errors import InputError, OtherKindError
from ..naming import check_path, exposure_name, parse_exposure_name
from ..sources.associations import Association
from .inputs import is_glob, split_items


def explicit_names(
    given: str | Iterable[str], associations: Iterable[Association] = ()
) -> set[str]:
    """Return the names of the exposures that the setting or an association names one by one.

    The others are matched by a glob, or are in a folder or a list.
    """
    paths = [item for item in split_items(given) if _is_name(item)]
    paths += (path for association in associations for path in association.science)
    return set(map(exposure_name, paths))


def _is_name(item: str) -> bool:
    """Whether an item of a setting is a file or its address, and not several."""
    return not (item.startswith("@") or is_glob(item) or os.path.isdir(item))


class Member(NamedTuple):
    """An exposure of an association: its file, and the association's name."""

    path: str
    association: str


def name_members(
    associations: Iterable[Association], fetched: Container[str] = ()
) -> dict[str, Member]:
    """Give each exposure of associations its name, to be prepared with the others of its own.

    Files that are `fetched` need not exist. It is an `InputError` if there are no exposures, or one
    belongs to two associations.
    """
    members: dict[str, Member] = {}
    files: dict[str, str] = {}
    for association in associations:
        name = association.name
        if (first := files.setdefault(name, association.path)) != association.path:
            raise InputError(f"{first} and {association.path} have the same file name; rename one")
        for path in association.background:
            if path not in fetched and not os.path.isfile(path):
                raise InputError(
                    f"{association.path}: its background member {path!r} is not a file; "
                    "bring it back or correct the association"
                )
        for path in association.science:
            other = members.setdefault(exposure_name(path), Member(path, name))
            if other.association != name:
                raise InputError(
                    f"{path}: is in {files[other.association]} and {association.path}, and "
                    "'prepare' takes an exposure with the others of one; leave one of the two out"
                )
    if not members:
        raise InputError(
            "prepare: needs associations, which say what exposures belong together; set "
            "'associations', or leave 'prepare' out"
        )
    return members


def is_of_other_kind(path: str) -> bool:
    """Whether a file is not an exposure that can be regrouped, by its first header."""
    # Few runs need it, and it takes longer to import than all else here.
    from ..index.exposure import check_model_type
    from ..index.fitsfile import scan

    try:
        with open(path, "rb") as file:
            check_model_type(path, next(scan(file.fileno(), path)))
    except OtherKindError:
        return True
    except (InputError, OSError):
        pass
    return False


def name_exposures(paths: Iterable[str], found: Collection[str] = ()) -> dict[str, str]:
    """Give each exposure its name in the run.

    If names are in conflict, files of other kinds among those that were `found` by a glob or in a
    folder are left out. Only then are headers read. A path that is given twice counts once. It is
    an `InputError` if two files have one name, if an exposure is given twice (as ``_cal`` and
    ``_mbsub``), or if a name cannot be part of file names.
    """
    paths = list(paths)
    try:
        return _name(paths)
    except InputError:
        rest = [path for path in paths if path not in found or not is_of_other_kind(path)]
        if len(rest) == len(paths):
            raise
        return _name(rest)


def _name(paths: Iterable[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    exposures: dict[tuple[str | None, ...], str] = {}
    files: dict[tuple[int, int], str] = {}
    for path in paths:
        name = exposure_name(path)
        check_path(path)
        other = named.setdefault(name, path)
        if other != path:
            if os.path.realpath(other) == os.path.realpath(path):
                continue
            raise InputError(
                f"{other} and {path} have the same file name; remove or rename one of them"
            )
        if os.path.exists(path):
            status = os.stat(path)
            same = files.setdefault((status.st_dev, status.st_ino), path)
            # Some file systems renumber files.
            links = status.st_nlink > 1 or os.path.realpath(same) == os.path.realpath(path)
            if same != path and links:
                raise InputError(f"{same} and {path} are one file; leave one of them out")
        if fields := parse_exposure_name(name):
            twin = exposures.setdefault(fields[:-1], path)
            if twin != path:
                raise InputError(
                    f"{twin} and {path} are the same exposure; choose one of them, for example "
                    "by a glob that ends in _mbsub.fits"
                )
    return named
