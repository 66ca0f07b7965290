"""Signing in to the portal, staying signed in, and being signed out."""

import logging
import re
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from tests.integration.service.door import csrf_of, sign_in
from tests.integration.service.service import BASE, TOKEN, Service

from daylily.domain.customers import Principal
from daylily.entrypoints.portal.sessions import LASTS, MOST_SESSIONS, Sessions
from daylily.entrypoints.tries import TRIES, WINDOW
from daylily.ports.identities import SignedIn
from daylily.testing.clock import ManualClock

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def browser(service: Service) -> Any:
    """A client without a token, which keeps cookies."""
    with service.client(None) as client:
        yield client


def test_sign_in(browser: Any) -> None:
    """The token of the form is exchanged for a cookie that holds something else, and nothing reads."""
    answer = sign_in(browser)

    assert (answer.status_code, answer.headers["location"]) == (303, "/portal")
    cookies = [SimpleCookie(value) for value in answer.headers.get_list("set-cookie")]
    (session,) = [cookie["daylily_session"] for cookie in cookies if "daylily_session" in cookie]
    assert session["httponly"]
    assert session["samesite"].lower() == "strict"
    assert session["path"] == "/portal"
    assert len(session.value) >= 40
    assert TOKEN not in session.value
    assert browser.get("/portal").status_code == 200


def test_the_cookie_is_secure_over_tls(service: Service) -> None:
    """Over HTTPS the cookies never go out in the clear."""
    with service.client(None) as client:
        client.base_url = BASE.replace("http", "https")
        answer = client.get("/portal/login")
        assert "secure" in answer.headers["set-cookie"].lower()
        signed_in = sign_in(client)
    cookies = [each for each in signed_in.headers.get_list("set-cookie") if "__Host-" in each]
    assert len(cookies) == 1
    assert {"secure", "httponly", "path=/", "samesite=strict"} <= {
        part.strip().lower() for part in cookies[0].split(";")
    }


def test_pages_lead_to_the_form_and_back(browser: Any) -> None:
    """Who is not signed in is sent to the form, and from there to the page they wanted."""
    answer = browser.get("/portal/worksets/ws-1?attempt=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/portal/login?after=%2Fportal%2Fworksets%2Fws-1%3Fattempt%3D2"

    after = re.search(r'name="after" value="([^"]+)"', browser.get(answer.headers["location"]).text)
    assert after
    assert sign_in(browser, after=after[1]).headers["location"] == "/portal/worksets/ws-1?attempt=2"


@pytest.mark.parametrize(
    "after",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "/portal/\\evil", "javascript:x",
        "/portalevil", "/portal/\r\nset-cookie: a=b", "/api", "",
    ],
)  # fmt: skip
def test_signing_in_never_leads_elsewhere(browser: Any, after: str) -> None:
    """Only pages of the portal can be the place to go on to."""
    assert sign_in(browser, after=after).headers["location"] == "/portal"


def test_scripts_are_told_not_sent_elsewhere(browser: Any) -> None:
    """What a script asks for is refused outright, so that it does not take a form for an answer."""
    assert browser.get("/portal/live/worksets").status_code == 401


def test_wrong_token(browser: Any) -> None:
    """A wrong token gives the form again, with a word on it, and no session."""
    answer = sign_in(browser, "wrong")

    assert answer.status_code == 401
    assert "not valid" in answer.text
    assert "daylily_session" not in str(answer.headers)
    assert browser.get("/portal").status_code == 303


def test_forms_need_their_token(browser: Any, service: Service) -> None:
    """A form that did not come from our page in this browser is refused, with the right token even."""
    csrf = csrf_of(browser.get("/portal/login"))
    forged = browser.post("/portal/login", data={"csrf": "x", "token": TOKEN})
    without = browser.post("/portal/login", data={"token": TOKEN})
    with service.client(None) as other:
        elsewhere = other.post("/portal/login", data={"csrf": csrf, "token": TOKEN})
        json = other.post("/portal/login", json={"csrf": csrf, "token": TOKEN})

    assert [answer.status_code for answer in (forged, without, elsewhere, json)] == [403, 403, 403, 415]


def test_guessing_is_slowed_down(browser: Any, service: Service) -> None:
    """After too many wrong tokens even the right one has to wait."""
    for _ in range(TRIES):
        assert sign_in(browser, "wrong").status_code == 401
    refused = sign_in(browser)

    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= WINDOW.total_seconds()
    service.clock.advance(WINDOW)
    assert sign_in(browser).status_code == 303


