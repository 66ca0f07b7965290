"""What a manifest may hold, and where exactly each fault is."""

from typing import Any, Final

import pytest
from attrs import evolve

from daylily.domain.errors import InvalidInputError
from daylily.domain.manifest import (
    MAX_SAMPLES,
    REFERENCE_GENOMES,
    FastqPair,
    Manifest,
    Sample,
    Vendor,
    is_fastq,
    reference_genome,
)
from daylily.testing.samples import a_manifest, a_sample

NAN: Final = float("nan")


def faults_of(*samples: Sample) -> list[tuple[str, str]]:
    """Return place and message of each fault, in the order in which they are told."""
    manifest = Manifest(samples=samples, pipeline="germline")
    return [(fault.place, fault.message) for fault in manifest.faults()]


def changed(field: str, value: Any) -> Sample:
    """Return a sound sample but for one field."""
    return evolve(a_sample(), **{field: value})


def lanes(*names: str) -> Sample:
    pairs = tuple(FastqPair(f"r1_{n}.fq", f"r2_{n}.fq", lane) for n, lane in enumerate(names))
    return Sample(sample_id="NA1", pairs=pairs)


def test_sound_manifest_has_no_faults() -> None:
    """The samples that tests use are sound, and so is everything optional filled in."""
    full = evolve(
        a_sample("HG_002"),
        run_id="R0",
        experiment_id="x4",
        concordance_dir="s3://b/giab v4.2/",
        subsample=0.5,
        n_x=1,
        n_y=1,
        external_id="Mére / 7",
        coverage=30.0,
    )

    assert faults_of(*a_manifest("A1", "B2").samples, full) == []


def test_empty_manifest() -> None:
    """A workset has at least one sample."""
    assert faults_of() == [("samples", "there are none; a workset has at least one sample")]


def test_too_many_samples_are_not_looked_at() -> None:
    """One fault, not ten thousand."""
    samples = (a_sample("bad id"),) * (MAX_SAMPLES + 1)

    assert faults_of(*samples) == [("samples", "there are 10001; at most 10000 are taken")]


@pytest.mark.parametrize("sample_id", ["", " ", "-a", ".a", "a b", "a/b", "..", "é", "a\n", "x" * 65])
def test_bad_sample_id(sample_id: str) -> None:
    """An id becomes part of paths and sheets: a plain word of up to 64 characters."""
    ((place, message),) = faults_of(evolve(a_sample(), sample_id=sample_id))

    assert place == "samples[0].sample_id"
    assert message.startswith(f"{sample_id!r} is not a sample id: 1 to 64 letters")


@pytest.mark.parametrize(
    "field", ["run_id", "experiment_id", "sample_type", "library_prep", "platform", "barcode"]
)
@pytest.mark.parametrize("value", ["", "a\tb", "a\nb", "=1+1", "x" * 65])
def test_bad_word(field: str, value: str) -> None:
    """Words go into the sheet that staging reads: no TAB, no line end, no formula."""
    ((place, message),) = faults_of(changed(field, value))

    assert place == f"samples[0].{field}"
    assert message == f"{value!r} is not a plain word of up to 64 characters"


@pytest.mark.parametrize("field", ["concordance_dir", "external_id"])
@pytest.mark.parametrize("value", ["a\tb", "a\nb", "a\u2028b", "a\udcffb", "x" * 1025])
def test_bad_line(field: str, value: str) -> None:
    """Free fields are free, but stay on their line."""
    ((place, message),) = faults_of(changed(field, value))

    assert place == f"samples[0].{field}"
    assert message.endswith("is not one line of up to 1024 characters")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("subsample", 0.0, "0.0 is not between 0 and 1"),
        ("subsample", 1.0, "1.0 is not between 0 and 1"),
        ("subsample", -0.1, "-0.1 is not between 0 and 1"),
        ("subsample", NAN, "nan is not between 0 and 1"),
        ("coverage", -1.0, "-1.0 is not a depth from 0 to 100000"),
        ("coverage", NAN, "nan is not a depth from 0 to 100000"),
        ("coverage", float("inf"), "inf is not a depth from 0 to 100000"),
        ("n_x", -1, "-1 is not a number of chromosomes from 0 to 9"),
        ("n_y", 10, "10 is not a number of chromosomes from 0 to 9"),
    ],
)
def test_bad_number(field: str, value: float, message: str) -> None:
    """Numbers have bounds, and NaN is outside all of them."""
    assert faults_of(changed(field, value)) == [(f"samples[0].{field}", message)]


def test_sample_without_files() -> None:
    """A sample has reads."""
    assert faults_of(Sample(sample_id="NA1", pairs=())) == [("samples[0]", "has no FASTQ files")]


@pytest.mark.parametrize("lane", ["", "1 ", "L/1", "x" * 17, "na", "NA"])
def test_bad_lane(lane: str) -> None:
    """A lane is 1 to 16 letters and digits, and not what sheets write where nothing is said."""
    message = f"{lane!r} is not a lane: 1 to 16 letters and digits, but not na"

    assert faults_of(lanes(lane)) == [("samples[0].pairs[0].lane", message)]


def test_lane_twice() -> None:
    """Both places are told."""
    message = "sample 'NA1' has lane '1' 2 times"

    assert faults_of(lanes("1", "2", "1")) == [
        ("samples[0].pairs[0].lane", message),
        ("samples[0].pairs[2].lane", message),
    ]


