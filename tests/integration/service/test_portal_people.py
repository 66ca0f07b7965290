"""People at the portal's door: names and passwords, first passwords, being removed, forms that wait."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from tests.integration.service.door import csrf_of, sign_in
from tests.integration.service.service import FIRST, PASSWORD, Service

from daylily.bootstrap import compose
from daylily.domain.customers import Principal, Role, Scope
from daylily.domain.errors import UnauthenticatedError, UnavailableError
from daylily.domain.passwords import SHORTEST
from daylily.entrypoints.portal.desk import PATIENCE
from daylily.entrypoints.portal.sessions import CHECKED_EVERY, LASTS, RENEWED_EVERY, Sessions
from daylily.ports.identities import Member, SignedIn
from daylily.testing.clock import ManualClock

ADA = "ada@acme.example"


@pytest.fixture
def browser(service: Service) -> Iterator[Any]:
    """A browser of nobody yet, at a service that Ada may sign in to."""
    member = Member(name=ADA, customer_id="acme", role=Role.USER)
    service.app.world.identities.add(member, FIRST)
    with service.client(None) as client:
        yield client


def by_password(browser: Any, password: str, **fields: str) -> Any:
    """Fill in name and password."""
    form = {"csrf": csrf_of(browser.get("/portal/login")), "name": ADA, "password": password, **fields}
    return browser.post("/portal/login", data=form)


def choose(browser: Any, asked: Any, new: str = PASSWORD, again: str | None = None) -> Any:
    """Answer the question for a password of one's own."""
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', asked.text))
    form = {**hidden, "new_password": new, "again": new if again is None else again}
    return browser.post("/portal/login/new-password", data=form)


def entered(browser: Any) -> None:
    """Let Ada in, with a password of her own."""
    assert choose(browser, by_password(browser, FIRST)).status_code == 303


def test_a_first_password_is_replaced(browser: Any) -> None:
    """Whoever was given a password chooses their own first, and is then signed in."""
    asked = by_password(browser, FIRST, after="/portal/worksets")
    assert "Choose a password of your own" in asked.text
    assert f"{SHORTEST} characters or more" in asked.text
    assert f'minlength="{SHORTEST}"' in asked.text
    assert browser.get("/portal").status_code == 303

    differing = choose(browser, asked, again="something-else")
    assert "not the same" in differing.text
    weak = choose(browser, differing, "short")
    assert (weak.status_code, "12 characters" in weak.text) == (422, True)
    done = choose(browser, weak)

    assert (done.status_code, done.headers["location"]) == (303, "/portal/worksets")
    assert ADA in browser.get("/portal").text


def test_a_first_password_is_not_asked_for_ever(browser: Any, service: Service) -> None:
    """A question that lay about too long, or was answered already, begins anew."""
    asked = by_password(browser, FIRST)
    service.clock.advance(PATIENCE)
    assert "That took too long" in choose(browser, asked).text
    entered(browser)
    assert "took too long" in choose(browser, asked).text or browser.get("/portal").status_code == 200


def test_a_wrong_password(browser: Any) -> None:
    """Neither name nor password is told to be the wrong one, and the name is not typed again."""
    answer = by_password(browser, "wrong-password-1")
    nobody = by_password(browser, "wrong-password-1", name="eve@acme.example")

    assert (answer.status_code, nobody.status_code) == (401, 401)
    assert "The name or the password is wrong." in answer.text
    assert "The name or the password is wrong." in nobody.text
    assert f'value="{ADA}"' in answer.text
    assert "wrong-password-1" not in answer.text


def test_codes_are_not_sent_where_there_is_no_mail(browser: Any) -> None:
    """Whoever forgot a local password is told whom to ask, whether there is such a name or not."""
    page = browser.get("/portal/login/forgot")
    answers = [
        browser.post("/portal/login/forgot", data={"csrf": csrf_of(page), "name": name})
        for name in (ADA, "eve@acme.example", "")
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 422]
    assert "No codes are sent here" in answers[0].text
    reset = {"csrf": csrf_of(page), "name": ADA, "code": "1", "new_password": "x", "again": "x"}
    assert browser.post("/portal/login/reset", data=reset).status_code == 403
    assert browser.post("/portal/login/reset", data={**reset, "again": "y"}).status_code == 422


