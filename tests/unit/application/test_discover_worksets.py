"""Discovery: what people and old monitors drop is found, once, and no damage stops the rest."""

import functools
from datetime import datetime, timedelta
from threading import Thread
from typing import TypeVar, cast

import pytest
from attrs import evolve, frozen
from tests.unit.application.lab import PREFIX, READS, SHEET, Lab, Meanwhile, Unreadable, Wrapper

from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.application.discover_worksets import (
    LOOK_EVERY,
    OUTAGES,
    PAGE_PAUSE,
    TELL_AGAIN,
    Discovered,
    DiscoverWorksets,
)
from daylily.application.monitor_cycle import CycleReport
from daylily.application.resting import Resting
from daylily.domain.clusters import Requirements
from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import Priority, State
from daylily.domain.sentinels import Sentinel, state_shown
from daylily.ports.paging import every
from daylily.testing.faults import Blow, FaultInjector

T = TypeVar("T")


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def discovery(lab: Lab, *wrappers: Wrapper) -> DiscoverWorksets:
    """Return the discovery of a new App."""
    return lab.app(*wrappers).cycle.discover


def names(found: Discovered) -> list[str]:
    """Return the ids of what was registered."""
    return [workset.workset_id for workset in found.registered]


def test_a_sound_folder_is_registered(lab: Lab) -> None:
    """With what its files say; it belongs to the customer of the installation."""
    lab.drop("dropped-1", Sentinel.READY, body=b"20251016T111111")
    lab.put("dropped-1", "daylily_work.yaml", b"pipeline: fastq-qc\npriority: high\n")
    (workset,) = discovery(lab)().registered
    assert (workset.state, workset.priority) == (State.READY, Priority.URGENT)
    assert workset.customer_id == lab.settings.customer
    assert [sample.sample_id for sample in workset.manifest.samples] == ["HG002"]
    assert lab.sent() == ["registered"]
    lab.check()


def test_what_its_files_ask_for(lab: Lab) -> None:
    """Retries, whom to tell, and where and how long it may run; else what the settings say."""
    lab.drop("asking", Sentinel.READY)
    lab.put(
        "asking",
        "daylily_work.yaml",
        b"pipeline: fastq-qc\nmax_retries: 0\nnotification_email: ada@example.org\n"
        b"preferred_cluster: east\navailability_zone: us-west-2a\ntime_limit_hours: 0.5\n",
    )
    lab.drop("silent", Sentinel.READY)
    lab.settings = evolve(lab.settings, max_retries=7)
    asking, silent = discovery(lab)().registered
    assert (asking.max_retries, asking.notification_email) == (0, "ada@example.org")
    assert asking.requirements == Requirements(
        cluster="east", availability_zone="us-west-2a", time_limit=timedelta(minutes=30)
    )
    assert (silent.max_retries, silent.requirements) == (7, Requirements())


def test_a_folder_is_registered_once(lab: Lab) -> None:
    """Not by the next look, nor by another monitor, nor after it has run."""
    lab.drop("dropped-1", Sentinel.READY)
    first = discovery(lab)
    assert names(first()) == ["dropped-1"]
    assert first() == discovery(lab)() == Discovered()
    app = lab.app()
    app.cycle()
    lab.compute.end("dropped-1/1")
    app.cycle()
    assert discovery(lab)() == Discovered()
    assert lab.started() == ["dropped-1/1"]


def test_a_folder_that_another_monitor_took_first_is_no_fault(lab: Lab) -> None:
    """It came between our question and our write."""
    lab.drop("dropped-1", Sentinel.READY)
    other = discovery(lab)
    found = discovery(lab, Meanwhile("store.add", other))()
    assert found == Discovered()
    assert len(lab.worksets()) == 1


def test_a_folder_becomes_ready_later(lab: Lab) -> None:
    """Files first, ready last: the look that comes in between leaves it alone."""
    lab.drop("dropped-1")
    found = discovery(lab)
    assert found() == Discovered()
    lab.put("dropped-1", Sentinel.READY, b"")
    lab.clock.advance(LOOK_EVERY)
    assert names(found()) == ["dropped-1"]


