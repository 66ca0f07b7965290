"""
Steps of a pipeline, and the plan of a run: commands with everything known filled in.

A plan goes from whoever launches a run to the program that runs the steps. It is no template: what
only that program knows stands in it as a value's name, apart from all text, and no text of it is ever
searched for placeholders again (D-35).
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from attrs import frozen

from daylily.domain.errors import Fault

STEP_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
STEP_RULE: Final = "1 to 64 lower-case letters, digits and '_', the first a letter"

SAMPLE: Final = "sample_id"
"""The placeholder that stands for the sample, in what is run once for each."""
LISTS: Final = ("day_clone", "dy_r")
"""Placeholders that stand for any number of words, and so only for whole arguments."""
LATE: Final = frozenset({SAMPLE, "workset_dir", "results_dir"})
"""What only the program that runs the steps knows."""

_FIELD: Final = re.compile(r"\{([^{}]*)\}")


class Per(StrEnum):
    """How often a step is run."""

    WORKSET = "workset"
    SAMPLE = "sample"


@frozen(kw_only=True)
class Step:
    """One step of a pipeline."""

    name: str
    command: tuple[str, ...]
    """Argument vector with ``{placeholders}``."""
    per: Per = Per.WORKSET
    optional: bool = False
    """Whether the run goes on, and may succeed, where this step fails."""
    on_cancel: tuple[str, ...] = ()
    """Argument vector that takes back what the step has set going elsewhere; empty if nothing."""

    def faults(self, place: str, known: Sequence[str]) -> Iterator[Fault]:
        """Yield what is wrong with it, each under its key."""
        if not STEP_NAME.fullmatch(self.name):
            yield Fault(f"{place}.name", f"{self.name[:80]!r} is not a name: {STEP_RULE}")
        if not self.command:
            yield Fault(f"{place}.command", "is empty")
        of_sample = (SAMPLE,) if self.per is Per.SAMPLE else ()
        yield from faults_of_template(f"{place}.command", self.command, (*known, *of_sample))
        yield from faults_of_template(f"{place}.on_cancel", self.on_cancel, known)


def faults_of_template(place: str, command: Sequence[str], known: Sequence[str]) -> Iterator[Fault]:
    """Yield what is wrong with a command template, each under its argument."""
    for index, argument in enumerate(command):
        for name in _FIELD.findall(argument):
            if name in LISTS and argument != f"{{{name}}}":
                text = f"{{{name}}} stands for several words, and has to be an argument of its own"
                yield Fault(f"{place}[{index}]", text)
            elif name not in (*known, *LISTS):
                text = f"unknown placeholder {{{name}}}; known: {', '.join(known)}"
                yield Fault(f"{place}[{index}]", text)


@frozen
class Value:
    """The name of a value in a plan."""

    name: str


Word = tuple[str | Value, ...]
"""One argument, in parts."""


def words(
    template: Sequence[str], values: Mapping[str, str], lists: Mapping[str, Sequence[str]]
) -> tuple[Word, ...]:
    """
    Return an argument vector with values filled in; what has none stays a name.

    Args:
        values: For placeholders within an argument.
        lists: Words for placeholders that are an argument.
    """
    found: list[Word] = []
    for argument in template:
        if argument[1:-1] in LISTS and argument == f"{{{argument[1:-1]}}}":
            found += [(word,) for word in lists.get(argument[1:-1], ())]
        else:
            found.append(tuple(_parts(argument, values)))
    return tuple(found)


def _parts(argument: str, values: Mapping[str, str]) -> Iterator[str | Value]:
    # Text and names take turns: split keeps what the group has matched.
    for index, piece in enumerate(_FIELD.split(argument)):
        if index % 2 == 0:
            yield piece
        else:
            yield values[piece] if piece in values else Value(piece)


def filled(command: Sequence[Word], values: Mapping[str, str]) -> tuple[str, ...]:
    """Return an argument vector as text, given the values that were left."""
    return tuple(
        "".join(part if isinstance(part, str) else values[part.name] for part in word)
        for word in command
    )


@frozen(kw_only=True)
class PlannedStep:
    """A step as it is to be run."""

    name: str
    command: tuple[Word, ...]
    per: Per = Per.WORKSET
    optional: bool = False
    on_cancel: tuple[Word, ...] = ()

    @property
    def digest(self) -> str:
        """What tells it apart from a step of that name that does something else."""
        told = json.dumps([self.name, self.per, _written(self.command)])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def planned(
    steps: Sequence[Step], values: Mapping[str, str], lists: Mapping[str, Sequence[str]]
) -> tuple[PlannedStep, ...]:
    """Return steps as they are to be run."""
    early = {name: value for name, value in values.items() if name not in LATE}
    return tuple(
        PlannedStep(
            name=step.name,
            command=words(step.command, early, lists),
            per=step.per,
            optional=step.optional,
            on_cancel=words(step.on_cancel, early, lists),
        )
        for step in steps
    )


def encoded(plan: Sequence[PlannedStep]) -> str:
    """Return a plan as one argument, of ASCII and without a ``@``: nobody on the way finds a mark."""
    written = [
        {
            "name": step.name,
            "command": _written(step.command),
            "per": step.per,
            "optional": step.optional,
            "on_cancel": _written(step.on_cancel),
        }
        for step in plan
    ]
    return json.dumps(written, separators=(",", ":")).replace("@", "\\u0040")


def decoded(text: str) -> tuple[PlannedStep, ...]:
    """
    Read back what ``encoded`` returned.

    Raises:
        ValueError: It is nothing of the kind.
    """
    try:
        return tuple(
            PlannedStep(
                name=str(step["name"]),
                command=_read(step["command"]),
                per=Per(step["per"]),
                optional=bool(step["optional"]),
                on_cancel=_read(step["on_cancel"]),
            )
            for step in json.loads(text)
        )
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"that is no plan: {error!r}") from error


def _written(command: Sequence[Word]) -> list[list[Any]]:
    return [
        [part if isinstance(part, str) else {"value": part.name} for part in word] for word in command
    ]


def _read(command: Sequence[Sequence[Any]]) -> tuple[Word, ...]:
    return tuple(
        tuple(part if isinstance(part, str) else Value(str(part["value"])) for part in word)
        for word in command
    )
