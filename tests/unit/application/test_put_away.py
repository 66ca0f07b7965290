"""Archive, restore, delete, hurry: by whoever may see it, by the lifecycle, as it was seen."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, PREFIX, Lab, Meanwhile

from daylily.application.submit_workset import Submission
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import (
    CursorError,
    IllegalTransitionError,
    InvalidInputError,
    NotFoundError,
    StaleVersionError,
)
from daylily.domain.lifecycle import Priority, State
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.ports.paging import every
from daylily.ports.state_store import Filter
from daylily.testing.samples import NOON, a_manifest, a_workset

EVE = Principal(name="eve", customer_id="evil")


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


@pytest.fixture
def app(lab: Lab) -> App:
    """A monitor, and everything else."""
    return lab.app()


@pytest.fixture
def done(lab: Lab, app: App) -> Workset:
    """A workset that is complete."""
    workset_id = lab.submit().workset_id
    app.cycle()
    lab.put(workset_id, "results/attempt-1/index.html", b"fine")
    lab.compute.end(f"{workset_id}/1")
    app.cycle()
    return lab.get(workset_id)


def keys(lab: Lab, prefix: str) -> list[str]:
    return [info.key for info in every(lambda c: lab.objects.list(prefix, cursor=c))]


Change = Callable[[App, Principal, Workset], Workset]
CHANGES: dict[str, Change] = {
    "archive": lambda app, who, w: app.put_away.archive(who, w.workset_id, version=w.version),
    "restore": lambda app, who, w: app.put_away.restore(who, w.workset_id, version=w.version),
    "delete": lambda app, who, w: app.put_away.delete(who, w.workset_id, version=w.version),
    "prioritise": lambda app, who, w: app.prioritise(
        who, w.workset_id, Priority.LOW, version=w.version
    ),
    "cancel": lambda app, who, w: app.cancel(who, w.workset_id, version=w.version),
    "retry": lambda app, who, w: app.retry(who, w.workset_id, version=w.version),
    "tell": lambda app, who, w: app.tell(who, w.workset_id, State.ARCHIVED, "", version=w.version),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_customers_is_not_there(lab: Lab, app: App, done: Workset, change: Change) -> None:
    """Nobody changes what they may not see, and nothing tells that it is there."""
    with pytest.raises(NotFoundError):
        change(app, EVE, done)
    assert lab.get(done.workset_id) == done


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_meant_for_what_was_seen(lab: Lab, app: App, done: Workset, change: Change) -> None:
    """Who has seen an earlier version is told so, whatever the change; nothing is done."""
    with pytest.raises(StaleVersionError):
        change(app, ADA, evolve(done, version=done.version - 1))
    assert lab.get(done.workset_id) == done


def test_a_change_between_reading_and_writing_is_noticed(lab: Lab, done: Workset) -> None:
    """Somebody else's change in the very last moment makes the version stale, too."""

    def other() -> None:
        lab.store.save(lab.get(done.workset_id).with_cost(Decimal(7)))

    slow = lab.app(Meanwhile("store.save", other))
    with pytest.raises(StaleVersionError):
        slow.put_away.archive(ADA, done.workset_id, version=done.version)
    assert lab.get(done.workset_id).state is State.COMPLETE

    # Whoever names no version means whatever is stored by then.
    patient = lab.app(Meanwhile("store.save", other))
    assert patient.put_away.archive(ADA, done.workset_id).state is State.ARCHIVED


def test_there_and_back(lab: Lab, app: App, done: Workset) -> None:
    """What was complete is complete again, with all that it has left, and never runs again."""
    before = keys(lab, PREFIX)

    archived = app.put_away.archive(ADA, done.workset_id, "published")
    assert archived.history[-1].reason == "published"
    assert keys(lab, PREFIX) == before
    restored = app.put_away.restore(ADA, done.workset_id)

    assert restored.state is State.COMPLETE
    assert keys(lab, PREFIX) == before
    assert not app.cycle().moved


def test_only_what_is_over_can_be_archived_and_only_what_is_archived_deleted(
    lab: Lab, app: App
) -> None:
    """No step is forced (D-04)."""
    workset_id = lab.submit().workset_id
    with pytest.raises(IllegalTransitionError):
        app.put_away.archive(ADA, workset_id)
    with pytest.raises(IllegalTransitionError):
        app.put_away.delete(ADA, workset_id, files=True)
    assert lab.get(workset_id).state is State.READY
    assert keys(lab, f"{PREFIX}{workset_id}/sample_data/")


def test_d53_a_sibling_of_a_longer_name_is_left_alone(lab: Lab, app: App) -> None:
    """Deleting ``run1`` with all its files takes nothing of ``run10`` along."""
    for name in ("run1", "run10"):
        lab.store.add(a_workset(name).request_cancel(by="ada", at=NOON))
        lab.put(name, "results/attempt-1/x", b"x")
    sibling = keys(lab, f"{PREFIX}run10/")
    app.put_away.archive(ADA, "run1")

    deleted = app.put_away.delete(ADA, "run1", "consent withdrawn", files=True)

    assert deleted.state is State.DELETED
    left = [key for key in keys(lab, f"{PREFIX}run1/") if not key.endswith(Sentinel.IGNORE)]
    assert left == []
    assert keys(lab, f"{PREFIX}run10/") == sibling


