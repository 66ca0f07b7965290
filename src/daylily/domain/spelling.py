"""Words that were probably meant: what to tell somebody whose word nobody knows."""

import difflib
from collections.abc import Iterable
from typing import Final

_LIKENESS: Final = 0.75
_LONGEST: Final = 40
"""Likeness takes time to work out, and no word of ours is as long."""
_TELLING: Final = 5
"""Letters that a part of a word needs to stand for the whole of it."""


def meant(word: str, known: Iterable[str]) -> str | None:
    """
    Return the one of *known* that somebody who wrote *word* probably meant, if there is one.

    Case does not count, nor does '-' for '_'. A part will do where it is a word of its own.

    >>> meant("priorty", ["name", "priority"]), meant("genome", ["reference_genome"])
    ('priority', 'reference_genome')
    >>> meant("operator", ["name", "priority"])
    """
    plain = _plain(word)
    candidates = {_plain(each): each for each in known}
    if len(plain) > _LONGEST or not plain:
        return None
    if close := difflib.get_close_matches(plain, candidates, 1, _LIKENESS):
        return candidates[close[0]]
    if len(plain) >= _TELLING:
        parts = set(plain.split("_"))
        return next((each for name, each in candidates.items() if parts <= set(name.split("_"))), None)
    return None


def _plain(word: str) -> str:
    return word.strip().casefold().replace("-", "_").replace(" ", "_")
