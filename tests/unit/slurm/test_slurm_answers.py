"""What Slurm's commands print, as recorded from 22.05 and as its manual has it."""

from datetime import UTC, datetime

import pytest

from daylily.adapters.slurm.answers import SlurmJob, read_sacct, read_squeue
from daylily.domain.retry import ErrorCategory, category_of
from daylily.ports.compute import Phase

AT = datetime(2026, 11, 24, 8, 15, 10, tzinfo=UTC)


def test_squeue() -> None:
    """Lines as squeue prints them: a wait status for an exit code, N/A for what is not yet."""
    output = (
        "1|ws-1/1|FAILED|768|1795508110|1795508110|NonZeroExitCode|n1|N/A|1795508110|\n"
        "2|ws-2/1|PENDING|0|N/A|N/A|JobHeldUser||N/A|N/A|\n"
        "3|ws-3/1|RUNNING|0|1795508110|1795594510|None|n1|N/A|1795508110|\n"
        "4|ws-4/1|COMPLETED|0|1795508110|1795508110|None|n1|N/A|1795508110|\n"
    )

    failed, held, running, complete = read_squeue(output)

    assert failed == SlurmJob(
        number=1,
        name="ws-1/1",
        state="FAILED",
        exit_code=3,
        started_at=AT,
        ended_at=AT,
        reason="NonZeroExitCode",
        waited=True,
    )
    assert (held.phase, held.started_at, held.ended_at) == (Phase.QUEUED, None, None)
    assert (running.phase, running.started_at, running.ended_at) == (Phase.RUNNING, AT, None)
    assert (complete.phase, complete.exit_code, complete.reason) == (Phase.SUCCEEDED, 0, "")


@pytest.mark.parametrize(
    ("rest", "unreleased"),
    [
        ("PENDING|0|N/A|N/A|JobHeldUser||N/A|N/A|", True),
        ("PENDING|0|N/A|N/A|JobHeldUser||N/A|1795508110|", False),
        ("PENDING|0|N/A|N/A|JobHeldAdmin||N/A|N/A|", False),
        ("PENDING|0|N/A|N/A|Resources||N/A|1795508110|", False),
        ("CANCELLED|0|1795508110|1795508110|JobHeldUser||N/A|N/A|", False),
    ],
)
def test_unreleased(rest: str, unreleased: bool) -> None:
    """What is held as it was submitted is told apart from what somebody holds who looks after Slurm."""
    (job,) = read_squeue(f"2|ws-2/1|{rest}\n")
    assert job.unreleased is unreleased


def test_canceled_before_it_started() -> None:
    """Slurm says that it started when it was canceled; but what was on no node has not run."""
    lines = (
        "1|ws-1/1|CANCELLED|0|1795508110|1795508110|None||N/A|1795508110|",
        "2|ws-2/1|CANCELLED|15|1795508110|1795508110|None|n1|N/A|1795508110|",
    )
    waited, ran = read_squeue("\n".join(lines))
    assert (waited.phase, waited.started_at, waited.ended_at) == (Phase.CANCELED, None, AT)
    assert (ran.phase, ran.started_at, ran.ended_at) == (Phase.CANCELED, AT, AT)
    told = "1|ws-1/1|CANCELLED by 0|0:0|1795508110|1795508110|None|"
    (waited,), (ran,) = read_sacct(f"{told}None assigned\n"), read_sacct(f"{told}n1\n")
    assert (waited.started_at, ran.started_at) == (None, AT)


def test_squeue_of_an_array() -> None:
    """Each task has a line: the number of the array, and its own."""
    output = (
        "2|ws-1/1|COMPLETED|0|1795508110|1795508110|None|n1|0|1795508110|\n"
        "2|ws-1/1|PENDING|0|N/A|N/A|Resources||1|1795508110|\n"
        "2|ws-1/1|FAILED|512|1795508110|1795508110|NonZeroExitCode|n1|2|1795508110|\n"
    )

    jobs = list(read_squeue(output))

    assert [(job.number, job.task, job.phase, job.exit_code) for job in jobs] == [
        (2, 0, Phase.SUCCEEDED, 0),
        (2, 1, Phase.QUEUED, None),
        (2, 2, Phase.FAILED, 2),
    ]


