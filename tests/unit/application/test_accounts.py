"""Tokens and trails, past HTTP: what only commands and other use cases ask for."""

from datetime import timedelta

import pytest
from tests.integration.service.service import Service

from daylily.domain.customers import Principal, Role, Scope
from daylily.domain.errors import NotAllowedError, NotFoundError, UnauthenticatedError

ADA = Principal.of("ada", "local", Role.ADMIN)
BOB = Principal.of("bob", "local", Role.USER)
ROOT = Principal.of("root", "local", Role.OPERATOR)
DAY = timedelta(days=1)


@pytest.fixture
def service() -> Service:
    """A service in memory."""
    return Service.new()


def test_all_that_somebody_has_made_is_revoked(service: Service) -> None:
    """On every page, and nothing of others; what is revoked already is left as it is."""
    tokens = service.app.tokens
    for number in range(120):
        tokens.create(BOB, "local", name=str(number), scope=Scope.READ, lasts=DAY)
    tokens.create(ADA, "local", name="kept", scope=Scope.READ, lasts=DAY)
    assert tokens.revoke_all("local", "bob") == 120
    assert tokens.revoke_all("local", "bob") == 0
    (kept,) = [
        each
        for cursor in (None, tokens.list(ADA, "local").cursor)
        for each in tokens.list(ADA, "local", cursor=cursor).items
        if each.revoked_at is None
    ]
    assert kept.name == "kept"


def test_what_a_token_has_made_is_revoked_with_its_maker(service: Service) -> None:
    """Whoever is let go cannot come back by a token that a token of theirs has made."""
    tokens, made_by = service.app.tokens, ADA
    texts = []
    for number in range(3):
        _, text = tokens.create(made_by, "local", name=str(number), scope=Scope.ADMIN, lasts=DAY)
        made_by = tokens.verify(text)
        texts.append(text)
    assert tokens.revoke_all("local", "ada") == 3
    for text in texts:
        with pytest.raises(UnauthenticatedError):
            tokens.verify(text)


def test_a_name_is_the_same_in_any_case(service: Service) -> None:
    """Whoever signs in as an issuer writes their name loses their tokens with their membership."""
    tokens, written = service.app.tokens, Principal.of("Bob@Acme.example", "local", Role.USER)
    tokens.create(written, "local", name="x", scope=Scope.READ, lasts=DAY)
    assert tokens.revoke_all("local", "bob@acme.example") == 1


def test_tokens_of_others(service: Service) -> None:
    """Nobody makes or lists any for a customer that is not theirs, or is not there."""
    for customer in ("acme", "nobody"):
        with pytest.raises(NotFoundError):
            service.app.tokens.create(ADA, customer, name="x", scope=Scope.READ, lasts=DAY)
    with pytest.raises(NotFoundError):
        service.app.tokens.list(ROOT, "nobody")


def test_what_concerns_no_customer(service: Service) -> None:
    """It has a trail of its own, for operators alone."""
    audit = service.app.audit
    more = {"action": "createPool", "target": "pool", "outcome": "done", "request_id": "command"}
    entry = audit.record(None, actor="root", **more)
    assert audit.record("a/b", actor="x" * 999, **more).actor == "x" * 200
    assert entry in audit.list(ROOT, None).items
    assert audit.list(ROOT, "local").items == ()
    with pytest.raises(NotAllowedError):
        audit.list(ADA, None)
    with pytest.raises(NotFoundError):
        audit.list(ROOT, "nobody")


def test_what_concerns_a_workset(service: Service) -> None:
    """Its entries are told apart from those of others whose ids begin alike, page by page."""
    audit = service.app.audit
    more = {"action": "cancelWorkset", "outcome": "303", "request_id": "r"}
    for name in ("ws-1", "ws-10", "ws-1", "ws-2"):
        audit.record("local", actor="ada", target=f"/portal/worksets/{name}/cancel", **more)

    first = audit.list(ADA, "local", about="ws-1", limit=2)
    second = audit.list(ADA, "local", about="ws-1", limit=2, cursor=first.cursor)

    assert [each.target for each in first.items + second.items] == ["/portal/worksets/ws-1/cancel"] * 2
    assert first.cursor is not None
    later = service.clock() + timedelta(seconds=1)
    for since, further in ((service.clock(), True), (later, False)):
        page = audit.list(ADA, "local", about="ws-1", since=since, limit=2)
        assert (page.cursor is not None) is further


def test_what_a_token_makes_would_outlive_it(service: Service) -> None:
    """So one that reaches less far makes none, whoever holds it."""
    program = Principal.of("ada/report", "local", Role.ADMIN, Scope.SUBMIT)
    with pytest.raises(NotAllowedError, match="makes no other tokens"):
        service.app.tokens.create(program, "local", name="x", scope=Scope.READ, lasts=DAY)
