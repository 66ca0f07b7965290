"""
Single values of ``daylily_work.yaml``: text in, value out.

Each raises a ValueError whose message says what is wrong with the text.
"""

import re
from datetime import timedelta
from typing import Final

from daylily.domain.clusters import LONGEST, time_limit
from daylily.domain.errors import InvalidInputError
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import reference_genome
from daylily.domain.names import ID_RULE, is_id

_NUMBER: Final = re.compile(
    r"\+?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?"
)
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


def priority(text: str) -> Priority:
    """Return a priority by its name, or by what old portals called it."""
    try:
        return Priority(text.strip().lower())
    except ValueError:
        known = ", ".join(Priority)
        raise ValueError(f"{text[:40]!r} is not a priority; use one of {known}") from None


def genome(text: str) -> str:
    """Return the standard name of a reference genome."""
    try:
        return reference_genome(text)
    except InvalidInputError as error:
        raise ValueError(error.faults[0].message) from None


def email(text: str) -> str:
    """Return an e-mail address."""
    if not _EMAIL.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not an e-mail address")
    return text


def count(text: str) -> int:
    """Return a number of retries."""
    if not re.fullmatch("[0-9]|10", text):
        raise ValueError(f"{text[:40]!r} is not a whole number from 0 to 10")
    return int(text)


def depth(text: str) -> float:
    """Return a mean depth."""
    if not _NUMBER.fullmatch(text) or not 0 <= float(text) <= 100_000:
        raise ValueError(f"{text[:40]!r} is not a depth: write a number from 0 to 100000")
    return float(text)


def place(text: str) -> str:
    """Return the name of a cluster or of a zone."""
    if not is_id(text):
        raise ValueError(f"{text[:80]!r} is not a name: {ID_RULE}")
    return text


def hours(text: str) -> timedelta:
    """Return a time limit."""
    limit = time_limit(float(text)) if _NUMBER.fullmatch(text) else None
    if limit is None:
        most = LONGEST // timedelta(hours=1)
        raise ValueError(f"{text[:40]!r} is not a number of hours above 0, and at most {most}")
    return limit
