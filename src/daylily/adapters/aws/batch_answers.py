"""What AWS Batch tells of a job, read into values, and what its reasons mean."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from attrs import frozen

from daylily.ports.compute import Phase

CANCELED: Final = "daylily: canceled"
"""The reason that Batch is given for a job that Daylily stops."""
LOG_GROUP: Final = "/aws/batch/job"
"""Where jobs write whose definition names no other group."""

TIMED_OUT: Final = 124
"""The exit code of a job that ran into its time limit, as ``timeout(1)`` has it."""
KILLED: Final = 137
"""The exit code of a process that was killed, as out of memory it is."""
NOT_SET_UP: Final = 78
"""EX_CONFIG: it can never run as things are set up."""

_PHASES: Final = {
    "SUBMITTED": Phase.QUEUED,
    "PENDING": Phase.QUEUED,
    "RUNNABLE": Phase.QUEUED,
    "STARTING": Phase.QUEUED,
    "RUNNING": Phase.RUNNING,
    "SUCCEEDED": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
}
_BEGUN: Final = ("RUNNING", "SUCCEEDED", "FAILED")

_MEANINGS: Final[tuple[tuple[str, int | None, str], ...]] = (
    (r"host ec2 .*terminated|spot .*(interrupt|reclaim)", None, ""),
    (r"attempt duration exceeded timeout", TIMED_OUT, "time limit: "),
    (r"OutOfMemoryError|killed due to memory", KILLED, "out of memory: "),
    # A registry that does not answer is no fault of the settings.
    (r"CannotPull.*(toomanyrequests|rate exceeded|time-?d? ?out|i/o|\bEOF\b|connection)", None, ""),
    (r"CannotPull|MISCONFIGURATION:", NOT_SET_UP, ""),
    (r"(DockerTimeout|InternalError|ContainerRuntime(Timeout)?Error)|CAPACITY:", None, ""),
)
"""Reasons, the exit code each stands for (None: the machine failed, not the job), and a word for it."""


@frozen(kw_only=True)
class BatchJob:
    """One job, or one child of an array."""

    name: str
    """Of Batch's making."""
    status: str
    """Batch's own word."""
    reason: str = ""
    exit_code: int | None = None
    """That of the container, where it had one."""
    stopped: bool = False
    """Whether somebody stopped it, us included."""
    order: str = ""
    log_group: str = LOG_GROUP
    log_stream: str | None = None
    size: int | None = None
    """How many children it has; None where it is no array."""
    counts: Mapping[str, int]
    """How many of the children are in which state, as Batch has last counted them."""
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def phase(self) -> Phase:
        """How far it is, in Daylily's words; a word that is new to us says that it has not ended."""
        phase = _PHASES.get(self.status, Phase.QUEUED)
        return Phase.CANCELED if phase is Phase.FAILED and self.stopped else phase

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self.phase in {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELED}

    @property
    def children_phase(self) -> Phase:
        """How far an array is that has not ended."""
        begun = sum(self.counts.get(status, 0) for status in _BEGUN)
        return Phase.RUNNING if begun else Phase.QUEUED

    @property
    def verdict(self) -> tuple[int | None, str]:
        """Exit code and reason of a job that failed; no code where its machine failed."""
        for pattern, code, word in _MEANINGS:
            if re.search(pattern, self.reason, re.IGNORECASE):
                return code, f"Batch: {word}{self.reason}"
        if self.exit_code:
            return self.exit_code, f"exit code {self.exit_code}"
        return None, f"Batch: {self.reason or 'it failed without an exit code'}"


def read_job(raw: Mapping[str, Any]) -> BatchJob:
    """Return what one entry of DescribeJobs tells."""
    container = raw.get("container", {})
    array = raw.get("arrayProperties", {})
    reason = raw.get("statusReason", "")
    stopped = bool(raw.get("isCancelled") or raw.get("isTerminated") or reason.startswith(CANCELED))
    options = container.get("logConfiguration", {}).get("options", {})
    return BatchJob(
        name=raw["jobId"],
        status=raw["status"],
        reason="; ".join(dict.fromkeys(filter(None, _reasons(raw)))),
        exit_code=container.get("exitCode"),
        stopped=stopped,
        order=raw.get("parameters", {}).get("order", ""),
        log_group=options.get("awslogs-group") or LOG_GROUP,
        log_stream=container.get("logStreamName"),
        size=array.get("size"),
        counts=array.get("statusSummary", {}),
        started_at=_instant(raw.get("startedAt")),
        ended_at=_instant(raw.get("stoppedAt")),
    )


def _reasons(raw: Mapping[str, Any]) -> Iterator[str]:
    yield raw.get("statusReason", "")
    yield raw.get("container", {}).get("reason", "")
    for attempt in raw.get("attempts", [])[-1:]:
        yield attempt.get("statusReason", "")
        yield attempt.get("container", {}).get("reason", "")


def _instant(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
