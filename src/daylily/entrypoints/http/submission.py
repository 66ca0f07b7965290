"""A workset as clients write it, and the way back from the domain's faults to their own words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from attrs import define, evolve, field, frozen

from daylily.application.submit_workset import Submission
from daylily.domain.clusters import LONGEST, Requirements, time_limit
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import MAX_SAMPLES, FastqPair, Sample, Vendor
from daylily.entrypoints.http.requests import Fields

SAMPLE_ID: Final = ("sample_id", "id", "name", "sample")
R1: Final = ("r1_file", "r1", "fq1", "fastq_1", "fastq_r1")
R2: Final = ("r2_file", "r2", "fq2", "fastq_2", "fastq_r2")

MOST_ENTRIES: Final = 10 * MAX_SAMPLES
"""Entries are lanes; how many samples they may make is the domain's to say."""

_WORDS: Final = ("sample_type", "library_prep", "platform", "barcode")
_TEXTS: Final = ("run_id", "experiment_id", "concordance_dir", "external_id")
_NUMBERS: Final = ("coverage", "subsample")
_COUNTS: Final = ("n_x", "n_y")
_FLAGS: Final = ("positive_control", "negative_control")

_PLACE: Final = re.compile(r"samples\[(\d+)\](?:\.pairs\[(\d+)\])?(?:\.(\w+))?")


@frozen
class _Entry:
    """One entry of ``samples``: a lane of a sample."""

    fields: Fields
    pair: FastqPair


@define
class _Lanes:
    """The entries that name one sample."""

    sample: Sample
    """Without its pairs."""
    given: dict[str, tuple[Any, str]]
    """What its entries say of it beside its files: each value, and where it stands."""
    entries: list[_Entry] = field(factory=list)


@frozen
class Reading:
    """A submission, and where in the request each part of it stood."""

    submission: Submission
    """As much of it as could be read."""
    faults: tuple[Fault, ...]
    """Fields that are missing, unknown or of the wrong type: with any, it cannot be taken."""
    _samples: tuple[_Lanes, ...]

    def told(self, faults: Iterable[Fault]) -> InvalidInputError:
        """
        Return what was found on reading, and the domain's *faults* at the places that the caller knows.

        What the domain says of a field that could not be read is about what stands in for it.
        """
        places = {fault.place for fault in self.faults}
        if any(place.startswith("samples[") for place in places):
            places.add("samples")
        theirs = (Fault(self._in_words(each.place), self._in_words(each.message)) for each in faults)
        return InvalidInputError(
            [*self.faults, *(fault for fault in theirs if fault.place not in places)]
        )

    def _in_words(self, text: str) -> str:
        if text == "pipeline":
            return "pipeline_type"
        return _PLACE.sub(self._place, text)

    def _place(self, match: re.Match[str]) -> str:
        sample, pair, name = int(match[1]), match[2], match[3]
        if sample >= len(self._samples):
            return match[0]
        lanes = self._samples[sample]
        if pair is None and name in lanes.given:
            return lanes.given[name][1]
        fields = lanes.entries[int(pair or 0)].fields
        if name is None:
            return fields.place
        wire = {"r1": R1[0], "r2": R2[0]}.get(name, name)
        return fields.written.get(wire, fields.path(wire))


def read_submission(body: Mapping[str, object], *, max_retries: int) -> Reading:
    """
    Read the body of a submission.

    Several entries of one ``sample_id`` are lanes of one sample, in their order.

    Args:
        max_retries: What a body that does not say gets.
    """
    fields = Fields(body)
    name = fields.required("workset_name")
    pipeline = fields.required("pipeline_type")
    genome = fields.text("reference_genome") or "GRCh38"
    priority = fields.text("priority") or "normal"
    email = fields.text("notification_email")
    retries = fields.whole("max_retries")
    requirements = _requirements(fields)
    _take_historic(fields)
    entries = fields.objects("samples", most=MOST_ENTRIES)
    samples = _samples(entries)
    fields.refuse_others()
    submission = Submission(
        name=name,
        pipeline=pipeline,
        samples=tuple(
            evolve(lanes.sample, pairs=tuple(entry.pair for entry in lanes.entries))
            for lanes in samples
        ),
        reference_genome=genome,
        priority=priority,
        notification_email=email,
        max_retries=max_retries if retries is None else retries,
        requirements=requirements,
    )
    return Reading(submission, tuple(fields.faults), samples)


