"""Mixtures of sentinels that other versions and people have left (tests/data/sentinels)."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from attrs import frozen
from tests.unit.application.lab import Lab

from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel, SentinelBody, state_shown

FOLDER: Final = Path(__file__).parents[2] / "data" / "sentinels"
NAMES: Final = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@frozen
class Recorded:
    """A directory as it was left."""

    sentinels: dict[Sentinel, bytes]
    shows: State
    becomes: State | None

    @classmethod
    def read(cls, name: str) -> "Recorded":
        """Return the one of that name."""
        found: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
        bodies = {
            Sentinel(key): body if isinstance(body, bytes) else body.encode()
            for key, body in found["sentinels"].items()
        }
        becomes = found["becomes"]
        return cls(bodies, State(found["shows"]), State(becomes) if becomes else None)

    def put(self, lab: Lab, workset_id: str) -> None:
        """Drop a sound workset, and leave these sentinels in its directory."""
        lab.drop(workset_id)
        for sentinel, body in self.sentinels.items():
            lab.put(workset_id, sentinel, body)

    def standing(self, lab: Lab, workset_id: str) -> dict[Sentinel, SentinelBody]:
        """Return what of them stands there as it was left."""
        shown = lab.folder(workset_id).sentinels
        return {sentinel: shown[sentinel] for sentinel in self.sentinels if not shown[sentinel].ours}


def test_every_sentinel_is_among_them() -> None:
    """And so is every state that sentinels can show."""
    recorded = [Recorded.read(name) for name in NAMES]
    assert {sentinel for each in recorded for sentinel in each.sentinels} == {*Sentinel}
    assert {each.shows for each in recorded} == {state_shown({sentinel}) for sentinel in Sentinel}


@pytest.mark.parametrize("name", NAMES)
def test_one_table_reads_them_all(name: str) -> None:
    """The one precedence says what they stand for, however many stand there."""
    recorded = Recorded.read(name)
    assert state_shown(recorded.sentinels) is recorded.shows
    for body in recorded.sentinels.values():
        read = SentinelBody.parse(body.decode(errors="replace"))
        assert not read.ours
        assert len(read.render().splitlines()) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_workset_is_registered_as_what_it_is(name: str) -> None:
    """D-11, D-13: with a history, as far as it has come, and without a word of what is no news."""
    lab, recorded = Lab(), Recorded.read(name)
    recorded.put(lab, "dropped-1")
    lab.app().discover()

    assert [workset.state for workset in lab.worksets()] == [recorded.becomes] * bool(recorded.becomes)
    assert set(lab.sent()) <= {"registered"}
    assert all(workset.history for workset in lab.worksets())
    lab.check()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_runs_that_is_not_ours_to_run(name: str) -> None:
    """What is ready and claimed by nobody is run, once; all else and all that others wrote stays."""
    lab, recorded = Lab(), Recorded.read(name)
    recorded.put(lab, "dropped-1")
    before = recorded.standing(lab, "dropped-1")
    app = lab.app()
    for _ in range(3):
        app.cycle()
        lab.clock.advance(timedelta(minutes=2))

    free = recorded.shows is State.READY
    assert lab.started() == (["dropped-1/1"] if free else [])
    assert recorded.standing(lab, "dropped-1") == before
    if not free and recorded.becomes is not None:
        assert lab.get("dropped-1").state is recorded.becomes
    lab.check()


def test_a_forged_mark_is_another_s() -> None:
    """A number that no workset gets to restores nothing: after it, ours would not fit into a mark."""
    lab = Lab()
    lab.drop("forged-1", Sentinel.READY, body=b"2026-01-14T10:45:09Z\tmine (daylily #999999999)")
    app = lab.app()
    app.cycle()
    assert lab.started() == ["forged-1/1"]
    assert lab.get("forged-1").sequence < 10
    lab.compute.end("forged-1/1")
    app.cycle()
    assert lab.get("forged-1").state is State.COMPLETE
    assert lab.ours("forged-1").keys() == {Sentinel.COMPLETE}
    lab.check()
