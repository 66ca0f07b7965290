"""Where small records are kept that are no worksets: tokens, users, sessions, keys, the audit trail."""

import re
from datetime import datetime
from typing import Final, Protocol

from attrs import field, frozen

from daylily.domain.errors import Fault, InvalidInputError
from daylily.ports.paging import Page

KIND_RULE: Final = "1 to 32 lower-case letters, digits and '-', the first a letter"
NAME_RULE: Final = "1 to 128 letters, digits and '-_.@+:', the first a letter or digit"
LARGEST_BODY: Final = 256 * 1024
"""Bytes of UTF-8."""

_KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LONE: Final = re.compile(r"[\ud800-\udfff]")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+:-]{0,127}")


@frozen(kw_only=True)
class Document:
    """
    One record.

    What its maker cannot vouch for (a key that a client has chosen, a name of any letters) is to be
    digested first: names become parts of paths and of keys.

    Raises:
        InvalidInputError: A name breaks its rule, or the body is too large.
    """

    kind: str
    """What it is a record of: ``api-token``."""
    partition: str
    """Listings are of one partition: whose it is, mostly."""
    key: str
    """Unique in its partition, and the order of listings."""
    body: str = field(repr=False)
    """Text, mostly JSON. May hold secrets' digests: so it is never shown."""
    version: int = 0
    """Moved on by the store alone."""
    expires_at: datetime | None = None
    """From then on it is not there; None: it stays."""

    def __attrs_post_init__(self) -> None:
        faults = []
        if not is_kind(self.kind):
            faults.append(Fault("kind", f"{self.kind[:80]!r} is none: {KIND_RULE}"))
        for place, name in (("partition", self.partition), ("key", self.key)):
            if not is_name(name):
                faults.append(Fault(place, f"{name[:80]!r} is none: {NAME_RULE}"))
        if len(self.body.encode(errors="replace")) > LARGEST_BODY:
            faults.append(Fault("body", f"is larger than {LARGEST_BODY} bytes"))
        if _LONE.search(self.body):
            faults.append(Fault("body", "is not text that UTF-8 can hold"))
        if faults:
            raise InvalidInputError(faults)

    def expired(self, at: datetime) -> bool:
        """Tell whether it is no longer there."""
        return self.expires_at is not None and at >= self.expires_at


def is_kind(text: str) -> bool:
    """Tell whether *text* may be the kind of a document."""
    return _KIND.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Tell whether *text* may be the partition or the key of a document."""
    return _NAME.fullmatch(text) is not None


class DocumentStore(Protocol):
    """
    Small records. A store compares and sets; what is in them is their makers' business.

    - A document that has expired is not there, whether or not it has been removed yet. Nothing else
      removes one: to remove a document, replace it by one that has expired.
    - What a call has stored, every later call of any process sees; it survives a loss of power.
    - Every method raises UnavailableError when the store does not answer.
    - Safe to share between threads.
    """

    def add(self, document: Document) -> Document:
        """
        Store a new document, whatever its version, and return it as stored.

        Of any number of callers at once, exactly one adds it.

        Raises:
            AlreadyExistsError: There is one of that kind, partition and key; it is left as it is.
        """

    def get(self, kind: str, partition: str, key: str) -> Document:
        """
        Return a document.

        Raises:
            NotFoundError: There is none; of names that no document can have, too.
        """

    def replace(self, document: Document) -> Document:
        """
        Put *document* in the place of the stored one, and return it under its new version.

        Raises:
            ConcurrentUpdateError: The stored version is not ``document.version``.
            NotFoundError: There is nothing to replace.
        """

    def list(
        self,
        kind: str,
        partition: str,
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> Page[Document]:
        """
        Return the documents of a partition in the order of their keys, or against it.

        Args:
            after: The cursor of the page before.
            newest_first: The greatest key first: what is keyed by time is then listed latest first.

        Raises:
            InvalidInputError: The cursor is not of this listing, or the limit is below 1.
        """
