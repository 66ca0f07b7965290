"""What the old service let everybody do, and this one nobody (contract 10.3)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from litestar.testing import TestClient
from tests.integration.service.service import BASE, FIRST, PASSWORD, READS, Service, places, problem

from daylily.domain.customers import Principal, Role, Scope
from daylily.entrypoints.http.app import create_asgi

SUBMISSION: Final = {
    "workset_name": "First",
    "pipeline_type": "fastq-qc",
    "samples": [{"sample_id": "S1", "r1_file": "a_R1.fastq"}],
}


class People:
    """Ada, an admin of ``local``, Eve, an admin of ``acme``, and an operator."""

    def __init__(self, service: Service, client: Any) -> None:
        self.service, self.client = service, client
        self.tokens = {
            "ada": service.person("ada", role=Role.ADMIN),
            "bob": service.person("bob"),
            "eve": service.person("eve", "acme", Role.ADMIN),
            "root": service.person("root", role=Role.OPERATOR),
        }

    def ask(self, name: str | None, method: str, path: str, **more: Any) -> Any:
        """Ask as one of them, or as nobody."""
        token = "" if name is None else f"Bearer {self.tokens[name]}"
        return self.client.request(method, path, headers={"authorization": token}, **more)

    def get(self, name: str | None, path: str) -> Any:
        """Ask for something that is there."""
        answer = self.ask(name, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def people(service: Service) -> Iterator[People]:
    """People of two customers."""
    with service.client(None) as client:
        yield People(service, client)


def test_d_44_nothing_is_public(people: People) -> None:
    """D-44: Worksets, locks, states, files and customers are for nobody without a token."""
    workset_id = people.service.submitted_directly()
    for method, path in (
        ("GET", "/worksets"), ("POST", "/worksets"), ("GET", f"/worksets/{workset_id}"),
        ("PUT", f"/worksets/{workset_id}/state"), ("POST", f"/worksets/{workset_id}/lock"),
        ("DELETE", f"/worksets/{workset_id}/lock"), ("GET", "/queue/stats"),
        ("GET", "/api/customers/local/worksets"), ("POST", "/api/customers/local/worksets"),
        ("GET", "/api/customers/local/files"), ("PUT", "/api/customers/local/files/x"),
        ("POST", "/customers"), ("GET", "/customers"), ("GET", "/customers/local"),
    ):  # fmt: skip
        problem(people.ask(None, method, path), 401, "unauthenticated")


def test_d_45_nobody_sees_what_is_somebody_elses(people: People) -> None:
    """D-45: Customers, worksets, files, members, tokens and trails of others are not there."""
    workset_id = people.service.submitted_directly()
    for path in (
        f"/worksets/{workset_id}", f"/api/customers/local/worksets/{workset_id}",
        f"/api/customers/acme/worksets/{workset_id}", f"/api/customers/-/worksets/{workset_id}",
        "/customers/local", "/api/customers/local/files", "/api/customers/local/files/a_R1.fastq",
        "/api/customers/local/members", "/api/customers/local/tokens", "/api/customers/local/audit",
        "/api/customers/local/usage",
    ):  # fmt: skip
        problem(people.ask("eve", "GET", path), 404, "not-found")
    assert people.get("eve", "/worksets") == []
    assert people.get("eve", "/api/customers/-/worksets")["worksets"] == []
    assert people.get("ada", f"/worksets/{workset_id}")["workset_id"] == workset_id


def test_d_45_cursors_of_others_lead_nowhere(people: People) -> None:
    """D-45: A cursor of somebody else is as good as garbage."""
    for _ in range(3):
        people.service.submitted_directly()
    page = people.get("ada", "/api/customers/local/worksets?limit=1")
    path = f"/api/customers/acme/worksets?cursor={page['cursor']}"
    told = problem(people.ask("eve", "GET", path), 400, "bad-cursor")
    garbage = problem(people.ask("eve", "GET", f"{path[:-4]}AAAA"), 400, "bad-cursor")
    assert told["detail"] == garbage["detail"]
    problem(people.ask("eve", "GET", path.replace("acme", "local")), 404, "not-found")


def test_d_45_a_key_is_the_tenants_own(people: People) -> None:
    """D-45: The same idempotency key of another tenant is another key."""
    for name, customer in (("ada", "local"), ("eve", "acme")):
        place = f"/api/customers/{customer}"
        people.ask(name, "PUT", f"{place}/files/a_R1.fastq", content=READS)
        headers = {"authorization": f"Bearer {people.tokens[name]}", "idempotency-key": "k-1"}
        made = people.client.post(f"{place}/worksets", json=SUBMISSION, headers=headers)
        assert (made.status_code, made.json()["customer_id"]) == (201, customer)


def test_d_46_nobody_says_where_it_is_written(people: People) -> None:
    """D-46: A submission names no bucket and no place; its id is ours, and in its customer's name."""
    people.ask("eve", "PUT", "/api/customers/acme/files/a_R1.fastq", content=READS)
    path = "/api/customers/acme/worksets"
    for odd in (
        {"s3_bucket": "somebody-elses"}, {"s3_prefix": "worksets/../victim/"},
        {"workset_id": "../../x"}, {"customer_id": "local"},
    ):  # fmt: skip
        told = problem(
            people.ask("eve", "POST", path, json={**SUBMISSION, **odd}), 422, "invalid-input"
        )
        assert [fault["place"] for fault in told["faults"]] == list(odd)
    problem(
        people.ask("eve", "POST", "/api/customers/local/worksets", json=SUBMISSION), 404, "not-found"
    )
    made = people.ask("eve", "POST", path, json={**SUBMISSION, "workset_name": "../../x y"}).json()
    assert re.fullmatch(r"x-y-[a-z0-9]{10}", made["workset_id"])
    assert made["prefix"] == f"worksets/{made['workset_id']}/"
    assert people.get("ada", "/worksets") == []


