"""Directories that are mended because a person asks: what is ours is shown, facts are taken over."""

import pytest
from tests.unit.application.lab import ADA, OUR_FILES, Lab, Meanwhile, Unreadable

from daylily.domain.errors import ConcurrentUpdateError, NotFoundError, UnavailableError
from daylily.domain.lifecycle import Priority, State
from daylily.domain.sentinels import Sentinel, projection, state_shown
from daylily.domain.workset import Workset
from daylily.testing.faults import Blow, FaultInjector

OLD_RUN = (Sentinel.LOCK, Sentinel.IN_PROGRESS, Sentinel.ERROR)


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


@pytest.fixture
def workset_id(lab: Lab) -> str:
    """The id of a workset that is ready."""
    return lab.submit().workset_id


def old_run(lab: Lab, workset_id: str) -> None:
    """Leave what a monitor of old leaves of a run that failed."""
    for sentinel in OLD_RUN:
        lab.put(workset_id, sentinel, b"2025-06-01T12:00:00Z\tby an old monitor")


def shown(lab: Lab, workset_id: str) -> State | None:
    """Return the state that a directory shows."""
    return state_shown(lab.folder(workset_id).sentinels.keys())


class TestOne:
    """By force."""

    def test_files_and_sentinels_come_back(self, lab: Lab, workset_id: str) -> None:
        """Somebody removed the directory."""
        for info in lab.objects.list(f"worksets/{workset_id}/").items:
            lab.objects.delete(info.key)
        lab.app().show(workset_id)
        assert lab.folder(workset_id).names >= OUR_FILES
        lab.check()

    def test_a_file_that_somebody_changed_stays(self, lab: Lab, workset_id: str) -> None:
        """It may be the customer's own (D-19)."""
        lab.put(workset_id, "daylily_work.yaml", b"pipeline: theirs\n")
        lab.app().show(workset_id)
        with lab.objects.open(f"worksets/{workset_id}/daylily_work.yaml") as file:
            assert file.read() == b"pipeline: theirs\n"

    def test_debts_are_paid(self, lab: Lab, workset_id: str) -> None:
        """Those of a step whose maker died."""
        lab.store.save(lab.get(workset_id).ignore(by="ada", at=lab.clock()))
        lab.app().show(workset_id)
        lab.check()

    def test_what_an_old_run_left_gives_way(self, lab: Lab, workset_id: str) -> None:
        """The store has it ready for another try, and a person says that this counts."""
        old_run(lab, workset_id)
        lab.app().show(workset_id)
        assert lab.get(workset_id).state is State.READY
        assert lab.folder(workset_id).sentinels.keys() == {Sentinel.READY}

    def test_who_dies_on_the_way_leaves_an_error(self, lab: Lab, workset_id: str) -> None:
        """Not a run that nobody ends: what is shown goes last."""
        old_run(lab, workset_id)
        away = FaultInjector(3, Blow.OUTAGE_BEFORE, on="objects.delete")
        with pytest.raises(UnavailableError):
            lab.app(away).show(workset_id)
        assert lab.folder(workset_id).sentinels.keys() == {Sentinel.READY, Sentinel.ERROR}

    def test_a_sentinel_that_changes_meanwhile_stays(self, lab: Lab, workset_id: str) -> None:
        """It says something that nobody has seen yet."""
        old_run(lab, workset_id)
        new = Meanwhile("objects.info", lambda: lab.put(workset_id, Sentinel.ERROR, b"new"), nth=3)
        lab.app(new).show(workset_id)
        assert lab.folder(workset_id).sentinels[Sentinel.ERROR].detail == "new"
        assert lab.get(workset_id).state is State.ERROR

    @pytest.mark.parametrize("nth", [1, 2, 3])
    def test_a_sentinel_that_goes_by_itself_is_no_trouble(
        self, lab: Lab, workset_id: str, nth: int
    ) -> None:
        """Somebody else tidies up at the same time."""
        old_run(lab, workset_id)
        gone = Meanwhile("objects.info", lambda: lab.remove(workset_id, OLD_RUN[nth - 1]), nth=nth)
        lab.app(gone).show(workset_id)
        assert lab.folder(workset_id).sentinels.keys() == {Sentinel.READY}

    @pytest.mark.parametrize(
        ("sentinel", "state"),
        [
            (Sentinel.IN_PROGRESS, State.IN_PROGRESS),
            (Sentinel.COMPLETE, State.COMPLETE),
            (Sentinel.IGNORE, State.IGNORED),
        ],
    )
    def test_facts_are_taken_over(
        self, lab: Lab, workset_id: str, sentinel: Sentinel, state: State
    ) -> None:
        """Taken away, they would have it run a second time."""
        lab.put(workset_id, sentinel, b"theirs")
        synced = lab.app().show(workset_id)
        assert synced.adopted is state
        assert lab.get(workset_id).state is shown(lab, workset_id) is state

    def test_lesser_sentinels_of_others_do_not_hide_ours(self, lab: Lab, workset_id: str) -> None:
        """An error of ours is shown beside whatever a slow monitor of old may have written."""
        lab.app().tell(ADA, workset_id, State.ERROR, "disk full")
        lab.remove(workset_id, Sentinel.ERROR)
        lab.put(workset_id, Sentinel.IN_PROGRESS, b"theirs")
        lab.app().show(workset_id)
        assert shown(lab, workset_id) is State.ERROR

    @pytest.mark.parametrize("state", [State.LOCKED, State.IN_PROGRESS, State.CANCELED])
    def test_whatever_state_is_shown(self, lab: Lab, workset_id: str, state: State) -> None:
        """Also where somebody has removed it by hand."""
        if state is State.LOCKED:
            lab.compute.go_down()
        lab.app().cycle()
        if state is State.CANCELED:
            lab.app().cancel(ADA, workset_id)
            lab.app().cycle()
        assert lab.get(workset_id).state is state
        for sentinel in lab.ours(workset_id):
            lab.remove(workset_id, sentinel)
        lab.app().show(workset_id)
        assert lab.ours(workset_id).keys() == projection(state)

    def test_a_run_of_others_is_left_to_them(self, lab: Lab, workset_id: str) -> None:
        """What they show, and what they do not, is theirs."""
        lab.app().tell(ADA, workset_id, State.IN_PROGRESS, "on node 7")
        lab.remove(workset_id, Sentinel.LOCK)
        lab.app().show(workset_id)
        assert lab.ours(workset_id).keys() == {Sentinel.READY, Sentinel.IN_PROGRESS}

    def test_a_step_taken_meanwhile_is_shown_instead(self, lab: Lab, workset_id: str) -> None:
        """What was posted for the state before is taken back."""
        lab.remove(workset_id, Sentinel.READY)
        meanwhile = Meanwhile(
            "objects.put", lambda: lab.app().tell(ADA, workset_id, State.COMPLETE, "by hand"), nth=4
        )
        lab.app(meanwhile).show(workset_id)
        lab.check()

    @pytest.mark.parametrize("times", [1, 4])
    def test_one_that_keeps_moving_is_looked_at_again(
        self, lab: Lab, workset_id: str, times: int
    ) -> None:
        """Some times; then the caller is told."""

        def move() -> None:
            nonlocal times
            times -= 1
            if times >= 0:
                lab.store.save(lab.get(workset_id))
                meanwhile.nth = 1

        lab.put(workset_id, Sentinel.COMPLETE, b"theirs")
        meanwhile = Meanwhile("store.save", move)
        if times == 1:
            assert lab.app(meanwhile).show(workset_id).adopted is State.COMPLETE
        else:
            with pytest.raises(ConcurrentUpdateError):
                lab.app(meanwhile).show(workset_id)

    def test_what_is_not_there_cannot_be_shown(self, lab: Lab) -> None:
        """Neither in the store, nor when the object store is away."""
        with pytest.raises(NotFoundError):
            lab.app().show("unheard-of")
        lab.app().register.ledger.register(_a_workset(lab), directory=False)
        away = FaultInjector(1, Blow.OUTAGE_BEFORE, length=99, on="objects.put")
        with pytest.raises(UnavailableError, match="stays owed"):
            lab.app(away).show("ws-1")


