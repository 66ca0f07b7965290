from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.pipelines.fastq_workset import Workset, fastq, reads

from daylily.pipelines.fastq_qc import reads as reads_module
from daylily.pipelines.fastq_qc.faults import Fault, Kind
from daylily.pipelines.fastq_qc.measure import Result, measure
from daylily.pipelines.fastq_qc.samples import read_samples

SOUND = reads(3000)


def measured(workset: Workset) -> Result:
    """Return the result of the only sample."""
    (sample,) = read_samples(workset.path)
    return measure(sample)


def fault_of(workset: Workset) -> Fault:
    """Return the fault of the only sample."""
    fault = measured(workset).fault
    assert fault is not None
    return fault


def with_record(number: int, record: bytes) -> bytes:
    """Return sound FASTQ in which record *number* is replaced."""
    return fastq(SOUND[: number - 1]) + record + fastq(SOUND[number:])


@pytest.mark.parametrize("number", [1, 5, 812, 3000])
@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"@r\nACGT\n+\nIII\n", "quality string has 3 characters, sequence has 4"),
        (b"@r\nACG\n+\nIIII\n", "quality string has 4 characters, sequence has 3"),
        (b"@r\nACGT\n+\nII I\n", "quality string has byte 0x20 at position 3"),
        (b"@r\nACGT\n+\n\x7fIII\n", "quality string has byte 0x7f at position 1"),
        (b"@r\nACGT\n+\nIII\xe9\n", "quality string has byte 0xe9 at position 4"),
        (b"@r\nA GT\n+\nIIII\n", "sequence has byte 0x20 at position 2"),
        (b"@r\nAC9T\n+\nIIII\n", "sequence has byte 0x39 at position 3"),
        (b"@r\nACGT\nIIII\n", "the third line must start with '+', but reads 'IIII'"),
        (b">r\nACGT\n+\nIIII\n", "the first line must start with '@', but reads '>r'"),
        (b"@r\nACGT\n+q\nIIII\n", "the name after '+' is 'q', not 'r'"),
        (b"@r\xff\nACGT\n+\nIIII\n", "the name holds characters that are not ASCII"),
    ],
)
def test_bad_record_is_named(workset: Workset, number: int, record: bytes, message: str) -> None:
    """A bad record is named by file and number, wherever in the file it is."""
    workset.sample("S", with_record(number, record))
    fault = fault_of(workset)
    assert (fault.kind, fault.file, fault.record) == (Kind.DAMAGED, "sample_data/0_R1.fastq.gz", number)
    assert fault.message.startswith(message)


@pytest.mark.parametrize(
    "keep", ["@r", "@r\n", "@r\nACGT", "@r\nACGT\n", "@r\nACGT\n+", "@r\nACGT\n+\n"]
)
def test_unfinished_last_record(workset: Workset, keep: str) -> None:
    """A file that stops inside a record fails with the number of that record."""
    workset.sample("S", fastq(SOUND[:20]) + keep.encode())
    fault = fault_of(workset)
    assert (fault.record, fault.message) == (21, "the file ends in the middle of the record")


def test_empty_line_at_the_end(workset: Workset) -> None:
    """An empty line where a record should start is refused: something may be missing there."""
    workset.sample("S", fastq(SOUND[:2]) + b"\n")
    assert str(fault_of(workset)).endswith("record 3: an empty line stands where the file should end")


@pytest.mark.parametrize("kept", [1, 12, 25, 1000, 20_000, -9, -8, -1])
def test_truncated_gzip(workset: Workset, kept: int) -> None:
    """A gzip file cut anywhere fails, even when only the last byte of its checksum is gone."""
    workset.sample("S", fastq(SOUND))
    path = workset.path / "sample_data/0_R1.fastq.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    fault = fault_of(workset)
    assert "ends too early" in fault.message
    assert fault.record is not None
    assert 1 <= fault.record <= len(SOUND) + 1


def test_whole_records_before_the_cut_are_counted(workset: Workset) -> None:
    """The record named is where the data ends, not one a buffer's length before it."""
    workset.sample("S", fastq(SOUND))
    path = workset.path / "sample_data/0_R1.fastq.gz"
    whole = path.read_bytes()
    second = gzip.compress(fastq(SOUND[:7]))
    path.write_bytes(whole + second[:-3])
    assert fault_of(workset).record == len(SOUND) + 7


@pytest.mark.parametrize("place", [-6, -2])
def test_gzip_checksum(workset: Workset, place: int) -> None:
    """Data that does not fit its CRC or its length fails although every record looks sound."""
    workset.sample("S", fastq(SOUND))
    path = workset.path / "sample_data/0_R1.fastq.gz"
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    fault = fault_of(workset)
    assert "checksum does not match" in fault.message
    assert fault.record == len(SOUND)


