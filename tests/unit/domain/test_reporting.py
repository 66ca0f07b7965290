"""Rows of the report, made of worksets alone."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from attrs import evolve

from daylily.domain.clusters import Cluster
from daylily.domain.estimate import RateCard
from daylily.domain.lifecycle import State
from daylily.domain.manifest import Manifest
from daylily.domain.pipelines import SHIPPED, Pipeline, PipelineRegistry, Resources
from daylily.domain.reporting import Contents, Facts, ReportRow
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.domain.workset import Progress, Workset
from daylily.testing.samples import NOON, a_manifest, a_workset, locked, running

HOUR: Final = timedelta(hours=1)
POLICY: Final = RetryPolicy(base=timedelta(seconds=1), ceiling=HOUR)
SHARED: Final = Pipeline(name="shared", command=("run",), resources=Resources(cpus=8))
ARRAY: Final = Pipeline(name="array", command=("run", "{sample_id}"), per_sample=True)
FACTS: Final = Facts(
    pipelines=PipelineRegistry((*SHIPPED, SHARED, ARRAY)),
    rates=RateCard(),
    clusters={
        "one": Cluster(name="one", availability_zone="us-west-2a", cost_per_vcpu_hour=0.05),
        "two": Cluster(name="two"),
    },
)


def of(workset: Workset) -> ReportRow:
    """Return the row of a workset, three hours after noon."""
    return FACTS.row(workset, NOON + 3 * HOUR)


def placed(cluster: str | None, pipeline: str = "shared", samples: int = 1) -> Workset:
    """Return a workset that runs on a cluster."""
    names = [f"S{number}" for number in range(samples)]
    fresh = a_workset(manifest=a_manifest(*names, pipeline=pipeline))
    taken = fresh.lock_for("m", at=NOON, timeout=HOUR, cluster=cluster)
    return taken.launched(taken.fence, "job-1", at=NOON)


def failed(workset: Workset) -> Workset:
    """Return the workset an hour later, its attempt having failed."""
    failure = Failure(ErrorCategory.PERMANENT, "line 1\nline 2")
    return workset.failed(failure, at=NOON + HOUR, actor="m", policy=POLICY, jitter=0)


@pytest.mark.parametrize(
    ("cluster", "zone", "cost"),
    [
        ("one", "us-west-2a", "0.40"),
        ("two", None, "0.24"),
        ("gone", None, "0.24"),
        (None, None, "0.24"),
    ],
)
def test_where_it_ran_and_what_that_cost(cluster: str | None, zone: str | None, cost: str) -> None:
    """The cluster's own price, where it has one; otherwise that of the rate card."""
    row = of(placed(cluster).completed(at=NOON + HOUR, actor="m"))
    assert (row.cluster, row.zone, row.compute_usd) == (cluster, zone, Decimal(cost))


def test_all_attempts_cost() -> None:
    """What failed was paid for too; what an engine refused was not, and what runs is not known yet."""
    again = running(failed(placed("two")).retry(by="ada", at=NOON + HOUR), at=NOON + 2 * HOUR)
    assert of(again).compute_usd == Decimal("0.24")
    assert of(placed("two")).compute_usd is None

    taken = locked(a_workset(manifest=a_manifest(pipeline="shared")))
    refused = taken.launch_failed(
        taken.fence, Failure(ErrorCategory.CONFIGURATION, "no such program"),
        at=NOON, policy=POLICY, jitter=0,
    )  # fmt: skip
    assert of(refused).compute_usd is None


@pytest.mark.parametrize(("pipeline", "samples"), [("array", 2), ("gone", 1)])
def test_a_cost_that_nobody_can_tell(pipeline: str, samples: int) -> None:
    """Of an array it is not kept how long each task took; a pipeline that is gone has no vCPUs."""
    assert of(failed(placed("one", pipeline, samples))).compute_usd is None


def test_an_array_of_one() -> None:
    """One task took as long as the attempt."""
    assert of(failed(placed("two", "array"))).compute_usd == Decimal("0.03")


def test_what_runs() -> None:
    """It has no end, and its time so far; how far it is stands in the detail."""
    row = of(placed("one").with_progress(Progress(2, 5, "aligned"), at=NOON))
    assert (row.state, row.rank, row.ended_at) == ("in_progress", 1, None)
    assert (row.run_time, row.detail) == (3 * HOUR, "2/5 aligned")


def test_why_it_failed_and_what_it_waits_for() -> None:
    """One line; a workset that waits says for what."""
    row = of(failed(placed("one")))
    assert (row.state, row.rank, row.detail) == ("error", 0, "line 1 line 2")
    assert of(a_workset().with_wait("its files")).detail == "waits for its files"
    assert of(evolve(a_workset(), history=())).detail == ""


def test_runs_of_others_are_timed_by_what_was_recorded() -> None:
    """From when it was seen in progress to what came next; a later look changes nothing."""
    taken = a_workset().adopt(State.IN_PROGRESS, at=NOON, reason="theirs", actor="m")
    assert (of(taken).started_at, of(taken).run_time) == (NOON, 3 * HOUR)
    done = taken.adopt(State.COMPLETE, at=NOON + HOUR, reason="theirs", actor="m")
    put_away = done.archive(by="ada", at=NOON + 2 * HOUR)
    row = of(put_away)
    assert (row.started_at, row.ended_at, row.run_time) == (NOON, NOON + HOUR, HOUR)
    assert (row.cluster, row.compute_usd, row.state) == (None, None, "complete (archived)")


@pytest.mark.parametrize(
    ("pipeline", "said"), [("daylily-omics", True), ("shared", False), ("x", False)]
)
def test_whose_words_were_run(pipeline: str, said: bool) -> None:
    """Ours run what the settings say, but for the pipeline that hands on what the files say."""
    assert FACTS.speaks_for(placed(None, pipeline)) is said
    assert not FACTS.speaks_for(a_workset())
    assert FACTS.speaks_for(a_workset().adopt(State.IN_PROGRESS, at=NOON, reason="theirs", actor="m"))


def test_registered_without_samples() -> None:
    """Nobody was told what there is: neither numbers nor a verdict."""
    row = of(a_workset(manifest=Manifest(samples=(), pipeline="wgs")))
    assert (row.valid, row.samples, row.libraries, row.fastqs) == (None, None, None, None)
    assert row.pipeline_command == "wgs"


def test_a_manifest_with_faults() -> None:
    """It is not valid."""
    sample = a_manifest().samples[0]
    assert of(a_workset(manifest=Manifest(samples=(sample, sample), pipeline="wgs"))).valid is False


def test_what_lies_there_costs() -> None:
    """What is kept, by the day; what would be sent, to another region and to the internet."""
    contents = Contents(
        fastq_bytes=None, cram_bytes=100 << 30, vcf_bytes=1 << 30, results_bytes=1000 << 30
    )
    row = of(a_workset()).with_contents(contents, RateCard())
    assert row.daily_usd == Decimal("0.77")
    assert row.cram_transfer_usd == (Decimal("2.00"), Decimal("9.00"))
    assert row.vcf_transfer_usd == (Decimal("0.02"), Decimal("0.09"))


def test_an_archived_directory_whose_times_make_no_sense() -> None:
    """An end before the beginning is no time that it took."""
    sentinels = {
        Sentinel.IN_PROGRESS: SentinelBody(NOON),
        Sentinel.COMPLETE: SentinelBody(NOON - HOUR),
    }
    row = FACTS.archived_row("ws-1", sentinels, None)
    assert (row.started_at, row.ended_at, row.run_time) == (NOON, NOON - HOUR, None)
