"""The way to an OpenID provider and back, as the provider sees it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from daylily.adapters.oidc import KEPT
from daylily.adapters.oidc_sign_in import Answer, OIDCSignIn, challenge_of
from daylily.domain.errors import UnauthenticatedError, UnavailableError
from daylily.testing.clock import ManualClock

ISSUER = "https://id.example/realm"
BACK = "https://lab.example/portal/login/back"
VERIFIER = "v" * 64


class Provider:
    """What is behind the addresses of a provider."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.document: Any = {
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize?tenant=7",
            "token_endpoint": "https://id.example/token",
            "revocation_endpoint": "https://id.example/revoke",
        }
        self.read = 0
        self.answer = Answer(200, b"{}")
        self.sent: list[tuple[str, Mapping[str, str]]] = []

    def fetch(self, url: str) -> bytes:
        """Return the discovery document."""
        assert url == f"{ISSUER}/.well-known/openid-configuration"
        self.read += 1
        return json.dumps(self.document).encode()

    def send(self, url: str, form: Mapping[str, str]) -> Answer:
        """Take a form."""
        self.sent.append((url, form))
        return self.answer

    def gives(self, **claims: Any) -> None:
        """Let it give a token."""
        token = jwt.encode({"iss": ISSUER, **claims}, "x" * 32)
        said = {"id_token": token, "expires_in": 600, "refresh_token": "again"}
        self.answer = Answer(200, json.dumps(said).encode())


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def sign_in(provider: Provider) -> OIDCSignIn:
    return OIDCSignIn(
        issuer=ISSUER,
        client_id="daylily",
        secret="the-secret-of-ours",
        fetch=provider.fetch,
        send=provider.send,
        clock=provider.clock,
    )


def test_the_proof_key_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_way_there(sign_in: OIDCSignIn) -> None:
    """The address says who asks, for what, and where to come back to; the verifier is not in it."""
    address = sign_in.address(back_to=BACK, state="st", nonce="no", verifier=VERIFIER)

    parts = urlsplit(address)
    assert (parts.netloc, parts.path) == ("id.example", "/authorize")
    assert {key: value[0] for key, value in parse_qs(parts.query).items()} == {
        "tenant": "7",
        "response_type": "code",
        "client_id": "daylily",
        "redirect_uri": BACK,
        "scope": "openid email profile",
        "state": "st",
        "nonce": "no",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }
    assert VERIFIER not in address
    assert sign_in.name == "id.example"


def test_the_way_back(sign_in: OIDCSignIn, provider: Provider) -> None:
    """A code becomes a token, by the verifier; what renews it comes along."""
    provider.gives(nonce="no")
    found = sign_in.exchange("the-code", back_to=BACK, nonce="no", verifier=VERIFIER)

    ((url, form),) = provider.sent
    assert url == "https://id.example/token"
    assert form == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        "client_id": "daylily",
        "client_secret": "the-secret-of-ours",
    }
    assert (found.expires_in, found.refresh_token) == (timedelta(minutes=10), "again")
    assert sign_in.refresh("again").token
    assert provider.sent[1][1]["grant_type"] == "refresh_token"


@pytest.mark.parametrize("claims", [{}, {"nonce": "of another"}])
def test_a_token_for_another_journey(
    sign_in: OIDCSignIn, provider: Provider, claims: dict[str, str]
) -> None:
    """A token that was asked for elsewhere lets nobody in here."""
    provider.gives(**claims)
    with pytest.raises(UnauthenticatedError):
        sign_in.exchange("c", back_to=BACK, nonce="no", verifier=VERIFIER)


def test_a_code_that_is_none(sign_in: OIDCSignIn, provider: Provider) -> None:
    """The provider refuses; so do we."""
    provider.answer = Answer(400, b'{"error": "invalid_grant"}')
    with pytest.raises(UnauthenticatedError):
        sign_in.exchange("c", back_to=BACK, nonce="no", verifier=VERIFIER)


@pytest.mark.parametrize(
    "answer",
    [Answer(500, b""), Answer(200, b"nonsense"), Answer(200, b"{}"), Answer(200, b"[]"),
     Answer(200, b'{"id_token": "none"}')],
    ids=["away", "no-json", "no-token", "a-list", "a-word"],
)  # fmt: skip
def test_an_answer_that_makes_no_sense(sign_in: OIDCSignIn, provider: Provider, answer: Answer) -> None:
    """That is an outage of the provider's, and nobody's fault who signs in."""
    provider.answer = answer
    with pytest.raises(UnavailableError):
        sign_in.exchange("c", back_to=BACK, nonce="no", verifier=VERIFIER)


@pytest.mark.parametrize(
    "document",
    [[], {"issuer": "https://other.example"}, {"issuer": ISSUER},
     {"issuer": ISSUER, "authorization_endpoint": "http://id.example/authorize"}],
    ids=["a-list", "of-another", "without-endpoints", "in-the-clear"],
)  # fmt: skip
def test_a_document_that_makes_no_sense(sign_in: OIDCSignIn, provider: Provider, document: Any) -> None:
    """Nobody is sent to where the issuer has not said, nor in the clear."""
    provider.document = document
    with pytest.raises(UnavailableError):
        sign_in.address(back_to=BACK, state="st", nonce="no", verifier=VERIFIER)


def test_the_document_is_kept_for_an_hour(sign_in: OIDCSignIn, provider: Provider) -> None:
    """Who signs in does not wait for it each time."""
    for _ in range(3):
        sign_in.address(back_to=BACK, state="st", nonce="no", verifier=VERIFIER)
    assert provider.read == 1
    provider.clock.advance(KEPT)
    sign_in.address(back_to=BACK, state="st", nonce="no", verifier=VERIFIER)
    assert provider.read == 2


def test_signing_out(sign_in: OIDCSignIn, provider: Provider) -> None:
    """What renews tokens is taken back, where the provider takes it."""
    provider.gives(nonce="no")
    held = sign_in.exchange("c", back_to=BACK, nonce="no", verifier=VERIFIER)
    sign_in.sign_out(held)
    assert provider.sent[-1][0] == "https://id.example/revoke"
    assert provider.sent[-1][1]["token"] == "again"

    del provider.document["revocation_endpoint"]
    provider.clock.advance(KEPT)
    sign_in.sign_out(held)
    assert len(provider.sent) == 2


def test_nothing_secret_is_shown(sign_in: OIDCSignIn, provider: Provider) -> None:
    """Neither our secret nor what was given shows itself."""
    provider.gives(nonce="no")
    held = sign_in.exchange("c", back_to=BACK, nonce="no", verifier=VERIFIER)
    said = repr(sign_in) + repr(held) + repr(provider.answer)
    for secret in ("the-secret-of-ours", held.token, "again"):
        assert secret not in said
