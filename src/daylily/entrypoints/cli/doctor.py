"""``daylily doctor``: is this installation fit to run, and if not, what is to be done?"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from attrs import evolve

from daylily.domain.errors import DaylilyError, InvalidInputError
from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.config import strange_variables
from daylily.entrypoints.cli.failures import NotCompleteError, plain
from daylily.entrypoints.cli.render import size_of
from daylily.entrypoints.cli.session import Session
from daylily.ports.installation import Finding

if TYPE_CHECKING:
    from daylily.ports.compute import Compute

_LITTLE_SPACE: Final = 5_000_000_000
_NO_SPACE: Final = 200_000_000
_PROBE: Final = "doctor-check/1"
_ENGINE_SECONDS: Final = 15.0
_SOUND_YEAR: Final = 2025
_COLOURS: Final = {"ok": "green", "warn": "yellow", "FAIL": "red"}


@command(
    epilog="""\b
Examples:
  daylily doctor
  daylily doctor --url http://127.0.0.1:8000
  daylily doctor --json | jq '.[] | select(.verdict != "ok")'

Exits 1 if a check says FAIL.
"""
)
@pass_session
def doctor(session: Session) -> None:
    """Check this installation, and say what to do."""
    findings: list[Finding] = []
    for finding in _all(session):
        findings.append(finding)
        if not session.as_json:
            _print(finding)
    if session.as_json:
        session.print_json(findings)
    if any(finding.verdict == "FAIL" for finding in findings):
        raise NotCompleteError


def _print(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict:4}", fg=_COLOURS[finding.verdict])
    click.echo(f"{verdict}  {finding.check:11} {plain(finding.text)}")
    if finding.advice:
        click.echo(f"                  {plain(finding.advice)}")


def _all(session: Session) -> Iterator[Finding]:
    yield _python()
    try:
        session.loaded  # noqa: B018 - reading them is the check
    except InvalidInputError as error:
        text = "; ".join(map(str, error.faults))
        yield Finding("settings", "FAIL", text, "daylily config validate tells more")
        return
    yield Finding("settings", "ok", "sound")
    for name, advice in strange_variables(os.environ):
        yield Finding("settings", "warn", f"{name} is no setting of daylily", advice)
    yield _clock()
    checks: tuple[Callable[[Session], Finding | Iterator[Finding]], ...]
    if session.settings.url is not None:
        checks = (_server,)
    else:
        checks = (_home, _disk, _stores, _engine, _pipelines, _tools, _port)
    for check in checks:
        try:
            found = check(session)
            if isinstance(found, Finding):
                yield found
            else:
                yield from found
        except (DaylilyError, OSError) as error:
            yield Finding(check.__name__.strip("_"), "FAIL", str(error))


def _stores(session: Session) -> Iterator[Finding]:
    from daylily.bootstrap import installation

    return installation(session.settings).check()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", "ok", f"{version}, {sys.executable}")


def _clock() -> Finding:
    now = datetime.now(UTC)
    if now.year < _SOUND_YEAR:
        advice = "set the clock: locks, retries and certificates depend on it"
        return Finding("clock", "FAIL", f"it says {now:%Y-%m-%d %H:%M} UTC", advice)
    return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def _home(session: Session) -> Finding:
    home = session.settings.home
    there = _existing(home)
    if not os.access(there, os.W_OK | os.X_OK):
        advice = "give it to yourself (chown), or choose another by --home or DAYLILY_HOME"
        return Finding("home", "FAIL", f"{there} cannot be written to", advice)
    if there != home:
        return Finding("home", "ok", f"{home} will be made on first use")
    if home.stat().st_mode & 0o022:
        advice = f"chmod go-w {home}"
        return Finding("home", "warn", f"others may write to {home}", advice)
    return Finding("home", "ok", str(home))


def _existing(path: Path) -> Path:
    """Return the deepest folder on the way to *path* that is there."""
    return next(each for each in (path, *path.parents) if each.exists())


def _disk(session: Session) -> Finding:
    free = shutil.disk_usage(_existing(session.settings.home)).free
    text, advice = f"{size_of(free)} free", "make room: each workset has its own copies"
    if free < _NO_SPACE:
        return Finding("disk", "FAIL", text, advice)
    return (
        Finding("disk", "warn", text, advice) if free < _LITTLE_SPACE else Finding("disk", "ok", text)
    )


def _engine(session: Session) -> Iterator[Finding]:
    """Ask every engine; that of this machine runs the smallest of jobs, in a home that is gone then."""
    from daylily.bootstrap import connect

    with tempfile.TemporaryDirectory(prefix="daylily-doctor-") as folder:
        settings = evolve(session.settings, home=Path(folder), store="memory")
        world = connect(settings)
        try:
            yield _answers("engine", settings.engine, world.compute, folder)
            for each in settings.clusters:
                name, engine = f"engine of {each.cluster.name}", settings.within(each).engine
                yield _answers(name, engine, world.clusters[each.cluster], folder)
        finally:
            world.close()


def _answers(check: str, name: str, engine: "Compute", folder: str) -> Finding:
    if name == "memory":
        return Finding(check, "warn", "it only pretends to run pipelines", "unset DAYLILY_ENGINE")
    try:
        if name == "local":
            return _ran_a_job(check, engine, folder)
        engine.status([_PROBE])
    except DaylilyError as error:
        return Finding(check, "FAIL", str(error))
    return Finding(check, "ok", f"{name} answers")


def _ran_a_job(check: str, engine: "Compute", folder: str) -> Finding:
    from daylily.ports.compute import Job, Phase

    engine.submit(Job(key=_PROBE, arguments=(sys.executable, "-c", ""), directory=folder))
    deadline = time.monotonic() + _ENGINE_SECONDS
    while time.monotonic() < deadline:
        status = engine.status([_PROBE]).get(_PROBE)
        if status is not None and status.ended:
            break
        time.sleep(0.05)
    else:
        engine.cancel(_PROBE)
        return Finding(check, "FAIL", f"a job did not end in {_ENGINE_SECONDS:g} s")
    if status.phase is not Phase.SUCCEEDED:
        return Finding(check, "FAIL", f"a job that does nothing failed: {status.message}")
    return Finding(check, "ok", "ran a job")


def _pipelines(session: Session) -> Finding:
    pipelines = [each for each in session.settings.registry.pipelines if each.command is not None]
    missing = [
        f"{each.name} ({each.command[0]})"
        for each in pipelines
        if each.command and "{" not in each.command[0] and shutil.which(each.command[0]) is None
    ]
    names = ", ".join(each.name for each in pipelines)
    if missing:
        text = f"no such program: {', '.join(missing)}"
        return Finding("pipelines", "warn", text, "install it, or mend pipelines in the settings")
    if not pipelines:
        return Finding("pipelines", "FAIL", "none can be run", "give one a command in the settings")
    return Finding("pipelines", "ok", f"can run {names}")


def _tools(_: Session) -> Finding:
    missing = [name for name in ("sequali", "dnaio", "xopen") if find_spec(name) is None]
    if missing:
        text = f"fastq-qc lacks {', '.join(missing)}, and cannot be run here"
        return Finding("tools", "warn", text, "pip install 'daylily[pipelines]', if it is wanted")
    return Finding("tools", "ok", "those of fastq-qc are here")


def _port(session: Session) -> Finding:
    from daylily.entrypoints.presence import SERVER
    from daylily.entrypoints.service import listen

    settings = session.settings
    try:
        listen(settings.host, settings.port).socket.close()
    except DaylilyError as error:
        try:
            running = json.loads((settings.home / SERVER).read_text(encoding="utf-8"))
            if str(running["url"]).endswith(f":{settings.port}"):
                return Finding("port", "ok", f"{settings.port}: this home's own server")
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return Finding("port", "warn", str(error))
    return Finding("port", "ok", f"{settings.port} is free")


def _server(session: Session) -> Finding:
    from daylily.entrypoints.cli.client import Query
    from daylily.entrypoints.cli.remote import RemoteClient

    client = session.client
    assert isinstance(client, RemoteClient)  # noqa: S101 - there is a url
    url = session.settings.url
    client.ready()
    client.list(Query(limit=1))  # the token is good, too
    return Finding("server", "ok", f"{url} is ready, and takes the token")
