"""A workset in the making on a page: what it says, what is wrong with it, and what it costs."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, Self

from attrs import evolve, field, frozen

from daylily.application.submit_workset import Submission
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.estimate import Estimate
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import REFERENCE_GENOMES, Manifest, reference_genome
from daylily.domain.pipelines import Pipeline
from daylily.entrypoints.http.submission import Reading, read_submission
from daylily.entrypoints.portal.sample_table import CellFault, Table

GENOMES: Final[Mapping[str, str]] = {
    "GRCh38": "Human, the assembly most resources of today are for (also called hg38)",
    "GRCh37": "Human, the assembly before it (hg19): for comparison with older work",
    "T2T-CHM13": "Human, complete from end to end, without gaps (hs1)",
    "GRCm39": "Mouse (mm39)",
}
"""References in plain words."""
PRIORITIES: Final[Mapping[Priority, str]] = {
    Priority.URGENT: "Goes before all others",
    Priority.NORMAL: "In the order of arrival",
    Priority.LOW: "When nothing else waits",
}
LOOKED_INTO: Final = 100
"""Rows up to which files are looked into while somebody types; of larger tables, at the review."""
_FIELDS: Final = (
    *("workset_name", "pipeline_type", "reference_genome", "priority"),
    *("notification_email", "max_retries", "tags"),
)
_TAG: Final = re.compile(r"tags(\[\d+\])?")


@frozen(kw_only=True)
class Draft:
    """What somebody has written so far; nothing of it has been checked."""

    name: str = ""
    pipeline: str = ""
    genome: str = REFERENCE_GENOMES[0]
    priority: str = Priority.NORMAL
    email: str = ""
    tags: str = ""
    max_retries: str = ""
    table: Table = field(factory=Table)
    brought: tuple[str, ...] = ()
    """Keys of files that were uploaded for this one: cells may name them by their names alone."""
    arriving: frozenset[str] = frozenset()
    """Those of them that are still on their way."""

    @classmethod
    def of(cls, form: Mapping[str, object], table: Table) -> Self:
        """Return the draft that a form says."""

        def text(name: str, default: str = "") -> str:
            value = form.get(name)
            return value.strip()[:400] if isinstance(value, str) else default

        brought = keys_in(form.get("files"))
        return cls(
            name=text("workset_name"),
            pipeline=text("pipeline_type"),
            genome=text("reference_genome", REFERENCE_GENOMES[0]),
            priority=text("priority", Priority.NORMAL),
            email=text("notification_email"),
            tags=text("tags"),
            max_retries=text("max_retries"),
            table=table,
            brought=brought,
            arriving=frozenset(keys_in(form.get("arriving"))),
        )

    def reading(self, *, max_retries: int) -> Reading:
        """Return the submission, read as the API reads one."""
        body: dict[str, object] = {
            "workset_name": self.name,
            "pipeline_type": self.pipeline or None,
            "reference_genome": self.genome,
            "priority": self.priority,
            "samples": self.table.entries(),
        }
        tags = [tag.strip() for tag in self.tags.split(",") if tag.strip()]
        more = {
            "notification_email": self.email,
            "tags": tags,
            "max_retries": whole_number(self.max_retries),
        }
        body |= {name: value for name, value in more.items() if value}
        if self.max_retries == "0":
            body["max_retries"] = 0
        return read_submission(body, max_retries=max_retries, key_of=self.key_of())

    def key_of(self) -> Callable[[str], str]:
        """Return what makes a key of what a cell says: files brought along go by their names."""
        known, named = {*self.brought}, {_name(key): key for key in self.brought}
        return lambda written: written if written in known else named.get(_name(written), written)

    def in_their_words(self, fault: Fault) -> Fault:
        """Return a fault that calls files which were brought along by their names."""
        message = fault.message
        for key in self.brought:
            message = message.replace(key, _name(key))
        return Fault(fault.place, message)


@frozen(kw_only=True)
class Checked:
    """A draft, and what there is to be said of it."""

    draft: Draft
    submission: Submission
    cells: Sequence[CellFault] = ()
    fields: Mapping[str, str] = field(factory=dict)
    """For each field of the form with a fault, what it is."""
    others: Sequence[str] = ()
    """Faults that have no place on the page."""
    estimate: Estimate | None = None
    prices: Mapping[Priority, Estimate] = field(factory=dict)

    @property
    def sound(self) -> bool:
        """Whether it could be submitted."""
        return not (self.cells or self.fields or self.others)

    @property
    def count(self) -> int:
        """How many faults there are."""
        return len(self.cells) + len(self.fields) + len(self.others)

    def by_cell(self) -> Mapping[tuple[int, str], str]:
        """Return what is wrong with each cell, by its row and column."""
        found: dict[tuple[int, str], str] = {}
        for each in self.cells:
            place = (each.row, each.column)
            found[place] = f"{found[place]}; {each.message}" if place in found else each.message
        return found

    def with_faults(self, faults: Iterable[Fault]) -> Self:
        """Return it with faults that were found later, at their places."""
        cells, rest = self.draft.table.told(faults)
        fields, others = _placed(rest)
        return evolve(
            self,
            cells=[*self.cells, *cells],
            fields={**self.fields, **fields},
            others=[*self.others, *others],
        )


def check(app: App, who: Principal, draft: Draft, *, whole: bool = True) -> Checked:
    """
    Say what is wrong with a draft, by the use case that would submit it, and what it will cost.

    Args:
        whole: Look into files, however many there are.

    Raises:
        NotFoundError: There is no such customer for the caller.
    """
    reading = draft.reading(max_retries=app.settings.max_retries)
    submission = reading.submission
    if whole or len(draft.table.rows) <= LOOKED_INTO:
        found = app.submit.faults(who, who.customer_id, submission)
    else:
        try:
            app.submit.check(submission)
            found = ()
        except InvalidInputError as error:
            found = error.faults
    coming = _coming(submission, draft.arriving)
    told = reading.told(fault for fault in found if not _is_missing(fault, coming))
    estimate, prices = costs(app, submission)
    checked = Checked(draft=draft, submission=submission, estimate=estimate, prices=prices)
    return checked.with_faults(map(draft.in_their_words, told.faults))


def costs(app: App, submission: Submission) -> tuple[Estimate | None, Mapping[Priority, Estimate]]:
    """Return the estimate of a submission, and of the same at each priority, as far as it is known."""
    try:
        genome = reference_genome(submission.reference_genome)
    except InvalidInputError:
        genome = REFERENCE_GENOMES[0]
    manifest = Manifest(
        samples=submission.samples, pipeline=submission.pipeline, reference_genome=genome
    )
    prices = {}
    for priority in Priority:
        if made := app.estimate.of(manifest, priority):
            prices[priority] = made
    return prices.get(_priority(submission.priority)), prices


def choices(app: App) -> tuple[Sequence[Pipeline], Sequence[Pipeline]]:
    """Return the pipelines that run here, and those that would have to be set up first."""
    every = app.settings.registry.pipelines
    return [each for each in every if each.runs_here], [each for each in every if not each.runs_here]


def keys_in(value: object) -> tuple[str, ...]:
    """Return the keys that a page sends along as a list, or as the JSON of one."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "[]")
        except (ValueError, RecursionError):
            return ()
    if not isinstance(value, list):
        return ()
    return tuple(key for key in value if isinstance(key, str))


