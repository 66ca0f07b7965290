"""Who hears of what: which events go to a channel."""

from typing import Final

from attrs import frozen

from daylily.domain.events import OPT_IN, Event, EventKind
from daylily.domain.lifecycle import Priority, State


@frozen(kw_only=True)
class Audience:
    """
    What a channel wants to hear; an empty set wants all.

    >>> Audience().kinds
    frozenset()
    """

    kinds: frozenset[EventKind] = frozenset()
    states: frozenset[State] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    customers: frozenset[str] = frozenset()

    def hears(self, event: Event) -> bool:
        """Tell whether *event* is one of those; all that is said has to fit."""
        return (
            (event.kind in self.kinds if self.kinds else event.kind not in OPT_IN)
            and (not self.states or event.state in self.states)
            and (not self.priorities or event.priority in self.priorities)
            and (not self.customers or event.customer_id in self.customers)
        )


EVERYTHING: Final = Audience()
