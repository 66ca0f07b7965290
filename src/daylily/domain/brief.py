"""What went wrong, where there is room for a line of it."""

from typing import Final

MOST: Final = 300
"""Characters: room for a long path, a place in it, and what is wrong there."""
CUT: Final = "..."


def brief(text: str, most: int = MOST) -> str:
    """
    Return the first line of a text; one that is too long ends between words, and shows that it does.

    A number that is cut is another number: ``record 10`` is not ``record 1000``.

    >>> brief("reads.fastq: record 1000 is cut off", 22)
    'reads.fastq: record...'
    """
    line = text.strip().partition("\n")[0].rstrip()
    if len(line) <= most:
        return line
    room = most - len(CUT)
    kept, space, _ = line[: room + 1].rpartition(" ")
    # A line without a space is one word (a path, say): better a part of it than nothing.
    return (kept.rstrip() if space else line[:room]) + CUT
