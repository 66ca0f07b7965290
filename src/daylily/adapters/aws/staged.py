"""
Run a pipeline on files in S3: fetch the workset, run the command, bring the results back.

``python -m daylily.adapters.aws.staged --workset s3://bucket/folder --results s3://... -- command`` is
what an engine runs in place of the command where worksets live in S3. ``@WORKSET@`` and ``@RESULTS@``
in the command stand for the local folders. Results come back also when the command failed: those of its
sound samples are kept. ``manifest.sha256`` comes last, and lists all that came back; of a job in parts,
each leaves a list of its own first, and the last of them one of all. ``@EARLIER@`` is what earlier
attempts have left: the first ``--earlier`` that has anything is fetched.

While S3 is away it is waited for: hours of work may hang on it. Should it stay away, the exit code says
that the job is not to blame. Without credentials little is waited for before the command has run, since
that is seldom an outage.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from attrs import frozen

from daylily.adapters.aws.clients import Clients
from daylily.adapters.aws.errors import CredentialsError
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.domain.errors import DaylilyError, NotFoundError, NotSetUpError, UnavailableError
from daylily.domain.results import MANIFEST, manifest_text
from daylily.domain.retry import INFRASTRUCTURE
from daylily.domain.sentinels import Sentinel
from daylily.ports.paging import every

T = TypeVar("T")
R = TypeVar("R")

INPUTS: Final = "@WORKSET@"
OUTPUTS: Final = "@RESULTS@"
EARLIER: Final = "@EARLIER@"
PASSED_ON: Final = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
"""What a job is told of how to reach S3. No key is among them: jobs use a profile or a role."""

_THREADS: Final = 8
_NOT_RUN: Final = 75
"""EX_TEMPFAIL: the command has not run, or its results are not there."""
_NOT_PERMITTED: Final = 78
"""EX_CONFIG: S3 answers, and says no; or there are no credentials to ask it with."""
_STRANGER: Final = 60.0
"""Seconds; roles of machines and containers may come a moment late."""
_SENTINELS: Final = frozenset(Sentinel)
_OF_PART: Final = re.compile(r"manifest\.[^/]+\.sha256")
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which a job finds S3."""
    return {name: environment[name] for name in PASSED_ON if name in environment}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command on a workset in S3; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m daylily.adapters.aws.staged", description=__doc__)
    parser.add_argument("--workset", required=True, help="s3://bucket/folder of the workset")
    parser.add_argument("--results", required=True, help="s3://bucket/folder for what comes back")
    parser.add_argument("--earlier", action="append", default=[], help="s3:// of an earlier attempt")
    parser.add_argument("--scratch", type=Path, help="local folder for the files; else a temporary one")
    parser.add_argument("--task", help="name of the part of the job that this is")
    parser.add_argument("--of", type=int, default=1, help="how many parts the job has")
    parser.add_argument(
        "--patience", type=float, default=3600.0, help="seconds to wait for S3 while it is away"
    )
    parser.add_argument("command", nargs="+", help="program and arguments")
    given = parser.parse_args(arguments)
    wait = _Wait(given.patience)
    at_first = _Wait(given.patience, min(given.patience, _STRANGER))
    with tempfile.TemporaryDirectory(prefix="daylily-", dir=given.scratch) as scratch:
        inputs, outputs, earlier = (Path(scratch, name) for name in ("workset", "results", "earlier"))
        try:
            _fetch(given.workset, inputs, at_first, _is_input)
            any(_fetch(source, earlier, at_first) for source in given.earlier)
        except CredentialsError as error:
            _say(f"cannot fetch {given.workset}: {error} (pipelines do not inherit keys)")
            return _NOT_PERMITTED
        except (DaylilyError, OSError) as error:
            _say(f"cannot fetch {given.workset}: {error}")
            return _code_of(error)
        outputs.mkdir()
        code = _run(given.command, {INPUTS: inputs, OUTPUTS: outputs, EARLIER: earlier})
        try:
            _bring_back(outputs, given.results, wait, given.task, given.of)
        except (DaylilyError, OSError) as error:
            _say(f"cannot write {given.results}: {error}")
            return code or _code_of(error)
    return code


@frozen
class _Wait:
    """
    Tries again for as long as S3 is away.

    Args:
        patience: Seconds; what is not there after that is given up.
        unknown: The same for want of credentials; None: as long.
    """

    patience: float
    unknown: float | None = None

    def __call__(self, act: Callable[[], R]) -> R:
        """
        Return what *act* does, which may be tried several times.

        Raises:
            NotSetUpError: S3 answers, and says no.
            UnavailableError: It has been away for too long.
        """
        began, pause = time.monotonic(), _FIRST_WAIT
        while True:
            try:
                return act()
            except NotSetUpError:
                raise
            except UnavailableError as error:
                stranger = isinstance(error, CredentialsError)
                most = self.patience if self.unknown is None or not stranger else self.unknown
                if time.monotonic() - began + pause > most:
                    raise
                # No more: of that the command would be taken to have failed, should it fail.
                what = "there are no credentials for S3" if stranger else "S3 is away"
                _say(f"{what}: tried again in {pause:g} s")
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_WAIT)


