"""Samples from file names: every pattern of contract 2.9, and what is refused."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.errors import InvalidInputError
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.domain.pairing import pairing_of, samples_of

SUFFIXES: Final = (".fastq", ".fq", ".fastq.gz", ".fq.gz", ".fastq.bz2", ".fq.bz2", ".FASTQ.GZ")
PATTERNS: Final = (
    "_R{}",
    ".R{}",
    "_{}",
    "_r{}",
    "_L004_R{}",
    "_S12_L001_R{}_001",
    "_S3_R{}_001",
    "_L002_R{}_001",
)
FURTHER: Final = (".{}", "-R{}", "-r{}", "_read{}", ".Read{}", "-read_{}", "_L004-R{}", "-R{}_001")


def shape(samples: tuple[Sample, ...]) -> dict[str, list[tuple[str, str, str | None]]]:
    """Put samples in short: by id, lane and files of each pair."""
    return {sample.sample_id: [(p.lane, p.r1, p.r2) for p in sample.pairs] for sample in samples}


def faults_of(keys: list[str], *, single_end: bool = False) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        samples_of(keys, single_end=single_end)
    return {fault.place: fault.message for fault in caught.value.faults}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("pattern", PATTERNS + FURTHER)
def test_mates_of_every_pattern_meet(pattern: str, suffix: str) -> None:
    """Both reads of a lone lane make one sample of one merged lane, whatever the pattern."""
    r1, r2 = (f"in/HG_002{pattern.format(read)}{suffix}" for read in (1, 2))

    assert shape(samples_of([r2, r1])) == {"HG_002": [("0", r1, r2)]}


def test_illumina_lanes_stay_apart() -> None:
    """Each lane of a sample is a pair of its own; the barcode is taken from the name."""
    keys = [f"NA1_S7_L00{lane}_R{read}_001.fastq.gz" for lane in (1, 2) for read in (1, 2)]
    (sample,) = samples_of(keys)

    assert shape((sample,)) == {"NA1": [("1", keys[0], keys[1]), ("2", keys[2], keys[3])]}
    assert sample.barcode == "S7"
    assert list(Manifest(samples=(sample,), pipeline="wgs").faults()) == []


def test_sample_names_may_look_like_patterns() -> None:
    """Only the end of a name tells the read."""
    keys = ["a_R1_b_R1.fq", "a_R1_b_R2.fq", "x_1_1.fq", "x_1_2.fq", "n.1_R1.fq", "n.1_R2.fq"]

    assert set(shape(samples_of(keys))) == {"a_R1_b", "x_1", "n.1"}


def test_names_without_a_read_are_single_end() -> None:
    """They are samples of their own, without asking."""
    assert shape(samples_of(["in/ont.fastq.gz", "in/b.fq"])) == {
        "b": [("0", "in/b.fq", None)],
        "ont": [("0", "in/ont.fastq.gz", None)],
    }


def test_first_reads_alone_need_the_flag() -> None:
    """A first read without its mate is a fault, unless single-end was said."""
    assert faults_of(["a_R1.fq"]) == {"a_R1.fq": "missing mate: there is no read 2 of 'a' lane 0"}
    assert shape(samples_of(["a_R1.fq"], single_end=True)) == {"a": [("0", "a_R1.fq", None)]}


@pytest.mark.parametrize("single_end", [False, True])
def test_second_reads_alone_are_always_a_fault(*, single_end: bool) -> None:
    """A second read without a first cannot be right."""
    faults = faults_of(["a_R2.fq", "b_R1.fq", "b_R2.fq"], single_end=single_end)

    assert faults == {"a_R2.fq": "missing mate: there is no read 1 of 'a' lane 0"}


def test_all_faults_are_told_at_once() -> None:
    """A missing mate in one lane, a missing first read, and two files for one place."""
    faults = faults_of(
        ["s_L001_R1.fq", "s_L001_R2.fq", "s_L002_R1.fq", "t_2.fq", "x/u_R1.fq", "y/u_R1.fq", "u_R2.fq"]
    )

    assert faults == {
        "s_L002_R1.fq": "missing mate: there is no read 2 of 's' lane 2",
        "t_2.fq": "missing mate: there is no read 1 of 't' lane 0",
        "y/u_R1.fq": "is read 1 of 'u' lane 0, and so is x/u_R1.fq",
    }


def test_chunks_of_one_lane_are_refused() -> None:
    """Two chunks would claim one place; which one to take is not ours to guess."""
    keys = [f"a_S1_L001_R{read}_00{chunk}.fq" for chunk in (1, 2) for read in (1, 2)]

    assert set(faults_of(keys)) == {keys[2], keys[3]}


@pytest.mark.parametrize(
    "name", ["a_S1_L001_I1_001.fastq.gz", "a_S1_I2_001.fq", "readme.txt", "x.fastq.md5"]
)
def test_what_holds_no_reads_is_passed_over(name: str) -> None:
    """Index reads (bcl2fastq --create-fastq-for-index-reads) are no samples, nor is any other file."""
    assert samples_of([name]) == ()


def test_what_is_left_out_is_told() -> None:
    """Index reads beside their reads, and what demultiplexing could not assign, are no samples."""
    reads = ["a_R1.fq", "a_R2.fq", "b_S1_L001_R1_001.fq", "b_S1_L001_R2_001.fq"]
    others = ["Undetermined_S0_L001_R1_001.fq", "a_I1.fq", "a_I2.fq", "b_S1_L001_I1_001.fq"]

    found = pairing_of([*reads, *others])

    assert [sample.sample_id for sample in found.samples] == ["a", "b"]
    assert found.left_out == tuple(others)


def test_index_reads_of_nothing_are_a_fault() -> None:
    """A name like that of an index read, without reads beside it, may well be a sample."""
    assert (
        "index read" in faults_of(["x/stage_I1.fq", "y/stage_R1.fq", "y/stage_R2.fq"])["x/stage_I1.fq"]
    )


@pytest.mark.parametrize(
    "names",
    [
        ("a_R1_trimmed.fq", "a_R2_trimmed.fq"),
        ("a_1.clean.fq.gz", "a_2.clean.fq.gz"),
        ("a_forward.fq", "a_reverse.fq"),
        ("a_Fwd.fq", "a_Rev.fq"),
        ("a.F.fq", "a.R.fq"),
        ("a_1P.fq", "a_2P.fq"),
        ("a-1.fq", "a-2.fq"),
        ("a_1.fq", "a_2.fq", "a_3.fq"),
        ("a.1.fq", "a.2.fq", "a.10.fq"),
    ],
)
def test_what_may_be_a_pair_is_not_guessed_at(names: tuple[str, ...]) -> None:
    """Names that may be mates or samples are refused, each naming the others and the way out."""
    faults = faults_of([f"in/{name}" for name in names])

    assert set(faults) == {f"in/{name}" for name in names}
    for message in faults.values():
        assert "in a sheet" in message
        assert any(name in message for name in names)


@pytest.mark.parametrize("name", ["a_R1_trimmed.fq", "a_1.clean.fq", "a.1.fq", "a-R1.fq", "a_read1.fq"])
def test_half_a_pair_is_a_missing_mate(name: str) -> None:
    """A name that says read 1 needs its mate or the flag; one that says read 2 needs it always."""
    assert "missing mate" in faults_of([name])[name]
    assert [sample.pairs for sample in samples_of([name], single_end=True)] == [(FastqPair(name),)]
    second = name.replace("1", "2")
    assert "missing mate" in faults_of([second], single_end=True)[second]


def test_third_reads_are_a_fault() -> None:
    """Which of three reads are mates, names do not tell."""
    assert "read 3 of 'a'" in faults_of(["a_R1.fq", "a_R2.fq", "a_R3.fq"])["a_R3.fq"]


def test_names_that_count_are_samples_where_that_is_said() -> None:
    """Single-end was said: a row of numbers is a row of samples. Two are mates all the same."""
    counted = ["a_1.fq", "a_2.fq", "a_3.fq", "b-1.fq", "b-2.fq"]

    assert set(shape(samples_of(counted, single_end=True))) == {"a_1", "a_2", "a_3", "b-1", "b-2"}
    assert set(shape(samples_of(["a_1.fq", "a_2.fq"], single_end=True))) == {"a"}


def test_names_of_samples_that_only_look_a_little_so() -> None:
    """Numbers and letters of samples are not taken for reads without reason."""
    keys = [
        "IL-2.fq", "n-1.fq", "n-2.fq", "n-3.fq", "mouse_F.fq", "day_30.fq", "day_31.fq", "R1.fq",
        "liver_rev.fq", "p_1_tumour.fq", "p_2_tumour.fq", "a_01.fq", "a_02.fq",
    ]  # fmt: skip

    assert set(shape(samples_of(keys))) == {key.removesuffix(".fq") for key in keys}


def test_nothing_makes_nothing() -> None:
    """No files, no samples, no fault."""
    assert samples_of([]) == ()


plates: Final = st.lists(
    st.tuples(
        st.sampled_from(["A", "b-2", "c.3", "d_4"]),
        st.sampled_from(
            (*PATTERNS, *FURTHER, "-{}", "_I{}", "_R{}_trimmed", "_{}.clean", "_R3{}", "{}")
        ),
        st.sampled_from(["1", "2"]),
        st.sampled_from(SUFFIXES),
    ).map(lambda part: f"in/{part[0]}{part[1].format(part[2])}{part[3]}"),
    unique=True,
    max_size=12,
)


@given(
    listings=plates.flatmap(lambda keys: st.tuples(st.just(keys), st.permutations(keys))),
    single_end=st.booleans(),
)
def test_order_of_files_does_not_matter(
    listings: tuple[list[str], list[str]], *, single_end: bool
) -> None:
    """Shuffled input gives the same samples, or the same faults."""
    results: list[object] = []
    for keys in listings:
        try:
            results.append(samples_of(keys, single_end=single_end))
        except InvalidInputError as error:
            results.append(error.faults)

    assert results[0] == results[1]


@given(keys=plates, single_end=st.booleans())
def test_no_file_is_lost(keys: list[str], *, single_end: bool) -> None:
    """Each file is in exactly one place of one sample, or named as left out, or there is a fault."""
    try:
        found = pairing_of(keys, single_end=single_end)
    except InvalidInputError as refused:
        at_fault = {fault.place for fault in refused.faults}
    else:
        at_fault, samples = set(), found.samples
        used = [key for sample in samples for pair in sample.pairs for _, key in pair.files()]
        assert sorted([*used, *found.left_out]) == sorted(keys)
        assert [sample.sample_id for sample in samples] == sorted({s.sample_id for s in samples})
    assert at_fault <= set(keys)


def test_pair_yields_its_files_in_order() -> None:
    """First reads first; a single-end pair has one file."""
    assert list(FastqPair("a", "b").files()) == [("r1", "a"), ("r2", "b")]
    assert list(FastqPair("a").files()) == [("r1", "a")]
