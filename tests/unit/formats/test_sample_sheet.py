"""Sample sheets in CSV: nf-core's, the portal's, a spreadsheet's."""

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daylily.adapters.formats.sample_sheet import parse, read
from daylily.domain.errors import InvalidInputError
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.testing.strategies import manifests

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

Recorded = Callable[[str], bytes]
FaultsOf = Callable[[Callable[[], object]], list[str]]


def test_nfcore(recorded: Recorded) -> None:
    """Rows of one sample are its lanes, a missing mate makes it single-end, a comma may be quoted."""
    key = "s3://lab-bucket/AEG588A1_S1_L00{}_R{}_001.fastq.gz"

    assert parse(recorded("sheet_nfcore.csv")) == (
        Sample(
            sample_id="CONTROL_REP1",
            pairs=(
                FastqPair(key.format(2, 1), key.format(2, 2), "L1"),
                FastqPair(key.format(3, 1), key.format(3, 2), "L2"),
            ),
        ),
        Sample(
            sample_id="TREATED_REP1", pairs=(FastqPair("runs/batch 3, second try/AEG588A4.fastq.gz"),)
        ),
    )


def test_portal(recorded: Recorded) -> None:
    """A first row that names files is a sample, even if it is called sample1: there is no header."""
    first, second = parse(recorded("sheet_portal.csv"))

    assert (first.sample_id, second.sample_id) == ("sample1", "sample2")
    assert first.pairs == (FastqPair("reads/sample1_R1.fq.gz", "reads/sample1_R2.fq.gz"),)


def test_spreadsheet(recorded: Recorded) -> None:
    """A byte order mark, CRLF, capitals, rows of nothing: as spreadsheets save it."""
    data = recorded("sheet_spreadsheet.csv")
    assert data.startswith(b"\xef\xbb\xbf")
    assert b"\r\n,,\r\n" in data

    assert [sample.sample_id for sample in parse(data)] == ["Mueller-1", "B"]


def test_named_lanes() -> None:
    """A column that names lanes is believed."""
    (sample,) = parse(b"sample,lane,fastq_1,fastq_2\nA,L003,a.fq,b.fq\nA,L004,c.fq,d.fq\n")

    assert [pair.lane for pair in sample.pairs] == ["L003", "L004"]


def test_unnamed_lanes() -> None:
    """Empty cells of that column, and "NA", name no lane."""
    (sample,) = parse(b"sample,lane,fastq_1,fastq_2\nA,,a.fq,b.fq\nA,NA,c.fq,d.fq\n")

    assert [pair.lane for pair in sample.pairs] == ["L1", "L2"]


def test_all_at_once(faults_of: FaultsOf) -> None:
    """Every fault is told, under the sheet's own names of columns."""
    data = b"Sample,R1,R2,lane\nA,a.fq,a.fq,1\nA,c.fq,,1\n,x.fq,\nC,../x.fq,y,,,z\nD,x\tx.fq,d.fq"

    assert [fault.partition(": ")[0] for fault in faults_of(lambda: parse(data))] == [
        "row 5", "row 4, sample", "row 6, r1", "row 2, lane", "row 3, lane",
        "row 5, r1", "row 5, r2", "row 2, r2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "samples: there are none"),
        (b"sample,fastq_1,fastq_2\n", "samples: there are none"),
        (b"sample,r1\nA,a.fq\n", "row 1: column fastq_2 is missing"),
        (b"sample,sample_id,r1,r2\nA,A,a.fq,\n", "row 1, sample_id: 2 columns say the same"),
        (b'A,"a.fq\nB,b.fq\n', "row 1: is not CSV: "),
        (b"A,a.fq,b.fq\nB,x.fq,y.fq,z.fq\n", "row 2: has 4 cells under 3 columns"),
        (b"sample\tr1\tr2\n", "row 1, sample: 'sample\\tr1\\tr2' holds a control character"),
        (b"A,a.fq,\n\xff,b.fq,\n", "row 2: byte 1 is not UTF-8"),
        (b"A,\n" * 100_001, "has more than 100000 rows"),
        (b"A," + b"x" * 200_000, "row 1: is not CSV: field larger than field limit"),
    ],
)
def test_refused(data: bytes, fault: str, faults_of: FaultsOf) -> None:
    """What cannot be a sheet is refused, and it is said why."""
    assert fault in "\n".join(faults_of(lambda: parse(data)))


def test_misspelt(faults_of: FaultsOf) -> None:
    """Handed in by hand, a misspelt column is a fault, and so is one of files that nobody knows."""
    data = b"sample,fastq_1,fastq_2,lanes,umi,sex\nA,a.fq,b.fq,1,u.fq,F\n"

    assert faults_of(lambda: read(data, strict=True)) == [
        "row 1, lanes: is not known; did you mean 'lane'?",
        (
            "row 1, umi: is not known, and names FASTQ files that would be left out; "
            "these go under fastq_1 and fastq_2"
        ),
    ]
    assert read(data).ignored == ("column lanes", "column umi", "column sex")


def test_further_columns_are_named() -> None:
    """Columns that other pipelines need do no harm."""
    data = b"patient,sex,status,sample,lane,fastq_1,fastq_2,strandedness\np,XX,0,A,L1,a.fq,b.fq,auto\n"

    assert read(data, strict=True).ignored == (
        "column patient",
        "column sex",
        "column status",
        "column strandedness",
    )


def test_keys() -> None:
    """Files get the keys that the caller makes for them."""
    (sample,) = read(b"A,/d/a.fq,/d/b.fq\nA,/d/c.fq,\n", key_of=lambda text: text[3:]).samples

    assert sample.pairs == (FastqPair("a.fq", "b.fq", "L1"), FastqPair("c.fq", None, "L2"))


@unhurried
@given(manifests(), st.booleans())
def test_round_trip(manifest: Manifest, header: bool) -> None:
    """Any sound samples, written as CSV by somebody else, are read as they were."""
    text = io.StringIO()
    writer = csv.writer(text)
    if header:
        writer.writerow(["Sample", "FASTQ_1", "fastq_2"])
    for sample in manifest.samples:
        writer.writerows([sample.sample_id, pair.r1, pair.r2 or ""] for pair in sample.pairs)

    read = parse(text.getvalue().encode())

    assert [sample.sample_id for sample in read] == [each.sample_id for each in manifest.samples]
    assert [[pair.r1 for pair in each.pairs] for each in read] == [
        [pair.r1.strip(" ") for pair in each.pairs] for each in manifest.samples
    ]


@unhurried
@given(
    st.binary()
    | st.lists(
        st.sampled_from(["sample", "r1", "r2", "A", "a.fq", ",", "\n", '"', "\r", "lane", "\0", "\x85"])
    ).map(lambda pieces: "".join(pieces).encode())
)
def test_never_anything_but_faults(data: bytes) -> None:
    """Whatever is handed in, it is read into sound samples or refused."""
    try:
        samples = parse(data)
    except InvalidInputError:
        return
    assert list(Manifest(samples=samples, pipeline="germline").faults()) == []
