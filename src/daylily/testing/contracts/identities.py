"""What every Identities owes."""

import pytest

from daylily.domain.customers import Role
from daylily.domain.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)
from daylily.ports.identities import Challenge, Identities, Member, SignedIn

ADA = Member(name="ada@acme.example", customer_id="acme", role=Role.ADMIN)
BOB = Member(name="bob@acme.example", customer_id="acme")
EVE = Member(name="eve@other.example", customer_id="other")
FIRST = "The-First-One-4711"
PASSWORD = "A-Fine-One-0815-x"  # noqa: S105 - of nobody


def signed_in(identities: Identities, member: Member = ADA) -> SignedIn:
    """Take somebody on, and let them replace their first password."""
    identities.add(member, FIRST)
    asked = identities.sign_in(member.name, FIRST)
    assert isinstance(asked, Challenge)
    return identities.answer(asked, PASSWORD)


class IdentitiesContract:
    """Subclass it and give a fixture ``identities``."""

    @pytest.fixture
    def identities(self) -> Identities:
        """Return people of whom there are none."""
        raise NotImplementedError("override the fixture `identities` with one that has no people")

    def test_the_first_password_has_to_be_replaced(self, identities: Identities) -> None:
        """Who is taken on signs in twice: with the password they were given, then with their own."""
        found = signed_in(identities)
        assert found.token
        assert found.refresh_token
        assert found.expires_in.total_seconds() > 60
        again = identities.sign_in(ADA.name, PASSWORD)
        assert isinstance(again, SignedIn)
        with pytest.raises(UnauthenticatedError):
            identities.sign_in(ADA.name, FIRST)

    def test_names_in_other_letters(self, identities: Identities) -> None:
        """A name in capitals is the same name."""
        signed_in(identities)
        assert isinstance(identities.sign_in(ADA.name.upper(), PASSWORD), SignedIn)
        with pytest.raises(AlreadyExistsError):
            identities.add(Member(name=ADA.name.capitalize(), customer_id="other"), FIRST)

    def test_a_wrong_password_is_as_an_unknown_name(self, identities: Identities) -> None:
        """Both are refused in the same words."""
        signed_in(identities)
        told = []
        for name, password in ((ADA.name, "wrong"), ("nobody@acme.example", PASSWORD)):
            with pytest.raises(UnauthenticatedError) as refused:
                identities.sign_in(name, password)
            told.append(str(refused.value))
        assert told[0] == told[1]

    def test_a_weak_password_is_refused(self, identities: Identities) -> None:
        """The challenge stands, and a better password may follow."""
        identities.add(ADA, FIRST)
        asked = identities.sign_in(ADA.name, FIRST)
        assert isinstance(asked, Challenge)
        with pytest.raises(InvalidInputError):
            identities.answer(asked, "short")
        assert identities.answer(asked, PASSWORD).token

    def test_a_made_up_challenge(self, identities: Identities) -> None:
        """Nobody answers what nobody was asked."""
        identities.add(ADA, FIRST)
        with pytest.raises(UnauthenticatedError):
            identities.answer(Challenge(name=ADA.name, session="made-up"), PASSWORD)

    def test_refreshed(self, identities: Identities) -> None:
        """A refresh token gives another token; one that is none gives nothing."""
        found = signed_in(identities)
        assert identities.refresh(str(found.refresh_token)).token
        with pytest.raises(UnauthenticatedError):
            identities.refresh("made-up")

    def test_signed_out(self, identities: Identities) -> None:
        """Who has signed out does so again without harm."""
        found = signed_in(identities)
        identities.sign_out(found)
        identities.sign_out(found, everywhere=True)

    def test_members_of_a_customer(self, identities: Identities) -> None:
        """Only the customer's, by name, each in their role."""
        for member in (EVE, BOB, ADA):
            identities.add(member, FIRST)
        found = [(each.name, each.customer_id, each.role) for each in identities.members("acme")]
        assert found == [(ADA.name, "acme", Role.ADMIN), (BOB.name, "acme", Role.USER)]
        assert identities.members("nobody") == ()

    def test_taken_on_once(self, identities: Identities) -> None:
        """A second one of that name is refused, also for another customer."""
        identities.add(ADA, FIRST)
        with pytest.raises(AlreadyExistsError):
            identities.add(Member(name=ADA.name, customer_id="other"), FIRST)
        assert [each.name for each in identities.members("other")] == []

    @pytest.mark.parametrize("name", ["", "a", "a b@acme.example", "admin", "x" * 200, "a/b"])
    def test_names_that_are_none(self, identities: Identities, name: str) -> None:
        """A name that could be taken for something else is refused."""
        with pytest.raises(InvalidInputError):
            identities.add(Member(name=name, customer_id="acme"), FIRST)

    def test_removed(self, identities: Identities) -> None:
        """Who is removed cannot sign in, nor go on, and is no member any more."""
        found = signed_in(identities)
        identities.remove("acme", ADA.name)
        with pytest.raises(UnauthenticatedError):
            identities.sign_in(ADA.name, PASSWORD)
        assert found.refresh_token
        with pytest.raises(UnauthenticatedError):
            identities.refresh(found.refresh_token)
        assert identities.members("acme") == ()

    def test_nobody_to_remove(self, identities: Identities) -> None:
        """Another customer's member is not there, in the same words as nobody."""
        identities.add(EVE, FIRST)
        told = []
        for name in (EVE.name, "no@other.example"):
            with pytest.raises(NotFoundError) as refused:
                identities.remove("acme", name)
            told.append(str(refused.value).replace(name, "NAME"))
        assert told[0] == told[1]
        assert len(identities.members("other")) == 1
