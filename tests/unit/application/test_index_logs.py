"""Index logs: what stands in which state, for those who read one object instead of all directories."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve, frozen
from tests.unit.application.lab import ADA, Lab

from daylily.application.index_logs import EVERY
from daylily.config import Settings
from daylily.domain.errors import NotFoundError
from daylily.domain.sentinels import Sentinel
from daylily.ports.paging import Page
from daylily.ports.state_store import Unreadable
from daylily.testing.faults import Blow, FaultInjector

FOLDER = "daylily_monitoring/"


@pytest.fixture
def lab() -> Lab:
    """A world whose monitors keep index logs."""
    return Lab(settings=Settings(store="memory", engine="memory", index_prefix=FOLDER))


def log(lab: Lab, sentinel: Sentinel) -> str:
    """Return the text of a log."""
    with lab.objects.open(f"{FOLDER}{sentinel}.log") as stream:
        return stream.read().decode()


def members(lab: Lab) -> dict[str, list[str]]:
    """Return the worksets that each log names; empty ones are left out."""
    found = {
        sentinel.removeprefix("daylily."): [
            line.partition("\t")[0] for line in log(lab, sentinel).splitlines()
        ]
        for sentinel in Sentinel
    }
    return {name: ids for name, ids in found.items() if ids}


def test_each_log_has_the_lines_of_its_sentinels(lab: Lab) -> None:
    """
    ``workset TAB body``, sorted, joined by line ends, none at the end; bodies as they are posted.

    All but that of ``in_progress``: it is posted before the launch, and the log knows what came of it.
    """
    first, second = lab.submit("b").workset_id, lab.submit("a").workset_id
    lab.app().cycle()

    ids = sorted([first, second])
    assert members(lab) == {"ready": ids, "lock": ids, "in_progress": ids}
    for sentinel in (Sentinel.READY, Sentinel.LOCK):
        posted = {each: lab.ours(each)[sentinel].render() for each in ids}
        assert log(lab, sentinel) == "\n".join(f"{each}\t{posted[each]}" for each in ids)
    assert f"{first}/1 submitted as" in log(lab, Sentinel.IN_PROGRESS)


def test_d_32_a_state_that_empties_is_told(lab: Lab) -> None:
    """D-32: what has left a state leaves its log, the last one too; an empty log is an empty object."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    lab.compute.end(f"{workset_id}/1")
    lab.clock.advance(EVERY)
    app.cycle()

    assert members(lab) == {"complete": [workset_id]}
    assert log(lab, Sentinel.READY) == ""


def test_d_32_details_break_no_line(lab: Lab) -> None:
    """D-32: TABs and line ends of a detail are blanks, so each workset has one line of three fields."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    lab.compute.end(f"{workset_id}/1", exit_code=65, message="bad\trow\r\n2\u2028of\x85 3")
    lab.clock.advance(EVERY)
    app.cycle()

    [line] = log(lab, Sentinel.ERROR).split("\n")
    name, at, detail = line.split("\t")
    assert (name, at) == (workset_id, "2025-06-02T12:05:00Z")
    assert "bad row 2 of 3" in detail


def test_what_is_put_away_shows_what_it_was(lab: Lab) -> None:
    """Archived worksets are in the log of the state they had, with the body that stands there."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    lab.compute.end(f"{workset_id}/1")
    app.cycle()
    lab.clock.advance(timedelta(hours=1))
    done = lab.get(workset_id)
    archived = app.cycle.ledger.rest(done.archive(by="ada", at=lab.clock()))
    app.cycle()

    assert members(lab) == {"complete": [workset_id]}
    complete = lab.ours(workset_id)[Sentinel.COMPLETE].render()
    assert log(lab, Sentinel.COMPLETE) == f"{workset_id}\t{complete}"

    app.cycle.ledger.rest(archived.delete(by="ada", at=lab.clock()))
    lab.clock.advance(EVERY)
    app.cycle()
    assert members(lab) == {"ignore": [workset_id]}


