"""Input functions of rules, and functions for their params."""

import os
import re
import shlex
import sys
from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any, NoReturn, TypeVar

from .. import results as names
from ..errors import InputError, did_you_mean, format_error
from ..failures import empty_files
from ..files import file_state, names_in
from ..modes import is_grism
from ..naming import PRODUCT
from ..sources.associations import Association
from ..tables import read_sources, read_table
from .resolve import Run
from .triggers import batches, digest, file_trigger, rows_trigger

T = TypeVar("T")

#: Rows of the source list by product.
Rows = dict[str, dict[str, str]]

#: Snakemake's object for the checkpoint that lists the sources, by the folder of results. If
#: another workflow uses one of the rules a second time, to change it, Snakemake reads this workflow
#: again, but does not register its checkpoint again. The valid checkpoint is the first.
LISTINGS: dict[str, Any] = {}


def one_of(words: Iterable[str]) -> str:
    """Return the pattern of a wildcard that is one of some words."""
    return "|".join(map(re.escape, words)) or "(?!)"


class InputFunctions:
    """Input functions of rules, and functions for their params.

    Paths are as rules have them, relative and without the prefix of a module. A mistake of the user
    ends the run with one sentence.

    Parameters
    ----------
    resolve : callable
        Returns settings and input files, as `resolve_run`.
    is_module : bool
        Whether another workflow uses this one.
    fail : callable
        Ends the run with an error message.
    """

    def __init__(
        self, resolve: Callable[[], Run], is_module: bool, fail: Callable[[str], NoReturn]
    ) -> None:
        self._resolve = resolve
        self.run = run = resolve()
        self._fetched = self._fetched_states()
        self.is_module = is_module
        self.fail = fail
        self._list = f"{run.results}/{names.SOURCES}"
        # Snakemake divides inputs into batches before any job runs.
        self._is_divided = any(word.startswith("--bat") for word in sys.argv)
        self._is_listed = False
        # Left by a killed run in the place of what could not be made.
        self._empty = {*empty_files(run.results)}
        self._rows = cache(self._read_rows)
        self._batches = cache(lambda _state, size: batches(self.rows(), size))

    def _or_fail(self, function: Callable[..., T], *arguments: Any) -> T:
        try:
            return function(*arguments)
        except (InputError, OSError) as error:
            self.fail(format_error(error))

    def _fetched_states(self) -> list[Any]:
        return list(map(file_state, self.run.fetched_associations))

    def address(self, wildcards: Any) -> str:
        """Return the address of a file that is fetched."""
        path = names.fetched_path(self.run.results, wildcards.file)
        address = self.run.addresses[path]
        if self.run.settings.values["offline"] and not os.path.exists(path):
            self.fail(
                f"{address}: was not fetched yet, and 'offline' allows no network; leave 'offline' "
                "out once"
            )
        return address

    def exposure_trigger(self, wildcards: Any) -> str:
        """Return the state of an exposure; in a module, whose rules may make it, if replaced."""
        if self.is_module and not self.run.is_replaced(wildcards.exposure):
            return ""
        return self.run.exposure_trigger(wildcards.exposure)

    def indices(self, wildcards: Any) -> list[str]:
        """List the indices of all exposures, with those of associations that were fetched."""
        if (states := self._fetched_states()) != self._fetched:
            self._fetched = states
            self.run = self._or_fail(self._resolve)
        if self.run.is_complete:
            self._or_fail(self.run.check_exposures)
        return [names.index_path("results", name) for name in self.run.exposures]

    def lost_files(self, wildcards: Any) -> list[str]:
        """List what was lost since the sources were listed."""
        return self._or_fail(self.run.lost_files)

    def rows(self, classes: Collection[str] | None = None) -> Rows:
        """Read the source list, of sources of some classes; the checkpoint is run first."""
        results = self.run.results
        if results not in LISTINGS:
            self.fail(
                "a rule is used without the others; write 'use rule * from' this workflow before it"
            )
        # Once, as Snakemake works out all outputs of the checkpoint each time.
        if not (self._is_divided or self._is_listed):
            LISTINGS[results].get()
            self._is_listed = True
        rows = self._or_fail(self._rows, file_state(self._list))
        if classes is None:
            return rows
        return {name: row for name, row in rows.items() if row["class"] in classes}

    def _read_rows(self, state: Any) -> Rows:
        if self._is_divided:
            self.run.check_divisible()
        # The processes of jobs have the option.
        elif "--mode" not in sys.argv:
            self.run.check_listed()
        return read_sources(self._list)

    def row(self, wildcards: Any) -> dict[str, str]:
        """Return the row of a product in the source list."""
        rows, name = self.rows(), PRODUCT.format(**wildcards)
        if name not in rows:
            fault = f"the exposures have no such source{did_you_mean(name, rows)}; see {self._list}"
            left_out = {row["product"]: row["reason"] for row in self._table(names.LEFT_OUT)}
            if name in left_out:
                fault = (
                    f"{left_out[name]}; to make it, change the settings 'sources', 'catalog', "
                    "'exclude' or 'min_exposures'"
                )
            self.fail(f"{name}: {fault}")
        return rows[name]

    def _table(self, name: str) -> list[dict[str, str]]:
        return read_table(f"{self.run.results}/{name}")

    def product_trigger(self, wildcards: Any) -> str:
        """Return the digest of a product's manifest: what is made of it is rerun if it changes."""
        return self.row(wildcards)["digest"]

    def products_trigger(self, wildcards: Any) -> str:
        """Return a digest of all products, as `product_trigger`."""
        return rows_trigger(self.rows())

    def products(self, wildcards: Any = None) -> list[str]:
        """List the files of all products."""
        return [names.product_path("results", name) for name in self.rows()]

    def manifest(self, wildcards: Any) -> str:
        """Return the manifest of a product, which the checkpoint writes."""
        return names.manifest_path("results", self.row(wildcards)["product"])

    def is_empty(self, path: Callable[..., str], *kind: str) -> Callable[[Any], bool]:
        """Make a function for params: whether a killed run left the file of a product empty."""
        return lambda wildcards: (
            path(self.run.results, PRODUCT.format(**wildcards), *kind) in self._empty
        )

    def failure_option(self, wildcards: Any, folder: str = "") -> str:
        """Return the option of a job that must not fail; its record fails the run at its end.

        Snakemake does not run the hooks of modules, which do that.
        """
        name = f"{PRODUCT.format(**wildcards)}.txt"
        path = os.path.join(self.run.results, names.FAILURES, folder, name)
        return "" if self.is_module else f"--record-failure {path}"

    def _batches_of(self, size: int) -> dict[str, list[str]]:
        self.rows()
        return self._batches(file_state(self._list), size)

    def batch(self, size: int) -> Callable[[Any], list[str]]:
        """Make an input function: products of a batch of so many."""

        def products(wildcards: Any) -> list[str]:
            batch = self._batches_of(size).get(wildcards.batch)
            if batch is None:
                self.fail(f"{wildcards.batch}: is a batch of other products")
            return [names.product_path("results", name) for name in batch]

        return products

    def all_batches(self, folder: str, size: int) -> Callable[[Any], list[str]]:
        """Make an input function: what is made of all batches of so many products."""
        return lambda wildcards: [f"{folder}/{batch}.jsonl" for batch in self._batches_of(size)]

    def fingerprints(self, wildcards: Any) -> list[str]:
        """List the fingerprints of the exposures that were not skipped."""
        self.rows()
        skipped = {row["exposure"] for row in self._table(names.SKIPPED)}
        indexed = (name for name in self.run.exposures if name not in skipped)
        return [f"results/{names.FINGERPRINTS}/{name}.jsonl" for name in indexed]

    def quicklooks(self, wildcards: Any = None) -> list[str]:
        """List the quick looks of all products."""
        return [names.quicklook_path("results", name) for name in self.rows()]

    def shown_quicklooks(self, wildcards: Any) -> list[str]:
        """List the quick looks that the report shows: existing ones are updated."""
        existing = names_in(f"{self.run.results}/{names.QUICKLOOKS}")
        all_wanted = self.run.settings.values["quicklook"]
        return [p for p in self.quicklooks() if all_wanted or os.path.basename(p) in existing]

    def spectrum_trigger(self, wildcards: Any) -> str:
        """Return the state of a product's spectrum, which is shown if it exists, but not made."""
        product = PRODUCT.format(**wildcards)
        return file_trigger(names.spectrum_path(self.run.results, product, "x1d"))

    def shown_trigger(self, path: Callable[..., str], *kind: str) -> Callable[[Any], str]:
        """Make a function for params: a digest of the states of the files of all products."""
        return lambda wildcards: digest(
            [file_trigger(path(self.run.results, name, *kind)) for name in self.rows()]
        )

    def report_trigger(self, wildcards: Any) -> str:
        """Return a digest of what the report shows besides products, spectra and quick looks."""
        states = map(self.run.exposure_trigger, self.run.exposures)
        tables = map(self._table, (names.LEFT_OUT, names.SKIPPED, names.REMARKS))
        # Existing verdicts are shown, but not made.
        verdicts = file_trigger(f"{self.run.results}/{names.VERIFICATION}")
        return digest([self.run.settings.values, *states, *tables, verdicts])

    def references(self, wildcards: Any) -> str:
        """Return the references of the family of a product."""
        return names.references_path("results", self.row(wildcards)["family"])

    def all_references(self, wildcards: Any) -> list[str]:
        """List the references of all families whose spectra are requested."""
        families = {row["family"] for row in self._requested_spectra().values()}
        return [names.references_path("results", family) for family in sorted(families)]

    def _requested_spectra(self) -> Rows:
        return self.rows(self.run.settings.values["spec3_classes"])

    def spectra(self, wildcards: Any) -> list[str]:
        """List the spectra that are requested, and the tables of those of grisms."""
        rows = self._requested_spectra()
        families = {(row["family"], is_grism(row["exposure_type"])) for row in rows.values()}
        spectra = [names.spectrum_path("results", name, "x1d") for name in rows]
        for family, of_grism in sorted(families):
            kinds = names.GRISM_SPECTRA if of_grism else ()
            spectra += [names.spectrum_path("results", family, kind) for kind in kinds]
            spectra += [] if of_grism else [names.stack_path("results", family)]
        return spectra

    def _family(self, kind: str, wildcards: Any) -> Rows:
        family, of_grism = wildcards.family, kind == "grism"
        rows = {
            name: row
            for name, row in self._requested_spectra().items()
            if row["family"] == family and is_grism(row["exposure_type"]) == of_grism
        }
        if not rows:
            self.fail(f"{family}: no source of a {kind} in it is wanted; see {self._list}")
        return rows

    def family_files(
        self, kind: str, path: Callable[..., str], *suffix: str
    ) -> Callable[[Any], list[str]]:
        """Make an input function: of a family, files of products whose spectra are requested."""
        return lambda wildcards: [
            path("results", name, *suffix) for name in self._family(kind, wildcards)
        ]

    def family_trigger(self, kind: str) -> Callable[[Any], str]:
        """Make a function for params: a digest of their products, as `product_trigger`."""
        return lambda wildcards: rows_trigger(self._family(kind, wildcards))

    def association(self, wildcards: Any) -> Association:
        """Return the association of an exposure that is prepared."""
        return self.run.find_association(self.run.members[wildcards.exposure].association)

    def background(self, wildcards: Any) -> list[str]:
        """List the combined background of the association of an exposure, if it has any."""
        association = self.association(wildcards)
        path = names.background_path("results", association.name)
        return [path] if association.background else []

    def crds_options(self, wildcards: Any, output: Any) -> str:
        """Return options with the place of CRDS; as it has the output, it causes no rerun."""
        values = {key: self.run.settings.values[f"crds_{key}"] for key in ("path", "server")}
        options = ((k, os.path.expanduser(value)) for k, value in values.items() if value)
        return shlex.join(f"--crds-{key}={value}" for key, value in options)
