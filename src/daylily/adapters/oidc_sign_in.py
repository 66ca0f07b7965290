"""Signing in at an OpenID provider's own page: authorization code flow, with PKCE, state and nonce."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import jwt
from attrs import define, field, frozen

from daylily.adapters.oidc import KEPT, LARGEST, TIMEOUT, Fetch
from daylily.domain.errors import UnauthenticatedError, UnavailableError
from daylily.ports.clock import Clock
from daylily.ports.identities import SignedIn


@frozen
class Answer:
    """What a provider has said to something that was sent to it."""

    status: int
    body: bytes = field(repr=False)


Send = Callable[[str, Mapping[str, str]], Answer]
"""Posts a form to an address and returns the answer, or raises UnavailableError."""

_OUT: Final = "sign in again"


def send(url: str, form: Mapping[str, str]) -> Answer:
    """
    Post a form, which holds secrets: no error tells what was in it.

    Raises:
        UnavailableError: Nobody answers.
    """
    import httpx

    headers = {"Accept": "application/json"}
    try:
        found = httpx.post(
            url, data=dict(form), headers=headers, timeout=TIMEOUT, follow_redirects=False
        )
    except httpx.HTTPError as error:
        raise UnavailableError(f"{url} does not answer: {type(error).__name__}") from None
    return Answer(found.status_code, found.content[:LARGEST])


@define(eq=False, kw_only=True)
class OIDCSignIn:
    """
    A SignInProvider by its discovery document.

    Args:
        issuer: As tokens name it.
        client_id: By which the provider knows us.
        secret: Of ours, if the provider has given us one; the code is bound to us by PKCE anyway.
        fetch: Gets a document.
        send: Posts a form.
        clock: Tells the time.
    """

    issuer: str
    client_id: str
    secret: str | None = field(default=None, repr=False)
    fetch: Fetch
    send: Send = send
    clock: Clock
    _document: Mapping[str, Any] = field(init=False, factory=dict, repr=False)
    _read_at: datetime | None = field(init=False, default=None)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    @property
    def name(self) -> str:
        """See SignInProvider.name."""
        return urlsplit(self.issuer).hostname or self.issuer

    def address(self, *, back_to: str, state: str, nonce: str, verifier: str) -> str:
        """See SignInProvider.address."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": back_to,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        place = self._endpoint("authorization_endpoint")
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(asked)}"

    def exchange(self, code: str, *, back_to: str, nonce: str, verifier: str) -> SignedIn:
        """See SignInProvider.exchange."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back_to,
            "code_verifier": verifier,
        }
        found = self._token(form)
        try:
            claims = jwt.decode(found.token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError):
            raise UnavailableError(f"{self.issuer} has given a token that is none") from None
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise UnauthenticatedError(_OUT)
        return found

    def refresh(self, refresh_token: str) -> SignedIn:
        """See SignInProvider.refresh."""
        return self._token({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """See SignInProvider.sign_out."""
        if signed_in.refresh_token is None or "revocation_endpoint" not in self._read():
            return
        form = {"token": signed_in.refresh_token, "token_type_hint": "refresh_token"}
        self.send(self._endpoint("revocation_endpoint"), self._ours(form))

    def _token(self, form: Mapping[str, str]) -> SignedIn:
        answer = self.send(self._endpoint("token_endpoint"), self._ours(form))
        if 400 <= answer.status < 500:
            raise UnauthenticatedError(_OUT)
        try:
            if answer.status != 200:
                raise ValueError(answer.status)
            said = json.loads(answer.body)
            return SignedIn(
                token=str(said["id_token"]),
                expires_in=timedelta(seconds=float(said.get("expires_in", 300))),
                refresh_token=said.get("refresh_token"),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UnavailableError(f"{self.issuer} gives no token: {answer.status}") from None

    def _ours(self, form: Mapping[str, str]) -> Mapping[str, str]:
        secret = {} if self.secret is None else {"client_secret": self.secret}
        return {**form, "client_id": self.client_id, **secret}

    def _endpoint(self, name: str) -> str:
        url = str(self._read().get(name, ""))
        if not url.startswith("https://") and not (url and self.issuer.startswith("http://")):
            raise UnavailableError(f"{self.issuer} has no {name} at an https address")
        return url

    def _read(self) -> Mapping[str, Any]:
        with self._mutex:
            now = self.clock()
            if self._read_at is None or now - self._read_at >= KEPT:
                url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                try:
                    document = json.loads(self.fetch(url))
                    if document["issuer"] != self.issuer:
                        raise ValueError(document["issuer"])
                except (ValueError, TypeError, KeyError) as error:
                    raise UnavailableError(f"{url} makes no sense: {error!r}") from None
                self._document, self._read_at = document, now
            return self._document


def challenge_of(verifier: str) -> str:
    """Return what PKCE (RFC 7636) sends ahead of *verifier*."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
