"""Store, directories and engines: what differs is found, judged by the rules, and mended by them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, Lab, Meanwhile, Unreadable

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.application import check_ledger
from daylily.application.check_ledger import Seen
from daylily.application.mend_ledger import Outcome
from daylily.application.others import LOCK_TIMEOUT
from daylily.bootstrap import App
from daylily.config import Settings
from daylily.domain.debts import WithdrawSentinel
from daylily.domain.divergences import Divergence, DivergenceKind, Remedy, Side
from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel, SentinelBody
from daylily.domain.workset import DEBT_GRACE, Workset
from daylily.ports.compute import Phase
from daylily.ports.paging import Page
from daylily.ports.state_store import Unreadable as UnreadableRow
from daylily.testing.faults import Blow, FaultInjector
from daylily.testing.samples import NOON


@pytest.fixture
def lab() -> Lab:
    """A world in memory, with many slots."""
    return Lab(settings=Settings(store="memory", engine="memory", max_concurrent=20))


def only(app: App) -> Divergence:
    """Return the one thing that differs."""
    (found,) = app.check()
    return found


def judged(found: Divergence) -> tuple[DivergenceKind, Side, Remedy]:
    """Return what was found, who is right, and what is to be done."""
    return found.kind, found.wins, found.remedy


def mended(lab: Lab) -> None:
    """Mend all, and assert that nothing differs any more."""
    outcomes = [each.outcome for each in lab.app().mend()]
    assert set(outcomes) == {Outcome.MENDED}
    assert list(lab.app().check()) == []


def complete(lab: Lab) -> str:
    """Return the id of a workset that is complete."""
    workset_id = lab.submit().workset_id
    lab.app().cycle()
    lab.compute.end(f"{workset_id}/1")
    lab.app().cycle()
    return workset_id


def test_all_agree(lab: Lab) -> None:
    """In every state that a workset rests in; and a check changes nothing and asks for no directory."""
    for step in (complete, running, failed, waiting, canceled, archived):
        step(lab)
    before = lab.worksets()
    counted = FaultInjector()
    assert list(lab.app(counted).check()) == []
    assert lab.worksets() == before
    assert set(counted.calls) <= {"objects.list", "store.scan", "compute.status", "store.known"}


def running(lab: Lab) -> str:
    """Return the id of a workset that runs."""
    workset_id = lab.submit().workset_id
    lab.app().cycle()
    return workset_id


def failed(lab: Lab) -> str:
    """Return the id of a workset that has ended in error."""
    workset_id = running(lab)
    lab.compute.end(f"{workset_id}/1", exit_code=1)
    lab.app().cycle()
    return workset_id


def waiting(lab: Lab) -> str:
    """Return the id of a workset that is ready."""
    return lab.submit().workset_id


def canceled(lab: Lab) -> str:
    """Return the id of a workset that was canceled."""
    workset_id = waiting(lab)
    lab.app().cancel(ADA, workset_id)
    return workset_id


def archived(lab: Lab) -> str:
    """Return the id of a workset that was put away."""
    workset_id = complete(lab)
    lab.app().mend.ledger.update(workset_id, lambda each: each.archive(by="ada", at=lab.clock()))
    return workset_id


@pytest.mark.parametrize("step", [complete, failed, waiting, canceled])
def test_sentinels_that_are_gone(lab: Lab, step: Callable[[Lab], str]) -> None:
    """The store is the truth about what we did."""
    workset_id = step(lab)
    for sentinel in lab.ours(workset_id):
        lab.remove(workset_id, sentinel)
    found = only(lab.app())
    assert judged(found) == (DivergenceKind.SENTINELS, Side.STORE, Remedy.SHOW)
    assert found.sentinels == "no sentinel"
    mended(lab)
    lab.check()


def test_a_directory_that_is_gone(lab: Lab) -> None:
    """It is written anew, but for what customers had put there."""
    workset_id = complete(lab)
    for info in lab.objects.list(f"worksets/{workset_id}/").items:
        lab.objects.delete(info.key)
    found = only(lab.app())
    assert judged(found) == (DivergenceKind.NO_DIRECTORY, Side.STORE, Remedy.SHOW)
    mended(lab)


def test_files_that_an_engine_needs(lab: Lab) -> None:
    """Of what may yet be run; nobody needs the files of what is over."""
    over, ready = complete(lab), waiting(lab)
    for workset_id in (over, ready):
        lab.remove(workset_id, "stage_samples.tsv")
    found = only(lab.app())
    assert found.workset_id == ready
    assert judged(found) == (DivergenceKind.DAMAGED_DIRECTORY, Side.STORE, Remedy.SHOW)
    mended(lab)


def test_a_fact_of_others(lab: Lab) -> None:
    """What an old monitor has completed is complete."""
    workset_id = waiting(lab)
    lab.put(workset_id, Sentinel.COMPLETE, b"2025-06-02T12:00:00Z\tby an old monitor")
    found = only(lab.app())
    assert judged(found) == (DivergenceKind.SENTINELS, Side.SENTINELS, Remedy.TAKE_OVER)
    assert "becomes complete" in found.why
    mended(lab)
    assert lab.get(workset_id).state is State.COMPLETE
    # From then on their sentinels are known, and cost no look.
    counted = FaultInjector()
    assert list(lab.app(counted).check()) == []
    assert "objects.browse" not in counted.calls


def test_others_may_be_at_work(lab: Lab) -> None:
    """What another system runs, and what it left beside ours, is no divergence."""
    lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS)
    lab.app().cycle()
    assert lab.get("dropped-1").foreign_run
    lab.put(complete(lab), Sentinel.ERROR, b"2025-06-02T12:00:00Z\tby an old monitor, late")
    assert list(lab.app().check()) == []


def test_a_store_that_is_behind(lab: Lab) -> None:
    """It was restored from a backup of last night; sentinels of ours say what was done since."""
    workset_id = waiting(lab)
    backup = lab.get(workset_id)
    body = evolve(SentinelBody(NOON, "attempt 1 complete"), sequence=backup.sequence + 3)
    lab.put(workset_id, Sentinel.COMPLETE, body.render().encode())
    found = only(lab.app())
    assert judged(found) == (DivergenceKind.STORE_BEHIND, Side.SENTINELS, Remedy.TAKE_OVER)
    mended(lab)
    assert lab.get(workset_id).state is State.COMPLETE


@pytest.mark.parametrize("mends", [False, True])
@pytest.mark.parametrize(
    ("backup", "lost"),
    [
        ("ready", "running"),
        ("ready", "complete"),
        ("ready", "retrying"),
        ("ready", "retried"),
        ("running", "complete"),
        ("running", "retried"),
        ("retrying", "retried"),
    ],
)
def test_a_store_that_is_put_back_while_jobs_run(lab: Lab, backup: str, lost: str, mends: bool) -> None:
    """Whatever was done since is gone on with: nothing runs twice, or is waited for in vain."""
    workset_id = lab.submit().workset_id
    app, past = lab.app(), dict[str, Workset]()

    def pass_on(exit_code: int | None = None, cycles: int = 1) -> None:
        if exit_code is not None:
            lab.compute.end(lab.started()[-1], exit_code=exit_code)
        for _ in range(cycles):
            app.cycle()
            lab.clock.advance(timedelta(minutes=10))

    steps: dict[str, Callable[[], object]] = {
        "ready": lambda: None,
        "running": pass_on,
        "complete" if lost == "complete" else "retrying": lambda: pass_on(
            0 if lost == "complete" else 75
        ),
        "retried": lambda: pass_on(cycles=3),
    }
    for name, step in steps.items():
        step()
        past[name] = lab.get(workset_id)
        if name == lost:
            break
    lab.store = InMemoryStateStore()
    lab.store.add(past[backup])
    if mends:
        assert {each.outcome for each in lab.app().mend()} <= {Outcome.MENDED}
    app = lab.app()
    for _ in range(8):
        pass_on()
        for key, status in lab.compute.all().items():
            if not status.ended:
                lab.compute.end(key)
    assert lab.get(workset_id).state is State.COMPLETE
    assert lab.started() == [f"{workset_id}/{n}" for n in range(1, len(lab.started()) + 1)]
    assert len(lab.started()) == (1 if lost in {"running", "complete"} else 2)
    numbers = [each.number for each in lab.get(workset_id).attempts]
    assert numbers == list(range(1, len(numbers) + 1))
    lab.check()


@pytest.mark.parametrize("mends", [False, True])
@pytest.mark.parametrize("state", [State.COMPLETE, State.ERROR, State.CANCELED])
def test_a_store_that_is_put_back_after_an_engine_has_forgotten(
    lab: Lab, state: State, mends: bool
) -> None:
    """What is over does not run again: the directory tells how it ended, when nobody else can."""
    workset_id = running(lab)
    backup = lab.get(workset_id)
    if state is State.CANCELED:
        lab.app().cancel(ADA, workset_id)
    else:
        lab.compute.end(f"{workset_id}/1", exit_code=int(state is State.ERROR))
    lab.app().cycle()
    told = len(lab.sent())
    lab.store, lab.compute = InMemoryStateStore(), InMemoryCompute(lab.clock, duration=None)
    lab.store.add(backup)
    if mends:
        list(lab.app().mend())
    for _ in range(6):
        lab.app().cycle()
        lab.clock.advance(timedelta(minutes=5))
    workset = lab.get(workset_id)
    assert lab.started() == []
    assert (workset.state, workset.running) == (state, None)
    assert len(workset.attempts) == 1
    assert len(lab.sent()) == told or state is State.CANCELED


@pytest.mark.parametrize("state", [State.COMPLETE, State.CANCELED])
def test_no_forged_mark_undoes_what_is_over(lab: Lab, state: State) -> None:
    """Not even where somebody has the ledger mended, or a directory shown by force."""
    workset_id = complete(lab) if state is State.COMPLETE else lab.submit().workset_id
    if state is State.CANCELED:
        lab.app().cancel(ADA, workset_id)
    lab.remove(workset_id, Sentinel.COMPLETE if state is State.COMPLETE else Sentinel.IGNORE)
    lab.put(workset_id, Sentinel.READY, b"2025-06-02T12:00:00Z\tretry (daylily #50)")
    started = lab.started()
    list(lab.app().mend())
    lab.app().show(workset_id)
    lab.app().cycle()
    assert (lab.get(workset_id).state, lab.started()) == (state, started)


def test_debts(lab: Lab) -> None:
    """Overdue ones are told; fresh ones are about to be paid by who owes them."""
    workset_id = waiting(lab)
    lab.store.save(lab.get(workset_id).ignore(by="ada", at=lab.clock()))
    assert list(lab.app().check()) == []
    assert list(lab.app().check.judge(workset_id)) == []
    lab.clock.advance(DEBT_GRACE)
    found = only(lab.app())
    assert judged(found) == (DivergenceKind.DEBTS_OVERDUE, Side.STORE, Remedy.PAY)
    assert "PostSentinel" in found.why
    mended(lab)


@pytest.mark.parametrize(
    ("happens", "kind"),
    [
        (lambda lab, key: lab.compute.end(key), DivergenceKind.ENGINE_ENDED),
        (
            lambda lab, _: setattr(lab, "compute", InMemoryCompute(lab.clock)),
            DivergenceKind.ENGINE_UNKNOWN,
        ),
    ],
)
def test_what_the_engine_knows(
    lab: Lab, happens: Callable[[Lab, str], object], kind: DivergenceKind
) -> None:
    """How a job ended, or that there is none."""
    workset_id = running(lab)
    happens(lab, f"{workset_id}/1")
    found = only(lab.app())
    assert judged(found) == (kind, Side.ENGINE, Remedy.RECORD)
    mended(lab)
    assert lab.get(workset_id).running is None


def test_a_launch_that_nobody_recorded(lab: Lab) -> None:
    """The launcher died with the job at the engine; its lock has run out."""
    workset_id = waiting(lab)
    lab.app(FaultInjector(1, Blow.OUTAGE_AFTER, on="compute.submit")).cycle()
    assert lab.get(workset_id).state is State.LOCKED
    assert list(lab.app().check()) == []
    lab.clock.advance(lab.settings.lock_timeout + timedelta(seconds=1))
    found = only(lab.app())
    assert judged(found) == (DivergenceKind.ENGINE_RUNNING, Side.ENGINE, Remedy.LET_GO)
    mended(lab)
    assert lab.get(workset_id).running is not None
    assert lab.started() == [f"{workset_id}/1"]


def test_an_engine_that_is_silent(lab: Lab) -> None:
    """Nothing is made up: a person is told."""
    running(lab)
    lab.compute.go_down()
    found = only(lab.app())
    assert judged(found) == (DivergenceKind.ENGINE_SILENT, Side.NOBODY, Remedy.PERSON)
    assert [each.outcome for each in lab.app().mend()] == [Outcome.LEFT]


def test_engines_are_asked_for_many_at_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches."""
    monkeypatch.setattr(check_ledger, "BATCH", 2)
    for number in range(5):
        lab.submit(f"number {number}")
    lab.app().cycle()
    counted = FaultInjector()
    told: list[Seen] = []
    assert list(lab.app(counted).check(told.append)) == []
    assert counted.calls.count("compute.status") == 3
    assert told[-1] == Seen(directories=5, worksets=5)


