"""Tokens that an OpenID provider has signed: Cognito, or any other."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from attrs import define, field, frozen

from daylily.domain.customers import Principal, Role
from daylily.domain.errors import NotAllowedError, UnauthenticatedError, UnavailableError
from daylily.domain.names import is_id
from daylily.ports.clock import Clock

Fetch = Callable[[str], bytes]
"""Returns the document at an address, or raises UnavailableError."""

LEEWAY: Final = timedelta(seconds=60)
"""How far clocks may be apart."""
KEPT: Final = timedelta(hours=1)
"""After so long keys are fetched anew, so that one that was taken back is not good for ever."""
FLOOR: Final = timedelta(seconds=30)
"""Tokens with made-up key ids have keys fetched no more often than this."""
LARGEST: Final = 64 * 1024
LONGEST_TOKEN: Final = 16 * 1024
TIMEOUT: Final = 5.0

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_ODD: Final = re.compile(r"[^\w.@+:|-]")
_REFUSED: Final = "the token is not valid"


def fetch(url: str) -> bytes:
    """
    Return the document at an address, which must come soon and be small.

    Raises:
        UnavailableError: Not so.
    """
    import httpx

    try:
        with httpx.stream("GET", url, timeout=TIMEOUT, follow_redirects=False) as answer:
            answer.raise_for_status()
            body = b""
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise UnavailableError(f"{url} is larger than keys ever are")
            return body
    except httpx.HTTPError as error:
        raise UnavailableError(f"{url} does not answer: {error}") from error


@define(eq=False)
class Keys:
    """
    The public keys of an issuer, kept for a while. Safe to share between threads.

    While the issuer does not answer, keys that were known stay good.

    Args:
        url: Where they are (JWKS), or how to find out.
        fetch: Gets a document.
        clock: Tells the time.
    """

    url: Callable[[Fetch], str]
    fetch: Fetch
    clock: Clock
    _keys: dict[str, jwt.PyJWK] = field(init=False, factory=dict, repr=False)
    _read_at: datetime | None = field(init=False, default=None)
    _tried_at: datetime | None = field(init=False, default=None)
    _error: UnavailableError | None = field(init=False, default=None)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def get(self, key_id: str) -> jwt.PyJWK | None:
        """
        Return the key of that id; None if the issuer has none.

        Raises:
            UnavailableError: No keys are known, and the issuer does not answer.
        """
        with self._mutex:
            if key_id not in self._keys or self._old():
                self._renew()
            if not self._keys and self._error is not None:
                raise self._error
            return self._keys.get(key_id)

    def _old(self) -> bool:
        return self._read_at is None or self.clock() - self._read_at >= KEPT

    def _renew(self) -> None:
        now = self.clock()
        if self._tried_at is not None and now - self._tried_at < FLOOR:
            return
        self._tried_at = now
        try:
            found = json.loads(self.fetch(self.url(self.fetch)))
            self._keys = {
                str(each["kid"]): jwt.PyJWK(each)
                for each in found["keys"]
                if each.get("use", "sig") == "sig" and each.get("kty") in {"RSA", "EC"}
            }
            self._read_at, self._error = now, None
        except UnavailableError as error:
            self._error = error
        except (ValueError, TypeError, KeyError, AttributeError, jwt.PyJWTError) as error:
            self._error = UnavailableError(f"the keys of the issuer make no sense: {error!r}")


@frozen(kw_only=True, eq=False)
class OIDCTokens:
    """
    A TokenVerifier of signed tokens (JWT).

    Checked are the signature, by a key of the issuer and an algorithm that is ours to choose, the
    issuer, whom the token is for, and when. The customer is a claim, roles are groups.

    Args:
        issuer: As tokens name it.
        audience: Whom tokens must be for: the app client.
        keys: Of the issuer.
        clock: Tells the time.
        customer: Whom operators act for whose token names no customer.
        cognito: Whether it is Cognito's dialect: ``token_use``, and ``client_id`` in access tokens.
    """

    issuer: str
    audience: str
    keys: Keys
    clock: Clock
    customer: str
    customer_claim: str = "custom:customer_id"
    groups_claim: str = "cognito:groups"
    admin_group: str = "daylily-admins"
    operator_group: str = "daylily-operators"
    cognito: bool = True

    def knows(self, token: str) -> bool:
        """See TokenVerifier.knows."""
        if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
            return False
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError):
            return False
        return bool(claims.get("iss") == self.issuer)

    def verify(self, token: str) -> Principal:
        """See TokenVerifier.verify."""
        claims = self._claims(token)
        groups = claims.get(self.groups_claim, ())
        groups = groups if isinstance(groups, list) else str(groups).split()
        role = Role.USER
        if self.operator_group in groups:
            role = Role.OPERATOR
        elif self.admin_group in groups:
            role = Role.ADMIN
        customer_id = claims.get(self.customer_claim)
        if customer_id is None and role is Role.OPERATOR:
            customer_id = self.customer
        if not isinstance(customer_id, str) or not is_id(customer_id):
            raise NotAllowedError(
                f"the token names no customer ({self.customer_claim}): send the ID token, and have an"
                " administrator see to it that you belong to a customer"
            )
        return Principal.of(_name(claims), customer_id, role)

    def _claims(self, token: str) -> Mapping[str, Any]:
        refused = UnauthenticatedError(_REFUSED)
        if len(token) > LONGEST_TOKEN:
            raise refused
        algorithms = ["RS256"] if self.cognito else ["RS256", "ES256"]
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in algorithms or not isinstance(header.get("kid"), str):
                raise refused
            key = self.keys.get(header["kid"])
            if key is None:
                raise refused
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=algorithms,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={
                    # Times by our own clock, below, and the audience by dialect.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                    "require": ["exp", "iat", "iss", "sub"],
                },
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise refused from error
        if not (self._in_time(claims) and self._for_us(claims)):
            raise refused
        return claims

    def _in_time(self, claims: Mapping[str, Any]) -> bool:
        now, leeway = self.clock().timestamp(), LEEWAY.total_seconds()
        times = [claims["exp"], claims["iat"], claims.get("nbf", 0)]
        if not all(isinstance(each, int | float) for each in times):
            return False
        expires, *begins = times
        return bool(now < expires + leeway and max(begins) <= now + leeway)

    def _for_us(self, claims: Mapping[str, Any]) -> bool:
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if not self.cognito:
            return self.audience in named
        match claims.get("token_use"):
            case "id":
                return self.audience in named
            case "access":
                return bool(claims.get("client_id") == self.audience)
            case _:
                return False


def _name(claims: Mapping[str, Any]) -> str:
    """Return what people are called in histories: their address if it was checked, else their id."""
    email = claims.get("email") if claims.get("email_verified", True) in {True, "true"} else None
    found = email or claims.get("cognito:username") or claims.get("username") or claims["sub"]
    return _ODD.sub("_", str(found))[:128]


def cognito_issuer(region: str, pool: str) -> str:
    """Return what tokens of a pool call their issuer."""
    suffix = ".cn" if region.startswith("cn-") else ""
    return f"https://cognito-idp.{region}.amazonaws.com{suffix}/{pool}"


def jwks_of(issuer: str) -> Callable[[Fetch], str]:
    """Return what finds the address of an issuer's keys by its discovery document."""

    def find(get: Fetch) -> str:
        document = json.loads(get(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
        if document.get("issuer") != issuer:
            raise UnavailableError(f"the discovery document of {issuer} is of another issuer")
        url = str(document["jwks_uri"])
        if not url.startswith("https://") and not issuer.startswith("http://"):
            raise UnavailableError(f"the keys of {issuer} are not at an https address")
        return url

    return find
