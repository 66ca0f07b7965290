"""A workset as clients write it, and the way back from the domain's faults to their own words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from attrs import define, evolve, field, frozen

from daylily.adapters.formats import sheets, work_yaml
from daylily.adapters.formats.reading import KeyOf, Namer, as_written, translated, unnamed
from daylily.adapters.formats.work_yaml import WorkFile
from daylily.application.submit_workset import MOST_TAGS, Submission
from daylily.domain.clusters import LONGEST, Requirements, time_limit
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.manifest import MAX_SAMPLES, FastqPair, Sample, Vendor
from daylily.entrypoints.http.requests import Fields

SAMPLE_ID: Final = ("sample_id", "id", "name", "sample")
R1: Final = ("r1_file", "r1", "fq1", "fastq_1", "fastq_r1")
R2: Final = ("r2_file", "r2", "fq2", "fastq_2", "fastq_r2")

MOST_LANES: Final = 9_999
"""The largest number that a lane may have; as text it may be any word."""
MOST_ENTRIES: Final = 10 * MAX_SAMPLES
"""Entries are lanes; how many samples they may make is the domain's to say."""

_WORDS: Final = ("sample_type", "library_prep", "platform", "barcode")
_TEXTS: Final = ("run_id", "experiment_id", "concordance_dir", "external_id")
_NUMBERS: Final = ("coverage", "subsample")
_COUNTS: Final = ("n_x", "n_y")
_FLAGS: Final = ("positive_control", "negative_control")


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

    @property
    def whole(self) -> Sample:
        """The sample with its pairs."""
        return evolve(self.sample, pairs=tuple(entry.pair for entry in self.entries))


@frozen
class Reading:
    """A submission, and where in the request each part of it stood."""

    submission: Submission
    """As much of it as could be read."""
    faults: tuple[Fault, ...]
    """Fields that are missing, unknown or of the wrong type: with any, it cannot be taken."""
    _name: Namer
    """Says where the caller wrote something of a sample."""
    _unread: bool = False
    """Whether samples are said in what cannot be read: that there are none is then no news."""

    def told(self, faults: Iterable[Fault]) -> InvalidInputError:
        """
        Return what was found on reading, and the domain's *faults* at the places that the caller knows.

        What the domain says of a field that could not be read is about what stands in for it.
        """
        places = {fault.place for fault in self.faults}
        if self._unread or any(place.startswith("samples[") for place in places):
            places.add("samples")
        theirs = translated(map(of_wire, faults), self._name)
        return InvalidInputError(
            [*self.faults, *(fault for fault in theirs if fault.place not in places)]
        )


def of_wire(fault: Fault) -> Fault:
    """Return a fault of the domain at the place that a caller of the API knows."""
    return Fault("pipeline_type", fault.message) if fault.place == "pipeline" else fault


@frozen
class _Said:
    """Samples, and where they are said to be."""

    samples: tuple[Sample, ...] = ()
    name: Namer = unnamed


@frozen
class Sheet:
    """A sheet that came with a submission."""

    data: bytes
    staged: bool = False
    """It has the columns of ``stage_samples.tsv``, whatever it looks like."""


def read_submission(
    body: Mapping[str, object],
    *,
    max_retries: int,
    sheet: Sheet | None = None,
    key_of: KeyOf = as_written,
) -> Reading:
    """
    Read the body of a submission.

    Samples are said once: under ``samples``, in a sheet, or in a ``yaml_content``, whose other fields
    count where the body itself says nothing. Several entries of one sample are its lanes, in order.

    Args:
        max_retries: What a body that does not say gets.
        sheet: One that was sent beside the body.
        key_of: Makes the key of a file of what is written for it.
    """
    fields = Fields(body)
    work, in_yaml = _yaml(fields, key_of)
    # What cannot be read may well say it.
    said_elsewhere = "yaml_content" in fields.written and fields.take("yaml_content") is not None
    name = fields.optional("workset_name") or work.name
    if not name and not said_elsewhere:
        fields.required("workset_name")
    pipeline = fields.optional("pipeline_type") or work.pipeline or ""
    if not pipeline and (not said_elsewhere or in_yaml is not None):
        fields.required("pipeline_type")
    genome = fields.optional("reference_genome") or work.reference_genome
    priority = fields.optional("priority") or work.priority
    email = fields.optional("notification_email") or work.notification_email
    retries = fields.whole("max_retries", work.max_retries)
    requirements, tags = _requirements(fields), fields.texts("tags", most=MOST_TAGS)
    _take_historic(fields)
    lanes = _samples(fields.objects("samples", most=MOST_ENTRIES), key_of)
    said = [_Said(tuple(each.whole for each in lanes), _namer(lanes))] if lanes else []
    said += [in_yaml] if in_yaml is not None and in_yaml.samples else []
    said += _sheets(fields, sheet, key_of)
    if len(said) > 1:
        fields.fault("samples", "are said more than once: under samples, in a sheet or in YAML")
    found = said[0] if said else _Said()
    fields.refuse_others()
    submission = Submission(
        name=name,
        pipeline=pipeline,
        samples=found.samples,
        reference_genome=genome,
        priority=priority,
        notification_email=email,
        max_retries=max_retries if retries is None else retries,
        requirements=work.requirements if requirements == Requirements() else requirements,
        tags=tags,
    )
    unread = not found.samples and (bool(said) or in_yaml is None)
    return Reading(submission, tuple(fields.faults), found.name, unread)