def test_dropped_and_lost(lab: Lab) -> None:
    """A directory that somebody dropped is registered; one that bears our marks is restored."""
    lost = complete(lab)
    before = lab.get(lost)
    lab.drop("dropped-1", Sentinel.READY)
    lab.put("notes", "readme.txt", b"no workset")
    lab.store = InMemoryStateStore()
    found = {each.workset_id: judged(each) for each in lab.app().check()}
    assert found == {
        "dropped-1": (DivergenceKind.NOT_IN_STORE, Side.SENTINELS, Remedy.REGISTER),
        lost: (DivergenceKind.NOT_IN_STORE, Side.SENTINELS, Remedy.RESTORE),
    }
    mended(lab)
    after = lab.get(lost)
    assert (after.state, after.customer_id, after.name) == (State.COMPLETE, "acme", before.name)
    assert list(after.manifest.files()) == list(before.manifest.files())
    assert after.manifest.pipeline == before.manifest.pipeline
    assert (after.priority, after.submitted_by) == (before.priority, before.submitted_by)
    assert lab.get("dropped-1").state is State.READY


@pytest.mark.parametrize("ours", [True, False])
def test_a_directory_that_says_nothing(lab: Lab, ours: bool) -> None:
    """Without the file that says what is to be run, nothing is promised: a person puts it there."""
    if ours:
        lab.remove(complete(lab), "daylily_work.yaml")
    else:
        lab.put("dropped-1", Sentinel.READY, b"")
    lab.store = InMemoryStateStore()
    found = only(lab.app())
    assert judged(found) == (DivergenceKind.NOT_IN_STORE, Side.NOBODY, Remedy.PERSON)
    assert "daylily_work.yaml" in found.advice
    for dry_run in (True, False):
        assert [each.outcome for each in lab.app().mend(dry_run=dry_run)] == [Outcome.LEFT]


