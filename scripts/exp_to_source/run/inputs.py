"""Inputs of a run: globs, folders, files and associations resolved to paths.

Used while the workflow is parsed, so it opens only associations, and imports nothing slow.
"""

import errno
import glob
import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

import yaml

from ..errors import InputError, OtherKindError, pluralize
from ..files import names_in
from ..naming import check_path, exposure_name, parse_exposure_name, parse_product_name
from ..results import CAL, INDICES, MBSUB, PREPARED, PRODUCTS, STALE, SUMMARY
from ..sources.associations import Association

SUFFIXES = (CAL, MBSUB)

#: What is looked for in folders, by setting.
WANTED = {
    "exposures": f"*{CAL} or *{MBSUB} of exposures",
    "associations": "*_asn.json or *_asn.yaml",
}

#: Folders of the results whose files are not the user's exposures.
OWN_FOLDERS = (PREPARED, PRODUCTS, STALE)


def no_location(key: str) -> str:
    """Return no location of a setting."""
    return ""


def find_exposures(
    given: str | Iterable[str],
    results: str = "results",
    may_be_made: bool = False,
    where: Callable[[str], str] = no_location,
) -> list[str]:
    """Resolve the user's exposures; a folder stands for all files but source-based products.

    A glob may match files in the folder `results`; those there are not the user's. See
    `find_files`.
    """
    own = tuple(os.path.join(os.path.abspath(results), folder, "") for folder in OWN_FOLDERS)
    found = find_files("exposures", given, _is_exposure, results, may_be_made, where)
    return [path for path in found if not os.path.abspath(path).startswith(own)]


def named_exposures(
    given: str | Iterable[str], associations: Iterable[Association] = ()
) -> set[str]:
    """Names of the exposures that the user names one by one, or an association does.

    The others are found by a glob or in a folder. The setting is as for `find_exposures`.
    """
    paths = [item for item in _items(given) if not (_is_glob(item) or os.path.isdir(item))]
    paths += (path for association in associations for path in association.science)
    return set(map(exposure_name, paths))


def found_files(given: str | Iterable[str], paths: Iterable[str]) -> set[str]:
    """Those files that the user does not name one by one; the setting is as above."""
    return set(paths).difference(_items(given))


def _is_exposure(name: str) -> bool:
    return name.endswith(SUFFIXES) and not parse_product_name(name.removesuffix(".fits"))


def _is_association(name: str) -> bool:
    return name.endswith(("_asn.json", "_asn.yaml", "_asn.yml"))


def find_files(
    key: str,
    given: str | Iterable[str],
    wanted: Callable[[str], bool] = _is_association,
    results: str = "results",
    may_be_made: bool = False,
    where: Callable[[str], str] = no_location,
) -> list[str]:
    """Resolve globs, folders and files to paths, and ``~`` to a home folder.

    A folder, named or matched by a glob, stands for the wanted files in it and in the folders
    below.

    Parameters
    ----------
    key : str
        Configuration key, for messages.
    given : str or iterable of str
        Value given by the user.
    wanted : callable
        Whether a file of a folder is wanted, by its name.
    results : str
        Folder of the run's results, which is not searched from above.
    may_be_made : bool
        Whether a named file may be missing, because another rule makes it.
    where : callable
        Says in which file a setting is made, for messages.

    Returns
    -------
    list of str
        Paths; those of a glob or folder are sorted, otherwise the order is the user's.

    Raises
    ------
    InputError
        If one of them matches no file.
    """
    paths: list[str] = []
    for item in _items(given):
        if "://" in item:
            raise InputError(
                f"{key}: {item!r} is not in a file system; download it or mount its bucket "
                "(docs/module.md), and name the files"
            )
        matches = _matches(item)
        found = [file for path in matches for file in _files_of(path, wanted, results)]
        if not found and may_be_made and not _is_glob(item) and item.endswith(SUFFIXES):
            found = [item]
        if not found:
            what = "matches no file" if _is_glob(item) else "does not exist"
            if matches:
                has = "matches folders that have" if _is_glob(item) else "has"
                what = f"{has} no {WANTED[key]}"
            place = f"{where(key)}{_place(key, item)}"
            raise InputError(f"{key}: {item!r:.300} {what}; correct the setting '{key}'{place}")
        paths += dict.fromkeys(found)
    return paths


