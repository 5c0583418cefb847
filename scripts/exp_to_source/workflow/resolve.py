"""What a run is made of: its settings, the user's files, and what makes its jobs run again."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .. import results as names
from ..errors import InputError
from ..fetch.addresses import beside, file_name, is_address, parse_address
from ..files import has_content, names_in
from ..formats.indices import is_stale
from ..naming import get_detector, group_name
from ..settings import Settings, read_settings
from ..sources.associations import Association, read_association
from ..spec3.references import override_files
from ..tables import read_sources, read_table
from .checks import advice_on_exposures
from .exposures import Member, explicit_names, name_exposures, name_members
from .inputs import expand_items, find_exposures, find_files, find_table, split_items
from .triggers import digest, file_trigger

#: Settings that name a table or file of the user.
TABLES = ("catalog", "joins", "spec3_parameters")

#: Settings on which the source list depends, besides the user's files.
LIST_KEYS = (
    *("group_by", "source_id_digits", "fixed_slit_ids", "on_bad_exposure", "on_doubt"),
    *("sources", "exclude", "min_exposures", "radius", "join_radius"),
)

#: Settings on which spectra depend, besides the user's files.
SPECTRA_KEYS = ("spec3", "crds_context", "offline", "prepare")


@dataclass(frozen=True, eq=False)
class Run:
    """Settings and input files of a run."""

    #: As its jobs read them; exposures that are prepared have the paths of the prepared files.
    settings: Settings
    associations: list[Association]
    members: dict[str, Member]  #: exposures that are prepared, by name
    #: Addresses of exposures and associations that are fetched, by the paths of the files.
    addresses: dict[str, str]
    items: list[str]  #: of the setting `exposures`, with those of lists
    named: set[str]  #: names of exposures that the user names one by one, or an association does
    results: str  #: folder of the results on disk

    @property
    def exposures(self) -> dict[str, str]:
        """Paths of the exposures by name."""
        return self.settings.exposures

    @property
    def _list(self) -> str:
        return f"{self.results}/{names.SOURCES}"

    @property
    def files(self) -> list[str]:
        """Paths of the associations, and of the tables by which sources are chosen and joined."""
        return self._named_files("catalog", "joins")

    @property
    def fetched_associations(self) -> list[str]:
        """Paths of the associations that are fetched."""
        return [path for path in self.settings.associations if path in self.addresses]

    @property
    def fetched_exposures(self) -> list[str]:
        """Paths of the exposures that are fetched, but not those that are prepared."""
        return [path for path in self.exposures.values() if path in self.addresses]

    @property
    def is_complete(self) -> bool:
        """Whether all associations were read: those that are fetched may not exist yet."""
        return len(self.associations) == len(self.settings.associations)

    @property
    def families(self) -> set[str]:
        """Names of the families of products that associations name."""
        return {group_name(association.template) for association in self.associations}

    def exposure_trigger(self, name: str) -> str:
        """Return the state of an exposure; of one that is prepared, that of the user's file.

        Of one that is fetched, it is its address, unless it was replaced since it was indexed.
        """
        member = self.members.get(name)
        path = member.path if member else self.exposures[name]
        if path in self.addresses and not self.is_replaced(name):
            return self.addresses[path]
        return file_trigger(path)

    def find_association(self, name: str) -> Association:
        """Return an association of exposures that are prepared, whose names differ."""
        return next(a for a in self.associations if a.name == name)

    def association_trigger(self, name: str) -> list[str]:
        """Return the states of an association and its members."""
        association = self.find_association(name)
        files = (association.path, *association.members)
        return [self.addresses.get(path) or file_trigger(path) for path in files]

    def _named_files(self, *tables: str) -> list[str]:
        return [*self.settings.associations, *filter(None, map(self.settings.values.get, tables))]

    def list_trigger(self) -> str:
        """Return a digest of the settings and the state of the files that they name."""
        return digest([self.settings.to_json(), *map(file_trigger, self._named_files(*TABLES))])

    def grouping_trigger(self) -> str:
        """Return the same of what decides which slits are in which product."""
        return digest([self._values(LIST_KEYS), *map(file_trigger, self.files), *self.exposures])

    def lost_files(self) -> list[str]:
        """Return what was lost of the files and rows of the last list of sources, and of fetched.

        Snakemake does not look for inputs of a job that need not run, nor at content of outputs.
        If something was lost, the time of that list is in it, too: it may be lost once more.
        """
        settings = f"{self.results}/{names.SETTINGS}"
        if not os.path.exists(settings):
            return []
        lost = names.LISTED - names_in(self.results)
        lost |= {path for path in self.fetched_exposures if not os.path.exists(path)}
        if not lost:
            exposures = self.exposures.keys() & read_settings(settings).exposures.keys()
            left_out = (row["product"] for row in read_table(f"{self.results}/{names.LEFT_OUT}"))
            listed, unlisted = (
                set(map(names.manifest_name, each)) for each in (read_sources(self._list), left_out)
            )
            folders = (names.MANIFESTS, names.INDICES)
            manifests, indices = (names_in(f"{self.results}/{folder}") for folder in folders)
            lost = (listed - manifests) | (manifests - listed - unlisted)
            lost |= set(map(names.index_name, exposures)) - indices
        return [*sorted(lost), file_trigger(settings)] if lost else []

    def is_replaced(self, name: str) -> bool:
        """Whether an older file took the place of an exposure since it was indexed."""
        return is_stale(names.index_path(self.results, name), self.exposures[name])

    def check_listed(self) -> None:
        """Raise `InputError` if the source list is not one of these settings and exposures."""
        for name, path in self.exposures.items():
            # For a module, Snakemake takes what was made of one that no rule makes any more.
            if name not in self.members and not os.path.exists(path):
                raise InputError(
                    f"{path}: does not exist, and no rule makes it; bring it back, or correct "
                    "'exposures'"
                )
        if not self.has_these_settings():
            raise InputError(
                f"{self._list}: is of other settings or exposures, which Snakemake does not see "
                "without its metadata (.snakemake), or with --rerun-triggers; run once with "
                "--forcerun list_sources"
            )

    def check_divisible(self) -> None:
        """Raise `InputError` if no source list is of this run, as products are divided by it."""
        indices = {name: names.index_path(self.results, name) for name in self.exposures}
        made_of = {self._list: [*self._named_files(*TABLES), *indices.values()]}
        made_of |= {index: [self.exposures[name]] for name, index in indices.items()}
        made_of |= {self.exposures[name]: [m.path] for name, m in self.members.items()}
        if not (
            self.has_these_settings()
            and all(map(os.path.exists, made_of))
            and not any(map(self.is_replaced, self.exposures))
            and all(
                os.path.getmtime(file) <= os.path.getmtime(path)
                for path, made in made_of.items()
                for file in made
            )
        ):
            raise InputError(
                "--batch divides the products of a source list, and there is none of these "
                f"exposures and settings, or it is outdated; make {self._list} first "
                "(docs/how-to/rerun.md)"
            )

    def has_these_settings(self) -> bool:
        """Whether the source list is one of these settings and exposures."""
        path = f"{self.results}/{names.SETTINGS}"
        return has_content(path, self.settings.to_json().encode())

    def check_exposures(self) -> None:
        """Raise `InputError`, with the settings of the last run, if there are no exposures."""
        if not self.exposures:
            raise InputError(f"no exposures: {advice_on_exposures(self.results)}")

    @cache  # noqa: B019, as there are few runs in a process
    def spectra_trigger(self) -> str:
        """Return a digest of all on which spectra depend, but for products and CRDS."""
        values = self._values(SPECTRA_KEYS)
        path = self.settings.values["spec3_parameters"]
        files = [*filter(None, [path]), *override_files(values["spec3"], path and Path(path))]
        # References may depend on the detectors.
        detectors = sorted({get_detector(name) for name in self.exposures})
        backgrounds = [a.name for a in self.associations if a.background]
        return digest([values, *map(file_trigger, files), detectors, backgrounds])

    def _values(self, keys: Iterable[str]) -> dict[str, Any]:
        return {key: self.settings.values[key] for key in keys}


def find_addresses(items: Iterable[str], results: str) -> dict[str, str]:
    """Find the addresses among items of settings, by the paths of the files fetched from them.

    It is an `InputError` if files at two addresses have one name. `results` is the folder on disk.
    """
    addresses: dict[str, str] = {}
    for address in filter(is_address, items):
        other = addresses.setdefault(names.fetched_path(results, file_name(address)), address)
        if other != address:
            raise InputError(
                f"{other} and {address} have one name; leave one out, or download it and rename it"
            )
    return addresses


def resolve_run(
    config: Mapping[str, Any],
    results: str,
    simulated: list[str],
    is_module: bool,
    locate: Callable[[str], str],
) -> Run:
    """Find the files that a configuration, with all keys of the schema, names.

    Exposures of the example are `simulated`, in place of the user's. A workflow that uses this one
    as a module may make the exposures. `locate` returns where a setting is made, for messages. It
    is an `InputError` if a file does not exist, or exposures cannot be distinguished.
    """

    def where(key: str) -> str:
        return f" in {location}" if (location := locate(key)) else ""

    items, asn_items = (
        expand_items(key, config[key], where) for key in ("exposures", "associations")
    )
    addresses = find_addresses([*items, *asn_items], results)
    paths = [*dict.fromkeys(find_files("associations", asn_items, results, where=where))]
    associations = [
        read_association(path, is_fetched=path in addresses)
        for path in paths
        if path not in addresses or os.path.exists(path)
    ]
    for association in associations:
        if address := addresses.get(association.path):
            for path in association.members:
                if os.path.dirname(path) != os.path.dirname(association.path):
                    raise InputError(
                        f"{association.path}: its member {path!r} is in another folder, and "
                        "members are fetched from beside it; correct it, or download them"
                    )
                addresses.setdefault(path, parse_address(beside(address, path)))
    files = simulated or find_exposures(items, results, is_module, where)
    science = [path for association in associations for path in association.science]
    # Not named one by one.
    found = {*files}.difference(split_items(config["exposures"]), science)
    exposures = name_exposures([*files, *science], found)
    members = name_members(associations, addresses) if config["prepare"] else {}
    exposures |= {name: names.prepared_path(results, name) for name in members}
    values = dict(config) | {key: find_table(key, config[key], where, results) for key in TABLES}
    return Run(
        Settings(values, exposures, paths),
        associations,
        members,
        addresses,
        items,
        explicit_names(config["exposures"], associations),
        results,
    )
