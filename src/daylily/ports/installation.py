"""What an installation needs of the world before its stores can be used, and whether it has it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal, Protocol

from attrs import field, frozen

Tell = Callable[[str], None]
"""Takes a line for people, while something takes long."""

Verdict = Literal["ok", "warn", "FAIL"]


class Role(StrEnum):
    """What a process is for, and so what it must be permitted."""

    API = "api"
    MONITOR = "monitor"
    ADMIN = "admin"


def _nothing(_: Tell) -> None:
    pass


@frozen(kw_only=True)
class Step:
    """One thing that an installation needs, and what it takes to have it."""

    thing: str
    now: str
    """How it was found."""
    change: str = ""
    """What is to be done; empty where nothing is."""
    carry_out: Callable[[Tell], None] = field(default=_nothing, repr=False, eq=False)
    """Do it. Once done, or done by somebody else meanwhile, doing it again changes nothing."""


@frozen
class Finding:
    """What one check found."""

    check: str
    verdict: Verdict
    text: str
    advice: str = ""


class Installation(Protocol):
    """
    Makes and checks what the stores of an installation live in.

    It never removes anything, nor changes what somebody else has set up further than a step says.
    """

    def plan(self, *, portal: str | None = None) -> Sequence[Step]:
        """
        Return all that is needed, in the order in which it is to be carried out; changes nothing.

        Args:
            portal: Origin of the portal's pages, which are to send files to where they are kept, and
                not through its server; None leaves what they may do as it is.

        Raises:
            UnavailableError: The world does not answer, or may not be looked at.
            ConflictError: What is there is something else, and cannot be made fit.
        """

    def check(self) -> Iterator[Finding]:
        """
        Try all that processes do, without harm, and yield what came of each; trouble is a finding.

        Whatever is written for it is removed again.
        """

    def policy(self, role: Role) -> Mapping[str, Any]:
        """
        Return the least that a process must be permitted, as the world it runs in writes policies.

        Raises:
            InvalidInputError: Nobody asks for permission here.
        """
