"""The operators' pages: what they tell, what they do, and that nobody else gets any of them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from tests.integration.service.door import csrf_of, sign_in
from tests.integration.service.service import Service
from tests.integration.service.test_portal_pages import HOSTILE, safe

from daylily.adapters.dead_notices import DocumentDeadNotices
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.domain.customers import Customer, Role
from daylily.domain.divergences import Divergence, DivergenceKind, Remedy, Side
from daylily.domain.errors import UnavailableError
from daylily.domain.events import Event
from daylily.entrypoints.portal.ledger_runs import Kind, LedgerRuns
from daylily.ports.dead_notices import DeadNotice
from daylily.testing.samples import NOON, a_workset, an_event

PAGES = ("", "/ledger", "/ledger/repair", "/customers", "/customers/acme", "/notices")
FORMS = ("/ledger", "/ledger/stop", "/customers/acme", "/notices")


def sent(browser: Any, path: str, **form: str) -> Any:
    """Fill in a form of a page."""
    token = csrf_of(browser.get("/portal/fleet/ledger"))
    return browser.post(f"/portal/fleet{path}", data={"csrf": token, **form})


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
def test_nobody_else_gets_any_of_it(service: Service, role: Role) -> None:
    """Neither pages nor what keeps them fresh nor what their forms do, nor a way to them."""
    with service.client(None) as client:
        sign_in(client, service.person("ada@acme.example", "acme", role))
        form = {"csrf": csrf_of(client.get("/portal/account")), "kind": "repair", "notice": "x"}
        for path in PAGES:
            assert client.get(f"/portal/fleet{path}").status_code == 403, path
        for path in ("", "/ledger"):
            assert client.get(f"/portal/live/fleet{path}").status_code == 403, path
        for path in FORMS:
            assert client.post(f"/portal/fleet{path}", data=form).status_code == 403, path
        page = safe(client.get("/portal/worksets"))
        assert not [link for link in page.all("a") if "fleet" in str(link["href"])]


def test_forms_need_their_token(browser: Any) -> None:
    """Whatever else is right."""
    for path in FORMS:
        form = {"csrf": "x" * 43, "kind": "check", "notice": "x"}
        assert browser.post(f"/portal/fleet{path}", data=form).status_code == 403, path


def test_how_the_fleet_is(service: Service, api: Any, browser: Any) -> None:
    """Monitors, engines, the queue, what is stuck and what waits for a person."""
    page = safe(browser.get("/portal/fleet"))
    assert "No monitor has been heard of within a day" in page.text
    assert "Nothing is stuck" in page.text
    assert "Nothing waits" in page.text

    running = service.launched(api, "Runs")
    failed = service.launched(api, "Fails")
    service.ended(failed, exit_code=1, message="no such lane\nat all")
    service.launched(api, "Runs too")
    waiting = service.submitted(api, "Waits")
    service.app.heart.cycle_done(took=timedelta(seconds=2), faults=1, rest=timedelta(seconds=30))
    store = service.app.world.store
    store.save(store.get(running).with_unknown(service.clock()))
    service.compute.go_down()
    service.clock.advance(timedelta(hours=1))

    page = safe(browser.get("/portal/fleet"))

    for text in (
        "unknown",
        "the engine says nothing of it",
        "no such lane",
        "silent",
        "does not answer",
    ):
        assert text in page.text
    assert "at all" not in page.text
    links = [str(link["href"]) for link in page.all("a")]
    for workset_id in (running, failed, waiting):
        assert f"/portal/worksets/{workset_id}" in links
    (why,) = [link for link in page.all("a") if link.get("hx-get")]
    assert "its engine does not answer" in browser.get(str(why["hx-get"])).text
    part = browser.get("/portal/live/fleet").text
    assert "<html" not in part
    assert 'data-live="yes"' in part


def test_outages_are_told(service: Service) -> None:
    """Where monitors or lost news cannot be read, the rest is shown, and the page says so."""

    class Away:
        def __getattr__(self, name: str) -> Any:
            raise UnavailableError("no bucket")

    broken = service.replacing(objects=Away())
    with broken.client(None) as client:
        sign_in(client)
        page = safe(client.get("/portal/fleet"))
    assert "which monitors there are cannot be said now" in page.text


# The ledger


@define
class Slow:
    """A check that goes on until it is told to, and finds something odd."""

    names: tuple[str, ...] = ("ws-1",)
    error: Exception | None = None
    looked: int = field(init=False, default=0)

    def __call__(self, tell: Any = lambda _: None) -> Iterator[Divergence]:
        """See CheckLedger."""
        from daylily.application.check_ledger import Seen

        for name in self.names:
            self.looked += 1
            tell(Seen(directories=len(self.names), worksets=self.looked))
            yield Divergence(
                workset_id=name,
                kind=DivergenceKind.SENTINELS,
                store="ready",
                sentinels=name,
                wins=Side.STORE,
                why="the store is the truth",
                remedy=Remedy.PERSON,
                advice="look",
            )
        if self.error:
            raise self.error


def test_a_check_of_what_agrees(service: Service, api: Any, browser: Any) -> None:
    """It goes on beside all requests, and ends by saying how much it has looked at."""
    service.submitted(api)
    assert "Nobody has had the ledger checked" in safe(browser.get("/portal/fleet/ledger")).text

    begun = sent(browser, "/ledger", kind="check")

    assert (begun.status_code, begun.headers["location"]) == (303, "/portal/fleet/ledger")
    page = over(browser)
    assert "Store, directories and engines agree." in page.text
    assert "1 directory and 1 workset looked at" in page.text


def over(browser: Any) -> Any:
    """Return the page of a run that has come to its end."""
    for _ in range(1000):
        answer = browser.get("/portal/fleet/ledger")
        if 'data-live="no"' in answer.text:
            return safe(answer)
    raise AssertionError("the run goes on and on")


def test_what_differs_and_what_would_be_mended(service: Service, api: Any, browser: Any) -> None:
    """A check names it, a dry run mends nothing, and a repair, which is asked about, does."""
    workset_id = service.submitted(api)
    ready = f"worksets/{workset_id}/daylily.ready"
    service.app.world.objects.delete(ready)
    sent(browser, "/ledger", kind="check")
    page = over(browser)
    assert "1 workset differs" in page.text
    assert "The store is right" in page.text
    sent(browser, "/ledger", kind="dry-run")
    assert "1 would mend" in over(browser).text
    assert not service.app.world.objects.list(ready).items
    assert "You may want to see first" not in safe(browser.get("/portal/fleet/ledger/repair")).text
    sent(browser, "/ledger", kind="repair")
    assert "1 mended" in over(browser).text
    assert service.app.world.objects.list(ready).items
    assert sent(browser, "/ledger", kind="rebuild").status_code == 422


def test_one_run_at_a_time(service: Service) -> None:
    """A second one is refused while one goes on; that can be stopped, and then another begun."""
    import threading

    gate, begun = threading.Event(), threading.Event()

    @define
    class Held(Slow):
        def __call__(self, tell: Any = lambda _: None) -> Iterator[Divergence]:
            for each in super().__call__(tell):
                yield each
                begun.set()
                assert gate.wait(30)

    runs = LedgerRuns(evolve(service.app, check=Held(names=("a", "b", "c"))))  # type: ignore[arg-type]
    runs.start(Kind.CHECK, "ada")
    assert begun.wait(30)
    with pytest.raises(Exception, match="a check of ada is under way"):
        runs.start(Kind.DRY_RUN, "bob")
    runs.stop()
    gate.set()
    runs.wait(30)
    assert runs.last is not None
    assert (runs.last.running, runs.last.stopped, runs.last.number) == (False, True, 1)
    runs.start(Kind.CHECK, "bob")
    runs.wait(30)
    assert (runs.last.by, runs.last.number, runs.last.stopped) == ("bob", 3, False)


@pytest.mark.parametrize(
    ("error", "told"),
    [(UnavailableError("the table is away"), "the table is away"), (KeyError("x"), "went wrong here")],
)
def test_a_run_that_fails(service: Service, error: Exception, told: str) -> None:
    """It ends, and says what kept it; what it had found until then is there."""
    runs = LedgerRuns(evolve(service.app, check=Slow(error=error)))  # type: ignore[arg-type]
    runs.start(Kind.CHECK, "ada")
    runs.wait(30)
    assert runs.last is not None
    assert told in str(runs.last.error)
    assert runs.last.number == 1


def test_a_great_many_are_counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many are kept to be shown."""
    monkeypatch.setattr("daylily.entrypoints.portal.ledger_runs.KEPT", 2)
    check = Slow(names=tuple(f"ws-{number}" for number in range(5)))
    runs = LedgerRuns(evolve(service.app, check=check))  # type: ignore[arg-type]
    runs.stop()
    runs.start(Kind.CHECK, "ada")
    runs.wait(30)
    assert runs.last is not None
    assert (len(runs.last.found), runs.last.number) == (2, 5)


