"""Looking at worksets, and acting on them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from tests.unit.cli.desk import Desk

from daylily.domain.results import SAMPLES, SampleOutcome, samples_text
from daylily.domain.workset import Progress
from daylily.entrypoints.cli.session import Session
from daylily.testing.samples import a_manifest


def launched(desk: Desk, workset_id: str) -> str:
    """Have a monitor launch a workset, and return its attempt's key."""
    desk.ok("monitor", "--once")
    return f"{workset_id}/1"


@pytest.fixture
def failed(desk: Desk, submitted: str) -> str:
    """The id of a workset that has ended in error."""
    key = launched(desk, submitted)
    desk.engine.write(key, "reading\nbroken\n")
    desk.engine.end(key, exit_code=2, message="bad reads")
    desk.ok("monitor", "--once")
    return submitted


@pytest.fixture
def complete(desk: Desk, submitted: str) -> str:
    """The id of a workset that is complete, with two files of results."""
    key = launched(desk, submitted)
    for name in ("report.html", "tables/summary.tsv"):
        desk.world.objects.put(f"worksets/{submitted}/results/attempt-1/{name}", name.encode())
    desk.engine.end(key)
    desk.ok("monitor", "--once")
    return submitted


# list, show


def test_list_without_worksets(desk: Desk) -> None:
    """An empty store is no fault: nothing on standard output, a word on standard error."""
    result = desk.run("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no worksets" in result.stderr


def test_list_filters(desk: Desk, pair: Path, failed: str) -> None:
    """States, priority and part of the name narrow the list; programs get JSON."""
    other = desk.json("submit", pair, "-p", "fastq-qc", "--name", "Exome 7", "--priority", "urgent")
    ids = [each["workset_id"] for each in desk.json("list")["worksets"]]
    assert set(ids) == {failed, other["workset_id"]}
    for arguments in (["--state", "error"], ["--priority", "normal"], ["--name", "READS"]):
        assert [each["workset_id"] for each in desk.json("list", *arguments)["worksets"]] == [failed]
    assert "error" in desk.ok("list", "--state", "error", "--state", "failed")


def test_list_pages(desk: Desk, pair: Path) -> None:
    """A cut list says how to go on, and going on gives the rest."""
    ids = [desk.json("submit", pair, "-p", "fastq-qc")["workset_id"] for _ in range(3)]
    first = desk.json("list", "--limit", 2)
    assert "--cursor" in desk.run("list", "--limit", 2).stderr
    rest = desk.json("list", "--cursor", first["cursor"])
    listed = [each["workset_id"] for page in (first, rest) for each in page["worksets"]]
    assert sorted(listed) == sorted(ids)
    assert rest["cursor"] is None


def test_list_is_of_one_customer(desk: Desk, submitted: str) -> None:
    """Other customers' worksets are listed only for --all-customers."""
    desk.ok("customer", "add", "other")
    assert desk.json("list", "--customer", "other")["worksets"] == []
    page = desk.json("list", "--customer", "other", "--all-customers")
    assert [each["workset_id"] for each in page["worksets"]] == [submitted]


def test_show(desk: Desk, failed: str) -> None:
    """People see samples, attempts, timeline and what went wrong."""
    shown = desk.ok("show", failed)
    for part in (failed, "error", "bad reads", "NA1", "locked by", "fastq-qc on GRCh38"):
        assert part in shown
    assert desk.json("show", failed)["attempts"][0]["outcome"] == "error"


def test_show_says_what_to_do(desk: Desk, submitted: str) -> None:
    """The error is one line, with what to do about it next; what led up to it comes after."""
    key = launched(desk, submitted)
    desk.engine.end(key, exit_code=65, message="sample NA1: the file holds no reads\n[0/1] reading")
    desk.ok("monitor", "--once")
    shown = desk.ok("show", submitted)
    order = ["Error\nsample NA1: ", "What to do\nTrying again cannot help", "Before the error\n[0/1] "]
    assert [shown.index(text) for text in order] == sorted(shown.index(text) for text in order)
    told = desk.json("show", submitted)
    assert "mend the files" in told["advice"]
    assert (told["error_category"], told["error_code"]) == ("data", None)
    desk.ok("retry", submitted)
    assert desk.json("show", submitted)["advice"] is None


def test_show_says_what_it_waits_for(desk: Desk, submitted: str) -> None:
    """Where another system's lock is in the way: whose it is, and until when it counts."""
    desk.world.objects.put(f"worksets/{submitted}/daylily.lock", b"Locked by worker-7")
    desk.ok("monitor", "--once")
    told = desk.json("show", submitted)["waits_for"]
    assert "another system holds daylily.lock since" in told
    assert "Locked by worker-7" in told
    assert "Waits for" in desk.ok("show", submitted)


@pytest.mark.parametrize("command", ["show", "cancel", "retry", "logs", "results"])
@pytest.mark.parametrize("workset_id", ["nope-123", "../x", "x"])
def test_unknown_ids_are_not_found(desk: Desk, command: str, workset_id: str) -> None:
    """An id that no workset has gives exit code 3, whatever it looks like."""
    result = desk.run(command, workset_id)
    assert result.exit_code == 3
    assert result.stderr.startswith("error: there is no workset")


def test_errors_as_json(desk: Desk) -> None:
    """Programs find the error on standard output, and nothing else."""
    result = desk.run("show", "nope-123", "--json")
    assert json.loads(result.stdout) == {"error": "there is no workset nope-123", "faults": []}
    assert result.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json", "list", "--nope"),
        ("list", "--json", "--nope"),
        ("list", "--nope", "--json"),
        ("lst", "--json"),
        ("list", "--limit", "many", "--json"),
        ("--nope", "list", "--json"),
        ("show", "--json"),
    ],
)
def test_wrong_usage_as_json(desk: Desk, arguments: tuple[str, ...]) -> None:
    """Programs get JSON of wrong usage too, wherever they have asked for it."""
    result = desk.run(*arguments)
    assert result.exit_code == 2
    assert set(json.loads(result.stdout)) == {"error", "faults"}
    assert result.stderr == ""


