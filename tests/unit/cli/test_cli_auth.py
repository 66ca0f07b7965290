"""``daylily auth`` and ``daylily audit``: people and tokens, as operators see to them."""

import pytest
from tests.unit.cli.desk import Desk

PASSWORD = "a-fine-one-0815"
ACME = ("--customer", "acme")


@pytest.fixture
def acme(desk: Desk) -> Desk:
    """A store with a customer."""
    desk.ok("customer", "add", "acme")
    return desk


def test_people(acme: Desk) -> None:
    """Taken on for a customer with a password to hand over, listed, and let go."""
    made = acme.json("auth", "create-user", "ada@acme.example", "--role", "admin", *ACME)
    assert made["member"]["role"] == "admin"
    assert len(made["password"]) >= 12
    (listed,) = acme.json("auth", "users", *ACME)
    assert (listed["name"], listed["customer_id"]) == ("ada@acme.example", "acme")
    assert "ada@acme.example" in acme.ok("auth", "users", *ACME)
    assert acme.json("auth", "users") == []

    assert acme.json("auth", "set-password", "ada@acme.example")["password"] != made["password"]
    acme.ok("auth", "remove-user", "ada@acme.example", *ACME)
    assert acme.json("auth", "users", *ACME) == []
    assert acme.run("auth", "remove-user", "ada@acme.example", *ACME).exit_code == 3
    assert acme.run("auth", "set-password", "ada@acme.example").exit_code == 3


def test_a_password_from_standard_input(acme: Desk) -> None:
    """It is never an option, and not printed again; a weak one is refused."""
    command = ("auth", "create-user", "bob@acme.example", "--password-stdin", *ACME)
    weak = acme.run(*command, stdin="short\n")
    assert (weak.exit_code, "at least 12" in weak.stderr) == (2, True)
    told = acme.run(*command, stdin=f"{PASSWORD}\n")
    assert (told.exit_code, PASSWORD in told.output) == (0, False)
    again = acme.run(*command, stdin=f"{PASSWORD}\n")
    assert again.exit_code == 4


def test_tokens(acme: Desk) -> None:
    """Printed once, listed without what opens doors, and revoked."""
    text = acme.ok("auth", "create-token", "sequencer 7", "--scope", "submit", *ACME).strip()
    assert text.startswith("dly.acme.")
    (listed,) = acme.json("auth", "tokens", *ACME)
    assert (listed["scope"], listed["role"], listed["revoked_at"]) == ("submit", "admin", None)
    assert text.rpartition(".")[2] not in acme.ok("auth", "tokens", *ACME)
    for _ in range(2):
        acme.ok("auth", "revoke-token", listed["token_id"], *ACME)
    assert acme.json("auth", "tokens", *ACME)[0]["revoked_at"]
    assert acme.run("auth", "create-token", "x", "--days", "0", *ACME).exit_code == 2


def test_what_was_done_is_told(acme: Desk) -> None:
    """Each step is in the trail of its customer, the latest first."""
    acme.ok("auth", "create-user", "ada@acme.example", *ACME)
    acme.ok("auth", "create-token", "p", *ACME)
    found = acme.json("audit", *ACME)
    assert [each["action"] for each in found] == ["createToken", "addMember"]
    assert acme.json("audit", "--limit", "1", *ACME) == found[:1]
    assert "createToken" in acme.ok("audit", *ACME)
    assert acme.json("audit") == acme.json("audit", "--nobodys") == []


def test_not_through_a_server(acme: Desk) -> None:
    """Over HTTP there are routes for it; a command says so rather than act on the store at hand."""
    for command in (("users",), ("tokens",), ("create-user", "ada@acme.example")):
        told = acme.run("auth", *command, "--url", "http://127.0.0.1:9")
        assert (told.exit_code, "--url" in told.stderr) == (2, True)
