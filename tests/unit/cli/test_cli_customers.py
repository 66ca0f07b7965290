"""Whom commands act for."""

from pathlib import Path

import pytest
from tests.unit.cli.desk import Desk


def customers(desk: Desk) -> list[str]:
    """Return the ids of all customers."""
    return [each["customer_id"] for each in desk.json("customer", "list")]


def test_a_slip_makes_no_customer(desk: Desk, pair: Path) -> None:
    """A customer whom nobody knows is refused with the one that was meant, and nothing is stored."""
    desk.ok("customer", "add", "acme", "--name", "ACME Genomics")
    source = (pair, "-p", "fastq-qc")
    for command in (("submit", *source), ("validate", *source), ("list",), ("show", "x-123456")):
        told = desk.faults(*command, "--customer", "acne")["--customer"]
        assert "did you mean 'acme'?" in told
        assert "daylily customer add acne" in told
    assert "uploaded" not in desk.run("submit", *source, "--customer", "acne").stderr
    assert customers(desk) == ["acme", "local"]
    assert desk.stored() == ([], [], [])


@pytest.mark.parametrize("customer", ["acme", "local"])
def test_known_customers(desk: Desk, pair: Path, customer: str) -> None:
    """Commands act for whom was taken on before, and for the default."""
    desk.ok("customer", "add", "acme")
    desk.ok("submit", pair, "-p", "fastq-qc", "--customer", customer)
    assert len(desk.json("list", "--customer", customer)["worksets"]) == 1
    assert len(desk.json("list")["worksets"]) == (customer == "local")


def test_the_settings_take_on_a_customer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is named by the settings is one, also where the option says the same again."""
    monkeypatch.setenv("DAYLILY_CUSTOMER", "zenith")
    desk.ok("list", "--customer", "zenith")
    assert customers(desk) == ["zenith"]


def test_customers_are_added_once(desk: Desk) -> None:
    """One that is there is left alone (4); what is no id is refused (2)."""
    desk.ok("customer", "add", "acme", "--name", "ACME")
    assert desk.run("customer", "add", "acme", "--name", "other").exit_code == 4
    assert "ACME" in desk.ok("customer", "list")
    assert "ID" in desk.faults("customer", "add", "a/b")