def test_merged_lane_among_several() -> None:
    """Lane 0 says that there is nothing left to merge (contract 2.9)."""
    assert faults_of(lanes("0")) == []
    assert faults_of(lanes("1", "0")) == [
        ("samples[0].pairs[1].lane", "sample 'NA1' has several lanes, and 0 means a merged one")
    ]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "is empty"),
        ("/x.fq", "absolute"),
        ("../x.fq", "outside"),
        ("s3://b/../x.fq", "outside"),
        ("s3:///x.fq", "absolute"),
        ("a//x.fq", "empty"),
        ("x.bam", "is not named like FASTQ"),
        (" x.fastq", "starts or ends with a blank"),
        ("x.fastq\u2003", "starts or ends with a blank"),
        ("s3://b/x.bam", "is not named like FASTQ"),
    ],
)
@pytest.mark.parametrize("read", ["r1", "r2"])
def test_bad_file(read: str, key: str, reason: str) -> None:
    """Keys are relative or ``s3://``, lead nowhere else, and are named like FASTQ."""
    pair = FastqPair(key, "a_R2.fq") if read == "r1" else FastqPair("a_R1.fq", key)
    ((place, message),) = faults_of(Sample(sample_id="NA1", pairs=(pair,)))

    assert place == f"samples[0].pairs[0].{read}"
    assert reason in message


def test_file_used_twice() -> None:
    """Each further use is a fault, and says where the first one is."""
    one, other = a_sample("A1"), evolve(a_sample("A1"), sample_id="B2")
    (pair,) = one.pairs

    assert faults_of(one, other) == [
        ("samples[1].pairs[0].r1", f"{pair.r1!r} is already used at samples[0].pairs[0].r1"),
        ("samples[1].pairs[0].r2", f"{pair.r2!r} is already used at samples[0].pairs[0].r2"),
    ]
    mirrored = Sample(sample_id="C3", pairs=(FastqPair("x.fq", "x.fq"),))
    assert faults_of(mirrored) == [
        ("samples[0].pairs[0].r2", "'x.fq' is already used at samples[0].pairs[0].r1")
    ]


def test_sample_id_twice() -> None:
    """The second place is at fault, the first is named."""
    other = evolve(a_sample("B2"), sample_id="A1")

    assert faults_of(a_sample("A1"), other) == [
        ("samples[1].sample_id", "duplicate sample id 'A1', already at samples[0]")
    ]


@pytest.mark.parametrize("sample_id", ["hg-002", "HG-002", "hg_002"])
def test_sample_ids_that_staging_makes_the_same(sample_id: str) -> None:
    """Staging writes ``_`` as ``-``, and file systems may not tell upper from lower case."""
    assert faults_of(a_sample("HG_002"), a_sample(sample_id)) == [
        (
            "samples[1].sample_id",
            f"{sample_id!r} and 'HG_002' of samples[0] are the same once staged",
        )
    ]


def test_all_faults_are_told_at_once() -> None:
    """Each with its own place, whatever else is wrong."""
    broken = Sample(
        sample_id="no good",
        pairs=(FastqPair("../a.fq", "b.txt", "L 1"),),
        platform="a\tb",
        subsample=2.0,
        coverage=-3.0,
    )

    assert [place for place, _ in faults_of(a_sample("A1"), broken, a_sample("A1"))] == [
        "samples[2].sample_id",
        "samples[1].sample_id",
        "samples[1].platform",
        "samples[1].subsample",
        "samples[1].coverage",
        "samples[1].pairs[0].lane",
        "samples[1].pairs[0].r1",
        "samples[1].pairs[0].r2",
        "samples[2].pairs[0].r1",
        "samples[2].pairs[0].r2",
    ]


@pytest.mark.parametrize(
    ("name", "genome"),
    [
        *((genome, genome) for genome in REFERENCE_GENOMES),
        ("hg38", "GRCh38"),
        (" grch38\n", "GRCh38"),
        ("HG19", "GRCh37"),
        ("t2t-chm13", "T2T-CHM13"),
        ("hs1", "T2T-CHM13"),
        ("mm39", "GRCm39"),
    ],
)
def test_reference_genomes(name: str, genome: str) -> None:
    """Standard names and aliases, whatever the case (contract 2.10)."""
    assert reference_genome(name) == genome


@pytest.mark.parametrize("name", ["", "hg18", "GRCh38; rm -rf /", "x" * 1000])
def test_unknown_reference_genome(name: str) -> None:
    """It is refused with the choice there is, in a message of modest length."""
    with pytest.raises(InvalidInputError, match=r"^reference_genome: .*use one of GRCh38, ") as caught:
        reference_genome(name)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("ILMN", "ILMN"),
        ("illumina", "ILMN"),
        (" Oxford Nanopore ", "ONT"),
        ("pacific biosciences", "PACBIO"),
        ("ultima", "UG"),
    ],
)
def test_vendors_become_the_codes_of_staging(word: str, code: str) -> None:
    """Any other word leaves the path columns blank, as real runs showed (contract 2.9)."""
    assert Vendor(word) == code


@pytest.mark.parametrize("word", ["", "ILMN2", "BGI"])
def test_unknown_vendor(word: str) -> None:
    """A vendor that staging does not know is refused."""
    with pytest.raises(ValueError, match="is not a valid Vendor"):
        Vendor(word)


@pytest.mark.parametrize(
    ("name", "fastq"),
    [
        ("a.fastq", True),
        ("a.FQ.GZ", True),
        ("a.fq.bz2", True),
        ("a.fq.bz2.gz", False),
        ("a.fq.gz.bz2", False),
        ("a.fq.xz", False),
        ("fastq", False),
        ("a.fastq.md5", False),
    ],
)
def test_names_of_fastq_files(name: str, *, fastq: bool) -> None:
    """``.fastq`` or ``.fq``, as it is or compressed once, in any case."""
    assert is_fastq(name) is fastq
