"""
Stands by one job of SubprocessCompute until it has ended, and leaves on disk how it ended.

A program of its own, run as ``python -I -S supervisor.py <run directory>``: it imports nothing but
the standard library, so that it is up in some 30 ms and no installed package can keep it from
starting. What it shares with the engine (the names of files, how a process is told apart) is
therefore kept here.

A run directory, each file written once and whole (``log`` and ``supervisor.log`` excepted)::

    job.json        what was asked
    claim           the one supervisor that may start it; locked while it or the job lives
    child.json      the job's first process, written by that process before it becomes the program
    log             what the job has written, both streams in order
    progress.json   how far it is, written by the job if it cares to
    tasks.json      how its tasks stand, for a job that has some (see ``task_runner``)
    cancel          somebody wants it stopped
    exit.json       how it ended
    supervisor.log  what went wrong with the supervisor itself
"""

import contextlib
import errno
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

POLL = 0.2
"""Seconds between two looks for ``cancel``."""
LAST_WORD = 0.2
"""Seconds to wait, after a job has ended, for its children to end by themselves; and, after it has
failed, for word that the whole machine is going down."""
UNKILLABLE = 5.0
"""Seconds after which a process that not even KILL ends is given up (it hangs in the kernel)."""
TIMED_OUT = 124
"""The exit code of a job that ran into its time limit, as ``timeout(1)`` has it."""
SHUTDOWN = "stopped from outside: the machine may be shutting down"

_PROC = Path("/proc")
_HAS_PROC = Path("/proc/self/stat").exists()


class Run:
    """The files of one job."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.job = directory / "job.json"
        self.claim = directory / "claim"
        self.child = directory / "child.json"
        self.log = directory / "log"
        self.progress = directory / "progress.json"
        self.tasks = directory / "tasks.json"
        self.cancel = directory / "cancel"
        self.exit = directory / "exit.json"
        self.supervisor_log = directory / "supervisor.log"

    @property
    def mark(self) -> bytes:
        """The environment entry that all processes of the job inherit, and no others."""
        return b"DAYLILY_PROGRESS=" + os.fsencode(self.progress)


def write_once(path: Path, content: object) -> bool:
    """
    Create a file whole, so that it survives a loss of power; return False if there is one already.

    Raises:
        OSError: It could not be written; there is then nothing under that name.
    """
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{os.urandom(6).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
        created = True
    except FileExistsError:
        created = False
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
    return created


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_facts(path: Path) -> dict[str, Any] | None:
    """Return what a file says; None if it is not there, nothing if it makes no sense."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def read_list(path: Path) -> list[Any]:
    """Return the list that a file holds; an empty one if it is not there or makes no sense."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return []
    return content if isinstance(content, list) else []


def identity(pid: int) -> str | None:
    """
    Return what tells a process apart from a later one of the same number; None if it is gone.

    Boot and start time. A zombie is gone: it does nothing any more.
    """
    if not _HAS_PROC:
        ps = ["/bin/ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
        answer = subprocess.run(ps, capture_output=True, text=True).stdout
        state, _, started = answer.strip().partition(" ")
        return None if not started or state.startswith("Z") else started.strip()
    stat = _stat(pid)
    if stat is None:
        return None
    return f"{(_PROC / 'sys/kernel/random/boot_id').read_text().strip()} {stat[19]}"


def _stat(pid: int) -> list[str] | None:
    """Return the fields of ``/proc/<pid>/stat`` from the state on; None if the process is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets, and may hold blanks and brackets itself.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields


def processes(mark: bytes, group: int | None) -> set[int]:
    """
    Return the living processes of a job.

    Those of its process group, and on Linux also those that left it but carry the job's mark.

    Args:
        group: The process group, if it is sure to be the job's still.
    """
    if not _HAS_PROC:
        return {group} if group is not None and _group_lives(group) else set()
    numbers = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    return {pid for pid in numbers if pid != os.getpid() and _belongs(pid, mark, group)}


def _belongs(pid: int, mark: bytes, group: int | None) -> bool:
    stat = _stat(pid)
    if stat is None:
        return False
    if group is not None and int(stat[2]) == group:
        return True
    try:
        return mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # gone meanwhile, or another user's
        return False


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def send(signal_number: int, mark: bytes, group: int | None) -> bool:
    """Send a signal to all processes of a job; return whether there were any."""
    found = processes(mark, group)
    if group is not None and found:
        # At once, so that none of the group forks away from under the loop below.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal_number)
    for pid in found:
        if group is None or _leads_elsewhere(pid, group):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal_number)
    return bool(found)