def test_json_as_an_argument(desk: Desk) -> None:
    """Behind ``--`` it is no option."""
    assert desk.run("show", "--nope", "--", "--json").stdout == ""


# cancel, retry


def test_cancel_before_launch(desk: Desk, submitted: str) -> None:
    """What has not been launched is canceled at once, and the reason is kept."""
    assert desk.ok("cancel", submitted, "--reason", "wrong run") == f"{submitted} canceled\n"
    assert "wrong run" in desk.json("show", submitted)["state_history"][-1]["reason"]


def test_cancel_of_what_has_ended(desk: Desk, complete: str) -> None:
    """The present state rules it out: exit code 4."""
    assert desk.run("cancel", complete).exit_code == 4


@pytest.fixture
def somebody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a person at the keyboard."""
    monkeypatch.setattr(Session, "interactive", True)


@pytest.mark.usefixtures("somebody_there")
@pytest.mark.parametrize(("answer", "state"), [("y", "canceled"), ("n", "ready")])
def test_cancel_asks(desk: Desk, submitted: str, answer: str, state: str) -> None:
    """A person is asked first, and has the last word."""
    result = desk.run("cancel", submitted, stdin=f"{answer}\n")
    assert result.exit_code == 0
    assert f"Cancel {submitted}?" in result.stderr
    assert desk.json("show", submitted)["state"] == state


@pytest.mark.usefixtures("somebody_there")
def test_cancel_asks_of_nothing_that_has_ended(desk: Desk, pair: Path, complete: str) -> None:
    """What has ended is refused without a question; that does not keep others from being asked for."""
    refused = desk.run("cancel", complete)
    assert refused.exit_code == 4
    assert refused.stderr == f"error: {complete} is complete: there is nothing to cancel\n"
    other = desk.json("submit", pair, "-p", "fastq-qc", "--name", "other")["workset_id"]
    result = desk.run("cancel", complete, other, stdin="y\n")
    assert result.exit_code == 4
    assert result.stdout == f"{other} canceled\n"
    assert f"Cancel {other}?" in result.stderr


def test_cancel_goes_on_after_trouble(desk: Desk, submitted: str) -> None:
    """The trouble of one id does not keep the next from being canceled."""
    result = desk.run("cancel", "nope-123", submitted)
    assert result.exit_code == 3
    assert result.stdout == f"{submitted} canceled\n"


def test_retry(desk: Desk, failed: str) -> None:
    """A workset in error becomes ready again."""
    assert desk.ok("retry", failed) == f"{failed} ready\n"
    assert desk.run("retry", failed).exit_code == 4


def test_failed_samples(desk: Desk, submitted: str) -> None:
    """What became of each sample is shown, and those that failed can be retried alone."""
    key = launched(desk, submitted)
    store = desk.world.store
    workset = store.get(submitted)
    manifest = a_manifest("NA1", "NA2", pipeline="fastq-qc")
    store.save(evolve(workset, manifest=manifest))
    told = [SampleOutcome.of("NA1", None), SampleOutcome.of("NA2", "read 7 is cut")]
    place = f"worksets/{submitted}/results/attempt-1/{SAMPLES}"
    desk.world.objects.put(place, samples_text(told).encode())
    desk.engine.end(key, exit_code=65)
    desk.ok("monitor", "--once")

    shown = desk.ok("show", submitted)
    assert "Samples (1 of 2 samples came out well)" in shown
    lines = [line.split() for line in shown.splitlines()]
    failed = lines.index(["NA2", "failed", "read", "7", "is", "cut"])
    assert lines[failed + 1] == [manifest.samples[1].pairs[0].r1]
    samples = json.loads(desk.ok("show", submitted, "--json"))["samples"]
    assert [each["outcome"] for each in samples] == ["ok", "failed"]
    assert desk.ok("retry", submitted, "--failed-samples") == f"{submitted} ready\n"
    desk.ok("monitor", "--once")
    shown = " ".join(desk.ok("show", submitted).split())
    assert "retry of 1, asked for by" in shown
    assert "for 1 of 2 samples" in shown


# watch, wait


def test_watch_ends_with_the_worksets(desk: Desk, complete: str) -> None:
    """Worksets that have ended are told once, one line each."""
    assert complete in desk.ok("watch", complete)
    assert json.loads(desk.ok("watch", complete, "--json"))["state"] == "complete"


def test_watch_follows_to_the_end(desk: Desk, submitted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change is a line, until the workset has ended."""
    key = launched(desk, submitted)
    steps = iter(
        (
            lambda: desk.engine.report(key, Progress(1, 2, "sample NA1")),
            lambda: desk.engine.end(key),
        )
    )

    def a_moment_later(_: float) -> None:
        next(steps)()
        desk.ok("monitor", "--once")

    monkeypatch.setattr("daylily.entrypoints.cli.watch.time.sleep", a_moment_later)
    lines = desk.ok("watch").splitlines()
    assert [line.split("  ")[2:] for line in lines] == [
        ["in_progress"],
        ["in_progress", "1/2 sample NA1"],
        ["complete"],
    ]


