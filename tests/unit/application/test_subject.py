"""What lines of a log are about."""

from concurrent.futures import ThreadPoolExecutor

from tests.unit.application.lab import Lab

from daylily.application.subject import about, subject


def test_it_holds_for_a_block() -> None:
    """What was said before stands otherwise, and comes back."""
    assert subject() == {}
    with about(request_id="r-1"):
        with about(request_id="r-2", job="j"):
            assert subject() == {"request_id": "r-2", "job": "j"}
        assert subject() == {"request_id": "r-1"}
    assert subject() == {}


def test_a_workset_goes_by_its_id_and_attempt() -> None:
    """One that has never run has no attempt, not even that of the workset before."""
    lab = Lab()
    waiting = lab.submit()
    lab.app().cycle()
    running = lab.get(waiting.workset_id)
    with about(running):
        assert subject() == {"workset": running.workset_id, "attempt": 1}
        with about(waiting):
            assert subject() == {"workset": waiting.workset_id}


def test_threads_are_about_things_of_their_own() -> None:
    """What one works on is nothing to another."""
    with about(request_id="r-1"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(subject).result() == {}
