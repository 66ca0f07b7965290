"""``stage_samples.tsv``: what staging of old reads, and what people hand in."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daylily.adapters.formats.stage_samples import COLUMNS, parse, read, render
from daylily.domain.errors import InvalidInputError
from daylily.domain.manifest import FastqPair, Manifest, Sample, Vendor
from daylily.domain.workset import Workset
from daylily.testing.samples import a_workset
from daylily.testing.strategies import new_worksets

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

Recorded = Callable[[str], bytes]
FaultsOf = Callable[[Callable[[], object]], list[str]]

ROW = {
    "RUN_ID": "R0", "SAMPLE_ID": "HG002", "EXPERIMENTID": "x4", "SAMPLE_TYPE": "blood",
    "LIB_PREP": "noampwgs", "SEQ_VENDOR": "ILMN", "SEQ_PLATFORM": "NOVASEQX", "LANE": "0",
    "SEQBC_ID": "S1", "PATH_TO_CONCORDANCE_DATA_DIR": "", "R1_FQ": "a_R1.fq.gz", "R2_FQ": "a_R2.fq.gz",
}  # fmt: skip


def sheet(*rows: dict[str, str]) -> bytes:
    """Return a sheet with the columns of ROW and whatever else the first of *rows* has."""
    header = list(ROW | rows[0])
    lines = [header] + [[(ROW | row)[column] for column in header] for row in rows]
    return "".join("\t".join(line) + "\n" for line in lines).encode()


def with_sample(sample: Sample) -> Workset:
    """Return a workset that holds just *sample*."""
    return a_workset(manifest=Manifest(samples=(sample,), pipeline="germline"))


def normalised(sample: Sample, workset_id: str) -> Sample:
    """Return *sample* as a sheet can carry it: defaults spelt out, ``na`` and blanks gone."""
    blank = Sample(sample_id="x", pairs=())

    def said(value: str | None) -> str | None:
        text = (value or "").strip(" ")
        return None if text.lower() in {"", "na"} else text

    words: dict[str, Any] = {
        name: said(getattr(sample, name)) or getattr(blank, name)
        for name in ("sample_type", "library_prep", "platform", "barcode")
    }
    return evolve(
        sample,
        run_id=said(sample.run_id or workset_id),
        experiment_id=said(sample.experiment_id or sample.sample_id),
        concordance_dir=said(sample.concordance_dir),
        external_id=said(sample.external_id),
        coverage=None,
        pairs=tuple(
            evolve(
                pair,
                r1=pair.r1.strip(" "),
                r2=pair.r2 and pair.r2.strip(" "),
            )
            for pair in sample.pairs
        ),
        **words,
    )


class TestRender:
    """What staging is given."""

    def test_columns(self) -> None:
        """The header has contract 2.9's twenty columns in order, every row as many cells, and LF."""
        text = render(a_workset())

        lines = text.split("\n")
        assert lines[0].split("\t") == list(COLUMNS)
        assert [len(line.split("\t")) for line in lines] == [20, 20, 1]
        assert text.endswith("\n")
        assert "\r" not in text

    def test_values(self) -> None:
        """Run and experiment are named after workset and sample; nothing said reads ``na``."""
        sample = Sample(
            sample_id="HG002",
            pairs=(FastqPair("sample_data/a_R1.fq.gz", "s3://b/a_R2.fq.gz", "1"),),
            vendor=Vendor("illumina"),
            positive_control=True,
            n_x=2,
        )

        text = render(with_sample(sample), lambda key: f"/fsx/ws-1/{key}")

        row = dict(zip(COLUMNS, text.split("\n")[1].split("\t"), strict=True))
        assert row == {
            "RUN_ID": "ws-1", "SAMPLE_ID": "HG002", "EXPERIMENTID": "HG002", "SAMPLE_TYPE": "blood",
            "LIB_PREP": "noampwgs", "SEQ_VENDOR": "ILMN", "SEQ_PLATFORM": "NOVASEQX", "LANE": "1",
            "SEQBC_ID": "S1", "PATH_TO_CONCORDANCE_DATA_DIR": "",
            "R1_FQ": "/fsx/ws-1/sample_data/a_R1.fq.gz", "R2_FQ": "s3://b/a_R2.fq.gz",
            "STAGE_DIRECTIVE": "stage_data", "STAGE_TARGET": "/fsx/staged_sample_data/",
            "SUBSAMPLE_PCT": "na", "IS_POS_CTRL": "true", "IS_NEG_CTRL": "false",
            "N_X": "2", "N_Y": "na", "EXTERNAL_SAMPLE_ID": "na",
        }  # fmt: skip

    @pytest.mark.parametrize("vendor", Vendor)
    def test_vendor_codes(self, vendor: Vendor) -> None:
        """Vendors are written under codes that select a path column (D-40)."""
        sample = Sample(sample_id="S", pairs=(FastqPair("a.fq"),), vendor=vendor)

        assert render(with_sample(sample)).split("\n")[1].split("\t")[5] in {
            "ILMN",
            "ONT",
            "PACBIO",
            "UG",
        }

    def test_tab_in_value(self, faults_of: FaultsOf) -> None:
        """A value that would break the row is refused at its place, whoever let it in."""
        sample = Sample(sample_id="S", pairs=(FastqPair("a.fq"),), external_id="a\tb\nc")

        assert faults_of(lambda: render(with_sample(sample))) == [
            "row 2, EXTERNAL_SAMPLE_ID: 'a\\tb\\nc' holds a control character"
        ]


