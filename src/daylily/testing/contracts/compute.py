"""What every engine owes: subclass ComputeContract and give it a ``bench`` of your engine's jobs."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from threading import Barrier
from typing import Protocol

import pytest

from daylily.domain.errors import InvalidInputError, NotFoundError, RejectedError, UnavailableError
from daylily.ports.compute import Compute, Job, JobStatus, Phase

KEY = "ws-1/1"
THREADS = 16
DEADLINE = 60.0
"""Seconds; the slowest of real engines, well over what any needs."""


class Bench(Protocol):
    """Jobs of the engine under test, and how to see what became of them."""

    def succeeds(self, key: str, says: str = "") -> Job:
        """Return a job that writes *says* exactly, and succeeds."""

    def fails(self, key: str, code: int, says: str = "") -> Job:
        """Return a job that writes *says* exactly, and fails with that exit code."""

    def runs_on(self, key: str) -> Job:
        """Return a job that runs until it is canceled, for some minutes at least."""

    def impossible(self, key: str) -> Job:
        """Return a job that the engine refuses for good."""

    def starts(self, key: str) -> int:
        """Return how often the command of that key has been started."""

    def another(self) -> Compute:
        """Return the same engine as another monitor would see it."""

    def outage(self) -> AbstractContextManager[None]:
        """Keep the engine from answering for a while."""

    def pause(self) -> None:
        """Let a moment pass; a bench with a clock of its own winds it on."""
        time.sleep(0.02)


def await_status(
    compute: Compute, key: str, bench: Bench, wanted: Callable[[JobStatus], bool]
) -> JobStatus:
    """Return the first status that is as wanted."""
    end = time.monotonic() + DEADLINE
    while True:
        status = compute.status([key]).get(key)
        if status is not None and wanted(status):
            return status
        assert time.monotonic() < end, f"still {status}"
        bench.pause()


def await_end(compute: Compute, key: str, bench: Bench) -> JobStatus:
    """Return the status of a job once it has ended."""
    return await_status(compute, key, bench, lambda status: status.ended)


def await_running(compute: Compute, key: str, bench: Bench) -> JobStatus:
    """Return the status of a job once its command runs."""

    def under_way(status: JobStatus) -> bool:
        assert not status.ended, status
        return status.phase is Phase.RUNNING and bench.starts(key) > 0

    return await_status(compute, key, bench, under_way)


def read_log(compute: Compute, key: str, *, limit: int) -> list[str]:
    """Return the chunks of an ended job's log."""
    texts, offset = [], 0
    while True:
        chunk = compute.log(key, offset=offset, limit=limit)
        texts.append(chunk.text)
        if chunk.ended:
            return texts
        assert chunk.offset > offset, "a chunk of an ended job brings the reader on"
        offset = chunk.offset


