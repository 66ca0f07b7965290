"""Every route and every kind of caller: what each of them is answered."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from attrs import field, frozen
from litestar import Litestar
from tests.integration.service.service import READS, Service

from daylily.bootstrap import own_customer
from daylily.domain.customers import Principal, Role, Scope

CALLERS: Final = ("none", "forged", "expired", "other tenant", "own user", "own admin", "operator")
STRANGERS: Final = CALLERS[:3]


@frozen
class Row:
    """
    What a route answers.

    Args:
        own: Status for a user of the customer, for an admin of it, and for an operator.
        other: Status for a user of another customer.
        strangers: Status for whoever has no token that is good.
        send: What to send, as httpx has it.
    """

    own: tuple[int, int, int]
    other: int = 404
    strangers: int = 401
    send: dict[str, Any] = field(factory=dict)

    def of(self, caller: str) -> int:
        """Return the status for a caller."""
        if caller in STRANGERS:
            return self.strangers
        named = dict(zip(CALLERS[4:], self.own, strict=True))
        return named.get(caller, self.other)


def everybody(status: int = 200, **send: Any) -> Row:
    """Return the row of a route that answers everybody alike."""
    return Row((status,) * 3, other=status, strangers=status, send=send)


def members(status: int = 200, **send: Any) -> Row:
    """Return the row of a route for whoever belongs to the customer."""
    return Row((status,) * 3, send=send)


def admins(status: int = 200, **send: Any) -> Row:
    """Return the row of a route for those who manage the customer."""
    return Row((403, status, status), send=send)


def operators(status: int = 200, other: int = 404, **send: Any) -> Row:
    """Return the row of a route for operators."""
    return Row((403, 403, status), other=other, send=send)


def anybody(status: int = 200, **send: Any) -> Row:
    """Return the row of a route for whoever is signed in, who sees nothing but their own there."""
    return Row((status,) * 3, other=status, send=send)


CID: Final = "/api/customers/{cid:str}"
ONE: Final = f"{CID}/worksets/{{workset_id:str}}"
SUBMISSION: Final = {
    "workset_name": "First",
    "pipeline_type": "fastq-qc",
    "samples": [{"sample_id": "NA12878", "r1_file": "a_R1.fastq"}],
}
FORM: Final = {"files": {"file": ("b.fastq", READS)}}
ESTIMATE: Final = {"pipeline_type": "germline", "reference_genome": "GRCh38", "sample_count": 5}
NEWCOMER: Final = {"customer_name": "New", "email": "n@new.example"}

MATRIX: Final[dict[str, Row]] = {
    "GET /": everybody(),
    "GET /health/live": everybody(),
    "GET /health/ready": everybody(),
    "GET /docs": everybody(),
    "GET /docs/{name:str}": everybody(404),
    "POST /api/estimate-cost": everybody(json=ESTIMATE),
    "POST /api/auth/sign-in": everybody(401, json={"name": "nobody", "password": "x"}),
    "POST /api/auth/new-password": everybody(
        401, json={"name": "nobody", "session": "x", "new_password": "y"}
    ),
    "POST /api/auth/refresh": everybody(401, json={"refresh_token": "x"}),
    "POST /api/auth/forgot-password": everybody(403, json={"name": "nobody"}),
    "POST /api/auth/reset-password": everybody(
        403, json={"name": "nobody", "code": "1", "new_password": "y"}
    ),
    "POST /api/auth/sign-out": anybody(204),
    "GET /api/auth/me": anybody(),
    "GET /worksets": anybody(),
    "GET /worksets/{workset_id:str}": members(),
    "POST /worksets": operators(422, other=403, json={}),
    "GET /worksets/next": operators(other=403),
    "POST /worksets/validate": operators(422, other=403),
    "POST /worksets/generate-yaml": anybody(422, json={}),
    "PUT /worksets/{workset_id:str}/state": operators(422, other=403, json={}),
    "POST /worksets/{workset_id:str}/lock": operators(422, other=403),
    "DELETE /worksets/{workset_id:str}/lock": operators(422, other=403),
    "PUT /worksets/{workset_id:str}/priority": members(json={"priority": "low"}),
    "GET /queue/stats": operators(other=403),
    "GET /scheduler/stats": operators(other=403),
    "GET /metrics": operators(other=403),
    f"GET {CID}/usage": members(),
    "GET /customers/{cid:str}/usage": members(),
    f"GET {CID}/worksets": members(),
    f"GET {CID}/worksets/archived": members(),
    f"POST {CID}/worksets": members(201, json=SUBMISSION),
    f"POST {CID}/worksets/validate": members(json=SUBMISSION),
    f"GET {ONE}": members(),
    f"GET {ONE}/why": members(),
    f"GET {ONE}/history": members(),
    f"POST {ONE}/cancel": members(202),
    f"POST {ONE}/retry": members(409),
    f"PUT {ONE}/priority": members(json={"priority": "low"}),
    f"POST {ONE}/archive": members(409),
    f"POST {ONE}/restore": members(409),
    f"POST {ONE}/delete": members(409),
    # What is no id of an event is refused to whoever may listen: a stream would not end.
    f"GET {ONE}/events": members(422, headers={"last-event-id": "x"}),
    f"GET {ONE}/logs": members(),
    f"GET {ONE}/results": members(),
    f"GET {ONE}/results/{{key:path}}": members(404),
    f"GET {CID}/files": members(),
    f"PUT {CID}/files/{{key:path}}": members(201, content=READS),
    f"GET {CID}/files/{{key:path}}": members(),
    f"DELETE {CID}/files/{{key:path}}": members(),
    f"POST {CID}/files/upload": members(201, **FORM),
    f"POST {CID}/files/create-folder": members(201, json={"folder_path": "new"}),
    f"POST {CID}/uploads": members(201, json={"key": "large.fastq", "size": 4}),
    f"GET {CID}/uploads/{{upload_id:str}}": members(),
    f"PATCH {CID}/uploads/{{upload_id:str}}": members(content=b"@", headers={"upload-offset": "0"}),
    f"DELETE {CID}/uploads/{{upload_id:str}}": members(),
    f"POST {CID}/uploads/{{upload_id:str}}/complete": members(409),
    "GET /signed/{token:str}/{cid:str}/{key:path}": everybody(404),
    "POST /customers": operators(201, other=403, json=NEWCOMER),
    "GET /customers": operators(other=403),
    "GET /customers/{cid:str}": members(),
    "PATCH /customers/{cid:str}": operators(json={"max_concurrent_worksets": 7}),
    f"GET {CID}/members": admins(),
    f"POST {CID}/members": admins(201, json={"name": "newcomer-{n}"}),
    f"DELETE {CID}/members/{{name:str}}": admins(204),
    f"GET {CID}/tokens": members(),
    f"POST {CID}/tokens": members(201, json={"name": "a program"}),
    f"DELETE {CID}/tokens/{{token_id:str}}": Row((404, 204, 204)),
    f"GET {CID}/audit": admins(),
}
"""A route that is not here fails the test: say who may call it."""

ELSEWHERE: Final = ("/portal", "/openapi.json")
"""The portal has sessions of its own, and the document is for everybody who gets to the door."""


def routes(asgi: Litestar) -> Iterator[str]:
    """Yield every route: its method and path."""
    for route in asgi.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in set(handler.http_methods) - {"OPTIONS", "HEAD"}:
                if not route.path.startswith(ELSEWHERE):
                    yield f"{method} {route.path}"


@frozen
class World:
    """A service with callers of every kind."""

    service: Service
    client: Any
    tokens: dict[str, str]

    def ask(self, caller: str, route: str, row: Row, number: int, prefix: str) -> Any:
        """Have a caller ask a route for things of the customer ``local`` that are there."""
        method, _, template = route.partition(" ")
        app, who = self.service.app, Principal.of("ada", "local", Role.ADMIN)
        app.world.objects.put("files/local/a_R1.fastq", READS)
        names = {
            "{cid:str}": "local",
            "{key:path}": "a_R1.fastq",
            "{name:str}": "gone",
            "{token:str}": "0-0",
        }
        if "{workset_id:str}" in template:
            names["{workset_id:str}"] = self.service.submitted_directly()
        if template.endswith(("/logs", "/results")):
            self.service.launched_directly(names["{workset_id:str}"])
        if "{token_id:str}" in template:
            made = app.tokens.create(who, "local", name="x", scope=Scope.READ, lasts=timedelta(days=1))
            names["{token_id:str}"] = made[0].token_id
        if template.endswith("/members/{name:str}"):
            names["{name:str}"] = f"leaver-{number}"
            self.service.person(f"leaver-{number}")
        if "{upload_id:str}" in template:
            names["{upload_id:str}"], _ = app.uploads.begin(who, "local", "large.fastq", 4)
        path = template
        for name, value in names.items():
            path = path.replace(name, value)
        send = dict(row.send)
        if "json" in send and "{n}" in str(send["json"]):
            send["json"] = {"name": f"newcomer-{number}"}
        token = self.tokens.get(caller)
        if template.endswith("/sign-out") and caller not in STRANGERS:
            token = self.service.person(f"out-{number}")  # the others stay
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        headers |= send.pop("headers", {})
        return self.client.request(method, prefix + path, headers=headers, **send)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A service, and a token for each kind of caller."""
    service = Service.new()
    customers = service.app.world.customers
    customers.save(customers.get("local"), own_customer(service.app.settings))
    ada = Principal.of("ada", "local", Role.ADMIN)
    _, short = service.app.tokens.create(
        ada, "local", name="old", scope=Scope.ADMIN, lasts=timedelta(seconds=1)
    )
    service.clock.advance(timedelta(seconds=1))
    tokens = {
        "forged": f"{short[:-8]}AAAAAAAA",
        "expired": short,
        "other tenant": service.person("eve", "acme", Role.ADMIN),
        "own user": service.person("bob"),
        "own admin": service.person("ada", role=Role.ADMIN),
        "operator": service.person("root", "acme", Role.OPERATOR),
    }
    with service.client(None) as client:
        yield World(service, client, tokens)


