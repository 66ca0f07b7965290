"""What goes out over HTTP and as ``--json``: our own shapes, apart from the domain's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Self

from attrs import frozen
from cattrs.preconf.json import make_converter

from daylily.application.explain_workset import Explanation
from daylily.application.places import Places
from daylily.application.read_worksets import ReadWorksets
from daylily.application.show_usage import Month, Usage
from daylily.domain.diagnosis import remedy_of
from daylily.domain.estimate import Estimate
from daylily.domain.lifecycle import Priority, State
from daylily.domain.manifest import Manifest, Sample
from daylily.domain.results import SampleOutcome
from daylily.domain.retry import ErrorCategory
from daylily.domain.workset import Attempt, Transition, Workset
from daylily.ports.paging import Page

_FOR_PEOPLE: Final = frozenset({State.ERROR, State.FAILED})


@frozen(kw_only=True)
class TransitionView:
    """One entry of the history, as the table of old has it, and who did it."""

    state: str
    timestamp: str
    reason: str
    actor: str

    @classmethod
    def of(cls, entry: Transition) -> Self:
        """Return the view of a transition."""
        return cls(state=entry.state, timestamp=_time(entry.at), reason=entry.reason, actor=entry.actor)


@frozen(kw_only=True)
class HistoryPage:
    """A page of all that a workset has been through, latest first."""

    transitions: tuple[TransitionView, ...]
    cursor: str | None

    @classmethod
    def of(cls, page: Page[Transition]) -> Self:
        """Return the view of a page."""
        return cls(transitions=tuple(map(TransitionView.of, page.items)), cursor=page.cursor)


@frozen(kw_only=True)
class AttemptView:
    """One launch of the pipeline."""

    number: int
    job: str
    started_at: str
    ended_at: str | None
    outcome: str | None
    follows: int | None
    requested_by: str | None
    error: str | None
    cluster: str | None = None
    """Where it ran; None in an installation of one engine."""
    only: tuple[str, ...] = ()
    """The samples that it is for; empty for all."""

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Return the view of an attempt."""
        return cls(
            number=attempt.number,
            job=attempt.job,
            started_at=_time(attempt.started_at),
            ended_at=_time(attempt.ended_at) if attempt.ended_at else None,
            outcome=attempt.outcome,
            follows=attempt.follows,
            requested_by=attempt.requested_by,
            error=attempt.failure.message if attempt.failure else None,
            cluster=attempt.cluster,
            only=attempt.only,
        )


@frozen(kw_only=True)
class SampleView:
    """One sample, its files relative to the workset's directory, and what became of it."""

    sample_id: str
    files: tuple[str, ...]
    outcome: str | None = None
    """``ok`` or ``failed``; None where that is not known (yet)."""
    message: str = ""
    """Why it failed, in one line."""
    attempt: int | None = None
    """The attempt that says so."""

    @classmethod
    def of(cls, sample: Sample, told: tuple[Attempt, SampleOutcome] | None) -> Self:
        """Return the view of a sample, given what is known of it."""
        files = tuple(key for pair in sample.pairs for _, key in pair.files())
        if told is None:
            return cls(sample_id=sample.sample_id, files=files)
        attempt, outcome = told
        return cls(
            sample_id=sample.sample_id,
            files=files,
            outcome="failed" if outcome.failed else "ok",
            message=outcome.message,
            attempt=attempt.number,
        )


@frozen(kw_only=True)
class ProgressView:
    """How far the running attempt has come, in the pipeline's own steps."""

    done: int
    total: int
    message: str