def test_d_49_no_password_will_do(people: People) -> None:
    """D-49: Only the right one signs in, to the customer that it belongs to; nobody registers."""
    for name, password in (("ada", "anything"), ("anybody@x.example", "x")):
        body = {"name": name, "password": password}
        problem(people.client.post("/api/auth/sign-in", json=body), 401, "unauthenticated")
    for name, password in (("ada", ""), ("", PASSWORD)):
        body = {"name": name, "password": password}
        problem(people.client.post("/api/auth/sign-in", json=body), 422, "invalid-input")
    found = people.client.post("/api/auth/sign-in", json={"name": "eve", "password": PASSWORD}).json()
    me = people.client.get("/api/auth/me", headers={"authorization": f"Bearer {found['token']}"}).json()
    assert (me["name"], me["customer_id"], me["role"]) == ("eve", "acme", "admin")
    for path in ("/register", "/portal/register", "/api/auth/register", "/api/auth/sign-up"):
        assert people.ask(None, "POST", path, json={"email": "x@x.example"}).status_code == 404


@pytest.mark.parametrize("name", ["Ärzte_, & Co.", "a", "...", "x" * 100, "-"])
def test_d_50_a_customer_is_a_record(people: People, name: str) -> None:
    """D-50: Any name gives a sound id, and no bucket is made that could be a stranger's."""
    made = people.ask("root", "POST", "/customers", json={"customer_name": name, "email": "a@b.c"})
    assert made.status_code == 201
    body = made.json()
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,19}-[a-z0-9]{10}", body["customer_id"])
    assert made.headers["location"] == f"/customers/{body['customer_id']}"
    assert people.get("root", made.headers["location"]) == body
    assert body["s3_bucket"] is None
    assert people.service.app.world.objects.list("").items == ()


def test_customers_of_contract_4_2(people: People) -> None:
    """Fields, defaults and bounds of old; all faults at once; operators see all, others themselves."""
    told = problem(
        people.ask(
            "root",
            "POST",
            "/customers",
            json={
                "customer_name": "",
                "email": "nobody",
                "max_concurrent_worksets": 51,
                "max_storage_gb": 99,
                "billing_account_id": "x\n",
            },
        ),
        422,
        "invalid-input",
    )
    assert [fault["place"] for fault in told["faults"]] == [
        "customer_name", "email", "max_concurrent_worksets", "max_storage_gb", "billing_account_id",
    ]  # fmt: skip
    body = {"customer_name": "Acme", "email": "ada@acme.example", "cost_center": "42"}
    made = people.ask("root", "POST", "/customers", json=body).json()
    assert (made["max_concurrent_worksets"], made["max_storage_gb"]) == (5, 1000)
    path = f"/customers/{made['customer_id']}"
    change = {"max_concurrent_worksets": 50, "cost_center": None, "customer_name": "Acme & Co"}
    changed = people.ask("root", "PATCH", path, json=change).json()
    assert changed == {**made, **change}
    assert people.ask("root", "PATCH", path, json={}).json() == changed
    problem(people.ask("root", "PATCH", path, json={"max_storage_gb": 1}), 422, "invalid-input")
    problem(people.ask("root", "PATCH", "/customers/nobody", json={}), 404, "not-found")
    problem(people.ask("bob", "GET", "/customers"), 403, "not-allowed")
    first = people.ask("root", "GET", "/customers?limit=1")
    assert len(first.json()) == 1
    assert first.headers["x-next-cursor"]
    assert len(people.get("root", "/customers")) == 3


