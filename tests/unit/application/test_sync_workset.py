"""Syncing: what we did is shown, what others did is taken over, and their files are left alone."""

import pytest
from tests.unit.application.lab import ADA, Lab, Meanwhile

from daylily.domain.errors import ConcurrentUpdateError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


@pytest.fixture
def workset(lab: Lab) -> Workset:
    """A workset that is ready."""
    return lab.submit()


def test_what_agrees_is_left(lab: Lab, workset: Workset) -> None:
    """Nothing is written, and nothing is said to have been."""
    synced = lab.app().sync(workset)
    assert synced.workset == workset == lab.get(workset.workset_id)
    assert (synced.posted, synced.withdrawn, synced.adopted) == (frozenset(), frozenset(), None)
    assert not synced.waits_for_others


def test_a_missing_sentinel_is_posted(lab: Lab, workset: Workset) -> None:
    """Somebody removed it by hand."""
    lab.remove(workset.workset_id, Sentinel.READY)
    assert lab.app().sync(workset).posted == {Sentinel.READY}
    lab.check()


def test_a_stale_sentinel_of_ours_is_withdrawn(lab: Lab, workset: Workset) -> None:
    """A slow hand posted it after its time."""
    body = workset.sentinel_body().render().encode()
    lab.put(workset.workset_id, Sentinel.ERROR, body)
    assert lab.app().sync(workset).withdrawn == {Sentinel.ERROR}
    lab.check()


def test_what_is_owed_is_left_to_who_pays(lab: Lab, workset: Workset) -> None:
    """A missing sentinel that is still owed will be posted in its turn."""
    lab.remove(workset.workset_id, Sentinel.READY)
    owing = lab.store.save(workset.ignore(by="ada", at=lab.clock()))
    assert lab.app().sync(owing).posted == frozenset()


@pytest.mark.parametrize(
    ("sentinel", "state"),
    [
        (Sentinel.COMPLETE, State.COMPLETE),
        (Sentinel.ERROR, State.ERROR),
        (Sentinel.IN_PROGRESS, State.IN_PROGRESS),
        (Sentinel.IGNORE, State.IGNORED),
    ],
)
def test_what_others_did_is_taken_over(
    lab: Lab, workset: Workset, sentinel: Sentinel, state: State
) -> None:
    """Their sentinel stays as they wrote it, and their words are in the history."""
    lab.put(workset.workset_id, sentinel, b"2025-06-02T12:00:00Z\tby hand")
    synced = lab.app().sync(workset)
    assert synced.adopted is state is lab.get(workset.workset_id).state
    assert synced.workset.history[-1].reason == f"{sentinel} found: by hand"
    assert lab.folder(workset.workset_id).sentinels[sentinel].detail == "by hand"
    lab.check()


def test_what_others_say_without_words_is_taken_over_too(lab: Lab, workset: Workset) -> None:
    """An empty body still counts as present."""
    lab.put(workset.workset_id, Sentinel.COMPLETE, b"")
    assert lab.app().sync(workset).workset.history[-1].reason == "daylily.complete found"


def test_what_is_ours_to_run_is_not_taken_over(lab: Lab, workset: Workset) -> None:
    """Our attempt is the truth, whatever others write meanwhile."""
    lab.app().cycle()
    running = lab.get(workset.workset_id)
    lab.put(workset.workset_id, Sentinel.COMPLETE, b"theirs")
    synced = lab.app().sync(running)
    assert synced.adopted is None
    assert synced.waits_for_others
    assert lab.get(workset.workset_id) == running


def test_another_systems_run_is_followed_to_its_end(lab: Lab, workset: Workset) -> None:
    """First in_progress, and nothing new as long as there is nothing else; then complete."""
    app = lab.app()
    lab.put(workset.workset_id, Sentinel.IN_PROGRESS, b"theirs")
    running = app.sync(workset).workset
    assert running.foreign_run
    assert app.sync(running).workset == running
    lab.put(workset.workset_id, Sentinel.COMPLETE, b"theirs")
    assert app.sync(running).workset.state is State.COMPLETE


def test_a_sentinel_that_was_withdrawn_since_is_not_posted_again(lab: Lab, workset: Workset) -> None:
    """Somebody canceled the workset while we were looking at its directory."""
    cancel = Meanwhile("objects.open", lambda: lab.app().cancel(ADA, workset.workset_id))
    assert lab.app(cancel).sync(workset).posted == {Sentinel.READY}
    lab.check()


def test_what_has_moved_on_is_not_changed(lab: Lab, workset: Workset) -> None:
    """What looks like another system's is our own newer sentinel: the store knows better."""
    lab.app().cancel(ADA, workset.workset_id)
    with pytest.raises(ConcurrentUpdateError):
        lab.app().sync(workset)
    lab.check()
