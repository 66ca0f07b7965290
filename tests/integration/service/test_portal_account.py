"""Usage and account: what stands there, who may do what, and that secrets are shown once."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from tests.integration.service.door import csrf_of, sign_in
from tests.integration.service.service import Service
from tests.integration.service.test_portal_pages import HOSTILE, Page, safe

from daylily.domain.customers import Customer, Role
from daylily.testing.samples import NOON, a_workset


def filled(client: Any, **fields: str) -> dict[str, str]:
    """Return a form of the account's page, filled in soundly but for what is said."""
    sound = {"name": "sequencer", "scope": "read", "days": "7", "role": "user"}
    return {"csrf": csrf_of(client.get("/portal/account")), **sound, **fields}


def signed_in(service: Service, client: Any, role: Role, customer: str = "local") -> Any:
    """Sign somebody in to the portal, by a session of theirs."""
    sign_in(client, service.person(f"{role}@{customer}.example", customer, role))
    return client


def secret_in(page: Page) -> str | None:
    """Return what a page shows this once."""
    found = [each.get("value") for each in page.all("input") if each.get("id") == "secret"]
    return found[0] if found else None


# Usage


def test_usage_by_month(service: Service, browser: Any) -> None:
    """Each month stands in the table and in the drawing, with what was said and what was spent."""
    store = service.app.world.store
    store.add(a_workset("ws-1", customer_id="local").with_cost(Decimal("1.25")))
    store.add(a_workset("ws-2", customer_id="local", at=NOON - timedelta(days=33)))
    store.add(a_workset("ws-3", customer_id="acme"))

    page = safe(browser.get("/portal/usage?months=3"))

    assert [name for name in ("2025-06", "2025-05", "2025-04") if name in page.text] == [
        "2025-06", "2025-05", "2025-04",
    ]  # fmt: skip
    assert "2025-06: $1.25 recorded" in page.text
    assert len(page.all("rect")) == 6
    assert "$1.25" in page.text
    assert len(safe(browser.get("/portal/usage?months=36")).all("rect")) == 72
    assert browser.get("/portal/usage?months=99").status_code == 422


def test_usage_of_nothing(browser: Any) -> None:
    """Without worksets there is nothing to draw, and the months stand there all the same."""
    page = safe(browser.get("/portal/usage?customer=acme"))
    assert "Usage of acme" in page.text
    assert page.all("svg") == []
    assert page.text.count("0.00") == 24 + 2


def test_csv_holds_no_formula(service: Service, browser: Any) -> None:
    """What a customer has written is a text to every spreadsheet, whatever it begins with."""
    names = ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", 'a,"b"\n=2')
    for number, name in enumerate(names):
        workset = a_workset(f"ws-{number}", customer_id="local").with_cost(Decimal("0.40"))
        service.app.world.store.add(evolve(workset, name=name, submitted_by=name))

    answer = browser.get("/portal/usage.csv?what=worksets")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = {row["workset_id"]: row for row in csv.DictReader(io.StringIO(answer.text, newline=""))}
    for number, name in enumerate(names):
        row = rows[f"ws-{number}"]
        told = name if name.startswith("a") else f"'{name}"
        assert (row["name"], row["submitted_by"], row["recorded_compute_usd"]) == (told, told, "0.40")


def test_csv_of_months(service: Service, browser: Any) -> None:
    """A line for each month; what there is no list of is not there."""
    service.app.world.store.add(a_workset("ws-1", customer_id="local"))
    rows = list(csv.DictReader(io.StringIO(browser.get("/portal/usage.csv?months=2").text)))
    assert [(row["month"], row["worksets"]) for row in rows] == [("2025-06", "1"), ("2025-05", "0")]
    assert browser.get("/portal/usage.csv?what=secrets").status_code == 404


