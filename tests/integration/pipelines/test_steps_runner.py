"""The step runner: in order, once, resumable, and no shell anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import define

from daylily.domain.results import MANIFEST, SAMPLES, read_samples
from daylily.domain.steps import Per, Step, encoded, planned
from daylily.pipelines.steps.record import NAME, BusyError, Record

# Appends its words to the file of its first argument; ends with the code in the file of the second.
TOOL = """
import pathlib, sys
log, code, *words = sys.argv[1:]
with open(log, "a") as file:
    print(*words, file=file)
path = pathlib.Path(code)
print("tool says", *words)
sys.exit(int(path.read_text()) if path.exists() else 0)
"""


@define
class Bench:
    """A folder in which plans are run."""

    path: Path

    @property
    def results(self) -> Path:
        return self.path / "results"

    def step(self, name: str, *words: str, per: Per = Per.WORKSET, **more: object) -> Step:
        """Return a step that notes its words, and ends as the file ``fail-<name>`` says."""
        place = f"{self.path}/fail-{name}" + ("-{sample_id}" if per is Per.SAMPLE else "")
        command = (sys.executable, "-I", "-S", "-c", TOOL, str(self.path / "log"), place, name, *words)
        return Step(name=name, command=command, per=per, **more)  # type: ignore[arg-type]

    def command(self, steps: Sequence[Step], *more: str, results: Path | None = None) -> list[str]:
        """Return the command line of a run."""
        return [
            sys.executable, "-m", "daylily.pipelines.steps", "--workset", str(self.path),
            "--results", str(results or self.results), "--plan", encoded(planned(steps, {}, {})), *more,
        ]  # fmt: skip

    def run(
        self, steps: Sequence[Step], *more: str, results: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a plan to its end."""
        environment = {**os.environ, "DAYLILY_PROGRESS": str(self.path / "progress.json")}
        return subprocess.run(
            self.command(steps, *more, results=results),
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    def fail(self, name: str, code: int) -> None:
        """Have a step fail (again)."""
        (self.path / f"fail-{name}").write_text(str(code))

    def mend(self, name: str) -> None:
        """Have it succeed."""
        (self.path / f"fail-{name}").unlink()

    def ran(self) -> list[str]:
        """Return what has been run since the last look."""
        log = self.path / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return an empty folder."""
    return Bench(tmp_path)


def test_all_steps_in_order(bench: Bench) -> None:
    """Steps of samples run for each sample; progress ends with all, and checksums are right."""
    steps = [
        bench.step("staging", "{workset_dir}"),
        bench.step("aligning", "{sample_id}", per=Per.SAMPLE),
        bench.step("calling", "$(touch x) ; `id`", "{results_dir}"),
    ]

    found = bench.run(steps, "--sample", "A", "--sample", "B")

    assert (found.returncode, found.stderr) == (0, "")
    assert bench.ran() == [
        f"staging {bench.path}",
        "aligning A",
        "aligning B",
        f"calling $(touch x) ; `id` {bench.results}",
    ]
    progress = json.loads((bench.path / "progress.json").read_text())
    assert progress == {"done": 3, "total": 3, "message": "complete"}
    outcomes = read_samples((bench.results / SAMPLES).read_bytes(), "AB")
    assert [(each.sample_id, each.failed) for each in outcomes] == [("A", False), ("B", False)]
    subprocess.run(["/usr/bin/sha256sum", "-c", MANIFEST], cwd=bench.results, check=True)


def test_a_step_that_fails_ends_the_run(bench: Bench) -> None:
    """Its exit code is the run's, the last line names it, and progress stays at it."""
    bench.fail("calling", 65)
    steps = [bench.step("staging"), bench.step("calling"), bench.step("exporting")]

    found = bench.run(steps)

    assert found.returncode == 65
    assert found.stderr.splitlines()[-1] == "step calling failed: exit code 65"
    assert bench.ran() == ["staging", "calling"]
    progress = json.loads((bench.path / "progress.json").read_text())
    assert progress == {"done": 1, "total": 3, "message": "calling"}


def test_a_rerun_goes_on_where_it_was(bench: Bench) -> None:
    """What was done is not done again; what comes after the step that runs again is."""
    bench.fail("calling", 75)
    steps = [bench.step("staging"), bench.step("calling"), bench.step("exporting")]
    bench.run(steps)
    bench.mend("calling")
    bench.ran()

    assert bench.run(steps).returncode == 0
    assert bench.ran() == ["calling", "exporting"]
    assert bench.run(steps).returncode == 0
    assert bench.ran() == []
    # A step that does something else now, and all that rests on it, is run again.
    steps[1] = bench.step("calling", "otherwise")
    bench.run(steps)
    assert bench.ran() == ["calling otherwise", "exporting"]


def test_a_line_cut_short_by_a_crash(bench: Bench) -> None:
    """A record whose last line is half there is good for all that stands before it."""
    steps = [bench.step("staging"), bench.step("calling")]
    bench.run(steps)
    bench.ran()
    record = bench.results / NAME
    record.write_bytes(record.read_bytes()[:-20])

    assert bench.run(steps).returncode == 0
    assert bench.ran() == ["calling"]
    assert bench.run(steps).returncode == 0
    assert bench.ran() == []


def test_another_attempt_goes_on_from_an_earlier_one(bench: Bench) -> None:
    """Its files and its record are copied, the earlier results stay; a second start copies nothing."""
    bench.fail("calling", 75)
    steps = [bench.step("staging"), bench.step("calling")]
    bench.run(steps)
    (bench.results / "sub").mkdir()
    (bench.results / "sub" / "staged").write_text("staged")
    bench.mend("calling")
    bench.ran()
    later = bench.path / "later"

    assert bench.run(steps, "--resume", str(bench.results), results=later).returncode == 0

    assert bench.ran() == ["calling"]
    assert (later / "sub" / "staged").read_text() == "staged"
    assert "failed" in (bench.results / NAME).read_text()
    assert bench.run(steps, "--resume", str(bench.results), results=later).returncode == 0
    assert bench.ran() == []


def test_nothing_to_go_on_from(bench: Bench) -> None:
    """An attempt that left nothing, or on another machine, is passed over."""
    found = bench.run([bench.step("staging")], "--resume", "/no/such/folder")

    assert found.returncode == 0
    assert bench.ran() == ["staging"]


def test_an_optional_step_may_fail(bench: Bench) -> None:
    """The run goes on and succeeds; a rerun tries that step once more, and no other."""
    bench.fail("collecting_metrics", 1)
    steps = [
        bench.step("exporting"),
        bench.step("collecting_metrics", optional=True),
        bench.step("end"),
    ]

    found = bench.run(steps)

    assert found.returncode == 0
    assert "step collecting_metrics failed: exit code 1, which is no matter" in found.stderr
    assert bench.ran() == ["exporting", "collecting_metrics", "end"]
    bench.run(steps)
    assert bench.ran() == ["collecting_metrics"]


def test_one_sample_keeps_no_other(bench: Bench) -> None:
    """A sample that failed is left out of the next steps of samples; then the run ends as it did."""
    bench.fail("aligning-B", 65)
    steps = [
        bench.step("aligning", "{sample_id}", per=Per.SAMPLE),
        bench.step("calling", "{sample_id}", per=Per.SAMPLE),
        bench.step("joining"),
    ]
    samples = ["--sample", "A", "--sample", "B", "--sample", "C"]

    found = bench.run(steps, *samples)

    assert found.returncode == 65
    assert found.stderr.splitlines()[-1] == (
        "1 of 3 samples failed; the first was B: step aligning failed: exit code 65"
    )
    ran = ["aligning A", "aligning B", "aligning C", "calling A", "calling C"]
    assert bench.ran() == ran
    outcomes = read_samples((bench.results / SAMPLES).read_bytes(), "ABC")
    assert [(each.failed, each.message) for each in outcomes] == [
        (False, ""),
        (True, "step aligning failed: exit code 65"),
        (False, ""),
    ]
    # The failed one alone, on top of what the others have left; then all is joined.
    bench.mend("aligning-B")
    later = bench.path / "later"
    again = bench.run(steps, "--sample", "B", "--resume", str(bench.results), results=later)
    assert again.returncode == 0
    assert bench.ran() == ["aligning B", "calling B", "joining"]


def test_programs_that_cannot_be_started(bench: Bench) -> None:
    """127 where there is none, as from a shell; 126 where it is none."""
    assert bench.run([Step(name="a", command=("no-such-program",))]).returncode == 127
    assert bench.run([Step(name="a", command=("/etc/passwd",))]).returncode == 126


def test_two_runs_of_one_folder(bench: Bench) -> None:
    """The second is sent away, to be tried again later, and does nothing."""
    bench.results.mkdir()
    first = Record.open(bench.results)

    found = bench.run([bench.step("staging")])

    assert found.returncode == 75
    assert bench.ran() == []
    with pytest.raises(BusyError):
        Record.open(bench.results)
    first.close()


def test_wrong_usage(bench: Bench) -> None:
    """64, as sysexits.h has it; and 74 where results cannot be."""
    command = bench.command([])
    assert subprocess.run([*command, "--nope"], capture_output=True, check=False).returncode == 64
    (bench.path / "file").touch()
    assert bench.run([], results=bench.path / "file" / "x").returncode == 74


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.01)