def test_d_51_there_is_no_secret_by_default(service: Service) -> None:
    """D-51: Cookies and tokens are random; nothing that anybody could know signs them."""
    with TestClient(create_asgi(service.app, admin_token="x" * 32), base_url=BASE) as client:
        for cookie in ("", "admin", "eyJhZG1pbiI6dHJ1ZX0.x.y"):
            client.cookies.set("daylily_session", cookie)
            answer = client.get("/portal", follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, "/portal/login")
            assert client.get("/customers").status_code == 401


def test_tokens_for_programs(people: People) -> None:
    """Shown once; as far as their scope reaches; seen by their makers and admins; revoked at once."""
    place = "/api/customers/local/tokens"
    made = people.ask("bob", "POST", place, json={"name": "sequencer", "scope": "submit"})
    assert made.status_code == 201
    token, about = made.json()["token"], made.json()["about"]
    assert made.headers["location"] == f"{place}/{about['token_id']}"
    people.tokens["program"] = token
    me = people.get("program", "/api/auth/me")
    assert (me["name"], me["role"], me["scope"]) == ("bob/sequencer", "user", "submit")
    assert token not in str(people.get("bob", place))
    assert people.ask("program", "PUT", "/api/customers/local/files/b", content=b"x").status_code == 201
    problem(people.ask("program", "POST", place, json={"name": "child"}), 403, "not-allowed")
    problem(people.ask("bob", "POST", place, json={"name": "x", "scope": "admin"}), 403, "not-allowed")

    mine = people.ask("ada", "POST", place, json={"name": "report", "scope": "admin"}).json()
    assert [each["name"] for each in people.get("bob", place)["tokens"]] == ["sequencer"]
    assert len(people.get("ada", place)["tokens"]) == 2
    other = f"{place}/{mine['about']['token_id']}"
    problem(people.ask("bob", "DELETE", other), 404, "not-found")
    for _ in range(2):
        assert people.ask("bob", "DELETE", f"{place}/{about['token_id']}").status_code == 204
    problem(people.ask("program", "GET", "/api/auth/me"), 401, "unauthenticated")
    problem(people.ask("bob", "DELETE", f"{place}/unknown000"), 404, "not-found")
    told = problem(
        people.ask("bob", "POST", place, json={"name": "\n", "scope": "all", "expires_in_days": 0}),
        422,
        "invalid-input",
    )
    assert told["faults"][0]["place"] == "scope"
    told = problem(
        people.ask("bob", "POST", place, json={"name": "\n", "expires_in_days": 9999}),
        422,
        "invalid-input",
    )
    assert [each["place"] for each in told["faults"]] == ["name", "expires_in_days"]


def test_odd_tokens(people: People) -> None:
    """Whatever is sent as a token is refused in the same words."""
    ada = Principal.of("ada", "local", Role.ADMIN)
    _, token = people.service.app.tokens.create(
        ada, "local", name="x", scope=Scope.READ, lasts=timedelta(days=1)
    )
    said = set()
    for odd in (token[:-1], f"{token}x", "dly.", "dly.local", "dly.local.x.y", "dly...", "dly.a/b.c.d",
                token.replace("local", "acme"), "dls_x", "x"):  # fmt: skip
        people.tokens["odd"] = odd
        said.add(problem(people.ask("odd", "GET", "/worksets"), 401, "unauthenticated")["detail"])
    assert said == {"the token is not valid"}


def test_an_operators_token_for_a_customer(people: People) -> None:
    """It acts as an admin of that customer, and for nobody else."""
    body = {"name": "onboarding", "scope": "admin"}
    made = people.ask("root", "POST", "/api/customers/acme/tokens", json=body).json()
    people.tokens["theirs"] = made["token"]
    assert people.get("theirs", "/api/auth/me")["role"] == "admin"
    assert people.get("theirs", "/api/customers/acme/members")["members"][0]["name"] == "eve"
    problem(people.ask("theirs", "GET", "/api/customers/local/worksets"), 404, "not-found")


