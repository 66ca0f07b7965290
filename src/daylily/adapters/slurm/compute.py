"""
Jobs on a Slurm cluster, through its own commands.

Slurm takes the same job twice without a murmur. So every job is submitted *held*, under its key as its
name; then the queue is asked for that name, and only the oldest job of it is let go. However many
monitors submit a key at once, the controller has put their jobs in an order, and one of them runs.
A cancel of a key that has no job leaves a held one of another name in the queue, which nobody lets go.
"""

import hashlib
import json
import math
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from daylily.adapters.local.job_output import plain, verdict
from daylily.adapters.log_chunks import LONGEST_CHARACTER, chunk_of
from daylily.adapters.slurm import arrays
from daylily.adapters.slurm.answers import (
    SACCT_FORMAT,
    SQUEUE_FORMAT,
    SlurmJob,
    is_refusal,
    read_sacct,
    read_squeue,
)
from daylily.adapters.slurm.nodes import megabytes, tried_out
from daylily.adapters.slurm.progress import READ, read_progress
from daylily.adapters.slurm.runner import Finished, Runner
from daylily.adapters.slurm.whole import whole
from daylily.domain.errors import NotFoundError, RejectedError, UnavailableError
from daylily.domain.names import check_attempt_key
from daylily.domain.workset import Progress
from daylily.ports.compute import Job, JobStatus, LogChunk, Phase

CANCELED: Final = "#canceled"
"""What the name of a job ends in that stands for a cancel which came before its job."""

_Rows = dict[int | None, SlurmJob]
"""What is known of one job, under None, or of its tasks, under their numbers."""

_EPOCH: Final = ("env", "SLURM_TIME_FORMAT=%s")
_NAMES: Final = 400
"""Names in one question: an argument of a command cannot be of any length."""
_TAIL: Final = 4000
_NO_RECORDS: Final = "accounting storage is disabled"
_ENDED: Final = ("already finished", "already completing", "Invalid job id")


def _without_slash(folder: str | Path) -> str:
    return str(folder).rstrip("/")


