"""
Real stores for tests: ministack (DynamoDB) and SeaweedFS (S3), on loopback, each on free ports.

`make test` installs them into `.engines/stores`. Whoever would rather use another store (DynamoDB
Local, LocalStack, AWS itself) names its address in DAYLILY_TEST_DYNAMODB_ENDPOINT or
DAYLILY_TEST_S3_ENDPOINT; the usual AWS variables then say who is asking.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from attrs import define, frozen
from tests.integration.ports import free_port, free_ports

STORES: Final = Path(__file__).parents[3] / ".engines" / "stores" / "bin"
PATIENCE: Final = 60.0
"""Seconds in which a store has to answer after its start."""


@frozen
class Endpoint:
    """Where a store listens, and who may ask."""

    url: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"


@contextlib.contextmanager
def dynamodb(folder: Path) -> Iterator[Endpoint]:
    """Yield a DynamoDB: the one that the environment names, or a ministack of our own."""
    if url := os.environ.get("DAYLILY_TEST_DYNAMODB_ENDPOINT"):
        yield _named(url)
        return
    with ministack(folder) as endpoint:
        yield endpoint


@contextlib.contextmanager
def ministack(folder: Path) -> Iterator[Endpoint]:
    """Yield a ministack of our own: tables, and buckets that heed etags in batches too."""
    port = free_port()
    environment = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    with _running([str(_program("ministack"))], folder, environment, [port]):
        yield Endpoint(f"http://127.0.0.1:{port}", "test", "test")


@contextlib.contextmanager
def s3(folder: Path) -> Iterator[Endpoint]:
    """Yield an S3: the one that the environment names, or a SeaweedFS of our own."""
    if url := os.environ.get("DAYLILY_TEST_S3_ENDPOINT"):
        yield _named(url)
        return
    with s3_to_stop(folder) as (endpoint, _):
        yield endpoint


@contextlib.contextmanager
def s3_to_stop(folder: Path) -> Iterator[tuple[Endpoint, "Program"]]:
    """Yield a SeaweedFS of our own that can be stopped and started, and keeps what it has."""
    weed = _program("weed")
    key = {"accessKey": "daylily", "secretKey": "daylily-secret"}
    rights = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "tests", "credentials": [key], "actions": rights}
    (folder / "data").mkdir()
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    parts = [
        f"-{part}.port{kind}"
        for part in ("master", "volume", "filer", "admin")
        for kind in ("", ".grpc")
    ]
    ports = free_ports(len(parts) + 2)
    arguments = [f"{part}={port}" for part, port in zip(parts, ports, strict=False)]
    command = [
        *(str(weed), "-logtostderr", "mini", f"-dir={folder / 'data'}", f"-s3.config={folder}/s3.json"),
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false"),
        *(f"-s3.port={ports[-2]}", f"-s3.port.grpc={ports[-1]}", *arguments),
    ]
    with _running(command, folder, {}, [ports[-2], ports[4]]) as program:
        url = f"http://127.0.0.1:{ports[-2]}"
        yield Endpoint(url, key["accessKey"], key["secretKey"]), program


def _named(url: str) -> Endpoint:
    return Endpoint(
        url,
        os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
    )


def _program(name: str) -> Path:
    program = STORES / name
    if not program.exists():
        missing = f"{name} is not there: `make .venv/.engines` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return program


@define
class Program:
    """A store's process, which can be stopped and started again where it was."""

    command: Sequence[str]
    folder: Path
    environment: dict[str, str]
    ports: Sequence[int]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        for port in self.ports:
            _await(self.process, port, self.folder / "log")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Have it end, and wait until it has."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            self.process.wait()


@contextlib.contextmanager
def _running(
    command: Sequence[str], folder: Path, environment: dict[str, str], ports: Sequence[int]
) -> Iterator[Program]:
    program = Program(command, folder, environment, ports)
    try:
        program.start()
        yield program
    finally:
        # Nothing that it holds is wanted again, and a gentle stop takes seconds.
        program.stop(signal.SIGKILL)


def _die_with_parent() -> None:
    # A test run that is itself killed runs no finalizers; the kernel sees to it then.
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)  # nothing tells when a port is listened on
    tail = log.read_text(errors="replace")[-2000:]
    pytest.fail(f"{process.args!r} does not answer on port {port}:\n{tail}")