def _items(given: str | Iterable[str]) -> list[str]:
    """Items of a setting, ``~`` expanded to a home folder."""
    return [*map(os.path.expanduser, [given] if isinstance(given, str) else given)]


def _is_glob(item: str) -> bool:
    """Whether an item is no file, but a pattern."""
    return glob.has_magic(item) and not os.path.exists(item)


def _matches(item: str) -> list[str]:
    """Files and folders that an item names, or matches."""
    if _is_glob(item):
        return sorted(glob.glob(item, recursive=True))
    return [item] if os.path.exists(item) else []


def _files_of(path: str, wanted: Callable[[str], bool], results: str) -> list[str]:
    """Wanted files of a folder and those below, sorted by path; of a file, itself."""
    if not os.path.isdir(path):
        return [path]
    return sorted(file for file in _files_below(path, results) if wanted(os.path.basename(file)))


def _files_below(folder: str, results: str) -> Iterator[str]:
    """All files of a folder and those below; of one that cannot be read, its path and a slash.

    Each folder is searched once, however many links lead to it. Hidden files and folders are left
    out, as by globs, and so are the run's results.
    """
    unreadable: list[str] = []

    def note(error: OSError) -> None:
        if error.filename == folder:
            raise error
        unreadable.append(os.path.join(error.filename, ""))

    searched = {os.path.realpath(results)} - {os.path.realpath(folder)}
    for place, folders, names in os.walk(folder, onerror=note, followlinks=True):
        if (real := os.path.realpath(place)) in searched:
            folders.clear()
            continue
        searched.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(place, name) for name in names if not name.startswith("."))
    yield from unreadable


def count_files(given: str | Iterable[str], results: str = "results") -> list[str]:
    """Count the files in the user's folders of exposures, and those that are passed over.

    Parameters
    ----------
    given : str or iterable of str
        The setting, as for `find_exposures`.
    results : str
        As for `find_files`.

    Returns
    -------
    list of str
        A line for each folder, or glob of folders, that is searched below, or in which FITS files
        are passed over.
    """
    lines = []
    for item in _items(given):
        folders = filter(os.path.isdir, _matches(item))
        files = {file for folder in folders for file in _files_below(folder, results)}
        used = {file for file in files if _is_exposure(os.path.basename(file))}
        reasons = Counter(filter(None, map(_why_not, files - used)))
        places = len(set(map(os.path.dirname, used)))
        line = f"{item}: {pluralize(len(used), 'file')} found"
        if places > 1:
            line += f" in {places} folders"
        if reasons:
            why = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            line += f", {reasons.total()} passed over: {why}"
        if places > 1 or reasons:
            lines.append(line)
    return lines


def _why_not(path: str) -> str:
    """Say why a FITS file in a folder is no exposure; empty for other files."""
    folder, name = os.path.split(path)
    if not name:
        return f"folder that cannot be read ({folder})"
    if ".fits" not in name:
        return ""
    if not name.endswith(".fits"):
        return "compressed or of another kind"
    return "source-based" if name.endswith(SUFFIXES) else f"not *{CAL} or *{MBSUB}"


def _place(key: str, item: str) -> str:
    """Say where a path is looked for, and where the files are if that is another folder."""
    if os.path.isabs(item):
        return ""
    here = os.getcwd()
    # Snakemake has changed the folder; the shell's variable has the one that the user is in.
    elsewhere = os.path.join(os.environ.get("PWD", here), item)
    if glob.glob(elsewhere):
        return f": paths are relative to --directory, {here}; write {key}={elsewhere!r}"
    return f", or the working directory {here}"


