"""
Jobs on a Slurm cluster, through its own commands.

Slurm takes the same job twice without a murmur. So every job is submitted *held*, under its key as its
name; then the queue is asked for that name, and only the oldest job of it is let go. However many
monitors submit a key at once, the controller has put their jobs in an order, and one of them runs.
A cancel of a key that has no job leaves a held one of another name in the queue, which nobody lets go.
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from daylily.adapters.local.job_output import plain, verdict
from daylily.adapters.log_chunks import LONGEST_CHARACTER, chunk_of
from daylily.adapters.slurm.answers import (
    SACCT_FORMAT,
    SQUEUE_FORMAT,
    SlurmJob,
    read_sacct,
    read_squeue,
)
from daylily.adapters.slurm.runner import Finished, Runner
from daylily.domain.errors import NotFoundError, RejectedError, UnavailableError
from daylily.domain.names import check_attempt_key
from daylily.ports.compute import Job, JobStatus, LogChunk, Phase

CANCELED: Final = "#canceled"
"""What the name of a job ends in that stands for a cancel which came before its job."""

_EPOCH: Final = ("env", "SLURM_TIME_FORMAT=%s")
_NAMES: Final = 400
"""Names in one question: an argument of a command cannot be of any length."""
_TAIL: Final = 4000
_REFUSALS: Final = (
    "Requested node configuration is not available",
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
)
"""What sbatch says of jobs that can never run; all else may be over in a while."""
_NO_RECORDS: Final = "accounting storage is disabled"
_ENDED: Final = ("already finished", "already completing", "Invalid job id")


def _without_slash(folder: str | Path) -> str:
    return str(folder).rstrip("/")


@frozen(kw_only=True)
class SlurmCompute:
    """
    An engine that runs each job as a batch job of a Slurm cluster.

    A status is one ``squeue``, and for jobs that have left the queue one ``sacct``; where there is no
    accounting, a file that each job leaves in *folder* tells how it ended.

    Args:
        runner: Where the commands are.
        folder: Directory for logs and endings that all nodes of the cluster share.
        options: Further words for sbatch: partition, account, constraint.
        keep_days: How long after a job's start sacct is asked about it.
        python: The interpreter on the nodes.
    """

    runner: Runner
    folder: str = field(converter=_without_slash)
    options: tuple[str, ...] = ()
    keep_days: int = 60
    python: str = "python3"
    namespace: str = "daylily:"
    """What names of jobs begin with: installations that share a cluster and a user need one each."""
    _made: list[bool] = field(init=False, factory=list)
    """Holds something once the folder is known to be there."""

    def submit(self, job: Job) -> str:
        """Have a job run; see Compute. What Slurm calls it is the job's number."""
        check_attempt_key(job.key)
        known = self._jobs([job.key]).get(job.key)
        if known is None and (ended := self._endings([job.key]).get(job.key)) is not None:
            return ended.job
        if known is None:
            request = self._request(job)
            # What is held is not checked against the nodes that there are.
            self._accepted(job.key, self._run("sbatch", "--test-only", *request, given=b"#!/bin/sh\n"))
            known = self._eldest(job.key, self._sbatch(job.key, self._script(job), request))
        if known.held and not known.name.endswith(CANCELED):
            self._act("scontrol", "release", str(known.number))
        return str(known.number)

    def status(self, keys: Collection[str]) -> Mapping[str, JobStatus]:
        """Return what is known of each job; see Compute."""
        for key in keys:
            check_attempt_key(key)
        known = self._jobs(keys)
        found = {key: self._told(key, job) for key, job in known.items()}
        return found | self._endings([key for key in keys if key not in found])

    def cancel(self, key: str) -> None:
        """Stop a job with all its processes; see Compute."""
        check_attempt_key(key)
        if not self.status([key]):
            self._sbatch(key + CANCELED, "#!/bin/sh\n", self.options)
        for job in self._queue([key]):
            if job.phase in {Phase.QUEUED, Phase.RUNNING}:
                self._act("scancel", str(job.number))

    def log(self, key: str, *, offset: int = 0, limit: int = 65536) -> LogChunk:
        """Return a part of what the job has written; see Compute. A limit below 4 counts as 4."""
        status = self.status([key]).get(key)
        if status is None:
            raise NotFoundError(f"there is no job {key}")
        offset, limit = max(offset, 0), max(limit, LONGEST_CHARACTER)
        found = self._run(
            "dd", f"if={self._base(key)}.log", "bs=65536", "iflag=skip_bytes,count_bytes",
            f"skip={offset}", f"count={limit + 1}", "status=none",
        )  # fmt: skip
        data = found.output[:limit]
        return chunk_of(data, offset, last=status.ended and len(found.output) <= limit)

    # Submitting

    def _request(self, job: Job) -> tuple[str, ...]:
        needs = job.resources
        return (
            *self.options,
            f"--cpus-per-task={needs.cpus}",
            f"--mem={math.ceil(needs.memory_gb * 1024)}M",
            f"--time={math.ceil(needs.time_limit.total_seconds() / 60)}",
        )

    def _script(self, job: Job) -> str:
        source = resources.files(__package__).joinpath("job_script.py").read_text(encoding="utf-8")
        order = {
            "key": job.key,
            "base": self._base(job.key),
            "directory": job.directory,
            "arguments": list(job.arguments),
            "environment": dict(job.environment),
        }
        # JSON in ASCII is a text literal of Python too once it is quoted as JSON once more.
        literal = json.dumps(json.dumps(order))
        first, _, rest = source.partition("\n")
        end = f"sys.exit(main(json.loads({literal})))"
        return f"{first.replace('python3', self.python)}\n{rest}\n\n{end}\n"

    def _sbatch(self, name: str, script: str, request: Iterable[str]) -> int:
        if not self._made:
            self._check(self._run("mkdir", "-p", "-m", "700", "--", self.folder))
            self._made.append(True)
        key = name.removesuffix(CANCELED)
        log = f"{self._base(key)}.log" if key == name else "/dev/null"
        found = self._run(
            "sbatch",
            "--parsable",
            "--hold",
            "--no-requeue",
            f"--job-name={self.namespace}{name}",
            f"--output={log}",
            "--open-mode=append",
            "--input=/dev/null",
            f"--chdir={self.folder}",
            *request,
            given=script.encode(),
        )
        number = self._accepted(key, found).output.decode().strip().partition(";")[0]
        if not number.isdigit():
            raise UnavailableError(f"sbatch says {number[:80]!r} where it should name a job")
        return int(number)

    def _accepted(self, key: str, found: Finished) -> Finished:
        if any(word in found.complaint for word in _REFUSALS):
            raise RejectedError(f"{key}: sbatch refuses it: {found.complaint.strip()}")
        return self._check(found)

    def _eldest(self, key: str, own: int) -> SlurmJob:
        """Return the job that counts for a key, and take our *own* back if it is another."""
        eldest = min(self._queue([key]), default=None)
        if eldest is None:
            raise UnavailableError(f"Slurm has taken job {own} for {key}, and does not know of it")
        if eldest.number != own:
            self._act("scancel", str(own))
        return eldest

    # Looking

    def _jobs(self, keys: Collection[str]) -> dict[str, SlurmJob]:
        """Return for each key that Slurm knows the job that counts: the oldest of that name."""
        found: dict[str, SlurmJob] = {}
        for part in _parts(keys):
            self._take(found, self._queue(part))
            if missing := [key for key in part if key not in found]:
                self._take(found, self._records(missing))
        return found

    def _queue(self, keys: Collection[str]) -> Iterator[SlurmJob]:
        found = self._run(
            *_EPOCH, "squeue", "-h", "--me", "--states=all", f"--name={self._names(keys)}",
            "-O", SQUEUE_FORMAT,
        )  # fmt: skip
        return read_squeue(self._text(found))

    def _records(self, keys: Collection[str]) -> Iterator[SlurmJob]:
        found = self._run(
            *_EPOCH, "sacct", "-n", "-P", "-X", f"--starttime=now-{self.keep_days}days",
            f"--name={self._names(keys)}", f"--format={SACCT_FORMAT}",
        )  # fmt: skip
        if _NO_RECORDS in found.complaint:
            return iter(())
        return read_sacct(self._text(found))

    def _names(self, keys: Collection[str]) -> str:
        return ",".join(f"{self.namespace}{key}{end}" for key in keys for end in ("", CANCELED))

    def _take(self, found: dict[str, SlurmJob], jobs: Iterable[SlurmJob]) -> None:
        for job in jobs:
            key = job.name.removeprefix(self.namespace).removesuffix(CANCELED)
            if key not in found or job.number < found[key].number:
                found[key] = job

    def _told(self, key: str, job: SlurmJob) -> JobStatus:
        if job.name.endswith(CANCELED):
            return JobStatus(phase=Phase.CANCELED, job=str(job.number))
        message = ""
        if job.phase is Phase.FAILED:
            reason = f"exit code {job.exit_code}"
            if job.exit_code is None or job.state != "FAILED":
                reason = f"Slurm: {job.state}"
            message = verdict(reason, self._tail(key))
        elif job.phase is Phase.QUEUED and job.reason:
            message = f"Slurm: {job.reason}"
        return JobStatus(
            phase=job.phase,
            job=str(job.number),
            exit_code=job.exit_code,
            message=message,
            started_at=job.started_at,
            ended_at=job.ended_at,
        )

    def _endings(self, keys: Collection[str]) -> dict[str, JobStatus]:
        """Return how jobs ended that Slurm has forgotten, from the files that they left."""
        found: dict[str, JobStatus] = {}
        for part in _parts(keys):
            files = [f"{self._base(key)}.exit" for key in part]
            read = self._run("cat", "--", *files)  # fails where one of them is not there
            for line in read.output.decode(errors="replace").splitlines():
                if (told := _ending(line, part)) is not None:
                    found[told[0]] = told[1]
        return found

    def _tail(self, key: str) -> str:
        found = self._run("tail", "-c", str(_TAIL), "--", f"{self._base(key)}.log")
        return plain(found.output.decode(errors="replace")).rstrip()

    def _base(self, key: str) -> str:
        workset_id, attempt = check_attempt_key(key)
        return f"{self.folder}/{workset_id}.{attempt}"

    # Running commands

    def _act(self, *arguments: str) -> None:
        """Run a command on a job, which may have ended meanwhile."""
        found = self._run(*arguments)
        if not any(word in found.complaint for word in _ENDED):
            self._check(found)

    def _run(self, *arguments: str, given: bytes = b"") -> Finished:
        return self.runner.run(arguments, given=given)

    def _check(self, found: Finished) -> Finished:
        if found.code:
            raise UnavailableError(f"Slurm does not answer: {found.complaint.strip()[-500:]}")
        return found

    def _text(self, found: Finished) -> str:
        return self._check(found).output.decode(errors="replace")


def _parts(keys: Collection[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while part := list(islice(rest, _NAMES)):
        yield part


def _ending(line: str, keys: Collection[str]) -> tuple[str, JobStatus] | None:
    try:
        facts: dict[str, Any] = json.loads(line)
        key, code = facts["key"], int(facts["exit_code"])
        started, ended = (
            datetime.fromtimestamp(facts[name], UTC) for name in ("started_at", "ended_at")
        )
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return None
    if key not in keys:
        return None
    return key, JobStatus(
        phase=Phase.FAILED if code else Phase.SUCCEEDED,
        job=str(facts.get("job", "")),
        exit_code=code,
        message=f"exit code {code}" if code else "",
        started_at=started,
        ended_at=ended,
    )