class ComputeContract:
    """The promises of Compute. A subclass overrides both fixtures."""

    @pytest.fixture
    def compute(self) -> Compute:
        """The engine under test, knowing no job."""
        raise NotImplementedError

    @pytest.fixture
    def bench(self, compute: Compute) -> Bench:
        """Jobs for it."""
        raise NotImplementedError

    # submit

    def test_success(self, compute: Compute, bench: Bench) -> None:
        """A job that ends well is SUCCEEDED with exit code 0, and says when it ran."""
        name = compute.submit(bench.succeeds(KEY))

        status = await_end(compute, KEY, bench)

        assert (status.phase, status.exit_code, status.job) == (Phase.SUCCEEDED, 0, name)
        assert status.message == ""
        assert status.started_at
        assert status.ended_at
        assert status.started_at <= status.ended_at
        assert status.ended_at.utcoffset() == timedelta(0)

    def test_failure(self, compute: Compute, bench: Bench) -> None:
        """A job that fails is FAILED with its own exit code, and the message has its last lines."""
        compute.submit(bench.fails(KEY, 7, says="no such lane\n"))

        status = await_end(compute, KEY, bench)

        assert (status.phase, status.exit_code) == (Phase.FAILED, 7)
        assert "no such lane" in status.message

    def test_submit_twice(self, compute: Compute, bench: Bench) -> None:
        """Asking twice with one key is asking once: the same name, one start."""
        first = compute.submit(bench.succeeds(KEY))

        assert compute.submit(bench.succeeds(KEY)) == first
        await_end(compute, KEY, bench)
        assert bench.starts(KEY) == 1

    def test_submit_after_the_end(self, compute: Compute, bench: Bench) -> None:
        """A job that has ended is not run again, whatever the repeat asks for."""
        first = compute.submit(bench.fails(KEY, 3))
        ended = await_end(compute, KEY, bench)

        assert compute.submit(bench.succeeds(KEY)) == first
        assert compute.status([KEY]) == {KEY: ended}
        assert bench.starts(KEY) == 1

    def test_submit_by_many_threads(self, compute: Compute, bench: Bench) -> None:
        """However many ask at once, there is one job, and all are told the same name."""
        gate = Barrier(THREADS)

        def submit(_: int) -> str:
            gate.wait()
            return compute.submit(bench.succeeds(KEY))

        with ThreadPoolExecutor(THREADS) as pool:
            names = set(pool.map(submit, range(THREADS)))

        assert len(names) == 1
        await_end(compute, KEY, bench)
        assert bench.starts(KEY) == 1

    def test_attempts_are_different_jobs(self, compute: Compute, bench: Bench) -> None:
        """Another attempt of the same workset is another job."""
        names = {compute.submit(bench.succeeds(key)) for key in ("ws-1/1", "ws-1/2")}

        assert len(names) == 2
        for key in ("ws-1/1", "ws-1/2"):
            await_end(compute, key, bench)
            assert bench.starts(key) == 1

    def test_reject(self, compute: Compute, bench: Bench) -> None:
        """A job that can never run is refused, as often as it is asked for, and leaves no trace."""
        for _ in range(2):
            with pytest.raises(RejectedError):
                compute.submit(bench.impossible(KEY))

        assert compute.status([KEY]) == {}

    @pytest.mark.parametrize(
        "key",
        ["", "ws-1", "ws-1/", "ws-1/1/", "ws-1/1/2", "/ws-1/1", "../ws-1/1", "ws-1/../1", "ws-1/..",
         "ws-1/0", "ws-1/01", "ws-1/one", "ws-1/-1", "ws-1/1\n", "ws 1/1", "ws-1\\1", "ws-1/\u0661"],
    )  # fmt: skip
    def test_malformed_key(self, compute: Compute, bench: Bench, key: str) -> None:
        """Every method refuses a key that is not ``<workset_id>/<attempt>``."""
        for call in (
            lambda: compute.submit(bench.succeeds(key)),
            lambda: compute.status([key]),
            lambda: compute.cancel(key),
            lambda: compute.log(key),
        ):
            with pytest.raises(InvalidInputError):
                call()

    # status

    def test_status_of_the_unknown(self, compute: Compute, bench: Bench) -> None:
        """A key never heard of is left out, and asking for it leaves it unknown."""
        compute.submit(bench.succeeds(KEY))

        for _ in range(2):
            assert compute.status([KEY, "ws-2/1"]).keys() == {KEY}
        assert compute.status([]) == {}

    def test_status_of_many(self, compute: Compute, bench: Bench) -> None:
        """One call tells of jobs in every phase."""
        compute.submit(bench.succeeds("ws-1/1"))
        compute.submit(bench.fails("ws-2/1", 1))
        compute.submit(bench.runs_on("ws-3/1"))
        for key in ("ws-1/1", "ws-2/1"):
            await_end(compute, key, bench)
        await_running(compute, "ws-3/1", bench)

        found = compute.status(["ws-1/1", "ws-2/1", "ws-3/1", "ws-4/1"])

        assert {key: status.phase for key, status in found.items()} == {
            "ws-1/1": Phase.SUCCEEDED,
            "ws-2/1": Phase.FAILED,
            "ws-3/1": Phase.RUNNING,
        }

    def test_running(self, compute: Compute, bench: Bench) -> None:
        """A job under way has no exit code and no end yet."""
        compute.submit(bench.runs_on(KEY))

        status = await_running(compute, KEY, bench)

        assert (status.exit_code, status.ended_at, status.ended) == (None, None, False)

    def test_another_monitor(self, compute: Compute, bench: Bench) -> None:
        """Any monitor may ask for any job: another one sees it, repeats it and cancels it."""
        name = compute.submit(bench.runs_on(KEY))
        await_running(compute, KEY, bench)
        other = bench.another()

        assert other.submit(bench.runs_on(KEY)) == name
        assert other.status([KEY])[KEY].phase is Phase.RUNNING
        other.cancel(KEY)
        assert await_end(compute, KEY, bench).phase is Phase.CANCELED
        assert bench.starts(KEY) == 1

    # cancel

    def test_cancel(self, compute: Compute, bench: Bench) -> None:
        """A running job that is canceled stops, and stays canceled if that is asked again."""
        compute.submit(bench.runs_on(KEY))
        await_running(compute, KEY, bench)

        compute.cancel(KEY)

        status = await_end(compute, KEY, bench)
        assert status.phase is Phase.CANCELED
        compute.cancel(KEY)
        assert compute.status([KEY]) == {KEY: status}

    def test_cancel_at_once(self, compute: Compute, bench: Bench) -> None:
        """A job that is canceled before it is well under way ends canceled all the same."""
        compute.submit(bench.runs_on(KEY))
        compute.cancel(KEY)

        assert await_end(compute, KEY, bench).phase is Phase.CANCELED

    def test_cancel_before_submit(self, compute: Compute, bench: Bench) -> None:
        """A key canceled before anyone submitted it is remembered: a late submit does not run."""
        compute.cancel(KEY)
        assert compute.status([KEY])[KEY].phase is Phase.CANCELED

        name = compute.submit(bench.succeeds(KEY))

        status = await_end(compute, KEY, bench)
        assert (status.phase, status.job) == (Phase.CANCELED, name)
        assert bench.starts(KEY) == 0

    def test_late_cancel_spares_the_next_attempt(self, compute: Compute, bench: Bench) -> None:
        """What was given up may be canceled, or submitted, at any time after: its successor runs on."""
        compute.cancel(KEY)
        compute.submit(bench.runs_on("ws-1/2"))
        running = await_running(compute, "ws-1/2", bench)

        bench.another().cancel(KEY)
        compute.submit(bench.runs_on(KEY))
        bench.another().cancel(KEY)

        found = compute.status([KEY, "ws-1/2"])
        assert found[KEY].phase is Phase.CANCELED
        assert (found["ws-1/2"].phase, found["ws-1/2"].job) == (Phase.RUNNING, running.job)
        assert (bench.starts(KEY), bench.starts("ws-1/2")) == (0, 1)

    def test_submit_after_cancel(self, compute: Compute, bench: Bench) -> None:
        """A canceled job does not come back to life."""
        compute.submit(bench.runs_on(KEY))
        await_running(compute, KEY, bench)
        compute.cancel(KEY)

        compute.submit(bench.runs_on(KEY))

        assert await_end(compute, KEY, bench).phase is Phase.CANCELED
        assert bench.starts(KEY) == 1

    @pytest.mark.parametrize("code", [0, 5])
    def test_cancel_after_the_end(self, compute: Compute, bench: Bench, code: int) -> None:
        """A job that has ended stays as it ended."""
        compute.submit(bench.fails(KEY, code) if code else bench.succeeds(KEY))
        ended = await_end(compute, KEY, bench)

        compute.cancel(KEY)

        assert compute.status([KEY]) == {KEY: ended}

    def test_cancel_races_submit(self, compute: Compute, bench: Bench) -> None:
        """Of a cancel and submits at once, the cancel has the last word, and never two starts come."""
        gate = Barrier(THREADS)

        def act(number: int) -> None:
            gate.wait()
            if number == 0:
                compute.cancel(KEY)
            else:
                compute.submit(bench.runs_on(KEY))

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(act, range(THREADS)))

        assert await_end(compute, KEY, bench).phase is Phase.CANCELED
        assert bench.starts(KEY) <= 1

    # log

    def test_log_of_the_unknown(self, compute: Compute) -> None:
        """There is no log of a job never heard of."""
        with pytest.raises(NotFoundError):
            compute.log(KEY)

    def test_log(self, compute: Compute, bench: Bench) -> None:
        """What a job has written comes back exactly, with where to go on; then nothing follows."""
        text = "  $(date) `id` \"quoted\" 'single' \\n *\nsecond line: \u00e9\u4eba\U0001f9ec"
        compute.submit(bench.succeeds(KEY, says=text))
        await_end(compute, KEY, bench)

        chunk = compute.log(KEY)

        assert (chunk.text, chunk.offset, chunk.ended) == (text, len(text.encode()), True)
        rest = compute.log(KEY, offset=chunk.offset)
        assert (rest.text, rest.offset, rest.ended) == ("", chunk.offset, True)

    @pytest.mark.parametrize("limit", [4, 5, 6, 7, 64])
    def test_log_in_chunks(self, compute: Compute, bench: Bench, limit: int) -> None:
        """Chunks of at most *limit* bytes make up the whole; none splits a character."""
        text = "a\u00e9\u4eba\U0001f9ec" * 5
        compute.submit(bench.succeeds(KEY, says=text))
        await_end(compute, KEY, bench)

        texts = read_log(compute, KEY, limit=limit)

        assert "".join(texts) == text
        assert max(len(part.encode()) for part in texts) <= limit

    def test_log_while_running(self, compute: Compute, bench: Bench) -> None:
        """A log is not said to have ended while the job runs."""
        compute.submit(bench.runs_on(KEY))
        await_running(compute, KEY, bench)

        assert not compute.log(KEY).ended

    def test_log_of_what_never_ran(self, compute: Compute) -> None:
        """A job canceled before it was submitted is known, and has written nothing."""
        compute.cancel(KEY)

        chunk = compute.log(KEY)

        assert (chunk.text, chunk.ended) == ("", True)

    # outages

    def test_outage(self, compute: Compute, bench: Bench) -> None:
        """An engine that does not answer raises, whatever it is asked; its jobs come to no harm."""
        compute.submit(bench.runs_on(KEY))
        await_running(compute, KEY, bench)

        with bench.outage():
            for call in (
                lambda: compute.submit(bench.runs_on(KEY)),
                lambda: compute.submit(bench.runs_on("ws-2/1")),
                lambda: compute.status([KEY]),
                lambda: compute.status(["ws-2/1"]),
                lambda: compute.cancel(KEY),
                lambda: compute.log(KEY),
            ):
                with pytest.raises(UnavailableError):
                    call()

        assert compute.status([KEY])[KEY].phase is Phase.RUNNING
        assert bench.starts(KEY) == 1
