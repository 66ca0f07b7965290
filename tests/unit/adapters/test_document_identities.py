"""People among the documents: the contract, and what is peculiar to sessions that are looked up."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from daylily.adapters.document_identities import (
    CHALLENGE,
    PAUSE,
    REFRESH,
    SESSION,
    TRIES,
    DocumentIdentities,
)
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.domain.customers import Principal, Role
from daylily.domain.errors import (
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    TooManyTriesError,
    UnauthenticatedError,
)
from daylily.domain.passwords import faults_of_password
from daylily.ports.identities import Challenge, Identities, SignedIn
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.identities import (
    ADA,
    BOB,
    FIRST,
    PASSWORD,
    IdentitiesContract,
    signed_in,
)
from daylily.testing.racing import race

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def clock() -> ManualClock:
    """A clock wound by hand."""
    return ManualClock()


@pytest.fixture
def documents(clock: ManualClock) -> InMemoryDocumentStore:
    """Where people are kept."""
    return InMemoryDocumentStore(clock)


@pytest.fixture
def identities(documents: InMemoryDocumentStore, clock: ManualClock) -> DocumentIdentities:
    """People of whom there are none."""
    return DocumentIdentities(documents, clock, QUICK)


class TestDocumentIdentities(IdentitiesContract):
    """The contract, in memory."""

    @pytest.fixture
    def identities(self, documents: InMemoryDocumentStore, clock: ManualClock) -> Identities:
        """Return people of whom there are none."""
        return DocumentIdentities(documents, clock, QUICK)


def test_a_session_speaks_for_its_person(identities: DocumentIdentities) -> None:
    """Name, customer and role are those that are kept now."""
    found = signed_in(identities)
    assert identities.knows(found.token)
    assert identities.verify(found.token) == Principal.of(ADA.name, "acme", Role.ADMIN)
    for other in (f"{found.token}x", "dls_", str(found.refresh_token)):
        with pytest.raises(UnauthenticatedError):
            identities.verify(other)


def test_sessions_end(identities: DocumentIdentities, clock: ManualClock) -> None:
    """A session after 12 hours, what refreshes it after 30 days, and a challenge after 15 minutes."""
    found = signed_in(identities)
    clock.advance(SESSION)
    with pytest.raises(UnauthenticatedError):
        identities.verify(found.token)
    renewed = identities.refresh(str(found.refresh_token))
    assert renewed.refresh_token is None
    assert identities.verify(renewed.token).name == ADA.name
    clock.advance(REFRESH - SESSION)
    with pytest.raises(UnauthenticatedError):
        identities.refresh(str(found.refresh_token))
    identities.add(BOB, FIRST)
    asked = identities.sign_in(BOB.name, FIRST)
    assert isinstance(asked, Challenge)
    clock.advance(CHALLENGE)
    with pytest.raises(UnauthenticatedError):
        identities.answer(asked, PASSWORD)


def test_signing_out_counts_at_once(identities: DocumentIdentities) -> None:
    """This session and its refresh token are over; with everywhere, all others are, too."""
    first = signed_in(identities)
    second = identities.sign_in(ADA.name, PASSWORD)
    third = identities.sign_in(ADA.name, PASSWORD)
    assert isinstance(second, SignedIn)
    assert isinstance(third, SignedIn)
    identities.sign_out(first)
    with pytest.raises(UnauthenticatedError):
        identities.verify(first.token)
    with pytest.raises(UnauthenticatedError):
        identities.refresh(str(first.refresh_token))
    assert identities.verify(second.token).name == ADA.name
    identities.sign_out(second, everywhere=True)
    with pytest.raises(UnauthenticatedError):
        identities.verify(third.token)


def test_who_is_removed_is_out_at_once(identities: DocumentIdentities) -> None:
    """Their sessions speak for nobody any more."""
    found = signed_in(identities)
    identities.remove("acme", ADA.name)
    with pytest.raises(UnauthenticatedError):
        identities.verify(found.token)


def test_nobody_guesses_for_long(identities: DocumentIdentities, clock: ManualClock) -> None:
    """After 10 tries a name rests, also one that nobody has, and also for the right password."""
    signed_in(identities)
    for name in (ADA.name, "nobody@acme.example"):
        for _ in range(TRIES):
            with pytest.raises(UnauthenticatedError):
                identities.sign_in(name, "wrong")
        with pytest.raises(TooManyTriesError):
            identities.sign_in(name.upper(), PASSWORD)
    clock.advance(PAUSE)
    for _ in range(TRIES + 1):  # who knows it may sign in as often as they like
        assert isinstance(identities.sign_in(ADA.name, PASSWORD), SignedIn)


def test_many_guesses_at_once_are_counted(identities: DocumentIdentities) -> None:
    """Of 32 threads that guess, no more than 10 are told whether they were right."""
    signed_in(identities)
    outcomes = race(lambda _: identities.sign_in(ADA.name, "wrong"))
    assert sum(type(each) is UnauthenticatedError for each in outcomes) == TRIES


def test_a_new_password_by_an_administrator(identities: DocumentIdentities) -> None:
    """It ends sessions, and has to be replaced; one that is made is told."""
    found = signed_in(identities)
    made = identities.set_password(ADA.name)
    assert made
    with pytest.raises(UnauthenticatedError):
        identities.verify(found.token)
    assert isinstance(identities.sign_in(ADA.name, made), Challenge)
    assert identities.set_password(ADA.name, FIRST) is None
    with pytest.raises(NotFoundError):
        identities.set_password("nobody@acme.example")


def test_a_password_is_not_replaced_by_itself(identities: DocumentIdentities) -> None:
    """Then it would still be known to whoever handed it over."""
    identities.add(ADA, FIRST)
    asked = identities.sign_in(ADA.name, FIRST)
    assert isinstance(asked, Challenge)
    with pytest.raises(InvalidInputError, match="has to be replaced"):
        identities.answer(asked, FIRST)


def test_no_codes_are_sent(identities: DocumentIdentities) -> None:
    """Who forgot theirs is told whom to ask."""
    with pytest.raises(NotAllowedError, match="administrator"):
        identities.forgot("ada")
    with pytest.raises(NotAllowedError, match="administrator"):
        identities.reset("ada", "123456", PASSWORD)


def test_what_is_kept_opens_nothing(
    identities: DocumentIdentities, documents: InMemoryDocumentStore
) -> None:
    """Whoever reads the store finds neither passwords nor tokens (D-51)."""
    found = signed_in(identities)
    kept = str([(each.key, each.body) for each in documents._documents.values()])
    assert "$argon2id$" in kept
    for secret in (PASSWORD, FIRST, found.token, str(found.refresh_token)):
        assert secret not in kept
        assert secret not in repr(found) + repr(identities)


@pytest.mark.parametrize(
    ("password", "sound"),
    [
        ("correct horse battery", True),
        ("elevenchars", False),
        ("x" * 257, False),
        ("aaaaaaaaaaaaaaaa", False),
        ("ada-2026-ada-2026", True),
        ("ada.lovelace-2026", False),
        ("Password1234", False),
        ("daylily-12345678", False),
    ],
)
def test_passwords(password: str, sound: bool) -> None:
    """Length counts, and what anybody would try first is refused."""
    assert (next(faults_of_password(password, "ada.lovelace@acme.example"), None) is None) == sound


def test_a_made_password_is_sound(identities: DocumentIdentities, clock: ManualClock) -> None:
    """Without one given, one is made that can be handed over."""
    made = identities.add(ADA)
    assert made is not None
    assert [*faults_of_password(made, ADA.name)] == []
    clock.advance(timedelta(days=1))
    assert isinstance(identities.sign_in(ADA.name, made), Challenge)