@frozen(kw_only=True)
class WorksetView:
    """A workset: the fields of contract 4.1, and ours."""

    workset_id: str
    workset_name: str
    customer_id: str
    state: str
    priority: str
    pipeline_type: str
    reference_genome: str
    sample_count: int
    bucket: str
    prefix: str
    created_at: str
    updated_at: str
    submitted_by: str
    cluster_name: str | None = None
    error_details: str | None = None
    error_category: str | None = None
    error_code: str | None = None
    """Of the catalogue of known failures, if it is one."""
    advice: str | None = None
    """What to do about a failure that nothing more happens to by itself."""
    retry_count: int = 0
    max_retries: int = 3
    retry_after: str | None = None
    cancel_requested_by: str | None = None
    waits_for: str | None = None
    preferred_cluster: str | None = None
    """It runs there, or waits."""
    availability_zone: str | None = None
    time_limit_hours: float | None = None
    """How long an attempt may run; None takes the pipeline's."""
    unknown_since: str | None = None
    """Since when the engine has said nothing of the running attempt; it may well run."""
    tags: tuple[str, ...] = ()
    version: int = 0
    """Of the record: what an ``ETag`` says."""
    estimated_cost_usd: float | None = None
    """What it was said to cost, all in all."""
    estimated_compute_usd: float | None = None
    recorded_compute_usd: float | None = None
    """What the vCPUs of its ended attempts have cost, to compare with that; null where nobody knows."""
    metrics: dict[str, float] | None = None
    """The field of old: the recorded cost, once there is one."""
    progress: ProgressView | None = None
    results_uri: str | None = None
    samples: tuple[SampleView, ...] = ()
    attempts: tuple[AttemptView, ...] = ()
    state_history: tuple[TransitionView, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.state not in {"ready", "locked", "in_progress", "retrying"}

    @property
    def partial(self) -> str:
        """How many samples came out well (``3 of 4 samples``); empty where nothing is known of any."""
        told = [sample.outcome for sample in self.samples if sample.outcome]
        fine = sum(outcome == "ok" for outcome in told)
        return f"{fine} of {self.sample_count} samples" if told else ""

    @property
    def has_failed_samples(self) -> bool:
        """Whether some samples came out well and others did not."""
        return 0 < sum(sample.outcome == "ok" for sample in self.samples) < self.sample_count

    @property
    def headline(self) -> str:
        """What went wrong, in one line; empty if nothing did."""
        return (self.error_details or "").strip().partition("\n")[0]

    @property
    def led_up(self) -> str:
        """What led up to that, as far as it is known."""
        return (self.error_details or "").strip().partition("\n")[2]

    @property
    def retry_helps(self) -> bool:
        """Whether trying it again as it is may come to something: damaged input stays damaged."""
        return self.error_category != ErrorCategory.DATA

    @classmethod
    def of(cls, workset: Workset, read: ReadWorksets) -> Self:
        """Return the view of a workset."""
        places: Places = read.places
        estimate = workset.estimate
        cost = None if workset.recorded_usd is None else float(workset.recorded_usd)
        failure, progress, outcomes = workset.failure, workset.progress, workset.outcomes
        silent = workset.unknown_since or workset.missing_since
        return cls(
            workset_id=workset.workset_id,
            workset_name=workset.name,
            customer_id=workset.customer_id,
            state=workset.state,
            priority=workset.priority,
            pipeline_type=workset.manifest.pipeline,
            reference_genome=workset.manifest.reference_genome,
            sample_count=len(workset.manifest.samples),
            bucket=read.objects.location(""),
            prefix=places.directory(workset.workset_id),
            created_at=_time(workset.created_at),
            updated_at=_time(workset.updated_at),
            submitted_by=workset.submitted_by,
            cluster_name=workset.attempts[-1].cluster if workset.attempts else None,
            preferred_cluster=workset.requirements.cluster,
            availability_zone=workset.requirements.availability_zone,
            time_limit_hours=workset.requirements.time_limit_hours,
            unknown_since=_time(silent) if silent else None,
            error_details=failure.message if failure else None,
            error_category=failure.category if failure else None,
            error_code=failure.code if failure else None,
            advice=remedy_of(failure) if failure and workset.state in _FOR_PEOPLE else None,
            retry_count=workset.retries_used,
            max_retries=workset.max_retries,
            retry_after=_time(workset.retry_at) if workset.retry_at else None,
            cancel_requested_by=workset.cancel.by if workset.cancel else None,
            waits_for=workset.waits_for,
            tags=workset.tags,
            version=workset.version,
            estimated_cost_usd=float(estimate.total_usd) if estimate else None,
            estimated_compute_usd=float(estimate.compute_usd) if estimate else None,
            recorded_compute_usd=cost,
            metrics=None if cost is None else {"compute_cost_usd": cost},
            progress=ProgressView(done=progress.done, total=progress.total, message=progress.message)
            if progress
            else None,
            results_uri=read.results_location(workset),
            samples=tuple(
                SampleView.of(sample, outcomes.get(sample.sample_id))
                for sample in workset.manifest.samples
            ),
            attempts=tuple(map(AttemptView.of, workset.attempts)),
            state_history=tuple(map(TransitionView.of, workset.history)),
        )


@frozen(kw_only=True)
class WhyView:
    """Why a workset is where it is, and what it waits for."""

    workset_id: str
    state: str
    cause: str
    """One word for programs: ``slot``, ``lock``, ``retry``, ``engine_down`` ..."""
    text: str
    """The same for people."""
    rank: int | None
    """Its place in the queue, from 1."""
    until: str | None
    """When the wait ends at the latest."""
    remedy: str | None
    """What somebody can do."""

    @classmethod
    def of(cls, found: Explanation) -> Self:
        """Return the view of an explanation."""
        return cls(
            workset_id=found.workset_id,
            state=found.state,
            cause=found.cause,
            text=found.text,
            rank=found.rank,
            until=_time(found.until) if found.until else None,
            remedy=found.remedy,
        )


@frozen(kw_only=True)
class WorksetPage:
    """Part of a listing, newest first."""

    worksets: tuple[WorksetView, ...]
    cursor: str | None = None
    """Give it back to get the next part; None at the end."""


@frozen(kw_only=True)
class LogView:
    """Part of what an attempt has written."""

    workset_id: str
    text: str
    offset: int
    """Where to go on reading, in bytes."""
    ended: bool
    logs: tuple[str, ...] = ()
    """The same, line by line, as clients of old read it."""


@frozen(kw_only=True)
class FileView:
    """A stored file; its key is relative to where the listing began."""

    key: str
    size: int
    etag: str
    modified_at: str


@frozen(kw_only=True)
class FilePage:
    """Part of a listing of files."""

    files: tuple[FileView, ...]
    cursor: str | None = None


@frozen(kw_only=True)
class CheckedView:
    """A submission that would be taken, if its files are there: names are the standard ones."""

    workset_name: str
    pipeline_type: str
    reference_genome: str
    priority: str
    sample_count: int
    file_count: int

    @classmethod
    def of(cls, name: str, manifest: Manifest, priority: Priority) -> Self:
        """Return the view of what has been checked."""
        return cls(
            workset_name=name,
            pipeline_type=manifest.pipeline,
            reference_genome=manifest.reference_genome,
            priority=priority,
            sample_count=len(manifest.samples),
            file_count=sum(1 for _ in manifest.files()),
        )


@frozen(kw_only=True)
class EstimateView:
    """What a workset will cost, in USD: the fields of contract 5.1."""

    pipeline_type: str
    sample_count: int
    priority: str
    estimated_cost_usd: float
    compute_cost_usd: float
    storage_cost_usd: float
    """Storage and FSx together."""
    transfer_cost_usd: float
    vcpu_hours: float
    estimated_duration_hours: float
    estimated_duration_minutes: int
    data_size_gb: float
    cost_breakdown: dict[str, str]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, made: Estimate) -> Self:
        """Return the view of an estimate."""
        return cls(
            pipeline_type=made.pipeline,
            sample_count=made.sample_count,
            priority=made.priority,
            estimated_cost_usd=float(made.total_usd),
            compute_cost_usd=float(made.compute_usd),
            storage_cost_usd=float(made.storage_usd + made.fsx_usd),
            transfer_cost_usd=float(made.transfer_usd),
            vcpu_hours=round(made.vcpu_hours, 1),
            estimated_duration_hours=round(made.duration_hours, 1),
            estimated_duration_minutes=int(made.duration_hours * 60),
            data_size_gb=round(made.data_size_gb, 1),
            cost_breakdown={
                "compute": f"${made.compute_usd}",
                "storage": f"${made.storage_usd}",
                "fsx": f"${made.fsx_usd}",
                "transfer": f"${made.transfer_usd}",
            },
            notes=(
                "An estimate: what is billed is what was used.",
                f"Priority {made.priority} sets the price of a vCPU-hour.",
                "Storage and FSx are for a quarter of a month; a tenth of the data is transferred.",
            ),
        )