def known(world: World) -> set[str]:
    """Return the routes that the service has, without their documented prefix."""
    return {route.replace(" /v1/", " /") for route in routes(world.client.app)}


def test_no_route_is_without_a_row(world: World) -> None:
    """Whoever adds a route says who may call it; rows of routes that are gone go, too."""
    assert known(world) == MATRIX.keys()


@pytest.mark.parametrize("route", MATRIX)
def test_matrix(world: World, route: str) -> None:
    """Each kind of caller is answered as the row says, at both addresses of the route."""
    row = MATRIX[route]
    addresses = ["", "/v1"] if route.replace(" /", " /v1/", 1) in routes(world.client.app) else [""]
    answered, number = {}, 0
    for caller in CALLERS:
        for prefix in addresses if caller in {"none", "own user"} else addresses[:1]:
            number += 1
            # Guesses at passwords are counted, and here are more than a person makes.
            if row.strangers == 401 and row.other == 401:
                world.service.clock.advance(timedelta(minutes=6))
            answer = world.ask(caller, route, row, number, prefix)
            answered[caller] = answer.status_code
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"] == 'Bearer realm="daylily"'
    assert answered == {caller: row.of(caller) for caller in CALLERS}


CHECKS = {
    "POST /worksets/validate",
    "POST /worksets/generate-yaml",
    f"POST {CID}/worksets/validate",
}
"""They store nothing."""