def test_a_store_made_anew_while_jobs_run(lab: Lab) -> None:
    """They are found at the engine, and end as they end: nothing is launched twice."""
    workset_id = running(lab)
    lab.objects.put(f"worksets/{workset_id}/results/attempt-1/part.txt", b"half")
    lab.store = InMemoryStateStore()
    assert [each.outcome for each in lab.app().mend(trust=Side.SENTINELS)] == [Outcome.MENDED]
    lab.app().cycle()
    assert lab.started() == [f"{workset_id}/1"]
    lab.compute.end(f"{workset_id}/1")
    lab.app().cycle()
    assert lab.get(workset_id).state is State.COMPLETE
    lab.check()


def test_what_another_installation_runs_is_not_run_beside_it(lab: Lab) -> None:
    """Its bucket was copied, with all that ran: here no engine knows of it, and a person decides."""
    workset_id = running(lab)
    lab.store, lab.compute = InMemoryStateStore(), InMemoryCompute(lab.clock, duration=None)
    for _ in range(6):
        lab.app().cycle()
        lab.clock.advance(timedelta(minutes=5))
    workset = lab.get(workset_id)
    assert (workset.state, lab.started()) == (State.ERROR, [])
    assert workset.failure is not None
    assert "another installation" in workset.failure.message
    lab.app().retry(ADA, workset_id)
    lab.app().cycle()
    assert lab.started() == [f"{workset_id}/2"]