@pytest.mark.parametrize(
    ("name", "tasks"),
    [
        ("12", [None]),
        ("12_3", [3]),
        ("12_[0-2,7]", [0, 1, 2, 7]),
        ("12_[4-5%1]", [4, 5]),
        ("12_[5]", [5]),
    ],
)
def test_sacct_of_an_array(name: str, tasks: list[int | None]) -> None:
    """Tasks that never ran share a line; each is told apart."""
    jobs = list(read_sacct(f"{name}|ws-1/1|CANCELLED by 0|0:0|Unknown|1795508110|None|None assigned\n"))

    assert [(job.number, job.task, job.phase) for job in jobs] == [
        (12, task, Phase.CANCELED) for task in tasks
    ]


@pytest.mark.parametrize(
    ("state", "code", "phase", "exit_code", "category"),
    [
        ("COMPLETED", "0:0", Phase.SUCCEEDED, 0, None),
        ("FAILED", "7:0", Phase.FAILED, 7, ErrorCategory.PERMANENT),
        ("FAILED", "0:9", Phase.FAILED, 137, ErrorCategory.RESOURCE),
        ("FAILED", "0:0", Phase.FAILED, 1, ErrorCategory.PERMANENT),
        ("OUT_OF_MEMORY", "0:125", Phase.FAILED, 137, ErrorCategory.RESOURCE),
        ("TIMEOUT", "0:0", Phase.FAILED, 124, ErrorCategory.RESOURCE),
        ("DEADLINE", "0:0", Phase.FAILED, 124, ErrorCategory.RESOURCE),
        ("NODE_FAIL", "0:0", Phase.FAILED, None, ErrorCategory.TRANSIENT),
        ("BOOT_FAIL", "0:0", Phase.FAILED, None, ErrorCategory.TRANSIENT),
        ("PREEMPTED", "0:15", Phase.FAILED, None, ErrorCategory.TRANSIENT),
        ("CANCELLED by 1000", "0:15", Phase.CANCELED, None, None),
        ("CANCELLED+", "0:0", Phase.CANCELED, None, None),
        ("SUSPENDED", "0:0", Phase.RUNNING, None, None),
        ("COMPLETING", "0:0", Phase.RUNNING, None, None),
        ("STAGE_OUT", "0:0", Phase.RUNNING, None, None),
        ("UPDATE_DB", "0:0", Phase.RUNNING, None, None),
        ("CONFIGURING", "0:0", Phase.QUEUED, None, None),
        ("POWER_UP_NODE", "0:0", Phase.QUEUED, None, None),
        ("EXPEDITING", "0:0", Phase.QUEUED, None, None),
        ("REQUEUED", "0:0", Phase.QUEUED, None, None),
        ("REQUEUE_HOLD", "0:0", Phase.QUEUED, None, None),
        ("SPECIAL_EXIT", "0:0", Phase.QUEUED, None, None),
        ("LAUNCH_FAILED", "0:0", Phase.FAILED, None, ErrorCategory.TRANSIENT),
        ("RECONFIG_FAIL", "0:0", Phase.FAILED, None, ErrorCategory.TRANSIENT),
        ("REVOKED", "0:0", Phase.FAILED, None, ErrorCategory.TRANSIENT),
    ],
)
def test_states(
    state: str, code: str, phase: Phase, exit_code: int | None, category: ErrorCategory | None
) -> None:
    """Every word for how a job stands is read; what is lost with its node is no fault of the job."""
    (job,) = read_sacct(f"12|ws-1/1|{state}|{code}|1795508110|1795508110|None|n1\n")

    assert (job.phase, job.exit_code) == (phase, exit_code)
    if category is not None:
        assert category_of(job.exit_code) is category


@pytest.mark.parametrize("state", ["A_NEW_WORD", "?", ""])
def test_d_27_a_word_that_is_new_is_no_failure(state: str) -> None:
    """D-27: what Slurm says and we do not understand does not end a job; it is told as it is."""
    (job,) = read_sacct(f"12|ws-1/1|{state}|1:0|1795508110|1795508110|None|n1\n")

    assert (job.phase, job.exit_code, job.ended_at, job.state) == (Phase.RUNNING, None, None, state)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "slurm_load_jobs error: Unable to contact",
        "12.batch|batch|COMPLETED|0:0|1|1||n1",
        "12|x|y",
        "12_[0-...]|x|COMPLETED|0:0|1|1|None",
        "|||||||",
    ],
)
def test_what_is_no_job(line: str) -> None:
    """Warnings, steps and cut lines are passed over."""
    assert list(read_sacct(line)) == []
    assert list(read_squeue(line)) == []