@pytest.mark.parametrize("stubborn", [False, True])
def test_cancel(bench: Bench, stubborn: bool) -> None:
    """TERM reaches the step, which is given a while; then what steps set going is taken back."""
    up = bench.path / "up"
    script = f"import signal, time, pathlib\n{'signal.signal(15, signal.SIG_IGN)' * stubborn}\n"
    script += f"pathlib.Path({str(up)!r}).touch()\ntime.sleep(300)"
    undo = bench.step("undo_one").command, bench.step("undo_two").command
    steps = [
        bench.step("one", on_cancel=undo[0]),
        Step(name="two", command=(sys.executable, "-c", script), on_cancel=undo[1]),
        bench.step("three", on_cancel=bench.step("undo_three").command),
    ]
    process = subprocess.Popen(
        bench.command(steps, "--grace", "0.2"), stderr=subprocess.PIPE, text=True
    )
    wait_for(up)

    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)

    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 143
    assert complaint.splitlines()[-1] == "canceled in step two"
    assert bench.ran() == ["one", "undo_two", "undo_one"]


def test_a_run_that_was_lost_is_taken_back_first(bench: Bench) -> None:
    """What a killed run had set going by a step is taken back before that step is run again."""
    up = bench.path / "up"
    script = f"import time, pathlib, os\np = pathlib.Path({str(up)!r})\n"
    script += "if not p.exists():\n p.write_text(str(os.getpid()))\n time.sleep(300)\n"
    step = Step(
        name="run", command=(sys.executable, "-c", script), on_cancel=bench.step("undo").command
    )
    process = subprocess.Popen(bench.command([step]))
    wait_for(up)
    process.kill()
    process.wait()
    os.kill(int(up.read_text()), signal.SIGKILL)

    assert bench.run([step]).returncode == 0
    assert bench.ran() == ["undo"]
    assert bench.run([step]).returncode == 0
    assert bench.ran() == []
