"""How often this process has called AWS, how long that took and what came of it: for figures alone."""

import threading
import time
from collections import Counter, defaultdict
from enum import StrEnum
from typing import Any, Final

from attrs import define, field, frozen

_BEGAN: Final = "daylily_began"
_THROTTLES: Final = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class Outcome(StrEnum):
    """What came of a call, retries and all."""

    OK = "ok"
    REFUSED = "refused"
    """AWS says no: a condition that does not hold, something that is not there, no permission."""
    THROTTLED = "throttled"
    ERROR = "error"
    """A fault of AWS, or no answer."""


@frozen
class Tallied:
    """Calls of one operation."""

    service: str
    operation: str
    outcomes: dict[Outcome, int]
    retries: int
    seconds: float


@define(eq=False)
class Tally:
    """Counts the calls of all clients that it watches; safe to share between threads."""

    _outcomes: Counter[tuple[str, str, Outcome]] = field(init=False, factory=Counter)
    _retries: Counter[tuple[str, str]] = field(init=False, factory=Counter)
    _seconds: defaultdict[tuple[str, str], float] = field(
        init=False, factory=lambda: defaultdict(float)
    )
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    def watch(self, client: Any) -> None:
        """Count the calls of a client of boto3 from now on."""
        events = client.meta.events
        events.register("before-call", self._begin, unique_id=f"daylily-begin-{id(self)}")
        events.register("after-call", self._end, unique_id=f"daylily-end-{id(self)}")
        events.register("after-call-error", self._fail, unique_id=f"daylily-fail-{id(self)}")

    def calls(self) -> list[Tallied]:
        """Return what has been counted, in order of service and operation."""
        with self._mutex:
            outcomes, retries = Counter(self._outcomes), Counter(self._retries)
            seconds = dict(self._seconds)
        return [
            Tallied(
                service=service,
                operation=operation,
                outcomes={each: outcomes[service, operation, each] for each in Outcome},
                retries=retries[service, operation],
                seconds=seconds[service, operation],
            )
            for service, operation in sorted(seconds)
        ]

    # What botocore tells

    def _begin(self, context: dict[str, Any], **_: object) -> None:
        context[_BEGAN] = time.monotonic()

    def _end(self, parsed: Any, model: Any, context: dict[str, Any], **_: object) -> None:
        metadata = parsed.get("ResponseMetadata", {})
        status = metadata.get("HTTPStatusCode", 200)
        outcome = Outcome.OK
        if status >= 300:
            outcome = Outcome.REFUSED if status < 500 else Outcome.ERROR
            if parsed.get("Error", {}).get("Code") in _THROTTLES:
                outcome = Outcome.THROTTLED
        self._note(model, context, outcome, metadata.get("RetryAttempts", 0))

    def _fail(self, event_name: str, context: dict[str, Any], **_more: object) -> None:
        # after-call-error.dynamodb.GetItem, with the service by the id that botocore has for it
        _, service, operation = event_name.split(".", 2)
        self._add(service, operation, context, Outcome.ERROR, 0)

    def _note(self, model: Any, context: dict[str, Any], outcome: Outcome, retries: int) -> None:
        service = str(model.service_model.service_id.hyphenize())
        self._add(service, str(model.name), context, outcome, retries)

    def _add(
        self, service: str, operation: str, context: dict[str, Any], outcome: Outcome, retries: int
    ) -> None:
        took = time.monotonic() - context.get(_BEGAN, time.monotonic())
        with self._mutex:
            self._outcomes[service, operation, outcome] += 1
            self._retries[service, operation] += retries
            self._seconds[service, operation] += took


CALLS: Final = Tally()
"""Of all clients of this process."""
