"""Parameters of the steps after regrouping, checked by the steps' own specifications."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import configobj
from jwst.pipeline import Spec3Pipeline
from stpipe import config_parser

from ..errors import InputError, did_you_mean
from .references import OVERRIDE, Parameters

#: Steps of Spec3Pipeline that are run on a product; the others come before, or are of other modes.
STEPS = (
    *("outlier_detection", "adaptive_trace_model", "pixel_replace", "resample_spec"),
    *("extract_1d", "combine_1d"),
)

#: Steps that may be skipped: they have no file of their own.
OPTIONAL = ("adaptive_trace_model", "pixel_replace")

#: Parameters that say where files go and how they are named, which are the workflow's; and hooks.
RESERVED = {
    *("input_dir", "output_dir", "output_file", "output_ext", "output_use_index"),
    *("output_use_model", "save_results", "search_output_file", "suffix"),
    *("pre_hooks", "post_hooks"),
}


def check_parameters(steps: Parameters) -> None:
    """Check parameters by step, as ``Spec3Pipeline.call(steps=...)`` takes them.

    The error names all mistakes, one a line.
    """
    mistakes = [m for step, parameters in steps.items() for m in find_mistakes(step, parameters)]
    if len(mistakes) > 1:
        mistakes = [f"{len(mistakes)} mistakes:", *(f"- {mistake}" for mistake in mistakes)]
    if mistakes:
        raise InputError("spec3: " + "\n".join(mistakes))


def find_mistakes(step: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the parameters of a step."""
    if step not in STEPS:
        yield f"no step {step!r} is run on products{did_you_mean(step, STEPS)}"
        return
    specification = Spec3Pipeline.step_defs[step].load_spec_file()
    for name, value in parameters.items():
        if name in RESERVED:
            yield f"{step}: {name} is the workflow's; leave it out"
        elif name == "skip" and step not in OPTIONAL:
            yield f"{step}: cannot be skipped, as its file is an output; leave it out"
        elif name.startswith(OVERRIDE) and not (
            value == "N/A" or (isinstance(value, str) and Path(value).expanduser().is_file())
        ):
            yield f"{step}: {name}: {value!r} is not a file; correct the path"
        elif name not in specification:
            names = [word for word in specification if word not in RESERVED]
            yield f"{step}: has no parameter {name!r}{did_you_mean(name, names)}"
        else:
            try:
                config_parser.validate(
                    configobj.ConfigObj({name: value}, interpolation=False), specification
                )
            except config_parser.ValidationError as error:
                yield f"{step}: {' '.join(str(error).split())}"


def read_parameters(path: Path) -> dict[str, dict[str, Any]]:
    """Read a file of parameters, as ``strun --save-parameters`` writes it.

    It is of Spec3Pipeline, or of one step. Returns the parameters by step, of the steps that are
    run on products, without those that say where files go, which all such files have.
    """
    try:
        content = config_parser.load_config_file(str(path)).dict()
    except Exception as error:
        # ASDF, then the older format is tried: each has errors of its own.
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: is not a file of parameters ({reason:.200}); write one with 'strun "
            "--save-parameters', or correct the setting 'spec3_parameters'"
        ) from None
    name = str(content.get("class", ""))
    steps = content.get("steps")
    if not steps:
        classes = {step.__name__: key for key, step in Spec3Pipeline.step_defs.items()}
        steps = {classes.get(name.rpartition(".")[2], ""): content}
    if not steps.keys() & {*STEPS}:
        raise InputError(
            f"{path}: has parameters of {name or 'no step'}, which is not run on products; correct "
            "the setting 'spec3_parameters'"
        )
    return {
        step: {
            name: value
            for name, value in parameters.items()
            if name not in RESERVED | {"class", "name"} and not (name == "skip" and value is False)
        }
        for step, parameters in steps.items()
        if step in STEPS
    }