def test_others_are_not_there(service: Service) -> None:
    """Another customer's usage and account are not found; one's own are what stands there."""
    service.app.world.store.add(a_workset("ws-secret", customer_id="acme"))
    with service.client(None) as client:
        signed_in(service, client, Role.ADMIN)
        for path in ("/usage", "/usage.csv", "/usage.csv?what=worksets", "/account"):
            sign = "&" if "?" in path else "?"
            assert client.get(f"/portal{path}{sign}customer=acme").status_code == 404
            own = client.get(f"/portal{path}")
            assert own.status_code == 200
            assert "ws-secret" not in own.text


# Tokens


def test_a_token_is_shown_once(service: Service, browser: Any) -> None:
    """It opens doors from then on, and no page shows it again, until it is revoked."""
    form = filled(browser, name="sequencer", scope="read", days="30")
    made = browser.post("/portal/account/local/tokens", data=form)
    token = secret_in(safe(made))
    assert token is not None
    again = browser.get("/portal/account")
    assert token not in again.text
    assert made.headers["cache-control"] == "no-store"
    assert "sequencer" in again.text
    with service.client(token) as program:
        assert program.get("/api/auth/me").json()["scope"] == "read"
        (place,) = re.findall(r'href="(/portal/account/local/tokens/\w+/revoke)"', again.text)
        question = browser.get(place)
        assert "Revoke sequencer?" in safe(question).text
        answer = browser.post(place, data={"csrf": csrf_of(question)})
        assert answer.headers["location"] == "/portal/account"
        assert program.get("/api/auth/me").status_code == 401
    assert "revoked" in browser.get("/portal/account").text


def test_faults_of_a_token(browser: Any) -> None:
    """Each is told at its field, and what was filled in stays."""
    sound = filled(browser, name="kept", days="30")
    for field, value, told in (
        ("name", "", "must be 1 to 60 printable characters"),
        *(("days", days, "must be from 1 to 366") for days in ("0", "9999999", "²")),
        ("scope", "all", "is none that there is"),
    ):
        answer = browser.post("/portal/account/local/tokens", data={**sound, field: value})
        page = safe(answer)
        assert answer.status_code == 422
        assert told in page.text
        assert secret_in(page) is None
        name = value if field == "name" else "kept"
        assert name in [each.get("value") for each in page.all("input")]


def test_members_make_tokens_no_further_than_they_reach(service: Service) -> None:
    """A member is not offered the widest scope, is refused it, and sees their own tokens alone."""
    with service.client(None) as admin, service.client(None) as user:
        signed_in(service, admin, Role.ADMIN)
        signed_in(service, user, Role.USER)
        form = filled(admin, name="of-admin", scope="admin", days="7")
        assert secret_in(Page(admin.post("/portal/account/local/tokens", data=form).text))
        page = safe(user.get("/portal/account"))
        assert "of-admin" not in page.text
        assert "admin" not in [option.get("value") for option in page.all("option")]
        refused = {**form, "csrf": csrf_of(user.get("/portal/account"))}
        assert user.post("/portal/account/local/tokens", data=refused).status_code == 403


# Members


def test_members(service: Service) -> None:
    """An admin takes somebody on, hands over a password that is shown once, and lets them go."""
    with service.client(None) as admin:
        signed_in(service, admin, Role.ADMIN)
        form = filled(admin, name="bob+lab@acme.example", role="user")
        made = admin.post("/portal/account/local/members", data=form)
        password = secret_in(safe(made))
        assert password
        assert password not in admin.get("/portal/account").text
        service.app.world.identities.sign_in("bob+lab@acme.example", password)

        again = admin.post("/portal/account/local/members", data=form)
        assert again.status_code == 422
        assert "there is somebody called" in safe(again).text
        odd = admin.post("/portal/account/local/members", data={**form, "name": "x", "role": "king"})
        assert "is none that there is" in odd.text
        assert (
            admin.post("/portal/account/local/members", data={**form, "name": "x"}).status_code == 422
        )

        places = [str(link["href"]) for link in safe(admin.get("/portal/account")).all("a")]
        (place,) = [each for each in places if each.endswith("/remove")]
        question = admin.get(place)
        assert "Remove bob+lab@acme.example?" in safe(question).text
        assert admin.post(place, data={"csrf": csrf_of(question)}).status_code == 303
        assert "bob" not in admin.get("/portal/account").text


