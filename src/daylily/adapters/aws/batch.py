"""
Jobs on AWS Batch.

Batch takes the same job twice without a murmur, and knows no token by which to tell. So which job runs
an attempt is settled in the bucket, where one write of many can win: see ``batch_records``. A job is
found again by its name when its monitor died before it could be settled. All that a second job costs,
where one was submitted twice, is its start: it finds that it was not elected, and ends.
"""

import hashlib
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import evolve, field, frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws import batch_job
from daylily.adapters.aws.batch_answers import CANCELED, BatchJob, read_job
from daylily.adapters.aws.batch_logs import CloudWatchLogs, LogStream
from daylily.adapters.aws.batch_records import Elected, Ending, Records
from daylily.adapters.aws.batch_status import of_one, of_tasks, under_way
from daylily.adapters.aws.errors import code, reported
from daylily.adapters.log_chunks import LONGEST_CHARACTER, chunk_of
from daylily.adapters.system import utc_now
from daylily.domain.errors import NotFoundError, RejectedError, UnavailableError
from daylily.domain.names import check_attempt_key
from daylily.domain.workset import Progress
from daylily.ports.clock import Clock
from daylily.ports.compute import Job, JobStatus, LogChunk, Phase

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

T = TypeVar("T")
R = TypeVar("R")

KEPT: Final = timedelta(days=7)
"""How long Batch tells of a job that has ended, at least."""

_TO_THE_BUCKET: Final = frozenset(
    {"AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION"}
)
_AT_ONCE: Final = 100
"""Jobs in one question."""
_ASKED_EVERY: Final = timedelta(seconds=10)
_SHORTEST: Final = 60
"""Seconds; the least time limit that Batch takes."""
_MOST_TASKS: Final = 10_000
_THREADS: Final = 8
_MOST_KEPT: Final = 20_000
_SUPERFLUOUS: Final = "daylily: another job runs this attempt"
_REFUSALS: Final = re.compile(
    r"(resource requirement|vcpu|memory|array size|attemptDuration|container overrides)"
    r".*(valid|must|exceed|at least|at most|less than|greater than|supported)",
    re.IGNORECASE,
)
"""What Batch says of a job that can never run; all else may be over in a while."""