def test_a_folder_that_waits_is_looked_at_ever_more_seldom(lab: Lab) -> None:
    """Looks are paid for: one left behind for years must not cost one in every cycle."""
    lab.drop("dropped-1")
    calls = FaultInjector()
    found = discovery(lab, calls)
    for _ in range(300):
        found()
        lab.clock.advance(timedelta(seconds=2))
    looks = calls.calls.count("objects.browse")
    assert 10 <= looks <= 16


class SmallPages:
    """Listings of two entries a page."""

    def wrap(self, port: T, name: str) -> T:
        """Return a stand-in for *port*."""
        return cast(T, _SmallPages(port)) if name == "objects" else port


@frozen
class _SmallPages:
    port: object

    def __getattr__(self, method: str) -> object:
        found = getattr(self.port, method)
        return functools.partial(found, limit=2) if method == "entries" else found


def test_a_long_listing_is_made_more_seldom(lab: Lab) -> None:
    """A hundred thousand directories are a hundred pages: listing them all must not be all we do."""
    for number in range(5):
        lab.drop(f"dropped-{number}")
    found = discovery(lab, SmallPages())
    found()
    lab.drop("dropped-9", Sentinel.READY)
    found()
    assert lab.worksets() == ()
    lab.clock.advance(PAGE_PAUSE * 2)
    assert names(found()) == ["dropped-9"]


def test_a_look_at_nothing_new_is_one_question(lab: Lab) -> None:
    """Whatever number of worksets is known."""
    for number in range(3):
        lab.drop(f"dropped-{number}", Sentinel.READY)
    calls = FaultInjector()
    found = discovery(lab, calls)
    found()
    found()
    calls.calls.clear()
    found()
    assert calls.calls == ["objects.changed"]


def test_a_folder_that_went_is_forgotten(lab: Lab) -> None:
    """It is not looked at any more; when it comes back, it is found."""
    lab.drop("dropped-1")
    found = discovery(lab)
    found()
    for name in (info.key for info in lab.objects.list(f"{PREFIX}dropped-1/").items):
        lab.objects.delete(name)
    assert found() == Discovered()
    lab.drop("dropped-1", Sentinel.READY)
    lab.clock.advance(LOOK_EVERY)
    assert names(found()) == ["dropped-1"]


@pytest.mark.parametrize(
    ("sentinels", "state"),
    [
        ({Sentinel.COMPLETE, Sentinel.IN_PROGRESS, Sentinel.LOCK, Sentinel.READY}, State.COMPLETE),
        ({Sentinel.ERROR, Sentinel.IN_PROGRESS, Sentinel.LOCK, Sentinel.READY}, State.ERROR),
        ({Sentinel.COMPLETE, Sentinel.ERROR, Sentinel.READY}, State.COMPLETE),
        ({Sentinel.IN_PROGRESS, Sentinel.READY}, State.IN_PROGRESS),
    ],
)
def test_what_an_old_monitor_did_is_adopted_d11(
    lab: Lab, sentinels: set[Sentinel], state: State
) -> None:
    """D-11: what is complete in the directory never becomes runnable; and it is no news."""
    lab.drop("dropped-1", *sentinels, body=b"2025-06-01T12:00:00.123456Z")
    (workset,) = discovery(lab)().registered
    assert workset.state is state
    assert lab.sent() == []
    lab.app().cycle()
    assert lab.started() == []
    lab.check()


