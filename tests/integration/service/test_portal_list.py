"""The list of worksets: narrowed by its address, rung for when it changes, and acted on at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.service.door import csrf_of
from tests.integration.service.service import Service
from tests.integration.service.test_portal_pages import Page, safe

from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import Priority
from daylily.entrypoints.http.errors import TooManyStreamsError
from daylily.entrypoints.portal.bells import MOST_EACH, ListBells
from daylily.entrypoints.portal.worksets_page import MOST_AT_ONCE
from daylily.testing.samples import a_workset


def listed(answer: Any) -> list[str]:
    """Return the ids of the worksets on a page, in their order."""
    return [str(row["data-id"]) for row in safe(answer).all("tr") if "data-id" in row]


@pytest.fixture
def some(service: Service) -> None:
    """Worksets of three days."""
    for number, priority in enumerate(Priority):
        at = service.clock() - timedelta(days=number)
        service.app.world.store.add(
            a_workset(f"ws-{number}", at=at, customer_id="local", priority=priority)
        )


@pytest.mark.usefixtures("some")
def test_an_address_narrows(browser: Any) -> None:
    """By priority, pipeline and days, oldest first if so said; the page shows what was chosen."""
    assert listed(browser.get("/portal/worksets")) == ["ws-0", "ws-1", "ws-2"]
    assert listed(browser.get("/portal/worksets?priority=urgent")) == ["ws-0"]
    assert listed(browser.get("/portal/worksets?order=oldest")) == ["ws-2", "ws-1", "ws-0"]
    assert listed(browser.get("/portal/worksets?from=2025-06-01&to=2025-06-01")) == ["ws-1"]
    assert listed(browser.get("/portal/worksets?pipeline=nothing")) == []
    assert listed(browser.get("/portal/worksets?state=running")) == []
    assert listed(browser.get("/portal/worksets?state=waiting")) == ["ws-0", "ws-1", "ws-2"]
    page = safe(browser.get("/portal/worksets?priority=urgent&from=2025-06-01"))
    (day,) = [field for field in page.all("input") if field.get("id") == "from"]
    assert day["value"] == "2025-06-01"
    assert [o.get("value") for o in page.all("option") if "selected" in o] == ["", "urgent", ""]


@pytest.mark.usefixtures("some")
def test_nonsense_narrows_nothing(browser: Any) -> None:
    """An address that was typed wrongly still shows worksets."""
    answer = browser.get("/portal/worksets?priority=huge&from=tomorrow&order=sideways&state=odd")
    assert len(listed(answer)) == 3


def test_old_addresses_lead_on(browser: Any) -> None:
    """Whoever kept an address of the list when it was at /portal finds it."""
    answer = browser.get("/portal?state=active&name=a%20b")
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "/portal/worksets?state=active&name=a%20b",
    )


def many(browser: Any, action: str, ids: list[str], **fields: str) -> Any:
    """Send the form about the chosen ones."""
    csrf = csrf_of(browser.get("/portal/worksets"))
    return browser.post("/portal/worksets", data={"csrf": csrf, "action": action, "id": ids, **fields})


def words(page: Page) -> str:
    """Return the text of a page, spaces put right."""
    return " ".join(page.text.split())


def test_many_are_canceled_at_once(service: Service, browser: Any) -> None:
    """First it is asked, with what is left out and why; then each says what came of it."""
    with service.client() as api:
        done = service.launched(api, "Done")
        service.ended(done)
        ids = [service.submitted(api, name) for name in ("One", "Two")]

    question = safe(many(browser, "cancel", [*ids, done, "ws-nowhere", "../x"]))
    text = words(question)
    assert "Cancel 2 worksets?" in text
    assert "Done: It is complete" in text
    assert text.count("There is no such workset.") == 2
    assert {service.app.world.store.get(each).state for each in ids} == {"ready"}

    answer = words(safe(many(browser, "cancel", [*ids, done], sure="yes")))
    assert "Cancel: 2 of 3 done" in answer
    assert {service.app.world.store.get(each).state for each in ids} == {"canceled"}
    again = words(safe(many(browser, "cancel", ids, sure="yes")))
    assert "Cancel: 0 of 2 done" in again


def test_many_are_retried_at_once(service: Service, browser: Any, monkeypatch: Any) -> None:
    """What one of them runs into does not hold up the others."""
    with service.client() as api:
        ids = [service.launched(api, name) for name in ("One", "Two")]
    for each in ids:
        service.ended(each, exit_code=1)
    retry = type(service.app.retry)
    real = retry.__call__

    def flaky(self: Any, who: Any, workset_id: str) -> Any:
        if workset_id == ids[0]:
            raise UnavailableError("the store went away")
        return real(self, who, workset_id)

    monkeypatch.setattr(retry, "__call__", flaky)
    text = words(safe(many(browser, "retry", ids, sure="yes")))

    assert "Retry: 1 of 2 done" in text
    assert "What became of it is not known" in text
    assert service.app.world.store.get(ids[1]).state == "ready"


def test_many_are_asked_about_with_what_helps(service: Service, browser: Any) -> None:
    """Each whose input is damaged says that another try comes to nothing; the others say nothing."""
    with service.client() as api:
        ids = [service.launched(api, name) for name in ("Damaged", "Unlucky")]
    service.ended(ids[0], exit_code=65, message="sample S1: the file holds no reads")
    service.ended(ids[1], exit_code=1)

    text = words(safe(many(browser, "retry", ids)))

    assert text.count("Mind:") == 1
    assert text.index("Damaged") < text.index("Trying again cannot help") < text.index("Unlucky")


def test_what_makes_no_sense_is_refused(service: Service, browser: Any) -> None:
    """None chosen, too many, another action, or a form of nobody's."""
    service.app.world.store.add(a_workset("ws-1", customer_id="local"))
    assert "Choose at least one" in many(browser, "cancel", []).text
    too_many = [f"ws-{number}" for number in range(MOST_AT_ONCE + 1)]
    assert many(browser, "cancel", too_many).status_code == 422
    assert many(browser, "delete", ["ws-1"], sure="yes").status_code == 404
    forged = {"csrf": "x", "action": "cancel", "id": "ws-1", "sure": "yes"}
    assert browser.post("/portal/worksets", data=forged).status_code == 403
    assert service.app.world.store.get("ws-1").state == "ready"


