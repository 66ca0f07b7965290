"""How far a token reaches, whatever its role: at each form of the portal, and at checks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar
from tests.integration.service.door import csrf_of, sign_in
from tests.integration.service.service import MINE, Service, problem

from daylily.domain.customers import Principal, Role, Scope
from daylily.entrypoints.http.app import create_asgi

OPERATOR = Principal(name="ada", customer_id="local", operator=True)

OPEN = {
    "/portal/login",
    "/portal/login/forgot",
    "/portal/login/new-password",
    "/portal/login/reset",
    "/portal/logout",
}
LOOKS = {"/portal/yaml"}
"""What only checks, and so is for whoever may read."""


SAMPLES = [{"sample_id": "NA12878", "r1_file": "a_R1.fastq", "r2_file": "a_R2.fastq"}]


def token(service: Service, scope: Scope) -> str:
    """Return the text of an operator's token."""
    day = timedelta(days=1)
    return service.app.tokens.create(OPERATOR, "local", name="x", scope=scope, lasts=day)[1]


@contextmanager
def signed_in(service: Service, scope: Scope) -> Iterator[tuple[Any, str]]:
    """Yield a browser that came with such a token, and what its forms carry."""
    with service.client(None) as browser:
        sign_in(browser, token(service, scope))
        yield browser, csrf_of(browser.get("/portal"))


def forms(service: Service) -> list[str]:
    """Return the addresses of all forms of the portal."""
    asgi: Litestar = create_asgi(service.app, admin_token=None)
    return sorted(
        route.path_format.replace("{cid}", "local").replace("{workset_id}", "ws-1")
        for route in asgi.routes
        if route.path_format.startswith("/portal") and "POST" in route.methods
    )


def test_whoever_may_read_sends_no_form(service: Service) -> None:
    """But those that only check; each further form of the portal is held to it."""
    found = set(forms(service)) - OPEN
    assert len(found) > 20
    with signed_in(service, Scope.READ) as (browser, csrf):
        for path in found:
            answer = browser.post(path, data={"csrf": csrf})
            assert (answer.status_code == 403) == (path not in LOOKS), (path, answer.status_code)


def test_whoever_may_submit_does_not_run_the_place(service: Service) -> None:
    """Operators' forms need a token of the scope admin beside the role."""
    fleet = [path for path in forms(service) if path.startswith("/portal/fleet")]
    assert len(fleet) >= 4
    with signed_in(service, Scope.SUBMIT) as (browser, csrf):
        for path in fleet:
            form = {"csrf": csrf, "kind": "check", "notice": "x"}
            answer = browser.post(path, data=form)
            assert answer.status_code == 403, path
            assert "scope is submit, and this needs admin" in answer.text, path
    with signed_in(service, Scope.ADMIN) as (browser, csrf):
        for path in fleet:
            assert browser.post(path, data={"csrf": csrf}).status_code != 403, path


def test_checks_are_for_whoever_may_read(service: Service) -> None:
    """They store nothing."""
    asked: dict[str, dict[str, Any]] = {
        "/worksets/generate-yaml": {"reference_genome": "GRCh38", "samples": SAMPLES},
        f"{MINE}/worksets/validate": {
            "workset_name": "x",
            "pipeline_type": "fastq-qc",
            "samples": SAMPLES,
        },
    }
    with service.client(token(service, Scope.READ)) as api:
        for path, body in asked.items():
            assert api.post(path, json=body).status_code == 200, path
        told = problem(api.post(f"{MINE}/worksets", json={"workset_name": "x"}), 403, "not-allowed")
        assert "scope is read" in told["detail"]


@pytest.mark.parametrize("spelling", ["ada@acme.example", "ADA@acme.example"])
def test_a_token_does_not_remove_its_maker(service: Service, spelling: str) -> None:
    """Nobody is locked out by their own program; another person's may remove them."""
    place = "/api/customers/acme"
    texts = {}
    for name in ("ada@acme.example", "bob@acme.example"):
        session = service.person(name, "acme", Role.ADMIN)
        with service.client(session) as api:
            made = api.post(f"{place}/tokens", json={"name": "robot", "scope": "admin"})
            texts[name] = made.json()["token"]

    with service.client(texts["ada@acme.example"]) as api:
        told = problem(api.delete(f"{place}/members/{spelling}"), 422, "invalid-input")
        assert "have somebody else remove you" in told["detail"]
        assert len(api.get(f"{place}/members").json()["members"]) == 2
    with service.client(texts["bob@acme.example"]) as api:
        assert api.delete(f"{place}/members/{spelling}").status_code == 204
