"""What Slurm's commands print, read into values."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from attrs import evolve, frozen

from daylily.ports.compute import Phase

SQUEUE_FORMAT: Final = (
    "ArrayJobID:|,Name:|,State:|,exit_code:|,StartTime:|,EndTime:|,Reason:|,NodeList:|,ArrayTaskID:|"
    ",AccrueTime:|"
)
SACCT_FORMAT: Final = "JobID,JobName,State,ExitCode,Start,End,Reason,NodeList"
"""The same columns but the last two; both commands are given SLURM_TIME_FORMAT=%s."""

NO_NODE: Final = "Requested node configuration is not available"
"""What sbatch says where no node can run a job; ``nodes`` tells whether that is for good."""
_REFUSALS: Final = (
    NO_NODE,
    "Memory specification can not be satisfied",
    "Invalid partition name specified",
    "invalid partition specified",
    "Invalid account or account/partition combination",
    "Invalid qos specification",
    "Requested time limit is invalid",
    "More processors requested than permitted",
    "Invalid feature specification",
    "Unrecognized option",
    "unrecognized option",
    "Invalid generic resource",
    "Invalid job array specification",
)
"""What sbatch says of jobs that can never run; all else may be over in a while."""

TIMED_OUT: Final = 124
"""The exit code of a job that ran into its time limit, as ``timeout(1)`` has it."""
KILLED: Final = 137
"""The exit code of a process that was killed, as out of memory it is."""

_PHASES: Final = {
    "PENDING": Phase.QUEUED,
    "CONFIGURING": Phase.QUEUED,
    "EXPEDITING": Phase.QUEUED,
    "POWER_UP_NODE": Phase.QUEUED,
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
    "UPDATE_DB": Phase.RUNNING,
    "COMPLETED": Phase.SUCCEEDED,
    "CANCELLED": Phase.CANCELED,
    "BOOT_FAIL": Phase.FAILED,
    "DEADLINE": Phase.FAILED,
    "FAILED": Phase.FAILED,
    "LAUNCH_FAILED": Phase.FAILED,
    "NODE_FAIL": Phase.FAILED,
    "OUT_OF_MEMORY": Phase.FAILED,
    "PREEMPTED": Phase.FAILED,
    "RECONFIG_FAIL": Phase.FAILED,
    "REVOKED": Phase.FAILED,
    "TIMEOUT": Phase.FAILED,
}
"""Slurm's JOB STATE CODES and JOB STATE FLAGS."""
UNKNOWN: Final = Phase.RUNNING
"""What a word that is new to us stands for: a job is not taken for lost because Slurm learnt a word."""

_LOST: Final = frozenset(
    {"BOOT_FAIL", "LAUNCH_FAILED", "NODE_FAIL", "PREEMPTED", "RECONFIG_FAIL", "REVOKED"}
)
_CODES: Final = {"TIMEOUT": TIMED_OUT, "DEADLINE": TIMED_OUT, "OUT_OF_MEMORY": KILLED}
_JOB: Final = re.compile(
    r"(?P<number>[0-9]+)(?:_(?:(?P<task>[0-9]+)|\[(?P<tasks>[0-9,-]+)(?:%[0-9]+)?\]))?"
)
_NOTHING: Final = frozenset({"", "None", "None assigned", "N/A", "Unknown", "(null)"})


@frozen(kw_only=True)
class SlurmJob:
    """One job, or one task of an array, as Slurm tells it."""

    number: int
    """Of the whole array, where it is a task of one."""
    task: int | None = None
    name: str
    state: str
    """Slurm's own word."""
    exit_code: int | None
    """None where it has not ended, or where the machine failed and not the job."""
    started_at: datetime | None
    ended_at: datetime | None
    reason: str
    waited: bool = False
    """Whether it has ever waited for its turn: not while it is held as it was submitted."""

    @property
    def phase(self) -> Phase:
        """How far it is, in Daylily's words."""
        return _PHASES.get(self.state, UNKNOWN)

    @property
    def understood(self) -> bool:
        """Whether its state is a word that we know."""
        return self.state in _PHASES

    @property
    def unreleased(self) -> bool:
        """Whether its submitter has not let it go yet, as he had what an operator may hold later."""
        return self.state == "PENDING" and self.reason == "JobHeldUser" and not self.waited


def is_refusal(complaint: str) -> bool:
    """Tell whether sbatch says of a job that it can never run."""
    return any(words in complaint for words in _REFUSALS)


def read_squeue(output: str) -> Iterator[SlurmJob]:
    """Yield the jobs of ``squeue -h -r -O`` with our format; lines that are no job are passed over."""
    for line in output.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) >= 10 and cells[0].isdigit() and cells[3].isdigit():
            # A wait status: the exit code in the high byte, a signal in the low one.
            status = int(cells[3])
            task = int(cells[8]) if cells[8].isdigit() else None
            job = _job(int(cells[0]), task, cells, (status >> 8) & 255, status & 127)
            yield evolve(job, waited=cells[9].isdigit())


def read_sacct(output: str) -> Iterator[SlurmJob]:
    """Yield the jobs of ``sacct -n -P -X`` with our format; lines that are no job are passed over."""
    for line in output.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) >= 8 and (found := _JOB.fullmatch(cells[0])):
            code, _, signal = cells[3].partition(":")
            ending = int(code) if code.isdigit() else 0, int(signal) if signal.isdigit() else 0
            for task in _tasks(found["task"], found["tasks"]):
                yield _job(int(found["number"]), task, cells, *ending)


def _tasks(task: str | None, tasks: str | None) -> Iterator[int | None]:
    """Yield the numbers of tasks: of one, of those of a list such as ``0-3,7``, or None."""
    if tasks is None:
        yield None if task is None else int(task)
        return
    for part in tasks.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _job(number: int, task: int | None, cells: list[str], code: int, signal: int) -> SlurmJob:
    _, name, state, _, start, end, reason, nodes = cells[:8]
    state = state.split()[0].rstrip("+") if state else ""  # "CANCELLED by 1000"
    phase = _PHASES.get(state, UNKNOWN)
    # What is canceled while it waits is told to have started then; but it was on no node.
    begun = phase is not Phase.QUEUED and not (phase is Phase.CANCELED and nodes in _NOTHING)
    return SlurmJob(
        number=number,
        task=task,
        name=name,
        state=state,
        exit_code=_exit_code(state, phase, code, signal),
        started_at=_instant(start) if begun else None,
        ended_at=_instant(end) if phase not in {Phase.QUEUED, Phase.RUNNING} else None,
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
