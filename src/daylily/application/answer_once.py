"""Answer a request once, however often it is sent: who lost an answer sends the request again."""

import base64
import contextlib
import hashlib
import json
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import evolve, frozen

from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from daylily.ports.clock import Chance, Clock
from daylily.ports.documents import LARGEST_BODY, Document, DocumentStore

KEPT: Final = timedelta(hours=48)
"""How long a key is known."""
LEASE: Final = timedelta(seconds=30)
"""How long whoever began with a request is waited for; after that, another takes it up."""
KIND: Final = "answer"


class UnderWayError(ConflictError):
    """The same request is being worked on at this moment."""


@frozen(kw_only=True)
class Answer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None
    """None where it was not kept, since it held a secret."""


@frozen
class Claim:
    """The right, and the duty, to work on a request."""

    document: Document
    seed: str
    """Random letters and digits: the same for everybody who ever works on this request."""


@frozen(kw_only=True)
class AnswerOnce:
    """
    Keeps answers under the keys that clients choose, each tenant's for itself.

    The claim is stored before anything is done, with a seed that what is made gets its id from. If we
    die between doing it and keeping the answer, whoever takes the request up again makes the same id of
    the same seed, finds that it is there, and answers with it.
    """

    documents: DocumentStore
    clock: Clock
    chance: Chance

    def claim(self, tenant: str, caller: str, key: str, fingerprint: str) -> Claim | Answer:
        """
        Return the right to work on a request, or what it was answered before.

        Args:
            tenant: Whose keys they are.
            caller: Who of them asks.
            key: What the client calls the request.
            fingerprint: Of all that the request asks for.

        Raises:
            InvalidInputError: The key was used for a request that asked for something else.
            UnderWayError: Somebody is at work on it.
            UnavailableError: The store does not answer.
        """
        now = self.clock()
        fresh = {"fingerprint": fingerprint, "seed": self.chance.token(), "at": now.isoformat()}
        document = Document(
            kind=KIND,
            partition=tenant,
            key=hashlib.sha256(f"{caller}\0{key}".encode()).hexdigest(),
            body=json.dumps(fresh),
            expires_at=now + KEPT,
        )
        try:
            return Claim(self.documents.add(document), fresh["seed"])
        except AlreadyExistsError:
            return self._known(document, fingerprint, now)

    def keep(self, claim: Claim, answer: Answer) -> None:
        """
        Keep the answer; one that is too large is made again from the same seed when it is asked for.

        Raises:
            UnavailableError: The store does not answer.
        """
        body = None if answer.body is None else base64.b64encode(zlib.compress(answer.body)).decode()
        record = {
            **json.loads(claim.document.body),
            "answer": {"status": answer.status, "headers": dict(answer.headers), "body": body},
        }
        text = json.dumps(record)
        if len(text) > LARGEST_BODY:
            self.release(claim)
        else:
            self._replace(claim, text)

    def release(self, claim: Claim) -> None:
        """
        Let the request be worked on again: it came to no answer that would be worth keeping.

        Raises:
            UnavailableError: The store does not answer.
        """
        record = {**json.loads(claim.document.body), "at": (self.clock() - LEASE).isoformat()}
        self._replace(claim, json.dumps(record))

    def _known(self, document: Document, fingerprint: str, now: datetime) -> Claim | Answer:
        try:
            found = self.documents.get(document.kind, document.partition, document.key)
        except NotFoundError:
            raise UnderWayError("the key runs out at this moment: send the request again") from None
        record = _record(found)
        if record["fingerprint"] != fingerprint:
            raise InvalidInputError.of(
                "Idempotency-Key", "was used for a request that asked for something else: take another"
            )
        answer = record.get("answer")
        if answer is not None:
            body = answer["body"]
            return Answer(
                status=answer["status"],
                headers=answer["headers"],
                body=None if body is None else zlib.decompress(base64.b64decode(body)),
            )
        under_way = "this request is being worked on: send it again for its answer"
        if now - datetime.fromisoformat(record["at"]) < LEASE:
            raise UnderWayError(under_way)
        taken = json.dumps({**record, "at": now.isoformat()})
        try:
            stored = self.documents.replace(evolve(found, body=taken, expires_at=now + KEPT))
        except (ConcurrentUpdateError, NotFoundError):
            raise UnderWayError(under_way) from None
        return Claim(stored, record["seed"])

    def _replace(self, claim: Claim, body: str) -> None:
        # Were we so slow that somebody has taken it up, theirs is the answer.
        with contextlib.suppress(ConcurrentUpdateError, NotFoundError):
            self.documents.replace(evolve(claim.document, body=body, expires_at=self.clock() + KEPT))


def _record(document: Document) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(document.body)
        datetime.fromisoformat(found["at"])
        str(found["fingerprint"] + found["seed"])
    except (LookupError, TypeError, ValueError) as error:
        raise UnavailableError(f"the record of an answer cannot be read: {error!r}") from error
    return found
