"""The first bytes of FASTQ files: what is surely wrong, and what only looks so."""

import bz2
import gzip
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daylily.adapters.formats.fastq_head import HEAD_BYTES, faults_of_head

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

RECORD = b"@r1 1:N:0\nACGTN\n+\nIIII!\n"
LONG = b"@r1\n" + b"A" * 100_000 + b"\n+\n" + b"I" * 100_000 + b"\n"


def bgzip(*blocks: bytes) -> bytes:
    """Return *blocks* as bgzip packs them: a member each, and an empty one at the end."""
    return b"".join(map(gzip.compress, (*blocks, b"")))


def fault_of(key: str, head: bytes) -> str | None:
    """Return the only fault of a head, without its place, or None."""
    faults = faults_of_head("samples[0].r1", key, head)
    assert [fault.place for fault in faults] == ["samples[0].r1"] * len(faults)
    assert len(faults) <= 1
    return faults[0].message.removeprefix(f"{key!r} ") if faults else None


@pytest.mark.parametrize(
    ("key", "head"),
    [
        ("a.fastq", RECORD),
        ("a.fq", RECORD.removesuffix(b"\n")),
        ("a.fq", RECORD.replace(b"\n", b"\r\n")),
        ("a.fq", RECORD.replace(b"+\n", b"+r1 1:N:0\n") + b"@r2\nAC"),
        ("a.fq", b"@r1\n\n+\n\n"),
        ("a.fq", LONG),
        ("a.FQ.GZ", gzip.compress(RECORD, mtime=0)),
        ("a.fq.gz", bgzip(RECORD[:7], b"", RECORD[7:])),
        ("a.fq.gz", gzip.compress(RECORD, mtime=0) + b"\0" * 512),
        ("a.fq.gz", gzip.compress(RECORD * 1_000_000, mtime=0)),
        ("a.fq.gz", gzip.compress(LONG, mtime=0)),
        ("a.fq.gz", gzip.compress(LONG, compresslevel=0, mtime=0)[:HEAD_BYTES]),
        ("a.fq.gz", b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"n" * HEAD_BYTES),
        ("a.fq.bz2", bz2.compress(RECORD)),
        ("a.fq.bz2", bz2.compress(RECORD) * 2),
    ],
)
def test_sound(key: str, head: bytes) -> None:
    """Line ends, repeated names, long reads, members and padding of all kinds are no faults."""
    assert fault_of(key, head[:HEAD_BYTES]) is None


@pytest.mark.parametrize(
    ("key", "head", "fault"),
    [
        ("a.fq", b"", "is empty"),
        ("a.fq.gz", b"", "is empty"),
        ("a.fq.gz", RECORD, "is named .gz and is not gzip"),
        ("a.fq.bz2", gzip.compress(RECORD, mtime=0), "is named .bz2 and is not bzip2"),
        ("a.fq", gzip.compress(RECORD, mtime=0), "is gzip (.gz) and its name does not say so"),
        ("a.fq", bz2.compress(RECORD), "is bzip2 (.bz2) and its name does not say so"),
        ("a.fq.gz", gzip.compress(b"", mtime=0), "holds nothing"),
        ("a.fq.gz", bgzip(), "holds nothing"),
        ("a.fq.bz2", bz2.compress(b""), "holds nothing"),
        ("a.fq.gz", gzip.compress(RECORD, mtime=0)[:-1], "is cut short: its end is missing"),
        ("a.fq.gz", b"\x1f\x8b", "is cut short: its end is missing"),
        ("a.fq.bz2", bz2.compress(RECORD)[:-1], "is cut short: its end is missing"),
        ("a.fq.gz", b"\x1f\x8b" + RECORD, "is damaged: it cannot be unpacked"),
        ("a.fq.gz", gzip.compress(RECORD, mtime=0) + b"junk", "is damaged: it cannot be unpacked"),
        ("a.fq.bz2", b"BZh" + RECORD, "is damaged: it cannot be unpacked"),
        ("a.fq", RECORD[:-2], "is not FASTQ: its first record has 5 bases and 4 qualities"),
        ("a.fq", RECORD[:14], "is cut short: it ends within its first record"),
        ("a.fq", b"\n" + RECORD, "is not FASTQ: its first record does not start with '@'"),
        ("a.fq", RECORD.decode().encode("utf-16"), "is not FASTQ: its first record does not start"),
        (
            "a.fq",
            b">c\nA\n",
            "is not FASTQ: its first record does not start with '@': it looks like FASTA",
        ),
        ("a.fq", b"@\nA\n+\nI\n", "is not FASTQ: its first record has no name"),
        ("a.fq", b"@r\nA C\n+\nIII\n", "is not FASTQ: the second line is not a sequence"),
        ("a.fq", b"@HD\tVN:1.6\n@SQ\tSN:1\n", "is not FASTQ: the second line is not a sequence"),
        ("a.fq", b"@r\nA\n-\nI\n", "is not FASTQ: the third line does not start with '+'"),
        ("a.fq", b"@r\nA\n+\n\x1f\n", "is not FASTQ: the fourth line holds what is no quality"),
        (
            "a.fq.gz",
            gzip.compress(b"<html>", mtime=0),
            "is not FASTQ: its first record does not start with '@'",
        ),
    ],
)
def test_unsound(key: str, head: bytes, fault: str) -> None:
    """What no pipeline could read is told before anybody pays for a run."""
    assert (fault_of(key, head) or "").startswith(fault)


def test_bomb() -> None:
    """A file that unpacks to a thousand times its size costs no more than any other."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(60)) + packer.flush()
    assert len(bomb) < HEAD_BYTES

    assert (fault_of("a.fq.gz", bomb) or "").startswith("is not FASTQ")


@unhurried
@given(
    st.sampled_from(["a.fq", "a.fq.gz", "a.fq.bz2", "\ud800"]),
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x1f\x8b\x08\0", b"BZh9", RECORD, gzip.compress(RECORD, mtime=0), b"@"]),
)
def test_any_bytes(key: str, head: bytes, start: bytes) -> None:
    """Whatever the bytes, the answer is a list of faults."""
    assert len(faults_of_head("x", key, start + head)) <= 1


@unhurried
@given(st.integers(0, len(LONG)))
def test_cut_anywhere(size: int) -> None:
    """A record that goes on past a whole head is never called cut short."""
    text = LONG[:size] if size >= HEAD_BYTES else LONG

    assert fault_of("a.fq", text) is None
