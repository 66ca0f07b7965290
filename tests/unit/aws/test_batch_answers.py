"""What AWS Batch tells, as its documentation has it and as recorded from the field."""

from datetime import UTC, datetime
from typing import Any

import pytest

from daylily.adapters.aws.batch_answers import CANCELED, read_job
from daylily.adapters.aws.batch_records import Ending
from daylily.adapters.aws.batch_status import of_one, of_tasks, under_way
from daylily.domain.retry import ErrorCategory, category_of
from daylily.domain.workset import Progress
from daylily.ports.compute import Phase

AT = datetime(2026, 11, 24, 8, 15, 10, tzinfo=UTC)
STAMP = int(AT.timestamp() * 1000)


def answer(status: str, **more: Any) -> dict[str, Any]:
    """Return an entry of DescribeJobs."""
    return {
        "jobId": "76da2a5c-0a2b-4cfe-9f9d-0f7d1a2b3c4d",
        "jobName": "ws-1_1_0a1b2c3d",
        "jobQueue": "arn:aws:batch:us-west-2:123456789012:job-queue/daylily",
        "jobDefinition": "arn:aws:batch:us-west-2:123456789012:job-definition/daylily:3",
        "status": status,
        "startedAt": STAMP,
        "stoppedAt": STAMP,
        "createdAt": STAMP,
        "parameters": {"order": "abc"},
        "dependsOn": [],
        "retryStrategy": {"attempts": 1, "evaluateOnExit": []},
    } | more


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("SUBMITTED", Phase.QUEUED),
        ("PENDING", Phase.QUEUED),
        ("RUNNABLE", Phase.QUEUED),
        ("STARTING", Phase.QUEUED),
        ("RUNNING", Phase.RUNNING),
        ("SUCCEEDED", Phase.SUCCEEDED),
        ("FAILED", Phase.FAILED),
        ("A_NEW_WORD", Phase.QUEUED),
    ],
)
def test_states(status: str, phase: Phase) -> None:
    """All of Batch's states are read; one that is new to us is never taken for a failure."""
    assert read_job(answer(status)).phase is phase


@pytest.mark.parametrize(
    ("reason", "exit_code", "code", "category"),
    [
        ("Essential container in task exited", 7, 7, ErrorCategory.PERMANENT),
        ("Host EC2 (instance i-0f2e7d01f7d1b2c3d) terminated.", None, None, ErrorCategory.TRANSIENT),
        ("Host EC2 (instance i-0f2e7d01f7d1b2c3d) terminated.", 137, None, ErrorCategory.TRANSIENT),
        ("Your Spot Task was interrupted.", 143, None, ErrorCategory.TRANSIENT),
        ("Job attempt duration exceeded timeout", 137, 124, ErrorCategory.RESOURCE),
        ("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none", None, None, ErrorCategory.TRANSIENT),
        ("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too much", None, 78, ErrorCategory.CONFIGURATION),
        ("Dependent Job failed", None, None, ErrorCategory.TRANSIENT),
        ("", None, None, ErrorCategory.TRANSIENT),
        ("Task failed to start", None, None, ErrorCategory.TRANSIENT),
    ],
)
def test_reasons(reason: str, exit_code: int | None, code: int | None, category: ErrorCategory) -> None:
    """Why a job failed is read from Batch's words: what its machine did is no fault of the job's."""
    container = {} if exit_code is None else {"exitCode": exit_code}
    job = read_job(answer("FAILED", statusReason=reason, container=container))

    found, said = job.verdict

    assert found == code
    assert category_of(found) is category
    assert reason.split(" (")[0] in said or said == f"exit code {exit_code}"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("OutOfMemoryError: Container killed due to memory usage", 137),
        ("CannotPullContainerError: pull access denied for daylily", 78),
        ("CannotPullContainerError: toomanyrequests: You have reached your pull rate limit", None),
        ("CannotPullContainerError: Get https://registry/: dial tcp: i/o timeout", None),
        ("DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s", None),
    ],
)
def test_reasons_of_the_container(reason: str, code: int | None) -> None:
    """Where the reason of the job says nothing, that of its container does."""
    raw = answer(
        "FAILED",
        statusReason="Essential container in task exited",
        attempts=[{"container": {"reason": reason}, "statusReason": "Task failed to start"}],
    )

    assert read_job(raw).verdict[0] == code


