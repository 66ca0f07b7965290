"""Which failures are tried again, and after how long: pure arithmetic."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen


class ErrorCategory(StrEnum):
    """Why an attempt failed; the values are the words on the wire."""

    TRANSIENT = "transient"
    RESOURCE = "resource"
    CONFIGURATION = "configuration"
    DATA = "data"
    PERMANENT = "permanent"


RETRIED: Final = frozenset({ErrorCategory.TRANSIENT, ErrorCategory.RESOURCE})

INFRASTRUCTURE: Final = 187
"""
The exit code by which what runs a job for us says that the job came to nothing, and not by its own
doing: S3 was away, or the machine went. sysexits.h has none for it, and programs hardly use this one.
"""

_TIMED_OUT: Final = 124
_KILLED: Final = 128 + 9
_CATEGORY_OF_EXIT: Final = {
    # sysexits.h, and what shells and engines report for a program not found or a kill
    64: ErrorCategory.CONFIGURATION,
    65: ErrorCategory.DATA,
    66: ErrorCategory.DATA,
    69: ErrorCategory.TRANSIENT,
    71: ErrorCategory.TRANSIENT,
    74: ErrorCategory.TRANSIENT,
    75: ErrorCategory.TRANSIENT,
    78: ErrorCategory.CONFIGURATION,
    INFRASTRUCTURE: ErrorCategory.TRANSIENT,
    126: ErrorCategory.CONFIGURATION,
    127: ErrorCategory.CONFIGURATION,
    _TIMED_OUT: ErrorCategory.RESOURCE,
    _KILLED: ErrorCategory.RESOURCE,
}


def category_of(exit_code: int | None) -> ErrorCategory:
    """
    Return the category of an attempt that ended with *exit_code*.

    None means that the engine lost the job without an exit code. An exit code that says nothing is
    PERMANENT: trying again what is not understood costs money and rarely helps.
    """
    if exit_code is None:
        return ErrorCategory.TRANSIENT
    return _CATEGORY_OF_EXIT.get(exit_code, ErrorCategory.PERMANENT)


def says_much(exit_code: int) -> bool:
    """Tell whether an exit code by itself says what kind of failure it was."""
    return exit_code in _CATEGORY_OF_EXIT


@frozen
class Failure:
    """How an attempt failed, for people and for the retry policy."""

    category: ErrorCategory
    message: str
    exit_code: int | None = None
    code: str | None = None
    """Of the catalogue in ``diagnosis``; None where none fits."""
    lost: bool = False
    """Whether the job was lost to what it ran on: nobody's fault, and no retry of anybody's."""


@frozen(kw_only=True)
class RetryPolicy:
    """Exponential back-off with jitter, up to a number of retries."""

    base: timedelta = timedelta(seconds=2)
    ceiling: timedelta = timedelta(hours=1)
    max_losses: int = 10
    """How often in a row a job may be lost with its machine and be tried again all the same."""

    def retries(self, failure: Failure, retries_used: int, max_retries: int) -> bool:
        """Tell whether a failure is to be tried again by itself."""
        return failure.category in RETRIED and retries_used < max_retries

    def replaces(self, failure: Failure, losses: int) -> bool:
        """
        Tell whether a lost job is to be replaced, without using up a retry.

        Args:
            losses: How many attempts in a row were lost before this one.
        """
        return failure.lost and losses < self.max_losses

    def delay(self, retries_used: int, jitter: float) -> timedelta:
        """
        Return how long to wait before retry number ``retries_used + 1``.

        ``base * 2**retries_used``, at most ``ceiling``, of which the upper half is spread by *jitter*
        ("equal jitter", so that retries neither bunch nor come at once).

        Args:
            jitter: From 0 to 1, drawn by the caller.
        """
        # 2**30 seconds is past any ceiling; the bound keeps the power from growing without end.
        full = min(self.base * (1 << min(retries_used, 30)), self.ceiling)
        return full / 2 + full / 2 * jitter
