"""
Reads out of a FASTQ file, and the exact place where one is damaged.

Two ways through a file. The fast one is dnaio on xopen, which check the records and the gzip
checksums in C but say only roughly where they stumbled. Whatever they refuse is walked again line by
line, in plain Python, to name the first bad record in words. A sound file never takes the second way.
"""

from __future__ import annotations

import gzip
import io
import lzma
import stat
import zlib
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

from dnaio import FastqFormatError, SequenceRecord
from dnaio.readers import FastqReader
from isal.igzip_lib import IsalError
from xopen import xopen

from daylily.pipelines.fastq_qc.faults import Fault, Kind, SampleError, quoted

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from daylily.pipelines.fastq_qc.samples import Fastq

# No sequencer makes a record near this size; a file without line ends would otherwise fill the memory.
LONGEST_RECORD: Final = 32 * 2**20
# '.' is how some old FASTQ spells N; '*' and '-' come from aligned sequences and are no base calls.
BASES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz."
QUALITIES: Final = bytes(range(ord("!"), ord("~") + 1))

# isal's stub declares its exception class as an instance.
STREAM_ERRORS: Final = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    cast("type[Exception]", IsalError),
)


class RecordTooLongError(Exception):
    """No record ends within `LONGEST_RECORD` bytes."""


class _Stream(io.RawIOBase):
    """
    The decompressed bytes.

    A *guarded* stream raises RecordTooLongError when its reader finds no end of a record for too long.
    A read that meets an error loses what it had decompressed before. From byte *careful_from* on, bytes
    come one at a time, so that everything before the error is handed over.
    """

    def __init__(self, path: Path, *, guarded: bool = False, careful_from: int | None = None) -> None:
        # threads=0: no helper process and no thread, so there is nothing to leave behind when killed.
        self._file = cast("io.BufferedReader", xopen(path, "rb", threads=0))
        self._careful_from = careful_from
        self._guarded = guarded
        self._since_record = 0
        self._records = 0
        self.reader: FastqReader | None = None
        self.delivered = 0
        self.broken = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        size = len(view)
        if self._careful_from is not None:
            size = min(size, max(self._careful_from - self.delivered, 1))
        try:
            data = self._file.read1(size)
        except STREAM_ERRORS:
            self.broken = True
            raise
        view[: len(data)] = data
        self.delivered += len(data)
        if self._guarded:
            self._guard(len(data))
        return len(data)

    def _guard(self, size: int) -> None:
        records = self.reader.number_of_records if self.reader else 0
        self._since_record = size + (self._since_record if records == self._records else 0)
        self._records = records
        if self._since_record > 2 * LONGEST_RECORD:
            raise RecordTooLongError

    def close(self) -> None:
        self._file.close()
        super().close()


class FastqFile:
    """One FASTQ file, gzipped or plain, read once from start to end."""

    def __init__(self, file: Fastq) -> None:
        """
        Open *file*.

        Raises:
            SampleError: It is missing, or damaged in its first bytes.
        """
        self.file = file
        self.reads = 0
        try:
            mode = file.path.stat().st_mode
            if not stat.S_ISREG(mode):
                raise SampleError(Fault(Kind.MISSING, "this is not a regular file", file.name))
            self._stream = _Stream(file.path, guarded=True)
        except FileNotFoundError:
            raise SampleError(Fault(Kind.MISSING, "the file is missing", file.name)) from None
        except OSError as error:
            message = f"the file cannot be opened: {error.strerror or error}"
            raise SampleError(Fault(Kind.MISSING, message, file.name)) from error
        try:
            self._reader = FastqReader(cast("BinaryIO", self._stream))
        except (FastqFormatError, RecordTooLongError, *STREAM_ERRORS) as error:
            self._stream.close()
            raise self.damage(error) from error
        self._stream.reader = self._reader
        self._records: Iterator[SequenceRecord] = iter(self._reader)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stream.close()

    def take(self, number: int) -> list[SequenceRecord]:
        """
        Return the next *number* records, fewer only at the end of the file.

        Raises:
            SampleError: The file is damaged.
        """
        try:
            records = list(islice(self._records, number))
        except (FastqFormatError, RecordTooLongError, *STREAM_ERRORS) as error:
            raise self.damage(error) from error
        self.reads += len(records)
        return records

    def damage(self, error: Exception) -> SampleError:
        """Return what is wrong with this file, of which the fast way only knows *error*."""
        if isinstance(error, OSError) and error.errno is not None:
            message = f"the file cannot be read: {error.strerror}"
            return SampleError(Fault(Kind.MISSING, message, self.file.name))
        found = first_damage(self.file.path)
        if found is None:  # the file has changed under our hands
            return SampleError(Fault(Kind.DAMAGED, str(error) or type(error).__name__, self.file.name))
        record, message = found
        return SampleError(Fault(Kind.DAMAGED, message, self.file.name, record))


