"""What a job has written, made fit for people: its log, the end of it, and its progress."""

import codecs
import json
import os
import re
import stat
from pathlib import Path
from typing import Final

from daylily.domain.workset import Progress
from daylily.ports.compute import LogChunk

TAIL_LINES: Final = 20
TAIL_CHARACTERS: Final = 4000
LONGEST_CHARACTER: Final = 4
"""Bytes; a chunk is never smaller, or it could not hold every character."""

_PROGRESS_BYTES: Final = 65536
_PROGRESS_MOST: Final = 10**12
_MESSAGE_CHARACTERS: Final = 500
_TERMINAL: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")
_TELLING: Final = 10
_BRACKETS: Final = re.compile(r"^\s*\[[^\]]*\]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Return *text* without colours and control characters; line ends and tabs stay."""
    lines = text.replace("\r\n", "\n").split("\n")
    # A carriage return is how progress bars write over themselves: only the last state is news.
    last = [line.rstrip("\r").rpartition("\r")[2] for line in lines]
    return _CONTROL.sub("", _TERMINAL.sub("", "\n".join(last)))


def tail(path: Path) -> str:
    """Return the last lines of a log, for a message; empty if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - LONGEST_CHARACTER * TAIL_CHARACTERS, 0))
            data = file.read()
    except FileNotFoundError:
        return ""
    lines = plain(data.decode(errors="replace")).rstrip().split("\n")
    return "\n".join(lines[-TAIL_LINES:])[-TAIL_CHARACTERS:]


def verdict(reason: str, written: str) -> str:
    """
    Return why a job failed: one line that says it all where it can, then what led up to it.

    What a program writes last is, as a rule, what it has to say of its end. That is told once: lines
    that said as much before, perhaps after a time or a count in brackets, are left out.

    >>> verdict("exit code 65", "[1/2] A: fine\\n[2/2] B: cut short\\nB: cut short")
    'exit code 65: B: cut short\\n[1/2] A: fine'
    """
    *before, last = written.strip().split("\n")
    last = last.strip()
    headline = f"{reason}: {last}" if last else reason
    return "\n".join([headline, *(line for line in before if not _covered(line, last))]).rstrip()


def _covered(line: str, last: str) -> bool:
    """Tell whether *last* says all that *line* does; a few letters of it would be chance."""
    said = _BRACKETS.sub("", line).strip()
    return said == last or (len(said) >= _TELLING and said in last)


def chunk(path: Path, *, offset: int, limit: int, ended: bool) -> LogChunk:
    """
    Return part of a log; a character that is only half there is left for the next chunk.

    Args:
        ended: Whether nothing will be added any more.
    """
    offset = max(offset, 0)
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(max(limit, LONGEST_CHARACTER))
            last = ended and not file.read(1)
    except FileNotFoundError:
        return LogChunk("", offset, ended)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, final=last)
    held_back = len(decoder.getstate()[0])
    return LogChunk(text, offset + len(data) - held_back, last)


def progress(path: Path) -> Progress | None:
    """Return what a job says of its progress; None if it says nothing that makes sense."""
    try:
        return progress_told(_start_of(path))
    except OSError:
        return None


def progress_told(text: str | bytes) -> Progress | None:
    """Return the progress that a job has written; None if it makes no sense."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    done, total = _count(content.get("done")), _count(content.get("total"))
    message = content.get("message", "")
    if done is None or total is None or not isinstance(message, str):
        return None
    return Progress(done, total, plain(message)[:_MESSAGE_CHARACTERS])


def _count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _PROGRESS_MOST:
        return value
    return None


def _start_of(path: Path) -> bytes:
    # The job may have put anything there; a pipe must not keep the monitor waiting.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return file.read(_PROGRESS_BYTES)
