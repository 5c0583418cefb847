"""The configuration of a run, validated against its schema."""

import argparse
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError, did_you_mean

#: JSON schema of the configuration, with the defaults.
SCHEMA = Path(__file__).with_name("config.schema.yaml")

#: Beginning of the names of temporary files with settings, in which a user corrects nothing.
PASSED = ".settings-"

#: Reads the schema in 2 ms instead of 10.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Whole numbers that YAML 1.1 reads as octal ones.
_OCTAL = re.compile(r"(?<![\w.])[-+]?0[0-7_]*[0-7]\b")


def check_configuration(
    config: dict[str, Any], files: Sequence[str] = (), argv: Sequence[str] = ()
) -> None:
    """Validate a configuration, and set the defaults of absent keys.

    Parameters
    ----------
    config : dict
        The configuration, completed in place.
    files : sequence of str
        The YAML files that may contain it; later files override earlier ones.
    argv : sequence of str
        Command line, which may name more such files.

    Raises
    ------
    InputError
        If a key is unknown or its value is not allowed; the message has file, line and valid ones.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    schema = yaml.load(SCHEMA.read_text(encoding="utf-8"), _LOADER)
    known = schema["properties"]
    for key in config:
        if key not in known:
            where = locate_setting(config, [key], files, argv) or "configuration"
            hint = did_you_mean(str(key), known)
            raise InputError(
                f"{where}: unknown key {key!r:.200}{hint}; the keys are {', '.join(known)}"
            )
        # The command line of Snakemake accepts True and False, but reads YAML's words as strings.
        if known[key].get("type") == "boolean" and config[key] in ("true", "false"):
            config[key] = config[key] == "true"
    error = best_match(Draft202012Validator(schema).iter_errors(config))
    if error:
        key, *inner = error.absolute_path
        what = " ".join(known[key]["description"].split())
        name = "".join([str(key), *(f"[{json.dumps(step)}]" for step in inner)])
        value = "empty" if error.instance is None else f"{error.instance!r:.200}"
        where = locate_setting(config, [key, *inner], files, argv) or "configuration"
        raise InputError(f"{where}: {name} cannot be {value}. {what}")
    for key, about in known.items():
        config.setdefault(key, about["default"])
        if about.get("type") != "object":
            config[key] = _as_integers(config[key])


def _as_integers(value: Any) -> Any:
    """Convert whole numbers to integers, which JSON schemas take for the same: 59.0."""
    if isinstance(value, list):
        return [_as_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_configfile(path: str) -> dict[str, Any]:
    """Read a configuration file: YAML, or JSON, as Snakemake does.

    Raises
    ------
    InputError
        If it is not YAML with keys at its top level: the message names file, line and error.
    """
    try:
        settings = _parse(path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        what = ", ".join(filter(None, (error.context, error.problem)))
        raise InputError(
            f"{path}{line}: not YAML: {what}; correct that line or those above"
        ) from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply; write settings as 'key: value'") from None
    except (yaml.YAMLError, ValueError):
        raise InputError(f"{path}: not a text in YAML, in UTF-8; write it again") from None
    except (AttributeError, LookupError, TypeError):
        # PyYAML raises these if a value does not have the type of its tag.
        raise InputError(
            f"{path}: a value is not what its tag (!!) says; write it without the tag"
        ) from None
    if not isinstance(settings, dict):
        raise InputError(f"{path}: has no keys; write settings as 'key: value', one a line")
    return settings


def _text(path: str) -> str:
    with open(path, encoding="utf-8-sig") as file:
        return file.read()


def _parse(path: str) -> Any:
    text = _text(path)
    try:
        return json.loads(text)
    except ValueError:
        settings = yaml.safe_load(text)
    # Most files have no such digits, not even in comments.
    for token in yaml.scan(text, yaml.SafeLoader) if _OCTAL.search(text) else ():
        if isinstance(token, yaml.ScalarToken) and token.plain and _OCTAL.fullmatch(token.value):
            raise InputError(
                f"{path}, line {token.start_mark.line + 1}: YAML reads {token.value} as the octal "
                f"number {int(token.value, 8)}; write it without zeros at its start"
            )
    return settings


def locate_setting(
    config: dict[str, Any], keys: list[Any], files: Sequence[str], argv: Sequence[str] = ()
) -> str:
    """Return file and line of a setting; empty if it is in none of the files.

    `keys` are that of the setting, and those within it; the others are as of `check_configuration`.
    """
    for path in reversed([*files, *_configfiles(argv)]):
        # Values from the command line, or from another workflow, are in none of the files.
        settings = read_configfile(path)
        own, used = settings.get(keys[0]), config[keys[0]]
        # By their text if they contain themselves or NaN.
        if keys[0] in settings and (repr(own) == repr(used) or own == used):
            try:
                lines = [*_lines(yaml.compose(_text(path), yaml.SafeLoader), keys)]
            except (yaml.YAMLError, RecursionError):
                # JSON that PyYAML does not read: it may have tabs, and deeper nesting.
                lines = []
            return f"{path}, line {lines[-1]}" if lines else path
    return ""


def _configfiles(argv: Sequence[str]) -> list[str]:
    """Return the user's files after ``--configfile``; Snakemake does not pass their paths."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    try:
        paths = parser.parse_known_args(argv)[0].configfile
    except argparse.ArgumentError:
        return []
    # Snakemake has changed the folder, to which they are relative; the shell's variable has it.
    folder = os.environ.get("PWD", "")
    paths = [os.path.join(folder, p) for p in paths if not os.path.basename(p).startswith(PASSED)]
    return list(filter(os.path.isfile, paths))


def _lines(node: yaml.Node | None, keys: list[Any]) -> Iterator[int]:
    """Lines of the key, and of the keys or items within it on the path to a value."""
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pairs = [pair for pair in node.value if pair[0].value == str(key)]
            if not pairs:
                return
            yield pairs[-1][0].start_mark.line + 1
            node = pairs[-1][1]
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[key]
            yield node.start_mark.line + 1