@frozen(kw_only=True)
class LockView:
    """What became of a lock (contract 4.1)."""

    status: str
    workset_id: str
    owner_id: str | None = None


@frozen(kw_only=True)
class QueueView:
    """How many worksets are in which state (contract 4.1); what is over is not counted."""

    queue_depth: dict[str, int]
    total_worksets: int
    ready_worksets: int
    in_progress_worksets: int
    error_worksets: int

    @classmethod
    def of(cls, counts: Mapping[State, int]) -> Self:
        """Return the view of counts by state."""
        return cls(
            queue_depth={str(state): number for state, number in counts.items()},
            total_worksets=sum(counts.values()),
            ready_worksets=counts.get(State.READY, 0),
            in_progress_worksets=counts.get(State.IN_PROGRESS, 0),
            error_worksets=counts.get(State.ERROR, 0) + counts.get(State.FAILED, 0),
        )


@frozen(kw_only=True)
class SchedulerView:
    """What clusters can take, and what they have to do (contract 4.1)."""

    total_clusters: int
    total_vcpu_capacity: int
    """Of clusters whose size is bounded."""
    total_vcpus_used: int
    vcpu_utilization_percent: float
    total_active_worksets: int
    queue_depth: int


@frozen(kw_only=True)
class DirectoryView:
    """What a monitor would say of a directory (contract 4.1); the estimate is the one of all."""

    is_valid: bool
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    estimated_cost_usd: float | None = None
    estimated_duration_minutes: int | None = None
    estimated_vcpu_hours: float | None = None
    estimated_storage_gb: float | None = None

    @classmethod
    def of(cls, made: Estimate, warnings: tuple[str, ...]) -> Self:
        """Return the view of a sound directory."""
        view = EstimateView.of(made)
        return cls(
            is_valid=True,
            warnings=warnings,
            estimated_cost_usd=view.estimated_cost_usd,
            estimated_duration_minutes=view.estimated_duration_minutes,
            estimated_vcpu_hours=view.vcpu_hours,
            estimated_storage_gb=view.data_size_gb,
        )


