"""
How fast the HTTP API answers: ``python -m benchmarks.bench_http [seconds]``.

wrk keeps 32 connections busy with each of several requests, against the service on stores in memory
(and, where ministack is installed, on DynamoDB as it plays it, each call 10 ms away), and against bare
routes of the same framework, in the same run and process: ratios say more than seconds. Where the
machine has other things to do, the ratio by CPU (what a request costs this process) says more than
that of rates. Where the loop was held up, the longest such moment is told. The last lines say of each
target whether it is met; it returns how many are not.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from attrs import evolve, frozen
from litestar import Litestar, Response, get
from rich.console import Console
from rich.table import Table

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.system import utc_now
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, World, bootstrap, connect
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.manifest import FastqPair, Sample
from daylily.entrypoints.http.app import create_asgi
from daylily.entrypoints.service import keep_what_is_there

TOKEN: Final = "a-token-for-the-benchmark"  # noqa: S105 - of nothing
OPERATOR: Final = Principal(name="ada", customer_id="local", operator=True)
READS: Final = b"@read\nACGT\n+\nFFFF\n"
CONNECTIONS: Final = 32
WORKSETS: Final = 300
AWAY: Final = 0.010
"""Seconds that each call to AWS takes at least."""
BESIDE: Final = "health, while 8 list"
ENGINES: Final = Path(__file__).parents[1] / ".engines" / "stores" / "bin"


@frozen(kw_only=True)
class Measured:
    """What wrk says of one request."""

    name: str
    rate: float
    p50: float
    """Milliseconds."""
    p99: float
    failed: int
    cpu: float
    """Milliseconds of this process for each, which other programs on the machine change little."""


@frozen(kw_only=True)
class Asked:
    """A request that is sent again and again."""

    name: str
    path: str
    method: str = "GET"
    body: str = ""


@frozen
class Target:
    """A figure that is to be reached."""

    name: str
    found: float
    least: float = 0.0
    most: float = float("inf")

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.least <= self.found <= self.most

    @property
    def line(self) -> str:
        """What was found beside what is wanted."""
        wanted = f"at least {self.least:.2f}" if self.least else f"at most {self.most:.0f}"
        return f"{'PASS  ' if self.met else 'MISSED'} {self.name}: {self.found:.2f} ({wanted})"


@contextmanager
def serving(asgi: Any) -> Iterator[tuple[str, Callable[[], float]]]:
    """Serve in a thread; yield the address, and a function that tells the longest lag of the loop."""
    # Only of a socket that says it is TCP does asyncio switch off what holds small answers back 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    worst = [0.0]

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            worst[0] = max(worst[0], time.perf_counter() - began - 0.005)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self.watching = asyncio.create_task(watch())

    def lag() -> float:
        found, worst[0] = worst[0], 0.0
        return found

    config = uvicorn.Config(asgi, log_config=None, access_log=False, lifespan="on")
    keep_what_is_there()
    server = Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", lag
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def wrk(url: str, asked: Asked, seconds: float, connections: int = CONNECTIONS) -> Measured:
    """Have wrk send a request over and over."""
    script = f"""
