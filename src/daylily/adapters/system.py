"""The machine's own clock and source of chance."""

import secrets
import string
from datetime import UTC, datetime
from typing import Final

from attrs import frozen

_ALPHABET: Final = string.ascii_lowercase + string.digits


def utc_now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


@frozen
class SystemChance:
    """Chance from the operating system."""

    def token(self) -> str:
        """Return 10 letters and digits: 51 bits that nobody can guess."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(10))

    def jitter(self) -> float:
        """Return a number from 0 to 1."""
        return secrets.randbelow(1_000_001) / 1_000_000
