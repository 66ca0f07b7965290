"""Cursors of listings: opaque to callers, and never trusted when they come back."""

import base64
import binascii
import itertools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from daylily.domain.errors import CursorError, InvalidInputError
from daylily.domain.workset import Transition
from daylily.ports.paging import Page
from daylily.ports.state_store import LOOKED_AT

T = TypeVar("T")
R = TypeVar("R")

_LONGEST = 5120
"""
Characters; the longest key that S3 takes, twice encoded, fits in.

And whatever letters somebody puts in their place, escaped: servers take heads of 64 KiB, and what is
longer is refused in their own words.
"""


def encode_cursor(kind: str, *parts: str) -> str:
    """
    Return a cursor that begins after the item known by *parts*.

    Args:
        kind: The listing it belongs to; another one will refuse it.

    >>> decode_cursor("queue", encode_cursor("queue", "2025-06", "ws-1"), 2)
    ('2025-06', 'ws-1')
    """
    text = json.dumps([kind, *parts], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(kind: str, cursor: str, count: int) -> tuple[str, ...]:
    """
    Return the *count* parts that a cursor was made of.

    Raises:
        CursorError: No listing of this kind made it.
    """
    try:
        found = json.loads(_unpadded(cursor))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _refused() from error
    if (
        not isinstance(found, list)
        or not all(isinstance(part, str) for part in found)
        or len(found) != count + 1
        or found[0] != kind
    ):
        raise _refused()
    return tuple(found[1:])


def check_limit(limit: int) -> int:
    """
    Return *limit* if a page can have that length.

    Raises:
        InvalidInputError: It is less than 1.
    """
    if limit < 1:
        raise InvalidInputError.of("limit", f"{limit} is too small: a page has at least 1 item")
    return limit


def page_of(found: Sequence[T], limit: int, cursor_after: Callable[[T], str]) -> Page[T]:
    """
    Return the first *limit* of *found*, with a cursor if there is more.

    Args:
        found: What follows the last cursor: *limit* + 1 items, or fewer where no more are left.
    """
    items = tuple(found[:limit])
    return Page(items, cursor_after(items[-1]) if len(found) > limit else None)


def sifted(
    walk: Iterable[T],
    pick: Callable[[T], R | None],
    limit: int,
    cursor_after: Callable[[T], str],
    most: int = LOOKED_AT,
) -> Page[R]:
    """
    Return what is picked from a walk, a page of it.

    Args:
        walk: What follows the last cursor.
        pick: Returns None for what is passed over.
        most: How many to look at, at most: then the page ends, however few have been picked.
    """
    found: list[tuple[T, R]] = []
    enough = max(most, limit + 1)
    for looked, each in enumerate(walk, 1):
        picked = pick(each)
        if picked is not None:
            if len(found) == limit:
                return Page(tuple(item for _, item in found), cursor_after(found[-1][0]))
            found.append((each, picked))
        if looked >= enough:
            return Page(tuple(item for _, item in found), cursor_after(each))
    return Page(tuple(item for _, item in found))


def history_page(
    workset_id: str,
    latest_first: Iterable[Transition],
    total: int,
    cursor: str | None,
    limit: int,
) -> Page[Transition]:
    """
    Return a page of a workset's history.

    Its cursor counts from the oldest, so that transitions made meanwhile move nothing.

    Args:
        latest_first: All of it, read only as far as the page goes.
        total: How many there are.
    """
    check_limit(limit)
    kind = f"history {workset_id}"
    below = total + 1 if cursor is None else _number(*decode_cursor(kind, cursor, 1))
    older = ((n, step) for n, step in zip(itertools.count(total, -1), latest_first) if n < below)
    page = page_of(
        list(itertools.islice(older, limit + 1)),
        limit,
        lambda last: encode_cursor(kind, str(last[0])),
    )
    return Page(tuple(step for _, step in page.items), page.cursor)


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,12}", text, re.ASCII):
        raise _refused()
    return int(text)


def time_key(at: datetime) -> str:
    """
    Return an instant as text that sorts as time does: UTC, microseconds, ``Z``.

    >>> time_key(datetime(2025, 6, 2, 12, tzinfo=UTC))
    '2025-06-02T12:00:00.000000Z'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _unpadded(cursor: str) -> bytes:
    if len(cursor) > _LONGEST:
        raise ValueError(cursor)
    return base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True)


def _refused() -> CursorError:
    return CursorError.of("cursor", "is not one of this listing's: start again without a cursor")
