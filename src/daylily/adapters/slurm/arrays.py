"""Jobs with tasks on Slurm: what Slurm and the tasks themselves tell, made one status."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from attrs import frozen

from daylily.adapters.local.job_output import plain, verdict
from daylily.adapters.slurm.answers import SlurmJob
from daylily.adapters.tasks import exit_code_of, message_of, phase_of, progress_of
from daylily.ports.compute import Job, JobStatus, Phase, TaskStatus

WRITE_ONCE: Final = (
    "import os, sys\n"
    "path, part = sys.argv[1:]\n"
    "with open(part, 'wb') as file:\n"
    "    file.write(sys.stdin.buffer.read()); file.flush(); os.fsync(file.fileno())\n"
    "try: os.link(part, path)\n"
    "except FileExistsError: pass\n"
    "os.unlink(part)\n"
)
"""Python for a login node: make a file whole, unless it is there; given path and a path beside it."""

LOST: Final = "Slurm has no record of it"


def names_file(job: Job) -> bytes:
    """Return what a file says of a job's tasks, for those who have to do with it later."""
    return f"{json.dumps({'key': job.key, 'tasks': [task.name for task in job.tasks]})}\n".encode()


@frozen(kw_only=True)
class Ending:
    """What a job, or a task of one, has left of its end."""

    key: str
    task: int | None
    job: str
    exit_code: int
    started_at: datetime
    ended_at: datetime
    tail: str


@frozen
class Told:
    """What files tell, by key."""

    names: Mapping[str, Sequence[str]]
    endings: Mapping[tuple[str, int | None], Ending]


def read_files(text: str, keys: Collection[str]) -> Told:
    """Return what files say that were written for some keys; lines that make no sense are left out."""
    names: dict[str, Sequence[str]] = {}
    endings: dict[tuple[str, int | None], Ending] = {}
    for line in text.splitlines():
        try:
            facts = json.loads(line)
            if facts["key"] not in keys:
                continue
            if "tasks" in facts:
                names[facts["key"]] = [str(name) for name in facts["tasks"]]
            else:
                ending = _ending(facts)
                endings[ending.key, ending.task] = ending
        except (ValueError, TypeError, KeyError, OverflowError, OSError):
            continue
    return Told(names, endings)


def _ending(facts: Mapping[str, Any]) -> Ending:
    started, ended = (datetime.fromtimestamp(facts[name], UTC) for name in ("started_at", "ended_at"))
    return Ending(
        key=facts["key"],
        task=facts.get("task"),
        job=str(facts.get("job", "")),
        exit_code=int(facts["exit_code"]),
        started_at=started,
        ended_at=ended,
        tail=str(facts.get("tail", "")),
    )


def status_of(
    names: Sequence[str], rows: Mapping[int | None, SlurmJob], endings: Mapping[int, Ending]
) -> JobStatus:
    """
    Return how a job with tasks stands.

    Args:
        names: Of its tasks.
        rows: What Slurm tells of tasks, by their numbers.
        endings: What tasks have left of which Slurm tells nothing, or that they failed.
    """
    tasks = tuple(_task(name, rows.get(index), endings.get(index)) for index, name in enumerate(names))
    phase = phase_of(tasks)
    known: list[SlurmJob | Ending] = [*rows.values(), *endings.values()]
    started = [each.started_at for each in known if each.started_at]
    ended = [each.ended_at for each in known if each.ended_at]
    over = phase in {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELED}
    failed = phase is Phase.FAILED
    waits_for = next((row.reason for row in rows.values() if row.reason), "")
    queued = f"Slurm: {waits_for}" if phase is Phase.QUEUED and waits_for else ""
    return JobStatus(
        phase=phase,
        job=next((str(row.number) for row in rows.values()), "")
        or next((each.job for each in endings.values()), ""),
        exit_code=exit_code_of(tasks) if failed or phase is Phase.SUCCEEDED else None,
        message=message_of(tasks) if failed else queued,
        progress=progress_of(tasks),
        tasks=tasks,
        started_at=min(started, default=None),
        ended_at=max(ended, default=None) if over else None,
    )


def _task(name: str, row: SlurmJob | None, ending: Ending | None) -> TaskStatus:
    if row is None and ending is None:
        return TaskStatus(name=name, phase=Phase.FAILED, message=LOST)
    if row is not None and row.phase is not Phase.FAILED:
        return TaskStatus(name=name, phase=row.phase, exit_code=row.exit_code)
    code = row.exit_code if row is not None else ending.exit_code if ending is not None else None
    if code == 0:
        return TaskStatus(name=name, phase=Phase.SUCCEEDED, exit_code=0)
    reason = f"exit code {code}"
    if row is not None and (code is None or row.state != "FAILED"):
        reason = f"Slurm: {row.state}"
    said = plain(ending.tail).rstrip() if ending is not None else ""
    return TaskStatus(name=name, phase=Phase.FAILED, exit_code=code, message=verdict(reason, said))
