"""Nothing in what we hand out is somebody's secret, and nobody's address ends up in a log."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.integration.service.service import Service

from daylily.entrypoints.http.access_log import masked_path

ROOT: Final = Path(__file__).parents[3]
HANDED_OUT: Final = ("src", "docs", "examples", "deploy", "scripts", "benchmarks", "README.md")
MADE_UP: Final = re.compile(r"^(\d)\1{11}$|^123456789012$|^000123456789$|^0{9}\d{3}$")
"""Account ids that are nobody's: as AWS's own documentation has them."""
SECRETS: Final = {
    "an account's id": re.compile(r"(?<![\w.-])(\d{12})(?![\w.-])"),
    "a user pool": re.compile(r"\b([a-z]{2}-[a-z]+-\d_[A-Za-z0-9]{9})\b"),
    "an access key": re.compile(r"\b((?:AKIA|ASIA)[A-Z0-9]{16})\b"),
    "a private key": re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)\n[A-Za-z0-9+/]"),
    "a signed token": re.compile(r"\b(eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,})"),
    "a webhook of Slack": re.compile(r"(hooks\.slack\.com/services/T[A-Z0-9]{8,}/\S+)"),
}
EXAMPLES: Final = re.compile(r"EXAMPLE|example|_aBcDeFgHi$")


def findings(text: str) -> Iterator[tuple[str, str]]:
    """Yield what looks like somebody's secret in a text, with what it would be."""
    for kind, pattern in SECRETS.items():
        for found in pattern.findall(text):
            if not MADE_UP.match(found) and not EXAMPLES.search(found):
                yield kind, found


def handed_out() -> Iterator[Path]:
    """Yield the files of ours that others get."""
    for name in HANDED_OUT:
        place = ROOT / name
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def test_d_52_no_secret_is_handed_out() -> None:
    """D-52: No account, pool, key, token or password of anybody stands in code or documents."""
    found, number = [], 0
    for path in handed_out():
        text = path.read_text(errors="replace")
        found += [(str(path.relative_to(ROOT)), *each) for each in findings(text)]
        number += 1
    assert not found
    assert number > 300


@pytest.mark.parametrize(
    "text",
    [
        "ACCOUNT = '108782052779'",
        "pool: us-west-2_QY7nmJ1aT",
        "AKIA" + "IOSFODNN7QWERTYU",
        "https://" + "hooks.slack.com/services/T0AB12CD3/B0/xyz",
        "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIE",
    ],
)
def test_d_52_what_is_looked_for_would_be_found(text: str) -> None:
    """D-52: The search finds what it is for."""
    assert [*findings(text)]


def test_d_52_no_address_of_a_customer_is_logged(
    service: Service, client: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """D-52: Whatever is asked with an address in it, right or wrong, no line of a log tells it."""
    caplog.set_level(logging.DEBUG)
    address = "grace.hopper@secret-lab.example"
    service.submitted(client)
    submission = {
        "workset_name": "Run 7",
        "pipeline_type": "fastq-qc",
        "notification_email": address,
        "samples": [{"sample_id": "A", "r1_file": "a_R1.fastq"}],
    }
    wrong = {**submission, "notification_email": f"{address} x"}
    members = {"name": address, "role": "admin"}
    customer = {"customer_name": "Acme", "email": address}
    sign_in = {"name": address, "password": "not-hers-0815"}
    answered = [
        client.post("/api/customers/local/worksets", json=submission),
        client.post("/api/customers/local/worksets", json=wrong),
        client.post("/customers", json=customer),
        client.post("/api/customers/local/members", json=members),
        client.post("/api/auth/sign-in", json=sign_in),
        client.post("/api/auth/forgot-password", json={"name": address}),
        client.delete(f"/api/customers/local/members/{address}"),
    ]
    service.app.cycle()
    assert [answer.status_code for answer in answered] == [201, 422, 201, 201, 401, 403, 204]
    ours = [record.getMessage() for record in caplog.records if record.name != "httpx"]
    assert not [line for line in [*ours, *capsys.readouterr()] if "secret-lab" in line]


@pytest.mark.parametrize("address", ["grace@secret-lab.example", "grace%40secret-lab.example"])
def test_d_52_no_address_stands_in_the_access_log(address: str) -> None:
    """D-52: Of a member who is removed it tells where, and not who."""
    path = f"/v1/api/customers/acme/members/{address}"
    assert masked_path({"path": path}) == "/v1/api/customers/acme/members/********"
