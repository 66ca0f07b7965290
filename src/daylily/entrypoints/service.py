"""Long-running processes: the loop of a monitor, the HTTP server, and both in one (``daylily up``)."""

import errno
import gc
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from attrs import define, field, frozen

from daylily.application.monitor_cycle import CycleReport
from daylily.application.subject import about
from daylily.domain.brief import brief
from daylily.domain.errors import ConflictError, InvalidInputError, NotSetUpError, UnavailableError

if TYPE_CHECKING:
    import ssl

    from daylily.application.heartbeats import LeaveHeartbeat
    from daylily.bootstrap import App

ADMIN_TOKEN: Final = "admin-token"  # noqa: S105 - the name of a file
SHORTEST_TOKEN: Final = 16
"""Characters."""
LONGEST_WAIT: Final = 60.0
"""Seconds; how seldom a store that is away is asked for."""
GRACE: Final = 5.0
"""Seconds that a cycle has to finish once we are told to stop."""
_FAREWELL: Final = 4
"""Seconds that requests have before that; both together are less than the 10 that we promise."""
_ECHO: Final = 0.5
"""Seconds within which a signal is taken for the one before, and not for somebody's impatience."""

_log = structlog.stdlib.get_logger("daylily")


class Onlooker(Protocol):
    """Takes note of cycles, for figures."""

    def done(self, report: CycleReport, seconds: float) -> None:
        """Take note of a cycle that came to its end, in *seconds*."""

    def failed(self, *, outage: bool) -> None:
        """Take note of a cycle that did not."""


@define
class MonitorLoop:
    """
    Calls a cycle again and again until it is told to stop; no outage ends it.

    Args:
        cycle: What to call, and to tell whether it is to come to an end.
        interval: How long to rest between calls.
        onlookers: What takes note of each cycle.
        heart: What leaves signs of life, once there is something to leave them in.
        watch: Looks at the signs of all monitors; called after each cycle.
    """

    _cycle: Callable[[Callable[[], bool]], CycleReport]
    _interval: timedelta
    _onlookers: Sequence[Onlooker] = ()
    _heart: "Callable[[], LeaveHeartbeat | None]" = lambda: None
    _watch: Callable[[], object] = lambda: None
    stop: threading.Event = field(factory=threading.Event)
    _failures: int = field(init=False, default=0)
    _told: frozenset[str] = field(init=False, default=frozenset())
    _cycles: int = field(init=False, default=0)

    def run(self) -> None:
        """Run until ``stop`` is set; a cycle that has begun is finished."""
        _log.info("monitor started", interval=self._interval.total_seconds())
        while not self.stop.is_set():
            self.step()
            self._watch()
            self.stop.wait(self.wait)
        if heart := self._heart():
            heart.stopped()
        _log.info("monitor stopped")

    @property
    def wait(self) -> float:
        """Seconds until the next cycle; they grow while nothing answers."""
        rest = self._interval.total_seconds()
        return min(rest * 2.0 ** min(self._failures, 30), max(rest, LONGEST_WAIT))

    def step(self) -> None:
        """Run one cycle; whatever goes wrong is logged."""
        began = time.monotonic()
        try:
            report = self._cycle(self.stop.is_set)
        except UnavailableError as error:
            self._fail(outage=True)
            what = "the store does not answer"
            if isinstance(error, NotSetUpError):
                what = "the store is not set up: `daylily doctor` says what to do"
            _log.warning(what, error=str(error), next_try_in=self.wait)
        except Exception:  # noqa: BLE001 - logged with its traceback
            # A monitor that dies of one odd workset leaves all the others waiting.
            self._fail(outage=False)
            _log.exception("a cycle failed", next_try_in=self.wait)
        else:
            if self._failures:
                _log.info("the store answers again", failures=self._failures)
            self._failures = 0
            took = time.monotonic() - began
            for onlooker in self._onlookers:
                onlooker.done(report, took)
            if heart := self._heart():
                rest = timedelta(seconds=self.wait)
                heart.cycle_done(took=timedelta(seconds=took), faults=len(report.faults), rest=rest)
            self._tell(report)

    def _fail(self, *, outage: bool) -> None:
        self._failures += 1
        for onlooker in self._onlookers:
            onlooker.failed(outage=outage)
        if heart := self._heart():
            heart.cycle_failed(rest=timedelta(seconds=self.wait))

    def _tell(self, report: CycleReport) -> None:
        tell(report, but=self._told)
        self._cycles += 1
        # The first tells people that all is well; what follows would only fill the log.
        log = _log.info if self._cycles == 1 else _log.debug
        log("cycle done", number=self._cycles, moved=len(report.moved), faults=len(report.faults))
        # What stays wrong is told once, not with every cycle.
        self._told = frozenset(report.faults)