def test_all_that_is_wrong_with_a_token(people: People) -> None:
    """Name, scope and time are judged together, and what is missing is told once."""
    for body, wrong in (
        ({"name": " ", "scope": "all", "expires_in_days": 900}, ["expires_in_days", "name", "scope"]),
        ({"expires_in_days": 0}, ["expires_in_days", "name"]),
    ):
        told = people.ask("ada", "POST", "/api/customers/local/tokens", json=body)
        assert sorted(places(problem(told, 422, "invalid-input"))) == wrong


def test_members_of_a_customer(people: People) -> None:
    """Admins take people on for their customer, and let them go with all that they have."""
    place = "/api/customers/local/members"
    made = people.ask("ada", "POST", place, json={"name": "Zoe@lab.example", "role": "admin"})
    password = made.json()["password"]
    body = {"name": "zoe@lab.example", "password": password}
    asked = people.client.post("/api/auth/sign-in", json=body).json()
    assert asked["challenge"] == "NEW_PASSWORD_REQUIRED"
    answer = {"name": asked["name"], "session": asked["session"], "new_password": PASSWORD}
    short = people.client.post("/api/auth/new-password", json={**answer, "new_password": "short"})
    assert places(problem(short, 422, "invalid-input")) == ["new_password"]
    people.tokens["zoe"] = people.client.post("/api/auth/new-password", json=answer).json()["token"]
    program = people.ask("zoe", "POST", "/api/customers/local/tokens", json={"name": "p"}).json()
    people.tokens["program"] = program["token"]
    assert people.get("program", "/worksets") == []

    problem(people.ask("ada", "POST", place, json={"name": "zoe@lab.example"}), 409, "conflict")
    problem(
        people.ask("ada", "POST", place, json={"name": "o@x.example", "role": "operator"}),
        403,
        "not-allowed",
    )
    problem(people.ask("ada", "DELETE", f"{place}/ada"), 422, "invalid-input")
    assert people.ask("ada", "DELETE", f"{place}/zoe@lab.example").status_code == 204
    for name in ("zoe", "program"):
        problem(people.ask(name, "GET", "/worksets"), 401, "unauthenticated")


def test_the_audit_trail(people: People) -> None:
    """Every change is there, with who, what, whom it concerned, what came of it, and the request."""
    workset_id = people.service.submitted_directly()
    cancel = f"/api/customers/local/worksets/{workset_id}/cancel"
    request = people.ask("bob", "POST", cancel).headers["x-request-id"]
    people.ask("eve", "POST", cancel)
    people.service.clock.advance(timedelta(seconds=1))
    people.ask("bob", "POST", "/customers", json={"customer_name": "x", "email": "x@y.z"})
    people.service.clock.advance(timedelta(seconds=1))
    people.client.post("/api/auth/sign-in", json={"name": "bob", "password": PASSWORD})
    found = people.get("ada", "/api/customers/local/audit")["entries"]
    assert [(each["actor"], each["action"], each["outcome"]) for each in found] == [
        ("bob", "signIn", "200"), ("bob", "createCustomer", "403"), ("bob", "cancelWorkset", "202"),
    ]  # fmt: skip
    assert (found[2]["target"], found[2]["request_id"]) == (cancel, request)
    # Who reaches for somebody else's leaves a trace at home, and none where they wanted to get.
    (entry,) = people.get("root", "/api/customers/acme/audit")["entries"]
    assert (entry["actor"], entry["target"], entry["outcome"]) == ("eve", cancel, "404")
    first = people.get("ada", "/api/customers/local/audit?limit=1")
    again = people.get("ada", f"/api/customers/local/audit?limit=2&cursor={first['cursor']}")
    assert first["entries"] + again["entries"] == found
    assert PASSWORD not in str(found)
    assert FIRST not in str(found)


def test_guessing_at_the_door(people: People) -> None:
    """From one address, ten wrong passwords are enough, whatever the names."""
    for number in range(10):
        body = {"name": f"guess-{number}", "password": "x"}
        problem(people.client.post("/api/auth/sign-in", json=body), 401, "unauthenticated")
    body = {"name": "ada", "password": PASSWORD}
    problem(people.client.post("/api/auth/sign-in", json=body), 429, "too-many-tries")
