"""
The rows of the report: what is known of each workset; what is not known is None, and never a guess.

Columns and their order are those of the old report (contract 6.1).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from attrs import evolve, field, frozen

from daylily.domain.clusters import Cluster
from daylily.domain.errors import InvalidInputError
from daylily.domain.estimate import RateCard, cost_of_a_day, cost_of_run, cost_of_transfer
from daylily.domain.lifecycle import State
from daylily.domain.manifest import Manifest
from daylily.domain.pipelines import Pipeline, PipelineRegistry
from daylily.domain.sentinels import Sentinel, SentinelBody, state_shown
from daylily.domain.workset import Attempt, Workset

UNKNOWN: Final = "unknown"
DETAIL_LENGTH: Final = 300
"""Characters kept of why a workset is where it is; ``daylily show`` has the rest."""

_UNKNOWN_RANK: Final = 6
_RANK: Final = {
    State.ERROR: 0,
    State.FAILED: 0,
    State.IN_PROGRESS: 1,
    State.RETRYING: 1,
    State.LOCKED: 2,
    State.READY: 3,
    State.COMPLETE: 4,
    State.IGNORED: 5,
    State.CANCELED: 5,
}
_FAILED: Final = frozenset({State.ERROR, State.FAILED, State.RETRYING})


@frozen(kw_only=True)
class Contents:
    """What lies in a workset's directory, as a listing tells it."""

    fastq_bytes: int | None
    """None where some of the files lie elsewhere."""
    crams: int = 0
    cram_bytes: int = 0
    vcfs: int = 0
    vcf_bytes: int = 0
    results_bytes: int = 0
    """Of all attempts: all of it is kept, and paid for."""


@frozen(kw_only=True)
class ReportRow:
    """What is known of one workset."""

    workset: str
    state: str
    rank: int
    """Reports are sorted by it, and then by ``workset``: what needs a person comes first."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    run_time: timedelta | None = None
    valid: bool | None = None
    """Whether all that an engine needs to know is there and sound."""
    cluster: str | None = None
    zone: str | None = None
    budget: str | None = None
    pipeline_command: str | None = None
    clone_command: str | None = None
    samples: int | None = None
    libraries: int | None = None
    fastqs: int | None = None
    contents: Contents | None = None
    """None where nobody has looked."""
    daily_usd: Decimal | None = None
    cram_transfer_usd: tuple[Decimal, Decimal] | None = None
    """To another region, and to the internet."""
    vcf_transfer_usd: tuple[Decimal, Decimal] | None = None
    compute_usd: Decimal | None = None
    detail: str = ""

    def with_contents(self, contents: Contents, rates: RateCard) -> "ReportRow":
        """Return the row with what lies in the directory, and what that costs."""
        return evolve(
            self,
            contents=contents,
            daily_usd=cost_of_a_day(contents.results_bytes, rates),
            cram_transfer_usd=cost_of_transfer(contents.cram_bytes, rates),
            vcf_transfer_usd=cost_of_transfer(contents.vcf_bytes, rates),
        )

    def with_commands(self, commands: Mapping[str, tuple[str, ...]]) -> "ReportRow":
        """Return the row with what the workset's files say that the engine of old is to run."""
        run, clone = commands.get("dy_r"), commands.get("day_clone")
        return evolve(
            self,
            pipeline_command=" ".join(("dy-r", *run)) if run else self.pipeline_command,
            clone_command=" ".join(("day-clone", *clone)) if clone else None,
        )


def unreadable_row(workset_id: str, error: str) -> ReportRow:
    """Return the row of a workset that cannot be read."""
    return ReportRow(
        workset=workset_id, state=UNKNOWN, rank=_UNKNOWN_RANK, valid=False, detail=_line(error)
    )


