"""Parameters of the steps after regrouping, checked by the steps' own specifications."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import configobj
from jwst.pipeline import Spec3Pipeline
from stpipe import config_parser

from ..errors import InputError, did_you_mean

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
    found = [what for step, own in given.items() for what in mistakes(step, own)]
    if len(found) > 1:
        found = [f"{len(found)} mistakes:", *(f"- {what}" for what in found)]
    if found:
        raise InputError("spec3: " + "\n".join(found))


def mistakes(step: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the parameters of a step."""
    if step not in STEPS:
        yield f"no step {step!r} is run on products{did_you_mean(step, STEPS)}"
        return
    specification = Spec3Pipeline.step_defs[step].load_spec_file()
    for name, value in given.items():
        if name in OWN:
            yield f"{step}: {name} is the workflow's; leave it out"
        elif name == "skip" and step not in OPTIONAL:
            yield f"{step}: cannot be skipped, as its file is asked for; leave it out"
        elif name.startswith("override_") and str(value) != "N/A" and not is_file(value):
            yield f"{step}: {name}: {value!r} is no file; correct the path"
        elif name not in specification:
            known = [word for word in specification if word not in OWN]
            yield f"{step}: has no parameter {name!r}{did_you_mean(name, known)}"
        else:
            try:
                config_parser.validate(
                    configobj.ConfigObj({name: value}, interpolation=False), specification
                )
            except config_parser.ValidationError as error:
                yield f"{step}: {' '.join(str(error).split())}"


def is_file(value: Any) -> bool:
    """Whether a parameter is the path of a file."""
    return isinstance(value, str) and Path(value).expanduser().is_file()


def read_parameters(path: Path) -> dict[str, dict[str, Any]]:
    """Read a file of parameters, as ``strun --save-parameters`` writes it.

    Parameters
    ----------
    path : Path
        ASDF file of Spec3Pipeline, or of one step.

    Returns
    -------
    dict
        Parameters by step, of the steps that are run on products. What says where files go is left
        out, as all such files have it.

    Raises
    ------
    InputError
        If it is no such file.
    """
    try:
        found = config_parser.load_config_file(str(path)).dict()
    except Exception as error:
        # ASDF, then the older format is tried: each has errors of its own.
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: is no file of parameters ({reason:.200}); write one with 'strun "
            "--save-parameters', or correct the setting 'spec3_parameters'"
        ) from None
    steps = found.get("steps") or {_step_of(str(found.get("class", ""))): found}
    if not steps.keys() & {*STEPS}:
        raise InputError(
            f"{path}: has parameters of {found.get('class', 'no step')}, which is not run on "
            "products; correct the setting 'spec3_parameters'"
        )
    return {
        step: {
            name: value
            for name, value in own.items()
            if name not in OWN | {"class", "name"} and not (name == "skip" and value is False)
        }
        for step, own in steps.items()
        if step in STEPS
    }


def _step_of(name: str) -> str:
    """Name of a step in the pipeline, by that of its class."""
    word = name.rpartition(".")[2]
    return next((n for n, step in Spec3Pipeline.step_defs.items() if step.__name__ == word), "")


def merged(under: Parameters, over: Parameters) -> dict[str, dict[str, Any]]:
    """Parameters by step; those of the second count where both have one."""
    return {step: {**under.get(step, {}), **over.get(step, {})} for step in {**under, **over}}
