"""What can be wrong with an input, as values a report can print and a process can send to another."""

from __future__ import annotations

import enum
from typing import Final

from attrs import frozen

LONGEST_QUOTE: Final = 80


class Kind(enum.StrEnum):
    """Whose move it is: the sender of the data, whoever staged it, or ours."""

    DAMAGED = "damaged"
    MISSING = "missing"
    CRASHED = "crashed"


@frozen
class Fault:
    """Why one sample has no results."""

    kind: Kind
    message: str
    file: str | None = None
    record: int | None = None

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        if self.record is not None:
            place.append(f"record {self.record}")
        return ": ".join([*place, self.message])


class SampleError(Exception):
    """One sample cannot be measured; the others can."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class SheetError(Exception):
    """The sample sheet itself cannot be used. All its faults are told at once."""

    def __init__(self, faults: tuple[str, ...], *, missing: bool = False) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
        self.missing = missing


def quoted(text: str) -> str:
    """
    Return *text* between quotes, short, and without anything a terminal would obey.

    >>> quoted("r1\\x1b[2J")
    "'r1\\\\x1b[2J'"
    """
    shown = text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "..."
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)
    return f"'{safe}'"
