"""What a password must be, and what a name to sign in by may be."""

import re
from collections.abc import Iterator
from typing import Final

from daylily.domain.errors import Fault

SHORTEST: Final = 12
LONGEST: Final = 256
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{2,127}")
_OURS: Final = frozenset({"admin", "anonymous", "system"})
"""What others go by in histories."""
_COMMON: Final = ("password", "passwort", "daylily", "12345678", "qwertz", "qwerty", "letmein")


def faults_of_password(password: str, name: str) -> Iterator[Fault]:
    """
    Yield what is wrong with a password: length counts (NIST SP 800-63B), and what anybody would try.

    >>> [fault.message for fault in faults_of_password("short", "ada")]
    ['must have at least 12 characters']
    """
    if len(password) < SHORTEST:
        yield Fault("password", f"must have at least {SHORTEST} characters")
    elif len(password) > LONGEST:
        yield Fault("password", f"must have at most {LONGEST} characters")
    elif len(set(password)) < 5:
        yield Fault("password", "repeats a few characters")
    bare = password.lower()
    for word in _COMMON:
        bare = bare.replace(word, "")
    own = name.lower().partition("@")[0]
    if (len(own) > 3 and own in password.lower()) or len(bare) < 5:
        yield Fault("password", "is among those that are tried first")


def faults_of_name(name: str) -> Iterator[Fault]:
    """Yield what is wrong with a name to sign in by."""
    if not _NAME.fullmatch(name) or name.lower() in _OURS:
        yield Fault("name", "must be an e-mail address, or 3 to 128 letters, digits and '_.@+-'")