@frozen(kw_only=True)
class Facts:
    """
    What rows are made of beside worksets.

    Args:
        clusters: By name.
    """

    pipelines: PipelineRegistry
    rates: RateCard
    clusters: Mapping[str, Cluster] = field(factory=dict)

    def row(self, workset: Workset, at: datetime, *, put_away: bool = False) -> ReportRow:
        """
        Return the row of a stored workset.

        Args:
            put_away: Whether its directory has been moved to the archive.
        """
        started, ended = _span(workset)
        running = started is not None and ended is None
        last = at if running and workset.state is State.IN_PROGRESS else ended
        name = workset.cluster if workset.attempts else None
        cluster = self.clusters.get(name or "")
        state = workset.archived_from or workset.state
        row = ReportRow(
            workset=workset.workset_id,
            state=_shown(state, archived=put_away or workset.state is State.ARCHIVED),
            rank=_RANK.get(state, _UNKNOWN_RANK),
            started_at=started,
            ended_at=ended,
            run_time=last - started if started and last else None,
            cluster=name,
            zone=cluster.availability_zone if cluster else None,
            compute_usd=self.cost(workset),
            detail=_detail(workset),
        )
        return _with_manifest(row, workset.manifest)

    def archived_row(
        self,
        workset_id: str,
        sentinels: Mapping[Sentinel, SentinelBody],
        manifest: Manifest | None,
    ) -> ReportRow:
        """
        Return the row of a directory in the archive that the store knows nothing of.

        Args:
            manifest: What its files say; None if they make no sense.
        """
        state = state_shown(sentinels)
        begun = _when(sentinels, Sentinel.IN_PROGRESS)
        ended = _when(sentinels, Sentinel.COMPLETE, Sentinel.ERROR)
        told = next((sentinels[each] for each in Sentinel if each in sentinels), None)
        row = ReportRow(
            workset=workset_id,
            state=f"{UNKNOWN} (archived)" if state is None else _shown(state, archived=True),
            rank=_UNKNOWN_RANK if state is None else _RANK[state],
            started_at=begun,
            ended_at=ended,
            run_time=ended - begun if begun and ended and begun <= ended else None,
            valid=False,
            detail=_line(told.detail if told else ""),
        )
        return row if manifest is None else _with_manifest(row, manifest)

    def cost(self, workset: Workset) -> Decimal | None:
        """Return what the attempts that have ended cost; None where nobody can say."""
        pipeline = self._pipeline(workset.manifest.pipeline)
        ended = [
            (each, each.ended_at - each.started_at)
            for each in workset.attempts
            if each.ran and each.ended_at is not None
        ]
        if pipeline is None or not ended:
            return None
        if pipeline.per_sample and len(workset.manifest.samples) > 1:
            return None  # how long each task of an array took is not kept
        cpus = pipeline.resources.cpus
        costs = (cost_of_run(cpus * (took / _HOUR), self._price(workset, each)) for each, took in ended)
        return sum(costs, Decimal("0.00"))

    def speaks_for(self, workset: Workset) -> bool:
        """Tell whether what was run is what the workset's files say to the engine of old."""
        pipeline = self._pipeline(workset.manifest.pipeline)
        if workset.attempts and not workset.foreign_run:
            return pipeline is not None and pipeline.uses("dy_r")
        return _span(workset)[0] is not None

    def _price(self, workset: Workset, attempt: Attempt) -> Decimal:
        cluster = self.clusters.get(attempt.cluster or "")
        if cluster is not None and cluster.cost_per_vcpu_hour:
            return Decimal(str(cluster.cost_per_vcpu_hour))
        return self.rates.vcpu_hour[workset.priority]

    def _pipeline(self, name: str) -> Pipeline | None:
        try:
            return self.pipelines.get(name)
        except InvalidInputError:
            return None


_HOUR: Final = timedelta(hours=1)


def _with_manifest(row: ReportRow, manifest: Manifest) -> ReportRow:
    if not manifest.samples:
        # Registered by name alone: what its files hold, the store was never told.
        return evolve(row, valid=None, pipeline_command=manifest.pipeline)
    libraries = {(each.sample_id, each.library_prep, each.barcode) for each in manifest.samples}
    return evolve(
        row,
        valid=next(manifest.faults(), None) is None,
        pipeline_command=manifest.pipeline,
        samples=len(manifest.samples),
        libraries=len(libraries),
        fastqs=sum(1 for _ in manifest.files()),
    )


def _span(workset: Workset) -> tuple[datetime | None, datetime | None]:
    """Return when the last run began and ended, be it ours or another system's."""
    if workset.attempts and not workset.foreign_run:
        last = workset.attempts[-1]
        return last.started_at, last.ended_at
    started: datetime | None = None
    ended: datetime | None = None
    for step in workset.history:
        if step.state is State.IN_PROGRESS:
            started, ended = step.at, None
        elif started is not None and ended is None:
            ended = step.at
    return started, ended


def _when(sentinels: Mapping[Sentinel, SentinelBody], *names: Sentinel) -> datetime | None:
    return next((sentinels[name].at for name in names if name in sentinels), None)


def _shown(state: State, *, archived: bool) -> str:
    return f"{state} (archived)" if archived else str(state)


def _detail(workset: Workset) -> str:
    if workset.failure is not None and workset.state in _FAILED:
        return _line(workset.failure.message)
    if workset.waits_for is not None:
        return _line(f"waits for {workset.waits_for}")
    if workset.progress is not None and workset.state is State.IN_PROGRESS:
        progress = workset.progress
        return _line(f"{progress.done}/{progress.total} {progress.message}")
    return _line(workset.history[-1].reason) if workset.history else ""


def _line(text: str) -> str:
    return " ".join(text.split())[:DETAIL_LENGTH]