@pytest.mark.parametrize("theirs", [Sentinel.IGNORE, Sentinel.COMPLETE, Sentinel.ERROR])
def test_a_store_made_anew_while_others_cover_what_runs(lab: Lab, theirs: Sentinel) -> None:
    """What others put there meanwhile ends no job of ours: the engine is asked before the next."""
    workset_id = running(lab)
    lab.put(workset_id, theirs, b"by hand")
    lab.store = InMemoryStateStore()
    lab.app().cycle()
    assert lab.get(workset_id).attempt_key == f"{workset_id}/1"
    lab.remove(workset_id, theirs)
    for _ in range(6):
        lab.clock.advance(timedelta(minutes=5))
        lab.app().cycle()
        phases = [status.phase for status in lab.compute.all().values()]
        assert phases.count(Phase.RUNNING) <= 1
    assert lab.started()[0] == f"{workset_id}/1"


def test_a_dropped_one_that_another_system_is_about_to_run(lab: Lab) -> None:
    """It is not ours to take."""
    lab.drop("dropped-1", Sentinel.LOCK)
    (left,) = lab.app().mend()
    assert (left.outcome, left.divergence.remedy) == (Outcome.FAILED, Remedy.REGISTER)
    assert "another system" in left.text


def test_what_is_to_be_tried_again_may_wait_for_another_system(lab: Lab) -> None:
    """Until its lock has run out, or it has run it: mending before would undo what a hand wished."""
    workset_id = failed(lab)
    lab.remove(workset_id, Sentinel.ERROR)
    lab.put(workset_id, Sentinel.READY, b"by hand")
    lab.put(workset_id, Sentinel.LOCK, b"2025-06-02T12:00:00Z")

    assert list(lab.app().mend()) == []
    lab.clock.advance(LOCK_TIMEOUT)
    assert judged(only(lab.app())) == (DivergenceKind.SENTINELS, Side.SENTINELS, Remedy.TAKE_OVER)
    mended(lab)
    assert lab.get(workset_id).state is State.READY


