"""Parameters of the steps after regrouping, checked by the steps' own specifications."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import configobj
from jwst.pipeline import Spec3Pipeline
from stpipe import config_parser

from ..errors import InputError, suggestion
from ..files import replacing, write_all

#: Steps of Spec3Pipeline that are run on a product; the others come before, or are of other modes.
STEPS = (
    *("outlier_detection", "adaptive_trace_model", "pixel_replace", "resample_spec"),
    *("extract_1d", "combine_1d"),
)

#: Steps that may be skipped: no file is asked of them.
OPTIONAL = ("adaptive_trace_model", "pixel_replace")

#: Parameters that say where files go and what they are called, which are the workflow's; and hooks.
OWN = frozenset(
    (
        *("input_dir", "output_dir", "output_file", "output_ext", "output_use_index"),
        *("output_use_model", "save_results", "search_output_file", "suffix"),
        *("pre_hooks", "post_hooks"),
    )
)

Parameters = Mapping[str, Mapping[str, Any]]


def check_parameters(given: Parameters) -> None:
    """Check parameters by step, as ``Spec3Pipeline.call(steps=...)`` takes them.

    Raises
    ------
    InputError
        If there is a mistake: all of them, one a line.
    """
    if found := [what for step, own in given.items() for what in mistakes(step, own)]:
        raise InputError("\n".join(f"spec3: {what}" for what in found))


def mistakes(step: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the parameters of a step."""
    if step not in STEPS:
        yield f"no step {step!r} is run on products{suggestion(step, STEPS)}"
        return
    specification = Spec3Pipeline.step_defs[step].load_spec_file()
    for name, value in given.items():
        if name in OWN:
            yield f"{step}: {name} is the workflow's; leave it out"
        elif name == "skip" and step not in OPTIONAL:
            yield f"{step}: cannot be skipped, as its file is asked for; leave it out"
        elif name not in specification:
            known = [word for word in specification if word not in OWN]
            yield f"{step}: has no parameter {name!r}{suggestion(name, known)}"
        else:
            try:
                config_parser.validate(configobj.ConfigObj({name: value}), specification)
            except config_parser.ValidationError as error:
                yield f"{step}: {' '.join(str(error).split())}"


def write_parameters(request: str, output: str) -> None:
    """Write the parameters of a request, once they are checked.

    Parameters
    ----------
    request : str
        JSON of parameters by step.
    output : str
        The same, as jobs read it.

    Raises
    ------
    InputError
        As of `check_parameters`.
    """
    with open(request, encoding="utf-8") as file:
        text = file.read()
    check_parameters(json.loads(text)["steps"])
    with replacing(output) as descriptor:
        write_all(descriptor, text.encode())
