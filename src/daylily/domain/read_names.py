"""What the name of one FASTQ file says: sample, lane and read, or that it may mean several things."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen

There = Callable[[str], bool]
"""Tells whether a file of that name is in the same folder."""

_SUFFIX: Final = r"\.(?:fastq|fq)(?:\.gz|\.bz2)?$"
_LANE: Final = r"(?:_L(?P<lane>\d{3}))?"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text + _SUFFIX, re.IGNORECASE)


_PATTERNS: Final = (
    # Illumina: <sample>_S<n>_L<lane>_R<read>_<chunk>; CASAVA had no S<n>, and bcl2fastq
    # --no-lane-splitting leaves the lane out
    _pattern(rf"^(?P<sample>.+?)(?:_(?P<barcode>S\d+))?{_LANE}[._-]R(?P<read>[1-4])_\d{{3}}"),
    _pattern(rf"^(?P<sample>.+?){_LANE}[._-](?:R|read_?)(?P<read>[1-4])"),
    _pattern(rf"^(?P<sample>.+?){_LANE}[._](?P<read>[12])"),
)
_STEM: Final = _pattern("")
_UNDETERMINED: Final = re.compile(r"undetermined[._-]", re.IGNORECASE)
_INDEX_READ: Final = _pattern(r"[._-](I)[12](?P<chunk>_\d{3})?")
_COUNTED: Final = re.compile(rf"(.+)([._-])(0|[1-9][0-9]?)({_SUFFIX})", re.IGNORECASE)

# Reads that are not told by the end of a name: a_R1_trimmed.fq, or a_1.clean.fq as BGI has it.
_INNER: Final = (
    re.compile(r"(?<=[._-])(?:R|read_?)([12])(?=[._-])", re.IGNORECASE),
    re.compile(
        r"(?<=[._-])([12])(?=[._-](?:clean|filtered|paired|qc|trim|val)[a-z]*\.)", re.IGNORECASE
    ),
)
_LAST_WORD: Final = _pattern(r"(?<=[._-])([a-z]+|[12]P|P[12])")
_MATES: Final = (
    ("forward", "reverse"), ("fwd", "rev"), ("for", "rev"), ("f", "r"), ("left", "right"),
    ("1p", "2p"), ("p1", "p2"),
)  # fmt: skip


@frozen
class Reading:
    """What a name says."""

    sample: str
    lane: str = "0"
    read: str = "1"
    barcode: str = "S1"


def read(name: str) -> Reading | None:
    """Return what the end of a name says of its read; None if that is nothing."""
    for pattern in _PATTERNS:
        if match := pattern.match(name):
            found = match.groupdict()
            lane = str(int(found["lane"] or 0))
            return Reading(found["sample"], lane, found["read"], found.get("barcode") or "S1")
    return None


def stem(name: str) -> str:
    """Return a name without what says that it is FASTQ."""
    return _STEM.sub("", name)


def is_left_out(name: str, there: There) -> bool:
    """
    Tell whether a file holds index reads, or reads that demultiplexing could not assign.

    ``a_I1.fastq`` holds index reads if ``a_R1.fastq`` or ``a_R2.fastq`` is *there*.
    """
    if _UNDETERMINED.match(name):
        return True
    match = _INDEX_READ.search(name)
    if match is None:
        return False
    start, end = match.span(1)
    return bool(match["chunk"]) or any(
        there(f"{name[:start]}{letter}{number}{name[end + 1 :]}") for letter in "Rr" for number in "12"
    )


def counted(name: str) -> tuple[str, str, int, str] | None:
    """Return head, mark, number and suffix of a name that ends in a small number (``a-1.fastq``)."""
    match = _COUNTED.fullmatch(name)
    return (match[1], match[2], int(match[3]), match[4].lower()) if match else None


def doubt(name: str, there: There) -> str | None:
    """
    Return what is to be said of a name whose end says nothing, and which may be half of a pair.

    Returns:
        None where it can hardly be; ``"1"`` or ``"2"`` where it looks like that read of a pair, and
        the other is not there; otherwise the name of its likely mate.
    """
    for mate in _likely_mates(name):
        if there(mate):
            return mate
    found = [match[1] for pattern in _INNER for match in pattern.finditer(name)]
    return found[-1] if found else None


def is_bare_index_read(name: str) -> bool:
    """Tell whether a name ends like that of an index read."""
    return _INDEX_READ.search(name) is not None


def _likely_mates(name: str) -> Iterator[str]:
    for pattern in _INNER:
        for match in pattern.finditer(name):
            start, end = match.span(1)
            yield name[:start] + ("2" if match[1] == "1" else "1") + name[end:]
    if last := _LAST_WORD.search(name):
        start, end = last.span(1)
        word = last[1]
        for pair in _MATES:
            if word.lower() in pair:
                other = pair[1 - pair.index(word.lower())]
                cased = other.capitalize() if word.istitle() else other
                cased = other.upper() if word.isupper() else cased
                yield name[:start] + cased + name[end:]
