"""A look at the first bytes of a FASTQ file: what is surely wrong is told before a run is paid for."""

import bz2
import re
import zlib
from typing import Final

from daylily.domain.errors import Fault

HEAD_BYTES: Final = 64 * 1024
"""How much of a file to hand in; a shorter head is taken for the whole file."""

_GZIP: Final = b"\x1f\x8b"
_BZIP2: Final = b"BZh"
_SEQUENCE: Final = re.compile(rb"[A-Za-z.*-]*")
_QUALITY: Final = re.compile(rb"[!-~]*")


class _UnsoundError(Exception):
    """Says what is wrong, to be told under the file's place."""


def faults_of_head(place: str, key: str, head: bytes) -> list[Fault]:
    """
    Return what is wrong with a file, as far as its head tells.

    The first record must be whole (name, sequence, ``+``, quality of the same length), unless it is
    longer than the head.

    Args:
        place: Where the file is named, for the faults.
        key: The file's name; ``.gz`` and ``.bz2`` say how it is packed.
        head: Its first ``HEAD_BYTES``, or all of it.
    """
    try:
        text, whole = _unpacked(key.lower(), head[:HEAD_BYTES], whole=len(head) < HEAD_BYTES)
        _check_first_record(text, whole=whole)
    except _UnsoundError as unsound:
        return [Fault(place, f"{key[:80]!r} {unsound}")]
    return []


def _unpacked(name: str, head: bytes, *, whole: bool) -> tuple[bytes, bool]:
    """Return the first bytes of the text, and whether they are all of it."""
    if not head:
        raise _UnsoundError("is empty")
    if name.endswith(".gz"):
        if not head.startswith(_GZIP):
            raise _UnsoundError("is named .gz and is not gzip")
        unpack = _gunzip
    elif name.endswith(".bz2"):
        if not head.startswith(_BZIP2):
            raise _UnsoundError("is named .bz2 and is not bzip2")
        unpack = _bunzip2
    elif head.startswith((_GZIP, _BZIP2)):
        kind = "gzip (.gz)" if head.startswith(_GZIP) else "bzip2 (.bz2)"
        raise _UnsoundError(f"is {kind} and its name does not say so")
    else:
        return head, whole
    try:
        text, ended = unpack(head)
    except (zlib.error, OSError) as error:
        raise _UnsoundError("is damaged: it cannot be unpacked") from error
    if whole and not ended:
        raise _UnsoundError("is cut short: its end is missing")
    if ended and whole and not text:
        raise _UnsoundError("holds nothing")
    return text[:HEAD_BYTES], whole and len(text) <= HEAD_BYTES


def _gunzip(head: bytes) -> tuple[bytes, bool]:
    """Return at most one byte more than a head of text, and whether nothing was cut off in between."""
    text, rest = b"", head
    # bgzip and lane-wise concatenation make files of many members, some of them empty.
    while rest and len(text) <= HEAD_BYTES:
        member = zlib.decompressobj(wbits=31)
        text += member.decompress(rest, HEAD_BYTES + 1 - len(text))
        if not member.eof:
            return text, len(text) > HEAD_BYTES
        rest = member.unused_data.lstrip(b"\0")
    return text, True


def _bunzip2(head: bytes) -> tuple[bytes, bool]:
    text, rest = b"", head
    while rest and len(text) <= HEAD_BYTES:
        stream = bz2.BZ2Decompressor()
        text += stream.decompress(rest, HEAD_BYTES + 1 - len(text))
        if not stream.eof:
            return text, len(text) > HEAD_BYTES
        rest = stream.unused_data
    return text, True


def _check_first_record(text: bytes, *, whole: bool) -> None:
    if not whole and not text:
        return
    lines = text.split(b"\n", 4)
    if len(lines) < 5 and not whole:
        # The last one goes on past the head.
        lines.pop()
    record = [line.removesuffix(b"\r") for line in lines[:4]]
    if not text.startswith(b"@"):
        hint = ": it looks like FASTA, which has no qualities" if text.startswith(b">") else ""
        raise _UnsoundError(f"is not FASTQ: its first record does not start with '@'{hint}")
    if record and len(record[0]) == 1:
        raise _UnsoundError("is not FASTQ: its first record has no name")
    if len(record) > 1 and not _SEQUENCE.fullmatch(record[1]):
        raise _UnsoundError("is not FASTQ: the second line is not a sequence")
    if len(record) > 2 and not record[2].startswith(b"+"):
        raise _UnsoundError("is not FASTQ: the third line does not start with '+'")
    if len(record) > 3:
        _check_quality(record[1], record[3])
    elif whole:
        raise _UnsoundError("is cut short: it ends within its first record")


def _check_quality(sequence: bytes, quality: bytes) -> None:
    if not _QUALITY.fullmatch(quality):
        raise _UnsoundError("is not FASTQ: the fourth line holds what is no quality")
    if len(sequence) != len(quality):
        raise _UnsoundError(
            f"is not FASTQ: its first record has {len(sequence)} bases and {len(quality)} qualities"
        )
