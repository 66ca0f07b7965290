"""Names that become paths, keys and links: one rule, used everywhere one of them is built."""

import re
from typing import Final

from daylily.domain.errors import Fault, InvalidInputError

ID_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,63}")
ID_RULE: Final = "3 to 64 letters, digits, '-' and '_', the first a letter or digit"
KEY_BYTES: Final = 1024
"""The longest object key S3 takes, in bytes of UTF-8."""

_ATTEMPT: Final = re.compile(r"[1-9][0-9]{0,8}")
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")
# U+0085, U+2028 and U+2029 end a line for some readers of the sheets that name these keys.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_id(text: str) -> bool:
    """Tell whether *text* may be the id of a workset or a customer."""
    return ID_PATTERN.fullmatch(text) is not None


def check_id(text: str, place: str = "workset_id") -> str:
    """
    Return *text* if it may be an id.

    Raises:
        InvalidInputError: It may not.
    """
    if not is_id(text):
        raise InvalidInputError.of(place, f"{text[:80]!r} is not an id: {ID_RULE}")
    return text


def check_attempt_key(text: str) -> tuple[str, str]:
    """
    Return the workset's id and the attempt's number of ``<workset_id>/<attempt>``.

    Raises:
        InvalidInputError: It is not such a key.
    """
    workset_id, _, attempt = text.partition("/")
    if not is_id(workset_id) or not _ATTEMPT.fullmatch(attempt):
        raise InvalidInputError.of("key", f"{text[:80]!r} is not <workset_id>/<attempt>")
    return workset_id, attempt


def mint_id(name: str, token: str) -> str:
    """
    Return an id that people can read and nobody can guess.

    Args:
        name: What the customer called the workset; its letters and digits lead the id.
        token: Random letters and digits, at least 8 of them.
    """
    slug = _NOT_SLUG.sub("-", name.lower())[:30].strip("-") or "workset"
    return check_id(f"{slug}-{token}")


def key_fault(key: str, place: str) -> Fault | None:
    """Return what makes *key* unfit as a relative object key, or None."""
    parts = key.split("/")
    reason = None
    if not key:
        reason = "is empty"
    elif _CONTROL.search(key) or "\\" in key:
        reason = "holds a control character or a backslash"
    elif key.startswith("/"):
        reason = "is an absolute path; give it relative to the workset"
    elif ".." in parts:
        reason = "leads outside the workset ('..')"
    elif "" in parts or "." in parts:
        reason = "has an empty or '.' part"
    elif not _is_utf8(key):
        reason = "is not UTF-8"
    elif len(key.encode()) > KEY_BYTES:
        reason = f"is longer than {KEY_BYTES} bytes of UTF-8"
    return Fault(place, f"{key[:80]!r} {reason}") if reason else None


def _is_utf8(text: str) -> bool:
    # A file name with undecodable bytes reaches us with lone surrogates, which no key can hold.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_key(key: str, place: str = "key") -> str:
    """
    Return *key* if it is a sound relative object key.

    Raises:
        InvalidInputError: It is empty, absolute, too long, or leads elsewhere.
    """
    if fault := key_fault(key, place):
        raise InvalidInputError([fault])
    return key