def test_whoever_is_removed_is_out_within_a_minute(browser: Any, service: Service) -> None:
    """A session of the portal does not outlive the right to it."""
    entered(browser)
    service.app.world.identities.remove("acme", ADA)

    service.clock.advance(CHECKED_EVERY)

    assert browser.get("/portal").headers["location"] == "/portal/login"


def test_a_revoked_token_is_out_within_a_minute(service: Service) -> None:
    """So is whoever signed in with a token of a program that was revoked since."""
    admin = Principal(name="ada", customer_id="acme", admin=True)
    token, text = service.app.tokens.create(
        admin, "acme", name="robot", scope=Scope.SUBMIT, lasts=timedelta(days=7)
    )
    with service.client(None) as browser:
        assert sign_in(browser, text).status_code == 303
        service.app.tokens.revoke(admin, "acme", token.token_id)
        service.clock.advance(CHECKED_EVERY)
        assert browser.get("/portal").status_code == 303


def test_a_new_role_counts_within_a_minute(browser: Any, service: Service) -> None:
    """What somebody may see is what they may now, not what they might when they signed in."""
    entered(browser)
    assert "/portal/worksets" in browser.get("/portal").text
    service.app.world.identities.remove("acme", ADA)
    member = Member(name=ADA, customer_id="local", role=Role.OPERATOR)
    service.app.world.identities.add(member, FIRST)
    service.clock.advance(CHECKED_EVERY)
    assert browser.get("/portal").status_code == 303  # the name is the same, the person is not


def test_an_outage_signs_nobody_out(browser: Any, service: Service, monkeypatch: Any) -> None:
    """While nobody can tell whether somebody still may, the answer is that, and they stay signed in."""
    entered(browser)
    service.clock.advance(CHECKED_EVERY)
    identities = type(service.app.world.identities)

    def away(*_: Any) -> Principal:
        raise UnavailableError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(identities, "verify", away)
        assert browser.get("/portal").status_code == 503
    assert browser.get("/portal").status_code == 200


def test_signing_out_takes_back_what_was_given(browser: Any, service: Service) -> None:
    """The session that the store keeps is over with that of the browser."""
    given: list[str] = []
    identities = service.app.world.identities
    real = type(identities).answer

    def answer(self: Any, *arguments: Any) -> SignedIn:
        found = real(self, *arguments)
        given.append(found.token)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(identities), "answer", answer)
        entered(browser)
    browser.post("/portal/logout", data={"csrf": csrf_of(browser.get("/portal"))})

    with pytest.raises(UnauthenticatedError):
        identities.verify(given[0])  # type: ignore[attr-defined]


def test_a_form_is_not_lost_with_a_session(browser: Any, service: Service) -> None:
    """What was filled in comes back after signing in, with a question; nothing was done yet."""
    entered(browser)
    with service.client() as api:
        workset_id = service.submitted(api, customer="acme")
    path = f"/portal/worksets/{workset_id}/cancel"
    form = {"csrf": csrf_of(browser.get(path)), "note": "<b>why</b> & more"}
    service.clock.advance(LASTS)

    refused = browser.post(path, data=form)
    assert refused.status_code == 401
    assert "nothing has been done" in refused.text
    hidden = dict(re.findall(r'name="(csrf|after|unsent)" value="([^"]*)"', refused.text))
    hidden["unsent"] = hidden["unsent"].replace("&amp;", "&")
    question = browser.post("/portal/login", data={**hidden, "name": ADA, "password": PASSWORD})

    assert "Send it again?" in question.text
    assert f'action="{path}"' in question.text
    assert 'value="&lt;b&gt;why&lt;/b&gt; &amp; more"' in question.text
    assert service.app.world.store.get(workset_id).state == "ready"
    assert question.text.count('name="csrf" value="') == 2  # to sign out, and to send: the new one
    assert browser.post(path, data={"csrf": csrf_of(question)}).status_code == 303
    assert service.app.world.store.get(workset_id).state == "canceled"


def test_a_form_of_another_place_is_not_sent_on(browser: Any) -> None:
    """Signing in sends a form on to no place but ours."""
    answer = by_password(browser, FIRST, after="https://evil.example/", unsent="a=b")
    done = choose(browser, answer)
    assert 'action="/portal"' in done.text
    assert "evil" not in done.text