def test_what_is_ignored_is_registered_so(lab: Lab) -> None:
    """It is there for all to see, nobody runs it, and it is no news."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IGNORE)
    (workset,) = discovery(lab)().registered
    assert (workset.state, workset.held) == (State.IGNORED, True)
    lab.app().cycle()
    assert (lab.started(), lab.sent()) == ([], [])
    lab.check()


def test_what_is_ignored_may_be_under_construction(lab: Lab) -> None:
    """Nobody wants it run: what it lacks is no damage, and it is registered once it is whole."""
    lab.drop("dropped-1", Sentinel.IGNORE)
    lab.remove("dropped-1", "daylily_work.yaml")
    found = discovery(lab)
    assert found() == Discovered()
    lab.drop("dropped-1")
    lab.clock.advance(LOOK_EVERY)
    assert names(found()) == ["dropped-1"]


def test_what_another_system_has_locked_is_registered_and_left_to_it(lab: Lab) -> None:
    """It is there for all to see, with what it waits for; nobody of us launches it."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.LOCK, body=b"Locked by worker-7")
    app = lab.app()
    app.cycle()
    (workset,) = lab.worksets()
    assert workset.state is State.READY
    assert workset.waits_for is not None
    assert "holds daylily.lock since 2025-06-02T12:00:00Z (Locked by worker-7)" in workset.waits_for
    assert lab.started() == []


def test_a_lock_alone_says_nothing(lab: Lab) -> None:
    """Without ready, nobody said that it may be run."""
    lab.drop("dropped-1", Sentinel.LOCK)
    assert discovery(lab)() == Discovered()


@pytest.mark.parametrize("command", ["-p help", "germline_wgs_snv -p -j 20", "help", "germline"])
def test_what_only_the_old_engine_can_run_is_left_to_it(lab: Lab, command: str) -> None:
    """It is told once, in words that help; an error of ours would keep the old engine off, too."""
    lab.drop("dropped-1", Sentinel.READY)
    lab.put("dropped-1", "daylily_work.yaml", f"dy-r: {command}\n".encode())
    found = discovery(lab)
    (damaged,) = found().damaged
    assert str(damaged.error) == (
        "daylily_work.yaml, pipeline: is missing: what it says is left to the engine of old;"
        " to have it run here, name one of fastq-qc"
    )
    for _ in range(20):
        lab.clock.advance(LOOK_EVERY)
        assert found() == Discovered()
    assert lab.ours("dropped-1") == {}
    lab.put("dropped-1", "daylily_work.yaml", b"pipeline: fastq-qc\n")
    lab.clock.advance(LOOK_EVERY)
    assert names(found()) == ["dropped-1"]


def test_a_command_of_old_that_is_a_pipeline_of_ours_is_run(lab: Lab) -> None:
    """A single word without options says no more than the pipeline's name does."""
    lab.drop("dropped-1", Sentinel.READY)
    lab.put("dropped-1", "daylily_work.yaml", b"dy-r: fastq_qc\n")
    lab.app().cycle()
    assert lab.started() == ["dropped-1/1"]


@pytest.mark.parametrize("sentinel", [Sentinel.COMPLETE, Sentinel.ERROR, Sentinel.IN_PROGRESS])
def test_what_the_old_engine_has_run_is_registered(lab: Lab, sentinel: Sentinel) -> None:
    """D-13: whatever it ran, it is there for all to see."""
    lab.drop("dropped-1", Sentinel.READY, sentinel)
    lab.put("dropped-1", "daylily_work.yaml", b"dy-r: germline_wgs_snv -p -j 20\n")
    (workset,) = discovery(lab)().registered
    assert (workset.state, workset.manifest.pipeline) == (state_shown({sentinel}), "old-engine")


def test_nested_sentinels_are_nobodys_d20(lab: Lab) -> None:
    """D-20: a complete among the results, or a name that only ends like one, says nothing."""
    lab.drop("dropped-1", Sentinel.READY)
    lab.put("dropped-1", "results/x/daylily.complete", b"")
    lab.put("dropped-1", "xdaylily.complete", b"")
    lab.drop("dropped-2")
    lab.put("dropped-2", "results/daylily.ready", b"")
    (workset,) = discovery(lab)().registered
    assert (workset.workset_id, workset.state) == ("dropped-1", State.READY)


def test_a_sentinel_that_cannot_be_decoded_stops_nobody_d21(lab: Lab) -> None:
    """D-21: its presence is what counts, not its body."""
    lab.drop("dropped-1", Sentinel.READY, body=b"\xff\xfe")
    lab.drop("dropped-2", Sentinel.READY)
    assert names(discovery(lab)()) == ["dropped-1", "dropped-2"]


