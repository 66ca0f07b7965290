"""What AWS says when something is wrong, in Daylily's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from daylily.adapters.aws.credentials import trouble
from daylily.domain.errors import NotSetUpError, UnavailableError

_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403", "UnauthorizedOperation"}
)
_STRANGERS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_ABSENT: Final = frozenset({"NoSuchBucket", "NotFound", "ResourceNotFoundException"})
_UNKNOWN: Final = frozenset(
    {"InvalidAction", "MethodNotAllowed", "NotImplemented", "UnknownOperationException"}
)
_CLOCK: Final = frozenset({"RequestTimeTooSkewed"})


class CredentialsError(UnavailableError):
    """There are no credentials, or none that hold: nobody was asked."""


class SilentError(UnavailableError):
    """Nothing came back: no way leads there, or nobody is there, or it takes too long."""


class NotPermittedError(NotSetUpError):
    """The caller's policy does not allow it."""


class MissingError(NotSetUpError):
    """There is no such table or bucket."""


class NotOfferedError(UnavailableError):
    """The store has not got it at all: imitations of AWS have not everything."""


@contextmanager
def reported(service: str, action: str, target: str) -> Iterator[None]:
    """
    Raise UnavailableError for whatever AWS or the way to it refuses.

    CredentialsError, SilentError, MissingError, NotPermittedError and NotOfferedError are kinds of it.

    Args:
        service: As IAM calls it: ``dynamodb``, ``s3``.
        action: As IAM calls it: ``GetItem``.
        target: What it is done to, for people: ``table daylily-worksets``.
    """
    try:
        yield
    except ClientError as error:
        raise _kind(error)(_explained(error, service, action, target)) from error
    except (BotoCoreError, HTTPClientError) as error:
        why = trouble(error)
        kind = SilentError if why is None else CredentialsError
        why = why or f"{type(error).__name__}: {error}"
        raise kind(f"{service} does not answer {action} on {target}: {why}") from error


def code(error: ClientError) -> str:
    """Return the word by which AWS tells its errors apart."""
    return str(_details(error).get("Code", ""))


def retried(error: ClientError) -> bool:
    """Tell whether the call that failed was the repeat of one whose fate is not known."""
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) > 0


def _kind(error: ClientError) -> type[UnavailableError]:
    if trouble(error):
        return CredentialsError
    kinds = ((_ABSENT, MissingError), (_DENIED, NotPermittedError), (_UNKNOWN, NotOfferedError))
    return next((kind for words, kind in kinds if code(error) in words), UnavailableError)


def _details(error: ClientError) -> dict[str, Any]:
    return dict(error.response.get("Error", {}))


def _explained(error: ClientError, service: str, action: str, target: str) -> str:
    word, said = code(error), _details(error).get("Message", "")
    if why := trouble(error):
        return f"{service} cannot be asked for {action} on {target}: {why}"
    if word in _DENIED:
        return (
            f"{service}:{action} on {target} is not permitted: allow it in the caller's policy, as"
            f" `daylily iam-policy` prints it ({said})"
        )
    if word in _STRANGERS:
        return (
            f"{service}:{action} on {target} is refused, since the credentials are not valid or have"
            f" run out: {said}"
        )
    if word in _ABSENT:
        return f"{service}:{action}: there is no {target} in this account and region ({said})"
    if word in _UNKNOWN:
        return f"this store has no {service}:{action} ({said})"
    if word in _CLOCK:
        return f"{service}:{action} on {target} is refused: set this machine's clock ({said})"
    return f"{service} does not answer {action} on {target}: {word}: {said}"
