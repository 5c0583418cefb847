"""Globs, folders and files of settings, resolved to paths while the workflow is parsed."""

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from ..errors import InputError, pluralize
from ..fetch.addresses import file_name, is_address, parse_address
from ..naming import check_path, parse_product_name
from ..results import CAL, CATALOG, LISTED, MBSUB, PREPARED, PRODUCTS, STALE, fetched_path

SUFFIXES = (CAL, MBSUB)

#: Folders of the results whose files are not the user's exposures.
OWN_FOLDERS = (PREPARED, PRODUCTS, STALE)


def _is_exposure(name: str) -> bool:
    return name.endswith(SUFFIXES) and not parse_product_name(name.removesuffix(".fits"))


def _is_association(name: str) -> bool:
    return name.endswith(("_asn.json", "_asn.yaml", "_asn.yml"))


#: Files that a folder stands for, by setting: a test of their names, and its words in messages.
KINDS = {
    "exposures": (_is_exposure, f"*{CAL} or *{MBSUB} of exposures"),
    "associations": (_is_association, "*_asn.json or *_asn.yaml"),
}


def find_exposures(
    items: Iterable[str],
    results: str = "results",
    may_be_made: bool = False,
    where: Callable[[str], str] = lambda key: "",
) -> list[str]:
    """Resolve the user's exposures; a folder stands for all files but source-based products.

    A glob may match files in the folder `results`; those there are not the user's. See
    `find_files`.
    """
    own = tuple(os.path.join(os.path.abspath(results), folder, "") for folder in OWN_FOLDERS)
    paths = find_files("exposures", items, results, may_be_made, where)
    return [path for path in paths if not os.path.abspath(path).startswith(own)]


def find_files(
    key: str,
    items: Iterable[str],
    results: str = "results",
    may_be_made: bool = False,
    where: Callable[[str], str] = lambda key: "",
) -> list[str]:
    """Resolve globs, folders and files to paths.

    A folder, named or matched by a glob, stands for the files of `KINDS` in it and in the folders
    below; an address for the file that is fetched from it.

    Parameters
    ----------
    key : str
        Key of the setting, of `KINDS`.
    items : iterable of str
        Items of the setting, as `expand_items` returns them.
    results : str
        Folder of the run's results, which is not searched from above.
    may_be_made : bool
        Whether a named file may be missing, because another rule makes it.
    where : callable
        Returns in which file a setting is made, for messages.

    Returns
    -------
    list of str
        Paths; those of a glob or folder are sorted, otherwise the order is the user's.

    Raises
    ------
    InputError
        If one of them matches no file.
    """
    is_of_kind, kind = KINDS[key]
    paths: list[str] = []
    for item in items:
        if is_address(item):
            paths.append(fetched_path(results, file_name(item)))
            continue
        matches = _matches(item)
        files = [file for path in matches for file in _files_of(path, is_of_kind, results)]
        if not files and may_be_made and not is_glob(item) and item.endswith(SUFFIXES):
            files = [item]
        if not files:
            fault = "matches no file" if is_glob(item) else "does not exist"
            if matches:
                has = "matches folders that have" if is_glob(item) else "has"
                fault = f"{has} no {kind}"
            raise _not_found(key, item, fault, where)
        paths += dict.fromkeys(files)
    return paths


def split_items(given: str | Iterable[str]) -> list[str]:
    """Items of a setting, ``~`` expanded to a home folder."""
    return [*map(os.path.expanduser, [given] if isinstance(given, str) else given)]


def expand_items(
    key: str, given: str | Iterable[str], where: Callable[[str], str] = lambda key: ""
) -> list[str]:
    """List the items of a setting, and of the lists in files that it has (``@FILE``).

    A list has an item a line. Like a folder, it may have exposures and associations. A ``~`` is
    expanded, addresses are checked and shortened. The parameters are as for `find_files`, `given`
    is the setting.

    Raises
    ------
    InputError
        If such a file is not a text, or lists none of `key`, or an address cannot be fetched.
    """
    items: list[str] = []
    for item in split_items(given):
        items += _read_list(key, item[1:], where) if item.startswith("@") else [item]
    return [parse_address(item) if is_address(item) else item for item in items]


def _read_list(key: str, path: str, where: Callable[[str], str]) -> list[str]:
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise _not_found(key, f"@{path}", "is not a file", where)
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.strip() for line in file]
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text in UTF-8; write one path a line") from None
    items = [line for line in lines if line and not line.startswith("#")]
    items = [line for line in items if _is_association(line) == (key == "associations")]
    if not items:
        raise InputError(f"{path}: lists no {key}; write one address or path a line")
    return split_items(items)


