"""``daylily.client`` against a real server: what a program does, from its files to its results."""

import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from tests.integration.http.live import TOKEN, Live

from daylily.client import Client, FastqPair, Sample, Submission
from daylily.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StaleVersionError,
    UnauthenticatedError,
)

ROOT: Final = Path(__file__).parents[3]
READS = b"@read-1\nACGT\n+\nIIII\n"


@pytest.fixture
def client(live: Live) -> Iterator[Client]:
    """A client with the operator's token."""
    with Client.to(live.url, TOKEN) as client:
        yield client


def submission(name: str = "Run 7") -> Submission:
    sample = Sample(sample_id="A", pairs=(FastqPair("a_R1.fastq", None),))
    return Submission(name=name, pipeline="fastq-qc", samples=(sample,), tags=("x",))


def test_from_files_to_results(live: Live, client: Client) -> None:
    """Put, check, submit, follow, read, put away: every answer is a view, every step allowed."""
    assert client.ready()["status"] == "ready"
    assert client.put_file("a_R1.fastq", io.BytesIO(READS), len(READS)).size == len(READS)
    assert client.check(submission()).file_count == 1
    workset = client.submit(submission())
    assert (workset.state, workset.tags) == ("ready", ("x",))
    assert client.prioritise(workset.workset_id, "urgent", version=workset.version).priority == "urgent"
    with pytest.raises(StaleVersionError):
        client.cancel(workset.workset_id, version=workset.version)
    live.app.cycle()
    live.compute.write(f"{workset.workset_id}/1", "hello\n")
    live.end(workset.workset_id)

    events = list(client.events(workset.workset_id))
    assert [event.kind for event in events][-1] == "end"
    assert "hello\n" in [event.data.get("text") for event in events]
    again = list(client.events(workset.workset_id, after=events[-2].event_id))
    assert [event.kind for event in again] == ["end"]
    assert client.log(workset.workset_id).text == "hello\n"
    assert client.results(workset.workset_id).files == ()
    assert client.get(workset.workset_id).recorded_compute_usd is not None
    with pytest.raises(ConflictError):
        client.retry(workset.workset_id)

    assert client.archive(workset.workset_id, "published").state == "archived"
    assert list(client.worksets()) == []
    assert [each.workset_id for each in client.worksets(states=["archived"])] == [workset.workset_id]
    assert client.restore(workset.workset_id).state == "complete"
    client.archive(workset.workset_id)
    assert client.delete(workset.workset_id, files=True).state == "deleted"
    assert client.usage().worksets == 1
    assert client.delete_file("a_R1.fastq")
    assert not client.delete_file("a_R1.fastq")


def test_the_script_of_the_guide(live: Live, tmp_path: Path) -> None:
    """What `docs/http.md` prints submits files, follows the workset and returns its summary."""
    guide = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"## From Python\n.*?```python\n(.*?)```", guide, re.DOTALL)
    told: dict[str, Any] = {}
    exec(script, told)  # noqa: S102 - our own guide
    reads = [tmp_path / f"a_R{mate}.fastq" for mate in (1, 2)]
    for path in reads:
        path.write_bytes(READS)
    store, objects = live.app.world.store, live.app.world.objects
    with ThreadPoolExecutor(1) as pool:
        summary = pool.submit(told["run"], live.url, TOKEN, *reads)
        while not (waiting := store.queue().items):
            assert not summary.done(), summary.result()
        workset_id = waiting[0].workset_id
        live.app.cycle()
        objects.put(f"worksets/{workset_id}/results/attempt-1/summary.tsv", b"sample_id\nA\n")
        live.end(workset_id)
        assert summary.result(60) == "sample_id\nA\n"


def test_pages(client: Client) -> None:
    """All pages of a listing, in either order; why and history of one."""
    client.put_file("a_R1.fastq", io.BytesIO(READS), len(READS))
    made = [client.submit(submission(f"Set {number}")).workset_id for number in range(3)]
    listed = [each.workset_id for each in client.worksets(limit=1, oldest_first=True, tag="x")]
    assert listed == made
    assert [each.workset_id for each in client.worksets(everybody=True, limit=2)] == made[::-1]
    assert client.why(made[0]).cause
    assert client.history(made[0]).transitions
    assert client.estimate("germline", sample_count=5).estimated_cost_usd == 13.04


@pytest.mark.parametrize("size", [len(READS) - 1, len(READS) + 1])
def test_a_file_that_changes_while_it_is_sent(client: Client, size: int) -> None:
    """One that is still being written is refused in our own words, and nothing of it is stored."""
    with pytest.raises(InvalidInputError, match=rf"^a_R1.fastq: has .* bytes, not {size}: it changed"):
        client.put_file("a_R1.fastq", io.BytesIO(READS), size)
    assert not client.delete_file("a_R1.fastq")


@pytest.mark.parametrize("url", ["daylily.example", "not a url", "ftp://daylily.example", "https://"])
def test_what_is_no_address(url: str) -> None:
    """It is said at once, and not after asking it again and again."""
    with pytest.raises(InvalidInputError, match=r"^url: is no address such as https://"):
        Client.to(url, TOKEN)


def test_what_is_no_customer(live: Live) -> None:
    """A path that somebody made up is asked of no server."""
    with pytest.raises(InvalidInputError, match=r"^customer: "):
        Client.to(live.url, TOKEN, "../..")


def test_who_is_not_let_in(live: Live) -> None:
    """What is said is the server's: a script has no options of a command line."""
    with Client.to(live.url, "wrong") as client, pytest.raises(UnauthenticatedError) as refused:
        client.list()
    assert str(refused.value) == "the token is not valid"


def test_errors_are_errors_again(live: Live, client: Client) -> None:
    """What the server refuses is raised as what it is, with every fault at its place."""
    with pytest.raises(NotFoundError):
        client.get("unknown-1")
    with pytest.raises(InvalidInputError) as refused:
        client.submit(submission())
    assert [fault.place for fault in refused.value.faults] == ["samples[0].r1_file"]
    with (
        Client.to(live.url, "wrong-token-wrong-token") as stranger,
        pytest.raises(UnauthenticatedError),
    ):
        stranger.get("unknown-1")
