"""What stores of documents have in common: their cursors, and what they say when they refuse."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from daylily.adapters.paging import check_limit, decode_cursor, encode_cursor, page_of
from daylily.adapters.records import damaged
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    NotFoundError,
    UnavailableError,
)
from daylily.ports.documents import Document, is_kind, is_name
from daylily.ports.paging import Page

T = TypeVar("T")

_log = logging.getLogger(__name__)


def after_key(cursor: str | None, *, limit: int, newest_first: bool) -> str | None:
    """
    Return the key that a page begins after; None at the beginning.

    Raises:
        InvalidInputError: The cursor is of another listing, or the limit is below 1.
    """
    check_limit(limit)
    return None if cursor is None else decode_cursor(_listing(newest_first), cursor, 1)[0]


def page_of_documents(found: Sequence[Document], limit: int, *, newest_first: bool) -> Page[Document]:
    """Return the first *limit* of *found*, which has one more if there are more."""
    return page_of(found, limit, lambda last: encode_cursor(_listing(newest_first), last.key))


def is_sound(kind: str, *names: str) -> bool:
    """Tell whether a document may have these names; asked for any other, there is none."""
    return is_kind(kind) and all(map(is_name, names))


def clash(document: Document) -> AlreadyExistsError:
    """Return the error of a document that is there already."""
    return AlreadyExistsError(f"there is a document {document.kind} {document.key} already")


def unknown(kind: str, key: str) -> NotFoundError:
    """Return the error of a document that is not there."""
    return NotFoundError(f"there is no document {kind[:80]} {key[:80]}")


def stale(document: Document) -> ConcurrentUpdateError:
    """Return the error of a document that somebody else has replaced."""
    return ConcurrentUpdateError(
        f"document {document.kind} {document.key} is no longer at version {document.version}"
    )


def readable(found: Iterable[T], read: Callable[[T], Document]) -> Iterator[Document]:
    """Yield what can be read, and tell of what cannot: one damaged record must not hide the others."""
    for each in found:
        try:
            yield read(each)
        except DamagedDocumentError as error:
            _log.error("passed over: %s", error)


def damaged_document(kind: str, key: str, error: Exception) -> "DamagedDocumentError":
    """Return the error of a document that cannot be read."""
    return DamagedDocumentError(str(damaged(f"document {kind} {key}", error)))


class DamagedDocumentError(UnavailableError):
    """A document that cannot be read, whose store answers all the same."""


def _listing(newest_first: bool) -> str:
    return "documents-newest" if newest_first else "documents"