def find_table(key: str, path: str | None, where: Callable[[str], str] = no_location) -> list[str]:
    """List with the path of a table in the configuration; empty if none is given.

    A ``~`` is expanded, as in all paths of settings.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if path is None:
        return []
    path = os.path.expanduser(path)
    check_path(path)
    if not os.path.isfile(path):
        raise InputError(
            f"{key}: {path!r:.300} is no file; bring it back, or correct the setting "
            f"'{key}'{where(key)}"
        )
    return [path]


class Member(NamedTuple):
    """An exposure of an association: its file, and the association's name."""

    path: str
    association: str


def name_members(associations: Iterable[Association]) -> dict[str, Member]:
    """Give each exposure of associations its name, to be prepared with the others of its own.

    Raises
    ------
    InputError
        If there are none, or one belongs to two associations.
    """
    members: dict[str, Member] = {}
    files: dict[str, str] = {}
    for association in associations:
        name = association.name
        if files.setdefault(name, association.path) != association.path:
            raise InputError(
                f"{files[name]} and {association.path} have one name; rename one of them"
            )
        for path in association.background:
            if not os.path.isfile(path):
                raise InputError(
                    f"{association.path}: its background member {path!r} is no file; bring it "
                    "back or correct the association"
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
    folder are left out. Only then are headers read.

    Parameters
    ----------
    paths : iterable of str
        Files; one that is named twice counts once.
    found : collection of str
        Those of them that the user does not name one by one.

    Returns
    -------
    dict
        Name to path, in order.

    Raises
    ------
    InputError
        If two files have one name, if an exposure is given twice (as ``_cal`` and ``_mbsub``), or
        if a name cannot be part of file names.
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
                f"{other} and {path} have one name: exposures are told apart by their names; "
                "leave one out, or rename it"
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


def advice_on_exposures(results: str) -> str:
    """Return what to do if no exposures are given: with the settings of the last run, if any."""
    path = os.path.abspath("config/config.yaml")
    values = _last_settings(results)
    if not values:
        # Snakemake makes the folder.
        is_new = not names_in(".") - {".snakemake"}
        return (
            "set 'exposures' or 'associations', for example with "
            f"--config exposures='/data/jw*_cal.fits', or in {path}"
            + (f"; {os.getcwd()} is empty: is --directory right?" if is_new else "")
        )
    lines = yaml.safe_dump(values, default_flow_style=None, width=10**6, sort_keys=False)
    return (
        f"the last run in {os.getcwd()} had the settings below; to keep them for all commands "
        f"there, write them into {path}\n{lines.rstrip()}"
    )


def _last_settings(results: str) -> dict[str, Any]:
    """Return the settings of the last run that were not defaults; none if it had no exposures."""
    try:
        with open(os.path.join(results, SUMMARY), encoding="utf-8") as file:
            settings: dict[str, Any] = json.load(file)["settings"]
        return settings if settings.keys() & {"exposures", "associations", "demo"} else {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def check_storage(results: str) -> None:
    """Check that results are in a file system: they refer to bytes of the exposures."""
    if results.startswith(".snakemake/storage/"):
        raise InputError(
            "--default-storage-provider is not supported: results belong in a file system that "
            "all jobs share; leave it out (see docs/module.md)"
        )


def check_results(results: str) -> None:
    """Check that results can be read, for which Snakemake would fail with a traceback."""
    indices = f"{results}/{INDICES}"
    for folder in (results, indices, os.path.join(os.path.dirname(results), "logs"), ".snakemake"):
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise InputError(f"{folder}: is not a folder; move it away")
    for folder in (results, indices):
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
    own = ".snakemake" if os.path.isdir(".snakemake") else "."
    if not os.access(own, os.W_OK):
        read_only = os.statvfs(own).f_flag & os.ST_RDONLY
        why = errno.EROFS if read_only else errno.EACCES
        raise PermissionError(why, os.strerror(why), os.path.abspath(own))
