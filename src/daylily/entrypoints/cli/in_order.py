"""Sort what may not fit into memory: parts are sorted there, and merged from the disk."""

import heapq
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from operator import itemgetter
from typing import IO, Any, Final

PART: Final = 10_000
"""Entries held in memory at a time; fewer than that never see the disk."""

Entry = tuple[int, str, Any]
"""A rank and a name, by which entries are sorted, and what is to be had in that order."""

_key: Final = itemgetter(0, 1)


def in_order(entries: Iterable[Entry], part: int = PART) -> Iterator[Entry]:
    """
    Yield entries by rank and name; all are read before the first is yielded.

    Args:
        entries: What comes with rank and name must be such as JSON has.
        part: How many to hold in memory.

    >>> list(in_order([(1, "b", "x"), (0, "c", "y"), (1, "a", "z")], part=2))
    [(0, 'c', 'y'), (1, 'a', 'z'), (1, 'b', 'x')]
    """
    with ExitStack() as stack:
        files: list[IO[str]] = []
        held: list[Entry] = []
        for entry in entries:
            held.append(entry)
            if len(held) == part:
                file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
                file.writelines(f"{json.dumps(each)}\n" for each in sorted(held, key=_key))
                files.append(file)
                held.clear()
        held.sort(key=_key)
        yield from heapq.merge(held, *map(_read, files), key=_key)


def _read(file: IO[str]) -> Iterator[Entry]:
    file.seek(0)
    for line in file:
        rank, name, rest = json.loads(line)
        yield rank, name, rest