def is_glob(item: str) -> bool:
    """Whether an item is not a file, but a pattern."""
    return glob.has_magic(item) and not os.path.exists(item)


def _matches(item: str) -> list[str]:
    """List the files and folders that an item names, or matches."""
    if is_glob(item):
        return sorted(glob.glob(item, recursive=True))
    return [item] if os.path.exists(item) else []


def _files_of(path: str, is_of_kind: Callable[[str], bool], results: str) -> list[str]:
    """List the files of a kind in a folder and below it, sorted by path; a file is itself."""
    if not os.path.isdir(path):
        return [path]
    return sorted(f for f in _files_below(path, results) if is_of_kind(os.path.basename(f)))


def _files_below(folder: str, results: str) -> Iterator[str]:
    """Yield all files in a folder and below it; of one that cannot be read, its path and a slash.

    Each folder is searched once, however many links lead to it. Hidden files and folders are left
    out, as by globs, and so are the run's results.
    """
    unreadable: list[str] = []

    def note(error: OSError) -> None:
        if error.filename == folder:
            raise InputError(f"{folder}: {error.strerror}; make it readable, or name another")
        unreadable.append(os.path.join(error.filename, ""))

    searched = {os.path.realpath(results)} - {os.path.realpath(folder)}
    for parent, folders, names in os.walk(folder, onerror=note, followlinks=True):
        if (real := os.path.realpath(parent)) in searched:
            folders.clear()
            continue
        searched.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(parent, name) for name in names if not name.startswith("."))
    yield from unreadable


def count_files(items: Iterable[str], results: str = "results") -> list[str]:
    """Count the files in the user's folders of exposures, and those that are ignored.

    There is a line for each folder, or glob of folders, that is searched below, or in which FITS
    files are ignored. The arguments are those of `find_exposures`.
    """
    lines = []
    for item in items:
        folders = filter(os.path.isdir, _matches(item))
        files = {file for folder in folders for file in _files_below(folder, results)}
        used = {file for file in files if _is_exposure(os.path.basename(file))}
        reasons = Counter(filter(None, map(_skip_reason, files - used)))
        count = len(set(map(os.path.dirname, used)))
        line = f"{item}: {pluralize(len(used), 'file')} found"
        if count > 1:
            line += f" in {count} folders"
        if reasons:
            why = ", ".join(f"{number} {reason}" for reason, number in sorted(reasons.items()))
            line += f", {reasons.total()} ignored: {why}"
        if count > 1 or reasons:
            lines.append(line)
    return lines


def _skip_reason(path: str) -> str:
    """Return why a FITS file in a folder is not used as an exposure; empty for other files."""
    folder, name = os.path.split(path)
    if not name:
        return f"folder that cannot be read ({folder})"
    if ".fits" not in name:
        return ""
    if not name.endswith(".fits"):
        return "compressed or of another kind"
    return "source-based" if name.endswith(SUFFIXES) else f"not *{CAL} or *{MBSUB}"


def _not_found(key: str, item: str, fault: str, where: Callable[[str], str]) -> InputError:
    """Return the error about a path, with the folder that is searched, and that of the files."""
    remedy = f"correct the setting '{key}'{where(key)}"
    mark = "@" if item.startswith("@") else ""
    path = item.removeprefix(mark)
    if not os.path.isabs(path):
        here = os.getcwd()
        # Snakemake has changed the folder; the shell's variable has the one that the user is in.
        elsewhere = os.path.join(os.environ.get("PWD", here), path)
        if glob.glob(elsewhere):
            remedy += (
                f": paths are relative to --directory, {here}; write {key}={mark + elsewhere!r}"
            )
        else:
            remedy += f", or the working directory {here}"
    return InputError(f"{key}: {item!r:.300} {fault}; {remedy}")


def find_table(
    key: str, path: str | None, where: Callable[[str], str] = lambda key: "", results: str = ""
) -> str | None:
    """Return the path of a table in the configuration; None if there is none.

    A ``~`` is expanded, as in all paths of settings. It is an `InputError` if there is no such
    file, or the run writes it in the folder of results.
    """
    if path is None:
        return None
    path = os.path.expanduser(path)
    check_path(path)
    if not os.path.isfile(path):
        fault = "is a folder" if os.path.isdir(path) else "does not exist"
        raise _not_found(key, path, fault, where)
    written = (os.path.realpath(f"{results}/{name}") for name in (*LISTED, CATALOG))
    if os.path.realpath(path) in written:
        raise InputError(
            f"{key}: {path!r:.300} is written by each run; copy it, and name the copy in the "
            f"setting '{key}'{where(key)}"
        )
    return path
