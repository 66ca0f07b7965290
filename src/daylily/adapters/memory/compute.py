"""Jobs in a dict, which end when a clock or a test says so."""

import codecs
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, field, frozen

from daylily.adapters.tasks import exit_code_of, message_of, phase_of, progress_of
from daylily.domain.errors import ConflictError, NotFoundError, RejectedError, UnavailableError
from daylily.domain.names import check_attempt_key
from daylily.domain.workset import Progress
from daylily.ports.clock import Clock
from daylily.ports.compute import Job, JobStatus, LogChunk, Phase, TaskStatus

LONGEST_CHARACTER: Final = 4
"""Bytes; a chunk of a log is never smaller, or it could not hold every character."""


@frozen
class _Entry:
    status: JobStatus
    log: bytes = b""


@define
class InMemoryCompute:
    """
    An engine without processes: for tests, demos and ``--dry-run``.

    Args:
        clock: What jobs run by.
        duration: How long a job runs before it succeeds; None for as long as nobody calls ``end``.
    """

    clock: Clock
    duration: timedelta | None = timedelta(0)
    submitted: list[Job] = field(init=False, factory=list)
    """The jobs that were really started, in order: each key is there once."""
    _entries: dict[str, _Entry] = field(init=False, factory=dict)
    _rejected: list[Callable[[Job], bool]] = field(init=False, factory=list)
    _down: bool = field(init=False, default=False)
    _mutex: threading.RLock = field(init=False, factory=threading.RLock)

    def submit(self, job: Job) -> str:
        """Have a job run; see Compute."""
        check_attempt_key(job.key)
        with self._mutex:
            self._check_up()
            if job.key not in self._entries:
                if any(unfit(job) for unfit in self._rejected):
                    raise RejectedError(f"{job.key}: this engine cannot run it")
                self.submitted.append(job)
                tasks = tuple(TaskStatus(name=task.name, phase=Phase.RUNNING) for task in job.tasks)
                self._put(job.key, Phase.RUNNING, started_at=self.clock(), tasks=tasks)
        return job.key

    def status(self, keys: Collection[str]) -> Mapping[str, JobStatus]:
        """Return what is known of each job; see Compute."""
        for key in keys:
            check_attempt_key(key)
        with self._mutex:
            self._check_up()
            return {key: self._look(key).status for key in keys if key in self._entries}

    def cancel(self, key: str) -> None:
        """Stop a job, at once; see Compute."""
        check_attempt_key(key)
        with self._mutex:
            self._check_up()
            if key not in self._entries:
                self._put(key, Phase.CANCELED, ended_at=self.clock())
            elif not self._look(key).status.ended:
                self._finish(key, Phase.CANCELED)

    def log(self, key: str, *, offset: int = 0, limit: int = 65536) -> LogChunk:
        """Return a part of what ``write`` put there; see Compute. A limit below 4 counts as 4."""
        check_attempt_key(key)
        with self._mutex:
            self._check_up()
            entry = self._look(key)
        offset = max(offset, 0)
        data = entry.log[offset:][: max(limit, LONGEST_CHARACTER)]
        last = entry.status.ended and offset + len(data) >= len(entry.log)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data, final=last)
        return LogChunk(text, offset + len(data) - len(decoder.getstate()[0]), last)

    # What a test may do to it

    def end(self, key: str, *, exit_code: int = 0, message: str = "") -> None:
        """
        Let a running job end.

        Raises:
            NotFoundError: There is none of that key.
            ConflictError: It has ended already.
        """
        phase = Phase.SUCCEEDED if exit_code == 0 else Phase.FAILED
        self._finish(key, phase, exit_code, message)

    def end_task(self, key: str, name: str, *, exit_code: int | None = 0, message: str = "") -> None:
        """
        Let a task end that has not yet, and the job with the last of them.

        Args:
            exit_code: None where the task is lost without one.

        Raises:
            NotFoundError: There is no job of that key.
            ConflictError: It has ended already.
        """
        phase = Phase.SUCCEEDED if exit_code == 0 else Phase.FAILED
        with self._mutex:
            entry = self._running(key)
            told = TaskStatus(name=name, phase=phase, exit_code=exit_code, message=message)
            tasks = tuple(
                told if task.name == name and task.phase is Phase.RUNNING else task
                for task in entry.status.tasks
            )
            status = evolve(entry.status, tasks=tasks, progress=progress_of(tasks))
            self._entries[key] = entry = evolve(entry, status=status)
            if phase_of(tasks) is not Phase.RUNNING:
                self._settle(
                    entry, phase_of(tasks), self.clock(), exit_code_of(tasks), message_of(tasks)
                )

    def vanish(self, key: str) -> None:
        """
        Let a running job be lost without an exit code, as when its machine dies.

        Raises:
            NotFoundError: There is none of that key.
            ConflictError: It has ended already.
        """
        self._finish(key, Phase.FAILED, message="the job vanished without an exit status")

    def write(self, key: str, text: str | bytes) -> None:
        """Let a job add to its log."""
        with self._mutex:
            entry = self._look(key)
            added = text.encode() if isinstance(text, str) else text
            self._entries[key] = evolve(entry, log=entry.log + added)

    def report(self, key: str, progress: Progress) -> None:
        """Let a job say how far it is."""
        with self._mutex:
            entry = self._look(key)
            self._entries[key] = evolve(entry, status=evolve(entry.status, progress=progress))

    def reject(self, unfit: str | Callable[[Job], bool]) -> None:
        """Refuse for good the job of a key, or the jobs of which a predicate holds."""
        with self._mutex:
            self._rejected.append(unfit if callable(unfit) else lambda job: job.key == unfit)

    def all(self) -> Mapping[str, JobStatus]:
        """Return what there is to know, whether the engine answers or not."""
        with self._mutex:
            return {key: self._look(key).status for key in self._entries}

    def go_down(self) -> None:
        """Stop answering; jobs run on."""
        self._down = True

    def come_back(self) -> None:
        """Answer again."""
        self._down = False

    # Within the mutex

    def _check_up(self) -> None:
        if self._down:
            raise UnavailableError("the engine does not answer")

    def _look(self, key: str) -> _Entry:
        """Return what is known of a job, after letting it end if its time is over."""
        try:
            entry = self._entries[key]
        except KeyError:
            raise NotFoundError(f"there is no job {key}") from None
        started_at = entry.status.started_at
        if self.duration is not None and started_at is not None and not entry.status.ended:
            ends_at = started_at + self.duration
            if self.clock() >= ends_at:
                self._settle(entry, Phase.SUCCEEDED, ends_at, 0)
        return self._entries[key]

    def _finish(self, key: str, phase: Phase, exit_code: int | None = None, message: str = "") -> None:
        with self._mutex:
            self._settle(self._running(key), phase, self.clock(), exit_code, message)

    def _running(self, key: str) -> _Entry:
        entry = self._look(key)
        if entry.status.ended:
            raise ConflictError(f"{key} has ended: {entry.status.phase}")
        return entry

    def _settle(
        self, entry: _Entry, phase: Phase, at: datetime, exit_code: int | None, message: str = ""
    ) -> None:
        ended = evolve(
            entry.status,
            phase=phase,
            ended_at=at,
            exit_code=exit_code,
            message=message,
            progress=None,
            # What had not ended by itself ends as the job does.
            tasks=tuple(
                evolve(task, phase=phase, exit_code=exit_code, message=message)
                if task.phase is Phase.RUNNING
                else task
                for task in entry.status.tasks
            ),
        )
        self._entries[ended.job] = evolve(entry, status=ended)

    def _put(
        self,
        key: str,
        phase: Phase,
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
        tasks: tuple[TaskStatus, ...] = (),
    ) -> None:
        status = JobStatus(
            phase=phase,
            job=key,
            started_at=started_at,
            ended_at=ended_at,
            tasks=tasks,
            progress=progress_of(tasks) if tasks else None,
        )
        self._entries[key] = _Entry(status)
