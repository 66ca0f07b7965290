"""Reading worksets, keeping files, asking for prices: as far as the caller may see."""

import io
from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.unit.application.lab import ADA, PREFIX, READS, Lab

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import IllegalTransitionError, InvalidInputError, NotFoundError
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.state_store import Filter

EVE = Principal(name="eve", customer_id="evil")
OPERATOR = Principal(name="op", customer_id="ops", operator=True)


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


@pytest.fixture
def workset(lab: Lab) -> Workset:
    """A workset whose first attempt failed, and whose second one runs."""
    workset_id = lab.submit().workset_id
    app = lab.app()
    app.cycle()
    lab.compute.write(f"{workset_id}/1", "first words")
    lab.put(workset_id, "results/attempt-1/report/index.html", b"first")
    lab.compute.end(f"{workset_id}/1", exit_code=1)
    app.cycle()
    app.retry(ADA, workset_id)
    app.cycle()
    lab.compute.write(f"{workset_id}/2", "second words")
    lab.put(workset_id, "results/attempt-2/index.html", b"second")
    return lab.get(workset_id)


Call = Callable[[App, Principal, str], object]
CALLS: dict[str, Call] = {
    "get": lambda app, who, name: app.read.get(who, name),
    "log": lambda app, who, name: app.read.log(who, name),
    "results": lambda app, who, name: app.read.results(who, name),
    "open_result": lambda app, who, name: app.read.open_result(who, name, "index.html"),
    "cancel": lambda app, who, name: app.cancel(who, name),
    "retry": lambda app, who, name: app.retry(who, name),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_anothers_workset_is_not_there(lab: Lab, workset: Workset, call: Call) -> None:
    """Word for word as one that never was, and nothing happens to it."""
    with pytest.raises(NotFoundError) as never:
        call(lab.app(), EVE, "never-was")
    with pytest.raises(NotFoundError) as anothers:
        call(lab.app(), EVE, workset.workset_id)
    assert str(anothers.value) == str(never.value).replace("never-was", workset.workset_id)
    assert lab.get(workset.workset_id) == workset


def test_operators_see_every_workset(lab: Lab, workset: Workset) -> None:
    """Whosever it is."""
    assert lab.app().read.get(OPERATOR, workset.workset_id) == workset


def test_lists_hold_what_the_caller_may_see(lab: Lab, workset: Workset) -> None:
    """A customer's filter cannot reach beyond the customer; an operator's can."""
    read = lab.app().read
    assert read.list(ADA, Filter()).items == (workset,)
    assert read.list(ADA, Filter(customer_id="acme")).items == (workset,)
    assert read.list(EVE, Filter()).items == ()
    assert read.list(EVE, Filter(customer_id="acme")).items == ()
    assert read.list(OPERATOR, Filter(customer_id="acme")).items == (workset,)


def test_each_attempt_has_its_log_and_results(lab: Lab, workset: Workset) -> None:
    """The last one's, unless another is asked for."""
    read, name = lab.app().read, workset.workset_id
    assert read.log(ADA, name).text == "second words"
    assert read.log(ADA, name, offset=7).text == "words"
    assert read.log(ADA, name, attempt=1).text == "first words"
    assert [info.key for info in read.results(ADA, name).items] == ["index.html"]
    assert [info.key for info in read.results(ADA, name, attempt=1).items] == ["report/index.html"]
    assert read.open_result(ADA, name, "index.html").read() == b"second"
    assert read.open_result(ADA, name, "report/index.html", attempt=1).read() == b"first"


def test_what_is_being_written_is_no_result_yet(lab: Lab, workset: Workset) -> None:
    """A file under its name for the meantime is not listed; one that is called so to stay is."""
    lab.put(workset.workset_id, "results/attempt-2/.summary.tsv.2f606e08b0ab77b2.part", b"se")
    lab.put(workset.workset_id, "results/attempt-2/book.part", b"second")
    listed = lab.app().read.results(ADA, workset.workset_id).items
    assert [info.key for info in listed] == ["book.part", "index.html"]


@pytest.mark.parametrize("attempt", [0, -1, 3])
def test_an_attempt_that_never_was_is_not_there(lab: Lab, workset: Workset, attempt: int) -> None:
    """Neither its log nor its results."""
    with pytest.raises(NotFoundError):
        lab.app().read.log(ADA, workset.workset_id, attempt=attempt)
    with pytest.raises(NotFoundError):
        lab.app().read.results(ADA, workset.workset_id, attempt=attempt)


def test_what_was_never_launched_has_no_results(lab: Lab) -> None:
    """And no place for them yet."""
    workset = lab.submit()
    with pytest.raises(NotFoundError):
        lab.app().read.log(ADA, workset.workset_id)
    assert lab.app().read.results_location(workset) is None


def test_results_have_a_place(lab: Lab, workset: Workset) -> None:
    """As people and pipelines find it."""
    place = f"memory://{PREFIX}{workset.workset_id}/results/attempt-2"
    assert lab.app().read.results_location(workset) == place


@pytest.mark.parametrize("key", ["../../../files/acme/a_R1.fastq", "/etc/passwd", "", "a/../b"])
def test_results_lead_nowhere_else(lab: Lab, workset: Workset, key: str) -> None:
    """A key is a relative path within the results."""
    with pytest.raises(InvalidInputError):
        lab.app().read.open_result(ADA, workset.workset_id, key)


def test_a_retry_is_for_what_ended_in_error(lab: Lab, workset: Workset) -> None:
    """What runs cannot be retried; the attempt says who asked for it."""
    with pytest.raises(IllegalTransitionError):
        lab.app().retry(ADA, workset.workset_id)
    assert (workset.attempts[1].requested_by, workset.attempts[1].follows) == ("ada", 1)


def test_a_cancel_is_asked_for_once(lab: Lab, workset: Workset) -> None:
    """It is pending until the engine has stopped; then it is final."""
    app = lab.app()
    asked = app.cancel(ADA, workset.workset_id, "wrong samples")
    assert asked.state is State.IN_PROGRESS
    with pytest.raises(IllegalTransitionError):
        app.cancel(ADA, workset.workset_id)
    app.cycle()
    canceled = lab.get(workset.workset_id)
    assert canceled.state is State.CANCELED
    assert canceled.history[-1].reason == "canceled by ada: wrong samples"
    with pytest.raises(IllegalTransitionError):
        app.cancel(ADA, workset.workset_id)
    lab.check()


def test_files_come_and_go(lab: Lab) -> None:
    """Keys are the customer's own."""
    files = lab.app().files
    stored = files.put(ADA, "acme", "run 1/a.fastq", io.BytesIO(READS))
    assert (stored.key, stored.size) == ("run 1/a.fastq", len(READS))
    assert [info.key for info in files.list(ADA, "acme").items] == ["run 1/a.fastq"]
    assert files.list(ADA, "acme", prefix="run 2/").items == ()
    assert files.delete(ADA, "acme", "run 1/a.fastq")
    assert not files.delete(ADA, "acme", "run 1/a.fastq")


FileCall = Callable[[App, Principal, str, str], object]
FILE_CALLS: dict[str, FileCall] = {
    "put": lambda app, who, customer, key: app.files.put(who, customer, key, io.BytesIO(READS)),
    "list": lambda app, who, customer, key: app.files.list(who, customer),
    "delete": lambda app, who, customer, key: app.files.delete(who, customer, key),
}


@pytest.mark.parametrize("call", FILE_CALLS.values(), ids=FILE_CALLS)
def test_anothers_files_are_not_there(lab: Lab, call: FileCall) -> None:
    """Nor are those of a customer whom even an operator does not find."""
    lab.upload("a.fastq")
    with pytest.raises(NotFoundError):
        call(lab.app(), EVE, "acme", "a.fastq")
    with pytest.raises(NotFoundError):
        call(lab.app(), OPERATOR, "nobody", "a.fastq")
    assert lab.objects.info("files/acme/a.fastq").size == len(READS)


@pytest.mark.parametrize("key", ["../evil/a.fastq", "/a.fastq", ""])
def test_files_lead_nowhere_else(lab: Lab, key: str) -> None:
    """A key is a relative path within the customer's space."""
    with pytest.raises(InvalidInputError):
        lab.app().files.put(ADA, "acme", key, io.BytesIO(READS))
    with pytest.raises(InvalidInputError):
        lab.app().files.delete(ADA, "acme", key)


def test_an_estimate_adds_up(lab: Lab) -> None:
    """The guide's example; an alias of the pipeline and of the priority do as well."""
    found = lab.app().estimate("germline", sample_count=1, coverage=30, priority="normal")
    parts = found.compute_usd + found.storage_usd + found.fsx_usd + found.transfer_usd
    assert found.total_usd == parts > Decimal(0)
    assert lab.app().estimate("qc", priority="high").pipeline == "fastq-qc"


def test_an_estimate_of_nothing_known_is_refused(lab: Lab) -> None:
    """Pipeline, priority and numbers are checked."""
    estimate = lab.app().estimate
    with pytest.raises(InvalidInputError, match="pipeline"):
        estimate("nope")
    with pytest.raises(InvalidInputError, match="priority"):
        estimate("germline", priority="asap")
    with pytest.raises(InvalidInputError, match="sample_count"):
        estimate("germline", sample_count=-1)
