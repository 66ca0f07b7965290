"""Monitors and an API as processes of their own, on real stores and a real Slurm, to be killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from random import Random
from typing import Any, Final

import boto3
import httpx
import pytest
from attrs import define, field
from tests.integration.aws.engines import Endpoint, Program
from tests.integration.aws.line import Line
from tests.integration.ports import free_port
from tests.integration.slurm.cluster import Cluster

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.bootstrap import App, bootstrap
from daylily.config import load
from daylily.domain.customers import Principal
from daylily.domain.errors import NotFoundError, UnavailableError
from daylily.domain.lifecycle import TERMINAL
from daylily.domain.workset import Workset
from daylily.ports.paging import every
from daylily.ports.state_store import Filter

ADA: Final = Principal(name="ada", customer_id="local", operator=True)
TOKEN: Final = "the-token-of-this-test"
PROGRAM: Final = (sys.executable, "-c", "from daylily.entrypoints.cli import main; main()")
PATIENCE: Final = 240.0
"""Seconds for whatever is waited for; far more than it takes, for machines that are busy."""
FILE: Final = "files/local/a_R1.fastq"
READS: Final = b"@read\nACGT\n+\nFFFF\n"


class Fate(IntEnum):
    """What a job does, by the sum of the bytes of its workset's id (``JOB``)."""

    FAILS = 0
    """For good."""
    FAILS_AT_FIRST = 1
    """And succeeds when it is tried again."""


def fate(workset_id: str) -> int:
    """Return what the jobs of a workset do; most of them just succeed."""
    return sum(workset_id.encode()) % 10


JOB: Final = """\
import os, pathlib, sys
launches, workset, attempt, results = sys.argv[1:]
line = os.open(launches, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(line, f"{workset}/{attempt}\\n".encode())
pathlib.Path(results).mkdir(parents=True, exist_ok=True)
pathlib.Path(results, "result.txt").write_text("done")
fate = sum(workset.encode()) % 10
if fate == 0:
    sys.exit("permission denied: this one is to fail for good")
sys.exit(75 if fate == 1 and attempt == "1" else 0)
"""
"""Writes down each launch, and meets its fate."""


