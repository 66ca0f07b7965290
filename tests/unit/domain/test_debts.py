"""What each step owes the world, and in which order it is paid."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.debts import (
    CopyFiles,
    Debt,
    PostSentinel,
    PublishFiles,
    SendNotice,
    WithdrawSentinel,
    in_order,
    together,
)
from daylily.domain.events import EventKind
from daylily.domain.lifecycle import State
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel, SentinelBody, state_shown
from daylily.domain.workset import Workset
from daylily.testing.samples import NOON, a_workset, an_event, locked, running, settled

LATER: Final = NOON + timedelta(hours=1)
BROKEN: Final = Failure(ErrorCategory.DATA, "truncated input")
POLICY: Final = RetryPolicy()


def post(sentinel: Sentinel, sequence: int = 1) -> PostSentinel:
    return PostSentinel(sentinel, SentinelBody(NOON, "", sequence))


def brief(debts: Iterable[Debt]) -> list[str]:
    """Put debts in short: ``+ready#1`` is posted, ``-lock#2`` withdrawn, ``!started`` told."""
    words = []
    for debt in debts:
        match debt:
            case CopyFiles(sources):
                words.append(f"copies of {len(sources)}")
            case PublishFiles():
                words.append("files")
            case PostSentinel(sentinel, body):
                words.append(f"+{sentinel.removeprefix('daylily.')}#{body.sequence}")
            case WithdrawSentinel(sentinel, sequence):
                words.append(f"-{sentinel.removeprefix('daylily.')}#{sequence}")
            case SendNotice(event):
                words.append(f"!{event.kind}")
    return words


def failing(workset: Workset, failure: Failure = BROKEN) -> Workset:
    return workset.failed(failure, at=LATER, actor="monitor-a", policy=POLICY, jitter=0.5)


def after_each(present: set[Sentinel], debts: Iterable[Debt]) -> list[State | None]:
    """Return the state shown after each payment, given what stands there at first."""
    shown = []
    for debt in debts:
        match debt:
            case PostSentinel(sentinel, _):
                present = present | {sentinel}
            case WithdrawSentinel(sentinel, _):
                present = present - {sentinel}
        shown.append(state_shown(present))
    return shown


