"""
Hypothesis strategies for what the domain knows: sound by construction unless the name says otherwise.

>>> from hypothesis import given, settings
>>> @settings(max_examples=5)
... @given(manifests())
... def check(manifest):
...     assert list(manifest.faults()) == []
>>> check()

"""

import re
import string
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy, composite

from daylily.domain.clusters import Requirements
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import REFERENCE_GENOMES, FastqPair, Manifest, Sample, Vendor
from daylily.domain.names import key_fault
from daylily.domain.pipelines import SHIPPED
from daylily.domain.sentinels import SentinelBody
from daylily.domain.workset import Workset
from daylily.testing.walks import walk

_ALNUM: Final = string.ascii_letters + string.digits
_EXTENSIONS: Final = (".fastq.gz", ".fq.gz", ".fastq", ".fq", ".fastq.bz2")
_BLANKS: Final = re.compile(r"\s+")
_NOT_IN_KEYS: Final = "/\\\u2028\u2029"
_WAITS: Final = st.timedeltas(timedelta(0), timedelta(hours=2))
_DEMANDING: Final = Requirements(
    cluster="cluster-1", availability_zone="us-west-2a", time_limit=timedelta(hours=90)
)
_PIPELINES: Final = st.sampled_from([pipeline.name for pipeline in SHIPPED])


@cache
def lines(max_size: int = 40) -> SearchStrategy[str]:
    """Text without control characters and line ends, in any script; never blank at either end."""
    characters = st.characters(
        codec="utf-8", exclude_categories=["Cc"], exclude_characters="\u2028\u2029"
    )
    return st.text(characters, max_size=max_size).map(str.strip)


def _name(more: str, at_least: int, at_most: int) -> SearchStrategy[str]:
    # Many times as fast as st.from_regex() with the domain's patterns, to which a test holds it.
    rest = st.text(_ALNUM + more, min_size=at_least, max_size=at_most)
    return st.builds(str.__add__, st.sampled_from(_ALNUM), rest)


@cache
def ids() -> SearchStrategy[str]:
    """Ids of worksets and customers."""
    return _name("_-", 2, 63)


@cache
def instants() -> SearchStrategy[datetime]:
    """Aware instants in UTC."""
    return st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def _is_part(part: str) -> bool:
    return key_fault(part, "") is None


@cache
def object_keys() -> SearchStrategy[str]:
    """Keys that every object store takes, in any script."""
    characters = st.characters(
        codec="utf-8", exclude_categories=["Cc"], exclude_characters=_NOT_IN_KEYS
    )
    plain = st.text(_ALNUM + "._ -", min_size=1, max_size=12)
    part = st.one_of(plain, st.text(characters, min_size=1, max_size=12)).filter(_is_part)
    return st.lists(part, min_size=1, max_size=4).map("/".join)


@cache
def unsound_keys() -> SearchStrategy[str]:
    """Keys that no object store takes: they lead elsewhere, or nowhere."""
    fixed = st.sampled_from(["", "/", ".", "..", "//", "/etc/passwd", "..\\x", "\ud800", "a" * 1025])
    bad_part = st.sampled_from(
        ["", ".", "..", "a\0b", "a\nb", "a\tb", "a\\b", "\x7f", "\x85", "\u2028"]
    )
    return st.one_of(
        fixed,
        st.builds("/{}".format, object_keys()),
        st.builds("{}/{}".format, object_keys(), bad_part),
        st.builds("{}/{}".format, bad_part, object_keys()),
        st.builds("{}/{}/{}".format, object_keys(), bad_part, object_keys()),
    )


@cache
def fastq_keys() -> SearchStrategy[str]:
    """Keys of FASTQ files, relative or in a bucket."""
    bucket = st.sampled_from(["", "", "s3://reads/", "s3://acme-lab.example/"])
    keys = st.builds("{}{}{}".format, bucket, object_keys(), st.sampled_from(_EXTENSIONS))
    return keys.filter(lambda key: key == key.strip())


@cache
def sample_ids() -> SearchStrategy[str]:
    """Ids of samples."""
    return _name("._-", 0, 63)


@cache
def words() -> SearchStrategy[str]:
    """Words of a sample's description."""
    return _name(" ._+-", 0, 63)


def _numbered(key: str, number: str) -> str:
    folder, slash, name = key.rpartition("/")
    return f"{folder}{slash}{number}_{name}"