@define
class House:
    """An installation, the processes at work in it, and who breaks them."""

    home: Path
    dynamodb: Endpoint
    s3: Line
    store: Program
    slurm: Cluster
    chance: Random
    patch: pytest.MonkeyPatch
    app: App = field(init=False)
    environ: dict[str, str] = field(init=False)
    monitors: list[subprocess.Popen[bytes]] = field(init=False, factory=list)
    server: subprocess.Popen[bytes] | None = field(init=False, default=None)
    port: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.environ = self._environ()
        self.port = free_port()
        for name, value in self.environ.items():
            self.patch.setenv(name, value)
        self.command("init")
        self.app = bootstrap(load({}, self.environ).settings)
        self.app.world.objects.put(FILE, READS)

    @property
    def launches(self) -> Path:
        """Where jobs write down that they were launched."""
        return self.home / "launches"

    def _environ(self) -> dict[str, str]:
        s3 = self.s3.endpoint
        keys = f"aws_access_key_id={s3.access_key}\naws_secret_access_key={s3.secret_key}\n"
        (self.home / "credentials").write_text(f"[default]\n{keys}")
        (self.home / "job.py").write_text(JOB)
        words = ["{python}", self.home / "job.py", self.launches]
        command = [*map(str, words), "{workset_id}", "{attempt}", "{results_dir}"]
        pipelines = {"tiny": {"command": command, "memory_gb": 0.1}}
        (self.home / "settings.yaml").write_text(json.dumps({"pipelines": pipelines}))
        token = uuid.uuid4().hex[:8]
        return {
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "credentials"),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb.url,
            "AWS_ENDPOINT_URL_S3": s3.url,
            "AWS_REGION": "us-east-1",
            "S3_BUCKET": f"daylily-{token}",
            "WORKSET_TABLE_NAME": f"daylily-worksets-{token}",
            "DAYLILY_HOME": str(self.home),
            "DAYLILY_CONFIG": str(self.home / "settings.yaml"),
            "DAYLILY_ENGINE": "slurm",
            "DAYLILY_SLURM_FOLDER": str(self.slurm.home / "jobs"),
            "DAYLILY_POLL_INTERVAL": "1",
            "DAYLILY_MAX_CONCURRENT": "12",
            # Killed launchers are replaced soon; it must yet be longer than a launch takes here.
            "DAYLILY_LOCK_TIMEOUT": "30",
            "DAYLILY_MAX_RETRIES": "10",
            "DAYLILY_RETRY_BASE": "1",
            "DAYLILY_RETRY_CEILING": "4",
            "DAYLILY_TOKEN": TOKEN,
            "SLURM_CONF": self.slurm.environment["SLURM_CONF"],
            "PATH": self.slurm.environment["PATH"],
        }

    # Processes

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, and return what came of it."""
        done = subprocess.run(
            [*PROGRAM, *arguments],
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a process that goes on until it is killed."""
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*PROGRAM, *arguments],
                env={**os.environ, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start_monitor(self) -> None:
        """Start one more monitor."""
        self.monitors.append(self.start("monitors", "monitor"))

    def start_server(self) -> None:
        """Start the API, in place of the one that was killed."""
        self.server = self.start("server", "serve", "--port", str(self.port), "--another")

    def kill_monitor(self) -> None:
        """Kill a monitor wherever it is, and start another one."""
        self._kill(self.monitors.pop(self.chance.randrange(len(self.monitors))))
        self.start_monitor()

    def kill_server(self) -> None:
        """Kill the API wherever it is, and start it again."""
        if self.server is not None:
            self._kill(self.server)
        self.start_server()

    def stop_store(self) -> None:
        """
        Take S3 away for some seconds.

        It is heard again once it knows what it has: while this one starts it says of objects that they
        are not there, which the S3 of AWS never does.
        """
        with self.s3.cut():
            self.store.stop()
            time.sleep(self.chance.uniform(0, 2))
            self.store.start()
            self._await_store()

    def _await_store(self) -> None:
        s3 = self.s3.target
        client = boto3.client(
            "s3",
            endpoint_url=s3.url,
            region_name=s3.region,
            aws_access_key_id=s3.access_key,
            aws_secret_access_key=s3.secret_key,
        )
        store = S3ObjectStore(client, self.environ["S3_BUCKET"])
        end = time.monotonic() + PATIENCE
        while True:
            try:
                store.put("files/nobody/probe", READS)
                store.list("files/")
                store.info(FILE)
            except (NotFoundError, UnavailableError):
                assert time.monotonic() < end, self.logs()
                time.sleep(0.2)  # nothing tells when it is ready
            else:
                client.close()
                return

    def stop_engine(self) -> None:
        """Take Slurm's controller away for some seconds; jobs go on."""
        self.slurm.stop_controller()
        time.sleep(self.chance.uniform(0, 2))
        self.slurm.start_controller()

    def breaks(self) -> list[Callable[[], None]]:
        """Return what is to be killed or stopped, in an order by chance; processes more often."""
        acts = [
            *(self.kill_monitor,) * 8,
            *(self.kill_server,) * 4,
            *(self.stop_store,) * 3,
            *(self.stop_engine,) * 3,
        ]
        self.chance.shuffle(acts)
        return acts

    def end(self) -> None:
        """End all that is left, and keep what tells what became of worksets, and why."""
        for process in [*self.monitors, *([self.server] if self.server else [])]:
            self._kill(process)
        (self.home / "worksets.log").write_text("\n".join(map(self.told, self.worksets())))
        shutil.copytree(self.slurm.home, self.home / "slurm", ignore=_none_but_words)
        self.app.world.close()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    # What customers do

    def submit(self, name: str) -> str:
        """Submit a workset over HTTP, and again when it is sure that nothing came of it."""
        body: dict[str, Any] = {
            "workset_name": name,
            "pipeline_type": "tiny",
            "samples": [{"sample_id": "NA12878", "r1_file": "a_R1.fastq"}],
        }
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if (known := self.named(name)) is not None:
                return known
            answer = self._post("/api/customers/local/worksets", body)
            if answer is not None and answer.status_code == 201:
                found: str = answer.json()["workset_id"]
                return found
            assert answer is None or answer.status_code >= 500, answer.text
        raise AssertionError(f"{name} could not be submitted: {self.logs()}")

    def cancel(self, workset_id: str) -> None:
        """Ask over HTTP for a cancel until there is an answer."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self._post(f"/api/customers/local/worksets/{workset_id}/cancel", {})
            if answer is not None and answer.status_code < 500:
                # What has ended is refused, and what an earlier request of ours was heard for.
                assert answer.status_code in {200, 202, 409}, answer.text
                return
        raise AssertionError(f"{workset_id} could not be canceled: {self.logs()}")

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response | None:
        """Ask the API for something; None if it does not answer."""
        try:
            return httpx.post(
                f"http://127.0.0.1:{self.port}{path}",
                json=body,
                headers={"authorization": f"Bearer {TOKEN}"},
                timeout=60,
            )
        except httpx.HTTPError:
            time.sleep(0.1)  # whether the API lives again can only be tried
            return None

    def named(self, name: str) -> str | None:
        """Return the id of the workset of that name, if it is there."""
        found = self.worksets(Filter(name_contains=name))
        return found[0].workset_id if found else None

    # What there is to see

    def worksets(self, where: Filter | None = None) -> list[Workset]:
        """Return what the store has."""
        return list(every(lambda cursor: self.app.world.store.list(where or Filter(), cursor=cursor)))

    def told(self, workset: Workset) -> str:
        """Return the story of a workset with all that its jobs have said, for people."""
        steps = (f"{step.at:%H:%M:%S.%f} {step.state}: {step.reason}" for step in workset.history)
        files = sorted((self.slurm.home / "jobs").rglob(f"{workset.workset_id}.*"))
        words = (f"{file.name}: {file.read_text(errors='replace')}" for file in files if file.is_file())
        return "\n    ".join((f"{workset.workset_id} ({workset.name})", *steps, *words))

    def ended(self) -> int:
        """Return how many worksets have ended."""
        return self.app.world.store.count(TERMINAL)

    def settled(self) -> int:
        """Return how many worksets have ended and owe nothing: what S3 was away for is made up for."""
        return sum(each.ended and not each.debts for each in self.worksets())

    def await_progress(self, count: Callable[[], int], goal: int, failed: list[BaseException]) -> None:
        """Wait until *count* has come to *goal*, for as long as it rises now and then."""
        last, end = count(), time.monotonic() + PATIENCE
        while (now := count()) < goal:
            if failed:
                raise failed[0]
            if now > last:
                last, end = now, time.monotonic() + PATIENCE
            if time.monotonic() > end:
                left = [each for each in self.worksets() if each.state not in TERMINAL]
                raise AssertionError(f"no more than {now}; left: {left[:3]}\n{self.logs()}")
            time.sleep(0.3)

    def logs(self) -> str:
        """Return the ends of what processes have said."""
        files = sorted(self.home.glob("*.log"))
        return "\n".join(f"{file.name}: {file.read_text(errors='replace')[-4000:]}" for file in files)


def _none_but_words(folder: str, names: list[str]) -> list[str]:
    """Return what of a Slurm's folder is not kept: sockets, secrets, and what nobody can read."""
    if "jobs" in Path(folder).parts:
        return []
    return [name for name in names if name != "jobs" and not name.endswith(".log")]