class TestWhatIsOwed:
    """Each step of an undisturbed life."""

    def test_registration_owes_files_before_ready(self) -> None:
        """S-56: ``daylily.ready`` comes after the files that it promises."""
        assert brief(a_workset().debts) == ["files", "+ready#1", "!registered"]

    def test_registration_may_owe_copies_before_all(self) -> None:
        """They are owed as long as it may be launched, and no more once it is over."""
        waiting = Workset.register(
            workset_id="ws-1",
            customer_id="acme",
            name="trio",
            manifest=a_workset().manifest,
            at=NOON,
            actor="ada",
            copies=CopyFiles(("files/acme/r1.fq", "files/acme/r2.fq")),
        )

        assert brief(waiting.debts)[:2] == ["copies of 2", "files"]
        assert brief(locked(waiting).debts)[0] == "copies of 2"
        assert brief(waiting.request_cancel(by="ada", at=LATER).debts)[0] == "files"
        refused = locked(waiting).launch_failed(1, BROKEN, at=LATER, policy=POLICY, jitter=0)
        assert brief(refused.debts)[0] == "files"

    def test_lock_adds_its_sentinel(self) -> None:
        """A lock owes ``daylily.lock`` and takes nothing away."""
        assert brief(locked(settled(a_workset())).debts) == ["+lock#2"]

    def test_unpaid_debts_are_carried_on(self) -> None:
        """What registration still owes is owed after the lock, ``ready`` last of the sentinels."""
        assert brief(locked(a_workset()).debts) == ["files", "+lock#2", "+ready#1", "!registered"]

    def test_launch_owes_only_the_news(self) -> None:
        """The launcher posted ``in_progress`` before it asked the engine."""
        taken = settled(locked(settled(a_workset())))

        assert brief(taken.launched(taken.fence, "job-1", at=LATER).debts) == ["!started"]

    def test_launch_found_posts_in_progress_once_more(self) -> None:
        """Whether a dead launcher came to post it, nobody knows."""
        taken = settled(locked(settled(a_workset())))
        found = taken.launch_found("job-1", at=LATER, actor="monitor-b")

        assert brief(found.debts) == ["+in_progress#3", "!started"]
        assert found.posted == {Sentinel.READY, Sentinel.LOCK, Sentinel.IN_PROGRESS}

    def test_release_withdraws_what_a_launch_may_have_posted(self) -> None:
        """A lock given up leaves ``ready`` alone standing."""
        taken = settled(locked(settled(a_workset())))
        released = taken.release(taken.fence, at=LATER, reason="too slow")

        assert brief(released.debts) == ["-lock#2", "-in_progress#2"]
        assert released.posted == {Sentinel.READY}

    def test_end_posts_before_it_withdraws(self) -> None:
        """``complete`` stands before anything that covered the workset goes."""
        done = settled(running(settled(a_workset()))).completed(at=LATER, actor="monitor-a")

        assert brief(done.debts) == [
            "+complete#4",
            "-ready#3",
            "-lock#3",
            "-in_progress#3",
            "!complete",
        ]

    def test_waiting_for_a_retry_stays_covered(self) -> None:
        """``in_progress`` keeps old monitors off until the retry is due; then it goes."""
        tired = Failure(ErrorCategory.TRANSIENT, "node lost")
        waiting = failing(settled(running(settled(a_workset()))), tired)

        assert brief(waiting.debts) == ["-lock#3", "!retrying"]
        assert waiting.retry_at is not None
        due = settled(waiting).retry_due(at=waiting.retry_at, actor="monitor-a")
        assert brief(due.debts) == ["-in_progress#4"]

    def test_retry_shows_ready_before_error_goes(self) -> None:
        """A retry leaves no moment at which the directory shows nothing."""
        ended = settled(failing(settled(running(settled(a_workset())))))

        assert brief(ended.retry(by="ada", at=LATER).debts) == ["+ready#5", "-error#4"]

    def test_deleted_shows_ignore(self) -> None:
        """A deleted workset is to be left alone, whatever it was."""
        done = settled(settled(running(settled(a_workset()))).completed(at=LATER, actor="m"))
        archived = done.archive(by="ada", at=LATER)

        assert archived.debts == ()
        assert brief(archived.delete(by="ada", at=LATER).debts) == ["+ignore#6", "-complete#5"]

    def test_facts_of_others_owe_no_sentinel(self) -> None:
        """What another system posted is not posted again; our ``ready`` goes."""
        adopted = a_workset().adopt(State.COMPLETE, at=LATER, reason="found", actor="monitor-a")

        assert brief(adopted.debts) == ["files", "-ready#1", "!registered", "!complete"]

    def test_settled_strikes_off_what_was_paid_and_nothing_else(self) -> None:
        """Debts not among the paid ones stay, in their order."""
        workset = a_workset()

        assert brief(workset.settled(workset.debts[:2]).debts) == ["!registered"]
        assert workset.settled([]) == workset


class TestWhatIsNoLongerWanted:
    """Steps that overtake the payment of earlier ones."""

    def test_unpaid_post_turns_into_a_withdrawal(self) -> None:
        """What nobody wants any more is withdrawn all the same: a late payer may post it."""
        done = running(a_workset()).completed(at=LATER, actor="monitor-a")

        assert brief(done.debts) == [
            "files",
            "+complete#4",
            "-ready#3",
            "-lock#3",
            "-in_progress#3",
            "!registered",
            "!started",
            "!complete",
        ]

    def test_withdrawals_do_not_pile_up(self) -> None:
        """However often a launch is given up while the directory is away, the debts stay as many."""
        workset = a_workset()
        for _ in range(50):
            taken = locked(workset)
            workset = taken.release(taken.fence, at=LATER, reason="the directory cannot be written")

        assert brief(workset.debts) == [
            "files",
            "+ready#1",
            "-lock#100",
            "-in_progress#100",
            "!registered",
        ]

    def test_sentinel_wanted_again_replaces_its_old_form(self) -> None:
        """A second error withdraws what the first may have left standing, and posts its own."""
        once = settled(failing(settled(running(settled(a_workset())))))
        twice = failing(running(once.retry(by="ada", at=LATER)))

        # ready first, since error is gone for a moment; in_progress last, since it stands in meanwhile
        assert brief(twice.debts) == [
            "-ready#7",
            "-error#4",
            "+error#8",
            "-lock#7",
            "-in_progress#7",
            "!started",
            "!error",
        ]

    def test_ended_attempt_stays_covered_when_a_person_is_quick(self) -> None:
        """
        An error that nobody came to post, and then an ``ignore``: ``ready`` never stands alone.

        It did while withdrawals of one step came before the posts of the next: the directory showed
        ``ready`` for a moment, or for as long as the payer was dead.
        """
        attempt = settled(running(settled(a_workset())))
        standing = set(attempt.posted)
        ignored = failing(attempt).ignore(by="ada", at=LATER)

        assert brief(ignored.debts)[:1] == ["+ignore#5"]
        assert State.READY not in after_each(standing, ignored.debts)

    def test_complete_workset_stays_covered_when_deleted_at_once(self) -> None:
        """The same with ``complete``, which must never run again."""
        attempt = settled(running(settled(a_workset())))
        standing = set(attempt.posted)
        archived = attempt.completed(at=LATER, actor="m").archive(by="ada", at=LATER)
        deleted = archived.delete(by="ada", at=LATER)

        assert State.READY not in after_each(standing, deleted.debts)

    def test_ready_goes_before_a_cover_is_replaced(self) -> None:
        """Ignored, put back and ignored again: ``ready`` is gone before the old ``ignore`` is."""
        ignored = settled(a_workset()).ignore(by="ada", at=LATER)
        again = settled(ignored).unignore(by="ada", at=LATER).ignore(by="ada", at=LATER)

        assert brief(again.debts) == ["-ready#3", "-ignore#2", "+ignore#4"]


