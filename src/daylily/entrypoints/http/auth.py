"""Who is asking, and how far their token reaches: told from headers, and from nothing else."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, Self

from anyio import to_thread
from attrs import field, frozen
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from daylily.domain.customers import Principal, Scope
from daylily.domain.errors import InvalidInputError, NotAllowedError, UnauthenticatedError
from daylily.entrypoints.http.security import SAFE_METHODS, Connection
from daylily.ports.token_verifier import TokenVerifier

NEEDS: Final = "scope"
"""The key of a handler's ``opt`` that says what scope it needs, if not the one its method does."""

_REFUSED: Final = "the token is not valid"


class Authenticator(Protocol):
    """Tells who is asking. Tokens of further kinds are further authenticators."""

    def __call__(self, headers: Mapping[str, str]) -> Principal:
        """
        Return the caller; names of *headers* are in lower case.

        Raises:
            UnauthenticatedError: There is no token, or it is none of ours. It never says which part
                was wrong.
            NotAllowedError: The token is sound, and names nobody whom we could let in.
            UnavailableError: What is needed to tell does not answer.
        """


@frozen
class AdminToken:
    """One token, which makes an operator of whoever holds it; only its digest is kept."""

    principal: Principal
    _digest: bytes = field(repr=False)

    @classmethod
    def of(cls, token: str, principal: Principal) -> Self:
        """
        Return an authenticator for *token*.

        Raises:
            InvalidInputError: It is blank, which would let everybody in.
        """
        if not token.strip():
            raise InvalidInputError.of("admin_token", "is blank; None switches authentication off")
        return cls(principal, _digest_of(token))

    def __call__(self, headers: Mapping[str, str]) -> Principal:
        """See Authenticator."""
        return self.verify(bearer_token(headers))

    def knows(self, token: str) -> bool:
        """See TokenVerifier.knows."""
        # Digests have one length, so not even that of the token can be timed.
        return hmac.compare_digest(_digest_of(token), self._digest)

    def verify(self, token: str) -> Principal:
        """See TokenVerifier.verify."""
        if not self.knows(token):
            raise UnauthenticatedError(_REFUSED)
        return self.principal


@frozen
class BearerTokens:
    """Tokens of several kinds: the first that knows a token by its looks tells whose it is."""

    verifiers: Sequence[TokenVerifier]
    admin: AdminToken | None = None

    def at_once(self, headers: Mapping[str, str]) -> Principal | None:
        """Return the operator if it is their token: nobody has to be asked for that."""
        if self.admin is None:
            return None
        token = bearer_token(headers)
        return self.admin.principal if self.admin.knows(token) else None

    def __call__(self, headers: Mapping[str, str]) -> Principal:
        """See Authenticator."""
        if (operator := self.at_once(headers)) is not None:
            return operator
        token = bearer_token(headers)
        for verifier in self.verifiers:
            if verifier.knows(token):
                return verifier.verify(token)
        raise UnauthenticatedError(_REFUSED)


@frozen
class OpenDoor:
    """Authentication is off: whoever asks is the operator. For loopback only."""

    principal: Principal

    def __call__(self, headers: Mapping[str, str]) -> Principal:
        """See Authenticator."""
        return self.principal


def bearer_token(headers: Mapping[str, str]) -> str:
    """
    Return the token of a request.

    Raises:
        UnauthenticatedError: There is none.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("send the token: 'Authorization: Bearer <token>'")
    return token.strip()


def signed_in(authenticator: Authenticator) -> Guard:
    """
    Return a guard that lets in whom *authenticator* knows, before anything else is looked at.

    Reading needs a token that reads, anything else one that submits; a route may need another.
    """

    at_once = authenticator.at_once if isinstance(authenticator, BearerTokens) else _nobody

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        headers = connection.headers
        who = at_once(headers)
        if who is None:
            # A store, or an issuer, may have to be asked.
            who = await to_thread.run_sync(authenticator, headers)
        connection.scope["user"] = who
        check_scope(who, connection.scope, handler.opt.get(NEEDS))

    return guard


def _nobody(_: Mapping[str, str]) -> None:
    """Know nobody without asking."""


def check_scope(who: Principal, scope: Any, needed: Scope | None = None) -> None:
    """
    Let through a request that the caller's token reaches as far as.

    Args:
        needed: None: to read for methods that change nothing, and to submit for all others.

    Raises:
        NotAllowedError: It does not.
    """
    if needed is None:
        needed = Scope.READ if scope.get("method") in SAFE_METHODS else Scope.SUBMIT
    if not who.scope.covers(needed):
        raise NotAllowedError(f"the token's scope is {who.scope}, and this needs {needed}")


def _digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
