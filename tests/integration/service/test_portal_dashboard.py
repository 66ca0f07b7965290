"""The dashboard as a page."""

from datetime import timedelta
from typing import Any

from attrs import evolve
from tests.integration.service.door import sign_in
from tests.integration.service.service import READS, Service
from tests.integration.service.test_portal_pages import Page, safe

from daylily.application.show_dashboard import Day
from daylily.application.show_usage import REMEMBERED
from daylily.application.storage_quota import GB
from daylily.domain.customers import Principal, Scope
from daylily.domain.lifecycle import State
from daylily.entrypoints.portal.dashboard import Chart
from daylily.entrypoints.sizes import size_of
from daylily.testing.samples import a_workset


def figures(page: Page) -> str:
    """Return the words of a page, spaces put right."""
    return " ".join(page.text.split())


def test_nothing_yet(browser: Any) -> None:
    """Who has nothing is told how to begin, not that all is well."""
    text = figures(safe(browser.get("/portal")))
    assert "0 running 0 waiting 0 in error or failed 0 finished" in text
    assert "There are no worksets yet" in text
    assert "No worksets in these days" in text


def test_what_failed_comes_first(service: Service, browser: Any) -> None:
    """A failure stands on the dashboard with what it said and what to do."""
    with service.client() as api:
        workset_id = service.launched(api, "Trio")
    service.ended(workset_id, exit_code=65, message="sample S1: the file holds no reads")
    service.clock.advance(timedelta(minutes=1))

    page = safe(browser.get("/portal"))

    assert f"/portal/worksets/{workset_id}" in [link.get("href") for link in page.all("a")]
    text = figures(page)
    assert "1 in error or failed" in text
    assert "the file holds no reads" in text
    assert "What to do:" in text
    assert text.index("Needs your attention") < text.index("Submitted in the last 30 days")


def test_all_is_well(service: Service, browser: Any) -> None:
    """Where nothing asks for anything, the page says so; who waits for an hour is pointed at."""
    with service.client() as api:
        service.submitted(api, "Trio")
    assert "Nothing: all is well" in figures(safe(browser.get("/portal")))
    service.clock.advance(timedelta(hours=1))
    assert "It has been waiting since" in figures(safe(browser.get("/portal/live/dashboard")))


def test_storage(service: Service, browser: Any) -> None:
    """How much is stored, of how much; where nothing was agreed upon, how much alone."""
    service.app.world.objects.put("files/local/a.fastq", READS * 100)
    rooms = ("/portal/live/storage", "/portal/usage", "/portal/account")
    said = [figures(safe(browser.get(room))) for room in rooms[1:]]
    said.append(browser.get(rooms[0]).text)
    assert all("there is no limit" in text and size_of(len(READS) * 100) in text for text in said)
    assert not any("1,000 GB" in text for text in said)
    listed = figures(safe(browser.get("/portal/fleet/customers")))
    assert "100000" not in listed

    customers = service.app.world.customers
    agreed = customers.get("acme")
    customers.save(agreed, evolve(agreed, max_storage_gb=1.0))
    admin = Principal(name="ada", customer_id="acme", admin=True)
    _, text = service.app.tokens.create(
        admin, "acme", name="robot", scope=Scope.READ, lasts=timedelta(days=1)
    )
    with service.client(None) as theirs:
        sign_in(theirs, text)
        assert "(0 %)" in theirs.get("/portal/live/storage").text
        service.app.world.objects.put("files/acme/a.fastq", READS * 100)
        service.clock.advance(REMEMBERED)
        agreed = customers.get("acme")
        tight = len(READS) * 100 / GB / 0.95
        customers.save(agreed, evolve(agreed, max_storage_gb=tight))
        assert "There is little room left" in theirs.get("/portal/live/storage").text


def test_the_chart(service: Service, browser: Any) -> None:
    """Columns stand on each other within the picture, and a table says the same in figures."""
    today = service.clock().date()
    chart = Chart.of((Day(today, complete=3, failed=2, under_way=1, other=2), Day(today)))
    assert chart.most == 8
    assert [bar.tone for bar in chart.bars] == ["good", "bad", "run", "rest"]
    assert chart.bars[0].y + chart.bars[0].height == chart.height
    assert chart.bars[-1].y == 0
    assert all(
        above.y + above.height == below.y
        for below, above in zip(chart.bars, chart.bars[1:], strict=False)
    )

    done = a_workset("ws-done", at=service.clock(), customer_id="local")
    service.app.world.store.add(evolve(done, state=State.COMPLETE))
    page = safe(browser.get("/portal"))
    (picture,) = page.all("svg")
    assert picture["role"] == "img"
    assert picture["aria-labelledby"] == "chart-title chart-text"
    assert [bar["class"] for bar in page.all("rect")] == ["bar good"]
    assert f"{today.isoformat()}11000" in figures(page)
