"""What Slurm's commands print, read into values."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from attrs import frozen

from daylily.ports.compute import Phase

SQUEUE_FORMAT: Final = "JobID:|,Name:|,State:|,exit_code:|,StartTime:|,EndTime:|,Reason:|"
SACCT_FORMAT: Final = "JobIDRaw,JobName,State,ExitCode,Start,End,Reason"
"""The same columns; both commands are given SLURM_TIME_FORMAT=%s."""

TIMED_OUT: Final = 124
"""The exit code of a job that ran into its time limit, as ``timeout(1)`` has it."""
KILLED: Final = 137
"""The exit code of a process that was killed, as out of memory it is."""

_PHASES: Final = {
    "PENDING": Phase.QUEUED,
    "CONFIGURING": Phase.QUEUED,
    "REQUEUED": Phase.QUEUED,
    "REQUEUE_FED": Phase.QUEUED,
    "REQUEUE_HOLD": Phase.QUEUED,
    "RESV_DEL_HOLD": Phase.QUEUED,
    "SPECIAL_EXIT": Phase.QUEUED,
    "RUNNING": Phase.RUNNING,
    "COMPLETING": Phase.RUNNING,
    "RESIZING": Phase.RUNNING,
    "SIGNALING": Phase.RUNNING,
    "STAGE_OUT": Phase.RUNNING,
    "STOPPED": Phase.RUNNING,
    "SUSPENDED": Phase.RUNNING,
    "COMPLETED": Phase.SUCCEEDED,
    "CANCELLED": Phase.CANCELED,
}
"""Slurm's JOB STATE CODES; all others are ways to fail."""

_LOST: Final = frozenset({"BOOT_FAIL", "NODE_FAIL", "PREEMPTED", "REVOKED", "LAUNCH_FAILED"})
_CODES: Final = {"TIMEOUT": TIMED_OUT, "DEADLINE": TIMED_OUT, "OUT_OF_MEMORY": KILLED}
_NOTHING: Final = frozenset({"", "None", "N/A", "Unknown", "(null)"})


@frozen(kw_only=True, order=True)
class SlurmJob:
    """One job as Slurm tells it; they compare by id, the oldest first."""

    number: int
    name: str
    state: str
    """Slurm's own word."""
    exit_code: int | None
    """None where it has not ended, or where the machine failed and not the job."""
    started_at: datetime | None
    ended_at: datetime | None
    reason: str

    @property
    def phase(self) -> Phase:
        """How far it is, in Daylily's words."""
        return _PHASES.get(self.state, Phase.FAILED)

    @property
    def held(self) -> bool:
        """Whether it waits for somebody to let it go."""
        return self.state == "PENDING" and self.reason.startswith("JobHeld")


def read_squeue(output: str) -> Iterator[SlurmJob]:
    """Yield the jobs of ``squeue -h -O`` with our format; lines that are no job are passed over."""
    for line in output.splitlines():
        cells = line.split("|")
        if len(cells) >= 7 and cells[0].strip().isdigit() and cells[3].strip().isdigit():
            # A wait status: the exit code in the high byte, a signal in the low one.
            status = int(cells[3])
            yield _job(cells, (status >> 8) & 255, status & 127)


def read_sacct(output: str) -> Iterator[SlurmJob]:
    """Yield the jobs of ``sacct -n -P -X`` with our format; lines that are no job are passed over."""
    for line in output.splitlines():
        cells = line.split("|")
        if len(cells) >= 7 and cells[0].isdigit():
            code, _, signal = cells[3].partition(":")
            yield _job(
                cells, int(code) if code.isdigit() else 0, int(signal) if signal.isdigit() else 0
            )


def _job(cells: list[str], code: int, signal: int) -> SlurmJob:
    number, name, state, _, start, end, reason = (cell.strip() for cell in cells[:7])
    state = state.split()[0].rstrip("+") if state else ""  # "CANCELLED by 1000"
    phase = _PHASES.get(state, Phase.FAILED)
    begun = phase is not Phase.QUEUED
    return SlurmJob(
        number=int(number),
        name=name,
        state=state,
        exit_code=_exit_code(state, phase, code, signal),
        started_at=_instant(start) if begun else None,
        ended_at=_instant(end) if begun and phase is not Phase.RUNNING else None,
        reason="" if reason in _NOTHING else reason,
    )


def _exit_code(state: str, phase: Phase, code: int, signal: int) -> int | None:
    if phase is Phase.SUCCEEDED:
        return 0
    if phase is not Phase.FAILED or state in _LOST:
        return None
    return _CODES.get(state) or (128 + signal if signal else code) or 1


def _instant(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), UTC) if text.isdigit() and int(text) else None