def test_a_rebuild_leaves_the_trusted_side_alone(lab: Lab) -> None:
    """From the store, no fact is taken over; from the directories, none is written."""
    gone, told = complete(lab), waiting(lab)
    lab.remove(gone, Sentinel.COMPLETE)
    lab.put(told, Sentinel.COMPLETE, b"2025-06-02T12:00:00Z\tby an old monitor")
    dry = {each.divergence.workset_id: each.outcome for each in lab.app().mend(dry_run=True)}
    assert dry == {gone: Outcome.WOULD_MEND, told: Outcome.WOULD_MEND}
    from_store = lab.app().mend(trust=Side.STORE)
    assert {each.divergence.workset_id: each.outcome for each in from_store} == {
        gone: Outcome.MENDED,
        told: Outcome.LEFT,
    }
    assert lab.get(told).state is State.READY
    lab.remove(gone, Sentinel.COMPLETE)
    from_directories = lab.app().mend(trust=Side.SENTINELS)
    assert {each.divergence.workset_id: each.outcome for each in from_directories} == {
        gone: Outcome.LEFT,
        told: Outcome.MENDED,
    }


def test_a_directory_that_cannot_be_read(lab: Lab) -> None:
    """It hides no other, whether the store knows it or not; the rest of the check goes on."""
    known, dropped = waiting(lab), "dropped-1"
    lab.remove(known, Sentinel.READY)
    lab.drop(dropped, Sentinel.READY)
    found = {each.workset_id: each for each in lab.app(Unreadable(known, dropped)).check()}
    assert judged(found[known]) == (DivergenceKind.DAMAGED_DIRECTORY, Side.NOBODY, Remedy.PERSON)
    assert found.keys() == {known, dropped}


