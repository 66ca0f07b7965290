"""A process that tells one piece of news, and dies once the channel has it: before that is noted."""

import os
import sys
from datetime import timedelta
from typing import Final, NoReturn

from attrs import evolve, frozen

from daylily.adapters.system import utc_now
from daylily.application.deliver_notices import DeliverNotices
from daylily.application.ledger import Ledger
from daylily.application.watch_monitors import KIND, PARTITION
from daylily.bootstrap import App, World, compose, connect
from daylily.config import load
from daylily.domain.events import Event, EventKind
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.silence import Silence
from daylily.domain.workset import DEBT_GRACE
from daylily.ports.documents import Document
from daylily.ports.notifier import Notifier
from daylily.ports.state_store import Filter
from daylily.testing.samples import a_workset, running, settled

DIED: Final = 66
"""Exit code of a process that died where it was to."""
WORKSET: Final = "ws-1"
BROKEN: Final = Failure(ErrorCategory.DATA, "truncated input")


@frozen
class Deadly:
    """A channel that takes news, and takes the process with it."""

    channel: Notifier

    @property
    def kinds(self) -> frozenset[EventKind]:
        """Those of the channel."""
        return self.channel.kinds

    def send(self, event: Event) -> NoReturn:
        """Send, and never come back."""
        self.channel.send(event)
        os._exit(DIED)


def deadly(world: World, channel: str) -> World:
    """Return a world in which a channel is deadly, and the last to be told."""
    told = world.notifier
    assert isinstance(told, DeliverNotices)
    others = {name: each for name, each in told.channels.items() if name != channel}
    channels = {**others, channel: Deadly(told.channels[channel])}
    return evolve(world, notifier=DeliverNotices(channels, told.dead, told.clock))


def main(home: str, channel: str, story: str) -> None:
    """Tell a story."""
    settings = load({"home": home, "engine": "memory"}, os.environ).settings
    safe = connect(settings)
    if story == "mended":
        _mended(compose(settings, safe))
        return
    world = deadly(safe, channel)
    STORIES[story](compose(settings, safe), compose(settings, world))


def _complete(safe: App, app: App) -> None:
    """Fail, tell that; be retried, and die over the news of the completion."""
    # Long enough ago for any monitor to take over the debt.
    at = utc_now() - 2 * DEBT_GRACE
    ledger, doomed = (
        Ledger(each.world.store, each.world.sentinels, each.world.notifier) for each in (safe, app)
    )
    fresh = safe.world.store.add(settled(running(settled(a_workset(WORKSET)), at=at)))
    policy = RetryPolicy()
    failed = ledger.rest(fresh.failed(BROKEN, at=at, actor="m", policy=policy, jitter=0))
    again = safe.world.store.save(settled(running(settled(failed.retry(by="ada", at=at)), at=at)))
    doomed.rest(again.completed(at=at, actor="m"))


def _silent(_: App, app: App) -> None:
    """Die over the news of a monitor that another has found silent."""
    now = utc_now()
    gone = Silence.of("lab-7", now - timedelta(minutes=9), now)
    app.world.documents.add(Document(kind=KIND, partition=PARTITION, key=gone.key, body=gone.render()))
    app.watch()


def _mended(app: App) -> None:
    """Do what any monitor does, twice."""
    for _ in range(2):
        assert app.cycle().faults == []
        app.watch()
    assert [each.debts for each in app.world.store.list(Filter(), limit=9).items] in ([()], [])


STORIES: Final = {"complete": _complete, "silent": _silent}

if __name__ == "__main__":
    main(*sys.argv[1:])