def _a_workset(lab: Lab, workset_id: str = "ws-1") -> Workset:
    submitted = lab.submission().samples
    return Workset.register(
        workset_id=workset_id,
        customer_id="acme",
        name=workset_id,
        manifest=lab.app().submit.check(lab.submission(samples=submitted))[0],
        at=lab.clock(),
        actor="ada",
        priority=Priority.NORMAL,
    )


class TestAll:
    """Everything that is not over, and everything that owes."""

    def test_each_is_synced_once(self, lab: Lab) -> None:
        """What is over and owes nothing is left alone."""
        ready, over, owing = (lab.submit(name).workset_id for name in ("ready", "over", "owing"))
        app = lab.app()
        app.tell(ADA, over, State.COMPLETE, "by hand")
        app.tell(ADA, owing, State.COMPLETE, "by hand", directory=False)
        for workset_id in (ready, over):
            for sentinel in lab.ours(workset_id):
                lab.remove(workset_id, sentinel)

        assert sorted(app.show.everything()) == sorted([ready, owing])
        lab.check(ready, owing)
        assert lab.ours(over) == {}

    def test_an_error_that_nobody_has_told_us_counts(self, lab: Lab, workset_id: str) -> None:
        """In the mass nothing of others is taken away."""
        old_run(lab, workset_id)
        assert list(lab.app().show.everything()) == [workset_id]
        assert lab.get(workset_id).state is State.ERROR

    def test_what_runs_is_synced_once(self, lab: Lab, workset_id: str) -> None:
        """It is not over, and monitors have to look at it: it stands in both lists."""
        app = lab.app()
        app.cycle()
        assert lab.get(workset_id).due_at is not None
        assert list(app.show.everything()) == [workset_id]

    def test_one_that_cannot_be_read_does_not_hide_the_others(self, lab: Lab) -> None:
        """It is named when all others have been synced."""
        first, second, third = (lab.submit(name).workset_id for name in ("one", "two", "three"))
        synced = lab.app(Unreadable(second)).show.everything()
        found = {next(synced), next(synced)}
        with pytest.raises(UnavailableError, match=f"1 worksets could not be synced: {second}: "):
            next(synced)
        assert found == {first, third}

    def test_where_nothing_answers_it_ends_soon(self, lab: Lab) -> None:
        """Each try may take long to fail."""
        for number in range(9):
            lab.submit(str(number))
        counting = FaultInjector(1, Blow.OUTAGE_BEFORE, length=999, on="objects.browse")
        with pytest.raises(UnavailableError, match="3 worksets could not be synced"):
            list(lab.app(counting).show.everything())
        assert counting.calls.count("objects.browse") == 3

    def test_one_that_moves_on_is_left_to_its_mover(self, lab: Lab, workset_id: str) -> None:
        """Who moves it shows it, too."""
        lab.put(workset_id, Sentinel.COMPLETE, b"theirs")
        meanwhile = Meanwhile("store.save", lambda: lab.store.save(lab.get(workset_id)))
        assert list(lab.app(meanwhile).show.everything()) == []
