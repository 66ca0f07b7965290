"""Numbers of bytes as people read them, the same on pages and in terminals."""

from typing import Final

_UNITS: Final = ("B", "KB", "MB", "GB", "TB")


def size_of(count: float) -> str:
    """
    Return a number of bytes as contract 4.4 has it: in steps of 1024, with one decimal.

    >>> size_of(999), size_of(1_500_000)
    ('999 B', '1.4 MB')
    """
    if count < 1024:
        return f"{count:.0f} B"
    step = 0
    while count >= 1024 and step < len(_UNITS) - 1:
        count, step = count / 1024, step + 1
    return f"{count:.1f} {_UNITS[step]}"
