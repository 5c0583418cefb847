"""The configuration of a run, checked against its schema."""

from typing import Any

import yaml

from .errors import InputError


def check_configuration(config: dict[str, Any], schema_path: str) -> None:
    """Check a configuration, and set the defaults of keys that are absent.

    Parameters
    ----------
    config : dict
        The configuration, completed in place.
    schema_path : str
        JSON schema, as YAML; it holds the defaults.

    Raises
    ------
    InputError
        If a key is unknown or its value is not allowed: which, what is wrong, what is possible.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    with open(schema_path, encoding="utf-8") as file:
        schema = yaml.safe_load(file)
    known = schema["properties"]
    for key in config:
        if key not in known:
            raise InputError(f"configuration: unknown key {key!r}; the keys are {', '.join(known)}")
        # The command line of Snakemake knows True and False, but takes YAML's words as texts.
        if known[key].get("type") == "boolean" and config[key] in ("true", "false"):
            config[key] = config[key] == "true"
    error = best_match(Draft202012Validator(schema).iter_errors(config))
    if error:
        key = str(error.absolute_path[0])
        value = config[key]
        what = " ".join(known[key]["description"].split())
        raise InputError(f"configuration: {key} cannot be {value!r}. {what}")
    for key, about in known.items():
        config.setdefault(key, about["default"])