@pytest.mark.parametrize(
    "told", [{"isTerminated": True}, {"isCancelled": True}, {"statusReason": CANCELED}]
)
def test_stopped(told: dict[str, Any]) -> None:
    """A job that somebody stopped, here or in the console, is canceled, and it has not failed."""
    assert read_job(answer("FAILED", **told)).phase is Phase.CANCELED
    assert read_job(answer("RUNNING", **told)).phase is Phase.RUNNING


def ending(code: int) -> Ending:
    """Return what a job has told of its end."""
    return Ending(exit_code=code, started_at=AT, ended_at=AT, tail="no such lane\n")


@pytest.mark.parametrize("code", [0, 5])
def test_what_ended_first_wins(code: int) -> None:
    """A job that told of its end has ended so, though it was stopped or lost its machine after that."""
    for raw in (
        answer("FAILED", isTerminated=True),
        answer("FAILED", statusReason="Host EC2 (instance i-1) terminated."),
    ):
        status = of_one("job", read_job(raw), ending(code), lambda _: "")
        assert status.exit_code == code
        assert status.phase is (Phase.FAILED if code else Phase.SUCCEEDED)


def test_forgotten_by_batch() -> None:
    """Batch forgets after a week: what the job has told of itself still counts, and else it is lost."""
    told = of_one("job", None, ending(5), lambda _: "")
    lost = of_one("job", None, None, lambda _: "")

    assert (told.exit_code, told.message) == (5, "exit code 5: no such lane")
    assert (lost.phase, lost.exit_code) == (Phase.FAILED, None)


def test_what_it_waits_for() -> None:
    """A job that waits says what for, in Batch's own words."""
    reason = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - no Spot capacity"

    status = of_one("job", read_job(answer("RUNNABLE", statusReason=reason)), None, lambda _: "")

    assert (status.phase, status.message) == (Phase.QUEUED, f"Batch: {reason}")


def test_an_array_under_way() -> None:
    """What has ended of it is counted, from one answer, however many it has."""
    counts = {"SUCCEEDED": 2, "FAILED": 1, "RUNNING": 1, "RUNNABLE": 6}
    array = {"size": 10, "statusSummary": counts}

    status = under_way(read_job(answer("PENDING", arrayProperties=array)), 10)
    waiting = under_way(read_job(answer("PENDING", arrayProperties={"size": 10})), 10)

    assert (status.phase, status.progress) == (Phase.RUNNING, Progress(3, 10, "1 failed"))
    assert waiting.phase is Phase.QUEUED


def test_an_array_that_ended() -> None:
    """Each task has its own outcome: one failed, one lost its machine, one Batch no longer knows."""
    children = [
        read_job(answer("SUCCEEDED", container={"exitCode": 0})),
        read_job(answer("FAILED", container={"exitCode": 5})),
        read_job(answer("FAILED", statusReason="Host EC2 (instance i-1) terminated.")),
        None,
    ]
    parent = read_job(answer("FAILED", arrayProperties={"size": 4}))

    status = of_tasks("job", "ABCD", parent, children, [None, ending(5), None, None], lambda _: "")

    assert status.phase is Phase.FAILED
    assert status.exit_code == 5
    assert [task.exit_code for task in status.tasks] == [0, 5, None, None]
    assert status.message.startswith("3 of 4 tasks failed: B: exit code 5: no such lane")


def test_an_array_that_was_canceled() -> None:
    """Tasks that had not been made when it was canceled are canceled with it."""
    parent = read_job(answer("FAILED", arrayProperties={"size": 2}, isTerminated=True))
    done = read_job(answer("SUCCEEDED"))

    status = of_tasks("job", "AB", parent, [done, None], [None, None], lambda _: "")

    assert status.phase is Phase.CANCELED
    assert [task.phase for task in status.tasks] == [Phase.SUCCEEDED, Phase.CANCELED]