def test_a_sentinel_that_vanishes_while_we_look_stops_nobody_d21(lab: Lab) -> None:
    """D-21: deleted between listing and reading, it is simply not there."""
    lab.drop("dropped-1", Sentinel.READY)
    lab.drop("dropped-2", Sentinel.READY)
    vanishes = Meanwhile("objects.open", lambda: lab.remove("dropped-1", Sentinel.READY))
    found = discovery(lab, vanishes)()
    assert names(found) == ["dropped-2"]
    assert found.damaged == ()


def test_files_that_vanish_while_we_read_stop_nobody_d21(lab: Lab) -> None:
    """D-21: the folder is damaged at that moment; the others are taken."""
    lab.drop("dropped-1", Sentinel.READY)
    lab.drop("dropped-2", Sentinel.READY)
    vanishes = Meanwhile("objects.open", lambda: lab.remove("dropped-1", "daylily_work.yaml"), nth=2)
    found = discovery(lab, vanishes)()
    assert names(found) == ["dropped-2"]
    assert [damaged.workset_id for damaged in found.damaged] == ["dropped-1"]


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("stage_samples.tsv", b"RUN_ID\tSAMPLE_ID\nonly\tthis\n", "stage_samples.tsv"),
        ("stage_samples.tsv", b"\xff\xfe\x00", "stage_samples.tsv"),
        ("daylily_work.yaml", b"a: [1, 2", "daylily_work.yaml"),
        ("daylily_work.yaml", b"- a list\n", "daylily_work.yaml"),
        ("daylily_work.yaml", b"priority: low\n", "daylily_work.yaml"),
    ],
)
def test_one_damaged_folder_stops_nobody_d21(lab: Lab, name: str, content: bytes, place: str) -> None:
    """D-21: it is told where the damage is, at once, when that changes, and every hour."""
    for workset_id in ("bad-1", "good-1"):
        lab.drop(workset_id, Sentinel.READY)
    lab.put("bad-1", name, content)
    app = lab.app()
    for wait in (timedelta(0), TELL_AGAIN):
        lab.clock.advance(wait)
        report = app.cycle()
        assert lab.started() == ["good-1/1"]
        assert len(report.faults) == 1
        assert report.faults[0].startswith(f"bad-1: {place}")
        lab.clock.advance(LOOK_EVERY)
        assert app.cycle().faults == []
    lab.put("bad-1", name, b"\0")
    lab.clock.advance(LOOK_EVERY)
    assert len(app.cycle().faults) == 1
    lab.drop("bad-1", Sentinel.READY)
    lab.clock.advance(LOOK_EVERY)
    assert app.cycle().faults == []
    assert lab.started() == ["good-1/1", "bad-1/1"]


def test_missing_reads_are_told(lab: Lab) -> None:
    """A sheet that names files which are not there is damage, too."""
    lab.drop("dropped-1", Sentinel.READY)
    lab.remove("dropped-1", "sample_data/HG002_R2.fastq.gz")
    (damaged,) = discovery(lab)().damaged
    assert "HG002_R2.fastq.gz" in str(damaged.error)


@pytest.mark.parametrize("name", ["a b", "ab", "-x-", "naïve", "x" * 65, ".hidden", "..x", "a;$(b)"])
def test_a_name_that_is_no_id_is_told_and_passed_over_d36(lab: Lab, name: str) -> None:
    """D-36: it never becomes part of a path, and stops nobody; who waits for it is told."""
    lab.objects.put(f"{PREFIX}{name}/stage_samples.tsv", SHEET.encode())
    lab.drop("dropped-1", Sentinel.READY)
    looking = discovery(lab)
    found = looking()
    assert (names(found), found.damaged) == (["dropped-1"], ())
    lab.objects.put(f"{PREFIX}{name}/{Sentinel.READY}", READS)
    lab.clock.advance(LOOK_EVERY)
    (damaged,) = looking().damaged
    assert str(damaged).startswith(f"{name!r}: the directory's name: is not one of a workset")
    lab.clock.advance(LOOK_EVERY)
    assert looking() == Discovered()


