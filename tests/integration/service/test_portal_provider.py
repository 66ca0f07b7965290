"""Signing in to the portal at a provider's own page, and everything that may go wrong on the way."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import define, evolve, field
from tests.integration.service.service import Service

from daylily.bootstrap import compose
from daylily.domain.customers import Principal
from daylily.domain.errors import NotAllowedError, UnauthenticatedError
from daylily.entrypoints.portal.desk import PATIENCE
from daylily.ports.identities import SignedIn


@define
class Elsewhere:
    """A provider, and what verifies its tokens."""

    name: str = "id.example"
    nonces: dict[str, tuple[str, str]] = field(factory=dict)
    out: list[str] = field(factory=list)
    belongs: bool = True

    def address(self, *, back_to: str, state: str, nonce: str, verifier: str) -> str:
        """Remember who sets out."""
        self.nonces[f"code-for-{state}"] = (nonce, verifier)
        return f"https://id.example/authorize?state={state}&redirect_uri={back_to}"

    def exchange(self, code: str, *, back_to: str, nonce: str, verifier: str) -> SignedIn:
        """Give a token for a code, once."""
        if self.nonces.pop(code, None) != (nonce, verifier):
            raise UnauthenticatedError("no")
        return SignedIn(token="id-token", expires_in=timedelta(minutes=5), refresh_token="more")

    def refresh(self, refresh_token: str) -> SignedIn:
        """Nothing is renewed here."""
        raise UnauthenticatedError("no")

    def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """Remember what was taken back."""
        self.out.append(str(signed_in.refresh_token))

    def knows(self, token: str) -> bool:
        """Know its own."""
        return token == "id-token"

    def verify(self, token: str) -> Principal:
        """Say whose it is."""
        if not self.belongs:
            raise NotAllowedError("the token names no customer")
        return Principal(name="ada@acme.example", customer_id="acme")


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
def browser(service: Service, elsewhere: Elsewhere) -> Iterator[Any]:
    """A browser at a service whose people sign in elsewhere."""
    world = evolve(service.app.world, provider=elsewhere, verifiers=(elsewhere,))
    other = Service(service.clock, compose(service.app.settings, world), service.compute)
    with other.client(None) as client:
        yield client


def set_out(browser: Any, after: str = "/portal/worksets") -> str:
    """Go to the provider; return the state that it was told."""
    answer = browser.get("/portal/login/provider", params={"after": after})
    assert answer.status_code == 303
    found = urlsplit(answer.headers["location"])
    assert found.netloc == "id.example"
    said = parse_qs(found.query)
    assert said["redirect_uri"] == ["http://127.0.0.1:8000/portal/login/back"]
    return str(said["state"][0])


def come_back(browser: Any, state: str, code: str | None = None) -> Any:
    """Come back with a code."""
    params = {"state": state, "code": f"code-for-{state}" if code is None else code}
    return browser.get("/portal/login/back", params=params)


def test_there_and_back(browser: Any, elsewhere: Elsewhere) -> None:
    """From a page to the provider and back to the page, and out again there, too."""
    assert "Sign in at id.example" in browser.get("/portal/login?after=/portal/worksets").text
    answer = come_back(browser, set_out(browser))

    assert answer.status_code == 200
    # A page that goes on by itself: a redirect be the other site's, without cookies.
    assert '<meta http-equiv="refresh" content="0; url=/portal/worksets">' in answer.text
    page = browser.get("/portal/worksets")
    assert "ada@acme.example" in page.text

    csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
    browser.post("/portal/logout", data={"csrf": csrf})
    assert elsewhere.out == ["more"]


def test_a_strangers_code_signs_nobody_in(browser: Any, service: Service) -> None:
    """A code that another browser has fetched, or a state of nobody's, is refused in our own words."""
    state = set_out(browser)
    browser.cookies.delete("daylily_journey")
    refused = [come_back(browser, state), come_back(browser, ""), come_back(browser, "x", "<script>")]
    assert [answer.status_code for answer in refused] == [401] * 3
    assert all("did not work out" in answer.text for answer in refused)
    assert not any("<script>" in answer.text for answer in refused)
    assert browser.get("/portal").status_code == 303


def test_a_way_is_gone_once(browser: Any, elsewhere: Elsewhere, service: Service) -> None:
    """Neither a second time, nor with another code, nor after a quarter of an hour."""
    state = set_out(browser)
    assert come_back(browser, state, "another").status_code == 401
    assert come_back(browser, state).status_code == 401
    late = set_out(browser)
    service.clock.advance(PATIENCE)
    assert come_back(browser, late).status_code == 401
    denied = browser.get("/portal/login/back", params={"state": set_out(browser), "error": "denied"})
    assert denied.status_code == 401


def test_whoever_belongs_to_nobody_is_told(browser: Any, elsewhere: Elsewhere) -> None:
    """A person without a customer reads why they cannot come in."""
    elsewhere.belongs = False
    answer = come_back(browser, set_out(browser))
    assert (answer.status_code, "names no customer" in answer.text) == (403, True)


def test_the_way_back_leads_to_our_pages_alone(browser: Any) -> None:
    """Whatever the address of the way there says."""
    answer = come_back(browser, set_out(browser, "https://evil.example/"))
    assert 'content="0; url=/portal"' in answer.text


def test_without_a_provider_there_is_no_way(service: Service) -> None:
    """Where no provider is set, nothing leads to one."""
    with service.client(None) as browser:
        for path in ("/portal/login/provider", "/portal/login/back"):
            assert browser.get(path).status_code == 404
