"""Who a token speaks for."""

from typing import Protocol

from daylily.domain.customers import Principal


class TokenVerifier(Protocol):
    """Tells who holds a token of one kind. Safe to share between threads."""

    def knows(self, token: str) -> bool:
        """Tell whether a token is of this kind, by its looks alone."""

    def verify(self, token: str) -> Principal:
        """
        Return who holds a token.

        Raises:
            UnauthenticatedError: It is none of ours, or not any more. Never says why.
            NotAllowedError: It is sound, and names nobody whom we could let in.
            UnavailableError: What is needed to tell does not answer.
        """