def test_a_bug_that_one_folder_brings_to_light_stops_nobody_d21(lab: Lab) -> None:
    """It is told like damage, and the others are taken."""

    def trip() -> None:
        raise ZeroDivisionError("of all things")

    lab.drop("dropped-1", Sentinel.READY)
    lab.drop("dropped-2", Sentinel.READY)
    lab.settings = evolve(lab.settings, workers=1)
    found = discovery(lab, Meanwhile("store.add", trip))()
    assert names(found) == ["dropped-2"]
    assert [str(each) for each in found.damaged] == [
        "dropped-1: the directory: ZeroDivisionError: of all things"
    ]


def test_a_flood_of_folders_keeps_nobody_waiting(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look takes so many of them, the next goes on."""
    monkeypatch.setattr("daylily.application.discover_worksets.MOST_TAKEN", 2)
    lab.settings = evolve(lab.settings, workers=2)
    for number in range(5):
        lab.drop(f"dropped-{number}", Sentinel.READY)
    looking = discovery(lab)
    assert [len(names(looking())) for _ in range(4)] == [2, 2, 1, 0]


def test_many_faults_of_one_folder_are_told_in_short(lab: Lab) -> None:
    """A line of a log has an end."""
    many = "".join(f"- {{sample_id: s{n}, fastq_r1: s{n}.fastq}}\n" for n in range(100))
    lab.drop("dropped-1", Sentinel.READY)
    lab.remove("dropped-1", "stage_samples.tsv")
    lab.put("dropped-1", "daylily_work.yaml", f"pipeline: fastq-qc\nsamples:\n{many}".encode())
    (damaged,) = discovery(lab)().damaged
    assert str(damaged).startswith("dropped-1: s0.fastq: is not in the workset's directory")
    assert str(damaged).endswith("; and 95 more")


def test_the_oldest_comes_first_across_both_sources(lab: Lab) -> None:
    """A folder is as old as its ready, whatever it is called, and whenever a monitor found it."""
    lab.drop("z-oldest", Sentinel.READY)
    lab.clock.advance(timedelta(minutes=1))
    submitted = lab.submit("second").workset_id
    lab.clock.advance(timedelta(minutes=1))
    lab.drop("a-third", Sentinel.READY, body=b"1999-12-31T00:00:00Z")
    lab.clock.advance(timedelta(minutes=1))
    urgent = lab.submit("last", priority="urgent").workset_id
    lab.clock.advance(timedelta(hours=1))
    discovery(lab)()
    assert [each.workset_id for each in lab.queued()] == [urgent, "z-oldest", submitted, "a-third"]


def test_a_plan_tells_of_folders_and_touches_none(lab: Lab) -> None:
    """In the order in which they would be launched, beside what was submitted; and what is amiss."""
    lost = lab.submit("lost").workset_id
    lab.store = InMemoryStateStore()
    lab.drop("z-oldest", Sentinel.READY)
    lab.drop("done-1", Sentinel.COMPLETE)
    lab.drop("broken", Sentinel.READY)
    lab.put("broken", "daylily_work.yaml", b"- [")
    lab.drop("unready")
    lab.objects.put(f"{PREFIX}a b/{Sentinel.READY}", b"")
    lab.clock.advance(timedelta(minutes=1))
    submitted = lab.submit("second").workset_id
    lab.objects.put(f"{PREFIX}no workset/notes.txt", b"")
    before = lab.worksets(), list(every(lambda cursor: lab.objects.list("", cursor=cursor)))
    report = CycleReport()
    plan = [(step.workset.workset_id, step.action) for step in lab.app().cycle.plan(report)]
    assert plan == [
        ("done-1", "take over from its directory as complete"),
        (lost, "launch"),
        ("z-oldest", "launch"),
        (submitted, "wait for a free slot: 2 of 2 are taken"),
    ]
    assert [fault.partition(":")[0] for fault in report.faults] == ["'a b'", "broken"]
    assert len(list(lab.app().cycle.plan())) == len(plan)
    assert before == (lab.worksets(), list(every(lambda cursor: lab.objects.list("", cursor=cursor))))


def test_a_clock_that_was_put_back_hides_no_folder(lab: Lab) -> None:
    """What waits for a time to come would wait for days."""
    looking = discovery(lab)
    lab.drop("early", Sentinel.READY)
    lab.drop("unready")
    assert names(looking()) == ["early"]
    lab.clock.put_back(timedelta(days=2))
    lab.drop("late", Sentinel.READY)
    lab.put("unready", Sentinel.READY, b"")
    assert names(looking()) == ["late", "unready"]


def test_a_folder_that_cannot_be_read_stops_nobody(lab: Lab) -> None:
    """It is told, and the others are taken; it is taken when it can be read."""
    for number in range(3):
        lab.drop(f"dropped-{number}", Sentinel.READY)
    found = discovery(lab, Unreadable("dropped-0"))()
    assert names(found) == ["dropped-1", "dropped-2"]
    assert [str(error) for error in found.outages] == [f"{PREFIX}dropped-0/: permission denied"]
    report = lab.app(Unreadable("dropped-0")).cycle()
    assert report.faults == [f"discovery: {PREFIX}dropped-0/: permission denied"]
    assert names(discovery(lab)()) == ["dropped-0"]


def test_folders_that_cannot_be_read_do_not_hide_those_behind_them(lab: Lab) -> None:
    """As many as end a look: they come last the next time."""
    bad = [f"bad-{number}" for number in range(OUTAGES)]
    for workset_id in [*bad, "good-1"]:
        lab.drop(workset_id, Sentinel.READY)
    found = discovery(lab, Unreadable(*bad))
    assert names(found()) == []
    assert names(found()) == ["good-1"]


def test_a_store_that_does_not_answer_is_not_asked_for_each_folder(lab: Lab) -> None:
    """After some outages in a row the look ends; what was found before is not lost."""
    for number in range(20):
        lab.drop(f"dropped-{number:02}", Sentinel.READY)
    down = FaultInjector(5, Blow.OUTAGE_BEFORE, length=1000, on="store.add")
    found = discovery(lab, down, FaultInjector(5, Blow.OUTAGE_BEFORE, length=1000, on="store.get"))()
    assert len(found.registered) == 4
    assert len(found.outages) == OUTAGES


def test_a_listing_that_fails_is_made_again(lab: Lab) -> None:
    """Whoever could not list has seen nothing, and must not think that nothing is new."""
    lab.drop("dropped-1", Sentinel.READY)
    found = discovery(lab, FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.entries"))
    with pytest.raises(UnavailableError):
        found()
    assert names(found()) == ["dropped-1"]


def test_a_pipeline_that_nobody_could_name_needs_a_person_and_blocks_nobody(lab: Lab) -> None:
    """
    Its files cannot be rendered, so that debt can never be paid.

    Owed for ever, it would have the workset locked again and again, in a slot of its own.
    """
    lab.drop("bad-1", Sentinel.READY)
    lab.put("bad-1", "daylily_work.yaml", b"pipeline: 'rm -rf; x'\npriority: urgent\n")
    lab.drop("good-1", Sentinel.READY)
    app = lab.app()
    for _ in range(3):
        app.cycle()
        lab.clock.advance(lab.patience())
    assert lab.started() == ["good-1/1"]
    assert (lab.get("bad-1").state, lab.get("bad-1").debts) == (State.ERROR, ())


def test_threads_may_look_at_once(lab: Lab) -> None:
    """As where several clients of a server ask what is ready: one looks after the other."""
    app = lab.app()
    found: list[str] = []

    def look() -> None:
        found.extend(each.workset_id for each in app.discover().registered)

    class Meddled(Resting):
        def over(self, name: str, at: datetime) -> bool:
            if not others:
                others.append(Thread(target=look))
                others[0].start()
                others[0].join(0.1)  # one who waits for us is let be
            return super().over(name, at)

    others: list[Thread] = []
    app.discover._looks = Meddled()
    for name in ("one", "two", "three"):
        lab.drop(name, Sentinel.READY)
    look()
    others[0].join()
    assert sorted(found) == ["one", "three", "two"]