def _leads_elsewhere(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) != group
    except ProcessLookupError:
        return False


class Watch:
    """Waits for what concerns a supervisor: an ended child, and word to end itself."""

    def __init__(self) -> None:
        self.terminated = False
        self._read, write = os.pipe()
        for end in (self._read, write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        # Handlers rather than SIG_IGN, which the job would inherit.
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, self._terminate)

    def _terminate(self, _number: int, _frame: FrameType | None) -> None:
        self.terminated = True

    def wait(self, seconds: float) -> None:
        """Return after that time, or as soon as a signal has come."""
        select.select([self._read], [], [], max(seconds, 0))
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)


def take_claim(run: Run) -> int | None:
    """
    Claim a run; return the locked descriptor, or None if another supervisor has it.

    The file is locked before it appears under its name, and the job inherits the lock: so whoever
    finds ``claim`` unlocked knows that supervisor and job are both gone.
    """
    own = run.directory / f"supervisor-{os.getpid()}-{os.urandom(6).hex()}"
    descriptor = os.open(own, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        facts = {"pid": os.getpid(), "identity": identity(os.getpid()), "at": _now()}
        os.write(descriptor, json.dumps(facts).encode())
        os.fsync(descriptor)
        os.link(own, run.claim)
    except FileExistsError:
        os.close(descriptor)
        return None
    finally:
        own.unlink(missing_ok=True)
    sync_directory(run.directory)
    return descriptor


def _now() -> str:
    return datetime.now(UTC).isoformat()


class Supervisor:
    """Runs the command of a claimed job, once."""

    def __init__(self, run: Run, claim: int, watch: Watch) -> None:
        self.run = run
        self.claim = claim
        self.watch = watch
        self.job = read_facts(run.job) or {}
        self.grace: float = self.job["grace_seconds"]
        self.limit: float = self.job["time_limit_seconds"]

    def ending(self) -> dict[str, Any]:
        """Run the job to its end; return what ``exit.json`` is to say."""
        if self.run.cancel.exists():
            return _ending(None, "canceled before it started", canceled=True)
        if self.watch.terminated:
            return _ending(None, SHUTDOWN)
        started_at = _now()
        try:
            child = self._start()
        except (FileNotFoundError, NotADirectoryError) as error:
            return _ending(127, f"could not be started: {error}", started_at)
        except BlockingIOError as error:  # too many processes for now
            return _ending(None, f"could not be started: {error}", started_at)
        except (OSError, ValueError) as error:
            full = isinstance(error, OSError) and error.errno in {
                errno.ENOMEM,
                errno.ENOSPC,
                errno.EDQUOT,
            }
            return _ending(None if full else 126, f"could not be started: {error}", started_at)
        except subprocess.SubprocessError as error:  # _introduce failed
            return _ending(None, f"could not be started: {error}", started_at)
        return self._stand_by(child, started_at)

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = dict(os.environ)
        environment |= self.job["environment"]
        environment["DAYLILY_ATTEMPT"] = self.job["key"]
        environment["DAYLILY_PROGRESS"] = str(self.run.progress)
        log = os.open(self.run.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # Safe here: this process has one thread.
            return subprocess.Popen(
                self.job["arguments"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=working_directory(self.run, self.job["directory"]),
                env=environment,
                start_new_session=True,
                pass_fds=(self.claim,),
                preexec_fn=self._introduce,
            )
        finally:
            os.close(log)

    def _introduce(self) -> None:
        # Told by the child itself before it becomes the program: were it left to the supervisor, one
        # killed at the wrong moment would leave a job that no cancel could find.
        facts = {"pid": os.getpid(), "identity": identity(os.getpid()), "at": _now()}
        write_once(self.run.child, facts)

    def _stand_by(self, child: "subprocess.Popen[bytes]", started_at: str) -> dict[str, Any]:
        deadline = time.monotonic() + self.limit
        cause: str | None = None
        kill_at = float("inf")
        while child.poll() is None:
            if cause is None:
                cause = self._why_stop(deadline)
                if cause is not None:
                    kill_at = time.monotonic() + self.grace
                    send(signal.SIGTERM, self.run.mark, child.pid)
            elif time.monotonic() >= kill_at:
                send(signal.SIGKILL, self.run.mark, child.pid)
            self.watch.wait(min(POLL, deadline - time.monotonic() if cause is None else POLL))
        if cause is None:
            self._linger(child.pid)
        self._sweep(child.pid, kill_at)
        if cause is None and child.returncode != 0:
            cause = self._last_word()
        return self._verdict(cause, child.returncode, started_at)

    def _why_stop(self, deadline: float) -> str | None:
        if self.watch.terminated:
            return "terminated"
        if self.run.cancel.exists():
            return "canceled"
        return "limit" if time.monotonic() >= deadline else None

    def _last_word(self) -> str | None:
        # A shutdown sends TERM to everyone, and the job may be the first to die of it.
        end = time.monotonic() + LAST_WORD
        while not self.watch.terminated and time.monotonic() < end:
            self.watch.wait(end - time.monotonic())
        return "terminated" if self.watch.terminated else None

    def _linger(self, group: int) -> None:
        # What is about to end by itself may: a `tee` of the log has its last lines to write.
        end = time.monotonic() + LAST_WORD
        while processes(self.run.mark, group) and time.monotonic() < end:
            self.watch.wait(POLL / 10)

    def _sweep(self, group: int, kill_at: float) -> None:
        """End what the job has left behind: once it is said to have ended, nothing of it runs."""
        # The group's number cannot be given to another process while the group has members.
        if not send(signal.SIGTERM, self.run.mark, group):
            return
        kill_at = min(kill_at, time.monotonic() + self.grace)
        while time.monotonic() < kill_at:
            self.watch.wait(min(POLL / 4, kill_at - time.monotonic()))
            if not processes(self.run.mark, group):
                return
        give_up = time.monotonic() + UNKILLABLE
        while send(signal.SIGKILL, self.run.mark, group) and time.monotonic() < give_up:
            self.watch.wait(POLL / 4)

    def _verdict(self, cause: str | None, code: int, started_at: str) -> dict[str, Any]:
        exit_code = code if code >= 0 else 128 - code
        if cause == "canceled":
            return _ending(exit_code, "canceled", started_at, canceled=True)
        if cause == "limit":
            limit = timedelta(seconds=self.limit)
            return _ending(TIMED_OUT, f"time limit of {limit} reached", started_at)
        if cause == "terminated":
            # No exit code: the job is not to blame, so that the failure is one to try again.
            return _ending(None, SHUTDOWN, started_at)
        if code == -signal.SIGKILL:
            return _ending(exit_code, "killed (SIGKILL): was the machine short of memory?", started_at)
        if code < 0:
            return _ending(exit_code, f"killed by signal {-code}", started_at)
        return _ending(exit_code, f"exit code {exit_code}" if exit_code else "", started_at)


def _ending(
    exit_code: int | None, reason: str, started_at: str | None = None, *, canceled: bool = False
) -> dict[str, Any]:
    return {
        "exit_code": exit_code,
        "canceled": canceled,
        "reason": reason,
        "started_at": started_at,
        "ended_at": _now(),
    }


def working_directory(run: Run, directory: str) -> Path:
    """Return where the job starts: its own directory if that is one of this machine."""
    wanted = Path(directory)
    return wanted if wanted.is_absolute() and wanted.is_dir() else run.directory


def record(run: Run, ending: dict[str, Any]) -> None:
    """Write down how the job ended; a full disk is waited out, for the result must not be lost."""
    while True:
        try:
            write_once(run.exit, ending)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            time.sleep(1)
        else:
            return


def main(arguments: list[str]) -> None:
    """
    Supervise the job of a run directory, unless another supervisor does.

    Args:
        arguments: The run directory and, optionally, a descriptor to close once the job is claimed.
    """
    run = Run(Path(arguments[0]))
    watch = Watch()
    claim = take_claim(run)
    if len(arguments) > 1:
        os.close(int(arguments[1]))
    if claim is not None:
        record(run, Supervisor(run, claim, watch).ending())


if __name__ == "__main__":
    main(sys.argv[1:])
