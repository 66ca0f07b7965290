"""What goes wrong between a client and us, before or beside anything that the domain knows of."""

from daylily.domain.errors import DaylilyError


class ClosedDoorError(DaylilyError):
    """The service does not know whom it may let in, and so lets in nobody from where this one comes."""


class ForbiddenError(DaylilyError):
    """A browser sends this for a page of somebody else's, or the form it comes from is too old."""


class MisdirectedError(DaylilyError):
    """The request was meant for another host: a name that somebody made point here."""


class BadDocumentError(DaylilyError):
    """The body is no document of the kind that belongs here, so that no place in it can be named."""


class MediaTypeError(DaylilyError):
    """The body is said to be of a type that is not taken here."""


class CutShortError(DaylilyError):
    """The body ended before, or went on past, the length that was announced; or it stood still."""


class TooManyRequestsError(DaylilyError):
    """Whoever asks has asked so often that others may have to wait; ``wait`` says for how long."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__(f"too many requests: ask again in {wait} seconds")


class TooManyStreamsError(DaylilyError):
    """As many streams are open as there may be."""
