"""JSON of worksets that is kept: true to the workset, and bounded."""

import json
from typing import Any

from attrs import evolve, frozen
from tests.integration.service.service import MINE, Service

from daylily.domain.workset import Workset
from daylily.entrypoints.http.kept import KeptWorksets
from daylily.entrypoints.views import WorksetView, to_json
from daylily.testing.samples import a_workset


def test_what_has_changed_is_shown(service: Service, client: Any) -> None:
    """A workset, and the lists it is in, show each step as soon as it has been taken."""
    workset_id = service.submitted(client)
    one, listing = f"{MINE}/worksets/{workset_id}", f"{MINE}/worksets"
    for _ in range(2):
        assert client.get(one).json() == client.get(listing).json()["worksets"][0]
        assert client.get("/worksets").json() == [client.get(one).json()]
    service.app.cycle()
    assert client.get(one).json()["state"] == "in_progress"
    assert client.get(listing).json()["worksets"][0]["state"] == "in_progress"


def test_it_says_what_the_view_says(service: Service) -> None:
    """Made once for a version, and anew for the next."""
    kept = KeptWorksets(service.app.read)
    workset = evolve(a_workset(), version=3)
    expected = to_json(WorksetView.of(workset, service.app.read))
    (first,), (second,) = kept.json(workset), kept.json(workset)
    assert json.loads(bytes(first)) == json.loads(bytes(second)) == expected
    later = evolve(workset, version=4, waits_for="room")
    assert json.loads(bytes(*kept.json(later)))["waits_for"] == "room"
    assert next(iter(json.loads(bytes(first)))) == "workset_id"


def test_what_others_may_have_changed_is_made_anew(service: Service) -> None:
    """A version says nothing of what other systems write into a row."""

    @frozen(kw_only=True, eq=False)
    class Touched(Workset):
        """As an adapter reads it that knows more."""

    kept = KeptWorksets(service.app.read)
    fields = {name: getattr(a_workset(), name) for name in _names()}
    for priority in ("Before", "After"):
        touched = Touched(**{**fields, "name": priority})
        assert json.loads(bytes(*kept.json(touched)))["workset_name"] == priority


def _names() -> list[str]:
    return [each.name for each in Workset.__attrs_attrs__]


def test_memory_is_bounded(service: Service) -> None:
    """What has not been asked for longest is let go."""
    kept = KeptWorksets(service.app.read, most=20_000)
    for number in range(100):
        kept.json(a_workset(f"ws-{number}"))
    assert kept._bytes <= 20_000
    assert kept._bytes == sum(len(bytes(made)) for _, made in kept._kept.values())
    assert list(kept._kept)[-1] == "ws-99"