def _yaml(fields: Fields, key_of: KeyOf) -> tuple[WorkFile, _Said | None]:
    """Return what a body's YAML says, and its samples; None if it cannot be read."""
    text = fields.text("yaml_content")
    if not text:
        return WorkFile(name=""), _Said()
    found = work_yaml.read(text.encode(), default_name="", key_of=key_of)
    before = "yaml_content: "
    fields.faults += [Fault(_at(before, each.place), each.message) for each in found.faults]
    if found.file is None or found.faults:
        return found.file or WorkFile(name=""), None
    return found.file, _Said(found.file.samples, _within(before, found.name))


def _sheets(fields: Fields, sheet: Sheet | None, key_of: KeyOf) -> Iterator[_Said]:
    written = fields.text("manifest_tsv_content")
    if written:
        before = "manifest_tsv_content: "
        yield _sheet(fields, Sheet(written.encode(), staged=True), before, key_of)
    if sheet is not None:
        yield _sheet(fields, sheet, "", key_of)


def _sheet(fields: Fields, sheet: Sheet, before: str, key_of: KeyOf) -> _Said:
    kind = sheets.kind_of(sheet.data, staged=sheet.staged)
    try:
        found = kind.read(sheet.data, strict=True, key_of=key_of)
    except InvalidInputError as error:
        fields.faults += [Fault(_at(before, each.place), each.message) for each in error.faults]
        return _Said()
    return _Said(found.samples, _within(before, found.name))


def _at(before: str, place: str) -> str:
    """Return where a fault stands; what is wrong with all of a text, at the text's own name."""
    return before + place if place else before.removesuffix(": ") or "sheet"


def _within(before: str, name: Namer) -> Namer:
    return lambda sample, pair, part: before + name(sample, pair, part)


def _namer(samples: Sequence[_Lanes]) -> Namer:
    def place(sample: int, pair: int | None, name: str | None) -> str:
        lanes = samples[sample]
        if pair is None and name in lanes.given:
            return lanes.given[name][1]
        fields = lanes.entries[pair or 0].fields
        if name is None:
            return fields.place
        wire = {"r1": R1[0], "r2": R2[0]}.get(name, name)
        return fields.written.get(wire, fields.path(wire))

    return place


def _requirements(fields: Fields) -> Requirements:
    hours = fields.number("time_limit_hours")
    limit = None if hours is None else time_limit(hours)
    if hours is not None and limit is None:
        fields.fault("time_limit_hours", f"is not above 0 and at most {LONGEST // timedelta(hours=1)}")
    return Requirements(
        cluster=fields.optional("preferred_cluster"),
        availability_zone=fields.optional("availability_zone"),
        time_limit=limit,
    )


def _take_historic(fields: Fields) -> None:
    """Take what clients of old send along (contract 4.3), unless it asks for what we would not do."""
    for name in ("enable_qc", "archive_results"):
        fields.flag(name)
    fields.text("workset_type")
    for name in ("s3_bucket", "s3_prefix"):
        fields.must_be_empty(name, "where worksets are kept is the server's to say; leave it out")
    fields.must_be_empty("manifest_id", "say under 'samples' what is to be run")


def _samples(entries: Sequence[Fields], key_of: KeyOf) -> tuple[_Lanes, ...]:
    found: dict[str, _Lanes] = {}
    for fields in entries:
        sample_id = fields.required(*SAMPLE_ID)
        fields.text("status")  # portals of old send it along
        r1, r2 = fields.required(*R1), fields.text(*R2)
        pair = FastqPair(key_of(r1), r2 if r2 is None else key_of(r2), _lane(fields))
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
    if isinstance(lane, int) and not isinstance(lane, bool) and 0 <= lane <= MOST_LANES:
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