# Customers


def test_customers(service: Service, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, in pages; and each with its worksets."""
    monkeypatch.setattr("daylily.entrypoints.portal.fleet_customers.ROWS", 1)
    service.app.world.store.add(a_workset("ws-1", customer_id="local", name="Theirs"))
    page = safe(browser.get("/portal/fleet/customers"))
    assert "acme" in page.text
    (more,) = [str(link["href"]) for link in page.all("a") if link.get("rel") == "next"]
    assert "local" in safe(browser.get(more)).text
    assert "Theirs" in safe(browser.get("/portal/fleet/customers/local")).text
    assert browser.get("/portal/fleet/customers/nobody").status_code == 404


def test_a_quota_is_changed(service: Service, browser: Any) -> None:
    """It is stored, and stands in the customer's trail; faults are told at their fields."""
    form = {"max_concurrent_worksets": "7", "max_storage_gb": "250.5", "cost_center": "R&D"}
    done = sent(browser, "/customers/acme", **form)
    assert done.headers["location"] == "/portal/fleet/customers/acme"
    acme = service.app.world.customers.get("acme")
    assert (acme.max_concurrent_worksets, acme.max_storage_gb, acme.cost_center) == (7, 250.5, "R&D")
    assert "changeCustomer" in browser.get("/portal/account/acme/audit").text

    for bad in ("0", "51", "-1", "1e9", "x", "²"):
        answer = sent(
            browser,
            "/customers/acme",
            **{**form, "max_concurrent_worksets": bad, "max_storage_gb": "nan"},
        )
        page = safe(answer)
        assert answer.status_code == 422
        assert "must be from 1 to 50" in page.text
        assert "must be from 100 to 10000" in page.text
        assert bad in [each.get("value") for each in page.all("input")]
    assert service.app.world.customers.get("acme") == acme


# Lost news


@define
class Channel(InMemoryNotifier):
    """A channel that takes nothing while it is away."""

    away: bool = True
    taken: list[str] = field(factory=list)

    def send(self, event: Event) -> None:
        """See Notifier."""
        if self.away:
            raise UnavailableError("the webhook answers 500 password=hunter2")
        self.taken.append(event.event_id)


def test_lost_news(service: Service) -> None:
    """It is listed without secrets, sent once more if ticked, and stays if it is refused again."""
    channel = Channel()
    dead = DocumentDeadNotices(service.app.world.documents, service.clock)
    for name in ("ws-1-1-complete", "ws-1-2-error"):
        dead.lay(
            DeadNotice(
                channel="webhook", event=an_event(name), why="token=abc123 refused", died_at=NOON
            )
        )
    app = evolve(
        service.app, redeliver=evolve(service.app.redeliver, channels={"webhook": channel}, dead=dead)
    )
    with evolve(service, app=app, up={}).client(None) as browser:
        sign_in(browser)
        page = safe(browser.get("/portal/fleet/notices"))
        assert "abc123" not in page.text
        marks = [str(each["value"]) for each in page.all("input") if each.get("name") == "notice"]
        assert marks == ["webhook ws-1-1-complete", "webhook ws-1-2-error"]
        assert "2 pieces of news came to nobody" in safe(browser.get("/portal/fleet")).text

        refused = safe(sent(browser, "/notices", notice=marks[0]))
        assert "Not sent" in refused.text
        assert "hunter2" not in refused.text
        channel.away = False
        assert "Sent: ws-1-1-complete" in safe(sent(browser, "/notices", notice=marks[0])).text
        assert channel.taken == ["ws-1-1-complete"]
        assert "ws-1-2-error" in browser.get("/portal/fleet/notices").text
        assert sent(browser, "/notices").status_code == 422


def test_hostile_words_on_operators_pages(service: Service, browser: Any) -> None:
    """Names of worksets and customers, failures and what directories show are text."""
    store = service.app.world.store
    for number, name in enumerate(HOSTILE):
        shown = "".join(each if each.isprintable() else "." for each in name)
        odd = Customer(customer_id=f"odd-{number}", name=shown, cost_center=shown)
        service.app.world.customers.add(odd)
        store.add(a_workset(f"ws-odd-{number}", customer_id=odd.customer_id, name=name))
    service.clock.advance(timedelta(hours=1))
    for path in ("", "/customers", *(f"/customers/odd-{number}" for number in range(len(HOSTILE)))):
        page = safe(browser.get(f"/portal/fleet{path}"))
        told = HOSTILE if "odd" not in path else HOSTILE[int(path[-1]) : int(path[-1]) + 1]
        for name in told:
            shown = "".join(each if each.isprintable() else "." for each in name)
            assert name in page.text or shown in page.text, path


def test_what_is_beyond_the_bounds_may_stay(service: Service, browser: Any) -> None:
    """Of an installation that was set up with more than can be agreed upon, the rest is changed."""
    customers = service.app.world.customers
    large = Customer(customer_id="large", name="Large", max_concurrent_worksets=100_000)
    customers.add(large)
    form = {"max_concurrent_worksets": "100000", "max_storage_gb": "500", "cost_center": "lab"}
    assert sent(browser, "/customers/large", **form).status_code == 303
    assert customers.get("large") == evolve(large, max_storage_gb=500.0, cost_center="lab")
