"""People kept among the documents, with argon2 hashes: where there is no Cognito."""

import hashlib
import json
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from attrs import evolve, field, frozen

from daylily.domain.customers import Principal, Role
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    TooManyTriesError,
    UnauthenticatedError,
)
from daylily.domain.names import check_id
from daylily.domain.passwords import faults_of_name, faults_of_password
from daylily.ports.clock import Clock
from daylily.ports.documents import Document, DocumentStore
from daylily.ports.identities import Challenge, Member, SignedIn
from daylily.ports.paging import every

SESSION_PREFIX: Final = "dls_"
SESSION: Final = timedelta(hours=12)
REFRESH: Final = timedelta(days=30)
CHALLENGE: Final = timedelta(minutes=15)
TRIES: Final = 10
PAUSE: Final = timedelta(minutes=5)
"""After so many wrong passwords, a name rests until so long after the first of them."""

_USERS: Final = "users"
_TRIES: Final = "tries"
_WRONG: Final = "the name or the password is wrong"
_OUT: Final = "sign in again"


@frozen
class _User:
    """What is kept of a person."""

    name: str
    customer_id: str
    role: Role
    password: str = field(repr=False)
    """Its argon2 hash."""
    must_change: bool
    added_at: datetime
    generation: int = 0
    """Moved on by signing out everywhere and by a new password: sessions of others are over."""
    version: int = 0