def _requirements(fields: Fields) -> Requirements:
    hours = fields.number("time_limit_hours")
    limit = None if hours is None else time_limit(hours)
    if hours is not None and limit is None:
        fields.fault("time_limit_hours", f"is not above 0 and at most {LONGEST // timedelta(hours=1)}")
    return Requirements(
        # Portals of old send an empty text for no choice.
        cluster=fields.text("preferred_cluster") or None,
        availability_zone=fields.text("availability_zone") or None,
        time_limit=limit,
    )


def _take_historic(fields: Fields) -> None:
    """Take what clients of old send along (contract 4.3), unless it asks for what we would not do."""
    for name in ("enable_qc", "archive_results"):
        fields.flag(name)
    fields.text("workset_type")
    for name in ("s3_bucket", "s3_prefix"):
        fields.must_be_empty(name, "where worksets are kept is the server's to say; leave it out")
    for name in ("yaml_content", "manifest_id", "manifest_tsv_content"):
        fields.must_be_empty(name, "say under 'samples' what is to be run")


def _samples(entries: Sequence[Fields]) -> tuple[_Lanes, ...]:
    found: dict[str, _Lanes] = {}
    for fields in entries:
        sample_id = fields.required(*SAMPLE_ID)
        fields.text("status")  # portals of old send it along
        pair = FastqPair(fields.required(*R1), fields.text(*R2), _lane(fields))
        given = _given(fields)
        fields.refuse_others()
        values = {name: value for name, (value, _) in given.items()}
        name = sample_id or fields.place  # entries without an id are not lanes of one sample
        if name not in found:
            sample = Sample(sample_id=sample_id, pairs=(), **values)
            found[name] = _Lanes(sample, given)
        else:
            _merge(found[name], given, fields)
        found[name].entries.append(_Entry(fields, pair))
    return tuple(found.values())


def _merge(lanes: _Lanes, given: Mapping[str, tuple[Any, str]], fields: Fields) -> None:
    """Take over what a further lane says of its sample; it may not contradict an earlier one."""
    for name, (value, place) in given.items():
        earlier = lanes.given.get(name)
        if earlier is None:
            lanes.given[name] = (value, place)
            lanes.sample = evolve(lanes.sample, **{name: value})
        elif earlier[0] != value:
            text = f"{value!r} is not what {earlier[1]} says of the same sample"
            fields.fault(name, text[:200])


def _lane(fields: Fields) -> str:
    """Return the lane, which many write as a number."""
    lane = fields.take("lane")
    if isinstance(lane, int) and not isinstance(lane, bool) and 0 <= lane < 10_000:
        return str(lane)
    return fields.text("lane", default="0") or "0"


def _given(fields: Fields) -> dict[str, tuple[Any, str]]:
    """Return what an entry says of its sample, beside its id and its files."""
    said: dict[str, object] = {}
    for name in (*_WORDS, *_TEXTS):
        said[name] = fields.text(name)
    for name in _NUMBERS:
        said[name] = fields.number(name)
    for name in _COUNTS:
        said[name] = fields.whole(name)
    for name in _FLAGS:
        said[name] = fields.flag(name) or None
    said["vendor"] = _vendor(fields)
    return {name: (value, fields.written[name]) for name, value in said.items() if value is not None}


def _vendor(fields: Fields) -> Vendor | None:
    text = fields.text("vendor")
    if text is None:
        return None
    try:
        return Vendor(text)
    except ValueError:
        fields.fault("vendor", f"{text[:40]!r} is not one of {', '.join(Vendor)}")
        return None
