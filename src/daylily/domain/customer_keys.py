"""Keys of customers' own files: one spelling of each, and none that means something to us."""

import re
import unicodedata
from typing import Final

from daylily.domain.errors import InvalidInputError
from daylily.domain.names import check_key

PLACEHOLDER: Final = ".keep"
"""The empty file that keeps a folder which has nothing else in it; never shown."""
OWN_FOLDER: Final = ".daylily"
"""The folder among a customer's files in which we keep what is on its way; never shown."""

_RESERVED: Final = re.compile(
    r"daylily\..*|daylily_(?:work|info)\.yaml|fsx_export\.yaml|\.keep|\.hold|\.tmp|\.lock|\.daylily",
    re.IGNORECASE | re.DOTALL,
)
# They make a name read as another one: "report\u202egpj.exe" shows as "reportexe.jpg".
_REORDERING: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def canonical_key(key: str, place: str = "key") -> str:
    """
    Return the one spelling of a key: letters with their accents in one character (NFC).

    Systems differ in how they write an accent, and two files that look the same must not be two.

    Raises:
        InvalidInputError: It is no sound relative key.
    """
    return check_key(unicodedata.normalize("NFC", key), place)


def writable_key(key: str, place: str = "key") -> str:
    """
    Return the spelling of a key that a customer may write or remove.

    Raises:
        InvalidInputError: It is no sound key, or a part of it is a name that means something to us:
            a sentinel, a file of a workset's directory, or what keeps a folder.
    """
    key = canonical_key(key, place)
    for part in key.split("/"):
        if _RESERVED.fullmatch(part):
            text = f"{part[:80]!r} is a name that daylily itself uses: choose another"
            raise InvalidInputError.of(place, text)
    if _REORDERING.search(key):
        raise InvalidInputError.of(place, f"{key[:80]!r} holds a character that turns text around")
    return key


def is_shown(key: str) -> bool:
    """
    Tell whether a file of a customer's folder is one of theirs.

    >>> is_shown("run 1/a.fastq"), is_shown("run 1/.keep"), is_shown(".daylily/uploads/7/a")
    (True, False, False)
    """
    return not (key.startswith(f"{OWN_FOLDER}/") or key.rpartition("/")[2] == PLACEHOLDER)
