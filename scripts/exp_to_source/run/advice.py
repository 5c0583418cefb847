"""Advice on commands that are nearly right."""

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ..errors import did_you_mean
from ..files import names_in
from ..naming import is_product_name
from ..results import (
    CAL,
    REPORT,
    SOURCES,
    SPECTRA,
    SUMMARY,
    VERIFICATION,
    product_path,
    quicklook_path,
    spectrum_path,
)
from ..sources.choosing import is_number
from .summary import TARGETS

#: Ending of a file that no rule makes by itself.
_MADE_WITH_SPECTRUM = re.compile(r"_(?:crf|s2d|c1d)\.fits$")


def advice_on_target(message: str, words: Sequence[str]) -> str:
    """Give the right command if no rule makes a target.

    Parameters
    ----------
    message : str
        What Snakemake says of it.
    words : sequence of str
        The command line without the program's name.

    Returns
    -------
    str
        A sentence, empty if there is nothing to say.
    """
    for word in words:
        if f"No rule to produce {word} (" not in message:
            continue
        if is_number(word):
            return (
                f"exp_to_source: there is no target {word!r}; to choose sources, write "
                f"--config sources={word}"
            )
        if meant := _result(word):
            command = shlex.join(["snakemake", *(meant if w == word else w for w in words)])
            why = "files are named by their paths below --directory"
            if _MADE_WITH_SPECTRUM.search(word):
                why = "it is made with the spectrum"
            return f"exp_to_source: {why}; the right command is: {command}"
        if hint := did_you_mean(word, TARGETS):
            return f"exp_to_source: there is no target {word!r}{hint}"
    return ""


def _result(word: str) -> str:
    """Path of the result that somebody means; empty if it is unknown."""
    _, folder, rest = word.rpartition("results/")
    if folder and rest:
        path = _MADE_WITH_SPECTRUM.sub("_x1d.fits", f"{folder}{rest}")
        return "" if word == path else path
    name = os.path.basename(word)
    if name in (SOURCES, REPORT, VERIFICATION):
        return f"results/{name}"
    product, ending = os.path.splitext(name)
    if ending not in (".fits", ".png"):
        product, ending = name, ""
    paths = {f"_{kind}.fits": spectrum_path("results", "{}", "x1d") for kind in SPECTRA}
    paths |= {CAL: product_path("results", "{}"), ".png": quicklook_path("results", "{}")}
    for end, path in paths.items():
        if name.endswith(end) and is_product_name(name.removesuffix(end)):
            return path.format(name.removesuffix(end))
    product = product.removesuffix("_cal")
    return product_path("results", product) if is_product_name(product) else ""


def advice_on_settings(results: str, settings_file: str) -> str:
    """Say what the last run had, for a command that names no exposures.

    Parameters
    ----------
    results : str
        Folder of the results.
    settings_file : str
        The file of settings that runs read by themselves.

    Returns
    -------
    str
        What to do, with the lines to write.
    """
    had = _settings_of_last_run(results)
    if not had:
        # Snakemake makes the folder.
        is_new = not names_in(".") - {".snakemake"}
        return (
            "set 'exposures' or 'associations', for example with "
            "--config exposures='/data/jw*_cal.fits', or in "
            f"{os.path.abspath(settings_file)}"
            + (f"; {os.getcwd()} is empty: is --directory right?" if is_new else "")
        )
    lines = "\n".join(f"{key}: {_in_yaml(value)}" for key, value in had.items())
    return (
        f"the last run in {os.getcwd()} had the settings below; to keep them for all commands "
        f"there, write them into {os.path.abspath(settings_file)}\n{lines}"
    )


def _in_yaml(value: Any) -> str:
    """Value of a setting, in one line of YAML."""
    text: str = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10**6)
    return text.strip().removeprefix("[").removesuffix("]")


def _settings_of_last_run(results: str) -> Mapping[str, Any]:
    """Find what the last run had besides the defaults; nothing if it had no exposures."""
    try:
        with open(os.path.join(results, SUMMARY), encoding="utf-8") as file:
            settings = json.load(file)["settings"]
        given = settings.keys() & {"exposures", "associations", "demo"}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}
    return settings if given else {}
