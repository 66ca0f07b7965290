"""Who may call: nobody without the token, nobody for another customer, no page of another site."""

import logging
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from tests.integration.service.service import BASE, MINE, READS, TOKEN, Service, problem

from daylily.domain.customers import Principal
from daylily.domain.errors import InvalidInputError, UnauthenticatedError
from daylily.entrypoints.http import app as http_app
from daylily.entrypoints.http.app import create_asgi
from daylily.entrypoints.http.auth import AdminToken

CLOSED = [
    ("POST", f"{MINE}/worksets"), ("GET", f"{MINE}/worksets"), ("GET", f"{MINE}/worksets/ws-1"),
    ("POST", f"{MINE}/worksets/ws-1/cancel"), ("POST", f"{MINE}/worksets/ws-1/retry"),
    ("GET", f"{MINE}/worksets/ws-1/logs"), ("GET", f"{MINE}/worksets/ws-1/results"),
    ("GET", f"{MINE}/worksets/ws-1/results/a"), ("PUT", f"{MINE}/files/a"), ("GET", f"{MINE}/files"),
    ("DELETE", f"{MINE}/files/a"), ("GET", "/worksets"), ("GET", "/worksets/ws-1"),
]  # fmt: skip


def test_every_route_wants_the_token(service: Service) -> None:
    """Without the token, or with another, no route does anything, and none tells which was wrong."""
    values = None, "Bearer wrong", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer é", ""
    with service.client(None) as client:
        for prefix, (method, path), value in product(("", "/v1"), CLOSED, values):
            headers = {} if value is None else {"authorization": value.encode()}
            answer = client.request(method, prefix + path, headers=headers)
            problem(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert service.app.world.objects.list("").items == ()


def test_the_scheme_is_no_matter_of_case(service: Service) -> None:
    """``bearer`` is ``Bearer``."""
    with service.client(None) as client:
        answer = client.get(f"{MINE}/worksets", headers={"authorization": f"bearer  {TOKEN}"})
    assert answer.status_code == 200


def test_authentication_can_be_off(service: Service) -> None:
    """Without a token to ask for, whoever comes is the operator, under another name."""
    with service.client(None, admin_token=None) as client:
        workset_id = service.submitted(client)
        assert client.get(f"/worksets/{workset_id}").json()["submitted_by"] == "anonymous"


def test_a_blank_token_is_refused(service: Service) -> None:
    """A token that anyone could guess does not start a server."""
    for token in ("", "  "):
        with pytest.raises(InvalidInputError):
            create_asgi(service.app, admin_token=token)


def test_tokens_show_nowhere(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """No log record, header, body or representation holds a token, right or wrong."""
    caplog.set_level(logging.DEBUG)
    said = ""
    with service.client() as client:
        for value in (f"Bearer {TOKEN}", "Bearer wrong-token-of-somebody"):
            for path in (f"{MINE}/worksets", f"{MINE}/worksets/ws-1", "/nope"):
                answer = client.get(path, headers={"authorization": value})
                said += answer.text + repr(answer.headers)
        said += repr(client.app) + repr(client.app.state)
    who = Principal(name="admin", customer_id="local", operator=True)
    said += repr(AdminToken.of(TOKEN, who)) + caplog.text

    assert TOKEN not in said
    assert "wrong-token-of-somebody" not in said


class Tokens:
    """An authenticator with a token for each customer, as tokens of the API will be."""

    def __call__(self, headers: Mapping[str, str]) -> Principal:
        """Return the customer whose id is the token."""
        customer_id = headers.get("authorization", "").removeprefix("Bearer ")
        if customer_id not in {"local", "acme"}:
            raise UnauthenticatedError("no")
        return Principal(name=f"user of {customer_id}", customer_id=customer_id)


@pytest.fixture
def tenants(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a server whose callers are customers, not operators."""
    monkeypatch.setattr(http_app, "_authenticator", lambda *_: Tokens())
    asgi: Litestar = create_asgi(service.app, admin_token=TOKEN)
    with TestClient(asgi, base_url=BASE) as client:
        client.follow_redirects = False
        yield client


def bare(answer: Any, *gone: str) -> dict[str, Any]:
    """Return a problem without what differs from request to request."""
    body: dict[str, Any] = answer.json()
    text = str({name: body[name] for name in ("type", "title", "status", "detail")})
    for word in gone:
        text = text.replace(word, "*")
    return {"text": text, "status": answer.status_code, "headers": sorted(answer.headers)}


def test_another_customer_is_not_there(service: Service, tenants: Any) -> None:
    """A customer who exists and one who does not look the same to a third, on every route."""
    tenants.headers["authorization"] = "Bearer acme"
    workset_id = service.submitted(tenants, customer="acme")
    tenants.headers["authorization"] = "Bearer local"

    for method, path in CLOSED[:-2]:
        theirs = path.replace("/local/", "/acme/").replace("ws-1", workset_id)
        nobodys = path.replace("/local/", "/nobody/").replace("ws-1", "ws-unknown")
        answer, other = tenants.request(method, theirs), tenants.request(method, nobodys)
        problem(answer, 404, "not-found")
        assert bare(answer, "acme", workset_id) == bare(other, "nobody", "ws-unknown")
    assert [item.key for item in service.app.world.objects.list("files/").items] == [
        "files/acme/a_R1.fastq"
    ]


def test_another_customers_workset_is_not_there(service: Service, tenants: Any) -> None:
    """A workset of somebody else and one of nobody look the same under every address of mine."""
    tenants.headers["authorization"] = "Bearer acme"
    theirs = service.submitted(tenants, customer="acme")
    tenants.headers["authorization"] = "Bearer local"

    for start in (f"{MINE}/worksets", "/api/customers/-/worksets", "/worksets"):
        answer, other = tenants.get(f"{start}/{theirs}"), tenants.get(f"{start}/ws-unknown")
        problem(answer, 404, "not-found")
        assert bare(answer, theirs) == bare(other, "ws-unknown")
    problem(tenants.post(f"{MINE}/worksets/{theirs}/cancel"), 404, "not-found")
    assert service.app.world.store.get(theirs).state == "ready"


def test_lists_show_ones_own(service: Service, tenants: Any) -> None:
    """Where an operator would see everything, a customer sees what is theirs."""
    tenants.headers["authorization"] = "Bearer acme"
    service.submitted(tenants, customer="acme")
    tenants.headers["authorization"] = "Bearer local"
    mine = service.submitted(tenants)

    assert [view["workset_id"] for view in tenants.get("/worksets").json()] == [mine]
    page = tenants.get("/api/customers/-/worksets").json()
    assert [view["workset_id"] for view in page["worksets"]] == [mine]


@pytest.mark.parametrize(
    ("listens_on", "allowed", "refused"),
    [
        (
            "127.0.0.1",
            ("localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"),
            ("evil.example", "127.0.0.1.evil.example:8000", "localhost.evil.example", "[::2]"),
        ),
        ("::1", ("[::1]:9",), ("evil.example:80",)),
        ("0.0.0.0", ("lab.example", "10.0.0.7:8000"), ()),  # noqa: S104
    ],
)
def test_hosts(listens_on: str, allowed: tuple[str, ...], refused: tuple[str, ...]) -> None:
    """On loopback only names of loopback are answered, so that no stranger's name can lead here."""
    with Service.new(host=listens_on).client() as client:
        for host in allowed:
            assert client.get(f"{MINE}/worksets", headers={"host": host}).status_code == 200
            assert client.get("/portal/login", headers={"host": host}).status_code == 200
        for host in refused:
            problem(client.get(f"{MINE}/worksets", headers={"host": host}), 421, "misdirected")
            assert client.get("/portal/login", headers={"host": host}).status_code == 421


def test_pages_of_other_sites_change_nothing(service: Service) -> None:
    """A browser acting for a page of another site is refused, even where no token is asked for."""
    evil: tuple[dict[str, str], ...] = (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": BASE},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"{BASE}1"},
    )
    with service.client(None, admin_token=None) as client:
        workset_id = service.submitted(client)
        for headers in evil:
            put = client.put(f"{MINE}/files/b.fastq", content=READS, headers=headers)
            problem(put, 403, "forbidden")
            cancel = client.post(f"{MINE}/worksets/{workset_id}/cancel", headers=headers)
            problem(cancel, 403, "forbidden")
            look = client.get(f"{MINE}/worksets/{workset_id}", headers=headers)
            assert look.json()["state"] == "ready"


def test_our_own_pages_and_programs_may(service: Service) -> None:
    """Programs, which say nothing of where they come from, and our own pages are let through."""
    own: tuple[dict[str, str], ...] = (
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": BASE},
    )
    with service.client(None, admin_token=None) as client:
        for headers in own:
            put = client.put(f"{MINE}/files/b.fastq", content=READS, headers=headers)
            assert put.status_code == 201
