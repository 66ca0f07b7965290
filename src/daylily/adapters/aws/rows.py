"""Rows of the table as plain Python values, and worksets that remember the row they were read from."""

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from attrs import field, fields, frozen
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from daylily.adapters.paging import time_key
from daylily.domain.workset import Workset

Row = dict[str, Any]
"""A whole row: text, Decimals, dicts, lists; never DynamoDB's own notation."""

NUMBER: Final = "n"
"""Key of a history entry that is ours: its number, from 1. Those of other systems have none."""

_MOST: Final = 10**15
_PLAIN: Final = 4096
"""Characters up to which text is kept readable; longer text is packed."""


class _Reader(TypeDeserializer):
    """Reads bytes as bytes: what boto3 makes of them cannot even be shown."""

    def _deserialize_b(self, value: Any) -> bytes:
        return bytes(value)


_READER: Final = _Reader()
_WRITER: Final = TypeSerializer()


@frozen
class Kept:
    """What a row held when it was read: what is in it and not in the workset must not be lost."""

    row: Row
    base: Workset
    """The workset as it was read, before anything was done to it."""


@frozen(kw_only=True, eq=False)
class KeptWorkset(Workset):
    """
    A workset whose row holds what the domain has no place for: another system wrote some of it.

    Every step of the domain keeps the row along, so that a save can tell what has changed, and can
    refuse if that system has written again since: its writes move no version on.
    """

    kept: Kept = field(repr=False)

    @classmethod
    def of(cls, workset: Workset, row: Row) -> "KeptWorkset":
        """Return *workset* as read from *row*."""
        plain = bare(workset)
        return cls(**values_of(plain), kept=Kept(row, plain))


def bare(workset: Workset) -> Workset:
    """Return a workset without the row it was read from."""
    return Workset(**values_of(workset)) if isinstance(workset, KeptWorkset) else workset


def values_of(workset: Workset) -> dict[str, Any]:
    """Return the fields of a workset by name, without the row it was read from."""
    return {each.name: getattr(workset, each.name) for each in fields(Workset)}


def from_wire(item: Mapping[str, Any]) -> Row:
    """Return a row as plain values."""
    return {name: _READER.deserialize(value) for name, value in item.items()}


def to_wire(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values in DynamoDB's notation."""
    return {name: _WRITER.serialize(value) for name, value in row.items()}


def whole_number(value: Any) -> int | None:
    """Return a number of ours; None if it is none: a text, a fraction, or more than anybody counts."""
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return None
    return int(value) if 0 < value < _MOST and value == int(value) else None


def numbered(entry: Any) -> bool:
    """Tell whether a history entry is one of ours."""
    return isinstance(entry, dict) and whole_number(entry.get(NUMBER)) is not None


def pack(value: Any) -> str | bytes:
    """Return a JSON value as text, or packed if that is long."""
    text = json.dumps(value, separators=(",", ":"))
    return text if len(text) <= _PLAIN else zlib.compress(text.encode())


def unpack(packed: Any) -> Any:
    """
    Read back what ``pack`` returned.

    Raises:
        ValueError: It is nothing of the kind.
    """
    try:
        text = zlib.decompress(packed) if isinstance(packed, bytes | bytearray) else packed
        return json.loads(text)
    except (zlib.error, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def instant(value: Any) -> datetime | None:
    """
    Read any time found in the field (contract 2.3); None where it is none.

    >>> instant("20251016T111111")
    datetime.datetime(2025, 10, 16, 11, 11, 11, tzinfo=datetime.timezone.utc)
    """
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def stamp(at: datetime | None) -> str | None:
    """Return a time in the form that old readers compare as text."""
    return None if at is None else time_key(at)


def present(row: Row) -> Row:
    """Return a row without the attributes that are None."""
    return {name: value for name, value in row.items() if value is not None}


def after(row: Row, sets: Row) -> Row:
    """Return what a row is once a write has set some attributes and removed those that are None."""
    kept = {name: value for name, value in row.items() if name not in sets}
    return kept | present(sets)
