"""What a process is at when it dies, and how it has to end all the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from attrs import frozen
from tests.integration.aws.kill_world import ADA, Play

from daylily.application.monitor_cycle import LOOK_EVERY
from daylily.application.register_workset import Registration
from daylily.application.watch_ended import ROUND
from daylily.domain.customers import Principal
from daylily.domain.debts import CopyFiles
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import DEBT_GRACE, Workset

LATER: Final = timedelta(minutes=3)
WORKER: Final = Principal(name="worker-1", customer_id="acme", operator=True)


@frozen
class Story:
    """A story, and the states in which it may end when all jobs that still run succeed."""

    tell: Callable[[Play], None]
    ends: frozenset[State | None]
    """None: nobody ever hears of the workset."""


def _registers(play: Play) -> None:
    play.begin()
    play.submit()


def _is_locked_and_launched(play: Play) -> None:
    play.submit()
    play.begin()
    play.cycle()


def _ended(play: Play, exit_code: int, **changes: int) -> str:
    workset_id = play.submit(**changes).workset_id
    play.cycle()
    play.engine.end(exit_code)
    return workset_id


def _completes(play: Play) -> None:
    _ended(play, 0)
    play.begin()
    play.cycle()


def _is_retried(play: Play) -> None:
    _ended(play, 75)
    play.begin()
    play.cycle()
    play.cycle(LATER)


def _fails(play: Play) -> None:
    _ended(play, 75, max_retries=0)
    play.begin()
    play.cycle()


def _ends_in_error_and_is_retried_by_hand(play: Play) -> None:
    workset_id = _ended(play, 1)
    play.begin()
    play.cycle()
    play.app.retry(ADA, workset_id, "the reference is there now")


def _is_canceled_in_the_queue(play: Play) -> None:
    workset_id = play.submit().workset_id
    play.begin()
    play.app.cancel(ADA, workset_id)


def _is_canceled_while_it_runs(play: Play) -> None:
    workset_id = play.submit().workset_id
    play.cycle()
    play.begin()
    play.app.cancel(ADA, workset_id)
    play.cycle()


def _is_synced(play: Play) -> None:
    """Somebody took ready away, and a slow hand left an error of ours."""
    workset = play.submit()
    play.remove(workset.workset_id, Sentinel.READY)
    play.put(workset.workset_id, Sentinel.ERROR, workset.sentinel_body().render().encode())
    play.begin()
    play.app.sync(workset)


def _is_adopted(play: Play) -> None:
    """An old monitor has completed it."""
    workset = play.submit()
    play.put(workset.workset_id, Sentinel.COMPLETE)
    play.begin()
    play.app.sync(workset)


def _is_paid_for(play: Play) -> None:
    """Who registered it died at once; the monitor pays all, and launches."""
    workset = Workset.register(
        workset_id="left-alone",
        customer_id="acme",
        name="trio",
        manifest=Manifest(
            samples=(Sample(sample_id="a", pairs=(FastqPair("sample_data/a.fastq"),)),),
            pipeline="fastq-qc",
        ),
        at=play.clock(),
        actor=ADA.name,
    )
    play.put(workset.workset_id, "sample_data/a.fastq")
    play.store.add(workset)
    play.clock.advance(DEBT_GRACE)
    play.begin()
    play.cycle()


def _is_found(play: Play) -> None:
    play.drop("dropped-1", Sentinel.READY)
    play.begin()
    play.cycle()


def _is_held_and_let_go(play: Play) -> None:
    """Somebody's ignore stops what runs, and is taken away."""
    workset_id = play.submit().workset_id
    play.cycle()
    play.put(workset_id, Sentinel.IGNORE)
    play.begin()
    play.cycle(LOOK_EVERY)
    play.death.counting = False
    play.remove(workset_id, Sentinel.IGNORE)
    play.begin()
    play.cycle(LOOK_EVERY)


def _is_retried_at_its_directory(play: Play) -> None:
    workset_id = _ended(play, 1)
    play.cycle()
    play.remove(workset_id, Sentinel.ERROR)
    play.put(workset_id, Sentinel.READY)
    play.begin()
    play.cycle(ROUND)


# Under the guide's names


def _is_registered(play: Play) -> None:
    play.begin()
    play.app.register(_registration("by-name"))


def _is_written_alone(play: Play) -> None:
    """Into the directory, and not into the table."""
    play.begin()
    play.app.register.drop(_registration("by-name"))
    play.cycle()


def _is_locked_and_released(play: Play) -> None:
    workset_id = play.submit().workset_id
    play.begin()
    play.app.lock(workset_id, "worker-1", play.app.settings.lock_timeout)
    play.app.lock.release(workset_id, "worker-1")


def _is_run_by_others(play: Play) -> None:
    workset_id = play.submit().workset_id
    play.begin()
    play.app.lock(workset_id, WORKER.name, play.app.settings.lock_timeout)
    play.app.tell(WORKER, workset_id, State.IN_PROGRESS, "on node 7")
    play.app.tell(WORKER, workset_id, State.COMPLETE, "all done")


def _is_set_aside_and_put_back(play: Play) -> None:
    workset_id = play.submit().workset_id
    play.begin()
    play.app.tell(WORKER, workset_id, State.IGNORED, "not now")
    play.app.tell(WORKER, workset_id, State.READY, "now")


