"""Values of the domain as plain JSON values and as text: how stores write them."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar, get_origin

from cattrs import Converter
from cattrs.errors import BaseValidationError
from cattrs.strategies import configure_tagged_union

from daylily.adapters.paging import time_key
from daylily.domain.debts import Debt
from daylily.domain.errors import UnavailableError

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """Return a frozen value of the domain as what JSON knows: dicts, lists, text and numbers."""
    return _CONVERTER.unstructure(value)


def from_plain(kind: type[T], plain: Any, name: str) -> T:
    """
    Read back what ``to_plain`` returned; keys that this version does not know are passed over.

    Args:
        name: Whose record it is, for the error.

    Raises:
        UnavailableError: The record is damaged, or holds what only a newer version understands.
    """
    try:
        return _CONVERTER.structure(plain, kind)
    except (BaseValidationError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise damaged(name, error) from error


def to_record(value: object) -> str:
    """Return a frozen value of the domain as one line of JSON."""
    return json.dumps(to_plain(value), separators=(",", ":"))


def from_record(kind: type[T], record: str, name: str) -> T:
    """
    Read back what ``to_record`` wrote; keys that this version does not know are passed over.

    Args:
        name: Whose record it is, for the error.

    Raises:
        UnavailableError: The record is damaged, or holds what only a newer version understands.
    """
    try:
        plain = json.loads(record)
    except (RecursionError, TypeError, ValueError) as error:
        raise damaged(name, error) from error
    return from_plain(kind, plain, name)


def damaged(name: str, error: Exception) -> UnavailableError:
    """Return the error of a record that cannot be read."""
    return UnavailableError(f"the stored record of {name} cannot be read: {error!r}")


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        # Reading it as local time would move it; better to stop before it is stored.
        raise ValueError(f"{at} has no time zone")
    return time_key(at)


def _is_frozenset(kind: Any) -> bool:
    return get_origin(kind) is frozenset


def _converter() -> Converter:
    # Defaults are written out: a later version may change one, and old records must not change with it.
    converter = Converter(omit_if_default=False, forbid_extra_keys=False)
    converter.register_unstructure_hook(datetime, _instant)
    converter.register_structure_hook(datetime, _read_instant)
    # As text: a float would not be the same sum.
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    converter.register_unstructure_hook(timedelta, timedelta.total_seconds)
    converter.register_structure_hook(timedelta, lambda seconds, _: timedelta(seconds=seconds))
    # Sorted, so that equal worksets have equal records.
    converter.register_unstructure_hook_func(_is_frozenset, sorted)
    configure_tagged_union(Debt, converter, tag_name="debt")
    return converter


def _read_instant(text: Any, _: object) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_CONVERTER: Final = _converter()
