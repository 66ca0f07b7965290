"""Where people sign in elsewhere, and come back with proof of it."""

from typing import Protocol

from daylily.ports.identities import SignedIn


class SignInProvider(Protocol):
    """
    An OpenID provider whose own page asks people who they are (authorization code flow with PKCE).

    What comes back is a token that a TokenVerifier of the same issuer has yet to look at. Every method
    raises UnavailableError when the provider does not answer, or makes no sense. Safe to share between
    threads.
    """

    @property
    def name(self) -> str:
        """What people are told that they sign in with."""

    def address(self, *, back_to: str, state: str, nonce: str, verifier: str) -> str:
        """
        Return where to send a browser.

        Args:
            back_to: Where the provider sends it back to; the provider has to know it.
            state: Comes back with it.
            nonce: Comes back in the token.
            verifier: Secret; the provider is sent its digest, and by ``exchange`` itself.
        """

    def exchange(self, code: str, *, back_to: str, nonce: str, verifier: str) -> SignedIn:
        """
        Return the token for the code that a browser has come back with.

        Raises:
            UnauthenticatedError: It is not a code, was used, or belongs to another *verifier*; or the
                token that it gives is for another *nonce*.
        """

    def refresh(self, refresh_token: str) -> SignedIn:
        """See Identities.refresh."""

    def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """See Identities.sign_out; what cannot be taken back there is no error."""