def test_flipped_bits_fail(workset: Workset) -> None:
    """One flipped bit in the compressed data never passes, wherever it is."""
    workset.sample("S", fastq(SOUND[:200]))
    path = workset.path / "sample_data/0_R1.fastq.gz"
    whole = path.read_bytes()
    for place in range(10, len(whole), len(whole) // 60):
        data = bytearray(whole)
        data[place] ^= 0x10
        path.write_bytes(data)
        assert fault_of(workset).kind is Kind.DAMAGED


@pytest.mark.parametrize("tail", [b"plain text", b"\x1f", gzip.compress(b"@r\nA\n+\n", mtime=0)])
def test_garbage_behind_the_gzip_data(workset: Workset, tail: bytes) -> None:
    """What follows the last gzip member must be a whole gzip member too."""
    workset.sample("S", fastq(SOUND[:9]))
    path = workset.path / "sample_data/0_R1.fastq.gz"
    path.write_bytes(path.read_bytes() + tail)
    assert fault_of(workset).record in (9, 10)


def test_several_gzip_members(workset: Workset) -> None:
    """Concatenated gzip files, as bgzip and `cat` make them, are read to the end."""
    workset.sample("S", fastq(SOUND))
    path = workset.path / "sample_data/0_R1.fastq.gz"
    path.write_bytes(path.read_bytes() * 3)
    assert measured(workset).reads == 3 * len(SOUND)


def test_plain_text_named_gz(workset: Workset) -> None:
    """A file named .gz that is not gzip is refused: an error page may have been saved instead."""
    workset.row("S", workset.file("S", b"<html>no such file</html>", gz=False) + ".gz")
    (workset.path / "sample_data/S.fastq").rename(workset.path / "sample_data/S.fastq.gz")
    fault = fault_of(workset)
    assert (fault.kind, fault.record) == (Kind.DAMAGED, 1)
    assert "not gzip" in fault.message


def test_plain_fastq_is_read(workset: Workset) -> None:
    """FASTQ that is not compressed is read as well."""
    workset.sample("S", fastq(SOUND), gz=False)
    assert measured(workset).reads == len(SOUND)


@pytest.mark.parametrize("raw", [b"", gzip.compress(b"", mtime=0)], ids=["no bytes", "no text"])
def test_empty_file(workset: Workset, raw: bytes) -> None:
    """A file without a read fails its sample: nothing was sequenced, or nothing arrived."""
    workset.sample("S", b"")
    (workset.path / "sample_data/0_R1.fastq.gz").write_bytes(raw)
    assert str(fault_of(workset)) == "sample_data/0_R1.fastq.gz: the file holds no reads"


@pytest.mark.parametrize(("one", "two"), [(2500, 3000), (3000, 2500), (3000, 2999), (16, 17), (80, 96)])
def test_unequal_pairs(workset: Workset, one: int, two: int) -> None:
    """When one mate has more records, the shorter file is named, and how many both have."""
    workset.sample("S", fastq(SOUND[:one]), fastq(reads(two, mate=2)))
    fault = fault_of(workset)
    short, long = ("R1", "R2") if one < two else ("R2", "R1")
    assert fault.file == f"sample_data/0_{short}.fastq.gz"
    assert fault.record == min(one, two) + 1
    assert fault.message == (
        f"the file ends after {min(one, two)} records, but sample_data/0_{long}.fastq.gz has more"
    )


@pytest.mark.parametrize("empty", ["R1", "R2"])
def test_one_mate_is_empty(workset: Workset, empty: str) -> None:
    """Of a pair of which one file is empty, that one is named."""
    texts = {"R1": fastq(SOUND), "R2": fastq(reads(3000, mate=2)), empty: b""}
    workset.sample("S", texts["R1"], texts["R2"])
    assert str(fault_of(workset)) == f"sample_data/0_{empty}.fastq.gz: the file holds no reads"


@pytest.mark.parametrize("number", [1, 17, 2000])
def test_names_that_do_not_pair(workset: Workset, number: int) -> None:
    """Where the names of the mates part, both are told."""
    mates = reads(3000, mate=2)
    mates[number - 1] = ("other 2:N:0:1", *mates[number - 1][1:])
    workset.sample("S", fastq(SOUND), fastq(mates))
    fault = fault_of(workset)
    assert (fault.file, fault.record) == ("sample_data/0_R2.fastq.gz", number)
    assert "'other 2:N:0:1'" in fault.message
    assert f"'M1:7:FC:1:{number - 1} 1:N:0:1'" in fault.message


@pytest.mark.parametrize(
    ("one", "two"), [("r", "r"), ("r/1", "r/2"), ("r 1:N", "r 2:N"), ("r/1 x", "r/2 y")]
)
def test_names_that_pair(workset: Workset, one: str, two: str) -> None:
    """Names pair when they are equal up to the first blank and an optional /1 and /2."""
    workset.sample("S", fastq([(one, "A", "I")]), fastq([(two, "A", "I")]))
    assert measured(workset).fault is None


def test_damage_in_a_later_lane(workset: Workset) -> None:
    """Damage in any lane fails the sample, and the lane's own file and record number are told."""
    workset.sample("S", fastq(SOUND), lane="1")
    workset.sample("S", with_record(4, b"@r\nACGT\n+\nIII\n"), lane="2")
    fault = fault_of(workset)
    assert (fault.file, fault.record) == ("sample_data/1_R1.fastq.gz", 4)


def remove(path: Path) -> None:
    path.unlink()


def become_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("lose", [remove, become_a_directory])
def test_missing_file(workset: Workset, lose: Callable[[Path], None]) -> None:
    """A file that is not there fails its sample as missing, which is another matter than damaged."""
    workset.sample("S", fastq(SOUND))
    lose(workset.path / "sample_data/0_R1.fastq.gz")
    assert fault_of(workset).kind is Kind.MISSING


def test_file_without_line_ends(workset: Workset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data without line ends, which inflates from little, is refused before it fills the memory."""
    monkeypatch.setattr(reads_module, "LONGEST_RECORD", 200_000)
    workset.sample("S", b"@r\n" + b"A" * 3_000_000)
    assert "the record is longer than" in fault_of(workset).message


def test_names_cannot_command_a_terminal(workset: Workset) -> None:
    """Control characters from the data are shown, not sent to the terminal of who reads the log."""
    workset.sample("S", fastq([("a\x1b[2J", "A", "I")]), fastq([("b", "A", "I")]))
    assert "\x1b" not in str(fault_of(workset))