def _is_put_away_and_brought_back(play: Play) -> None:
    workset_id = _ended(play, 0)
    play.cycle()
    play.begin()
    play.app.tell(WORKER, workset_id, State.ARCHIVED, "of last year")
    play.app.sync.ledger.update(
        workset_id, lambda workset: workset.restore(by=WORKER.name, at=play.clock())
    )
    play.app.tell(WORKER, workset_id, State.ARCHIVED, "of last year")
    play.app.tell(WORKER, workset_id, State.DELETED, "for good")


def _is_shown_by_force(play: Play) -> None:
    """An old run has left its error, and somebody has removed files."""
    workset_id = play.submit().workset_id
    for name in (Sentinel.READY, "daylily_info.yaml"):
        play.remove(workset_id, name)
    for sentinel in (Sentinel.LOCK, Sentinel.IN_PROGRESS, Sentinel.ERROR):
        play.put(workset_id, sentinel)
    play.begin()
    play.app.show(workset_id)


def _is_shown_with_all_others(play: Play) -> None:
    for _ in range(2):
        play.remove(play.submit().workset_id, Sentinel.READY)
    play.begin()
    for _ in play.app.show.everything():
        pass


def _is_taken_back(play: Play) -> None:
    """The table has lost it, and its directory has not."""
    workset_id = play.submit().workset_id
    key = {"workset_id": {"S": workset_id}}
    play.dynamodb.delete_item(TableName=play.place.table, Key=key)
    (play.place.folder / "notices.jsonl").unlink()
    play.begin()
    play.app.discover.take(workset_id)


def _is_copied_late(play: Play) -> None:
    """It was submitted while the bucket was away."""
    pairs = (FastqPair("sample_data/a_R1.fastq"),)
    workset = Workset.register(
        workset_id="copied-late",
        customer_id="acme",
        name="trio",
        manifest=Manifest(samples=(Sample(sample_id="a", pairs=pairs),), pipeline="fastq-qc"),
        at=play.clock(),
        actor=ADA.name,
        copies=CopyFiles(("files/acme/a_R1.fastq",)),
    )
    play.store.add(workset)
    play.clock.advance(DEBT_GRACE)
    play.begin()
    play.cycle()


def _is_canceled_while_it_waits(play: Play) -> None:
    workset_id = _ended(play, 75)
    play.cycle()
    play.begin()
    play.app.cancel(ADA, workset_id)


def _is_refused_by_its_engine(play: Play) -> None:
    play.engine.refuse()
    play.submit()
    play.begin()
    play.cycle()


def _registration(workset_id: str) -> Registration:
    pair = FastqPair("s3://reads/HG002_R1.fastq.gz")
    return Registration(
        workset_id=workset_id,
        customer_id="acme",
        submitted_by="ada",
        name="trio",
        samples=(Sample(sample_id="HG002", pairs=(pair,)),),
        pipeline="fastq-qc",
    )


_COMPLETE: Final = frozenset({State.COMPLETE})

STORIES: Final = {
    "registers": Story(_registers, frozenset({State.COMPLETE, None})),
    "is locked and launched": Story(_is_locked_and_launched, _COMPLETE),
    "completes": Story(_completes, _COMPLETE),
    "is retried": Story(_is_retried, _COMPLETE),
    "fails": Story(_fails, frozenset({State.FAILED})),
    "ends in error and is retried by hand": Story(
        _ends_in_error_and_is_retried_by_hand, frozenset({State.COMPLETE, State.ERROR})
    ),
    "is canceled in the queue": Story(
        _is_canceled_in_the_queue, frozenset({State.CANCELED, State.COMPLETE})
    ),
    "is canceled while it runs": Story(
        _is_canceled_while_it_runs, frozenset({State.CANCELED, State.COMPLETE})
    ),
    "is synced": Story(_is_synced, _COMPLETE),
    "is adopted": Story(_is_adopted, _COMPLETE),
    "is paid for": Story(_is_paid_for, _COMPLETE),
    "is found": Story(_is_found, _COMPLETE),
    "is held and let go": Story(_is_held_and_let_go, frozenset({State.COMPLETE, State.IGNORED})),
    "is retried at its directory": Story(_is_retried_at_its_directory, _COMPLETE),
    "is registered": Story(_is_registered, frozenset({State.COMPLETE, None})),
    "is written alone": Story(_is_written_alone, frozenset({State.COMPLETE, None})),
    "is locked and released": Story(_is_locked_and_released, _COMPLETE),
    "is run by others": Story(_is_run_by_others, frozenset({State.COMPLETE, State.IN_PROGRESS})),
    "is set aside and put back": Story(
        _is_set_aside_and_put_back, frozenset({State.COMPLETE, State.IGNORED})
    ),
    "is put away and brought back": Story(
        _is_put_away_and_brought_back,
        frozenset({State.COMPLETE, State.ARCHIVED, State.DELETED}),
    ),
    "is shown by force": Story(_is_shown_by_force, frozenset({State.COMPLETE, State.ERROR})),
    "is shown with all others": Story(_is_shown_with_all_others, _COMPLETE),
    "is taken back": Story(_is_taken_back, _COMPLETE),
    "is copied late": Story(_is_copied_late, _COMPLETE),
    "is canceled while it waits": Story(
        _is_canceled_while_it_waits, frozenset({State.CANCELED, State.COMPLETE})
    ),
    "is refused by its engine": Story(_is_refused_by_its_engine, frozenset({State.ERROR})),
}
