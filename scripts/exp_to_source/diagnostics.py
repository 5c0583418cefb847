"""Diagnostics: warnings and notes for the user, about an exposure or about the run as a whole."""

from typing import NamedTuple


class Diagnostic(NamedTuple):
    """A sentence and its level: ``warning`` for what a user should correct, or ``note``."""

    level: str
    text: str