@cache
def _lanes() -> SearchStrategy[list[str]]:
    lane = st.text(_ALNUM, min_size=1, max_size=16).filter(lambda name: name.lower() != "na")
    several = st.lists(lane.filter(lambda name: name != "0"), min_size=2, max_size=4, unique=True)
    return st.one_of(st.just(["0"]), lane.map(lambda one: [one]), several)


@composite
def _pairs(draw: DrawFn) -> tuple[FastqPair, ...]:
    lanes = draw(_lanes())
    paired = draw(st.booleans())
    # One draw for all lanes: keys are the dearest thing to draw.
    key = draw(fastq_keys())
    return tuple(
        FastqPair(_numbered(key, f"L{n}_R1"), _numbered(key, f"L{n}_R2") if paired else None, name)
        for n, name in enumerate(lanes)
    )


@cache
def samples() -> SearchStrategy[Sample]:
    """Samples, each sound by itself."""
    count = st.none() | st.integers(0, 9)
    return st.builds(
        Sample,
        sample_id=sample_ids(),
        pairs=_pairs(),
        run_id=st.none() | words(),
        experiment_id=st.none() | words(),
        sample_type=st.sampled_from(["blood", "saliva", "tumor", "cfDNA"]) | words(),
        library_prep=st.sampled_from(["noampwgs", "pcr", "wes"]) | words(),
        vendor=st.sampled_from(Vendor),
        platform=st.sampled_from(["NOVASEQX", "PROMETHION"]) | words(),
        barcode=st.just("S1") | words(),
        concordance_dir=st.none() | st.just("/fsx/data/HG002") | lines(),
        subsample=st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True),
        positive_control=st.booleans(),
        negative_control=st.booleans(),
        n_x=count,
        n_y=count,
        external_id=st.none() | lines(),
        coverage=st.none() | st.sampled_from([0.0, 30.0]) | st.floats(0, 100_000),
    )


def _staged(sample: Sample) -> str:
    return sample.sample_id.replace("_", "-").lower()


def _with_own_files(sample: Sample, number: str) -> Sample:
    # No file may serve twice, and rejecting those that do would reject most of what shrinks.
    return evolve(
        sample,
        pairs=tuple(
            evolve(
                pair,
                r1=_numbered(pair.r1, number),
                r2=None if pair.r2 is None else _numbered(pair.r2, number),
            )
            for pair in sample.pairs
        ),
    )


@cache
def _samples(max_samples: int) -> SearchStrategy[list[Sample]]:
    return st.lists(samples(), min_size=1, max_size=max_samples, unique_by=_staged)


@composite
def manifests(draw: DrawFn, *, max_samples: int = 3) -> Manifest:
    """Manifests that have no faults."""
    chosen = draw(_samples(max_samples))
    return Manifest(
        samples=tuple(_with_own_files(sample, f"s{n}") for n, sample in enumerate(chosen)),
        pipeline=draw(_PIPELINES),
        reference_genome=draw(st.sampled_from(REFERENCE_GENOMES)),
    )


@cache
def new_worksets() -> SearchStrategy[Workset]:
    """Worksets that have just been registered and never been stored."""
    return st.builds(
        Workset.register,
        workset_id=ids(),
        customer_id=ids(),
        name=lines().filter(bool),
        manifest=manifests(max_samples=2),
        at=instants(),
        actor=lines().filter(bool),
        priority=st.sampled_from(Priority),
        notification_email=st.sampled_from([None, "lab@example.org"]),
        max_retries=st.sampled_from([3, 0, 1, 10]),
        requirements=st.sampled_from([Requirements(), _DEMANDING]),
    )


@composite
def worksets(draw: DrawFn, *, max_steps: int = 12) -> Workset:
    """Worksets at the end of any walk through the lifecycle; time went on all the while."""
    workset = draw(new_worksets())
    for _ in range(draw(st.integers(0, max_steps))):
        later = workset.updated_at + draw(_WAITS)
        workset = draw(walk(workset, later))
    return workset


def _round(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _is_detail(body: SentinelBody) -> bool:
    """Tell whether what people wrote cannot be taken for a time or a mark."""
    return SentinelBody.parse(body.detail) == SentinelBody(None, body.detail)


@cache
def sentinel_bodies() -> SearchStrategy[SentinelBody]:
    """Bodies of sentinels that read back as they were written."""
    return st.builds(
        SentinelBody,
        at=st.none() | instants().map(lambda at: at.replace(microsecond=0)),
        detail=st.text(st.characters(codec="utf-8"), max_size=60).map(_round),
        sequence=st.none() | st.integers(0, 999_999_999),
    ).filter(_is_detail)