@frozen(kw_only=True, eq=False)
class BatchCompute:
    """
    An engine that runs each job as a job of AWS Batch, and one with several tasks as an array.

    Args:
        client: Asks Batch.
        logs: Asks CloudWatch.
        records: What was settled of each attempt; all who share the queue for a workset share them.
        queue: Name or ARN of the job queue.
        definition: Name or ARN of the job definition; its image has Daylily in it.
        python: What runs Daylily in a container.
        clock: Tells the time.
    """

    client: "BatchClient"
    logs: CloudWatchLogs
    records: Records
    queue: str
    definition: str
    python: str = "python3"
    clock: Clock = utc_now
    _settled: dict[str, Elected] = field(init=False, factory=dict)
    """What the records say, which never changes."""
    _names: dict[str, tuple[str, ...]] = field(init=False, factory=dict)
    """What the tasks of jobs are called; of a job without tasks there are none."""
    _told_progress: dict[str, tuple[datetime, Progress | None]] = field(init=False, factory=dict)

    def submit(self, job: Job) -> str:
        """Have a job run; see Compute. What Batch calls it is an id of its own."""
        check_attempt_key(job.key)
        if len(job.tasks) > _MOST_TASKS:
            raise RejectedError(f"{job.key}: Batch takes at most {_MOST_TASKS} tasks in one job")
        # Not from memory: that would be no answer of the engine's.
        elected = self._found(job.key)
        if elected is None:
            job = evolve(job, environment=_of_containers(job.environment))
            order = self.records.put_order(job)
            own, repeated = self._submit(job, order)
            elected = self._elect(job.key, own, order)
            with suppress(UnavailableError):  # what is superfluous ends by itself as it starts
                for each in self._named(job.key) if repeated else [own]:
                    if each != elected.job:
                        self._terminate(each, _SUPERFLUOUS)
        return elected.job or self._name(job.key)

    def status(self, keys: Collection[str]) -> Mapping[str, JobStatus]:
        """Return what is known of each job; see Compute."""
        for key in keys:
            check_attempt_key(key)
        elected = self._elected(keys)
        jobs = self._described(each.job for each in elected.values() if each.job)

        def told(key: str) -> JobStatus:
            return self._told(key, elected[key], jobs.get(elected[key].job))

        return dict(zip(elected, _each(told, list(elected)), strict=True))

    def cancel(self, key: str) -> None:
        """Stop a job with all its processes; see Compute."""
        check_attempt_key(key)
        elected = self._elected([key]).get(key) or self._elect(key, "", "")
        if not elected.job:
            return
        job = self._described([elected.job]).get(elected.job)
        # Batch is not asked to stop what has ended: it might note that it was stopped.
        if job is None or not job.ended:
            self._terminate(elected.job, CANCELED)

    def log(self, key: str, *, offset: int = 0, limit: int = 65536) -> LogChunk:
        """
        Return a part of what the job has written; see Compute. A limit below 4 counts as 4.

        Of a job with tasks it is what the first has written, then the second: a task's part comes once
        those before it have ended.
        """
        check_attempt_key(key)
        elected = self._elected([key]).get(key)
        if elected is None:
            raise NotFoundError(f"there is no job {key}")
        offset, limit = max(offset, 0), max(limit, LONGEST_CHARACTER)
        job = self._described([elected.job]).get(elected.job) if elected.job else None
        if job is None:
            ending = self.records.ending(key) if elected.job else None
            data, whole = (ending.tail.encode() if ending else b"")[offset:], True
        else:
            data, whole = self.logs.read(key, self._streams(key, elected, job), offset, limit)
        ended = job.ended if job else True
        return chunk_of(data[:limit], offset, last=ended and whole and len(data) <= limit)

    # Submitting

    def _submit(self, job: Job, order: str) -> tuple[str, bool]:
        """Submit a job; return what Batch calls it, and whether it may have been submitted twice."""
        needs = job.resources
        words = ["-m", batch_job.__name__, "--records", self.records.location]
        # What leads to the bucket; the rest stands in the order.
        ours = {name: value for name, value in job.environment.items() if name in _TO_THE_BUCKET}
        request: dict[str, Any] = {
            "jobName": self._name(job.key),
            "jobQueue": self.queue,
            "jobDefinition": self.definition,
            "parameters": {"order": order},
            "retryStrategy": {"attempts": 1},
            "timeout": {"attemptDurationSeconds": _seconds(needs.time_limit)},
            "containerOverrides": {
                "command": [self.python, *words, "--key", job.key, "--order", order],
                "environment": [{"name": name, "value": value} for name, value in ours.items()],
                "resourceRequirements": [
                    {"type": "VCPU", "value": str(needs.cpus)},
                    {"type": "MEMORY", "value": str(math.ceil(needs.memory_gb * 1024))},
                ],
            },
        }
        if len(job.tasks) > 1:  # an array has two children at least
            request["arrayProperties"] = {"size": len(job.tasks)}
        with reported("batch", "SubmitJob", f"queue {self.queue}, definition {self.definition}"):
            try:
                answer = self.client.submit_job(**request)
            except ClientError as error:
                said = str(error.response.get("Error", {}).get("Message", ""))
                if code(error) == "ClientException" and _REFUSALS.search(said):
                    raise RejectedError(f"{job.key}: Batch refuses it: {said}") from error
                raise
        return answer["jobId"], answer["ResponseMetadata"]["RetryAttempts"] > 0

    def _terminate(self, job: str, reason: str) -> None:
        with reported("batch", "TerminateJob", f"job {job}"):
            self.client.terminate_job(jobId=job, reason=reason)

    def _name(self, key: str) -> str:
        """Return what the jobs of an attempt are called; two installations may share a queue."""
        workset_id, attempt = check_attempt_key(key)
        whose = hashlib.sha256(self.records.location.encode()).hexdigest()[:8]
        return f"{workset_id}_{attempt}_{whose}"

    # What is settled

    def _elected(self, keys: Collection[str]) -> dict[str, Elected]:
        """Return what is settled for each key; a job that nobody could settle is settled now."""
        # Taken at once: others may make room in what is remembered meanwhile.
        known = {key: self._settled.get(key) for key in keys}
        missing = [key for key, elected in known.items() if elected is None]
        known |= dict(zip(missing, _each(self._found, missing), strict=True))
        if len(self._settled) > _MOST_KEPT:
            for remembered in (self._settled, self._names, self._told_progress):
                remembered.clear()
        return {key: elected for key, elected in known.items() if elected is not None}

    def _found(self, key: str) -> Elected | None:
        found = self.records.elected(key) or self._adopted(key)
        if found is not None:
            self._settled[key] = found
        return found

    def _adopted(self, key: str) -> Elected | None:
        names = self._named(key)
        jobs = self._described(names[:1])
        return self._elect(key, names[0], jobs[names[0]].order) if jobs else None

    def _elect(self, key: str, job: str, order: str) -> Elected:
        elected = self.records.elect(key, Elected(job=job, order=order, at=self.clock()))
        self._settled[key] = elected
        return elected

    def _named(self, key: str) -> list[str]:
        """Return the jobs that have been submitted for a key, oldest first."""
        name = self._name(key)
        found: list[tuple[int, str]] = []
        token: dict[str, Any] = {}
        with reported("batch", "ListJobs", f"queue {self.queue}"):
            while True:
                page = self.client.list_jobs(
                    jobQueue=self.queue, filters=[{"name": "JOB_NAME", "values": [name]}], **token
                )
                # Batch matches names whatever their case.
                same = (each for each in page["jobSummaryList"] if each["jobName"] == name)
                found += [(each.get("createdAt", 0), each["jobId"]) for each in same]
                if not (following := page.get("nextToken")):
                    return [job for _, job in sorted(found)]
                token = {"nextToken": following}

    def _described(self, names: Iterable[str]) -> dict[str, BatchJob]:
        found: dict[str, BatchJob] = {}
        wanted = sorted(set(names))
        for start in range(0, len(wanted), _AT_ONCE):
            with reported("batch", "DescribeJobs", f"queue {self.queue}"):
                answer = self.client.describe_jobs(jobs=wanted[start : start + _AT_ONCE])
            found |= {each["jobId"]: read_job(each) for each in answer["jobs"]}
        return found

    # Telling

    def _told(self, key: str, elected: Elected, job: BatchJob | None) -> JobStatus:
        if not elected.job:
            return JobStatus(phase=Phase.CANCELED, job=self._name(key))
        if job is None and self.clock() - elected.at < KEPT:
            # It was there and cannot be forgotten yet: Batch lags behind, or this is another account.
            return JobStatus(
                phase=Phase.QUEUED, job=elected.job, message=f"Batch does not tell of job {elected.job}"
            )
        names = self._tasks(key, elected)
        if not names:
            status = of_one(elected.job, job, self._ending(key, None, job), self._tail)
            if status.phase is Phase.RUNNING:
                return evolve(status, progress=self._progress(key))
            return status
        if job is not None and not job.ended:
            return under_way(job, len(names))
        return self._told_of_tasks(key, elected, job, names)

    def _told_of_tasks(
        self, key: str, elected: Elected, job: BatchJob | None, names: Sequence[str]
    ) -> JobStatus:
        alone = len(names) == 1
        children: list[BatchJob | None] = [job]
        if not alone:
            ids = [f"{elected.job}:{index}" for index in range(len(names))]
            known = self._described(ids) if job is not None else {}
            children = [known.get(each) for each in ids]

        def ending(index: int) -> Ending | None:
            return self._ending(key, None if alone else index, children[index])

        endings = _each(ending, range(len(names)))
        return of_tasks(elected.job, names, job, children, endings, self._tail)

    def _ending(self, key: str, index: int | None, job: BatchJob | None) -> Ending | None:
        """Return what a job has told of its end; there is no need to ask where Batch says all."""
        silent = job is None or job.phase in {Phase.FAILED, Phase.CANCELED}
        return self.records.ending(key, index) if silent else None

    def _progress(self, key: str) -> Progress | None:
        """Return how far a job says that it is: asked no oftener than it tells."""
        now = self.clock()
        asked, progress = self._told_progress.get(key, (None, None))
        if asked is None or now - asked >= _ASKED_EVERY:
            progress = self.records.progress(key)
            self._told_progress[key] = now, progress
        return progress

    def _tail(self, job: BatchJob) -> str:
        return self.logs.tail(_stream(job))

    def _tasks(self, key: str, elected: Elected) -> tuple[str, ...]:
        if key not in self._names:
            with suppress(NotFoundError):
                order = self.records.order(key, elected.order)
                self._names[key] = tuple(task.name for task in order.tasks)
        return self._names.get(key, ())

    def _streams(self, key: str, elected: Elected, job: BatchJob) -> Iterator[LogStream]:
        names = self._tasks(key, elected)
        if job.size is None:
            yield _stream(job, f"{names[0]}: " if names else "")
            return
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            ids = [f"{elected.job}:{start + index}" for index in range(len(part))]
            known = self._described(ids)
            for child, name in zip(map(known.get, ids), part, strict=True):
                if child is None:
                    yield LogStream(group="", name=None, ended=job.ended)
                else:
                    yield _stream(child, f"{name}: ")


def _stream(job: BatchJob, prefix: str = "") -> LogStream:
    return LogStream(group=job.log_group, name=job.log_stream, prefix=prefix, ended=job.ended)


def _of_containers(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out how this machine comes by credentials: a container has a role of its own."""
    return {
        name: value
        for name, value in environment.items()
        if name in _TO_THE_BUCKET or not name.startswith("AWS_")
    }


def _seconds(limit: timedelta) -> int:
    return max(_SHORTEST, math.ceil(limit.total_seconds()))


def _each(act: Callable[[T], R], items: Sequence[T]) -> list[R]:
    if len(items) < 2:
        return [act(item) for item in items]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(act, items))