class Pool:
    """A pool of people that renews what it gave out, until somebody is removed from it."""

    def __init__(self) -> None:
        self.removed = False
        self.renewed = 0
        self.out: list[SignedIn] = []

    def verify(self, token: str) -> Principal:
        """Take any token of the last two, as signatures do."""
        if token not in {f"token-{self.renewed}", f"token-{self.renewed - 1}"}:
            raise UnauthenticatedError("no")
        return Principal(name="ada", customer_id="acme")

    def refresh(self, refresh_token: str) -> SignedIn:
        """Renew, as a pool does."""
        if self.removed:
            raise UnauthenticatedError("removed")
        self.renewed += 1
        return signed(self.renewed)

    def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """Remember what was taken back."""
        self.out.append(signed_in)


def signed(number: int) -> SignedIn:
    """Return what a pool gives out."""
    return SignedIn(
        token=f"token-{number}",
        expires_in=timedelta(hours=1),
        refresh_token="refresh" if number == 0 else None,
        access_token="access",
    )


def test_a_pool_is_asked_every_ten_minutes() -> None:
    """A signed token is good until it runs out; whoever is removed from the pool is out before that."""
    clock, pool = ManualClock(), Pool()
    sessions = Sessions(clock, pool.verify)
    session_id = sessions.begin(pool.verify("token-0"), signed(0), pool)

    clock.advance(CHECKED_EVERY)
    assert sessions.find(session_id) is not None
    assert pool.renewed == 0
    clock.advance(RENEWED_EVERY)
    assert sessions.find(session_id) is not None
    assert pool.renewed == 1
    pool.removed = True
    clock.advance(RENEWED_EVERY)
    assert sessions.find(session_id) is None
    assert sessions.find(session_id) is None


def test_signing_out_gives_the_pool_its_own_back() -> None:
    """The refresh token is kept over renewals, and taken back at the end."""
    clock, pool = ManualClock(), Pool()
    sessions = Sessions(clock, pool.verify)
    session_id = sessions.begin(pool.verify("token-0"), signed(0), pool)
    clock.advance(RENEWED_EVERY)
    sessions.find(session_id)

    sessions.end(session_id)

    assert [each.refresh_token for each in pool.out] == ["refresh"]
    assert sessions.find(session_id) is None


def test_a_pool_that_is_away_does_not_keep_anybody(service: Service) -> None:
    """Signing out works without the pool, and says that the pool does not know yet."""

    class Away(Pool):
        def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
            raise UnavailableError("away")

        def sign_in(self, name: str, password: str) -> SignedIn:
            return SignedIn(token=TOKEN_OF_ALL, expires_in=timedelta(hours=1), access_token="a")

        def knows(self, token: str) -> bool:
            return token == TOKEN_OF_ALL

        def verify(self, token: str) -> Principal:
            return Principal(name="ada", customer_id="acme")

    away: Any = Away()
    world = evolve(service.app.world, identities=away, verifiers=(away,))
    other = Service(service.clock, compose(service.app.settings, world), service.compute)
    with other.client(None) as browser:
        assert by_password(browser, "whatever").status_code == 303
        answer = browser.post("/portal/logout", data={"csrf": csrf_of(browser.get("/portal"))})
        assert answer.headers["location"] == "/portal/login?out=here"
        assert "signed out here" in browser.get(answer.headers["location"]).text
        assert browser.get("/portal").status_code == 303


TOKEN_OF_ALL = "a-token-of-a-pool"


def test_whoever_may_only_read_signs_out(service: Service) -> None:
    """Whoever is in by a token that reads can leave, and can change nothing before they do."""
    admin = Principal(name="admin", customer_id="local", operator=True)
    _, text = service.app.tokens.create(
        admin, "acme", name="look", scope=Scope.READ, lasts=timedelta(days=1)
    )
    with service.client(None) as browser:
        sign_in(browser, text)
        form = {"csrf": csrf_of(browser.get("/portal"))}
        assert browser.post("/portal/files/folder", data={**form, "name": "x"}).status_code == 403
        assert browser.post("/portal/logout", data=form).status_code == 303
        assert browser.get("/portal").status_code == 303
