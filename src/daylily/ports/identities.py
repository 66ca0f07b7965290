"""Who people are: their names, passwords and places, wherever these are kept."""

from datetime import datetime, timedelta
from typing import Protocol

from attrs import field, frozen

from daylily.domain.customers import Role


@frozen(kw_only=True)
class Member:
    """A person who may sign in, and for whom they act."""

    name: str
    """What they sign in by; mostly an e-mail address."""
    customer_id: str
    role: Role = Role.USER
    added_at: datetime | None = None


@frozen(kw_only=True)
class SignedIn:
    """What somebody has who signed in."""

    token: str = field(repr=False)
    """To be sent as ``Authorization: Bearer``."""
    expires_in: timedelta
    refresh_token: str | None = field(default=None, repr=False)
    """For a new token once this one has run out; None where the caller has one already."""
    access_token: str | None = field(default=None, repr=False)
    """What the pool itself wants to see, where it keeps people; for signing out everywhere."""


@frozen(kw_only=True)
class Challenge:
    """The password was right, and has to be replaced before anything else."""

    name: str
    session: str = field(repr=False)
    """Goes back with the new password."""


class Identities(Protocol):
    """
    People and their passwords. Names differ in more than the case of their letters.

    - Nothing tells a name that is not known from a password that is wrong: both raise
      UnauthenticatedError, after as long.
    - Whoever tries too often raises TooManyTriesError.
    - Every method raises UnavailableError when whoever keeps people does not answer.
    """

    def sign_in(self, name: str, password: str) -> SignedIn | Challenge:
        """
        Let somebody in, or ask them for a new password first.

        Raises:
            UnauthenticatedError: Not so.
        """

    def answer(self, challenge: Challenge, new_password: str) -> SignedIn:
        """
        Replace the password of somebody who was asked to, and let them in.

        Raises:
            UnauthenticatedError: Nobody was asked this, or it was too long ago.
            InvalidInputError: The password is too weak.
        """

    def refresh(self, refresh_token: str) -> SignedIn:
        """
        Return a new token.

        Raises:
            UnauthenticatedError: The refresh token has run out, or was given back.
        """

    def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """
        Take back the refresh token, and with *everywhere* all that this person has.

        What is out already is no error. A token that was signed may be good until it runs out.
        """

    def forgot(self, name: str) -> None:
        """
        Send a code to somebody who forgot their password; to whom there is not, nothing.

        Raises:
            NotAllowedError: Codes are not sent here: an administrator has to help.
        """

    def reset(self, name: str, code: str, new_password: str) -> None:
        """
        Replace the password of somebody who was sent *code*.

        Raises:
            UnauthenticatedError: It is not the code, or it is too old.
            InvalidInputError: The password is too weak.
        """

    def add(self, member: Member, password: str | None = None) -> str | None:
        """
        Take somebody on.

        Args:
            password: Theirs, which they have to replace when they first sign in; None makes one.

        Returns:
            The password that was made, to be handed over; None if it is sent, or was given.

        Raises:
            AlreadyExistsError: There is somebody of that name.
            InvalidInputError: The name or the password is not fit.
        """

    def remove(self, customer_id: str, name: str) -> None:
        """
        Let somebody in no longer, from now on where tokens are looked up, else once theirs run out.

        Raises:
            NotFoundError: The customer has no such member.
        """

    def members(self, customer_id: str) -> tuple[Member, ...]:
        """Return a customer's members, by name."""