wrk.method = "{asked.method}"
wrk.headers["Authorization"] = "Bearer {TOKEN}"
wrk.headers["Content-Type"] = "application/json"
wrk.body = {json.dumps(asked.body)}
"""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        began = time.process_time()
        run = subprocess.run(
            [
                *("wrk", "-t", "2", "-c", str(connections), "-d", f"{seconds:.0f}s", "--latency"),
                *("-s", file.name, "--timeout", "30s", url + asked.path),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    text, took = run.stdout, time.process_time() - began
    number = int(re.search(r"(\d+) requests in", text)[1])  # type: ignore[index]
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", text)))
    failed += sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", text)))
    return Measured(
        name=asked.name,
        rate=float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),  # type: ignore[index]
        p50=_milliseconds(re.search(r"(?m)^ +50%\s+(\S+)", text)[1]),  # type: ignore[index]
        p99=_milliseconds(re.search(r"(?m)^ +99%\s+(\S+)", text)[1]),  # type: ignore[index]
        failed=failed,
        cpu=took * 1000 / max(number, 1),
    )


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}[unit]


def filled(app: App, number: int) -> str:
    """Submit worksets; return the id of one."""
    app.world.objects.put("files/local/a_R1.fastq", READS)
    app.world.objects.put("files/local/a_R2.fastq", READS)
    sample = Sample(sample_id="NA12878", pairs=(FastqPair("a_R1.fastq", "a_R2.fastq"),))
    for count in range(number):
        made = app.submit(
            OPERATOR, "local", Submission(name=f"set {count}", pipeline="fastq-qc", samples=(sample,))
        )
    return made.workset_id


def requests(workset_id: str) -> tuple[Asked, ...]:
    """Return what is asked of the service."""
    submission = {
        "workset_name": "again",
        "pipeline_type": "fastq-qc",
        "samples": [{"sample_id": "A", "r1_file": "a_R1.fastq", "r2_file": "a_R2.fastq"}],
    }
    estimate = {"pipeline_type": "germline", "reference_genome": "GRCh38", "sample_count": 5}
    return (
        Asked(name="health", path="/health/live"),
        Asked(name="one workset", path=f"/v1/worksets/{workset_id}"),
        Asked(name="list of 100", path="/v1/worksets?limit=100"),
        Asked(name="estimate", path="/v1/api/estimate-cost", method="POST", body=json.dumps(estimate)),
        Asked(
            name="submit",
            path="/v1/api/customers/local/worksets",
            method="POST",
            body=json.dumps(submission),
        ),
    )


def bare(bodies: dict[str, bytes], thread: Callable[[], object]) -> Litestar:
    """Return routes that do nothing but answer so many bytes; one has a thread do something first."""

    @get("/fixed/{name:str}", sync_to_thread=False)
    def fixed(name: str) -> Response[bytes]:
        return Response(bodies[name], media_type="application/json")

    @get("/threaded/{name:str}", sync_to_thread=True)
    def threaded(name: str) -> Response[bytes]:
        thread()
        return Response(bodies[name], media_type="application/json")

    return Litestar([fixed, threaded], openapi_config=None, logging_config=None)


def measure(
    app: App, seconds: float, thread: Callable[[], object], table: Table
) -> dict[str, tuple[Measured, float, float]]:
    """
    Add what the service does to a table, beside bare routes that answer the same bytes.

    Returns:
        What was measured of each request, and its rate as parts of those of the bare routes: the one
        that answers at once, and the one that has a thread do something first.
    """
    found: dict[str, tuple[Measured, float, float]] = {}
    workset_id = filled(app, WORKSETS)
    asks = requests(workset_id)
    with serving(create_asgi(app, admin_token=TOKEN)) as (url, lag), ExitStack() as stack:
        headers = {"authorization": f"Bearer {TOKEN}"}
        bodies = {
            str(number): httpx.get(url + asked.path, headers=headers, timeout=60).content
            for number, asked in enumerate(asks)
            if asked.method == "GET"
        }
        base, _ = stack.enter_context(serving(bare(bodies, thread)))
        for number, asked in enumerate(asks):
            lag()
            ours = wrk(url, asked, seconds)
            held = lag() * 1000
            row = [
                *(f"{ours.rate:.0f}", f"{ours.cpu:.2f}", f"{ours.p50:.1f}"),
                *(f"{ours.p99:.1f}", str(ours.failed)),
            ]
            against, ratios = ["", ""], [0.0, 0.0]
            if asked.method == "GET":
                against, ratios = [], []
                for kind in ("fixed", "threaded"):
                    plain = wrk(base, Asked(name=kind, path=f"/{kind}/{number}"), seconds)
                    rates, cpus = ours.rate / plain.rate, plain.cpu / ours.cpu
                    against.append(f"{rates:.0%} of {plain.rate:.0f}/s; by CPU {cpus:.0%}")
                    ratios.append(rates)
            table.add_row(asked.name, *row, *against, f"{held:.0f}")
            found[asked.name] = ours, ratios[0], ratios[1]
        found[BESIDE] = _beside_lists(url, asks, seconds, table), 0.0, 0.0
    return found


def _beside_lists(url: str, asks: tuple[Asked, ...], seconds: float, table: Table) -> Measured:
    """Add how long health takes while eight clients list."""
    listing = threading.Thread(target=wrk, args=(url, asks[2], seconds + 1, 8))
    listing.start()
    time.sleep(0.5)
    health = wrk(url, asks[0], seconds, connections=2)
    listing.join()
    row = (f"{health.rate:.0f}", "", f"{health.p50:.1f}", f"{health.p99:.1f}", str(health.failed))
    table.add_row(BESIDE, *row, "", "", "")
    return health


def new_table(title: str) -> Table:
    """Return an empty table of figures."""
    columns = ("request", "per second", "CPU ms", "p50 ms", "p99 ms", "failed")
    return Table(*columns, "of a bare route", "of one in a thread", "loop held up, ms", title=title)


def in_memory() -> App:
    """Return the service on stores in memory."""
    settings = Settings(store="memory", engine="memory", rate_limit=0)
    compute = InMemoryCompute(utc_now, timedelta(hours=1))
    return bootstrap(settings, world=evolve(connect(settings), compute=compute))


@contextmanager
def on_aws() -> Iterator[tuple[App, Callable[[], object]]]:
    """Yield the service on DynamoDB as ministack plays it, and the bare call behind a read."""
    from daylily.adapters.aws.clients import Clients
    from daylily.adapters.aws.dynamodb import DynamoDBStateStore
    from daylily.adapters.aws.schema import create_table

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_CONFIG_FILE": os.devnull}
    os.environ.update({**keys, "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}"})
    environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    with subprocess.Popen(
        [ENGINES / "ministack"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            client = Clients(region="us-west-2").dynamodb()
            for _ in range(120):
                try:
                    client.list_tables()
                    break
                except Exception:  # noqa: BLE001 - until it is up
                    time.sleep(0.25)
            create_table(client, "daylily-worksets")
            world: World = in_memory().world
            store = DynamoDBStateStore(client, "daylily-worksets", adopt_every=None)
            settings = Settings(store="memory", engine="memory", rate_limit=0)
            app = bootstrap(settings, world=evolve(world, store=store))
            filled(app, 1)
            known = next(iter(store.list(_everything(), limit=1).items)).workset_id
            client.meta.events.register("before-send", lambda **_: time.sleep(AWAY))
            key = {"workset_id": {"S": known}}
            yield app, lambda: client.get_item(TableName="daylily-worksets", Key=key)
        finally:
            process.kill()


def _everything() -> Any:
    from daylily.ports.state_store import Filter

    return Filter()


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", nargs="?", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    console = Console(width=170)
    if shutil.which("wrk") is None:
        console.print("wrk is not installed: `make engines`")
        return 1
    table = new_table(f"HTTP, stores in memory, {CONNECTIONS} connections")
    found = measure(in_memory(), seconds, lambda: None, table)
    console.print(table)
    targets = [
        Target("in memory, one workset: of a bare route's rate", found["one workset"][1], least=0.60),
        Target("in memory, list of 100: of a bare route's rate", found["list of 100"][1], least=0.40),
    ]
    if not (ENGINES / "ministack").exists():
        console.print("ministack is not installed: `make test` brings it")
        return tell(targets, console)
    with on_aws() as (app, call):
        table = new_table(f"HTTP, DynamoDB {AWAY * 1000:.0f} ms away, {CONNECTIONS} connections")
        found = measure(app, seconds, call, table)
    console.print(table)
    one = found["one workset"]
    targets += [
        Target("10 ms away, one workset: of the bare call's rate", one[2], least=0.80),
        Target("10 ms away, one workset: p99 in ms", one[0].p99, most=150),
        Target("10 ms away, health while 8 list: p50 in ms", found[BESIDE][0].p50, most=5),
    ]
    return tell(targets, console)


def tell(targets: Sequence[Target], console: Console) -> int:
    """Print which targets are met; return how many are not."""
    for each in targets:
        console.print(each.line)
    return sum(not each.met for each in targets)


if __name__ == "__main__":
    sys.exit(main())