@frozen(eq=False)
class DocumentIdentities:
    """
    An Identities, and the TokenVerifier of the sessions it gives out.

    Each request with a session looks up session and person, so that whoever is removed, or signed
    out, is out at once. Passwords are hashed by argon2id, sessions kept by the digests of their ids.
    """

    documents: DocumentStore
    clock: Clock
    hasher: PasswordHasher = field(factory=PasswordHasher, repr=False)

    @cached_property
    def _nobody(self) -> str:
        """Verified for names that nobody has, which then take as long as others."""
        return self.hasher.hash(secrets.token_urlsafe(16))

    # Signing in

    def sign_in(self, name: str, password: str) -> SignedIn | Challenge:
        """See Identities.sign_in."""
        # Counted before the look, so that nobody tries many at once; and names that nobody has, too,
        # since others must not tell them from those that somebody has.
        self._count(name)
        user = self._find(name)
        if not self._matches(user, password) or user is None:
            raise UnauthenticatedError(_WRONG)
        self._take_back(_TRIES, name.lower())
        if user.must_change:
            session = self._give_out("challenge", user, CHALLENGE)
            return Challenge(name=user.name, session=session)
        return self._let_in(user)

    def answer(self, challenge: Challenge, new_password: str) -> SignedIn:
        """See Identities.answer."""
        user = self._holder("challenge", challenge.session)
        if user is None or user.name != challenge.name.lower():
            raise UnauthenticatedError(_OUT)
        user = self._with_password(user, new_password)
        self._take_back("challenge", challenge.session)
        return self._let_in(user)

    def refresh(self, refresh_token: str) -> SignedIn:
        """See Identities.refresh."""
        user = self._holder("refresh", refresh_token)
        if user is None:
            raise UnauthenticatedError(_OUT)
        return evolve(self._let_in(user, refreshable=False), refresh_token=None)

    def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """See Identities.sign_out."""
        user = self._holder("session", signed_in.token)
        self._take_back("session", signed_in.token)
        if signed_in.refresh_token is not None:
            self._take_back("refresh", signed_in.refresh_token)
        if everywhere and user is not None:
            self._changed(user, generation=user.generation + 1)

    def forgot(self, name: str) -> None:
        """See Identities.forgot."""
        raise NotAllowedError(
            "no codes are sent here: have an administrator set a new password (daylily auth password)"
        )

    def reset(self, name: str, code: str, new_password: str) -> None:
        """See Identities.reset."""
        self.forgot(name)

    # Sessions

    def knows(self, token: str) -> bool:
        """See TokenVerifier.knows."""
        return token.startswith(SESSION_PREFIX)

    def verify(self, token: str) -> Principal:
        """See TokenVerifier.verify."""
        user = self._holder("session", token)
        if user is None:
            raise UnauthenticatedError("the token is not valid")
        return Principal.of(user.name, user.customer_id, user.role)

    # People

    def add(self, member: Member, password: str | None = None) -> str | None:
        """See Identities.add."""
        name = member.name.lower()
        made = secrets.token_urlsafe(15) if password is None else None
        chosen = made or password or ""
        faults = [*faults_of_name(name), *(() if made else faults_of_password(chosen, name))]
        if faults:
            raise InvalidInputError(faults)
        user = _User(
            name=name,
            customer_id=check_id(member.customer_id, "customer_id"),
            role=member.role,
            password=self.hasher.hash(chosen),
            must_change=True,
            added_at=self.clock(),
        )
        try:
            self.documents.add(_document(user))
        except AlreadyExistsError:
            raise AlreadyExistsError(f"there is somebody called {name} already") from None
        return made

    def set_password(self, name: str, password: str | None = None) -> str | None:
        """
        Give somebody a password that they have to replace when they next sign in.

        Raises:
            NotFoundError: There is nobody of that name.
            InvalidInputError: The password is too weak.
        """
        user = self._find(name)
        if user is None:
            raise NotFoundError(f"there is nobody called {name[:80]}")
        made = secrets.token_urlsafe(15) if password is None else None
        self._with_password(user, made or password or "", must_change=True)
        return made

    def remove(self, customer_id: str, name: str) -> None:
        """See Identities.remove."""
        user = self._find(name)
        if user is None or user.customer_id != customer_id:
            raise NotFoundError(f"{customer_id} has no member called {name[:80]}")
        gone = evolve(_document(user), version=user.version, expires_at=self.clock())
        self.documents.replace(gone)

    def members(self, customer_id: str) -> tuple[Member, ...]:
        """See Identities.members."""
        found = every(lambda cursor: self.documents.list("user", _USERS, after=cursor))
        users = (_user(document) for document in found)
        return tuple(
            Member(name=each.name, customer_id=each.customer_id, role=each.role, added_at=each.added_at)
            for each in users
            if each.customer_id == customer_id
        )

    # What is kept

    def _find(self, name: str) -> _User | None:
        with suppress(NotFoundError):
            return _user(self.documents.get("user", _USERS, name.lower()))
        return None

    def _matches(self, user: _User | None, password: str) -> bool:
        kept = self._nobody if user is None else user.password
        try:
            self.hasher.verify(kept, password.encode(errors="replace"))
        except VerificationError:
            return False
        return user is not None

    def _count(self, name: str) -> None:
        place = _place(_TRIES, name.lower())
        while True:
            with suppress(AlreadyExistsError):
                until = self.clock() + PAUSE
                self.documents.add(evolve(place, body="1", expires_at=until))
                return
            with suppress(NotFoundError, ConcurrentUpdateError):
                found = self.documents.get(place.kind, place.partition, place.key)
                if int(found.body) >= TRIES:
                    minutes = PAUSE.total_seconds() / 60
                    raise TooManyTriesError(f"too many tries; wait {minutes:.0f} minutes")
                self.documents.replace(evolve(found, body=str(int(found.body) + 1)))
                return

    def _with_password(self, user: _User, password: str, *, must_change: bool = False) -> _User:
        if not must_change and self._matches(user, password):
            raise InvalidInputError.of("password", "is the one that has to be replaced")
        if faults := [*faults_of_password(password, user.name)]:
            raise InvalidInputError(faults)
        return self._changed(
            user,
            password=self.hasher.hash(password),
            must_change=must_change,
            generation=user.generation + 1,
        )

    def _changed(self, user: _User, **changes: Any) -> _User:
        changed = evolve(user, **changes)
        stored = self.documents.replace(evolve(_document(changed), version=user.version))
        return evolve(changed, version=stored.version)

    def _let_in(self, user: _User, *, refreshable: bool = True) -> SignedIn:
        return SignedIn(
            token=self._give_out("session", user, SESSION),
            expires_in=SESSION,
            refresh_token=self._give_out("refresh", user, REFRESH) if refreshable else None,
        )

    def _give_out(self, kind: str, user: _User, lasts: timedelta) -> str:
        text = f"{SESSION_PREFIX}{secrets.token_urlsafe(32)}"
        body = json.dumps({"user": user.name, "generation": user.generation})
        self.documents.add(evolve(_place(kind, text), body=body, expires_at=self.clock() + lasts))
        return text

    def _take_back(self, kind: str, text: str) -> None:
        place = _place(kind, text)
        with suppress(NotFoundError, ConcurrentUpdateError):
            found = self.documents.get(place.kind, place.partition, place.key)
            self.documents.replace(evolve(found, expires_at=self.clock()))

    def _holder(self, kind: str, text: str) -> _User | None:
        """Return who was given a text, if it is good."""
        place = _place(kind, text)
        try:
            found = self.documents.get(place.kind, place.partition, place.key)
        except NotFoundError:
            return None
        body = json.loads(found.body)
        user = self._find(body["user"])
        return user if user is not None and user.generation == body["generation"] else None


def _place(kind: str, text: str) -> Document:
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return Document(kind=kind, partition=digest[:2], key=digest, body="")


def _document(user: _User) -> Document:
    body = {
        "customer_id": user.customer_id,
        "role": user.role.value,
        "password": user.password,
        "must_change": user.must_change,
        "added_at": user.added_at.isoformat(),
        "generation": user.generation,
    }
    return Document(kind="user", partition=_USERS, key=user.name, body=json.dumps(body))


def _user(document: Document) -> _User:
    body: dict[str, Any] = json.loads(document.body)
    return _User(
        name=document.key,
        customer_id=body["customer_id"],
        role=Role(body["role"]),
        password=body["password"],
        must_change=body["must_change"],
        added_at=datetime.fromisoformat(body["added_at"]),
        generation=body["generation"],
        version=document.version,
    )
