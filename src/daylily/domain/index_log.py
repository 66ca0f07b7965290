"""What index logs say: which sentinels of which worksets stand in directories (contract 2.5)."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Final

from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel, SentinelBody, projection
from daylily.domain.workset import Workset

LAST: Final = tuple(Sentinel)[-1]
"""The sentinel whose log is written last: once it is new, all are."""


def log_name(sentinel: Sentinel) -> str:
    """
    Return the name of the log of a sentinel.

    >>> log_name(Sentinel.READY)
    'daylily.ready.log'
    """
    return f"{sentinel}.log"


def sentinels_of(workset: Workset) -> Iterator[tuple[Sentinel, SentinelBody]]:
    """Yield the sentinels that show a workset, each with the body that it was posted with."""
    theirs = {each.sentinel for each in workset.known}
    for sentinel in sorted(projection(workset.state, workset.archived_from)):
        number, body = _posted(workset, sentinel)
        yield sentinel, SentinelBody(body.at, body.detail, None if sentinel in theirs else number)


def _posted(workset: Workset, sentinel: Sentinel) -> tuple[int | None, SentinelBody]:
    """Return the transition that a sentinel shows: the first of those through which it has stood."""
    found: tuple[int | None, SentinelBody] | None = None
    for number, step in zip(count(workset.sequence, -1), reversed(workset.history), strict=False):
        if step.state is State.ARCHIVED:
            continue  # it shows what stood there before
        if sentinel not in projection(step.state):
            break
        found = number, SentinelBody(step.at, step.reason)
    # A store may have kept no history of what is very old.
    return found or (None, SentinelBody(workset.updated_at))


def log_texts(lines: Mapping[Sentinel, Iterable[str]]) -> Iterator[tuple[Sentinel, str]]:
    """Yield the text of every log, empty ones included; that of ``LAST`` comes last."""
    for sentinel in Sentinel:
        yield sentinel, "\n".join(sorted(lines.get(sentinel, ())))


def log_line(workset_id: str, body: SentinelBody) -> str:
    """Return a line of a log; whatever the detail held, it is one line, with one TAB before it."""
    return f"{workset_id}\t{body.render()}"
