"""Jobs as processes of this machine, which outlive whoever started them."""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from daylily.adapters.local import job_output, job_tasks, supervisor
from daylily.adapters.local.supervisor import Run
from daylily.adapters.tasks import message_of, progress_of
from daylily.domain.errors import NotFoundError, RejectedError, UnavailableError
from daylily.domain.names import check_attempt_key
from daylily.ports.compute import Job, JobStatus, LogChunk, Phase

PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "TMPDIR", "TZ", "USER")
"""What a job gets of the server's environment: nothing in there is a secret."""

VANISHED: Final = "the job's processes vanished without an exit status (machine restarted or killed)"

_HANDSHAKE: Final = 30.0
"""Seconds that a new supervisor has to claim its job before the submitter goes on without word."""


def _resolved(path: Path) -> Path:
    # However a monitor spells it: processes are told apart by paths below it.
    return path.resolve()


@frozen(kw_only=True)
class SubprocessCompute:
    """
    An engine that runs each job as a process group of this machine.

    Each job has a directory ``<root>/<workset_id>/<attempt>/`` (see ``supervisor``) and a supervisor
    process in a session of its own. Nothing is held in memory: any process that has the same root,
    on this machine, may ask for any job. A job starts at most once, whoever dies when; one whose end
    nobody could record is FAILED without an exit code.

    ``cpus`` and ``memory_gb`` of a job are not enforced, nor is anything queued for want of them:
    how many jobs run at a time is the monitor's to say. ``time_limit`` is. Of the tasks of a job as
    many run at once as the machine has CPUs and memory for.

    Job and supervisor belong to the control group of the service that submitted them: a systemd unit
    needs ``KillMode=process`` for jobs to outlive it.

    Args:
        root: Where the directories of jobs are; on a local file system, for its locks and links.
        grace: How long a job has between TERM and KILL.
        python: The interpreter that runs supervisors; its directory leads the jobs' ``PATH``.
        environment: What is passed on of it is only ``PASSED_ON``.
        patience: How long a job may be unclaimed before ``status`` starts a supervisor for it.

    Raises:
        UnavailableError: The root cannot be created.
    """

    root: Path = field(converter=_resolved)
    grace: timedelta = timedelta(seconds=10)
    python: str = sys.executable
    environment: Mapping[str, str] = field(factory=lambda: os.environ)
    patience: timedelta = timedelta(seconds=10)

    def __attrs_post_init__(self) -> None:
        with _answering():
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def submit(self, job: Job) -> str:
        """Have a job run; see Compute. A malformed key raises InvalidInputError."""
        run = self._run(job.key)
        with _answering():
            self._check_root()
            if _is_there(run.cancel):
                return job.key
            if not _is_there(run.job):
                self._check_runnable(job, run)
                self._make_directory(run)
                supervisor.write_once(run.job, self._order(job, run))
            if not _is_there(run.claim):
                self._start_supervisor(run, wait=True)
        return job.key

    def status(self, keys: Collection[str]) -> Mapping[str, JobStatus]:
        """
        Return what is known of each job; see Compute.

        A look also finishes what a dead process left undone: it starts the supervisor that a killed
        submitter did not, and stops a canceled or overdue job that has lost its supervisor.
        """
        with _answering():
            self._check_root()
            found = {key: self._look(key, self._run(key)) for key in keys}
        return {key: status for key, status in found.items() if status is not None}

    def cancel(self, key: str) -> None:
        """Stop a job with all its processes; see Compute."""
        run = self._run(key)
        with _answering():
            self._check_root()
            before = self._look(key, run)
            if before is not None and before.ended:
                return
            self._make_directory(run)
            supervisor.write_once(run.cancel, {"at": datetime.now(UTC).isoformat()})
            # A live supervisor sees to the rest; this is for the job that has lost its own.
            self._look(key, run)

    def log(self, key: str, *, offset: int = 0, limit: int = 65536) -> LogChunk:
        """Return a part of what the job has written; see Compute. A limit below 4 counts as 4."""
        run = self._run(key)
        with _answering():
            self._check_root()
            # Before reading: what ended before the read adds nothing after it.
            status = self._look(key, run)
            if status is None:
                raise NotFoundError(f"there is no job {key}")
            return job_output.chunk(run.log, offset=offset, limit=limit, ended=status.ended)

    # Submitting

    def _run(self, key: str) -> Run:
        workset_id, attempt = check_attempt_key(key)
        return Run(self.root / workset_id / attempt)

    def _check_root(self) -> None:
        # A root that is gone (a disk not mounted) is an outage: it does not mean "no jobs".
        if not self.root.is_dir():
            raise UnavailableError(f"the directory of jobs is not there: {self.root}")

    def _check_runnable(self, job: Job, run: Run) -> None:
        names = job.environment.keys()
        commands = [task.arguments for task in job.tasks] or [job.arguments]
        words = [word for command in commands for word in command]
        texts = [*words, *(task.name for task in job.tasks), *names, *job.environment.values()]
        if any("\0" in text for text in texts) or any(not name or "=" in name for name in names):
            raise RejectedError(f"{job.key}: no argument or variable may hold a NUL, no name a '='")
        if not all(command and command[0] for command in commands):
            raise RejectedError(f"{job.key}: there is no program to run")
        path = job.environment.get("PATH", self._passed_on()["PATH"])
        for name in dict.fromkeys(command[0] for command in commands):
            program = name
            if "/" in name:
                program = str(supervisor.working_directory(run, job.directory) / name)
            if shutil.which(program, path=path) is None:
                raise RejectedError(f"{job.key}: no executable program {name!r} is to be found")

    def _make_directory(self, run: Run) -> None:
        for directory in (run.directory.parent, run.directory):
            with contextlib.suppress(FileExistsError):
                directory.mkdir(mode=0o700)
            supervisor.sync_directory(directory.parent)

    def _order(self, job: Job, run: Run) -> dict[str, Any]:
        order = {
            "key": job.key,
            "arguments": list(job.arguments),
            "directory": job.directory,
            "environment": dict(job.environment),
            "time_limit_seconds": job.resources.time_limit.total_seconds(),
            "grace_seconds": self.grace.total_seconds(),
        }
        return order | job_tasks.order(job, run, self.python, order) if job.tasks else order

    def _passed_on(self) -> dict[str, str]:
        kept = {name: self.environment[name] for name in PASSED_ON if name in self.environment}
        return kept | {"PATH": f"{Path(self.python).parent}:{kept.get('PATH', os.defpath)}"}

    def _start_supervisor(self, run: Run, *, wait: bool) -> None:
        """
        Start a supervisor unless there is one.

        Args:
            wait: Whether to wait for another process that is just starting one.

        Raises:
            UnavailableError: It did not come up.
        """
        # Not what makes jobs run once (the claim does): only what spares us a crowd of supervisors.
        with run.job.open("rb") as turn:
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                return
            if _is_there(run.claim):
                return
            if self._spawn(run) and not _is_there(run.claim):
                complaint = job_output.tail(run.supervisor_log)
                raise UnavailableError(f"the supervisor of {run.directory} did not start: {complaint}")

    def _spawn(self, run: Run) -> bool:
        """Start a supervisor; return False if it has not claimed the job, nor ended, after a while."""
        with run.supervisor_log.open("ab") as log, contextlib.ExitStack() as stack:
            ready, theirs = os.pipe()
            stack.callback(os.close, ready)
            try:
                process = subprocess.Popen(
                    [
                        self.python,
                        "-I",
                        "-S",
                        "-X",
                        "utf8",
                        supervisor.__file__,
                        run.directory,
                        str(theirs),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=run.directory,
                    env=self._passed_on(),
                    start_new_session=True,
                    pass_fds=(theirs,),
                )
            finally:
                os.close(theirs)
            # Reaped by a thread that sleeps until then. A double fork would need no thread, but would
            # leave a zombie a job where the monitor is the first process of a container without init.
            threading.Thread(target=process.wait, name=f"reaper of {process.pid}", daemon=True).start()
            # poll, as select fails in a process with more than a thousand open files.
            word = select.poll()
            word.register(ready, select.POLLIN)
            return bool(word.poll(_HANDSHAKE * 1000))

    # Looking

    def _look(self, key: str, run: Run) -> JobStatus | None:
        # In this order: whoever claims a job after the cancel was seen sees the cancel too.
        canceled = _is_there(run.cancel)
        if (ending := supervisor.read_facts(run.exit)) is not None:
            return self._ended(key, run, ending)
        claim = supervisor.read_facts(run.claim)
        if claim is None:
            if canceled:
                tasks = job_tasks.statuses(run, Phase.CANCELED)
                return JobStatus(phase=Phase.CANCELED, job=key, tasks=tasks)
            return self._queued(key, run)
        # The lock before the child: once it is free nobody is left to start one, and a child that let
        # go of it had introduced itself before.
        locked = _is_locked(run.claim)
        child = supervisor.read_facts(run.child) or {}
        if self._still_runs(run, claim, child, locked=locked):
            tasks = job_tasks.statuses(run)
            return JobStatus(
                phase=Phase.RUNNING,
                job=key,
                # Each task has its own word on progress, and they would write over one another's.
                progress=progress_of(tasks) if tasks else job_output.progress(run.progress),
                tasks=tasks,
                started_at=_instant(child.get("at") or claim.get("at")),
            )
        # Written down, so that it stays as it is told here, unless the supervisor has just done so.
        verdict = {
            "exit_code": None,
            "canceled": canceled,
            "reason": VANISHED,
            "started_at": child.get("at"),
            "ended_at": datetime.now(UTC).isoformat(),
        }
        supervisor.write_once(run.exit, verdict)
        return self._ended(key, run, supervisor.read_facts(run.exit) or verdict)

    def _queued(self, key: str, run: Run) -> JobStatus | None:
        try:
            submitted = run.job.stat().st_mtime
        except FileNotFoundError:
            return None
        message = ""
        if time.time() - submitted >= self.patience.total_seconds():
            try:
                self._start_supervisor(run, wait=False)
            except (OSError, UnavailableError) as error:
                # One job that cannot be started must not hide the others' status.
                message = f"cannot be started for now: {error}"
        return JobStatus(phase=Phase.QUEUED, job=key, message=message)

    def _ended(self, key: str, run: Run, ending: dict[str, Any]) -> JobStatus:
        exit_code = ending.get("exit_code")
        phase = Phase.SUCCEEDED if exit_code == 0 else Phase.FAILED
        if ending.get("canceled"):
            phase = Phase.CANCELED
        reason = ending.get("reason") or "the record of its end cannot be read"
        tasks = job_tasks.statuses(run, phase, reason)
        message = ""
        if phase is Phase.FAILED:
            # Only where none of the tasks is to blame is there anything else to tell.
            blamed = exit_code is not None and message_of(tasks)
            message = blamed or job_output.verdict(reason, job_output.tail(run.log))
        return JobStatus(
            phase=phase,
            job=key,
            exit_code=exit_code,
            message=message,
            tasks=tasks,
            started_at=_instant(ending.get("started_at")),
            ended_at=_instant(ending.get("ended_at")),
        )

    def _still_runs(
        self, run: Run, claim: dict[str, Any], child: dict[str, Any], *, locked: bool
    ) -> bool:
        """Tell whether anything of a claimed job lives; one without a supervisor is minded here."""
        if not locked and not _lives(child):
            # Its children may live on without the lock: as nobody will ever tell how it ended, they
            # have to be gone before the next attempt begins.
            return supervisor.send(signal.SIGKILL, run.mark, None)
        if not _lives(claim):
            self._mind_orphan(run, child)
        return True

    def _mind_orphan(self, run: Run, child: dict[str, Any]) -> None:
        """Stop a job that is canceled, overdue or headless, as its supervisor would have done."""
        order = supervisor.read_facts(run.job) or {}
        now = time.time()
        since = None
        group = child.get("pid") if _lives(child) else None
        if (wish := supervisor.read_facts(run.cancel)) is not None:
            since = _seconds(wish.get("at"), now)
        elif child and group is None:
            since = _seconds(child.get("at"), now)
        elif now >= (due := _seconds(child.get("at"), now) + order.get("time_limit_seconds", now)):
            since = due
        if since is not None:
            patient = now - since < order.get("grace_seconds", self.grace.total_seconds())
            # Without its first process, the number of its group proves nothing any more.
            supervisor.send(signal.SIGTERM if patient else signal.SIGKILL, run.mark, group)


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"the directory of jobs cannot be used: {error}") from error


def _is_there(path: Path) -> bool:
    # Not Path.exists: that takes a broken path for an absent file.
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lives(facts: dict[str, Any]) -> bool:
    pid, identity = facts.get("pid"), facts.get("identity")
    return isinstance(pid, int) and identity is not None and supervisor.identity(pid) == identity


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _seconds(text: str | None, default: float) -> float:
    at = _instant(text)
    return at.timestamp() if at else default
