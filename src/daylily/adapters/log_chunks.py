"""Logs read in parts: a character that is only half there is left for the next part."""

import codecs
from typing import Final

from daylily.ports.compute import LogChunk

LONGEST_CHARACTER: Final = 4
"""Bytes; a part is never smaller, or it could not hold every character."""


def chunk_of(data: bytes, offset: int, *, last: bool) -> LogChunk:
    """
    Return the part of a log that begins at byte *offset*.

    Args:
        data: The bytes from there on.
        last: Whether the log ends with them, for good.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, final=last)
    held_back = len(decoder.getstate()[0])
    return LogChunk(text, offset + len(data) - held_back, last)