def test_what_others_wrote_bears_no_mark_of_ours(lab: Lab) -> None:
    """A run of another system is in the log of in_progress, and nothing says that we posted it."""
    lab.drop("ws-001", Sentinel.READY, Sentinel.IN_PROGRESS)
    lab.app().cycle()

    assert "ws-001\t" in log(lab, Sentinel.IN_PROGRESS)
    assert "(daylily #" not in log(lab, Sentinel.IN_PROGRESS)


def test_a_workset_whose_history_is_lost(lab: Lab) -> None:
    """It is there all the same, with the time of its last change."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle.ledger.store.save(evolve(lab.get(workset_id), history=()))
    assert app.cycle.index is not None
    assert app.cycle.index()

    assert log(lab, Sentinel.READY) == f"{workset_id}\t2025-06-02T12:00:00Z"


@frozen
class OneUnreadable:
    """A store in which one row cannot be read."""

    port: Any

    def __getattr__(self, method: str) -> Any:
        return getattr(self.port, method)

    def scan(self, **named: Any) -> Page[Any]:
        """See StateStore.scan."""
        page = self.port.scan(**named)
        return Page((Unreadable("odd", "a field nobody knows"), *page.items), page.cursor)


def test_what_cannot_be_read_is_left_out(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """It hides nothing else, and is told of."""
    workset_id = lab.submit().workset_id
    index = lab.app().cycle.index
    assert index is not None
    with caplog.at_level(logging.WARNING):
        assert evolve(index, store=OneUnreadable(lab.store))()

    assert members(lab) == {"ready": [workset_id]}
    assert "odd: left out" in caplog.text


def test_once_in_five_minutes_whoever_does_it(lab: Lab) -> None:
    """A second monitor sees by one question that it has been done; a cycle in between asks nothing."""
    first, second = lab.app(), FaultInjector()
    other = lab.app(second)
    first.cycle()
    lab.clock.advance(EVERY / 2)

    other.cycle()
    assert second.calls.count("objects.info") == 1
    assert not {"store.scan", "objects.put"} & {*second.calls}
    other.cycle()
    assert second.calls.count("objects.info") == 1

    lab.clock.advance(EVERY / 2)
    other.cycle()
    assert second.calls.count("objects.put") == len(Sentinel)
    assert second.calls.count("store.scan") == 1


def test_a_log_from_the_future_is_rewritten(lab: Lab) -> None:
    """A clock that was wrong by a day does not stop the logs for a day."""
    lab.clock.advance(timedelta(days=1))
    lab.app().cycle()
    other = Lab(settings=lab.settings)
    other.objects = lab.objects
    index = other.app().cycle.index
    assert index is not None
    assert index()


def test_an_outage_stops_nothing_else(lab: Lab) -> None:
    """It is in the report; worksets are launched, and the logs come five minutes later."""
    lab.submit()
    app = lab.app(FaultInjector(1, Blow.OUTAGE_BEFORE, on="store.scan"))
    report = app.cycle()
    assert report.faults == ["index logs: store.scan: outage before"]
    assert len(lab.started()) == 1

    assert app.cycle().faults == []
    lab.clock.advance(EVERY)
    assert app.cycle().faults == []
    assert members(lab).keys() == {"ready", "lock", "in_progress"}


@pytest.mark.parametrize("how", ["off", "a dry run", "only some", "stopping"])
def test_when_no_logs_are_written(lab: Lab, how: str) -> None:
    """None without the setting, in a dry run, for a few worksets alone, or when it is to end."""
    workset_id = lab.submit().workset_id
    if how == "off":
        lab.settings = evolve(lab.settings, index_prefix=None)
    app = lab.app()
    match how:
        case "off":
            app.cycle()
        case "a dry run":
            list(app.cycle.plan())
        case "only some":
            evolve(app.cycle, only=frozenset({workset_id}))()
        case "stopping":
            app.cycle(lambda: True)

    with pytest.raises(NotFoundError):
        log(lab, Sentinel.READY)
    assert app.read.get(ADA, workset_id).workset_id == workset_id
