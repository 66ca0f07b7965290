"""Prefixes of object keys, checked as keys are."""

from daylily.domain.errors import InvalidInputError
from daylily.domain.names import check_key


def check_prefix(prefix: str) -> str:
    """
    Return *prefix* if keys can start with it.

    Raises:
        InvalidInputError: No sound key does.
    """
    if prefix:
        check_key(prefix.removesuffix("/"), "prefix")
    return prefix


def check_folder(prefix: str) -> str:
    """
    Return *prefix* if it is empty or names a folder, with a ``/`` at its end.

    Raises:
        InvalidInputError: It is neither.
    """
    if prefix and not prefix.endswith("/"):
        raise InvalidInputError.of("prefix", f"{prefix[:80]!r} names no folder: it does not end in '/'")
    return check_prefix(prefix)