def first_damage(path: Path) -> tuple[int, str] | None:
    """Return number (from 1) and description of the first record in *path* that is bad."""
    stream = _Stream(path)
    found = _walk(stream)
    return _walk(_Stream(path, careful_from=stream.delivered)) if stream.broken else found


def _walk(stream: _Stream) -> tuple[int, str] | None:
    with io.BufferedReader(stream) as lines:
        for number in count(1):
            try:
                record = [lines.readline(LONGEST_RECORD) for _ in range(4)]
            except STREAM_ERRORS as error:
                return number, stream_damage(error)
            if any(len(line) == LONGEST_RECORD for line in record):
                return (
                    number,
                    f"the record is longer than {LONGEST_RECORD >> 20} MiB: this is not FASTQ",
                )
            if not record[0]:
                return None
            message = record_damage(record)
            if message:
                return number, message
    return None


def stream_damage(error: Exception) -> str:
    """Return in plain words what decompression stumbled on."""
    text = str(error)
    if isinstance(error, EOFError):
        return "the compressed data ends too early: the file has been cut short, copy it again"
    if isinstance(error, gzip.BadGzipFile) and text.startswith("Not a gzipped file"):
        return (
            "the data is not gzip here, although gzip was expected (by the name or by what came before)"
        )
    if isinstance(error, gzip.BadGzipFile) and ("CRC" in text or "length" in text):
        return (
            "the gzip checksum does not match the data: the file was altered on its way, copy it again"
        )
    return f"the compressed data is corrupt ({text or type(error).__name__}): copy the file again"


def record_damage(lines: list[bytes]) -> str | None:
    """
    Return what is wrong with the four *lines* of a record, line ends included.

    >>> record_damage([b"@r1\\n", b"ACGT\\n", b"+\\n", b"III\\n"])
    'quality string has 3 characters, sequence has 4'
    """
    name, bases, plus, qualities = (line.removesuffix(b"\n").removesuffix(b"\r") for line in lines)
    if not name and not any(lines[1:]):
        return "an empty line stands where the file should end"
    if not name.startswith(b"@"):
        return f"the first line must start with '@', but reads {_shown(name)}"
    if lines[2] and not plus.startswith(b"+"):
        return f"the third line must start with '+', but reads {_shown(plus)}"
    if any(not line.endswith(b"\n") for line in lines[:3]) or not lines[3]:
        return "the file ends in the middle of the record"
    if len(qualities) != len(bases):
        return f"quality string has {len(qualities)} characters, sequence has {len(bases)}"
    if plus[1:] and plus[1:] != name[1:]:
        return f"the name after '+' is {_shown(plus[1:])}, not {_shown(name[1:])}"
    return (
        _bad_character("sequence", bases, BASES)
        or _bad_character("quality string", qualities, QUALITIES)
        or (None if name.isascii() else "the name holds characters that are not ASCII")
    )


def _bad_character(what: str, line: bytes, allowed: bytes) -> str | None:
    bad = line.translate(None, allowed)
    if not bad:
        return None
    place = line.index(bad[:1]) + 1
    wanted = "letters" if allowed is BASES else "characters from '!' to '~'"
    return f"{what} has byte 0x{bad[0]:02x} at position {place}; only {wanted} are allowed"


def _shown(line: bytes) -> str:
    return quoted(line.decode("utf-8", "backslashreplace"))