def test_only_admins_see_to_members(service: Service) -> None:
    """A member is shown none, and nothing that they send is done; an admin makes no operator."""
    with service.client(None) as user, service.client(None) as admin:
        signed_in(service, user, Role.USER)
        signed_in(service, admin, Role.ADMIN)
        page = safe(user.get("/portal/account"))
        assert "Members" not in page.text
        form = filled(user, name="eve@acme.example", role="admin")
        assert user.post("/portal/account/local/members", data=form).status_code == 403
        assert user.get("/portal/account/local/members/x/remove").status_code == 403
        assert user.post("/portal/account/local/members/x/remove", data=form).status_code == 403
        assert user.get("/portal/account/local/audit").status_code == 403
        own = {**form, "csrf": csrf_of(admin.get("/portal/account")), "role": "operator"}
        assert admin.post("/portal/account/local/members", data=own).status_code == 403
    assert {each.name for each in service.app.world.identities.members("local")} == {
        "user@local.example", "admin@local.example",
    }  # fmt: skip


def test_forms_need_their_token_and_their_customer(service: Service) -> None:
    """Without the session's token, or for another customer, nothing is done."""
    with service.client(None) as admin:
        signed_in(service, admin, Role.ADMIN)
        form = filled(admin)
        for path in ("tokens", "tokens/abc/revoke", "members", "members/bob/remove"):
            without = {**form, "csrf": ""}
            assert admin.post(f"/portal/account/local/{path}", data=without).status_code == 403
            assert admin.post(f"/portal/account/acme/{path}", data=form).status_code == 404
        assert admin.get("/portal/account/acme/audit").status_code == 404


def test_an_outage_is_told(service: Service) -> None:
    """Where people are kept elsewhere and that does not answer, the page says so."""

    class Away:
        def members(self, customer_id: str) -> Any:
            from daylily.domain.errors import UnavailableError

            raise UnavailableError("no pool")

    away = service.replacing(identities=Away())
    with away.client(None) as client:
        sign_in(client)
        assert "does not answer: members cannot be shown" in safe(client.get("/portal/account")).text


# The trail


def test_the_trail(service: Service, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done stands there under its name, in pages, the latest first."""
    monkeypatch.setattr("daylily.entrypoints.portal.account_page.ENTRIES", 1)
    for name in ("first", "second"):
        form = filled(browser, name=name, scope="read", days="7")
        browser.post("/portal/account/acme/tokens", data=form)
        service.clock.advance(timedelta(seconds=1))

    page = safe(browser.get("/portal/account/acme/audit"))

    assert "createToken" in page.text
    (earlier,) = [str(link["href"]) for link in page.all("a") if link.get("rel") == "next"]
    assert "createToken" in safe(browser.get(earlier)).text


def test_hostile_words(service: Service, browser: Any) -> None:
    """Names of customers, tokens and actors are text, wherever they stand."""
    for number, name in enumerate(HOSTILE):
        shown = "".join(each if each.isprintable() else "." for each in name)
        odd = f"odd-{number}"
        customer = Customer(customer_id=odd, name=shown, cost_center=shown, billing_account_id=shown)
        service.app.world.customers.add(customer)
        form = filled(browser, name=shown)
        assert secret_in(safe(browser.post(f"/portal/account/{odd}/tokens", data=form)))
        service.app.audit.record(
            odd, actor=name, action=name, target=f"/{name}", outcome="200", request_id="r"
        )
        for path in (f"/account?customer={odd}", f"/account/{odd}/audit", f"/usage?customer={odd}"):
            assert shown in safe(browser.get(f"/portal{path}")).text
