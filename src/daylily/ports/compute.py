"""The engine that runs pipelines."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen

from daylily.domain.pipelines import Resources
from daylily.domain.workset import Progress


@frozen(kw_only=True)
class Task:
    """A part of a job that runs independently of the other parts, such as one sample."""

    name: str
    """Of its own within the job."""
    arguments: tuple[str, ...]
    """Argument vector; no shell ever reads it."""


@frozen(kw_only=True)
class Job:
    """What an engine is asked to run."""

    key: str
    """``<workset_id>/<attempt>``: asking twice with one key is asking once."""
    arguments: tuple[str, ...] = ()
    """Argument vector; no shell ever reads it. Empty where there are tasks."""
    tasks: tuple[Task, ...] = ()
    """
    What runs instead of ``arguments``, each with the resources of the job: an array, as Slurm and AWS
    Batch call it. One that fails does not stop the others; the job ends when all have, SUCCEEDED if
    all did, and else FAILED with the exit code of the first of them that failed.
    """
    directory: str
    """Where the pipeline's files are, as the object store locates it."""
    resources: Resources = Resources()
    environment: Mapping[str, str] = field(factory=dict)


class Phase(StrEnum):
    """How far a job is; foreign words (``COMPLETED``, ``CANCELLED`` ...) are translated by adapters."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@frozen(kw_only=True)
class TaskStatus:
    """What an engine says of one task of a job."""

    name: str
    phase: Phase
    exit_code: int | None = None
    message: str = ""
    """For a task that failed: the engine's reason and the last lines it wrote, for people."""


@frozen(kw_only=True)
class JobStatus:
    """What an engine says of one job."""

    phase: Phase
    job: str
    """What the engine calls it."""
    exit_code: int | None = None
    """None while it runs, or where the engine lost it without one."""
    message: str = ""
    """For a job that failed: the engine's reason and the last lines it wrote, for people."""
    progress: Progress | None = None
    """For a job with tasks: how many of them have ended."""
    tasks: tuple[TaskStatus, ...] = ()
    """Of a job with tasks, in their order, at the latest once it has ended."""
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self.phase in {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELED}


@frozen
class LogChunk:
    """Part of what a job has written."""

    text: str
    offset: int
    """Where to go on reading, in bytes."""
    ended: bool
    """Whether the job has ended and this is the last of it."""


class Compute(Protocol):
    """
    An engine. It speaks Slurm's verbs: submit, status, cancel.

    - Jobs outlive the monitor that submitted them, and any monitor may ask for any job.
    - A key other than ``<workset_id>/<attempt>`` raises InvalidInputError and touches nothing.
    - Every method raises UnavailableError when the engine does not answer; that says nothing about
      the job. After a submit that raised it, submitting again is the way to find out.
    - Safe to share between threads and processes.
    """

    def submit(self, job: Job) -> str:
        """
        Have a job run and return what the engine calls it.

        Idempotent by ``job.key``: however many callers ask, however often, before or after it has
        ended, there is one job. If that key was canceled before, it does not run.

        Raises:
            RejectedError: It can never run (no such program, more resources than there are).
        """

    def status(self, keys: Collection[str]) -> Mapping[str, JobStatus]:
        """
        Return what is known of each job, in one go; a key the engine never heard of is left out.

        What it knows runs sooner or later, also where its submitter has died in the midst of submitting
        it: for nobody submits again what was found here. A look may finish what was left undone.
        """

    def cancel(self, key: str) -> None:
        """
        Stop a job with all its processes; one that has ended stays as it ended.

        Returns before the job has stopped: ``status`` tells. A key never heard of is remembered: a late
        submit of it does not run, and ``status`` says that it is canceled.
        """

    def log(self, key: str, *, offset: int = 0, limit: int = 65536) -> LogChunk:
        """
        Return at most *limit* bytes of what the job has written, from byte *offset* on.

        Raises:
            NotFoundError: The engine never heard of the job.
        """
