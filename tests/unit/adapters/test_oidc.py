"""Signed tokens: those that are good, and those that somebody made up (D-43)."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import jwt
import pytest
from attrs import define, field
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from daylily.adapters.oidc import FLOOR, KEPT, LEEWAY, Keys, OIDCTokens, cognito_issuer, jwks_of
from daylily.domain.customers import Principal, Role
from daylily.domain.errors import NotAllowedError, UnauthenticatedError, UnavailableError
from daylily.testing.clock import ManualClock
from daylily.testing.samples import NOON

ISSUER: Final = cognito_issuer("us-west-2", "us-west-2_aBcDeF")
CLIENT: Final = "4711client"
KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ANOTHER: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE: Final = ec.generate_private_key(ec.SECP256R1())
SECOND: Final = timedelta(seconds=1)


@define
class Issuer:
    """An issuer of tokens, whose document of keys can be changed, and be away."""

    keys: dict[str, Any] = field(factory=lambda: {"k1": KEY})
    asked: int = 0
    away: bool = False
    odd: bytes | None = None

    def fetch(self, url: str) -> bytes:
        """Return the document of keys."""
        assert url.startswith("https://")
        self.asked += 1
        if self.away:
            raise UnavailableError("away")
        return self.odd if self.odd is not None else json.dumps(self.document()).encode()

    def document(self) -> dict[str, Any]:
        """Return the keys as an issuer publishes them."""
        found = [
            {**RSAAlgorithm.to_jwk(each.public_key(), as_dict=True), "kid": name, "use": "sig"}
            for name, each in self.keys.items()
        ]
        curve = {**ECAlgorithm.to_jwk(CURVE.public_key(), as_dict=True), "kid": "curve"}
        return {"keys": [*found, curve, {"kty": "oct", "kid": "k0", "k": "AAAA"}]}


@pytest.fixture
def clock() -> ManualClock:
    """A clock wound by hand."""
    return ManualClock()


@pytest.fixture
def issuer() -> Issuer:
    """The issuer."""
    return Issuer()


@pytest.fixture
def tokens(issuer: Issuer, clock: ManualClock) -> OIDCTokens:
    """What verifies tokens of the pool."""
    keys = Keys(lambda _: f"{ISSUER}/.well-known/jwks.json", issuer.fetch, clock)
    return OIDCTokens(issuer=ISSUER, audience=CLIENT, keys=keys, clock=clock, customer="local")


def claims(**changes: Any) -> dict[str, Any]:
    """Return what an ID token says."""
    at = int(NOON.timestamp())
    said = {
        "sub": "1234-5678",
        "iss": ISSUER,
        "aud": CLIENT,
        "token_use": "id",
        "iat": at,
        "exp": at + 3600,
        "email": "ada@acme.example",
        "email_verified": True,
        "custom:customer_id": "acme",
    }
    said |= changes
    return {name: value for name, value in said.items() if value is not None}


def access(**changes: Any) -> dict[str, Any]:
    """Return what an access token says."""
    plain = {"token_use": "access", "client_id": CLIENT, "aud": None, "email": None}
    return claims(**{**plain, "username": "ada", **changes})


def signed(said: dict[str, Any], key: Any = KEY, alg: str = "RS256", **header: Any) -> str:
    """Return a token."""
    return jwt.encode(said, key, algorithm=alg, headers={"kid": "k1", **header})


def refused(tokens: OIDCTokens, token: str) -> None:
    """Check that a token is refused, in the words in which all are."""
    with pytest.raises(UnauthenticatedError, match=r"^the token is not valid$"):
        tokens.verify(token)


def test_an_id_token(tokens: OIDCTokens) -> None:
    """It names a person and their customer."""
    token = signed(claims())
    assert tokens.knows(token)
    assert tokens.verify(token) == Principal(name="ada@acme.example", customer_id="acme")


def test_an_access_token(tokens: OIDCTokens) -> None:
    """It is for us if its client is ours; it may name a customer."""
    assert tokens.verify(signed(access())) == Principal(name="ada", customer_id="acme")


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["daylily-admins"], Role.ADMIN),
        (["x", "daylily-operators", "daylily-admins"], Role.OPERATOR),
        (["daylily-operators-of-others"], Role.USER),
        ("daylily-admins other", Role.ADMIN),
    ],
)
def test_groups_are_roles(tokens: OIDCTokens, groups: Any, role: Role) -> None:
    """Those of the names that the settings give."""
    assert tokens.verify(signed(claims(**{"cognito:groups": groups}))).role is role


def test_who_belongs_to_no_customer(tokens: OIDCTokens) -> None:
    """Only operators need not; everybody else is told what is missing."""
    none = {"custom:customer_id": None}
    operator = signed(claims(**none, **{"cognito:groups": ["daylily-operators"]}))
    assert tokens.verify(operator).customer_id == "local"
    for odd in (None, "", "../acme", "a", 7):
        with pytest.raises(NotAllowedError, match="custom:customer_id"):
            tokens.verify(signed(claims(**{"custom:customer_id": odd})))


AT: Final = int(NOON.timestamp())
FORGED: Final[dict[str, Callable[[], str]]] = {
    "alg none": lambda: jwt.encode(claims(), "", algorithm="none", headers={"kid": "k1"}),
    "alg none, in other letters": lambda: signed(claims()).replace(
        signed(claims()).partition(".")[0],
        jwt.utils.base64url_encode(b'{"alg":"nOnE","kid":"k1"}').decode(),
    ),
    "HS256 with the public key": lambda: hmac_signed(claims()),
    "another issuer's key": lambda: signed(claims(), ANOTHER),
    "a key of another kind": lambda: signed(claims(), CURVE, "ES256", kid="curve"),
    "unknown kid": lambda: signed(claims(), ANOTHER, kid="k2"),
    "no kid": lambda: jwt.encode(claims(), KEY, algorithm="RS256"),
    "kid of a shared secret": lambda: signed(claims(), kid="k0"),
    "RS512": lambda: signed(claims(), alg="RS512"),
    "another pool": lambda: signed(claims(iss=ISSUER.replace("aBcDeF", "xYz"))),
    "no issuer": lambda: signed(claims(iss=None)),
    "another client": lambda: signed(claims(aud="another")),
    "another client's access token": lambda: signed(access(client_id="another")),
    "an access token with our aud": lambda: signed(access(client_id=None, aud=CLIENT)),
    "wrong token_use": lambda: signed(claims(token_use="refresh")),
    "no token_use": lambda: signed(claims(token_use=None)),
    "expired": lambda: signed(claims(exp=AT - 61)),
    "no expiry": lambda: signed(claims(exp=None)),
    "expires one day": lambda: signed(claims(exp="tomorrow")),
    "from the future": lambda: signed(claims(iat=AT + 120)),
    "not yet": lambda: signed(claims(nbf=AT + 120)),
    "signature cut": lambda: signed(claims())[:-4],
    "claims changed": lambda: changed(signed(claims())),
    "long": lambda: signed(claims(x="x" * 20_000)),
    "garbage": lambda: "a.b.c",
    "empty": lambda: "..",
}


def hmac_signed(said: dict[str, Any]) -> str:
    """Return a token whose secret is the public key: what confused verifiers have accepted."""
    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT","kid":"k1"}')
    body = jwt.utils.base64url_encode(json.dumps(said).encode())
    code = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        head + b"." + body, public
    )
    return b".".join((head, body, jwt.utils.base64url_encode(code))).decode()


def changed(token: str) -> str:
    """Return a token that names another customer, under the old signature."""
    head, _, code = token.split(".")
    body = jwt.utils.base64url_encode(json.dumps(claims(**{"custom:customer_id": "x-x"})).encode())
    return f"{head}.{body.decode()}.{code}"


@pytest.mark.parametrize("kind", FORGED)
def test_d_43_forged_tokens_are_refused(tokens: OIDCTokens, kind: str) -> None:
    """D-43: signature, issuer, audience, use and time are all looked at; nothing tells which failed."""
    refused(tokens, FORGED[kind]())


def test_only_tokens_of_the_issuer_are_known(tokens: OIDCTokens) -> None:
    """Others are left to other verifiers, or nobody."""
    assert not tokens.knows(signed(claims(iss="https://elsewhere.example")))
    for text in ("", "dly.acme.x.y", "a.b.c", "x" * 20_000, "é.é.é"):
        assert not tokens.knows(text)


def test_clocks_may_differ_a_little(tokens: OIDCTokens, clock: ManualClock) -> None:
    """By a minute, and no more."""
    token = signed(claims(exp=AT + 10))
    clock.advance(LEEWAY + timedelta(seconds=9))
    tokens.verify(token)
    clock.advance(SECOND)
    refused(tokens, token)


class TestKeys:
    """They are fetched when they are needed, and no more often."""

    def test_kept(self, tokens: OIDCTokens, issuer: Issuer, clock: ManualClock) -> None:
        """For an hour; then a key that the issuer took back is good no more."""
        token = signed(claims(exp=AT + 86400))
        for _ in range(3):
            tokens.verify(token)
        assert issuer.asked == 1
        issuer.keys = {"k2": ANOTHER}
        clock.advance(KEPT)
        refused(tokens, token)

    def test_rotated(self, tokens: OIDCTokens, issuer: Issuer, clock: ManualClock) -> None:
        """A new key is found at once, but made-up ones are not looked for again and again."""
        tokens.verify(signed(claims()))
        issuer.keys = {"k1": KEY, "k2": ANOTHER}
        clock.advance(FLOOR)
        assert tokens.verify(signed(claims(), ANOTHER, kid="k2")).customer_id == "acme"
        assert issuer.asked == 2
        for number in range(20):
            refused(tokens, signed(claims(), kid=f"made-up-{number}"))
        assert issuer.asked == 2

    def test_the_issuer_is_away(self, tokens: OIDCTokens, issuer: Issuer, clock: ManualClock) -> None:
        """An outage is no refusal; keys that are known stay good meanwhile."""
        issuer.away = True
        for _ in range(2):
            with pytest.raises(UnavailableError):
                tokens.verify(signed(claims()))
        assert issuer.asked == 1
        issuer.away = False
        clock.advance(FLOOR)
        token = signed(claims(exp=AT + 86400))
        assert tokens.verify(token).name == "ada@acme.example"
        issuer.away = True
        clock.advance(KEPT)
        assert tokens.verify(token).name == "ada@acme.example"

    @pytest.mark.parametrize("odd", [b"", b"[]", b"{}", b'{"keys":[{"kty":"RSA","kid":"k"}]}'])
    def test_keys_that_make_no_sense(self, tokens: OIDCTokens, issuer: Issuer, odd: bytes) -> None:
        """That is an outage, too."""
        issuer.odd = odd
        with pytest.raises(UnavailableError, match="make no sense"):
            tokens.verify(signed(claims()))


class TestAnyIssuer:
    """Whoever speaks OpenID."""

    ISSUER: Final = "https://id.example/realms/lab"

    @pytest.fixture
    def tokens(self, issuer: Issuer, clock: ManualClock) -> OIDCTokens:
        """Return what verifies tokens of another issuer, whose keys are found by discovery."""
        place = f"{self.ISSUER}/keys"

        def fetch(url: str) -> bytes:
            if url == f"{self.ISSUER}/.well-known/openid-configuration":
                return json.dumps({"issuer": self.ISSUER, "jwks_uri": place}).encode()
            assert url == place
            return issuer.fetch(url)

        return OIDCTokens(
            issuer=self.ISSUER,
            audience="daylily",
            keys=Keys(jwks_of(self.ISSUER), fetch, clock),
            clock=clock,
            customer="local",
            customer_claim="lab",
            groups_claim="groups",
            cognito=False,
        )

    def said(self, **changes: Any) -> dict[str, Any]:
        """Return what a token of that issuer says."""
        return claims(iss=self.ISSUER, aud=["x", "daylily"], token_use=None, lab="acme", **changes)

    def test_claims_of_other_names(self, tokens: OIDCTokens) -> None:
        """The settings say which claims to read; elliptic curves are taken, too."""
        said = self.said(groups=["daylily-admins"])
        expected = Principal(name="ada@acme.example", customer_id="acme", admin=True)
        assert tokens.verify(signed(said)) == expected
        assert tokens.verify(signed(said, CURVE, "ES256", kid="curve")) == expected

    def test_a_token_for_somebody_else(self, tokens: OIDCTokens) -> None:
        """It is refused."""
        refused(tokens, signed(self.said() | {"aud": ["x"]}))

    def test_an_address_that_was_not_checked_is_no_name(self, tokens: OIDCTokens) -> None:
        """Anybody could claim it; and a name has no odd letters."""
        said = self.said(email_verified=False) | {"sub": "auth0|a/b c"}
        assert tokens.verify(signed(said)).name == "auth0|a_b_c"

    @pytest.mark.parametrize(
        "document",
        [
            {"issuer": "https://evil.example", "jwks_uri": "https://id.example/keys"},
            {"issuer": ISSUER, "jwks_uri": "http://id.example/keys"},
        ],
    )
    def test_discovery_that_leads_elsewhere(self, document: dict[str, str]) -> None:
        """A document of another issuer, or keys that anybody on the way could replace."""
        with pytest.raises(UnavailableError):
            jwks_of(self.ISSUER)(lambda _: json.dumps(document).encode())


def test_issuers_of_pools() -> None:
    """China has an AWS of its own."""
    assert cognito_issuer("cn-north-1", "p") == "https://cognito-idp.cn-north-1.amazonaws.com.cn/p"