def test_d53_what_was_archived_is_found_again(lab: Lab, app: App, done: Workset) -> None:
    """Archive and restore leave every file where it was, so that results can be opened all along."""
    app.put_away.archive(ADA, done.workset_id)
    with app.read.open_result(ADA, done.workset_id, "index.html") as file:
        assert file.read() == b"fine"


def test_removing_files_can_be_asked_for_again(lab: Lab, app: App, done: Workset) -> None:
    """Cut short, it goes on where it was; without files, the record alone is hidden."""
    app.put_away.archive(ADA, done.workset_id)
    assert app.put_away.delete(ADA, done.workset_id).state is State.DELETED
    assert keys(lab, f"{PREFIX}{done.workset_id}/results/")

    again = app.put_away.delete(ADA, done.workset_id, files=True)

    assert again.state is State.DELETED
    assert not keys(lab, f"{PREFIX}{done.workset_id}/results/")
    with pytest.raises(IllegalTransitionError):
        app.put_away.delete(ADA, done.workset_id)


def test_what_is_put_away_is_listed_when_asked_for(lab: Lab, app: App, done: Workset) -> None:
    """A listing has what is at hand; states that are named are listed, whatever they are."""
    other = lab.submit("other").workset_id
    app.put_away.archive(ADA, done.workset_id)

    def listed(*states: State) -> set[str]:
        where = Filter(states=frozenset(states) or None)
        return {each.workset_id for each in app.read.list(ADA, where).items}

    assert listed() == {other}
    assert listed(State.ARCHIVED) == {done.workset_id}
    app.put_away.delete(ADA, done.workset_id)
    assert listed() == {other}
    assert listed(State.DELETED) == {done.workset_id}


def test_priorities_change_the_queue(lab: Lab, app: App) -> None:
    """Who becomes urgent is next, and costs what urgent work costs; a monitor launches it first."""
    first, second = (lab.submit(name).workset_id for name in ("first", "second"))
    before = lab.get(second).estimate
    assert before is not None

    changed = app.prioritise(ADA, second, Priority.URGENT)

    assert [each.workset_id for each in lab.store.queue().items] == [second, first]
    assert changed.estimate is not None
    assert changed.estimate.compute_usd >= before.compute_usd
    assert changed.estimate.priority is Priority.URGENT


def test_estimate_and_actual_are_stored(lab: Lab, app: App, done: Workset) -> None:
    """What it was said to cost stands with the workset, and what its attempts have cost, once over."""
    assert done.estimate is not None
    assert done.estimate.sample_count == len(done.manifest.samples)
    assert done.recorded_usd == Decimal("0.00")


def test_what_nobody_can_price_has_no_estimate(lab: Lab, app: App) -> None:
    """No samples, or a pipeline that nobody knows here: there is no sum, and no fault."""
    empty = Manifest(samples=(), pipeline="germline")
    assert app.estimate.of(empty, Priority.LOW) is None
    assert app.estimate.of(a_manifest(pipeline="unheard-of"), Priority.LOW) is None
    deep = Manifest(
        samples=(
            Sample(sample_id="a", pairs=(FastqPair("a", None),), coverage=60.0),
            Sample(sample_id="b", pairs=(FastqPair("b", None),)),
        ),
        pipeline="wgs",
    )
    found = app.estimate.of(deep, Priority.NORMAL)
    assert found is not None
    assert found.vcpu_hours == 12 * 2 * 60 / 30


@pytest.mark.parametrize("tags", [("",), ("a\n",), (" a",), ("x" * 65,), ("a",) * 21])
def test_tags_are_checked_at_the_door(lab: Lab, app: App, tags: tuple[str, ...]) -> None:
    """Blank, long or many of them are refused, each at its place."""
    lab.upload("a.fastq")
    sample = Sample(sample_id="A", pairs=(FastqPair("a.fastq", None),))
    submission = Submission(name="x", pipeline="fastq-qc", samples=(sample,), tags=tags)
    with pytest.raises(InvalidInputError) as refused:
        app.submit(ADA, "acme", submission)
    assert refused.value.faults[0].place.startswith("tags")


def test_d54_a_cursor_is_of_one_customer_and_one_question(lab: Lab, app: App) -> None:
    """Another customer's cursor, or that of another question, leads nowhere."""
    for number in range(3):
        lab.submit(f"set {number}")
    page = app.read.list(ADA, Filter(), limit=1)
    assert page.cursor is not None
    with pytest.raises(CursorError):
        app.read.list(EVE, Filter(), cursor=page.cursor, limit=1)
    with pytest.raises(CursorError):
        app.read.list(ADA, Filter(priority=Priority.LOW), cursor=page.cursor, limit=1)
    assert len(app.read.list(ADA, Filter(), cursor=page.cursor, limit=5).items) == 2
