"""Two monitors and one workset: every interleaving of their calls, of which one at most is the last."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest
from tests.unit.application.fleet import Cast, Fleet
from tests.unit.application.lab import ADA

from daylily.bootstrap import App
from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel
from daylily.testing.exhaust import Explored, Path, digest, explore_all
from daylily.testing.faults import Blow, FaultInjector, Killed
from daylily.testing.interleave import Interleaving

PRIVATE: Final = frozenset({"objects.location", "customers.get", "notifier.send"})
"""What changes nothing and never changes, or is seen by no actor: news are told in no order."""

Beginning = Callable[[Fleet], object]


def is_ready(fleet: Fleet) -> None:
    """Both find it in the queue."""


def has_been_dropped(fleet: Fleet) -> None:
    """Both come upon a directory that the store does not know."""
    fleet.lab.app().cancel(ADA, fleet.promised[0])
    fleet.lab.drop("dropped-1", Sentinel.READY)


def has_ended_well(fleet: Fleet) -> None:
    """Both hear that its job has succeeded."""
    fleet.lab.app(owner="before").cycle()
    fleet.lab.compute.end(fleet.running()[0])


def has_failed_for_now(fleet: Fleet) -> None:
    """Both hear that its job has failed of something transient."""
    fleet.lab.app(owner="before").cycle()
    fleet.lab.compute.end(fleet.running()[0], exit_code=75)


def is_to_be_tried_again(fleet: Fleet) -> None:
    """Both find that its wait for the next attempt is over."""
    has_failed_for_now(fleet)
    fleet.lab.app(owner="before").cycle()
    fleet.lab.clock.advance(timedelta(hours=1))


def is_being_canceled(fleet: Fleet) -> None:
    """Both find a cancel that the engine has not heard of."""
    fleet.lab.app(owner="before").cycle()
    fleet.lab.compute.go_down()
    fleet.lab.app().cancel(ADA, fleet.promised[0])
    fleet.lab.compute.come_back()


def was_left_locked(fleet: Fleet) -> None:
    """Both find a lock that has run out; the engine has the job."""
    struck(fleet, Blow.OUTAGE_AFTER)


def was_left_locked_in_vain(fleet: Fleet) -> None:
    """Both find a lock that has run out; the engine has never heard of it."""
    struck(fleet, Blow.OUTAGE_BEFORE)


def struck(fleet: Fleet, blow: Blow) -> None:
    """Let a launcher be struck at its submit, and its lock run out."""
    app: App = fleet.lab.app(FaultInjector(1, blow, on="compute.submit"), owner="before")
    workset = fleet.lab.get(fleet.promised[0])
    with pytest.raises(UnavailableError):
        app.cycle.start(workset, app.cycle.owner)
    assert fleet.lab.get(workset.workset_id).state is State.LOCKED
    fleet.lab.clock.advance(fleet.lab.settings.lock_timeout)


BEGINNINGS = (is_ready, has_failed_for_now, is_being_canceled)
MORE = (
    has_been_dropped,
    has_ended_well,
    is_to_be_tried_again,
    was_left_locked,
    was_left_locked_in_vain,
)
"""These take minutes each: ``make soak`` explores them too."""


def explored(beginning: Beginning, kills: int = 1) -> Explored:
    """Explore all that two monitors can do to a workset, each in one cycle."""

    def scenario(path: Path) -> Callable[[], None]:
        fleet = Fleet(Cast(monitors=2, submitted=1))
        beginning(fleet)
        fleet.interleaving = Interleaving(path, fleet.lab.clock, path, PRIVATE)
        knows = {"a": b"", "b": b""}

        def told(actor: str, what: object) -> None:
            shown = what.getvalue() if isinstance(what, io.BytesIO) else what
            # What the dead have known is of no consequence any more.
            dead = isinstance(what, Killed)
            knows[actor] = b"dead" if dead else digest(knows[actor], fleet.lab.clock(), shown)

        fleet.interleaving.told = told
        path.state = lambda: digest(fleet.lab.fingerprint(), sorted(knows.items()))
        monitors = {name: monitor(fleet, name) for name in knows}
        outcomes = fleet.interleaving.run(monitors)

        def check() -> None:
            fleet.tidy_up()
            fleet.check(outcomes)

        return check

    return explore_all(scenario, kills=kills)


def monitor(fleet: Fleet, name: str) -> Callable[[], object]:
    """Return a monitor of one cycle."""
    app = fleet.lab.app(fleet, owner=name)  # type: ignore[arg-type]
    return lambda: fleet.cycle(app)


@pytest.mark.load
@pytest.mark.parametrize("beginning", BEGINNINGS, ids=lambda beginning: beginning.__name__)
def test_every_interleaving_with_at_most_one_death(beginning: Beginning) -> None:
    """In whatever order they go on, and wherever one of them dies, all that has to hold holds."""
    found = explored(beginning)
    assert found.states > 300, found
    assert found.ends > 20, found


def test_the_count_is_that_of_the_states() -> None:
    """Two actors that do not meet: as many states as there are pairs of places, each come to once."""
    counts = {"a": 0, "b": 0}

    def scenario(path: Path) -> Callable[[], None]:
        stage = Interleaving(path, mishaps=path)
        places = dict.fromkeys(counts, -1)
        path.state = lambda: digest(sorted(places.items()))

        def act(name: str) -> None:
            for _ in range(3):
                places[name] += 1
                stage.pause("step")
            places[name] += 1

        stage.run({name: (lambda name=name: act(name)) for name in counts})  # type: ignore[misc]
        return lambda: None

    found = explore_all(scenario, kills=0)
    assert (found.states, found.ends) == (5 * 5 - 1, 1)