def _code_of(error: Exception) -> int:
    if isinstance(error, NotSetUpError | CredentialsError):
        return _NOT_PERMITTED
    return INFRASTRUCTURE if isinstance(error, UnavailableError) else _NOT_RUN


def _run(command: Sequence[str], places: Mapping[str, Path]) -> int:
    arguments = [_placed(word, places) for word in command]
    try:
        code = subprocess.call(arguments, cwd=places[INPUTS], stdin=subprocess.DEVNULL)
    except OSError as error:
        _say(f"{arguments[0]} cannot be started: {error}")
        return 127
    return 128 - code if code < 0 else code


def _placed(word: str, places: Mapping[str, Path]) -> str:
    for name, place in places.items():
        word = word.replace(name, str(place))
    return word


def _is_input(key: str) -> bool:
    # Results of earlier attempts may be large; sentinels come and go while the job runs.
    return key not in _SENTINELS and not key.startswith("results/")


def _fetch(
    source: str, folder: Path, wait: _Wait, is_wanted: Callable[[str], bool] = lambda _: True
) -> bool:
    """
    Fetch what is wanted of all below *source*; tell if there is anything.

    What somebody takes away meanwhile is as if it had been taken away a moment before: that comes to
    nothing only where it is needed, and then whoever needs it says so.
    """
    store, prefix = _store(source)
    found = wait(lambda: list(every(lambda cursor: store.list(prefix, cursor=cursor))))
    keys = [info.key.removeprefix(prefix) for info in found]

    def fetch(key: str) -> None:
        target = folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with store.open(prefix + key) as remote, target.open("wb") as local:
                shutil.copyfileobj(remote, local, 1 << 20)
        except NotFoundError as error:
            if _is_listed(store, prefix + key):
                raise UnavailableError(f"S3 lists {key}, and has not got it") from error
            _say(f"{key} has been taken away since it was listed")
            target.unlink(missing_ok=True)

    folder.mkdir(exist_ok=True)
    wanted = list(filter(is_wanted, keys))
    _all(lambda key: wait(lambda: fetch(key)), wanted)
    return bool(wanted)


def _is_listed(store: S3ObjectStore, key: str) -> bool:
    # Of all keys that begin like it, it is the first.
    return any(info.key == key for info in store.list(key, limit=1).items)


def _bring_back(folder: Path, target: str, wait: _Wait, task: str | None, parts: int) -> None:
    """Send results and the list of their checksums; the last part of a job lists those of all."""
    store, prefix = _store(target)
    sums: dict[str, str] = {}

    def send(path: Path) -> None:
        key = path.relative_to(folder).as_posix()
        with path.open("rb") as local:
            sums[key] = hashlib.file_digest(local, "sha256").hexdigest()
            local.seek(0)
            store.put(prefix + key, local)

    # What the command itself has listed is listed afresh, and was not all that comes back.
    results = [path for path in _files(folder) if path != folder / MANIFEST]
    _all(lambda path: wait(lambda: send(path)), results)
    listed = manifest_text(sums).encode(errors="surrogateescape")
    own = MANIFEST if task is None else f"manifest.{task}.sha256"
    wait(lambda: store.put(prefix + own, listed))
    if task is not None:
        wait(lambda: _join(store, prefix, parts))


def _join(store: S3ObjectStore, prefix: str, parts: int) -> None:
    """Make one list of those of all parts, once they are there: whoever comes last sees them all."""
    found = every(lambda cursor: store.list(f"{prefix}manifest.", cursor=cursor))
    keys = [info.key for info in found if _OF_PART.fullmatch(info.key.removeprefix(prefix))]
    if len(keys) < parts:
        return
    lines: set[bytes] = set()
    for key in keys:
        with store.open(key) as stream:
            lines.update(stream.read().splitlines(keepends=True))
    # By name, which begins after the sum; "\\" marks names that are written otherwise than they are.
    ordered = sorted(lines, key=lambda line: line.removeprefix(b"\\")[64:])
    store.put(prefix + MANIFEST, b"".join(ordered))


def _files(folder: Path) -> Iterator[Path]:
    # A link may lead anywhere on this machine: what it leads to is no result.
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _all(act: Callable[[T], None], items: Sequence[T]) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(act, items):
            pass


def _store(location: str) -> tuple[S3ObjectStore, str]:
    scheme, _, rest = location.partition("://")
    bucket, _, folder = rest.partition("/")
    if scheme != "s3" or not bucket or not folder:
        raise OSError(f"{location!r} is not s3://bucket/folder")
    return S3ObjectStore(Clients(threads=_THREADS).s3(), bucket), folder.rstrip("/") + "/"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
