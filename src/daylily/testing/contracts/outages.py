"""
What adapters owe when what stands behind them does not answer: an error, and never an empty answer.

Each suite takes a fixture with an adapter of which nobody answers: its address leads nowhere, its
server says 503, its file is gone. What comes out has to be UnavailableError, which callers wait out.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State
from daylily.ports.notifier import Notifier
from daylily.ports.object_store import ObjectStore
from daylily.ports.state_store import Filter, StateStore
from daylily.testing.samples import NOON, a_workset, an_event


class BrokenNotifierContract:
    """Subclass it and give a fixture ``notifier``, whose channel does not answer."""

    @pytest.fixture
    def notifier(self) -> Notifier:
        """Return a channel of which nobody answers."""
        raise NotImplementedError("override the fixture `notifier` with one that nobody answers")

    def test_an_outage_is_told(self, notifier: Notifier) -> None:
        """What was not taken is still owed: who sends it has to learn of that, in these words."""
        with pytest.raises(UnavailableError):
            notifier.send(an_event(kind=min(notifier.kinds)))


class BrokenStateStoreContract:
    """Subclass it and give a fixture ``store`` that does not answer."""

    @pytest.fixture
    def store(self) -> StateStore:
        """Return a store of which nobody answers."""
        raise NotImplementedError("override the fixture `store` with one that nobody answers")

    @pytest.mark.parametrize(
        "call",
        [
            pytest.param(lambda store: store.add(a_workset()), id="add"),
            pytest.param(lambda store: store.get("ws-1"), id="get"),
            pytest.param(lambda store: store.save(a_workset()), id="save"),
            pytest.param(lambda store: store.history("ws-1"), id="history"),
            pytest.param(lambda store: store.list(Filter()), id="list"),
            pytest.param(lambda store: store.queue(), id="queue"),
            pytest.param(lambda store: store.due(NOON + timedelta(days=1)), id="due"),
            pytest.param(lambda store: store.count([State.READY]), id="count"),
            pytest.param(lambda store: store.known(["ws-1"]), id="known"),
            pytest.param(lambda store: store.scan(), id="scan"),
        ],
    )
    def test_an_outage_is_no_answer(
        self, store: StateStore, call: Callable[[StateStore], object]
    ) -> None:
        """A store that does not answer is neither empty nor without the workset."""
        with pytest.raises(UnavailableError):
            call(store)


class BrokenObjectStoreContract:
    """Subclass it and give a fixture ``store`` that does not answer."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        """Return a store of which nobody answers."""
        raise NotImplementedError("override the fixture `store` with one that nobody answers")

    @pytest.mark.parametrize(
        "call",
        [
            pytest.param(lambda store: store.put("a", b"x"), id="put"),
            pytest.param(lambda store: store.put("a", b"x", if_absent=True), id="create"),
            pytest.param(lambda store: store.replace("a", b"x", if_etag="1"), id="replace"),
            pytest.param(lambda store: store.open("a").read(), id="open"),
            pytest.param(lambda store: store.info("a"), id="info"),
            pytest.param(lambda store: store.peek("a", 10), id="peek"),
            pytest.param(lambda store: store.copy("a", "b"), id="copy"),
            pytest.param(lambda store: store.delete("a"), id="delete"),
            pytest.param(lambda store: store.delete_all({"a": "1"}), id="delete_all"),
            pytest.param(lambda store: store.list(""), id="list"),
            pytest.param(lambda store: store.entries(""), id="entries"),
            pytest.param(lambda store: store.browse(""), id="browse"),
        ],
    )
    def test_an_outage_is_no_answer(
        self, store: ObjectStore, call: Callable[[ObjectStore], object]
    ) -> None:
        """A store that does not answer is neither empty nor without the object."""
        with pytest.raises(UnavailableError):
            call(store)