def test_a_row_that_cannot_be_read(lab: Lab) -> None:
    """It is told with its error, and no directory of it is taken for a lost one."""
    workset_id = complete(lab)

    class Garbled(InMemoryStateStore):
        """A store in which one row makes no sense."""

        def scan(
            self, *, cursor: str | None = None, limit: int = 1000
        ) -> Page[Workset | UnreadableRow]:
            """Return the row as it is."""
            return Page((UnreadableRow(workset_id, "record of version 99"),))

    check = evolve(lab.app().check, store=Garbled())
    (found,) = check()
    assert judged(found) == (DivergenceKind.UNREADABLE_ROW, Side.NOBODY, Remedy.PERSON)
    assert "version 99" in found.store


def test_the_world_goes_on_meanwhile(lab: Lab) -> None:
    """A monitor records an end between two looks: it is no divergence."""
    workset_id = running(lab)
    lab.compute.end(f"{workset_id}/1")
    meanwhile = Meanwhile("compute.status", lambda: lab.app().cycle())
    assert list(lab.app(meanwhile).check()) == []


def test_what_is_gone_between_two_looks(lab: Lab) -> None:
    """Rows are never deleted by us; somebody else may."""
    workset_id = waiting(lab)
    lab.remove(workset_id, Sentinel.READY)
    lost = InMemoryStateStore()
    check = lab.app().check
    assert list(evolve(check, store=lost).judge(workset_id)) == []
    runs = running(lab)
    seen = lab.get(runs)
    lab.compute.end(f"{runs}/1")
    assert list(evolve(check, store=lost)._ask(None, [seen])) == []


def test_an_outage_is_no_agreement(lab: Lab) -> None:
    """Neither of the store nor of the directories."""
    waiting(lab)
    for name in ("store.scan", "objects.list"):
        with pytest.raises(UnavailableError):
            list(lab.app(FaultInjector(1, Blow.OUTAGE_BEFORE, on=name)).check())


def test_a_remedy_that_fails_does_not_stop_the_others(lab: Lab) -> None:
    """It is told, and the next is mended."""
    for name in ("first", "second"):
        lab.remove(lab.submit(name).workset_id, Sentinel.READY)
    struck = FaultInjector(1, Blow.OUTAGE_BEFORE, length=1, on="objects.put")
    outcomes = [each.outcome for each in lab.app(struck).mend()]
    assert sorted(outcomes) == [Outcome.FAILED, Outcome.MENDED]


def test_what_a_mending_brings_to_light(lab: Lab) -> None:
    """What is mended is mended whole, though a workset had more than one thing amiss."""
    workset_id = complete(lab)
    lab.remove(workset_id, Sentinel.COMPLETE)
    owing = evolve(lab.get(workset_id), debts=(WithdrawSentinel(Sentinel.LOCK, 1),))
    lab.store.save(owing)
    lab.clock.advance(DEBT_GRACE)
    assert only(lab.app()).kind is DivergenceKind.DEBTS_OVERDUE
    mended(lab)


def test_an_id_that_is_none(lab: Lab) -> None:
    """No directory can be named after it, and a person decides; the others are checked all the same."""
    lab.store.add(evolve(lab.get(waiting(lab)), workset_id="odd one/with spaces", version=0))
    lab.remove(other := waiting(lab), Sentinel.READY)
    found = {each.workset_id: judged(each) for each in lab.app().check()}
    assert found == {
        "odd one/with spaces": (DivergenceKind.UNREADABLE_ROW, Side.NOBODY, Remedy.PERSON),
        other: (DivergenceKind.SENTINELS, Side.STORE, Remedy.SHOW),
    }


def test_what_stays_as_it_is(lab: Lab) -> None:
    """It is not told as mended: a debt, say, that nobody takes."""
    workset_id = waiting(lab)
    lab.store.save(lab.get(workset_id).ignore(by="ada", at=lab.clock()))
    lab.clock.advance(DEBT_GRACE)
    away = FaultInjector(1, Blow.OUTAGE_BEFORE, length=99, on="objects.put")
    (left,) = lab.app(away).mend()
    assert left.outcome is Outcome.FAILED
    assert "still differs: debts_overdue" in left.text