@frozen(kw_only=True)
class SlurmCompute:
    """
    An engine that runs each job as a batch job of a Slurm cluster, and one with tasks as an array.

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
    namespace: str = field()
    """What names of jobs begin with; installations that have a folder each are told apart by it."""
    _made: list[bool] = field(init=False, factory=list)
    """Holds something once the folder is known to be there."""

    @namespace.default
    def _of_folder(self) -> str:
        return f"daylily-{hashlib.sha256(self.folder.encode()).hexdigest()[:8]}:"

    def submit(self, job: Job) -> str:
        """Have a job run; see Compute. What Slurm calls it is the job's number."""
        check_attempt_key(job.key)
        known = self._jobs([job.key]).get(job.key)
        if known is None and (ended := self._forgotten([job.key]).get(job.key)) is not None:
            return ended.job
        if known is None:
            request = self._request(job)
            # What is held is not checked against the nodes that there are.
            self._accepted(job.key, tried_out(self.runner, request, job.resources))
            self._make_folder()
            if job.tasks:
                self._write(f"{self._base(job.key)}.tasks", arrays.names_file(job))
            known = self._eldest(job.key, self._sbatch(job.key, self._script(job), request))
        number = str(_number(known))
        if _is_unreleased(known):
            self._act("scontrol", "release", number)
        return number

    def status(self, keys: Collection[str]) -> Mapping[str, JobStatus]:
        """
        Return what is known of each job; see Compute.

        A look also finishes what a dead process left undone: what a killed submitter did not let go,
        it does.
        """
        for key in keys:
            check_attempt_key(key)
        known = self._jobs(keys)
        for rows in known.values():
            if _is_unreleased(rows):
                # Should it fail, the next look tries again: it must not hide how other jobs stand.
                self._run("scontrol", "release", str(_number(rows)))
        return self._statuses(keys, known)

    def _statuses(self, keys: Collection[str], known: Mapping[str, _Rows]) -> dict[str, JobStatus]:
        found = {key: self._told(key, rows[None]) for key, rows in known.items() if None in rows}
        found |= self._with_progress(found)
        found |= self._told_of_arrays({key: rows for key, rows in known.items() if key not in found})
        return found | self._forgotten([key for key in keys if key not in found])

    def cancel(self, key: str) -> None:
        """Stop a job with all its processes; see Compute."""
        check_attempt_key(key)
        if not self._statuses([key], self._jobs([key])):  # which lets nothing go
            self._make_folder()
            self._sbatch(key + CANCELED, "#!/bin/sh\n", self.options)
        live = {job.number for job in self._queue([key]) if job.phase in {Phase.QUEUED, Phase.RUNNING}}
        for number in sorted(live):
            self._act("scancel", str(number))

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
        array = (f"--array=0-{len(job.tasks) - 1}",) if job.tasks else ()
        return (
            *self.options,
            *array,
            f"--cpus-per-task={needs.cpus}",
            f"--mem={megabytes(needs)}M",
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
            "tasks": [{"name": task.name, "arguments": list(task.arguments)} for task in job.tasks],
        }
        # JSON in ASCII is a text literal of Python too once it is quoted as JSON once more.
        literal = json.dumps(json.dumps(order))
        first, _, rest = source.partition("\n")
        end = f"sys.exit(main(json.loads({literal})))"
        return f"{first.replace('python3', self.python)}\n{rest}\n\n{end}\n"

    def _make_folder(self) -> None:
        if not self._made:
            self._check(self._run("mkdir", "-p", "-m", "700", "--", self.folder))
            self._made.append(True)

    def _write(self, path: str, content: bytes) -> None:
        part = f"{path}.{secrets.token_hex(6)}"
        command = (self.python, "-c", arrays.WRITE_ONCE, path, part)
        self._check(self._run(*whole(self.python, content, *command), given=content))

    def _sbatch(self, name: str, script: str, request: Iterable[str]) -> int:
        key = name.removesuffix(CANCELED)
        log = f"{self._base(key)}.log" if key == name else "/dev/null"
        given = script.encode()
        command = (
            "sbatch", "--parsable", "--hold", "--no-requeue", f"--job-name={self.namespace}{name}",
            f"--output={log}", "--open-mode=append", "--input=/dev/null", f"--chdir={self.folder}",
            *request,
        )  # fmt: skip
        found = self._run(*whole(self.python, given, *command), given=given)
        number = self._accepted(key, found).output.decode().strip().partition(";")[0]
        if not number.isdigit():
            raise UnavailableError(f"sbatch says {number[:80]!r} where it should name a job")
        return int(number)

    def _accepted(self, key: str, found: Finished) -> Finished:
        if is_refusal(found.complaint):
            raise RejectedError(f"{key}: sbatch refuses it: {found.complaint.strip()}")
        return self._check(found)

    def _eldest(self, key: str, own: int) -> _Rows:
        """Return the job that counts for a key, and take our *own* back if it is another."""
        found: dict[str, _Rows] = {}
        self._take(found, self._queue([key]))
        if key not in found:
            raise UnavailableError(f"Slurm has taken job {own} for {key}, and does not know of it")
        if _number(found[key]) != own:
            self._act("scancel", str(own))
        return found[key]

    # Looking

    def _jobs(self, keys: Collection[str]) -> dict[str, _Rows]:
        """
        Return for each key that Slurm knows the job that counts: the oldest of that name.

        It stands under None, or each of its tasks under its number.
        """
        found: dict[str, _Rows] = {}
        for part in _parts(keys):
            self._take(found, self._queue(part))
            if missing := [key for key in part if key not in found]:
                self._take(found, self._records(missing))
        return found

    def _queue(self, keys: Collection[str]) -> Iterator[SlurmJob]:
        found = self._run(
            *_EPOCH, "squeue", "-h", "-r", "--me", "--states=all", f"--name={self._names(keys)}",
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

    def _take(self, found: dict[str, _Rows], jobs: Iterable[SlurmJob]) -> None:
        for job in jobs:
            key = job.name.removeprefix(self.namespace).removesuffix(CANCELED)
            known = found.setdefault(key, {})
            if known and job.number < _number(known):
                known.clear()
            if not known or job.number == _number(known):
                known.setdefault(job.task, job)

    def _with_progress(self, found: Mapping[str, JobStatus]) -> dict[str, JobStatus]:
        """Return what is known of those that run and tell how far they are."""
        running = [key for key, status in found.items() if status.phase is Phase.RUNNING]
        files = {f"{self._base(key)}.progress": key for key in running}
        told: dict[str, Progress] = {}
        for part in _parts(files):
            read = self._run(self.python, "-c", READ, *part)
            told |= read_progress(read.output.decode(errors="replace"), files)
        return {key: evolve(found[key], progress=progress) for key, progress in told.items()}

    def _told_of_arrays(self, known: Mapping[str, _Rows]) -> dict[str, JobStatus]:
        """Return how jobs with tasks stand, some of which Slurm may have forgotten already."""
        names = self._read(known, [f"{self._base(key)}.tasks" for key in known]).names
        names = {key: names.get(key) or [str(each) for each in known[key]] for key in known}
        short = [key for key in known if len(known[key]) < len(names[key])]
        for part in _parts(short):
            for job in self._records(part):
                rows = known.get(job.name.removeprefix(self.namespace))
                if rows is not None and job.number == _number(rows):
                    rows.setdefault(job.task, job)
        return self._arrays(names, known)

    def _arrays(
        self, names: Mapping[str, Sequence[str]], rows: Mapping[str, _Rows]
    ) -> dict[str, JobStatus]:
        files = [
            f"{self._base(key)}.{index}.exit"
            for key in names
            for index in range(len(names[key]))
            if index not in rows[key] or rows[key][index].phase is Phase.FAILED
        ]
        endings = self._read(names, files).endings
        own = {
            key: {task: each for (of, task), each in endings.items() if of == key and task is not None}
            for key in names
        }
        return {
            key: arrays.status_of(names[key], rows[key], own[key])
            for key in names
            if rows[key] or own[key]
        }

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
        elif not job.understood:
            message = f"Slurm: {job.state!r}, a state that is new to daylily"
        return JobStatus(
            phase=job.phase,
            job=str(job.number),
            exit_code=job.exit_code,
            message=message,
            started_at=job.started_at,
            ended_at=job.ended_at,
        )

    def _forgotten(self, keys: Collection[str]) -> dict[str, JobStatus]:
        """Return how jobs ended that Slurm has forgotten, from the files that they left."""
        files = [f"{self._base(key)}.{end}" for key in keys for end in ("exit", "tasks")]
        told = self._read(keys, files)
        found = {key: _ended(ending) for (key, _), ending in told.endings.items()}
        return found | self._arrays(told.names, {key: {} for key in told.names})

    def _read(self, keys: Collection[str], files: Collection[str]) -> arrays.Told:
        texts = []
        for part in _parts(files):
            read = self._run("cat", "--", *part)  # fails where one of them is not there
            texts.append(read.output.decode(errors="replace"))
        return arrays.read_files("".join(texts), keys)

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


def _parts(words: Collection[str]) -> Iterator[list[str]]:
    rest = iter(words)
    while part := list(islice(rest, _NAMES)):
        yield part


def _is_unreleased(rows: _Rows) -> bool:
    """Tell whether the job that counts for a key is held as it was submitted."""
    return any(job.unreleased and not job.name.endswith(CANCELED) for job in rows.values())


def _number(rows: _Rows) -> int:
    return next(iter(rows.values())).number


def _ended(ending: arrays.Ending) -> JobStatus:
    code = ending.exit_code
    return JobStatus(
        phase=Phase.FAILED if code else Phase.SUCCEEDED,
        job=ending.job,
        exit_code=code,
        message=f"exit code {code}" if code else "",
        started_at=ending.started_at,
        ended_at=ending.ended_at,
    )