@unhurried
@given(new_worksets())
def test_round_trip(workset: Workset) -> None:
    """What is rendered reads back the same, but for what the format cannot tell apart."""
    read = parse(render(workset).encode())

    assert read == tuple(normalised(each, workset.workset_id) for each in workset.manifest.samples)


@unhurried
@given(new_worksets())
def test_readable_by_csv(workset: Workset) -> None:
    """A reader that knows no quoting, as staging's, sees the same rows."""
    rows = list(
        csv.reader(io.StringIO(render(workset)), delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    )

    pairs = [pair for each in workset.manifest.samples for pair in each.pairs]
    assert [row[10] for row in rows[1:]] == [pair.r1 for pair in pairs]
    assert {len(row) for row in rows} == {20}


class TestRecorded:
    """Sheets as they are found in the field."""

    def test_template(self, recorded: Recorded) -> None:
        """The template of old has CRLF and a concordance path of its own, which is no fault (D-26)."""
        data = recorded("stage_template_crlf.tsv")
        assert data.count(b"\r\n") == 3

        first, second = parse(data)

        assert (first.sample_id, first.run_id, first.experiment_id) == ("HG002", "R0", "x4")
        assert first.pairs == (
            FastqPair("s3://b/HG002_30x_R1.fastq.gz", "s3://b/HG002_30x_R2.fastq.gz", "0"),
        )
        assert (first.n_x, first.n_y, first.external_id, first.subsample) == (1, 1, "HG002", None)
        assert second.concordance_dir is not None
        assert second.concordance_dir.startswith("/fsx/data/")
        assert (second.subsample, second.positive_control, second.n_x) == (0.25, True, None)

    def test_bridge(self, recorded: Recorded) -> None:
        """What a bridge of old wrote is read: ILLUMINA is a vendor, and 100 means all reads."""
        child, _ = parse(recorded("stage_bridge.tsv"))

        assert (child.vendor, child.subsample, child.positive_control) == (Vendor.ILLUMINA, None, False)
        assert child.pairs == (FastqPair("child_R1.fastq.gz", "child_R2.fastq.gz", "1"),)

    def test_lanes(self, recorded: Recorded) -> None:
        """Another order, lower case, a byte order mark, blank rows and more columns do no harm."""
        (sample,) = parse(recorded("stage_lanes_bom.tsv"))

        assert [pair.lane for pair in sample.pairs] == ["1", "2"]
        assert (sample.vendor, sample.experiment_id, sample.platform) == (
            Vendor.NANOPORE,
            None,
            "PROMETHION",
        )

    def test_faulty(self, recorded: Recorded, faults_of: FaultsOf) -> None:
        """Everything wrong is told at once, at its row and column."""
        vendors = "is no vendor that staging knows; use one of ILMN, ONT, PACBIO, UG"
        rule = (
            "is not a sample id: 1 to 64 letters, digits, '.', '-' and '_', the first a letter or digit"
        )

        assert faults_of(lambda: parse(recorded("stage_faulty.tsv"))) == [
            f"row 3, SEQ_VENDOR: 'ILUMINA' {vendors}",
            "row 4, SUBSAMPLE_PCT: '50 %' is not a number; write a share between 0 and 1, or na",
            "row 4, N_X: 'XX' is not a number of chromosomes from 0 to 9, or na",
            "row 2, LANE: sample 'HG002' has lane '0' 3 times",
            "row 3, LANE: sample 'HG002' has lane '0' 3 times",
            "row 4, LANE: sample 'HG002' has lane '0' 3 times",
            f"row 5, SAMPLE_ID: 'HG 004' {rule}",
            "row 5, R1_FQ: '../HG004_R1.fastq.gz' leads outside the workset ('..')",
            "row 5, R2_FQ: 'HG004_R2.txt' is not named like FASTQ (.fastq, .fq, also with .gz or .bz2)",
            "row 3, R1_FQ: 's3://b/HG002_30x_R1.fastq.gz' is already used at row 2, R1_FQ",
            "row 3, R2_FQ: 's3://b/HG002_30x_R2.fastq.gz' is already used at row 2, R2_FQ",
            "row 4, R1_FQ: 's3://b/HG002_30x_R1.fastq.gz' is already used at row 2, R1_FQ",
            "row 4, R2_FQ: 's3://b/HG002_30x_R2.fastq.gz' is already used at row 2, R2_FQ",
            "row 6, R1_FQ: 's3://b/HG002_30x_R1.fastq.gz' is already used at row 2, R1_FQ",
        ]


class TestFaults:
    """Sheets that are refused, and why."""

    def test_other_metadata(self, faults_of: FaultsOf) -> None:
        """Rows of one sample must agree on everything but their files and lanes."""
        data = sheet(
            {"LANE": "1"}, {"LANE": "2", "R1_FQ": "b.fq", "R2_FQ": "c.fq", "SAMPLE_TYPE": "saliva"}
        )

        assert faults_of(lambda: parse(data)) == [
            "row 3, SAMPLE_TYPE: 'saliva' differs from 'blood' in row 2, and both are sample 'HG002'"
        ]

    def test_same_once_staged(self, faults_of: FaultsOf) -> None:
        """Ids that staging would merge are refused, the other row named as the sheet has it (D-40)."""
        data = sheet({"SAMPLE_ID": "a_1"}, {"SAMPLE_ID": "A-1", "R1_FQ": "b.fq", "R2_FQ": "c.fq"})

        assert faults_of(lambda: parse(data)) == [
            "row 3, SAMPLE_ID: 'A-1' and 'a_1' of row 2 are the same once staged"
        ]

    def test_quote_is_a_character(self, faults_of: FaultsOf) -> None:
        """A stray quote swallows no line: it is part of its cell."""
        data = sheet({"R1_FQ": '"a b.fq', "R2_FQ": "na"}, {"SAMPLE_ID": "S2", "R1_FQ": 'c".fq'})

        first, second = parse(data)

        assert (first.pairs[0].r1, first.pairs[0].r2, second.pairs[0].r1) == ('"a b.fq', None, 'c".fq')
        assert len(faults_of(lambda: parse(data.replace(b"HG002", b'"HG002"')))) == 1

    def test_missing_columns(self, faults_of: FaultsOf) -> None:
        """A misspelt column does not pass for one that is not needed."""
        data = sheet({}).replace(b"R2_FQ", b"R2_FASTQ")

        assert faults_of(lambda: parse(data)) == ["row 1: columns are missing: R2_FQ"]

    @pytest.mark.parametrize(
        ("data", "fault"),
        [
            (b"", "row 1: columns are missing: RUN_ID, "),
            (b"sample,fastq_1,fastq_2\n", "columns are separated by TABs"),
            (sheet({}).partition(b"\n")[0], "samples: there are none"),
            (sheet({"LANE": "1"}).replace(b"LANE", b"LANE\tLANE"), "row 1, LANE: stands there 2 times"),
            (sheet({}).rstrip(b"\n") + b"\tx\n", "row 2: has 13 cells under 12 columns"),
            (sheet({"R1_FQ": ""}), "row 2, R1_FQ: '' is empty"),
            (sheet({"SAMPLE_ID": " "}), "row 2, SAMPLE_ID: is empty"),
            (sheet({"R1_FQ": "a\0.fq"}), "row 2, R1_FQ: 'a\\x00.fq' holds a control character"),
            (sheet({"R1_FQ": "a\u2028.fq"}), "row 2, R1_FQ: 'a\\u2028.fq' holds a control character"),
            (sheet({"IS_POS_CTRL": "maybe"}), "row 2, IS_POS_CTRL: 'maybe' is neither true nor false"),
            (sheet({"N_Y": "10"}), "row 2, N_Y: '10' is not a number of chromosomes"),
            (sheet({"SUBSAMPLE_PCT": "50"}), "row 2, SUBSAMPLE_PCT: 50.0 is not between 0 and 1"),
            (sheet({"SUBSAMPLE_PCT": "nan"}), "row 2, SUBSAMPLE_PCT: 'nan' is not a number"),
            (sheet({"SUBSAMPLE_PCT": "1e999"}), "row 2, SUBSAMPLE_PCT: inf is not between 0 and 1"),
            (b"a\n\xff\n\nb\xfe", "row 4: byte 2 is not UTF-8"),
            (sheet({}) + b"\xff\xfe", "row 3: byte 1 is not UTF-8"),
            (b" " * (10 * 1024 * 1024 + 1), "is larger than 10 MiB"),
            (b"\n" * 200_000, "has 199999 rows; at most 100000 are taken"),
        ],
    )
    def test_refused(self, data: bytes, fault: str, faults_of: FaultsOf) -> None:
        """What cannot be a sheet is refused at its place."""
        assert fault in "\n".join(faults_of(lambda: parse(data)))

    def test_short_rows(self) -> None:
        """Empty cells that an editor cut from the end of a row were not said."""
        data = sheet({"N_X": "", "EXTERNAL_SAMPLE_ID": ""}).replace(b"\t\t\n", b"\n")

        (sample,) = parse(data)

        assert (sample.n_x, sample.external_id) == (None, None)

    def test_at_most_a_hundred(self, faults_of: FaultsOf) -> None:
        """Of thousands of faults a hundred are told, and how many more there are."""
        rows = [{"SAMPLE_ID": f"S{n}", "R1_FQ": f"{n}.txt", "R2_FQ": "na"} for n in range(2500)]

        faults = faults_of(lambda: parse(sheet(*rows)))

        assert len(faults) == 101
        assert faults[-1] == "and 2400 more"

    def test_too_many_samples(self, faults_of: FaultsOf) -> None:
        """More samples than a workset may have are refused."""
        rows = [{"SAMPLE_ID": f"S{n}", "R1_FQ": f"{n}.fq", "R2_FQ": "na"} for n in range(10_001)]

        assert faults_of(lambda: parse(sheet(*rows))) == [
            "samples: there are 10001; at most 10000 are taken"
        ]


class TestStrict:
    """What is handed in by hand is read more strictly than what lies there already."""

    @pytest.mark.parametrize(
        "name", ["stage_template_crlf.tsv", "stage_bridge.tsv", "stage_lanes_bom.tsv"]
    )
    def test_recorded(self, recorded: Recorded, name: str) -> None:
        """No column that the field is known to have is a fault."""
        assert read(recorded(name), strict=True).samples == parse(recorded(name))

    @pytest.mark.parametrize(
        ("column", "fault"),
        [
            ("SUBSAMPLE_PC", "is not known; did you mean 'SUBSAMPLE_PCT'?"),
            ("NX", "is not known; did you mean 'N_X'?"),
            (
                "THIRD",
                (
                    "is not known, and names FASTQ files that would be left out; "
                    "these go under R1_FQ and R2_FQ"
                ),
            ),
        ],
    )
    def test_refused(self, column: str, fault: str, faults_of: FaultsOf) -> None:
        """A misspelt column is a fault, and so is one of files that nobody knows."""
        data = sheet({column: "c.fq"})

        assert faults_of(lambda: read(data, strict=True)) == [f"row 1, {column}: {fault}"]
        assert read(data).ignored == (f"column {column}",)

    def test_missing(self, faults_of: FaultsOf) -> None:
        """Where a column is missing, what it was misspelt as is told too."""
        data = sheet({}).replace(b"R2_FQ", b"R2_FASTQ")

        assert faults_of(lambda: read(data, strict=True)) == [
            "row 1: columns are missing: R2_FQ",
            "row 1, R2_FASTQ: is not known; did you mean 'R2_FQ'?",
        ]

    def test_passed_over(self) -> None:
        """Somebody's own column is named, and so is one that only staging of old has a use for."""
        data = sheet({"OPERATOR": "Ada", "ILMN_R1_PATH": "/fsx/a.fq", "BWA_KMER": "19"})

        assert read(data, strict=True).ignored == (
            "column OPERATOR",
            "column ILMN_R1_PATH",
            "column BWA_KMER",
        )

    def test_keys(self) -> None:
        """Files get the keys that the caller makes for them."""
        (sample,) = read(sheet({"R1_FQ": "/d/a.fq"}), key_of=lambda text: text.strip("/")).samples

        assert sample.pairs == (FastqPair("d/a.fq", "a_R2.fq.gz"),)


def mangled(lines: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return sheets made of sound and unsound pieces."""
    pieces = st.sampled_from(
        [*lines, b"\t", b"\n", b"\r\n", b'"', b"na", b"\xff", b"samples[0].r1", b"0"]
    )
    return st.lists(pieces | st.binary(max_size=5), max_size=30).map(b"".join)


@unhurried
@given(st.binary() | mangled([sheet({}), sheet({}).partition(b"\n")[0] + b"\n", b"a.fq"]))
def test_never_anything_but_faults(data: bytes) -> None:
    """Whatever is handed in, it is read or refused."""
    try:
        samples = parse(data)
    except InvalidInputError:
        return
    assert list(Manifest(samples=samples, pipeline="germline").faults()) == []
