"""Who hears of what: which events go to a channel."""

from typing import Final

from attrs import frozen

from daylily.domain.events import ALL_NEWS, OPT_IN, Event, EventKind
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

    @property
    def wanted(self) -> frozenset[EventKind]:
        """Its kinds: those that it names, or all that need not be named."""
        return self.kinds or ALL_NEWS - OPT_IN

    def hears(self, event: Event) -> bool:
        """Tell whether *event* is one of those; all that is said has to fit."""
        return (
            event.kind in self.wanted
            and (not self.states or event.state in self.states)
            and (not self.priorities or event.priority in self.priorities)
            and (not self.customers or event.customer_id in self.customers)
        )


EVERYTHING: Final = Audience()