async def rung(stream: AsyncIterator[bytes]) -> bytes:
    """Return the next ring, whatever else is said before."""
    async for event in stream:
        if event.startswith(b"event"):
            return event
    return b""


def test_a_ring_for_each_change() -> None:
    """All who listen to a list hear of a change by one look; nobody looks once nobody listens."""

    async def scenario() -> None:
        loop, looked = asyncio.get_running_loop(), asyncio.Event()
        bells, now = ListBells(every=0.001, heartbeat=0.05), ["a"]

        def look() -> str:
            loop.call_soon_threadsafe(looked.set)
            return now[0]

        streams = [bells.listen(person, ("", "?x"), look, "a") for person in ("ada", "eve")]
        waiting = [asyncio.create_task(rung(stream)) for stream in streams]
        await looked.wait()
        now[0] = "b"
        assert await asyncio.gather(*waiting) == [b"event: state\nid: b\ndata: {}\n\n"] * 2
        assert bells.looking == 1
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        assert bells.looking == 0

    asyncio.run(scenario())


def test_a_ring_for_what_was_missed() -> None:
    """Whoever comes back after a change hears at once that there was one."""

    async def scenario() -> None:
        bells = ListBells()
        stream = bells.listen("ada", ("", ""), lambda: "now", "before")
        assert b"id: now" in await rung(stream)
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(scenario())


def test_listening_has_an_end() -> None:
    """After a while one has to come back, and says who one is; an outage meanwhile ends nothing."""

    async def scenario() -> None:
        bells, looks = ListBells(every=0.001, heartbeat=0.01, longest=0.05), [0]

        def look() -> str:
            looks[0] += 1
            if looks[0] > 1:
                raise UnavailableError("away")
            return "a"

        heard = [event async for event in bells.listen("ada", ("", ""), look, "a")]
        assert heard[0] == b"retry: 3000\n\n"
        assert set(heard[1:]) == {b": all is well\n\n"}
        assert bells.looking == 0

    asyncio.run(scenario())


def test_nobody_listens_to_very_many() -> None:
    """A person has so many ears; who leaves makes room."""

    async def scenario() -> None:
        bells = ListBells()
        streams = [bells.listen("ada", ("", ""), lambda: "a", None) for _ in range(MOST_EACH + 1)]
        bells.places.check("ada")  # none of them has begun: an answer may be dropped before that
        *opened, late = streams
        for stream in opened:
            await anext(stream)
        with pytest.raises(TooManyStreamsError):
            bells.places.check("ada")
        assert [event async for event in late] == []
        bells.places.check("eve")
        for stream in opened:
            await stream.aclose()  # type: ignore[attr-defined]
        bells.places.check("ada")
        assert bells.places.taken == 0

    asyncio.run(scenario())


def test_who_is_not_signed_in_hears_nothing(service: Service) -> None:
    """Rings are for who may see the list."""
    with service.client(None) as nobody:
        assert nobody.get("/portal/live/list-events").status_code == 401


def test_the_last_day_of_all(browser: Any) -> None:
    """Nothing comes after it, and that is no fault of anybody's."""
    assert browser.get("/portal/worksets?to=9999-12-31").status_code == 200


def test_a_cursor_that_is_none_is_told_before_the_stream_begins(browser: Any) -> None:
    """It is an answer as anywhere else, not a stream that breaks."""
    assert browser.get("/portal/live/list-events?cursor=zzz").status_code == 400
