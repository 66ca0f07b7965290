"""Who is asking: told from the request's headers, and from nothing else."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Protocol, Self

from attrs import field, frozen
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from daylily.domain.customers import Principal
from daylily.domain.errors import InvalidInputError
from daylily.entrypoints.http.errors import UnauthenticatedError
from daylily.entrypoints.http.security import Connection


class Authenticator(Protocol):
    """Tells who is asking. Tokens of further kinds are further authenticators."""

    def __call__(self, headers: Mapping[str, str]) -> Principal:
        """
        Return the caller; names of *headers* are in lower case.

        Raises:
            UnauthenticatedError: There is no token, or it is none of ours. It never says which part
                was wrong.
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
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthenticatedError("send the token: 'Authorization: Bearer <token>'")
        # Digests have one length, so not even that of the token can be timed.
        if not hmac.compare_digest(_digest_of(token.strip()), self._digest):
            raise UnauthenticatedError("the token is not valid")
        return self.principal


@frozen
class OpenDoor:
    """Authentication is off: whoever asks is the operator. For loopback only."""

    principal: Principal

    def __call__(self, headers: Mapping[str, str]) -> Principal:
        """See Authenticator."""
        return self.principal


def _digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def signed_in(authenticator: Authenticator) -> Guard:
    """Return a guard that lets in whom *authenticator* knows, before anything else is looked at."""

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        connection.scope["user"] = authenticator(connection.headers)

    return guard
