"""Sentinel names, their precedence, their bodies, and the state they stand for (contract 2.3, 2.4)."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from attrs import frozen

from daylily.domain.lifecycle import State


class Sentinel(StrEnum):
    """The six objects that show a workset's state in its directory, first in precedence first."""

    IGNORE = "daylily.ignore"
    COMPLETE = "daylily.complete"
    ERROR = "daylily.error"
    IN_PROGRESS = "daylily.in_progress"
    LOCK = "daylily.lock"
    READY = "daylily.ready"


_STANDS_FOR: Final = {
    Sentinel.IGNORE: State.IGNORED,
    Sentinel.COMPLETE: State.COMPLETE,
    Sentinel.ERROR: State.ERROR,
    Sentinel.IN_PROGRESS: State.IN_PROGRESS,
    Sentinel.LOCK: State.LOCKED,
    Sentinel.READY: State.READY,
}

_PROJECTION: Final = {
    State.READY: frozenset({Sentinel.READY}),
    State.LOCKED: frozenset({Sentinel.READY, Sentinel.LOCK}),
    State.IN_PROGRESS: frozenset({Sentinel.READY, Sentinel.LOCK, Sentinel.IN_PROGRESS}),
    # Waiting for its next try: in_progress keeps monitors of old from claiming it meanwhile.
    State.RETRYING: frozenset({Sentinel.READY, Sentinel.IN_PROGRESS}),
    State.COMPLETE: frozenset({Sentinel.COMPLETE}),
    State.ERROR: frozenset({Sentinel.ERROR}),
    State.FAILED: frozenset({Sentinel.ERROR}),
    # There is no sentinel of its own for these; ignore outranks whatever a late monitor may write.
    State.IGNORED: frozenset({Sentinel.IGNORE}),
    State.CANCELED: frozenset({Sentinel.IGNORE}),
    State.DELETED: frozenset({Sentinel.IGNORE}),
}


def projection(state: State, archived_from: State | None = None) -> frozenset[Sentinel]:
    """Return the sentinels that show *state*; an archived workset shows the state it had."""
    if state is State.ARCHIVED:
        return projection(archived_from or State.IGNORED)
    return _PROJECTION[state]


def state_shown(present: Collection[Sentinel]) -> State | None:
    """Return the state that the sentinels *present* stand for, or None if there are none."""
    return next((_STANDS_FOR[sentinel] for sentinel in Sentinel if sentinel in present), None)


DETAIL_MOST: Final = 4000
"""Characters of what we write. Readers take the start of a body alone, and the mark is at its end."""

STEPS_MOST: Final = 1_000_000
"""
Steps that a workset may have taken, where only its directory says so. Whoever may write there could
give it a number after which ours would no longer fit into a mark.
"""

_MARK: Final = re.compile(r" \(daylily #([0-9]{1,9})\)$")
_BLANKS: Final = re.compile(r"\s+")
_TIMES: Final = ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ", "%Y%m%dT%H%M%S")


@frozen
class SentinelBody:
    """
    What a sentinel object says: one line, ``<UTC time, seconds, Z>`` TAB detail.

    What we write ends in a mark with the number of the transition it shows, so that we can tell
    our own from what other systems and people put there, and old from new.
    """

    at: datetime | None
    """When it was written; None where the writer gave no time we can read."""
    detail: str = ""
    sequence: int | None = None
    """The number of our transition that it shows; None if we did not write it."""

    @property
    def ours(self) -> bool:
        """Whether Daylily wrote it: a number that no workset gets to is a forgery."""
        return self.sequence is not None and self.sequence <= STEPS_MOST

    def render(self) -> str:
        """Return the text to store: a single line, without a line end."""
        time = f"{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if self.at else ""
        mark = f" (daylily #{self.sequence})" if self.sequence is not None else ""
        # A lone surrogate can be stored nowhere, and would keep the debt from ever being paid.
        detail = self.detail.encode(errors="replace").decode()
        detail = _BLANKS.sub(" ", detail).strip()
        if self.ours and len(detail) > DETAIL_MOST:
            detail = f"{detail[: DETAIL_MOST - 1]}…"
        return f"{time}\t{detail}{mark}" if detail or mark else time

    @classmethod
    def parse(cls, text: str) -> "SentinelBody":
        """Read any body found in the field; one that gives no time is all detail."""
        line = text.strip()
        head, _, tail = line.partition("\t")
        # render() leaves the time blank where there is none: what comes after the TAB is no time.
        at = None if text.startswith("\t") else _time(head.strip())
        detail = tail if at else line
        mark = _MARK.search(" " + detail)
        if mark:
            detail = (" " + detail)[: mark.start()]
        return cls(at, _BLANKS.sub(" ", detail).strip(), int(mark[1]) if mark else None)


@frozen(order=True)
class KnownSentinel:
    """A sentinel of others as it stood when we took over what it says: unchanged, it is no news."""

    sentinel: Sentinel
    digest: str
    """Of its text, which may be long."""

    @classmethod
    def of(cls, sentinel: Sentinel, body: SentinelBody) -> "KnownSentinel":
        """Return *sentinel* as it stands there now."""
        return cls(sentinel, hashlib.sha256(body.render().encode()).hexdigest()[:16])


def known(
    sentinels: Iterable[Sentinel], bodies: Mapping[Sentinel, SentinelBody]
) -> tuple[KnownSentinel, ...]:
    """Return *sentinels* as they stand there now, in a fixed order."""
    return tuple(sorted(KnownSentinel.of(each, bodies[each]) for each in sentinels))


def _time(text: str) -> datetime | None:
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
