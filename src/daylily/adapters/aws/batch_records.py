"""
What stands in the bucket of each attempt that Batch is asked to run: what to do, by whom, and its end.

Batch runs what it is given twice if it is given it twice. So a job runs only if it was *elected*: the
record of an attempt is put once, on the condition that there is none, by whoever comes first. That is
the monitor that submitted the job, or the job itself as it starts; or a cancel, and then none may run.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeVar

from attrs import field, frozen

from daylily.adapters.keys import check_folder
from daylily.adapters.local.job_output import progress_told
from daylily.domain.errors import AlreadyExistsError, NotFoundError, UnavailableError
from daylily.domain.names import check_attempt_key
from daylily.domain.workset import Progress
from daylily.ports.compute import Job, Task
from daylily.ports.object_store import ObjectStore

T = TypeVar("T")

PROGRESS_MOST: Final = 4096
"""Bytes of what a job writes of its progress that anybody reads."""
_DIGEST: Final = 16


@frozen(kw_only=True)
class Elected:
    """What was settled for an attempt, for ever."""

    job: str
    """The one job of Batch that may run; empty where none may, since it was canceled before."""
    order: str = ""
    """Which order the job was given."""
    at: datetime


@frozen(kw_only=True)
class Ending:
    """How a job, or a task of one, ended by itself."""

    exit_code: int
    started_at: datetime
    ended_at: datetime
    tail: str
    """The last lines that it wrote."""


@frozen
class Records:
    """
    The records, below a folder of an object store.

    Args:
        folder: Ending in ``/``.
    """

    objects: ObjectStore
    folder: str = field(converter=check_folder)

    @property
    def location(self) -> str:
        """Where a job finds them."""
        return self.objects.location(self.folder)

    def elected(self, key: str) -> Elected | None:
        """
        Return what was settled for an attempt; None while nothing is.

        Raises:
            UnavailableError: The store does not answer, or holds something else.
        """
        facts = self._read(f"{self._place(key)}elected.json")
        if facts is None:
            return None
        return _sound(key, lambda: _elected(facts))

    def elect(self, key: str, candidate: Elected) -> Elected:
        """
        Settle *candidate* for an attempt, unless something is settled already; return what is.

        Raises:
            UnavailableError: The store does not answer; whether it is settled then is not known.
        """
        facts = {"job": candidate.job, "order": candidate.order, "at": candidate.at.isoformat()}
        with suppress(AlreadyExistsError):
            self._put(f"{self._place(key)}elected.json", facts, if_absent=True)
            return candidate
        found = self.elected(key)
        if found is None:
            raise UnavailableError(f"the record of {key} has been removed by somebody")
        return found

    def put_order(self, job: Job) -> str:
        """Store what a job is to do, and return the name under which it finds that."""
        facts = {
            "arguments": job.arguments,
            "tasks": [{"name": task.name, "arguments": task.arguments} for task in job.tasks],
            "directory": job.directory,
            "environment": dict(job.environment),
        }
        name = hashlib.sha256(_text(facts)).hexdigest()[:_DIGEST]
        with suppress(AlreadyExistsError):  # of the same content
            self._put(f"{self._place(job.key)}order-{name}.json", facts, if_absent=True)
        return name

    def order(self, key: str, name: str) -> Job:
        """
        Return what a job is to do, without its resources.

        Raises:
            NotFoundError: There is no such order.
            UnavailableError: The store does not answer, or holds something else.
        """
        facts = self._read(f"{self._place(key)}order-{name}.json")
        if facts is None:
            raise NotFoundError(f"there is no order {name} of {key}")
        return _sound(key, lambda: _order(key, facts))

    def put_ending(self, key: str, index: int | None, ending: Ending) -> None:
        """Store how a job ended, or the task of that index."""
        facts = {
            "exit_code": ending.exit_code,
            "started_at": ending.started_at.isoformat(),
            "ended_at": ending.ended_at.isoformat(),
            "tail": ending.tail,
        }
        self._put(self._ending(key, index), facts, if_absent=False)

    def ending(self, key: str, index: int | None = None) -> Ending | None:
        """
        Return how a job ended, or the task of that index; None where it has not told.

        Raises:
            UnavailableError: The store does not answer, or holds something else.
        """
        facts = self._read(self._ending(key, index))
        return None if facts is None else _sound(key, lambda: _told(facts))

    def put_progress(self, key: str, told: bytes) -> None:
        """Store what a job has written of its progress."""
        self.objects.put(f"{self._place(key)}progress.json", told)

    def progress(self, key: str) -> Progress | None:
        """
        Return how far a job says that it is; None where it says nothing that makes sense.

        Raises:
            UnavailableError: The store does not answer.
        """
        try:
            with self.objects.open(f"{self._place(key)}progress.json") as stream:
                return progress_told(stream.read(PROGRESS_MOST))
        except NotFoundError:
            return None

    def _place(self, key: str) -> str:
        workset_id, attempt = check_attempt_key(key)
        return f"{self.folder}{workset_id}/{attempt}/"

    def _ending(self, key: str, index: int | None) -> str:
        return f"{self._place(key)}ended{'' if index is None else f'-{index}'}.json"

    def _put(self, place: str, facts: Mapping[str, Any], *, if_absent: bool) -> None:
        self.objects.put(place, _text(facts), if_absent=if_absent)

    def _read(self, place: str) -> Mapping[str, Any] | None:
        try:
            with self.objects.open(place) as stream:
                text = stream.read()
        except NotFoundError:
            return None
        facts = _sound(place, lambda: json.loads(text))
        if not isinstance(facts, dict):
            raise UnavailableError(f"the record of {place} makes no sense: it is no mapping")
        return facts


def _text(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True).encode()


def _sound(place: str, make: Callable[[], T]) -> T:
    """Return what *make* returns; a record that makes no sense tells nothing of any job."""
    try:
        return make()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnavailableError(f"the record of {place} makes no sense: {error!r}") from error


def _elected(facts: Mapping[str, Any]) -> Elected:
    at = datetime.fromisoformat(facts["at"])
    return Elected(job=str(facts["job"]), order=str(facts["order"]), at=at)


def _order(key: str, facts: Mapping[str, Any]) -> Job:
    return Job(
        key=key,
        arguments=tuple(facts["arguments"]),
        tasks=tuple(
            Task(name=each["name"], arguments=tuple(each["arguments"])) for each in facts["tasks"]
        ),
        directory=facts["directory"],
        environment=dict(facts["environment"]),
    )


def _told(facts: Mapping[str, Any]) -> Ending:
    return Ending(
        exit_code=int(facts["exit_code"]),
        started_at=datetime.fromisoformat(facts["started_at"]),
        ended_at=datetime.fromisoformat(facts["ended_at"]),
        tail=str(facts["tail"]),
    )