def _placed(faults: Iterable[Fault]) -> tuple[Mapping[str, str], Sequence[str]]:
    fields: dict[str, str] = {}
    others = []
    for fault in faults:
        place = "tags" if _TAG.fullmatch(fault.place) else fault.place
        if place in _FIELDS:
            fields[place] = f"{fields[place]}; {fault.message}" if place in fields else fault.message
        else:
            others.append(f"{place}: {fault.message}" if place else fault.message)
    return fields, others


def _coming(submission: Submission, arriving: Collection[str]) -> Collection[str]:
    """Return the places of files that are just being uploaded."""
    if not arriving:
        return ()
    manifest = Manifest(samples=submission.samples, pipeline=submission.pipeline)
    return {place for place, key in manifest.files() if key in arriving}


def _is_missing(fault: Fault, coming: Collection[str]) -> bool:
    return fault.place in coming and fault.message.endswith("; upload it first")


def _name(written: str) -> str:
    return written.replace("\\", "/").rpartition("/")[2]


def whole_number(text: str) -> object:
    """Return the number that a text is; one that is none is left for the reader to judge."""
    return int(text) if re.fullmatch("[0-9]{1,6}", text) else text


def _priority(text: str) -> Priority:
    try:
        return Priority(text)
    except ValueError:
        return Priority.NORMAL