def test_progress_has_its_own_time(desk: Desk, submitted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of progress bears the time when it was seen, not that of the launch."""
    key = launched(desk, submitted)
    begun = desk.world.store.get(submitted)
    desk.world.store.save(evolve(begun, updated_at=begun.updated_at - timedelta(days=400)))
    steps = iter((lambda: desk.engine.report(key, Progress(1, 2)), lambda: desk.engine.end(key)))

    def a_moment_later(_: float) -> None:
        next(steps)()
        desk.ok("monitor", "--once")

    monkeypatch.setattr("daylily.entrypoints.cli.watch.time.sleep", a_moment_later)
    times = [line.split("  ")[0] for line in desk.ok("watch", submitted).splitlines()]
    assert len(times) == 3
    assert times == sorted(times)
    assert times[0][:4] < times[1][:4]


def test_ctrl_c_ends_the_watching_alone(
    desk: Desk, submitted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who interrupts a watch is told that the workset goes on, and how to watch it again."""

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("daylily.entrypoints.cli.watch.time.sleep", interrupt)
    result = desk.run("watch", submitted)
    assert result.exit_code == 130
    assert f"nothing was stopped. Again: daylily watch {submitted}\n" in result.stderr
    assert desk.json("show", submitted)["state"] == "ready"


@pytest.mark.parametrize(("exit_code", "state", "code"), [(0, "complete", 0), (2, "error", 1)])
def test_submit_waits(
    desk: Desk,
    pair: Path,
    monkeypatch: pytest.MonkeyPatch,
    exit_code: int,
    state: str,
    code: int,
) -> None:
    """--wait prints how it ended, and exits 0 only if that is complete."""

    def a_moment_later(_: float) -> None:
        desk.ok("monitor", "--once")
        [key] = [job.key for job in desk.engine.submitted]
        desk.engine.end(key, exit_code=exit_code, message="bad reads")
        desk.ok("monitor", "--once")

    monkeypatch.setattr("daylily.entrypoints.cli.watch.time.sleep", a_moment_later)
    result = desk.run("submit", pair, "-p", "fastq-qc", "--wait")
    assert result.exit_code == code
    assert result.stdout.split()[1] == state
    assert result.stderr.count("bad reads") == code
    assert result.stderr.count("what to do: ") == code


# logs, results


def test_logs(desk: Desk, failed: str) -> None:
    """The log comes as it was written; as JSON, with the offset to go on from."""
    assert desk.ok("logs", failed) == "reading\nbroken\n"
    told = json.loads(desk.run("logs", failed, "--json").stdout)
    assert told == {"text": "reading\nbroken\n", "offset": 15, "ended": True}
    assert desk.ok("logs", "-f", failed, "--attempt", 1) == "reading\nbroken\n"


def test_logs_follow_what_grows(desk: Desk, submitted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """-f prints what is added, once, until the attempt has ended."""
    key = launched(desk, submitted)
    desk.engine.write(key, "one\n")
    steps = iter((lambda: desk.engine.write(key, "two\n"), lambda: desk.engine.end(key, exit_code=0)))
    monkeypatch.setattr("daylily.entrypoints.cli.logs.time.sleep", lambda _: next(steps)())
    assert desk.ok("logs", "-f", submitted) == "one\ntwo\n"


def test_logs_before_launch(desk: Desk, submitted: str) -> None:
    """There is nothing to print yet: exit code 3."""
    assert desk.run("logs", submitted).exit_code == 3


def test_results(desk: Desk, complete: str, tmp_path: Path) -> None:
    """Files are listed, and fetched with their folders."""
    assert [each["key"] for each in desk.json("results", complete)["files"]] == [
        "report.html",
        "tables/summary.tsv",
    ]
    assert "report.html" in desk.ok("results", complete)
    desk.ok("results", complete, "--download", tmp_path / "out")
    assert (tmp_path / "out/tables/summary.tsv").read_text() == "tables/summary.tsv"
    assert not list((tmp_path / "out").rglob("*.part"))


def test_no_results_to_download(desk: Desk, submitted: str, tmp_path: Path) -> None:
    """Who wants files and gets none is told so: exit code 3, and no folder is made."""
    launched(desk, submitted)
    result = desk.run("results", submitted, "--download", tmp_path / "out")
    assert result.exit_code == 3
    assert "is in_progress: there are no files to download" in result.stderr
    assert not (tmp_path / "out").exists()
    assert desk.ok("results", submitted) == ""


def test_results_never_leave_the_folder(desk: Desk, complete: str, tmp_path: Path) -> None:
    """A link in the target folder is not followed out of it."""
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/tables").symlink_to(tmp_path / "elsewhere")
    assert desk.run("results", complete, "--download", tmp_path / "out").exit_code == 2
    assert not list((tmp_path / "elsewhere").iterdir())


# estimate


def test_estimate(desk: Desk) -> None:
    """The parts add up to the total; nothing is opened for it."""
    told = desk.json("estimate", "-p", "germline", "--samples", 10, "--priority", "urgent")
    parts = sum(float(part.lstrip("$")) for part in told["cost_breakdown"].values())
    assert told["estimated_cost_usd"] == pytest.approx(parts)
    assert "Total" in desk.ok("estimate", "-p", "germline")
    assert desk.stored() == ([], [], [])


def test_estimate_of_a_source(desk: Desk, pair: Path) -> None:
    """Samples are counted where there is a source; who cannot run a pipeline may ask its price."""
    assert desk.json("estimate", pair, "-p", "wgs")["sample_count"] == 1


@pytest.mark.parametrize(
    "arguments",
    [(), ("-p", "nope"), ("-p", "wgs", "--samples", "-1"), ("-p", "wgs", "--coverage", "nan")],
)
def test_estimate_of_nonsense(desk: Desk, arguments: tuple[str, ...]) -> None:
    """Nonsense is refused with its place."""
    assert desk.faults("estimate", *arguments)
