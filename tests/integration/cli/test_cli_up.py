"""``daylily up`` as people start it: a process, a home, the example data."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, field

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "fastq-qc"
PROGRAM = (sys.executable, "-c", "from daylily.entrypoints.cli import main; main()")


@define
class House:
    """A home, and the processes that a test starts on it."""

    home: Path
    started: list[subprocess.Popen[str]] = field(factory=list)

    def environment(self) -> dict[str, str]:
        """The tester's own settings stay out."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DAYLILY_")}
        return {
            **clean,
            "DAYLILY_HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "no-config"),
            "DAYLILY_POLL_INTERVAL": "0.2",
        }

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def ok(self, *arguments: object) -> str:
        """Run a command that must go well, and return its standard output."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start a command that goes on; its first line says that it is ready."""
        process = subprocess.Popen(
            [*PROGRAM, *map(str, arguments)],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def up(self, *arguments: object) -> tuple[subprocess.Popen[str], str]:
        """Start everything on a free port; return the process and its address."""
        process = self.start("up", "--port", 0, *arguments)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(process.communicate()[1])
        return process, json.loads((self.home / "server.json").read_text())["url"]

    def end(self, process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; return the exit code and how many seconds that took."""
        began = time.monotonic()
        process.send_signal(number)
        process.communicate(timeout=30)
        return process.returncode, time.monotonic() - began


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A home of its own; what still runs at the end is ended."""
    house = House(tmp_path / "home")
    yield house
    for process in house.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def slow_pipeline(house: House) -> Path:
    """Return settings with a pipeline that writes down each run, and waits to be let go."""
    script = (
        "import pathlib, sys, time\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with open(folder / 'runs', 'a') as runs: print('run', file=runs)\n"
        "print('waiting', flush=True)\n"
        "while not (folder / 'go').exists(): time.sleep(0.05)\n"
    )
    folder = house.home.parent
    (folder / "slow.py").write_text(script)
    settings = folder / "settings.yaml"
    settings.write_text(
        json.dumps(
            {"pipelines": {"slow": {"command": ["{python}", str(folder / "slow.py"), str(folder)]}}}
        )
    )
    return settings


def test_the_example_runs_over_a_server_and_without(house: House, tmp_path: Path) -> None:
    """The example data completes both ways, with the same output, and results can be fetched."""
    process, url = house.up()
    remote = house.ok("submit", EXAMPLE, "--url", url, "--wait")
    local = house.ok("submit", EXAMPLE / "reads", "-p", "fastq-qc", "--wait")
    assert remote.split()[1] == local.split()[1] == "complete"
    ids = [remote.split()[0], local.split()[0]]
    for workset_id in ids:
        for command in (("show",), ("logs",), ("results",)):
            here = house.ok(*command, workset_id, "--json")
            assert house.ok(*command, workset_id, "--json", "--url", url) == here
    listed = json.loads(house.ok("list", "--json", "--url", url))
    assert [each["workset_id"] for each in listed["worksets"]] == ids[::-1]
    assert json.loads(house.ok("list", "--json")) == listed
    house.ok("results", ids[0], "--url", url, "--download", tmp_path / "out")
    assert "LAMBDA-A" in (tmp_path / "out" / "summary.tsv").read_text()
    assert not [path for path in (house.home / "bucket/files").rglob("*") if path.is_file()]
    code, seconds = house.end(process)
    assert (code, seconds < 10) == (0, True)
    assert not (house.home / "server.json").exists()


def test_exit_codes_agree_in_both_modes(house: House) -> None:
    """What goes wrong gives the same exit code from a store and from a server."""
    _, url = house.up()
    workset_id = house.ok("submit", EXAMPLE, "--wait").split()[0]
    for command, code in (
        (("show", "nope-123"), 3),
        (("logs", "nope-123"), 3),
        (("cancel", workset_id), 4),
        (("retry", workset_id), 4),
        (("results", workset_id, "--attempt", 9), 3),
        (("submit", EXAMPLE, "-p", "nope"), 2),
        (("estimate", "-p", "nope"), 2),
        (("list", "--cursor", "junk"), 2),
    ):
        assert house.run(*command).returncode == code, command
        assert house.run(*command, "--url", url).returncode == code, command


def test_nobody_gets_in_without_the_token(house: House, tmp_path: Path) -> None:
    """A wrong token is told plainly; a server that is not there gives 5."""
    _, url = house.up()
    wrong = tmp_path / "wrong"
    wrong.write_text("not the token at all\n")
    refused = house.run("list", "--url", url, "--token-file", wrong)
    assert refused.returncode == 1
    assert "the token is not valid: give the server's token by DAYLILY_TOKEN" in refused.stderr
    assert house.run("list", "--url", "http://127.0.0.1:1").returncode == 5


def test_a_killed_up_is_taken_over_and_nothing_runs_twice(house: House) -> None:
    """After kill -9 in the middle of a run, the next 'up' sees it through: one run, complete."""
    settings = slow_pipeline(house)
    process, _ = house.up("--config", settings)
    workset_id = house.ok("submit", EXAMPLE / "reads", "-p", "slow", "--config", settings).strip()
    follower = house.start("logs", "-f", workset_id)
    assert follower.stdout is not None
    assert follower.stdout.readline() == "waiting\n"
    process.kill()
    process.wait()
    _, url = house.up("--config", settings)
    assert url in house.ok("doctor", "--url", url)
    (house.home.parent / "go").touch()
    house.ok("watch", workset_id)
    told = json.loads(house.ok("show", workset_id, "--json"))
    assert (told["state"], len(told["attempts"])) == ("complete", 1)
    assert (house.home.parent / "runs").read_text() == "run\n"
    assert follower.wait(30) == 0


def test_a_home_has_one_server(house: House) -> None:
    """A second 'up' is told where the first is; one that is meant leaves the first's address alone."""
    _, url = house.up()
    refused = house.run("up", "--port", 0)
    assert refused.returncode == 4
    assert url in refused.stderr
    second = house.start("up", "--port", 0, "--another")
    assert second.stdout is not None
    assert second.stdout.readline().startswith("daylily is up at ")
    second.send_signal(signal.SIGINT)
    assert "What runs goes on" in second.communicate(timeout=30)[1]
    assert json.loads((house.home / "server.json").read_text())["url"] == url
    house.ok("list", "--url", url)


def test_cancel_waits_for_the_engine(house: House) -> None:
    """A running workset is canceled once the engine has stopped it."""
    settings = slow_pipeline(house)
    _, url = house.up("--config", settings)
    workset_id = house.ok("submit", EXAMPLE / "reads", "-p", "slow", "--url", url).strip()
    follower = house.start("logs", "-f", workset_id)
    assert follower.stdout is not None
    assert follower.stdout.readline() == "waiting\n"
    said = house.ok("cancel", workset_id, "--yes", "--wait", "--url", url)
    assert said == f"{workset_id} canceled\n"


def test_a_monitor_stops_soon_and_well(house: House) -> None:
    """SIGTERM lets the monitor finish, with exit code 0; so does Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGINT):
        process = house.start("monitor")
        assert process.stderr is not None
        assert "monitor started" in process.stderr.readline()
        code, seconds = house.end(process, number)
        assert (code, seconds < 10) == (0, True)


def test_a_reader_that_goes_away_is_no_traceback(house: House) -> None:
    """``daylily ... | head`` ends quietly."""
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" | head -n 1', "sh", *PROGRAM, "config", "show"],
        env=house.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.startswith("SETTING")
    assert done.stderr == ""
