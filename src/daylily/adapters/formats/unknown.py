"""Keys and columns that nobody knows: most are somebody's own, some are ours misspelt."""

from collections.abc import Collection, Iterable
from typing import Final

from attrs import frozen

from daylily.adapters.formats.reading import LISTED, Faults
from daylily.domain.spelling import meant

_MOST_LOOKED_AT: Final = 1000
"""Likeness takes time to work out; no file has as many keys but junk."""


@frozen
class Unknown:
    """A key or column of no use to us."""

    name: str
    place: str
    """Where a fault of it stands."""
    shown: str
    """What it is called where people are told that it was passed over."""
    note: str = ""
    """What to add to a fault."""
    has_files: bool = False
    """Whether it names FASTQ files, which would then not be run."""


def passed_over(
    unknown: Iterable[Unknown],
    *,
    known: Collection[str],
    historic: Collection[str],
    files: str,
    faults: Faults | None,
) -> tuple[str, ...]:
    """
    Return those that are passed over, as shown, at most a hundred.

    Args:
        historic: What other systems are known to write, and we have no use for: never a fault.
        files: Under which of the known ones files go.
        faults: Where to note those that are misspelt ones of *known*, or have files. None passes
            them over too.
    """
    others: list[str] = []
    for number, each in enumerate(unknown):
        if number >= _MOST_LOOKED_AT or len(others) >= LISTED:
            break
        fault = None
        if faults is not None and each.name not in known and each.name.lower() not in historic:
            fault = _fault(each, known, files)
        if faults is None or fault is None:
            others.append(each.shown)
        else:
            faults.add(each.place, fault + each.note)
    return tuple(others)


def _fault(unknown: Unknown, known: Collection[str], files: str) -> str | None:
    near = meant(unknown.name, known)
    if near is not None:
        return f"is not known; did you mean {near!r}?"
    if unknown.has_files:
        return f"is not known, and names FASTQ files that would be left out; these go under {files}"
    return None