def test_a_token_that_reads_changes_nothing(world: World) -> None:
    """403 for every method that changes something, before anything is looked at."""
    ada = Principal.of("root", "acme", Role.OPERATOR)
    _, reads = world.service.app.tokens.create(
        ada, "acme", name="dashboard", scope=Scope.READ, lasts=timedelta(days=300)
    )
    for number, (route, row) in enumerate(MATRIX.items()):
        method = route.partition(" ")[0]
        if method == "GET" or 401 not in {row.strangers} - {row.other} or route.endswith("sign-out"):
            continue
        tokens = {**world.tokens, "reads": reads}
        asked = World(world.service, world.client, tokens)
        answer = asked.ask("reads", route, row, 1000 + number, "")
        assert (answer.status_code == 403) == (route not in CHECKS), route


def test_others_are_told_nothing(world: World) -> None:
    """What another tenant has is answered in the same words as what is not there (D-45)."""
    theirs, missing = world.service.submitted_directly(), "none-0000000000"
    headers = {"authorization": f"Bearer {world.tokens['other tenant']}"}

    def told(cid: str, workset_id: str) -> str:
        path = f"/api/customers/{cid}/worksets/{workset_id}"
        body = world.client.get(path, headers=headers).json()
        kept = {name: body[name] for name in ("type", "title", "status", "detail")}
        return str(kept).replace(cid, "CID").replace(workset_id, "ID")

    assert told("local", theirs) == told("nobody", missing)
    assert told("acme", theirs) == told("acme", missing)