class TestInOrder:
    """The order on its own."""

    def test_keeps_the_latest_withdrawal(self) -> None:
        """One that takes away later transitions takes away earlier ones too, wherever it stood."""
        debts = [WithdrawSentinel(Sentinel.LOCK, 7), WithdrawSentinel(Sentinel.LOCK, 2)]

        assert in_order(debts) == (WithdrawSentinel(Sentinel.LOCK, 7),)

    def test_notices_come_last_in_their_own_order(self) -> None:
        """A channel that is down holds up no sentinel, and news is told in the order it happened."""
        started = SendNotice(an_event("ws-1-2-started", kind=EventKind.STARTED))
        complete = SendNotice(an_event("ws-1-3-complete"))

        assert in_order([started, complete, post(Sentinel.COMPLETE), PublishFiles()]) == (
            PublishFiles(),
            post(Sentinel.COMPLETE),
            started,
            complete,
        )

    @given(
        st.lists(
            st.one_of(
                st.just(PublishFiles()),
                st.just(CopyFiles(("files/acme/r1.fq",))),
                st.builds(post, st.sampled_from(Sentinel), st.just(9)),
                st.builds(WithdrawSentinel, st.sampled_from(Sentinel), st.integers(1, 8)),
                st.builds(SendNotice, st.builds(an_event, st.uuids().map(str))),
            ),
            unique=True,
        )
    )
    def test_loses_nothing_and_is_stable(self, debts: list[Debt]) -> None:
        """Only withdrawals that another includes are left out; ordering twice is ordering once."""
        ordered = in_order(debts)
        last = {d.sentinel: d.sequence for d in debts if isinstance(d, WithdrawSentinel)}
        for d in debts:
            if isinstance(d, WithdrawSentinel):
                last[d.sentinel] = max(last[d.sentinel], d.sequence)

        assert in_order(ordered) == ordered
        assert set(ordered) == {
            d for d in debts if not isinstance(d, WithdrawSentinel) or d.sequence == last[d.sentinel]
        }


def test_withdrawals_go_together_where_their_order_says_nothing() -> None:
    """Behind what covers them all; otherwise ``ready`` goes first and alone."""
    post = PostSentinel(Sentinel.COMPLETE, SentinelBody(None))
    ready, lock, running = (
        WithdrawSentinel(sentinel, 3)
        for sentinel in (Sentinel.READY, Sentinel.LOCK, Sentinel.IN_PROGRESS)
    )
    files = PublishFiles()
    assert list(together([files, post, ready, lock, running])) == [
        (files,),
        (post,),
        (ready, lock, running),
    ]
    assert list(together([ready, lock, running])) == [(ready,), (lock, running)]
    assert list(together([lock, post])) == [(lock,), (post,)]
    assert list(together([ready])) == [(ready,)]
    again = PostSentinel(Sentinel.READY, SentinelBody(None))
    assert list(together([again, lock])) == [(again,), (lock,)]