def test_sign_out(browser: Any) -> None:
    """Signing out ends the session itself, not only the cookie."""
    sign_in(browser)
    old = browser.cookies.get("daylily_session")
    page = browser.get("/portal")

    assert browser.post("/portal/logout", data={"csrf": "x"}).status_code == 403
    answer = browser.post("/portal/logout", data={"csrf": csrf_of(page)})

    assert answer.headers["location"] == "/portal/login?out=yes"
    assert "You are signed out" in browser.get("/portal/login?out=yes").text
    browser.cookies.set("daylily_session", old, path="/portal")
    assert browser.get("/portal").status_code == 303


def test_sessions_end_by_themselves(browser: Any, service: Service) -> None:
    """After twelve hours one signs in again."""
    sign_in(browser)
    service.clock.advance(LASTS - timedelta(seconds=1))
    assert browser.get("/portal").status_code == 200
    service.clock.advance(timedelta(seconds=1))
    assert browser.get("/portal").status_code == 303


def test_a_session_is_no_key_to_the_api(browser: Any) -> None:
    """The API takes tokens only: no page can have a browser use it."""
    sign_in(browser)
    assert browser.get("/worksets").status_code == 401


def test_without_authentication_there_is_nothing_to_sign_in_to(service: Service) -> None:
    """Where no token is asked for the pages are open, yet forms are still our own."""
    with service.client(None, admin_token=None) as client:
        workset_id = service.submitted(client)
        page = client.get("/portal")
        assert page.status_code == 200
        assert "Sign out" not in page.text
        assert client.get("/portal/login").headers["location"] == "/portal"
        path = f"/portal/worksets/{workset_id}/cancel"
        assert client.post(path, data={"csrf": "x"}).status_code == 403
        assert client.post(path, data={"csrf": csrf_of(client.get(path))}).status_code == 303


def test_nothing_secret_is_logged(browser: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither tokens nor ids of sessions are in any record of the log, or shown by what holds them."""
    caplog.set_level(logging.DEBUG)
    sign_in(browser, "wrong-token-of-somebody")
    sign_in(browser)
    browser.get("/portal")
    said = caplog.text + repr(browser.app)

    for secret in (TOKEN, "wrong-token-of-somebody", browser.cookies["daylily_session"]):
        assert secret not in said


def test_sessions_are_bounded_and_shown_to_nobody() -> None:
    """However many sign in, memory stays bounded: the oldest session goes."""
    people = [Principal(name=f"ada-{n}", customer_id="local") for n in range(MOST_SESSIONS + 1)]
    sessions = Sessions(ManualClock(), lambda _: people[0])
    held = SignedIn(token="of-ada", expires_in=timedelta(hours=1))
    ids = [sessions.begin(who, held) for who in people]

    assert len(set(ids)) == len(ids)
    assert sessions.find(ids[0]) is None
    newest = sessions.find(ids[-1])
    assert newest is not None
    assert newest.csrf not in repr(newest) + repr(sessions)
    assert ids[-1] not in repr(sessions)
    assert "of-ada" not in repr(sessions)


def test_a_page_learns_who_is_here(browser: Any) -> None:
    """A page that was left open is told the token of the session that there is, and whose it is."""
    assert browser.get("/portal/live/session").status_code == 401
    sign_in(browser)
    page = browser.get("/portal")
    assert browser.get("/portal/live/session").json() == {
        "csrf": csrf_of(page),
        "who": "local/admin",
    }
    assert 'data-who="local/admin"' in page.text


def test_nobody_signs_others_out_by_signing_in_often() -> None:
    """Of somebody who has very many sessions the oldest goes, whichever of their tokens began it."""
    ada, eve = (Principal(name=name, customer_id=name) for name in ("ada", "eve"))
    robot = Principal(name="eve/robot", customer_id="eve")
    sessions = Sessions(ManualClock(), lambda _: ada)
    held = SignedIn(token="any", expires_in=timedelta(hours=1))
    of_ada = sessions.begin(ada, held)
    first, *_, last = [
        sessions.begin(each, held) for each in (eve, robot) for _ in range(MOST_SESSIONS // 2)
    ]

    assert sessions.find(of_ada) is not None
    assert sessions.find(last) is not None
    assert sessions.find(first) is None
