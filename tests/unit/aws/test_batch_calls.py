"""Which calls BatchCompute makes, and what it makes of answers that moto never gives."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from daylily.adapters.aws.batch import BatchCompute
from daylily.adapters.aws.batch_logs import CloudWatchLogs
from daylily.adapters.aws.batch_records import Elected, Records
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.domain.errors import RejectedError, UnavailableError
from daylily.ports.compute import Job, Phase

KEY = "ws-1/1"
AT = datetime(2026, 11, 24, 8, 15, 10, tzinfo=UTC)
THROTTLED = ("TooManyRequestsException", "Too Many Requests")


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    """Return clients; making one takes longer than these tests do."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    session = boto3.Session(region_name="us-east-1", **keys)  # type: ignore[arg-type]
    return {"batch": session.client("batch"), "logs": session.client("logs")}


@pytest.fixture
def batch(clients: dict[str, Any]) -> Iterator[Stubber]:
    """Return what answers in Batch's place; all of it has to be asked for."""
    with Stubber(clients["batch"]) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def engine(clients: dict[str, Any], batch: Stubber) -> BatchCompute:
    """Return an engine that knows no job."""
    return BatchCompute(
        client=clients["batch"],
        logs=CloudWatchLogs(clients["logs"]),
        records=Records(InMemoryObjectStore(), "batch/"),
        queue="daylily",
        definition="daylily-job",
        clock=lambda: AT,
    )


def elect(engine: BatchCompute, key: str, at: datetime = AT) -> str:
    """Write down that a job runs an attempt; return its name."""
    order = engine.records.put_order(Job(key=key, arguments=("true",), directory=""))
    name = f"id-of-{key}"
    engine.records.elect(key, Elected(job=name, order=order, at=at))
    return name


def entry(name: str, status: str, **more: Any) -> dict[str, Any]:
    """Return what DescribeJobs says of a job."""
    required = {"jobName": "n", "jobQueue": "q", "startedAt": 1, "jobDefinition": "d"}
    return {"jobId": name, "status": status} | required | more


def listed(batch: Stubber, *jobs: dict[str, Any]) -> None:
    """Have the queue asked for jobs of a name, once."""
    batch.add_response(
        "list_jobs", {"jobSummaryList": list(jobs)}, {"jobQueue": "daylily", "filters": ANY}
    )


def test_many_jobs_in_one_question(engine: BatchCompute, batch: Stubber) -> None:
    """250 jobs are three calls, a hundred names each."""
    names = {key: elect(engine, key) for key in (f"ws-{number:03}/1" for number in range(250))}
    ordered = sorted(names.values())
    for part in (ordered[:100], ordered[100:200], ordered[200:]):
        answer = {"jobs": [entry(name, "RUNNING") for name in part]}
        batch.add_response("describe_jobs", answer, {"jobs": part})

    found = engine.status(list(names))

    assert {status.phase for status in found.values()} == {Phase.RUNNING}
    assert len(found) == 250


