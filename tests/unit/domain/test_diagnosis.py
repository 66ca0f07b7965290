"""Why attempts fail: the catalogue on lines as programs print them."""

from datetime import UTC, datetime, timedelta

import pytest

from daylily.adapters.slurm import job_script
from daylily.domain.diagnosis import CATALOGUE, REMEDIES, diagnose, failure_of, remedy_of
from daylily.domain.lifecycle import State
from daylily.domain.retry import INFRASTRUCTURE, ErrorCategory, Failure, RetryPolicy
from daylily.domain.workset import Workset
from daylily.testing.samples import a_workset

AT = datetime(2026, 11, 24, tzinfo=UTC)
LATER = AT + timedelta(hours=1)

LINES = {
    "WS-RES-001": [
        "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=12.batch.",
        "java.lang.OutOfMemoryError: Java heap space",
        "MemoryError",
        "Slurm: OUT_OF_MEMORY",
        "fork: Cannot allocate memory",
    ],
    "WS-RES-002": [
        "OSError: [Errno 28] No space left on device: '/scratch/x.bam'",
        "samtools sort: write error: No space left on device",
        "Disk quota exceeded",
    ],
    "WS-RES-003": [
        "slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-24T08:15:10 DUE TO TIME LIMIT ***",
        "time limit of 24:00:00 reached",
        "Slurm: TIMEOUT",
    ],
    "WS-NET-001": [
        "botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL",
        "aws s3 cp: read timed out",
        "Read timeout on endpoint",
    ],
    "WS-NET-002": [
        "curl: (7) Connection refused",
        "Error: connect ECONNREFUSED 127.0.0.1:80",
        'EndpointConnectionError: Could not connect to the endpoint URL: "http://127.0.0.1:1/b"',
    ],
    "WS-DAT-001": ["truncated quality string", "sample A: reads/A_R1.fastq.gz is truncated"],
    "WS-DAT-002": ["bash: reads.txt: No such file or directory", "FileNotFound: file not found"],
    "WS-DAT-003": ["reference genome not found: hg99", "bwa index files missing"],
    "WS-AWS-001": ["An error occurred (ThrottlingException): Rate exceeded", "SlowDown"],
    "WS-AWS-002": ["An error occurred (AccessDenied) when calling PutObject: Access Denied"],
    "WS-PIP-001": ["[bwa_idx_load_from_disk] error: fail to locate the index files", "bwa mem failed"],
    "WS-PIP-002": [
        "A USER ERROR has occurred: Bad input",
        "org.broadinstitute.hellbender UserException",
    ],
    "WS-CLU-001": ["Slurm: NODE_FAIL", "Slurm: PREEMPTED", "lost contact with node n7"],
    "WS-CLU-002": [
        "slurmstepd: error: execve(): x: Permission denied",
        "sbatch: error: Batch job submission failed",
    ],
}


@pytest.mark.parametrize(
    ("code", "line"), [(code, line) for code, lines in LINES.items() for line in lines]
)
def test_known_lines(code: str, line: str) -> None:
    """Each line is told by its own code, in whatever case it is printed."""
    found = diagnose(line)
    assert found is not None
    assert found.code == code
    assert diagnose(f"before\n{line.upper()}\nafter") is found


def test_nothing_known() -> None:
    """A text that speaks of nothing known has no diagnosis."""
    assert diagnose("all is well") is None


def test_the_catalogue_is_whole() -> None:
    """All 14 codes of the old system are there once, each with a remedy and lines that prove it."""
    codes = [each.code for each in CATALOGUE]
    assert len(codes) == len(set(codes)) == 14
    assert set(codes) == LINES.keys()
    assert all(each.remedy for each in CATALOGUE)
    assert REMEDIES.keys() == set(ErrorCategory)


@pytest.mark.parametrize(
    ("exit_code", "message", "category", "code"),
    [
        (1, "No space left on device", ErrorCategory.RESOURCE, "WS-RES-002"),
        (1, "who knows", ErrorCategory.PERMANENT, None),
        # What the program says of itself by its exit code counts more than words in its log.
        (65, "retrying: connection refused\nA_R1.fastq.gz is truncated", ErrorCategory.DATA, None),
        (65, "reads.fastq.gz is truncated", ErrorCategory.DATA, "WS-DAT-001"),
        (137, "", ErrorCategory.RESOURCE, None),
        (124, "time limit of 1:00:00 reached", ErrorCategory.RESOURCE, "WS-RES-003"),
    ],
)
def test_failure_of(exit_code: int, message: str, category: ErrorCategory, code: str | None) -> None:
    """Exit code and message together give category and code; a code of another category is dropped."""
    failure = failure_of(exit_code, message)

    assert failure == Failure(category, message, exit_code, code=code)


def test_remedies() -> None:
    """A known code has its own remedy, anything else that of its category."""
    assert "memory" in remedy_of(failure_of(1, "out of memory"))
    assert remedy_of(Failure(ErrorCategory.DATA, "x")) == REMEDIES[ErrorCategory.DATA]
    assert (
        remedy_of(Failure(ErrorCategory.DATA, "x", code="WS-NEW-001")) == REMEDIES[ErrorCategory.DATA]
    )


def _lose(workset: Workset, policy: RetryPolicy, failure: Failure) -> Workset:
    locked = workset.lock_for("m", at=AT, timeout=timedelta(minutes=1))
    running = locked.launched(locked.fence, "job", at=AT)
    return running.failed(failure, at=AT, actor="m", policy=policy, jitter=0)


def test_lost_jobs_cost_no_retry() -> None:
    """What is lost with its machine is replaced at no cost in retries, a few times in a row."""
    policy, workset = RetryPolicy(max_losses=2), a_workset()
    lost, own = failure_of(None, "Slurm: NODE_FAIL"), failure_of(1, "No space left on device")

    for _ in range(2):
        workset = _lose(workset, policy, lost)
        assert (workset.state, workset.retries_used) == (State.RETRYING, 0)
        workset = workset.retry_due(at=LATER, actor="m")
    counted = _lose(workset, policy, lost)
    assert (counted.state, counted.retries_used) == (State.RETRYING, 1)

    # A failure of its own in between, and losses are counted anew.
    workset = _lose(workset, policy, own).retry_due(at=LATER, actor="m")
    assert workset.retries_used == 1
    assert _lose(workset, policy, lost).retries_used == 1


@pytest.mark.parametrize(("exit_code", "lost"), [(None, True), (INFRASTRUCTURE, True), (75, False)])
def test_what_costs_no_retry(exit_code: int | None, lost: bool) -> None:
    """A job lost with its machine, or to a store that stayed away, is replaced; others are retried."""
    failure = failure_of(exit_code, "s3 does not answer: could not connect")
    assert (failure.category, failure.lost) == (ErrorCategory.TRANSIENT, lost)
    assert failure.code == "WS-NET-002"


def test_scripts_on_nodes_say_the_same() -> None:
    """What runs without Daylily has the exit code of its own, and it is that one."""
    assert job_script.VANISHED == INFRASTRUCTURE