def tell(report: CycleReport, *, but: frozenset[str] = frozenset()) -> None:
    """Log what a cycle did; faults in *but* have been told before."""
    for workset in report.moved:
        with about(workset):
            _log.info(
                "workset moved",
                state=str(workset.state),
                attempts=len(workset.attempts),
                reason=brief(workset.history[-1].reason) if workset.history else "",
            )
    if report.settled:
        _log.info("overdue debts paid", worksets=report.settled)
    for fault in report.faults:
        if fault not in but:
            _log.error("fault", fault=fault)


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """
    Set *stop* at the first SIGTERM or SIGINT; a second one ends the process at once.

    What comes right behind the first is the same wish: ``timeout``, for one, tells the process and then
    its whole group.
    """
    first_at: float | None = None

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal first_at
        now = time.monotonic()
        if first_at is not None and now - first_at < _ECHO:
            return
        if stop.is_set():
            os._exit(128 + number)
        first_at = now
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_monitor(loop: MonitorLoop, until: Callable[[], object]) -> None:
    """
    Run *loop* in a thread until *until* returns, then let it finish its cycle.

    A cycle that does not finish in time is left behind with the process: all it does can be cut
    short anywhere, and another monitor goes on from there.
    """
    thread = threading.Thread(target=loop.run, name="monitor")
    thread.start()
    try:
        until()
    finally:
        loop.stop.set()
        thread.join(GRACE)
        if thread.is_alive():
            _log.warning("a cycle does not come to its end; leaving it to the next monitor")
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


# The server


@frozen(kw_only=True)
class Listener:
    """A socket that listens, and how to reach it."""

    socket: socket.socket
    url: str
    port: int


def listen(host: str, port: int, scheme: str = "http") -> Listener:
    """
    Listen on *host*; port 0 takes a free one.

    Args:
        scheme: What will be spoken there, for the address that people are told.

    Raises:
        ConflictError: Another process has the port.
        InvalidInputError: There is no such address here.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise InvalidInputError.of("host", f"{host!r}: {error.strerror or error}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # At once: of two that have only bound, the loser would not hear of it until later.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConflictError(
                f"port {port} is taken, perhaps by another daylily: "
                f"choose one with --port, or --port 0 for any that is free"
            ) from error
        raise InvalidInputError.of("host", f"{host}:{port}: {error.strerror}") from error
    taken = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    return Listener(socket=listener, url=f"{scheme}://{shown}:{taken}", port=taken)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach *host*."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve_asgi(
    asgi: Any,
    listener: Listener,
    *,
    started: Callable[[], None],
    access_log: bool,
    tls: "ssl.SSLContext | None" = None,
) -> None:
    """
    Serve until SIGTERM or SIGINT; requests under way are finished first.

    Args:
        started: Called once requests are answered.
        access_log: Whether to tell in the log how each request was answered.
        tls: What to speak HTTPS with; None speaks HTTP.
    """
    import uvicorn

    from daylily.entrypoints.http.access_log import Logged
    from daylily.entrypoints.patience import PatientProtocol

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    config = uvicorn.Config(
        Logged(asgi) if access_log else asgi,
        http=PatientProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_FAREWELL,
        lifespan="on",
    )
    config.load()
    config.ssl = tls
    keep_what_is_there()
    Server(config).run(sockets=[listener.socket])


def keep_what_is_there() -> None:
    """
    Let routes and modules, which stay to the end, not be looked through for garbage ever again.

    Each such look holds every request up: 1 read in 100 took 373 ms with it, and takes 123 ms without.
    """
    gc.collect()
    gc.freeze()


def create_server(app: "App", *, admin_token: str | None) -> Any:
    """Return the HTTP application; its framework is imported only now."""
    from daylily.entrypoints.http.app import create_asgi

    return create_asgi(app, admin_token=admin_token)


# Files of the home


def read_admin_token(home: Path) -> str | None:
    """
    Return the token of this home; None if there is none yet.

    Raises:
        InvalidInputError: The file cannot be read, or is empty.
    """
    path = home / ADMIN_TOKEN
    try:
        token = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError.of(str(path), f"cannot be read: {error}") from error
    if not token:
        raise InvalidInputError.of(str(path), "is empty: remove it, and a new token is made")
    return token


def ensure_admin_token(home: Path) -> str:
    """
    Return the token of this home; made, whole and for its owner's eyes only, if there is none.

    Raises:
        InvalidInputError: The file cannot be read.
        UnavailableError: It cannot be written.
    """
    token = read_admin_token(home)
    if token is not None:
        return token
    part = home / f".{ADMIN_TOKEN}-{secrets.token_hex(4)}"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(part, secrets.token_urlsafe(32) + "\n")
        # A link, unlike a rename, never replaces the token of somebody who was faster.
        with suppress(FileExistsError):
            os.link(part, home / ADMIN_TOKEN)
    except OSError as error:
        raise UnavailableError(f"{home / ADMIN_TOKEN} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    made = read_admin_token(home)
    if made is None:
        raise UnavailableError(f"{home / ADMIN_TOKEN} has gone as soon as it was made")
    return made


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, for its owner's eyes only, and have it on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
        file.write(text)
        file.flush()
        os.fsync(descriptor)
