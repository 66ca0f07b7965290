"""Everything Daylily raises on purpose. Nothing here knows of HTTP, AWS or the shell."""

from collections.abc import Iterable
from typing import Self

from attrs import frozen


@frozen
class Fault:
    """One thing wrong with what somebody handed in, and where it stands."""

    place: str
    """Row and column (``row 3, R1_FQ``) or key path (``samples[0].fastq_r1``); empty for the whole."""
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class DaylilyError(Exception):
    """Base of what Daylily raises on purpose."""


class NotFoundError(DaylilyError):
    """The thing asked for is not there, or not for the one who asks."""


class ConflictError(DaylilyError):
    """A sound request that the present state of things rules out."""


class AlreadyExistsError(ConflictError):
    """What was to be created is already there."""


class PerhapsOursError(AlreadyExistsError):
    """This very call, whose first answer was lost, may have created what others have changed."""


class IllegalTransitionError(ConflictError):
    """The lifecycle has no such step."""


class LockHeldError(ConflictError):
    """Another owner's lock has not run out, or the lock is not (or no longer) the caller's."""


class ConcurrentUpdateError(ConflictError):
    """The stored workset has moved on since it was read: read it again."""


class StaleVersionError(ConflictError):
    """The change was meant for a version that is not, or no longer, the stored one."""


class UnavailableError(DaylilyError):
    """A store, an engine or a channel does not answer. Never to be read as "empty" or "failed"."""


class ThrottledError(UnavailableError):
    """A channel answers, and asks to be left alone for a while: it will take what it is told then."""


class NotSetUpError(UnavailableError):
    """What is asked has not been made, or may not be used: a person has to act."""


class RejectedError(DaylilyError):
    """An engine refuses a job for good: asking again with the same job cannot help."""


class UnauthenticatedError(DaylilyError):
    """The caller has not said who they are, or not so that we believe it."""


class NotAllowedError(DaylilyError):
    """The caller may see the thing, but not do this to it."""


class QuotaError(NotAllowedError):
    """A customer has used up what was agreed upon."""


class TooManyTriesError(DaylilyError):
    """Somebody may be guessing."""


class InvalidInputError(DaylilyError):
    """What was handed in cannot be accepted; ``faults`` lists everything wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[object, ...]:
        # Made again of its text, as other errors are, it would take each letter for a fault.
        return type(self), (self.faults,)

    @classmethod
    def of(cls, place: str, message: str) -> Self:
        """Return an error with a single fault."""
        return cls([Fault(place, message)])


class CursorError(InvalidInputError):
    """The cursor was not given by this listing, with this filter, for whoever asks."""