@frozen(kw_only=True)
class YamlView:
    """A ``daylily_work.yaml``, as text and as what it says."""

    yaml_content: str
    config: dict[str, Any]


@frozen(kw_only=True)
class MonthView:
    """What a customer submitted in a month of UTC."""

    month: str
    worksets: int
    samples: int
    complete: int
    estimated_cost_usd: float
    recorded_cost_usd: float
    """Of vCPUs, as far as it is known."""

    @classmethod
    def of(cls, month: Month) -> Self:
        """Return the view of a month."""
        return cls(
            month=month.month,
            worksets=month.worksets,
            samples=month.samples,
            complete=month.complete,
            estimated_cost_usd=float(month.estimated_usd),
            recorded_cost_usd=float(month.recorded_usd),
        )


@frozen(kw_only=True)
class UsageView:
    """What a customer uses: the fields of contract 4.2, and ours."""

    customer_id: str
    storage_gb: float
    max_storage_gb: float
    storage_utilization_percent: float
    files_gb: float
    worksets_gb: float
    """Of the months that are told."""
    worksets: int
    estimated_cost_usd: float
    recorded_cost_usd: float
    months: tuple[MonthView, ...]

    @classmethod
    def of(cls, usage: Usage) -> Self:
        """Return the view of what a customer uses."""
        files, directories = (each / (1 << 30) for each in (usage.files_bytes, usage.worksets_bytes))
        stored, most = files + directories, usage.customer.max_storage_gb
        months = tuple(map(MonthView.of, usage.months))
        return cls(
            customer_id=usage.customer.customer_id,
            storage_gb=round(stored, 6),
            max_storage_gb=most,
            storage_utilization_percent=round(100 * stored / most, 4) if most else 0.0,
            files_gb=round(files, 6),
            worksets_gb=round(directories, 6),
            worksets=sum(each.worksets for each in months),
            estimated_cost_usd=round(sum(each.estimated_cost_usd for each in months), 2),
            recorded_cost_usd=round(sum(each.recorded_cost_usd for each in months), 2),
            months=months,
        )


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


converter = make_converter()


def to_json(view: object) -> Any:
    """Return a view as what ``json.dumps`` takes."""
    return converter.unstructure(view)


def from_json(raw: object, kind: type[Any]) -> Any:
    """
    Return a view from what a server of ours has sent; fields of newer servers are passed over.

    Raises:
        cattrs.BaseValidationError: That is no such view.
    """
    return converter.structure(raw, kind)