def test_room_is_made_in_what_is_remembered(
    engine: BatchCompute, batch: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No job is left out of an answer because as many were asked about before as are remembered."""
    monkeypatch.setattr("daylily.adapters.aws.batch._MOST_KEPT", 2)
    keys = [f"ws-{number}/1" for number in range(4)]
    names = {key: elect(engine, key) for key in keys}
    for asked in (keys, keys, keys[:2]):
        found = sorted(names[key] for key in asked)
        batch.add_response("describe_jobs", {"jobs": [entry(name, "RUNNING") for name in found]})
        assert list(engine.status(asked)) == asked


@pytest.mark.parametrize(
    ("code", "said"),
    [
        THROTTLED,
        ("ServerException", "Internal"),
        ("AccessDeniedException", "not authorized"),
        ("ExpiredTokenException", "The security token included in the request is expired"),
    ],
)
def test_d_27_no_answer_is_no_failure(
    engine: BatchCompute, batch: Stubber, code: str, said: str
) -> None:
    """D-27: throttled, broken or forbidden, Batch has said nothing about any job."""
    elect(engine, KEY)
    batch.add_client_error("describe_jobs", code, said)
    with pytest.raises(UnavailableError, match="DescribeJobs"):
        engine.status([KEY])

    batch.add_client_error("list_jobs", code, said)
    with pytest.raises(UnavailableError, match="ListJobs"):
        engine.status(["ws-2/1"])


def test_a_job_that_batch_does_not_tell_of(engine: BatchCompute, batch: Stubber) -> None:
    """Batch lags behind itself: what was just submitted is on its way, and not lost."""
    elect(engine, KEY)
    batch.add_response("describe_jobs", {"jobs": []})

    status = engine.status([KEY])[KEY]

    assert status.phase is Phase.QUEUED
    assert "does not tell of job" in status.message


def test_a_job_that_batch_has_forgotten(engine: BatchCompute, batch: Stubber) -> None:
    """After a week Batch forgets what has ended; who left no word was lost, and is tried again."""
    elect(engine, KEY, at=AT - timedelta(days=8))
    batch.add_response("describe_jobs", {"jobs": []})

    status = engine.status([KEY])[KEY]

    assert (status.phase, status.exit_code) == (Phase.FAILED, None)


def test_other_names_that_the_filter_lets_through(engine: BatchCompute, batch: Stubber) -> None:
    """Batch matches names whatever their case: only one that is the same counts, of all pages."""
    name = engine._name("ws-1/1")
    other = {"jobId": "other", "jobName": name.upper(), "createdAt": 1}
    later = {"jobId": "later", "jobName": name, "createdAt": 9}
    batch.add_response("list_jobs", {"jobSummaryList": [other, later], "nextToken": "t"})
    listed_on = {"jobQueue": "daylily", "filters": ANY, "nextToken": "t"}
    first = {"jobId": "first", "jobName": name, "createdAt": 5}
    batch.add_response("list_jobs", {"jobSummaryList": [first]}, listed_on)
    found = {"jobs": [entry("first", "RUNNING", parameters={"order": "abc"})]}
    for _ in range(2):
        batch.add_response("describe_jobs", found, {"jobs": ["first"]})

    assert engine.status([KEY])[KEY].job == "first"
    elected = engine.records.elected(KEY)
    assert elected is not None
    assert (elected.job, elected.order) == ("first", "abc")


def test_what_has_ended_is_not_stopped(engine: BatchCompute, batch: Stubber) -> None:
    """A cancel that comes late asks, and leaves it at that: Batch might note that it was stopped."""
    name = elect(engine, KEY)
    batch.add_response("describe_jobs", {"jobs": [entry(name, "SUCCEEDED")]}, {"jobs": [name]})

    engine.cancel(KEY)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Error executing request, Exception : attemptDurationSeconds must be at least 60", None),
        ("resource requirement VCPU must be a valid number", None),
        ("JobQueue daylily does not exist", UnavailableError),
        ("JobDefinition daylily-job is not in ACTIVE status", UnavailableError),
        ("Too many jobs: limit exceeded", UnavailableError),
    ],
)
def test_refused(engine: BatchCompute, batch: Stubber, said: str, kind: type[Exception] | None) -> None:
    """Only a job that can never run is refused for good; what an operator can mend may be over soon."""
    listed(batch)
    batch.add_client_error("submit_job", "ClientException", said)

    with pytest.raises(kind or RejectedError):
        engine.submit(Job(key=KEY, arguments=("true",), directory=""))


def test_submitted_twice_by_the_client(engine: BatchCompute, batch: Stubber) -> None:
    """Where boto3 had to repeat the call, Batch may have two jobs: all but one are stopped."""
    listed(batch)
    answer = {"jobName": "n", "jobId": "second"}
    metadata = {"RequestId": "r", "HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 1}
    batch.add_response("submit_job", answer | {"ResponseMetadata": metadata})
    name = engine._name(KEY)
    listed(
        batch,
        {"jobId": "first", "jobName": name, "createdAt": 1},
        {"jobId": "second", "jobName": name, "createdAt": 2},
    )
    batch.add_response("terminate_job", {}, {"jobId": "first", "reason": ANY})

    assert engine.submit(Job(key=KEY, arguments=("true",), directory="")) == "second"
